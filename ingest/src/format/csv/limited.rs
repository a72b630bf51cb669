//! Does a row end? Not when its quote is never closed; then reading stops.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::raw::ITEM_LIMIT_BYTES;

/// Refuses to read on when one row has taken more than the limit, or the table ends inside of quotes: a quote that is not closed
/// would swallow the rows that follow.
pub(super) struct Limited<R> {
    inner: R,
    since: Arc<AtomicU64>,
    quotes: Quotes,
}

impl<R> Limited<R> {
    /// Reads on, counting bytes since the one who holds the counter has set it to 0.
    pub(super) fn new(inner: R, delimiter: u8, since: Arc<AtomicU64>) -> Self {
        Self { inner, since, quotes: Quotes { delimiter, at: At::Start, line: 1 } }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let hint = || match self.quotes.open_since() {
            Some(line) => format!("a quote opened in line {line} is never closed"),
            None => "look for a quote that is not closed".to_owned(),
        };
        if self.since.load(Ordering::Relaxed) > ITEM_LIMIT_BYTES as u64 {
            let limit = ITEM_LIMIT_BYTES >> 20;
            return Err(std::io::Error::other(format!("it is longer than {limit} MiB; {}", hint())));
        }
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.quotes.open_since().is_some() {
            return Err(std::io::Error::other(hint()));
        }
        buffer[..count].iter().for_each(|byte| self.quotes.take(*byte));
        self.since.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Whether what is read stands in quotes, by the same rules as the rows are read.
struct Quotes {
    delimiter: u8,
    at: At,
    line: u64,
}

enum At {
    /// Before the first byte of a cell, where a quote opens it.
    Start,
    /// In a cell without quotes, or behind the closing one.
    Bare,
    /// In a cell whose quote was opened in this line.
    Quoted(u64),
    /// Behind a quote in such a cell: it is closed, or a second one follows.
    Quote(u64),
}

impl Quotes {
    fn take(&mut self, byte: u8) {
        let is_end = byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        self.at = match (&self.at, byte) {
            (At::Start, b'"') => At::Quoted(self.line),
            (At::Quoted(since), b'"') => At::Quote(*since),
            (At::Quoted(since), _) | (At::Quote(since), b'"') => At::Quoted(*since),
            _ if is_end => At::Start,
            _ => At::Bare,
        };
        self.line += u64::from(byte == b'\n');
    }

    /// The line of a quote that is open.
    fn open_since(&self) -> Option<u64> {
        match self.at {
            At::Quoted(line) => Some(line),
            _ => None,
        }
    }
}
