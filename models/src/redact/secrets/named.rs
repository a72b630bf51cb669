//! Which values does a name such as `password` or `api_key` make secret?

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::said::{mixed, ordinary};
use crate::redact::addresses::tail;
use crate::redact::spans::pattern;

/// Names of passwords, whatever their length.
const PASSWORDS: &str = "password|passwort|kennwort|passphrase|passcode|passwd|pwd";
/// Names of keys and tokens, which are never short.
const KEYS: &str = r"secret[_ -]?(?:access[_ -]?)?key|secret|credentials?|(?:api|access|auth|account|private|encryption|signing|client|shared[_ -]?access|licen[cs]e|product|activation|storage|subscription)[_ -]?(?:key|token|secret)|(?:session|refresh|bearer|id|csrf|sas)[_ -]?token|apikey|token";

/// `--password x`, `sshpass -p x`, `plink -pw x`, `curl -u user:password`
static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?:\B--?(?:[a-z]+-)*(?:password|passwd|passphrase|secret|token|api-?key|secret-key|access-key|pw)[ \t]+|\bsshpass[ \t]+-p[ \t]*|\bcurl\b[^\r\n]{0,200}[ \t](?:-u|--user)[ \t=]*)(?:"([^"\r\n]+)"|'([^'\r\n]+)'|([^\s"'`]+))"#,
    )
});
/// `password = x`, `"api_key": "x"`, `{\"password\":\"x\"}`, `**Password:** x`, `AWS_SECRET_ACCESS_KEY=x`
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let name = format!(
        r"(?:(?<pass>{PASSWORDS})(?<rest>[a-z0-9_]*)|(?<short>\bpw|[a-z0-9]_(?:pass|pw)(?:_[a-z0-9_]*)?)|(?<weak>\bpass|(?-i:[a-z]Pass))|(?<key>{KEYS})(?<tail>[0-9]+|_[a-z0-9_]*)?)"
    );
    let sign = r#"(?:\\*["'])?[\]*`)]{0,2}[ \t]*(?<sign>=>|:=|==?|:)(?:[*_]{1,2}[ \t]+|[ \t]*)"#;
    let escaped = r#"\\+"((?:[^"\\\r\n]|\\\\(?:\\["\\]|[^"\\\r\n]))+)"#;
    let quoted = r#""((?:[^"\\\r\n]|\\[^\r\n])+)"?|'([^'\r\n]+)'?"#;
    pattern(&format!(r#"(?i){name}{sign}(?:{escaped}|{quoted}|(?<bare>[^\s"'`,;<>]+))"#))
});
/// `<password>x</password>`
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)<[a-z0-9:_.-]{{0,60}}?(?:{PASSWORDS}|(?<key>{KEYS}))(?<rest>[a-z0-9_.-]{{0,60}})(?:\s[^<>]{{0,200}})?>\s*(?:<!\[CDATA\[)?([^<>\]\r\n]+)(?:\]\]>)?\s*</"
    ))
});
/// `key="password" value="x"`, `{"name": "api_key", "value": "x"}`
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?i)\b(?:key|name|id|type)["']?[ \t]*[:=][ \t]*["'][a-z0-9:_. -]{{0,60}}?(?:{PASSWORDS}|(?<key>{KEYS}))(?<rest>[a-z0-9_.-]{{0,60}})["'][^<>{{}}\r\n]{{0,100}}?\bvalue["']?[ \t]*[:=][ \t]*["']([^"'<>\r\n]+)"#
    ))
});
/// What makes a name that begins like a secret's one of something else: `password_policy`, `token_type`, `pwdLastSet`.
static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[_.-]?(?:age|arn|attempt|change|complex|count|enabled|endpoint|error|expir|fail|field|file|histor|id|izer|label|last|len|less|limit|manager|max|min|name|never|notreq|path|polic|portal|prompt|propert|protect|provider|requir|reset|retr|rule|set|strength|status|time|type|uri|url|valid|version)",
    )
});
/// Unless the name ends as a secret's does: `password_reset_token`.
static AFTER_ALL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:password|passwd|pwd|pass|token|secret|key)$"));
/// Variables, templates and `(words in brackets)`.
static TEMPLATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\$[A-Z_][A-Z0-9_]*|[$#]\{[A-Za-z0-9_.]*\}?|\$\(.*|\$?\{\{.*|\{(?:[A-Za-z_.]*|[0-9])\}?|<[^<>]*>?|%[A-Z0-9_]+%|%[a-z]|%\([a-z_]+\)?s?|[\[(][\p{L} _-]*[\])]?|(?:process\.env|os\.environ|env\.).*)$",
    )
});
/// `getPassword()`, `os.getenv("X")` up to its quote.
static CALL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z_.]+\(\)?$"));

/// Words that stand where a secret would and are none.
const NOT_SECRETS: &[&str] = &[
    "abgelaufen",
    "authentication",
    "auth",
    "blank",
    "changed",
    "disabled",
    "empty",
    "enabled",
    "error",
    "expired",
    "expires",
    "failed",
    "failure",
    "false",
    "hidden",
    "incorrect",
    "invalid",
    "is",
    "locked",
    "mandatory",
    "missing",
    "must",
    "n/a",
    "na",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "optional",
    "please",
    "prompt",
    "redacted",
    "removed",
    "required",
    "reset",
    "rejected",
    "secret",
    "string",
    "the",
    "true",
    "undefined",
    "unknown",
    "unset",
    "wrong",
    "yes",
    "your",
];

/// Claims the values of assignments, flags and elements whose names are those of secrets.
pub(super) fn find(text: &str, claim: &mut impl FnMut(Range<usize>)) {
    for found in FLAG.captures_iter(text) {
        let value = (1..=3).find_map(|group| found.get(group));
        if let Some(value) = value.filter(|value| !stands_for_another(value.as_str())) {
            claim(value.range());
        }
    }
    for rule in [&*ELEMENT, &*PAIR] {
        for found in rule.captures_iter(text) {
            let value = found.iter().last().flatten().map(|value| (value.start(), value.as_str().trim_end()));
            if let Some((start, value)) = value.filter(|(_, value)| worth(&found, value)) {
                claim(start..start + value.len());
            }
        }
    }
    for found in ASSIGNMENT.captures_iter(text) {
        if let Some(range) = assigned(text, &found) {
            claim(range);
        }
    }
}

/// The range of an assignment's value, if that is a secret and not prose or code.
fn assigned(text: &str, found: &Captures<'_>) -> Option<Range<usize>> {
    let name = found.get_match().start();
    let bare = found.name("bare");
    let value = bare.or_else(|| found.iter().skip(1).flatten().last())?;
    let trimmed = if bare.is_some() { trimmed(text, name, value.as_str()) } else { value.as_str() };
    if (bare.is_some() && CALL.is_match(trimmed)) || !worth(found, trimmed) {
        return None;
    }
    let range = || value.start()..value.start() + trimmed.len();
    let colon = found.name("sign").is_some_and(|sign| sign.as_str() == ":");
    let strong = found.name("pass").or_else(|| found.name("short")).is_some();
    // `Password: please call` is prose: a plain word after a colon, and the line goes on.
    let plain =
        trimmed.chars().all(char::is_alphabetic) && trimmed.chars().skip(1).all(|c| !c.is_uppercase());
    let after = text[value.end()..].trim_start_matches([' ', '\t']);
    let goes_on = text[value.end()..].starts_with([' ', '\t']) && after.starts_with(char::is_alphanumeric);
    if bare.is_some() && colon && plain && (goes_on || !strong) {
        return None;
    }
    // `pass: 12`, `PASS: test_12` and `passwords: 3` are reports.
    if let Some(name) = found.name("weak") {
        let report = (colon && name.as_str() == "PASS") || trimmed.contains(['_', '/']) || ordinary(trimmed);
        return (!report && mixed(trimmed)).then(range);
    }
    let many = found.name("rest").is_some_and(|rest| rest.as_str().eq_ignore_ascii_case("s"));
    (!many || mixed(trimmed)).then(range)
}

/// A bare value without the next parameter of a query, and without brackets and full stops that close something else.
fn trimmed<'a>(text: &str, name: usize, value: &'a str) -> &'a str {
    let before = tail(&text[..name], 64).trim_end_matches(|c: char| c.is_alphanumeric() || "_-.".contains(c));
    let in_query = before.ends_with(['?', '&']);
    let value = value.split_once('&').filter(|_| in_query).map_or(value, |(value, _)| value);
    let own = ['(', '[', '{'].map(|opening| value.contains(opening));
    value.trim_end_matches(|c| match c {
        ')' => !own[0],
        ']' => !own[1],
        '}' => !own[2],
        c => c == '.',
    })
}

/// True for a value that a name of this kind makes a secret.
fn worth(found: &Captures<'_>, value: &str) -> bool {
    let rest = found.name("rest").or_else(|| found.name("tail")).map_or("", |rest| rest.as_str());
    let about = ABOUT.is_match(rest) && !AFTER_ALL.is_match(rest);
    let long = found.name("key").is_none() || value.chars().count() >= 6;
    !value.is_empty() && !about && long && !stands_for_another(value)
}

/// True for what is written in place of a secret: variables, templates, masks, and words such as `expired`.
pub(super) fn stands_for_another(value: &str) -> bool {
    let word = value.trim_matches(|c: char| !c.is_alphanumeric() && c != '/').to_lowercase();
    let mask = |c: char| "*xX•.-_#|>\\".contains(c);
    TEMPLATE.is_match(value)
        || value.chars().all(mask)
        || NOT_SECRETS.contains(&word.as_str())
        || (value.starts_with('/') && !value.contains(|c: char| c.is_ascii_digit()))
}
