//! Does a statement end? Not when it takes too much, counted with what its entities stand for; then reading stops.

use std::io::{Error, Read, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::raw::ITEM_LIMIT_BYTES;

/// Longest text of an entity in RDF/XML: those of real files are the beginnings of IRIs. One that names others counts as many times
/// the longest of them, so that ten lines cannot stand for more than fits in memory.
const ENTITY_LIMIT_BYTES: u64 = 1024;

/// Refuses to read on when one statement has taken more than the limit.
pub(super) struct Bounded<R> {
    inner: R,
    since: Arc<AtomicU64>,
    entities: Option<Entities>,
}

impl<R> Bounded<R> {
    /// Reads on, counting bytes since the one who holds the counter has set it to 0.
    pub(super) fn new(inner: R, has_entities: bool, since: Arc<AtomicU64>) -> Self {
        let entities = has_entities.then_some(Entities { at: At::Text(0), longest: 0 });
        Self { inner, since, entities }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.since.load(Ordering::Relaxed) > ITEM_LIMIT_BYTES as u64 {
            let limit = ITEM_LIMIT_BYTES >> 20;
            return Err(Error::other(format!("a statement is longer than {limit} MiB: split it")));
        }
        let count = self.inner.read(buffer)?;
        let mut bytes = count as u64;
        if let Some(entities) = &mut self.entities {
            for byte in &buffer[..count] {
                bytes += entities.take(*byte)?;
            }
        }
        self.since.fetch_add(bytes, Ordering::Relaxed);
        Ok(count)
    }
}

/// What is declared to stand for what, read as loosely as the parser reads it.
struct Entities {
    at: At,
    /// The longest so far, in bytes.
    longest: u64,
}

enum At {
    /// Anywhere else, behind so many bytes of the beginning of a declaration.
    Text(usize),
    BeforeName,
    Name,
    BeforeValue,
    /// In a value that is so long already.
    Value(u64),
}

const DECLARATION: &[u8] = b"<!ENTITY";

impl Entities {
    /// The bytes that one stands for beside itself.
    fn take(&mut self, byte: u8) -> Result<u64> {
        let mut more = 0;
        self.at = match (&self.at, byte) {
            (At::Value(length), b'"') => {
                self.longest = self.longest.max(*length);
                At::Text(0)
            }
            (At::Value(length), _) => At::Value(length + if byte == b'&' { self.longest.max(1) } else { 1 }),
            (_, b'<') => At::Text(1),
            (At::Text(_), b'&') => {
                more = self.longest;
                At::Text(0)
            }
            (At::Text(matched), _) if DECLARATION.get(*matched) == Some(&byte) => {
                if matched + 1 == DECLARATION.len() { At::BeforeName } else { At::Text(matched + 1) }
            }
            (At::Text(_), _) => At::Text(0),
            (At::BeforeName, b'%') => At::BeforeName,
            (At::BeforeName, _) => {
                if byte.is_ascii_whitespace() {
                    At::BeforeName
                } else {
                    At::Name
                }
            }
            (At::Name, _) => {
                if byte.is_ascii_whitespace() {
                    At::BeforeValue
                } else {
                    At::Name
                }
            }
            (At::BeforeValue, b'"') => At::Value(0),
            (At::BeforeValue, _) => At::BeforeValue,
        };
        match self.at {
            At::Value(length) if length > ENTITY_LIMIT_BYTES => Err(Error::other(format!(
                "an entity stands for more than {ENTITY_LIMIT_BYTES} bytes: write out what it stands for"
            ))),
            _ => Ok(more),
        }
    }
}
