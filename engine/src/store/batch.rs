//! What can be written in one transaction? Entries of journals, items, and what a purge empties.

use jiff::Timestamp;
use ontology::RecordId;
use rusqlite::{Connection, Transaction, params};

use super::rows::{entries, item, items, length};
use super::{Item, JournalEntry};
use crate::database::LogError;

/// One transaction over journals and items.
pub struct Batch<'a> {
    transaction: Transaction<'a>,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(connection: &'a mut Connection) -> Result<Self, LogError> {
        Ok(Self { transaction: connection.transaction()? })
    }

    pub(super) fn commit(self) -> Result<(), LogError> {
        Ok(self.transaction.commit()?)
    }

    /// Appends to a journal; gives the entry's sequence.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn append(
        &mut self,
        stream: &str,
        kind: &str,
        record: Option<&RecordId>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<u64, LogError> {
        let sequence = length(&self.transaction, stream)? + 1;
        self.transaction
            .prepare_cached(
                "INSERT INTO journal (stream, sequence, kind, at, record, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                stream,
                sequence.cast_signed(),
                kind,
                now.as_microsecond(),
                record.map(RecordId::as_str),
                body
            ])?;
        Ok(sequence)
    }

    /// How many entries a journal has.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn length(&self, stream: &str) -> Result<u64, LogError> {
        length(&self.transaction, stream)
    }

    /// The entries of a journal behind a sequence, in order.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn journal(&self, stream: &str, after: u64, limit: u32) -> Result<Vec<JournalEntry>, LogError> {
        entries(
            &self.transaction,
            "WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
            params![stream, after.cast_signed(), limit],
        )
    }

    /// An item.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn item(&self, collection: &str, key: &str) -> Result<Option<Item>, LogError> {
        item(&self.transaction, collection, key)
    }

    /// Items of a collection that hold text of a record, by key.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn items_about(&self, collection: &str, record: &RecordId) -> Result<Vec<Item>, LogError> {
        // Left to itself SQLite reads the whole collection, since that is in order already.
        items(
            &self.transaction,
            "INDEXED BY item_by_record WHERE collection = ?1 AND record = ?2 ORDER BY key",
            params![collection, record.as_str()],
        )
    }

    /// Items of a collection in a state that are due, the longest due first.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn due(
        &self,
        collection: &str,
        state: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Item>, LogError> {
        items(
            &self.transaction,
            "WHERE collection = ?1 AND state = ?2 AND due <= ?3 ORDER BY due, key LIMIT ?4",
            params![collection, state, now.as_microsecond(), limit],
        )
    }

    /// Writes an item, over the one with its key.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn put(&mut self, item: &Item) -> Result<(), LogError> {
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO item (collection, key, state, due, record, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                item.collection,
                item.key,
                item.state,
                item.due.map(Timestamp::as_microsecond),
                item.record.as_ref().map(RecordId::as_str),
                item.body
            ])?;
        Ok(())
    }
}

/// Empties what holds text of a record or names it beside text of another. Returns whether there was something.
pub(crate) fn erase_record(transaction: &Transaction<'_>, id: &RecordId) -> Result<bool, LogError> {
    let named = serde_json::to_string(id)
        .map_err(|error| LogError::Damaged { position: 0, reason: error.to_string() })?;
    let mut erased = 0;
    for table in ["journal", "item"] {
        erased += transaction.execute(
            &format!(
                "UPDATE {table} SET body = x'' WHERE record IS NOT NULL AND length(body) > 0
                 AND (record = ?1 OR instr(CAST(body AS TEXT), ?2) > 0)"
            ),
            params![id.as_str(), named],
        )?;
    }
    Ok(erased > 0)
}
