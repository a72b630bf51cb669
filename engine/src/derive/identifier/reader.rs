//! How is a text read into tokens? One pass over its bytes, with the words before a number in mind.

use std::net::Ipv6Addr;

use super::vocabulary::VERSION_WORDS;
use super::{Identifier, Scheme, dotted, word};
use crate::derive::key::{first_label, key};

/// Longest token that is looked at, in bytes: longer ones are encoded data.
const TOKEN_BYTES_MAX: usize = 256;

/// Where a token that is no identifier as a whole falls into pieces.
const SEPARATORS: &[u8; 8] = b"@:/\\+~%$";

/// Finds identifiers in a text, ordered by place, the longer first where two begin together.
///
/// Left out on purpose: plain numbers, dates, times, ordinary hyphenated words, loopback addresses and the frames of Java
/// stack traces, which would bury the exception they belong to.
pub(crate) fn identifiers(text: &str) -> Vec<Identifier> {
    let mut reader = Reader { text, found: Vec::new(), words: [(0, 0); 3] };
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        if let Some(end) = plain_word(bytes, at) {
            reader.remember(start, end);
            at = end;
            continue;
        }
        while let Some(width) = token_character(text, at) {
            at += width;
        }
        if at > start {
            at = at.max(reader.token(start, at));
        } else {
            at += if bytes[at].is_ascii() { 1 } else { text[at..].chars().next().map_or(1, char::len_utf8) };
        }
    }
    let mut found = reader.found;
    found.sort_by_key(|one| (one.start, std::cmp::Reverse(one.end)));
    found
}

/// The end of an ordinary word of lower case, perhaps with a capital: most tokens are one, and none is an identifier.
fn plain_word(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at)?;
    if !first.is_ascii_alphabetic() {
        return None;
    }
    let rest = &bytes[at + 1..];
    let end = at + 1 + rest.iter().position(|b| !b.is_ascii_lowercase()).unwrap_or(rest.len());
    let ends = |at: usize| bytes.get(at).is_none_or(|b| b.is_ascii() && !TOKEN_BYTES[usize::from(*b)]);
    let is_plain = ends(end) || (matches!(bytes[end], b'.' | b':') && ends(end + 1));
    is_plain.then_some(end)
}

/// The bytes of the character at `at` if it belongs to a token. Scripts without spaces between words end one.
fn token_character(text: &str, at: usize) -> Option<usize> {
    let byte = *text.as_bytes().get(at)?;
    if byte.is_ascii() {
        return TOKEN_BYTES[usize::from(byte)].then_some(1);
    }
    let c = text[at..].chars().next()?;
    (c < '\u{2E80}' && c.is_alphanumeric()).then_some(c.len_utf8())
}

const TOKEN_BYTES: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'\\' | b':' | b'@' | b'+' | b'~' | b'%' | b'$');
        byte += 1;
    }
    table
};

struct Reader<'a> {
    text: &'a str,
    found: Vec<Identifier>,
    /// The places of the last words, the latest last.
    words: [(usize, usize); 3],
}

impl Reader<'_> {
    /// Takes the token at a place and says where reading goes on.
    fn token(&mut self, start: usize, end: usize) -> usize {
        let token = &self.text[start..end];
        let bytes = token.as_bytes();
        let is_compound = bytes.iter().any(|b| SEPARATORS.contains(b));
        if is_compound && let Some(mark) = token.find("://") {
            let scheme = token[..mark].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
            if scheme >= 2 {
                return self.url(start + mark - scheme);
            }
        }
        let rooted =
            token.starts_with(['/', '~', '\\']) || token.starts_with("./") || token.starts_with("../");
        let (start, end) = if rooted {
            (start, start + token.trim_end_matches(is_edge).len())
        } else {
            self.trimmed(start, end)
        };
        let token = &self.text[start..end];
        if token.len() > TOKEN_BYTES_MAX || !token.is_ascii() {
            self.remember(start, end);
            return end;
        }
        if self.is_stack_frame(start, end) {
            return end;
        }
        if !is_compound {
            self.piece(start, end);
        } else if let Some(scheme) = compound(token) {
            self.push(scheme, start, end);
            self.remember(start, end);
        } else {
            let mut at = start;
            for piece in token.split(|c| u8::try_from(c).is_ok_and(|b| SEPARATORS.contains(&b))) {
                let (from, to) = self.trimmed(at, at + piece.len());
                self.piece(from, to);
                at += piece.len() + 1;
            }
        }
        end
    }

    /// An address from its scheme to the first character that no address has, and what it leads to.
    fn url(&mut self, start: usize) -> usize {
        let rest = &self.text[start..];
        let stops =
            |c: char| c.is_whitespace() || c.is_control() || "\"'<>|`{}[]^*,;".contains(c) || c >= '\u{2E80}';
        let mut url = &rest[..rest.find(stops).unwrap_or(rest.len())];
        if url.contains(')') && !url.contains('(') {
            url = &url[..url.find(')').unwrap_or(url.len())];
        }
        let url = url.trim_end_matches(['.', ':', '!', '?', '_', '~', '-', '/']);
        let end = start + url.len();
        let Some(mark) = url.find("://") else { return end };
        if url.len() <= mark + 3 {
            return end.max(start + mark + 3);
        }
        self.push(Scheme::Url, start, end);
        let after = start + mark + 3;
        let host_end = after + self.text[after..end].find(['/', ':', '?', '#']).unwrap_or(end - after);
        self.host_of_url(after, host_end);
        let mut at = host_end;
        for piece in self.text[host_end..end].split(['/', '?', '&', '=', '#']) {
            if let Some(scheme @ (Scheme::TicketNumber | Scheme::Cve | Scheme::AlertName)) =
                word::scheme(piece)
            {
                self.push(scheme, at, at + piece.len());
            }
            at += piece.len() + 1;
        }
        self.remember(start, end);
        end
    }

    /// Only a host that looks like a machine; `github.com` says nothing about a ticket.
    fn host_of_url(&mut self, start: usize, end: usize) {
        let host = &self.text[start..end];
        let label = first_label(host).unwrap_or_default();
        if dotted::is_machine(label) && dotted::is_host(host) {
            self.push(Scheme::Host, start, end);
            self.push(Scheme::Host, start, start + label.len());
        }
    }

    /// A token without separators.
    fn piece(&mut self, start: usize, end: usize) {
        let piece = &self.text[start..end];
        if piece.is_empty() {
            return;
        }
        if piece.bytes().all(|b| b.is_ascii_digit()) {
            self.number(start, end);
        } else if piece.contains('.') {
            let after_version = self.word_before(start).is_some_and(|(from, to)| {
                let before = &self.text[from..to];
                VERSION_WORDS.iter().any(|one| before.eq_ignore_ascii_case(one))
            });
            let mut parts = Vec::new();
            dotted::parts(piece, after_version, &mut |scheme, from, to| parts.push((scheme, from, to)));
            for (scheme, from, to) in parts {
                self.push(scheme, start + from, start + to);
            }
        } else if let Some(scheme) = word::scheme(piece)
            && !self.is_colour(start, end)
        {
            self.push(scheme, start, end);
        }
        self.remember(start, end);
    }

    /// A number means something after the right words: `HTTP 503`, `Event ID 4625`.
    fn number(&mut self, start: usize, end: usize) {
        let number = &self.text[start..end];
        for (words, label, accepts) in NUMBERED {
            if !accepts(number) {
                continue;
            }
            if let Some(from) = self.led_by(words, start) {
                let value = self.text[from..end].to_owned();
                let key = format!("{label} {number}");
                self.found.push(Identifier { scheme: Scheme::ErrorCode, value, key, start: from, end });
                return;
            }
        }
    }

    /// Where `words` begin, if they are the last words before `at`.
    fn led_by(&self, words: &[&str], mut at: usize) -> Option<usize> {
        for (expected, &(start, end)) in words.iter().rev().zip(self.words.iter().rev()) {
            if !self.text[start..end].eq_ignore_ascii_case(expected) || !self.joins(end, at) {
                return None;
            }
            at = start;
        }
        Some(at)
    }

    fn word_before(&self, at: usize) -> Option<(usize, usize)> {
        let (start, end) = self.words[2];
        self.joins(end, at).then_some((start, end))
    }

    /// Whether two words stand beside each other on one line.
    fn joins(&self, end: usize, start: usize) -> bool {
        end > 0
            && start > end
            && start - end <= 4
            && self.text.as_bytes()[end..start].iter().all(|b| b" \t:=#([\"'/".contains(b))
    }

    fn remember(&mut self, start: usize, end: usize) {
        if start < end {
            self.words = [self.words[1], self.words[2], (start, end)];
        }
    }

    /// `#FF0000` of a marked-up text.
    fn is_colour(&self, start: usize, end: usize) -> bool {
        end - start == 6
            && self.text[..start].ends_with('#')
            && self.text[start..end].bytes().all(|b| b.is_ascii_hexdigit())
    }

    fn is_stack_frame(&self, start: usize, end: usize) -> bool {
        let bytes = self.text.as_bytes();
        let is_call = bytes.get(end) == Some(&b'(')
            && self.word_before(start).is_some_and(|(from, to)| &self.text[from..to] == "at");
        let token = &self.text[start..end];
        let is_line = start > 0
            && bytes[start - 1] == b'('
            && token.split_once(':').is_some_and(|(file, line)| {
                (file.ends_with(".java") || file.ends_with(".scala") || file.ends_with(".kt"))
                    && line.bytes().all(|b| b.is_ascii_digit())
            });
        is_call || is_line
    }

    fn push(&mut self, scheme: Scheme, start: usize, end: usize) {
        let value = &self.text[start..end];
        let named = if scheme == Scheme::Version { value.trim_start_matches(['v', 'V']) } else { value };
        if let Some(key) = key(named) {
            self.found.push(Identifier { scheme, value: value.to_owned(), key, start, end });
        }
    }

    fn trimmed(&self, start: usize, end: usize) -> (usize, usize) {
        let token = &self.text[start..end];
        let inner = token.trim_start_matches(is_edge);
        let start = start + token.len() - inner.len();
        (start, start + inner.trim_end_matches(is_edge).len())
    }
}

/// Characters of a token that mean nothing at its ends.
fn is_edge(c: char) -> bool {
    matches!(c, '.' | ':' | '-' | '/' | '+' | '~' | '@' | '_' | '\\' | '%' | '$')
}

/// What a token with separators is as a whole.
fn compound(token: &str) -> Option<Scheme> {
    if let Some((local, domain)) = token.split_once('@')
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-%".contains(&b))
        && !local.is_empty()
        && first_label(domain).is_some()
    {
        return Some(Scheme::Email);
    }
    if token.bytes().filter(|&b| b == b':').count() >= 2
        && token.bytes().any(|b| b.is_ascii_digit())
        && token.parse::<Ipv6Addr>().is_ok_and(|ip| !ip.is_loopback())
    {
        return Some(Scheme::Ip);
    }
    is_path(token).then_some(Scheme::Path)
}

fn is_path(token: &str) -> bool {
    let bytes = token.as_bytes();
    let has_drive = bytes.len() > 3
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    if has_drive {
        return bytes[3].is_ascii_alphanumeric();
    }
    if token.contains(':') || token.contains('@') {
        return false;
    }
    let segments = || token.split(['/', '\\']).filter(|segment| segment.len() >= 2 && *segment != "..");
    let worded = segments().filter(|segment| segment.bytes().any(|b| b.is_ascii_alphabetic())).count();
    if token.starts_with("\\\\") || token.starts_with('/') {
        return worded >= 2;
    }
    if token.starts_with("~/") || token.starts_with("./") || token.starts_with("../") {
        return worded >= 1;
    }
    token.contains(['/', '\\']) && segments().next_back().is_some_and(dotted::is_file_name)
}

/// The words before a number, the label of its key, and which numbers count. Longer leads first.
type Numbered = (&'static [&'static str], &'static str, fn(&str) -> bool);

const NUMBERED: &[Numbered] = &[
    (&["event", "id"], "event id", any_number),
    (&["event", "code"], "event id", any_number),
    (&["eventid"], "event id", any_number),
    (&["event"], "event id", long_number),
    (&["http", "status", "code"], "http", http_failure),
    (&["http", "response", "code"], "http", http_failure),
    (&["http", "error", "code"], "http", http_failure),
    (&["http", "status"], "http", http_failure),
    (&["http", "error"], "http", http_failure),
    (&["http", "code"], "http", http_failure),
    (&["http", "1.1"], "http", http_failure),
    (&["http", "1.0"], "http", http_failure),
    (&["http", "2"], "http", http_failure),
    (&["http"], "http", http_failure),
    (&["status", "code"], "http", http_failure),
    (&["response", "code"], "http", http_failure),
    (&["exited", "with", "code"], "exit code", any_number),
    (&["exited", "with", "status"], "exit code", any_number),
    (&["exit", "code"], "exit code", any_number),
    (&["exit", "status"], "exit code", any_number),
    (&["return", "code"], "return code", any_number),
    (&["error", "code"], "error", any_number),
    (&["error"], "error", long_number),
    (&["errno"], "errno", any_number),
    (&["sqlstate"], "sqlstate", long_number),
    (&["sqlcode"], "sqlcode", any_number),
];

fn any_number(digits: &str) -> bool {
    digits.len() <= 10
}

fn long_number(digits: &str) -> bool {
    (3..=10).contains(&digits.len())
}

fn http_failure(digits: &str) -> bool {
    digits.len() == 3 && digits.starts_with(['4', '5'])
}
