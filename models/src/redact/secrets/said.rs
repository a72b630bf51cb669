//! Which words of a sentence or a table are a password, because the sentence is about one?

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::named::stands_for_another;
use crate::redact::spans::pattern;

/// How many bytes behind the word `password` are looked at, and how many words.
const WINDOW: usize = 256;
const WORDS: usize = 8;

static CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:password|passwort|kennwort|passphrase|passcode|passwd|pwd|pw|pin)\b")
});
/// What stands between the cue and the first word, and between two words.
static FIRST_GAP: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^[\s|/:="'*`)\]]+"#));
static GAP: LazyLock<Regex> = LazyLock::new(|| pattern(r#"^[ \t]+["'*`]*"#));
/// Words in front of a password, and the changes that may stand before some of them.
static IS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:is|was|now|ist|war|lautet|jetzt|=|:|=>|->)$"));
static TO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^(?:to|from|auf|von|zu)$"));
static FROM: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^(?:from|auf|von|zu)$"));
static CHANGE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:changed?|reset|set|updated?|switched|geändert|gesetzt)$"));
/// What looks like a password and is none: numbers with units, dates, tickets, addresses, names of machines.
static ORDINARY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:v?[0-9]+(?:[.,:/_-][0-9]+)+[a-z%]*|[0-9.]+-?[a-z%]+|0x[0-9A-Fa-f]+|[A-Z]{2,}(?:[-_]?[0-9]+)+|[^@\s]+@[\w-]+(?:\.[\w-]+)+|[a-z]+://.*|\w[\w-]*(?:\.[\w-]+)+)$",
    )
});
/// `Office365`, `user42`, `db-01`: a word with a number behind it is a password only where the sentence says so.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\p{L}_-]+[0-9]{1,4}$"));

/// `password=x1` within a word is an assignment, and looked at as such.
static ASSIGNED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:pass|pwd|pw|kennwort|secret|token|key)[a-z0-9_]*[:=]."));

/// Claims what sentences give as a password: `the password for bob is x1`, `password from x1 to x2`, `Password | x1`.
pub(super) fn find(text: &str, claim: &mut impl FnMut(Range<usize>)) {
    let mut behind = 0;
    for cue in CUE.find_iter(text) {
        if cue.start() < behind {
            continue;
        }
        let window = &text[..text.floor_char_boundary(cue.end() + WINDOW)];
        for word in passwords(window, cue.end()) {
            // A word that the window cuts off is claimed whole.
            behind = if word.end == window.len() { word_end(text, word.start) } else { word.end };
            claim(word.start..behind);
        }
    }
}

/// The words behind a cue that are passwords.
fn passwords(text: &str, cue_end: usize) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let Some(gap) = FIRST_GAP.find(&text[cue_end..]).map(|gap| gap.as_str()) else { return found };
    let (lines, signed) = (gap.matches('\n').count(), gap.contains([':', '=']));
    // A sign on the same line makes an assignment, which is looked at as such.
    let mut said = gap.contains('|') || (lines == 1 && signed);
    let next = !said && !signed;
    let (mut direct, mut changes) = (false, true);
    let mut start = cue_end + gap.len();
    let words = [WORDS, 1].get(lines).copied().unwrap_or(0);
    for place in 0..words {
        let end = word_end(text, start);
        let whole = &text[start..end];
        let value = whole.trim_end_matches(['.', ')']);
        let word = value.trim_end_matches(['!', '?', ':']);
        if IS.is_match(word) || TO.is_match(word) {
            // `from` and `to` give a password right behind the cue or a change only: `failed password from host1`.
            said = changes || IS.is_match(word);
            direct = place == 0 && !FROM.is_match(word);
        } else {
            let given = said && odd(word) && (direct || !ordinary(word));
            let beside = next && place == 0 && mixed(word) && !ordinary(word) && !NUMBERED.is_match(value);
            let secret = (given || beside) && !ASSIGNED.is_match(value) && !stands_for_another(value);
            if secret {
                found.push(start..start + value.len());
            } else if whole.ends_with(['.', '!', '?']) {
                break;
            }
            changes = secret || CHANGE.is_match(word);
            said = whole.ends_with(':');
            direct = false;
        }
        let Some(gap) = GAP.find(&text[end..]) else { break };
        start = end + gap.end();
    }
    found
}

fn word_end(text: &str, start: usize) -> usize {
    let ends = |c: char| c.is_whitespace() || "\"'`,;<>|".contains(c);
    text[start..].find(ends).map_or(text.len(), |length| start + length)
}

/// True for a word that no sentence would have.
pub(super) fn odd(word: &str) -> bool {
    let telling = |c: char| c.is_ascii_digit() || "!@#$%^&*_+=".contains(c);
    word.chars().any(telling) && word.chars().count() >= 4
}

/// True for letters and digits together.
pub(super) fn mixed(word: &str) -> bool {
    let has = |kind: fn(char) -> bool| word.chars().any(kind);
    has(char::is_alphabetic) && has(|c| c.is_ascii_digit()) && word.chars().count() >= 5
}

/// True for what has digits and is no password.
pub(super) fn ordinary(word: &str) -> bool {
    ORDINARY.is_match(word.trim_matches(['(', ')', '[', ']']))
}
