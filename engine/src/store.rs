//! What does the control plane keep beside the log? Journals of what happened and items with a state, in one transaction.
//!
//! A **journal** is a stream of entries that is only appended to, numbered from 1 without gaps: what happened to one ticket,
//! or what was audited. An **item** is a small document with a key, a state and a moment when it is due: work that waits, a
//! proposal, a setting. Everything that belongs together is written in one [`Batch`]: it is there whole, or not at all.
//!
//! What has a `record` holds text of it and is emptied when that record, or one that it names, is purged.

mod batch;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ontology::RecordId;
use rusqlite::params;

use crate::database::{Database, LogError};
use crate::desk::Desk;
use rows::{entries, item, items, length, moment};

pub use batch::Batch;
pub(crate) use batch::erase_record;

/// The tables of the store, a part of `desk.db`.
pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS journal (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    record TEXT,
    body BLOB NOT NULL,
    UNIQUE (stream, sequence)
);
CREATE INDEX IF NOT EXISTS journal_by_record ON journal (record) WHERE record IS NOT NULL;
CREATE TABLE IF NOT EXISTS item (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    due INTEGER,
    record TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (collection, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_by_state ON item (collection, state, due, key);
CREATE INDEX IF NOT EXISTS item_by_record ON item (collection, record) WHERE record IS NOT NULL;
";

/// Journals and items of one desk, a part of its database.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
}

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its place among the entries of all journals.
    pub position: u64,
    /// Its journal.
    pub stream: String,
    /// Its place in its journal, from 1.
    pub sequence: u64,
    /// What happened, in a word.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The record of which the body holds text.
    pub record: Option<RecordId>,
    /// What there is to tell; empty when it was purged.
    pub body: Vec<u8>,
}

/// A document with a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its sort.
    pub collection: String,
    /// Its name among its sort.
    pub key: String,
    /// Where it is in its life.
    pub state: String,
    /// When something is to be done about it.
    pub due: Option<Timestamp>,
    /// The record of which the body holds text.
    pub record: Option<RecordId>,
    /// The document; empty when it was purged.
    pub body: Vec<u8>,
}

impl Desk {
    /// Journals and items of the control plane.
    pub fn store(&self) -> Store {
        Store::new(Arc::clone(&self.database))
    }
}

impl Store {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// Does `work` in one transaction: durable when this returns, without a trace when `work` fails. One batch at a time.
    ///
    /// # Errors
    /// What `work` says, or [`LogError`] when the database cannot be written.
    pub fn write<T, E: From<LogError>>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = self.database.writer();
        let mut batch = Batch::begin(&mut writer)?;
        let done = work(&mut batch)?;
        batch.commit()?;
        Ok(done)
    }

    /// The entries of a journal behind a sequence, in order.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn journal(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, LogError> {
        entries(
            &self.database.reader(),
            "WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
            params![stream, after.cast_signed(), limit],
        )
    }

    /// The entries of all journals behind a position, in order.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn journals(&self, after: u64, limit: u32) -> Result<Vec<JournalEntry>, LogError> {
        entries(
            &self.database.reader(),
            "WHERE position > ?1 ORDER BY position LIMIT ?2",
            params![after.cast_signed(), limit],
        )
    }

    /// The position of the last entry of any journal; 0 before the first.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn newest(&self) -> Result<u64, LogError> {
        let newest: Option<i64> =
            self.database.reader().query_row("SELECT max(position) FROM journal", [], |row| row.get(0))?;
        Ok(newest.unwrap_or(0).cast_unsigned())
    }

    /// How many entries a journal has.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn length(&self, stream: &str) -> Result<u64, LogError> {
        length(&self.database.reader(), stream)
    }

    /// An item.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn item(&self, collection: &str, key: &str) -> Result<Option<Item>, LogError> {
        item(&self.database.reader(), collection, key)
    }

    /// Items of a collection by key, behind one of them; those in a state where one is given.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn items(
        &self,
        collection: &str,
        state: Option<&str>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Item>, LogError> {
        items(
            &self.database.reader(),
            "WHERE collection = ?1 AND (?2 IS NULL OR state = ?2) AND key > ?3 ORDER BY key LIMIT ?4",
            params![collection, state, after, limit],
        )
    }

    /// Items of a collection that hold text of a record, by key.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn items_about(&self, collection: &str, record: &RecordId) -> Result<Vec<Item>, LogError> {
        items(
            &self.database.reader(),
            "INDEXED BY item_by_record WHERE collection = ?1 AND record = ?2 ORDER BY key",
            params![collection, record.as_str()],
        )
    }

    /// How many items of a collection are in each state.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn count(&self, collection: &str) -> Result<BTreeMap<String, u64>, LogError> {
        let reader = self.database.reader();
        let mut statement =
            reader.prepare_cached("SELECT state, count(*) FROM item WHERE collection = ?1 GROUP BY state")?;
        let rows = statement
            .query_map([collection], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The earliest moment at which an item of a collection in a state is due.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn next_due(&self, collection: &str, state: &str) -> Result<Option<Timestamp>, LogError> {
        let due: Option<i64> = self.database.reader().query_row(
            "SELECT min(due) FROM item WHERE collection = ?1 AND state = ?2",
            [collection, state],
            |row| row.get(0),
        )?;
        Ok(due.map(moment))
    }
}
