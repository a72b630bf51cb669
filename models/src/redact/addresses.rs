//! Which words are e-mail addresses, which ones addresses of machines?

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::Category;
use super::spans::{Claim, ends_clean, pattern, starts_clean};

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"([\p{L}\p{N}][\p{L}\p{N}._%+'-]*)(?:@|%(?:25)?40)([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+)")
});
/// Four numbers; some tools write each with three digits.
static IPV4: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"));
/// What can stand in front of four numbers that are a version.
static VERSION_CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:versions?|ver|release|build|section|chapter|firmware|fw|driver|revision|rev|patch)[\s:=.#-]{0,3}(?:is |to |from |of )?v?|\b(?:chrome|chromium|safari|firefox|edg|edge|opr|opera|electron|version|jdk|java)/)$",
    )
});
static IPV6: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{1,4})?")
});

/// Finds e-mail addresses, but not `package@1.2.3` or the user part of a Git remote.
pub(super) fn find_emails(text: &str, claims: &mut Vec<Claim>) {
    for found in EMAIL.captures_iter(text) {
        let (found, [local, domain]) = (found.get_match(), found.extract().1);
        let (address, domain) = (found.as_str().trim_end_matches('-'), domain.trim_end_matches('-'));
        let mut labels = domain.split('.');
        let numeric = |label: Option<&str>| label.is_some_and(|label| label.chars().all(char::is_numeric));
        let version = numeric(labels.next()) && (numeric(labels.next()) || domain.ends_with(".x"));
        let top = domain.rsplit('.').next().unwrap_or_default();
        let named = top.chars().count() >= 2 && top.chars().any(char::is_alphabetic);
        let remote = local == "git" && text[found.end()..].starts_with([':', '/']);
        if named && !version && !remote {
            claims.push(Claim::new(Category::Email, found.start()..found.start() + address.len()));
        }
    }
}

/// Finds IPv4 and IPv6 addresses of machines; versions, times and hardware addresses are none.
pub(super) fn find_ips(text: &str, claims: &mut Vec<Claim>) {
    for found in IPV4.find_iter(text) {
        let Some(address) = ipv4(found.as_str()) else { continue };
        let whole = starts_clean(text, found.start(), "_.") && ends_whole(text, found.end(), ".");
        if !whole || address.is_loopback() || address.is_unspecified() {
            continue;
        }
        if !VERSION_CUE.is_match(tail(&text[..found.start()], 32)) {
            claims.push(Claim::new(Category::IpAddress, found.range()));
        }
    }
    for found in IPV6.find_iter(text) {
        // A colon of the sentence may stand at either end.
        let head = if found.as_str().starts_with("::") {
            found.as_str()
        } else {
            found.as_str().trim_start_matches(':')
        };
        let written = if head.ends_with("::") { head } else { head.trim_end_matches(':') };
        let Ok(address) = written.parse::<Ipv6Addr>() else { continue };
        let start = found.end() - head.len();
        let end = start + written.len();
        let whole = starts_clean(text, start, "_.") && ends_whole(text, end, ":.");
        // `a::b` is a path in many a programming language: an address has digits and more than that.
        let telling = written.chars().any(|c| c.is_ascii_digit()) && written.len() >= 6;
        if whole && telling && !address.is_loopback() && !address.is_unspecified() {
            claims.push(Claim::new(Category::IpAddress, start..end));
        }
    }
}

/// The address of four numbers, leading zeros or not.
fn ipv4(written: &str) -> Option<Ipv4Addr> {
    let numbers = written.split('.').map(|number| number.parse::<u8>().ok()).collect::<Option<Vec<_>>>()?;
    <[u8; 4]>::try_from(numbers).ok().map(Ipv4Addr::from)
}

/// True where an address ends, or a port of two digits or more is written behind it as `tcpdump` does.
fn ends_whole(text: &str, at: usize, joiners: &str) -> bool {
    let port = text[at..].strip_prefix('.').map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    ends_clean(text, at, joiners)
        || port.is_some_and(|digits| (2..=5).contains(&digits) && ends_clean(text, at + 1 + digits, "."))
}

/// The last `bytes` bytes of a text, or a little less at a character's edge.
pub(super) fn tail(text: &str, bytes: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(bytes))..]
}
