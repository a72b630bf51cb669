//! Where do JSON values begin and end? Found byte by byte, without a tree of the file.

use std::io::BufRead;

use crate::raw::ITEM_LIMIT_BYTES;

/// How far an object is looked through before it is read.
const LOOK_AHEAD_BYTES: usize = 1 << 20;

/// Why a file cannot be read on.
pub(super) enum Stop {
    /// It ended inside this value.
    Cut(Vec<u8>),
    TooLong,
    Unexpected(u8),
    Failed(std::io::Error),
}

/// Finds where values begin and end, without understanding them.
pub(super) struct Scanner<R> {
    reader: R,
    /// What was looked at already and is still to be read, from a place on.
    ahead: Vec<u8>,
    at: usize,
    pub(super) line: u64,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, ahead: Vec::new(), at: 0, line: 1 }
    }

    /// Shows the bytes that follow, more and more of them, until that is enough or there are no more to be had.
    pub(super) fn look(&mut self, mut is_enough: impl FnMut(&[u8]) -> Option<()>) {
        while is_enough(&self.ahead[self.at..]).is_none() {
            self.ahead.drain(..self.at);
            self.at = 0;
            let more = self.reader.fill_buf().unwrap_or_default();
            if more.is_empty() || self.ahead.len() >= LOOK_AHEAD_BYTES {
                return;
            }
            self.ahead.extend_from_slice(more);
            let count = more.len();
            self.reader.consume(count);
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        if let Some(byte) = self.ahead.get(self.at) {
            return Ok(Some(*byte));
        }
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Failed(error)),
            }
        }
    }

    pub(super) fn bump(&mut self) {
        if self.at < self.ahead.len() {
            self.at += 1;
        } else {
            self.reader.consume(1);
        }
    }

    /// The next byte that is no white space and no byte order mark; it stays to be read.
    pub(super) fn token(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            match self.peek()? {
                Some(b'\n') => self.line += 1,
                Some(b' ' | b'\t' | b'\r' | 0xef | 0xbb | 0xbf) => {}
                other => return Ok(other),
            }
            self.bump();
        }
    }

    /// Copies one value, or the rest of one that is open `depth` times, and returns its length; what goes over the limit is
    /// counted, not kept.
    pub(super) fn value(&mut self, into: &mut Vec<u8>, mut depth: usize) -> Result<usize, Stop> {
        if depth == 0
            && let Some(byte @ (b'}' | b']' | b':' | b',')) = self.peek()?
        {
            return Err(Stop::Unexpected(byte));
        }
        let (mut in_string, mut escaped) = (false, false);
        let mut length = into.len();
        loop {
            let Some(byte) = self.peek()? else {
                let is_whole = depth == 0 && !in_string && length > 0;
                return if is_whole { Ok(length) } else { Err(Stop::Cut(std::mem::take(into))) };
            };
            let is_scalar_end = matches!(byte, b',' | b']' | b'}' | b':') || byte.is_ascii_whitespace();
            if depth == 0 && !in_string && length > 0 && is_scalar_end {
                return Ok(length);
            }
            self.bump();
            length += 1;
            if length <= ITEM_LIMIT_BYTES {
                into.push(byte);
            }
            self.line += u64::from(byte == b'\n');
            if in_string {
                if escaped {
                    escaped = false;
                } else if byte == b'\\' {
                    escaped = true;
                } else if byte == b'"' {
                    in_string = false;
                    if depth == 0 {
                        return Ok(length);
                    }
                }
                continue;
            }
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(length);
                    }
                }
                _ => {}
            }
        }
    }
}
