//! What is a token of letters, digits, hyphens and underscores? Rules by its shape, the surest first.

use super::Scheme;
use super::vocabulary::{
    ALERT_WORDS, ERRNO, ERROR_PREFIXES, FAILURE_PARTS, FUNCTION_WORDS, HOST_WORDS, MESSAGE_PREFIXES,
    NO_PROJECT, PHRASE_WORDS, TEST_WORDS, TICKET_PREFIXES,
};

/// Fewest digits of such a number; five where the prefix is not in capitals.
const TICKET_DIGITS: usize = 4;

/// The sort of an ASCII token without full stops, or nothing when it is an ordinary word.
pub(super) fn scheme(token: &str) -> Option<Scheme> {
    if token.len() < 3 || !token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return None;
    }
    if !token.as_bytes()[0].is_ascii_alphabetic() {
        return is_hex_code(token).then_some(Scheme::ErrorCode);
    }
    if token.contains('_') {
        return snake(token);
    }
    if token.contains('-') {
        return kebab(token);
    }
    let has_upper = token.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    let has_digit =
        token.as_bytes()[token.len() - 1].is_ascii_digit() || token.bytes().any(|b| b.is_ascii_digit());
    if has_digit && let Some(scheme) = numbered(token) {
        return Some(scheme);
    }
    if !has_upper {
        return None;
    }
    if ERRNO.contains(&token) || (token.starts_with("WSAE") && token.len() > 5) {
        return Some(Scheme::ErrorCode);
    }
    if is_exception(token) {
        return Some(Scheme::Exception);
    }
    camel(token)
}

/// Whether it is the class of an exception: `FooException`, `BarError`.
pub(super) fn is_exception(token: &str) -> bool {
    let class = ["Exception", "Error", "Fault"].iter().find_map(|ending| token.strip_suffix(ending));
    class.is_some_and(|class| {
        class.len() >= 2
            && class.as_bytes()[0].is_ascii_uppercase()
            && class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// `0x80070005`; longer ones are addresses of memory.
fn is_hex_code(token: &str) -> bool {
    token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")).is_some_and(|digits| {
        (2..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// `ERR_CONNECTION_RESET`, `container_memory_usage`.
fn snake(token: &str) -> Option<Scheme> {
    let letters = token.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters < 4 || token.split('_').any(str::is_empty) {
        return None;
    }
    let in_capitals = !token.bytes().any(|b| b.is_ascii_lowercase());
    // A limit or default about failures is a setting.
    let is_setting = token.starts_with("DEFAULT_") || token.starts_with("MAX_");
    let failed = !is_setting && token.split('_').any(|part| FAILURE_PARTS.contains(&part));
    if in_capitals && (failed || ERROR_PREFIXES.iter().any(|prefix| token.starts_with(prefix))) {
        return Some(Scheme::ErrorCode);
    }
    Some(Scheme::Symbol)
}

/// `CVE-2024-1234`, `ORA-00600`, `HADOOP-1234`, `srv-db-02`, `kube-state-metrics`.
fn kebab(token: &str) -> Option<Scheme> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts = || token.split('-');
    let (first, last) = (parts().next()?, parts().next_back()?);
    if parts().any(str::is_empty) {
        return None;
    }
    let count = parts().count();
    if first.eq_ignore_ascii_case("CVE") && count == 3 {
        let year = parts().nth(1)?;
        return (is_number(year) && year.len() == 4 && is_number(last)).then_some(Scheme::Cve);
    }
    if count == 2 && is_number(last) && first.len() >= 2 {
        if NO_PROJECT.iter().any(|one| first.eq_ignore_ascii_case(one)) {
            return None;
        }
        if MESSAGE_PREFIXES.contains(&first) && last.len() >= 3 {
            return Some(Scheme::ErrorCode);
        }
        if first.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) && last.len() <= 8 {
            return Some(Scheme::TicketNumber);
        }
    }
    let has_digit = token.bytes().any(|b| b.is_ascii_digit());
    if parts().any(|part| HOST_WORDS.iter().any(|word| part.eq_ignore_ascii_case(word))) && has_digit {
        return Some(Scheme::Host);
    }
    is_kebab_symbol(token, count, has_digit).then_some(Scheme::Symbol)
}

/// Whether hyphenated parts are a made name and not a phrase: a digit that is not the count of something, mixed case
/// inside a part, or three and more parts in one case without a little word among them.
fn is_kebab_symbol(token: &str, count: usize, has_digit: bool) -> bool {
    if token.len() > 64 || (count == 5 && is_uuid(token)) {
        return false;
    }
    let parts = || token.split('-');
    if parts().any(|part| humps(part) >= 2 && part.as_bytes()[0].is_ascii_lowercase()) {
        return true;
    }
    if has_digit {
        let digits = token.bytes().filter(u8::is_ascii_digit).count();
        let mixed = parts().any(|part| {
            part.bytes().any(|b| b.is_ascii_digit()) && part.bytes().any(|b| b.is_ascii_alphabetic())
        });
        return digits >= 2 || mixed && count >= 3;
    }
    let one_case = token.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        || token.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    count >= 3
        && one_case
        && !parts()
            .any(|part| part.len() < 2 || PHRASE_WORDS.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

fn is_uuid(token: &str) -> bool {
    token.len() == 36 && token.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Letters and digits without a hyphen: `INC0010023`, `SQL0911N`, `APP000005`, `mail01`.
fn numbered(token: &str) -> Option<Scheme> {
    let letters = token.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (prefix, rest) = token.split_at(letters);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, tail) = rest.split_at(digits);
    let in_capitals = prefix.bytes().all(|b| b.is_ascii_uppercase());
    if in_capitals && tail.len() == 1 && (3..=6).contains(&letters) && (4..=5).contains(&digits) {
        return matches!(tail, "A" | "D" | "E" | "I" | "N" | "S" | "W" | "X").then_some(Scheme::ErrorCode);
    }
    if !tail.is_empty() || digits == 0 {
        return None;
    }
    if TICKET_PREFIXES.iter().any(|one| prefix.eq_ignore_ascii_case(one))
        && (TICKET_DIGITS + usize::from(!in_capitals)..=12).contains(&digits)
    {
        return Some(Scheme::TicketNumber);
    }
    if in_capitals && prefix == "AADSTS" {
        return Some(Scheme::ErrorCode);
    }
    if in_capitals && (2..=6).contains(&letters) && (4..=10).contains(&digits) {
        return Some(Scheme::Code);
    }
    is_short_host(prefix, number, in_capitals).then_some(Scheme::Host)
}

/// `mail01`, `server3`: a number with a leading zero, or after a word by which machines are named.
fn is_short_host(prefix: &str, number: &str, in_capitals: bool) -> bool {
    let one_case = in_capitals || prefix.bytes().all(|b| b.is_ascii_lowercase());
    // Names of Windows machines end at 15 characters; 2016, 2019 and so on are releases.
    if !one_case
        || prefix.len() < 2
        || prefix.len() + number.len() > 15
        || number.len() > 4
        || number.starts_with("20")
    {
        return false;
    }
    let padded = number.len() >= 2 && number.starts_with('0') && number.bytes().any(|b| b != b'0');
    let lower = prefix.to_ascii_lowercase();
    let named =
        HOST_WORDS.iter().any(|word| if word.len() <= 3 { lower == *word } else { lower.ends_with(word) });
    (padded && !NO_PROJECT.contains(&prefix.to_ascii_uppercase().as_str())) || named
}

/// Names written in capitalised parts: `KubePodCrashLooping`, `getFileStatus`.
fn camel(token: &str) -> Option<Scheme> {
    let count = humps(token);
    // Parts of encoded data are shorter, its words longer than any name.
    if count < 2 || token.len() > 80 || token.len() < count * 3 {
        return None;
    }
    let first = parts_of(token).next()?;
    let is_lower = first.as_bytes()[0].is_ascii_lowercase();
    let can_alert = if is_lower {
        count >= 3 && !FUNCTION_WORDS.contains(&first)
    } else {
        !TEST_WORDS.iter().any(|word| token.starts_with(word))
    };
    if can_alert && parts_of(token).skip(1).any(|part| ALERT_WORDS.contains(&part)) {
        return Some(Scheme::AlertName);
    }
    (count >= 3).then_some(Scheme::Symbol)
}

/// How many capitalised parts a token has; capitals in a row are one part.
fn humps(token: &str) -> usize {
    parts_of(token).count()
}

fn parts_of(token: &str) -> impl Iterator<Item = &str> {
    let bytes = token.as_bytes();
    let begins = move |at: usize| {
        let before = bytes[at - 1];
        let follows_capital =
            before.is_ascii_uppercase() && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        // The plural of an abbreviation, "VMs", is no new part.
        let is_plural = &bytes[at + 1..] == b"s";
        bytes[at].is_ascii_uppercase()
            && (before.is_ascii_lowercase() || before.is_ascii_digit() || (follows_capital && !is_plural))
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let end = (start + 1..bytes.len()).find(|&at| begins(at)).unwrap_or(bytes.len());
        let part = &token[start..end];
        start = end;
        Some(part)
    })
}
