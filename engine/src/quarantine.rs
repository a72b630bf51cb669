//! What could not be read? Items set aside with their reason, until somebody retries or forgets them.

use std::sync::Arc;

use ontology::{RecordId, Rejected};
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use crate::database::{Database, LogError};

/// The quarantine of one desk, a part of its database.
#[derive(Clone)]
pub struct Quarantine {
    database: Arc<Database>,
}

/// An item in quarantine.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Quarantined {
    /// Its number, for `show` and `retry`.
    pub id: u64,
    /// The item and why it is here.
    #[serde(flatten)]
    pub rejected: Rejected,
}

impl Quarantine {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// Sets items aside. The same item from the same place for the same reason is kept once; returns how many are new.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn add(&self, items: &[Rejected]) -> Result<u64, LogError> {
        let mut writer = self.database.writer();
        let transaction = writer.transaction()?;
        let mut added = 0;
        for item in items {
            let bytes = encode(item)?;
            added += transaction
                .prepare_cached("INSERT OR IGNORE INTO quarantine (digest, rejected) VALUES (?1, ?2)")?
                .execute(params![digest(item), bytes])?;
        }
        transaction.commit()?;
        Ok(added as u64)
    }

    /// The items after a number, in their order.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn list(&self, after: u64, limit: u32) -> Result<Vec<Quarantined>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader
            .prepare_cached("SELECT id, rejected FROM quarantine WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let rows = statement.query_map(params![after.cast_signed(), limit], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Vec<u8>>(1)?))
        })?;
        rows.map(|row| row.map_err(LogError::from).and_then(|(id, bytes)| decode(id, &bytes))).collect()
    }

    /// One item.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn get(&self, id: u64) -> Result<Option<Quarantined>, LogError> {
        let bytes: Option<Vec<u8>> = self
            .database
            .reader()
            .query_row("SELECT rejected FROM quarantine WHERE id = ?1", [id.cast_signed()], |row| row.get(0))
            .optional()?;
        bytes.map(|bytes| decode(id, &bytes)).transpose()
    }

    /// Takes an item out, when it was ingested after all or is to be forgotten.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn remove(&self, id: u64) -> Result<bool, LogError> {
        let removed =
            self.database.writer().execute("DELETE FROM quarantine WHERE id = ?1", [id.cast_signed()])?;
        Ok(removed > 0)
    }

    /// How many items there are.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn count(&self) -> Result<u64, LogError> {
        let count: i64 =
            self.database.reader().query_row("SELECT count(*) FROM quarantine", [], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }
}

/// Takes out what is set aside of a record. Returns whether there was anything.
pub(crate) fn erase_record(transaction: &Transaction<'_>, id: &RecordId) -> Result<bool, LogError> {
    let mut statement = transaction.prepare("SELECT id, rejected FROM quarantine")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let mut gone = Vec::new();
    for row in rows {
        let (number, bytes) = row?;
        if decode(number.cast_unsigned(), &bytes)?.rejected.record.as_ref() == Some(id) {
            gone.push(number);
        }
    }
    for number in &gone {
        transaction.execute("DELETE FROM quarantine WHERE id = ?1", [number])?;
    }
    Ok(!gone.is_empty())
}

/// Equal items have equal digests; the moment they were read does not count.
fn digest(item: &Rejected) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let place = item.lineage.place.map(|place| place.to_string()).unwrap_or_default();
    for part in [item.source.as_str(), &item.lineage.origin, &place, &item.reason, &item.raw] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn encode(item: &Rejected) -> Result<Vec<u8>, LogError> {
    serde_json::to_vec(item).map_err(|error| LogError::Damaged { position: 0, reason: error.to_string() })
}

fn decode(id: u64, bytes: &[u8]) -> Result<Quarantined, LogError> {
    let rejected = serde_json::from_slice(bytes)
        .map_err(|error| LogError::Damaged { position: id, reason: error.to_string() })?;
    Ok(Quarantined { id, rejected })
}
