//! Which digits are a phone number and not one of the many other numbers of a help desk?

use std::sync::LazyLock;

use regex::Regex;

use super::Category;
use super::addresses::tail;
use super::spans::{Claim, ends_clean, pattern, starts_clean};

/// `+49 30 901820`, `(+49) 30 901820`, `+1 (212) 555-0187`, `+442079460958`, `0049-30-901820`.
static INTERNATIONAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\(\+[1-9][0-9]{0,2}\)|(?:\+|00)[1-9][0-9]{0,2})(?:[ ./-]?\(0?[0-9]{0,4}\))?(?:[ ./-]{0,3}[0-9]{1,12}){1,6}",
    )
});
/// `(212) 555-0187`, `212-555-0187`, `212.555.0187`, with or without a leading 1.
static NORTH_AMERICA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:1[ .-])?(?:\([2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[ .-][0-9]{4}|[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}|[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4})",
    )
});
/// `020 7946 0958`, `07700 900123`, `030/9018-2045`, `(030) 901820`.
static TRUNK_ZERO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:\(0[1-9][0-9]{1,4}\)[ ]?|0[1-9][0-9]{1,4}[ /-])[0-9]{3,8}(?:[ -][0-9]{2,6}){0,2}")
});
/// `01 23 45 67 89`, `01.23.45.67.89`.
static PAIRS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"0[1-9](?:(?: [0-9]{2}){4}|(?:\.[0-9]{2}){4}|(?:-[0-9]{2}){4})"));
/// A number that a word in front calls a phone number.
static CUED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:tel|telephone|telefon|t[ée]l[ée]phone|phone|mobile|mobil|handy|cell|cellphone|fax|whatsapp|landline|hotline|callback|call (?:me|us|him|her|them|back)|reach (?:me|us|him|her)|ring (?:me|us)|dial)\b\.?(?:[ ]?\([^()0-9\r\n]{1,20}\))?(?:[ ]?(?:number|no|nr|nummer))?\.?(?:[ ]?(?:is|at|on|under|:|=|#|-)){0,2}[ ]{0,3}(\(?[0-9](?:[ ()/-]{0,2}[0-9]){5,})",
    )
});
/// `ext. 4711`
static EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:ext|extension|durchwahl|apparat)\b[.:]?[ ]{0,2}(?:is |no\.? ?)?([0-9]{3,6})")
});
/// What makes digits behind it something else.
static OTHER_CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:ticket|incident|inc|case|request|req|ritm|chg|change|sr|order|invoice|po|serial|s/n|sn|id|ref|version|ver|port|pid|error|code|event|job|asset|part|number|kb|build)[ ]?(?:no|number|nr|id)?[ .:=#-]{0,3})$",
    )
});

/// Finds phone numbers in international form, in the common national forms, and behind a word that says so.
pub(super) fn find(text: &str, claims: &mut Vec<Claim>) {
    for rule in [&CUED, &EXTENSION] {
        for number in rule.captures_iter(text).filter_map(|found| found.get(1)) {
            let fewest = if rule.as_str() == CUED.as_str() { 6 } else { 3 };
            claims.extend(whole_number(text, number.start(), number.end(), fewest, 15));
        }
    }
    for found in INTERNATIONAL.find_iter(text) {
        let plus = found.as_str().starts_with(['+', '(']);
        // A plus sign starts a number even behind `Ann Lee/`.
        if !starts_clean(text, found.start(), if plus { "_.+#" } else { STARTS }) {
            continue;
        }
        // A country code behind `00` could be any long number, so it needs to be spaced and long enough to dial.
        let spaced = found.as_str().contains([' ', '-', '/', '(', '.']);
        let before = text[..found.start()].strip_suffix(' ').unwrap_or_default();
        let goes_on = before.ends_with(|c: char| c.is_ascii_digit());
        if plus || (spaced && !goes_on && !cued_otherwise(text, found.start())) {
            let (fewest, most) = if plus { (8, 15) } else { (11, 17) };
            claims.extend(whole_number(text, found.start(), found.end(), fewest, most));
        }
    }
    for (rule, fewest, most) in [(&NORTH_AMERICA, 10, 11), (&TRUNK_ZERO, 8, 12), (&PAIRS, 10, 10)] {
        for found in rule.find_iter(text).filter(|found| starts_clean(text, found.start(), STARTS)) {
            if !cued_otherwise(text, found.start()) {
                claims.extend(whole_number(text, found.start(), found.end(), fewest, most));
            }
        }
    }
}

/// What joins digits to something before them that makes them part of another number.
const STARTS: &str = "_.+/-#";
/// The same behind them.
const ENDS: &str = "_.:/-";

/// The longest head of the range that ends between two digit groups and has a fitting number of digits.
fn whole_number(text: &str, start: usize, end: usize, fewest: usize, most: usize) -> Option<Claim> {
    let bytes = text.as_bytes();
    let (mut digits, mut fit) = (0, None);
    for at in start..end {
        if !bytes[at].is_ascii_digit() {
            continue;
        }
        digits += 1;
        if digits > most {
            break;
        }
        let group_ends = at + 1 == end || !bytes[at + 1].is_ascii_digit();
        let clean = at + 1 < end || ends_clean(text, end, ENDS);
        if group_ends && clean && digits >= fewest {
            fit = Some(at + 1);
        }
    }
    fit.map(|fit| Claim::new(Category::Phone, start..fit))
}

/// Whether a word in front says that a number is something else.
pub(super) fn cued_otherwise(text: &str, at: usize) -> bool {
    OTHER_CUE.is_match(tail(&text[..at], 24))
}
