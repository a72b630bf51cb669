//! Which parts of a text are passwords, keys and tokens?

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::{Captures, Regex};

use super::Category;
use super::spans::{Claim, ends_clean, pattern, starts_clean};

/// Keys and tokens that their issuers made to be recognised.
static ISSUED: LazyLock<Regex> = LazyLock::new(|| {
    let kinds = [
        // AWS key ids; GitHub, GitLab, Slack tokens and hooks
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7][A-Z0-9]{15}",
        r"gh[pousr]_[A-Za-z0-9]{20,}",
        r"github_pat_[A-Za-z0-9_]{20,}",
        r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent)-[A-Za-z0-9_.-]{16,}",
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"xapp-[A-Za-z0-9-]{10,}",
        r"hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,}",
        // other services that help desks meet
        r"AIza[A-Za-z0-9_-]{30,}",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"sk-[A-Za-z0-9_-]*[A-Za-z0-9]{20,}",
        r"(?:npm|hf)_[A-Za-z0-9]{30,}",
        r"pypi-[A-Za-z0-9_-]{40,}",
        r"dop_v1_[a-f0-9]{40,}",
        r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"hv[sbr]\.[A-Za-z0-9_-]{20,}",
        // JSON web tokens: two base64 JSON objects and a signature
        r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*",
    ];
    pattern(&kinds.join("|"))
});
/// Where a private key's block begins, with what follows of it should its end be missing.
static KEY_BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:(?:\s|\\[nr])+[A-Za-z0-9+/]{12,}={0,2})*")
});
static KEY_ENDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"));
/// `Authorization: Basic x`; a scheme in front makes the rest credentials, whatever it looks like.
static AUTHORIZATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\bauthorization["']?[ \t]*[:=][ \t]*["']?(?:basic|bearer|token|digest|negotiate|ntlm|apikey)[ \t]+([A-Za-z0-9._~+/-]{6,}=*)"#,
    )
});
static BEARER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:bearer[ \t]+|(?:x-api-key|authorization)[ \t]*[:=][ \t]*)([A-Za-z0-9._~+/-]{6,}=*)")
});
static COOKIE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:set-)?cookie2?[ \t]*:[ \t]*([^\s=;]+=[^\r\n]+)"));
/// `scheme://user:password@host`
static URL_LOGIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/:@"'<>]*:[^\s/"'<>]+)@"#));
/// `--password x`, `sshpass -p x`, `curl -u user:password`
static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?:--?(?:[a-z]+-)*(?:password|passwd|passphrase|secret|token|api-?key|secret-key|access-key)[ \t]+|\bsshpass[ \t]+-p[ \t]*|\bcurl\b[^\r\n]{0,200}[ \t](?:-u|--user)[ \t=]*)(?:"([^"\r\n]+)"|'([^'\r\n]+)'|([^\s"'`]+))"#,
    )
});
/// `password = x`, `"api_key": "x"`, `AWS_SECRET_ACCESS_KEY=x`
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(password|passwort|kennwort|passphrase|passcode|passwd|pwd|(?:[a-z0-9]_pass)|secret|secret[_ -]?(?:access[_ -]?)?key|credentials?|(?:api|access|auth|account|private|encryption|signing|client|shared[_ -]?access|licen[cs]e|product|activation|storage)[_ -]?(?:key|token|secret)|(?:session|refresh|bearer|id|csrf|sas)[_ -]?token|apikey|token)["']?[ \t]*(=>|:=|==?|:)[ \t]*(?:\\?"((?:[^"\\\r\n]|\\[^\r\n])+)"?|'([^'\r\n]+)'?|([^\s"'`,;<>&]+))"#,
    )
});
/// `the password is x1`
static SAID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)\b(?:password|passwort|kennwort|passphrase|passcode|passwd|pwd|pin)[ \t]+(?:is|was|to|ist|lautet|now)[ \t:]+["'`]?([^\s"'`,;<>]+)"#,
    )
});

/// Longer secrets are keys and tokens of a kind that is found wherever it stands.
const MAX_ECHO_BYTES: usize = 512;

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

/// Finds everything that looks like a secret or is called one.
pub(super) fn find(text: &str, claims: &mut Vec<Claim>) {
    let mut claim = |range| claims.push(Claim::new(Category::Secret, range));
    private_keys(text).into_iter().for_each(&mut claim);
    for found in ISSUED.find_iter(text) {
        if starts_clean(text, found.start(), "_") {
            claim(found.range());
        }
    }
    for found in BEARER.captures_iter(text).filter_map(|found| found.get(1)) {
        // "bearer of bad news" is words; a token has digits or is very long.
        if found.as_str().bytes().any(|byte| byte.is_ascii_digit()) || found.len() >= 32 {
            claim(found.range());
        }
    }
    for rule in [&AUTHORIZATION, &COOKIE, &URL_LOGIN] {
        rule.captures_iter(text).filter_map(|found| found.get(1)).for_each(|found| claim(found.range()));
    }
    for found in FLAG.captures_iter(text) {
        let value = (1..=3).find_map(|group| found.get(group));
        if let Some(value) = value.filter(|value| !stands_for_another(value.as_str())) {
            claim(value.range());
        }
    }
    for found in ASSIGNMENT.captures_iter(text) {
        if let Some(range) = assigned(text, &found) {
            claim(range);
        }
    }
    for found in SAID.captures_iter(text).filter_map(|found| found.get(1)) {
        let value = found.as_str().trim_end_matches(['.', '!', '?', ')']);
        // In a sentence only a word that no sentence would have is taken for a password.
        let odd = value.chars().any(|c| c.is_ascii_digit() || "!@#$%^&*_+=".contains(c));
        if odd && value.len() >= 4 && !stands_for_another(value) {
            claim(found.start()..found.start() + found.as_str().trim_end_matches(['.', ')']).len());
        }
    }
}

/// Private keys, each from its begin to its end; one whose end is missing goes as far as it looks like a key.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut ends = KEY_ENDS.find_iter(text).map(|found| found.range()).peekable();
    let mut begins = KEY_BEGINS.find_iter(text).map(|found| found.range()).peekable();
    let mut keys: Vec<Range<usize>> = Vec::new();
    while let Some(begin) = begins.next() {
        if keys.last().is_some_and(|key| begin.start < key.end) {
            continue;
        }
        while ends.next_if(|end| end.start < begin.start).is_some() {}
        let next = begins.peek().map_or(text.len(), |next| next.start);
        match ends.peek().filter(|end| end.start < next) {
            Some(end) => keys.push(begin.start..end.end),
            None => keys.push(begin),
        }
    }
    keys
}

/// The range of an assignment's value, if that is a secret and not prose or code.
fn assigned(text: &str, found: &Captures<'_>) -> Option<Range<usize>> {
    let (name, sign) = (found.get(1)?, found.get(2)?.as_str());
    let quoted = found.get(3).or_else(|| found.get(4));
    let value = quoted.or_else(|| found.get(5))?;
    let bare = quoted.is_none();
    let trimmed = if bare { value.as_str().trim_end_matches([')', ']', '}', '.']) } else { value.as_str() };
    let after = &text[value.end()..];
    let called = bare && (trimmed.contains('(') || after.starts_with('('));
    if trimmed.is_empty() || called || stands_for_another(trimmed) {
        return None;
    }
    let name = name.as_str().to_ascii_lowercase();
    let pass =
        name.starts_with("pass") || name.starts_with("kenn") || name == "pwd" || name.ends_with("_pass");
    if !pass && trimmed.chars().count() < 6 {
        return None;
    }
    // `Password: please call` is prose: a plain word after a colon, and the line goes on.
    let plain = trimmed.chars().all(|c| c.is_alphabetic() && !c.is_uppercase())
        || (trimmed.chars().skip(1).all(|c| c.is_lowercase()) && trimmed.chars().all(char::is_alphabetic));
    let goes_on = after.trim_start_matches([' ', '\t']).starts_with(char::is_alphanumeric)
        && after.starts_with([' ', '\t']);
    if bare && sign == ":" && plain && (goes_on || !pass) {
        return None;
    }
    Some(value.start()..value.start() + trimmed.len())
}

/// True for what is written in place of a secret: variables, templates, masks, and words such as `expired`.
fn stands_for_another(value: &str) -> bool {
    let word = value.trim_matches(|c: char| !c.is_alphanumeric() && c != '/').to_lowercase();
    let template = ["$", "{", "<", "%", "process.env", "os.environ", "env.", "[REDACTED", "(", "["];
    let mask = |c: char| "*xX•.-_#".contains(c);
    template.iter().any(|head| value.starts_with(head))
        || value.chars().all(mask)
        || NOT_SECRETS.contains(&word.as_str())
        || (value.starts_with('/') && !value.contains(|c: char| c.is_ascii_digit()))
}

/// The secrets found so far that are told apart from ordinary words well enough to be looked for elsewhere.
pub(super) fn worth_echoing<'a>(claims: &[Claim], text: &'a str) -> BTreeSet<&'a str> {
    claims
        .iter()
        .filter(|claim| claim.category == Category::Secret)
        .map(|claim| &text[claim.start..claim.end])
        .filter(|value| value.chars().count() >= 6 && value.len() <= MAX_ECHO_BYTES)
        .collect()
}

/// Claims every place where one of the secrets stands again.
pub(super) fn echoes(values: &BTreeSet<&str>, text: &str) -> Vec<Claim> {
    let Ok(sweep) = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(values)
    else {
        return Vec::new();
    };
    sweep
        .find_iter(text)
        .filter(|found| {
            // A password that is a plain word counts as a word only.
            let plain = text[found.range()].chars().all(char::is_alphabetic);
            !plain || (starts_clean(text, found.start(), "_") && ends_clean(text, found.end(), ""))
        })
        .map(|found| Claim::new(Category::Secret, found.range()))
        .collect()
}
