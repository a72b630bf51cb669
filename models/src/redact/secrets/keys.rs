//! Where are private keys, even those whose end is missing?

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::redact::spans::pattern;

/// Where a private key's block begins, with what follows of it should its end be missing: headers and lines of base64,
/// in a quoted mail or as one line of a log too.
static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:(?:[\s>|]|\\[nr])+(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\r\n\\]*|[A-Za-z0-9+/]{12,}={0,2}|[A-Za-z0-9+/]{2,}={1,2}\B))*",
    )
});
static ENDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"));
/// The private part of a PuTTY key file, which has no end mark of its own.
static PUTTY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bPrivate-Lines:[ \t]*[0-9]+(?:(?:[\s>|]|\\[nr])+[A-Za-z0-9+/]{12,}={0,2})*(?:(?:(?:[\s>|]|\\[nr])+[A-Za-z0-9+/]+={0,2})?(?:[\s>|]|\\[nr])+Private-(?:MAC|Hash):[ \t]*[0-9a-f]+)?",
    )
});

/// Private keys, each from its begin to its end; one whose end is missing goes as far as it looks like a key.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut ends = ENDS.find_iter(text).map(|found| found.range()).peekable();
    let mut begins = BEGINS.find_iter(text).map(|found| found.range()).peekable();
    let mut keys: Vec<Range<usize>> = PUTTY.find_iter(text).map(|found| found.range()).collect();
    let mut behind = 0;
    while let Some(begin) = begins.next() {
        if begin.start < behind {
            continue;
        }
        while ends.next_if(|end| end.start < begin.start).is_some() {}
        let next = begins.peek().map_or(text.len(), |next| next.start);
        let end = ends.peek().filter(|end| end.start < next);
        behind = end.map_or(begin.end, |end| end.end);
        keys.push(begin.start..behind);
    }
    keys
}
