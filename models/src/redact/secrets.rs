//! Which parts of a text are passwords, keys and tokens?

mod keys;
mod named;
mod said;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

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
        r"xox[a-z]-[A-Za-z0-9%+/_-]{10,}",
        r"xapp-[A-Za-z0-9-]{10,}",
        r"hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,}",
        // other services that help desks meet
        r"AIza[A-Za-z0-9_-]{30,}",
        r"ya29\.[A-Za-z0-9_-]{10,}",
        r"GOCSPX-[A-Za-z0-9_-]{10,}",
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
/// `jdbc:oracle:thin:user/password@host`
static ORACLE_LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?i)\b(?:jdbc:oracle:[a-z0-9]+:|sqlplus[ \t]+(?:-[a-z]+[ \t]+)*)([^\s/:@"'<>]+/[^\s/"'<>]+)@"#)
});
/// `mysql -uroot -ppassword`, where a space behind `-p` would make it ask.
static MYSQL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:mysql|mariadb)[a-z]*\b[^|;&\r\n]{0,200}?[ \t]-p(?:"([^"\r\n]+)"|'([^'\r\n]+)'|([^\s"'`]+))"#,
    )
});
/// `?sv=2022&sig=x`: whoever has the signed address has the thing.
static SIGNATURE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)[?&;](?:sig|signature|x-amz-signature)=([A-Za-z0-9%+/=_-]{3,})"));

/// Longer secrets are keys and tokens of a kind that is found wherever it stands.
const MAX_ECHO_BYTES: usize = 512;

/// Finds everything that looks like a secret or is called one.
pub(super) fn find(text: &str, claims: &mut Vec<Claim>) {
    let mut claim = |range| claims.push(Claim::new(Category::Secret, range));
    keys::find(text).into_iter().for_each(&mut claim);
    let mut behind = 0;
    for found in ISSUED.find_iter(text) {
        // Right behind another one, as it would stand alone in the next round: rounds are few, and a chain may be long.
        if found.start() == behind || starts_clean(text, found.start(), "_") {
            claim(found.range());
            behind = found.end();
        }
    }
    for found in BEARER.captures_iter(text).filter_map(|found| found.get(1)) {
        // "bearer of bad news" is words; a token has digits or is very long.
        if found.as_str().bytes().any(|byte| byte.is_ascii_digit()) || found.len() >= 32 {
            claim(found.range());
        }
    }
    for rule in [&AUTHORIZATION, &COOKIE, &URL_LOGIN, &ORACLE_LOGIN, &SIGNATURE] {
        rule.captures_iter(text).filter_map(|found| found.get(1)).for_each(|found| claim(found.range()));
    }
    for found in MYSQL.captures_iter(text) {
        let value = (1..=3).find_map(|group| found.get(group));
        if let Some(value) = value.filter(|value| !named::stands_for_another(value.as_str())) {
            claim(value.range());
        }
    }
    named::find(text, &mut claim);
    said::find(text, &mut claim);
}

/// The secrets found so far, to be looked for elsewhere.
pub(super) struct Echoes(AhoCorasick);

/// Whether a secret is told apart from ordinary words well enough to be looked for elsewhere.
pub(super) fn is_telling(secret: &str) -> bool {
    secret.chars().count() >= 6 && secret.len() <= MAX_ECHO_BYTES
}

impl Echoes {
    /// None where nothing is to be looked for.
    pub(super) fn of(secrets: &BTreeSet<String>) -> Option<Self> {
        let sweep = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(secrets);
        sweep.ok().filter(|_| !secrets.is_empty()).map(Self)
    }

    /// Claims every place where one of the secrets stands again.
    pub(super) fn find(&self, text: &str) -> Vec<Claim> {
        self.0
            .find_iter(text)
            .filter(|found| {
                // A password that is a plain word counts as a word only.
                let plain = text[found.range()].chars().all(char::is_alphabetic);
                !plain || (starts_clean(text, found.start(), "_") && ends_clean(text, found.end(), ""))
            })
            .map(|found| Claim::new(Category::Secret, found.range()))
            .collect()
    }
}
