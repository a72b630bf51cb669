//! Does the audit log show every change? A ledger in memory that anybody can tamper with.

mod entry;
mod export;
mod key;
mod proof;
mod verify;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use engine::{Item, JournalEntry, LogError};
use jiff::Timestamp;

use super::{Ledger, STREAM, Sealer, Signer, Tree};

/// A ledger whose entries and checkpoints lie open.
#[derive(Clone, Default)]
struct Book {
    entries: Vec<JournalEntry>,
    checkpoints: RefCell<BTreeMap<String, Item>>,
    /// Entries that are not there yet when the checkpoints are asked for first, as when the desk goes on meanwhile.
    late: Cell<usize>,
}

impl Book {
    /// A book of some entries, without checkpoints.
    fn of(size: u64) -> Self {
        let mut book = Self::default();
        book.grow(size);
        book
    }

    fn grow(&mut self, size: u64) {
        self.entries.extend((self.entries.len() as u64 + 1..=size).map(entry));
    }

    /// A tree over all entries.
    fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        tree.catch_up(self).unwrap();
        tree
    }

    /// Seals all entries that there are.
    fn seal(&self, sealer: &mut Sealer) {
        sealer.seal(self, &self.tree()).unwrap();
    }
}

impl Ledger for Book {
    fn entries(&self, after: u64, limit: u32) -> Result<Vec<JournalEntry>, LogError> {
        let there = self.entries.len() - self.late.get();
        let behind = self.entries[..there].iter().filter(|entry| entry.sequence > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    fn length(&self) -> Result<u64, LogError> {
        Ok(self.entries.last().map_or(0, |entry| entry.sequence))
    }

    fn checkpoints(&self, after: &str, limit: u32) -> Result<Vec<Item>, LogError> {
        self.late.set(0);
        let checkpoints = self.checkpoints.borrow();
        let behind = checkpoints.values().filter(|item| item.key.as_str() > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    fn keep(&self, checkpoint: &Item) -> Result<(), LogError> {
        self.checkpoints.borrow_mut().insert(checkpoint.key.clone(), checkpoint.clone());
        Ok(())
    }
}

fn entry(sequence: u64) -> JournalEntry {
    JournalEntry {
        position: sequence * 3,
        stream: STREAM.to_owned(),
        sequence,
        kind: "agent-action".to_owned(),
        at: Timestamp::from_microsecond(1_700_000_000_000_000 + sequence.cast_signed()).unwrap(),
        record: None,
        body: format!(r#"{{"action":"agent-action","number":{sequence}}}"#).into_bytes(),
    }
}

fn signer() -> Signer {
    Signer::new("desk.example/demo", &[7; 32]).unwrap()
}

/// A sealer with the key of [`signer`] that goes on where the book is.
fn sealer(book: &Book) -> Sealer {
    Sealer::new(book, signer(), 1).unwrap()
}
