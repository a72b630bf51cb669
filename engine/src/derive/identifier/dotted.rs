//! What is a token with full stops? An address, a version, a class, a file, a host, or a name from configuration.

use std::net::Ipv4Addr;

use super::vocabulary::{FILE_ENDINGS, PACKAGE_LABELS, TOP_LABELS, WORD_TOP_LABELS};
use super::{Scheme, word};
use crate::derive::key::first_label;

/// Finds what is in a token and calls `push` with sort and place, the whole before its parts.
pub(super) fn parts(token: &str, after_version: bool, push: &mut impl FnMut(Scheme, usize, usize)) {
    let end = token.len();
    if let Ok(ip) = token.parse::<Ipv4Addr>() {
        if after_version {
            push(Scheme::Version, 0, end);
        } else if !(ip.is_loopback() || ip.is_unspecified() || ip.octets()[0] == 255) {
            push(Scheme::Ip, 0, end);
        }
        return;
    }
    if is_version(token, after_version) {
        return push(Scheme::Version, 0, end);
    }
    let last = token.rfind('.').map_or(0, |at| at + 1);
    if word::is_exception(&token[last..]) {
        // Text glued to the class is no package.
        if is_qualified_name(token) && !token.contains('-') {
            push(Scheme::Exception, 0, end);
        }
        return push(Scheme::Exception, last, end);
    }
    if is_file_name(token) {
        return push(Scheme::Path, 0, end);
    }
    if is_host(token) {
        push(Scheme::Host, 0, end);
        if let Some(label) = first_label(token).filter(|label| is_machine(label)) {
            push(Scheme::Host, 0, label.len());
        }
        return;
    }
    if let Some(start) = version_tail(token) {
        return push(Scheme::Version, start, end);
    }
    if is_qualified_name(token) {
        return push(Scheme::Symbol, 0, end);
    }
    // Sentences without a space between them: "see INC0010023.Thanks".
    let mut start = 0;
    for piece in token.split('.') {
        if let Some(scheme) = word::scheme(piece) {
            push(scheme, start, start + piece.len());
        }
        start += piece.len() + 1;
    }
}

/// Whether a label is the name of a machine and not of a domain: it has a digit or a hyphen.
pub(super) fn is_machine(label: &str) -> bool {
    label.len() >= 3 && label.bytes().any(|b| b.is_ascii_digit() || b == b'-')
}

/// Whether it is a fully qualified host name.
pub(super) fn is_host(token: &str) -> bool {
    let Some(first) = first_label(token) else { return false };
    let is_upper = !token.bytes().any(|b| b.is_ascii_lowercase());
    let top = token.rsplit('.').next().unwrap_or_default();
    if token.contains('_') || !(is_upper || top.bytes().all(|b| b.is_ascii_lowercase())) {
        return false;
    }
    if token.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return false;
    }
    let is_one = |labels: &[&str], one: &str| labels.iter().any(|label| label.eq_ignore_ascii_case(one));
    let count = token.split('.').count();
    // Two labels in mixed case are a call: "LOG.info".
    let is_call = count == 2 && !is_upper && token.bytes().any(|b| b.is_ascii_uppercase());
    if is_call || is_one(&PACKAGE_LABELS, first) {
        return false;
    }
    is_one(&TOP_LABELS, top)
        || (is_one(&WORD_TOP_LABELS, top) && (count >= 3 && first.len() >= 3 || is_machine(first)))
}

/// Whether it is a name with the ending of a file.
pub(super) fn is_file_name(token: &str) -> bool {
    let Some((name, ending)) = token.rsplit_once('.') else { return false };
    let is_known =
        |ending: &str| FILE_ENDINGS.iter().any(|one| ending.eq_ignore_ascii_case(one)) || ending == "yml";
    let is_library = name.starts_with("lib") && (ending == "so" || name.contains(".so"));
    (is_known(ending) || is_library) && name.len() >= 2 && name.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Three numbers and more, or two after a `v` or the word "version", with an addition as in `3.3.1-RC2`. Not a date, not
/// a number with points between thousands.
fn is_version(token: &str, after_version: bool) -> bool {
    let bare = token.strip_prefix(['v', 'V']).unwrap_or(token);
    let marked = bare.len() < token.len() || after_version;
    let numbers_end = bare.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(bare.len());
    let (numbers, addition) = bare.split_at(numbers_end);
    let numbers = numbers.strip_suffix('.').unwrap_or(numbers);
    let count = numbers.split('.').count();
    if count < if marked { 2 } else { 3 } || numbers.split('.').any(|part| part.is_empty() || part.len() > 8)
    {
        return false;
    }
    let has_fitting_addition = addition.is_empty()
        || addition
            .strip_prefix(['-', '_', '+'])
            .is_some_and(|rest| rest.bytes().any(|b| b.is_ascii_alphabetic()) || !rest.contains(['.', '-']))
        || (count >= 3 && addition.len() <= 6 && addition.as_bytes()[0].is_ascii_alphabetic());
    has_fitting_addition && (marked || !(is_date(numbers) || has_thousands(numbers)))
}

/// `30.09.2021`, `01.09.21`, `2021.09.30`.
fn is_date(numbers: &str) -> bool {
    let mut parts = numbers.split('.');
    let (Some(first), Some(second), Some(third), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let within =
        |part: &str, most: u32| part.len() <= 2 && part.parse().is_ok_and(|n: u32| (1..=most).contains(&n));
    let is_year = |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let day_first = (within(first, 31) && within(second, 12)) || (within(first, 12) && within(second, 31));
    (day_first && (is_year(third) || (third.len() == 2 && second.starts_with('0'))))
        || (is_year(first)
            && second.len() == 2
            && third.len() == 2
            && within(second, 12)
            && within(third, 31))
}

/// `1.234.567`
fn has_thousands(numbers: &str) -> bool {
    let mut parts = numbers.split('.');
    parts.next().is_some_and(|first| first.len() <= 3 && first != "0") && parts.all(|part| part.len() == 3)
}

/// Where the version begins in `hadoop-2.7.3` or `release-2.7.3-RC2`.
fn version_tail(token: &str) -> Option<usize> {
    let hyphens = token.bytes().enumerate().filter(|&(_, b)| b == b'-');
    let mut starts = hyphens
        .map(|(at, _)| at + 1)
        .filter(|&at| token[at..].starts_with(|c: char| c.is_ascii_digit() || c == 'v'));
    starts.find(|&at| is_version(&token[at..], true))
}

/// Three labels and more of letters, as classes and settings have.
fn is_qualified_name(token: &str) -> bool {
    let is_label = |label: &str| {
        label.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    token.split('.').count() >= 3
        && token.split('.').all(is_label)
        && token.split('.').take(2).all(|label| label.len() >= 2)
}
