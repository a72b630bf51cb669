//! Which digits are a payment card, which letters and digits a bank account?

use std::sync::LazyLock;

use regex::Regex;

use super::Category;
use super::spans::{Claim, ends_clean, pattern, starts_clean};

/// Digit groups with single spaces, dots or hyphens between them, long enough to hold a card.
static DIGIT_RUN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9](?:[ .-]?[0-9]){12,}"));
/// The head of an IBAN: country, check digits, and the first of the account.
static IBAN_HEAD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}"));

/// Finds card numbers: whole digit groups whose length fits the issuer and whose Luhn sum is right.
pub(super) fn find_cards(text: &str, claims: &mut Vec<Claim>) {
    for run in DIGIT_RUN.find_iter(text) {
        let groups = groups(run.as_str());
        let mut first = 0;
        while first < groups.len() {
            let card = card_from(run.as_str(), &groups[first..]).filter(|&(start, end)| {
                starts_alone(text, run.start() + start) && ends_clean(text, run.start() + end, ".")
            });
            if let Some((start, end)) = card {
                claims.push(Claim::new(Category::PaymentCard, run.start() + start..run.start() + end));
                while first < groups.len() && groups[first].0 < end {
                    first += 1;
                }
            } else {
                first += 1;
            }
        }
    }
}

/// False behind a digit, a decimal point, or the `x` of a number in hex; a word may stand right before a card, as in
/// `VISA4111…` and on the magnetic stripe, since length, issuer and Luhn sum tell enough.
fn starts_alone(text: &str, at: usize) -> bool {
    let mut before = text[..at].chars().rev();
    match before.next() {
        Some('x' | 'X') => before.next().is_some_and(char::is_alphabetic),
        Some(c) => !c.is_numeric() && c != '.',
        None => true,
    }
}

/// Byte ranges of the digit groups of a run.
fn groups(run: &str) -> Vec<(usize, usize)> {
    let mut groups = Vec::new();
    let mut start = 0;
    for (at, _) in run.match_indices([' ', '.', '-']) {
        groups.push((start, at));
        start = at + 1;
    }
    groups.push((start, run.len()));
    groups
}

/// The card that starts with the first group, if there is one.
fn card_from(run: &str, groups: &[(usize, usize)]) -> Option<(usize, usize)> {
    let mut digits = Vec::with_capacity(19);
    for (start, end) in groups {
        if digits.len() + (end - start) > 19 {
            return None;
        }
        digits.extend(run.as_bytes()[*start..*end].iter().map(|digit| digit - b'0'));
        if issuer_fits(&digits) && luhn(&digits) {
            // Dots and spaces in turn make a row of decimal numbers.
            let card = &run[groups[0].0..*end];
            return (!card.contains('.') || !card.contains([' ', '-'])).then_some((groups[0].0, *end));
        }
    }
    None
}

/// Issuer ranges and lengths in use, after ISO/IEC 7812 and the networks' own pages.
fn issuer_fits(digits: &[u8]) -> bool {
    let length = digits.len();
    if length < 13 {
        return false;
    }
    let head = digits[..4].iter().fold(0_u32, |head, digit| head * 10 + u32::from(*digit));
    match head {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16),
        3528..=3589 => matches!(length, 16..=19),
        6011 | 6440..=6599 | 6200..=6299 => matches!(length, 16..=19),
        5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799 => matches!(length, 13..=19),
        _ => false,
    }
}

/// ISO/IEC 7812-1 annex B.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit < 5 => digit * 2,
            (_, digit) => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Finds IBANs: right length for the country, check digits right (ISO 13616, modulus 97).
pub(super) fn find_ibans(text: &str, claims: &mut Vec<Claim>) {
    let mut behind = 0;
    while let Some(head) = IBAN_HEAD.find_at(text, behind) {
        behind = head.start() + 1;
        if !starts_clean(text, head.start(), "_") {
            continue;
        }
        if let Some(end) = iban_end(text, head.start()).filter(|end| ends_clean(text, *end, "_")) {
            claims.push(Claim::new(Category::Iban, head.start()..end));
            behind = end;
        }
    }
}

/// Where the IBAN ends whose head is at `start`, if it is one.
fn iban_end(text: &str, start: usize) -> Option<usize> {
    let wanted = country_length(&text[start..start + 2].to_ascii_uppercase())?;
    let mut account = String::with_capacity(wanted);
    let mut spaced = false;
    for (at, c) in text[start..].char_indices() {
        match c {
            ' ' | '-' if !spaced => spaced = true,
            c if c.is_ascii_alphanumeric() => {
                spaced = false;
                account.push(c.to_ascii_uppercase());
            }
            _ => return None,
        }
        if account.len() == wanted {
            return remainder_97(&account).eq(&1).then_some(start + at + 1);
        }
    }
    None
}

fn remainder_97(account: &str) -> u32 {
    let (head, rest) = account.split_at(4);
    rest.chars().chain(head.chars()).filter_map(|c| c.to_digit(36)).fold(0, |remainder, value| {
        if value < 10 { (remainder * 10 + value) % 97 } else { (remainder * 100 + value) % 97 }
    })
}

/// Lengths from the IBAN registry.
fn country_length(country: &str) -> Option<usize> {
    let length = match country {
        "NO" => 15,
        "BE" => 16,
        "DK" | "FI" | "FO" | "GL" | "NL" | "SD" => 18,
        "MK" | "SI" => 19,
        "AT" | "BA" | "EE" | "KZ" | "LT" | "LU" | "XK" => 20,
        "CH" | "HR" | "LI" | "LV" => 21,
        "BG" | "BH" | "CR" | "DE" | "GB" | "GE" | "IE" | "ME" | "RS" | "VA" => 22,
        "AE" | "GI" | "IL" | "IQ" | "OM" | "SO" | "TL" => 23,
        "AD" | "CZ" | "ES" | "MD" | "PK" | "RO" | "SA" | "SE" | "SK" | "TN" | "VG" => 24,
        "LY" | "PT" | "ST" => 25,
        "IS" | "TR" => 26,
        "BI" | "DJ" | "FR" | "GR" | "IT" | "MC" | "MR" | "SM" => 27,
        "AL" | "AZ" | "BY" | "CY" | "DO" | "GT" | "HU" | "LB" | "NI" | "PL" | "SV" => 28,
        "BR" | "EG" | "PS" | "QA" | "UA" => 29,
        "JO" | "KW" | "MU" | "YE" => 30,
        "MT" | "SC" => 31,
        "LC" => 32,
        "RU" => 33,
        _ => return None,
    };
    Some(length)
}
