//! What happened, in which order? The record log: append-only, durable, idempotent, the only truth.

mod superseded;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ontology::{Observation, RecordId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::database::{Database, LogError};
use superseded::superseded;

/// Bytes of payload that are read at a time; one larger entry is read alone.
pub(crate) const BATCH_BYTES: usize = 32 * 1024 * 1024;

/// The record log of one desk, a part of its [`Database`].
#[derive(Clone)]
pub(crate) struct RecordLog {
    database: Arc<Database>,
}

/// One position of the log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) position: u64,
    pub(crate) observed: Timestamp,
    pub(crate) record: RecordId,
    pub(crate) operation: Operation,
}

/// What a position says.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Upsert(Box<Observation>),
    /// An upsert whose payload was purged later.
    Erased,
    Delete,
    Purge,
}

/// What an append did with one observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    New(u64),
    Changed(u64),
    Unchanged,
    /// What the entry at this position says already, which a later place of the same origin changed in the same reading.
    /// Nothing was written: unless that later place is gone, it is no news.
    Superseded(u64),
}

impl RecordLog {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// The last position; 0 when nothing was ever written.
    pub(crate) fn head(&self) -> Result<u64, LogError> {
        let head: Option<i64> =
            self.database.reader().query_row("SELECT max(position) FROM log", [], |row| row.get(0))?;
        Ok(head.unwrap_or(0).cast_unsigned())
    }

    /// Appends in one transaction what differs from the record's current revision and is not superseded. Durable when it
    /// returns.
    pub(crate) fn append(&self, observations: &[Observation]) -> Result<Vec<Appended>, LogError> {
        self.append_all(observations, superseded)
    }

    /// Appends what differs from the record's current revision, though a later place once superseded it: that is gone.
    pub(crate) fn append_last(&self, observations: &[Observation]) -> Result<Vec<Appended>, LogError> {
        self.append_all(observations, |_, _, _| Ok(None))
    }

    fn append_all(
        &self,
        observations: &[Observation],
        superseded: impl Fn(&Connection, &Observation, &[u8; 32]) -> Result<Option<u64>, LogError>,
    ) -> Result<Vec<Appended>, LogError> {
        let mut writer = self.database.writer();
        let _phase = tracing::debug_span!("commit-log").entered();
        let transaction = writer.transaction()?;
        let mut outcomes = Vec::with_capacity(observations.len());
        for observation in observations {
            let outcome = match foresee(&transaction, observation, &superseded)? {
                Appended::New(_) => Appended::New(append_one(&transaction, observation)?),
                Appended::Changed(_) => Appended::Changed(append_one(&transaction, observation)?),
                known @ (Appended::Unchanged | Appended::Superseded(_)) => known,
            };
            outcomes.push(outcome);
        }
        transaction.commit()?;
        Ok(outcomes)
    }

    /// What an append would do with an observation.
    pub(crate) fn foresee(&self, observation: &Observation) -> Result<Appended, LogError> {
        foresee(&self.database.reader(), observation, &superseded)
    }

    /// Appends a delete; nothing when there is no such record.
    pub(crate) fn delete(&self, id: &RecordId, now: Timestamp) -> Result<Option<u64>, LogError> {
        let mut writer = self.database.writer();
        let transaction = writer.transaction()?;
        let alive = live_hash(&transaction, id)?.is_some();
        let position = alive.then(|| tombstone(&transaction, id, "delete", now)).transpose()?;
        transaction.commit()?;
        Ok(position)
    }

    /// Erases a record's text from the log, the stored bundles, the quarantine and the store, and appends a tombstone if it was ever in
    /// the log; hashes stay. False when its text was nowhere.
    pub(crate) fn purge(&self, id: &RecordId, now: Timestamp) -> Result<bool, LogError> {
        let mut writer = self.database.writer();
        let transaction = writer.transaction()?;
        let known: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM log WHERE record = ?1)",
            [id.as_str()],
            |row| row.get(0),
        )?;
        let was_in_bundle = crate::stored_bundle::erase_record(&transaction, id)?;
        let was_in_quarantine = crate::quarantine::erase_record(&transaction, id)?;
        let was_in_store = crate::store::erase_record(&transaction, id)?;
        if known {
            transaction.execute("UPDATE log SET payload = NULL WHERE record = ?1", [id.as_str()])?;
            tombstone(&transaction, id, "purge", now)?;
        }
        transaction.commit()?;
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(known || was_in_bundle || was_in_quarantine || was_in_store)
    }

    /// Up to `limit` entries after a position, in order; fewer when their payloads have `bytes` together, but never none.
    pub(crate) fn read_after(&self, position: u64, limit: u32, bytes: usize) -> Result<Vec<Entry>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare_cached(
            "SELECT position, record, operation, observed, payload FROM log WHERE position > ?1
             ORDER BY position LIMIT ?2",
        )?;
        let mut rows = statement.query(params![position.cast_signed(), limit])?;
        let (mut entries, mut taken) = (Vec::new(), 0);
        while taken < bytes
            && let Some(row) = rows.next()?
        {
            let payload: Option<Vec<u8>> = row.get(4)?;
            taken += payload.as_ref().map_or(0, Vec::len);
            entries.push(entry(row, payload)?);
        }
        Ok(entries)
    }

    /// The observation at a position; `None` when it was erased or the position is no upsert.
    pub(crate) fn observation(&self, position: u64) -> Result<Option<Observation>, LogError> {
        let payload: Option<Option<Vec<u8>>> = self
            .database
            .reader()
            .prepare_cached("SELECT payload FROM log WHERE position = ?1")?
            .query_row([position.cast_signed()], |row| row.get(0))
            .optional()?;
        payload.flatten().map(|bytes| decode(position, &bytes)).transpose()
    }

    /// The content hashes of a range of positions, both ends included.
    pub(crate) fn content_hashes(&self, first: u64, last: u64) -> Result<BTreeMap<u64, [u8; 32]>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare_cached(
            "SELECT position, content_hash FROM log WHERE operation = 'upsert' AND position BETWEEN ?1 AND ?2",
        )?;
        let rows = statement.query_map(params![first.cast_signed(), last.cast_signed()], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The observations behind a position of things that text may name, each with whether no later entry deletes it.
    pub(crate) fn nameable(&self, after: u64) -> Result<Vec<(u64, Observation, bool)>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare(
            "SELECT position, payload, NOT EXISTS (SELECT 1 FROM log AS later WHERE later.record = log.record
                 AND later.position > log.position AND later.operation IN ('delete', 'purge'))
             FROM log WHERE position > ?1 AND kind IN ('configuration_item', 'service', 'alert', 'team')
             AND payload IS NOT NULL ORDER BY position",
        )?;
        let mut rows = statement.query([after.cast_signed()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(0)?.cast_unsigned();
            found.push((position, decode(position, &row.get::<_, Vec<u8>>(1)?)?, row.get(2)?));
        }
        Ok(found)
    }
}

/// What an append would do; the positions of what would be written are 0.
fn foresee(
    connection: &Connection,
    observation: &Observation,
    superseded: &impl Fn(&Connection, &Observation, &[u8; 32]) -> Result<Option<u64>, LogError>,
) -> Result<Appended, LogError> {
    let hash = Observation::content_hash(&observation.record);
    match live_hash(connection, &observation.record.id)? {
        None => Ok(Appended::New(0)),
        Some(before) if before == hash => Ok(Appended::Unchanged),
        Some(_) => {
            Ok(superseded(connection, observation, &hash)?.map_or(Appended::Changed(0), Appended::Superseded))
        }
    }
}

fn append_one(transaction: &Transaction<'_>, observation: &Observation) -> Result<u64, LogError> {
    let record = &observation.record;
    let hash = Observation::content_hash(record);
    let payload = serde_json::to_vec(observation)
        .map_err(|error| LogError::Damaged { position: 0, reason: error.to_string() })?;
    transaction
        .prepare_cached(
            "INSERT INTO log (record, operation, kind, revision, content_hash, observed, payload)
             VALUES (?1, 'upsert', ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            record.id.as_str(),
            record.kind.as_str(),
            observation.revision,
            hash,
            observation.lineage.observed.as_microsecond(),
            payload
        ])?;
    let position = transaction.last_insert_rowid().cast_unsigned();
    set_head(transaction, &record.id, position, Some(&hash))?;
    Ok(position)
}

fn tombstone(
    transaction: &Transaction<'_>,
    id: &RecordId,
    operation: &str,
    now: Timestamp,
) -> Result<u64, LogError> {
    transaction.execute(
        "INSERT INTO log (record, operation, kind, revision, content_hash, observed, payload)
         VALUES (?1, ?2, '', '', x'', ?3, NULL)",
        params![id.as_str(), operation, now.as_microsecond()],
    )?;
    let position = transaction.last_insert_rowid().cast_unsigned();
    set_head(transaction, id, position, None)?;
    Ok(position)
}

fn live_hash(transaction: &Connection, id: &RecordId) -> Result<Option<Vec<u8>>, LogError> {
    let hash = transaction
        .prepare_cached("SELECT content_hash FROM head WHERE record = ?1")?
        .query_row([id.as_str()], |row| row.get::<_, Option<Vec<u8>>>(0))
        .optional()?;
    Ok(hash.flatten())
}

fn set_head(
    transaction: &Transaction<'_>,
    id: &RecordId,
    position: u64,
    hash: Option<&[u8]>,
) -> Result<(), LogError> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO head (record, position, content_hash) VALUES (?1, ?2, ?3)")?
        .execute(params![id.as_str(), position.cast_signed(), hash])?;
    Ok(())
}

fn entry(row: &Row<'_>, payload: Option<Vec<u8>>) -> Result<Entry, LogError> {
    let position = row.get::<_, i64>(0)?.cast_unsigned();
    let damaged = |reason: String| LogError::Damaged { position, reason };
    let record = RecordId::new(&row.get::<_, String>(1)?).map_err(|error| damaged(error.to_string()))?;
    let observed = Timestamp::from_microsecond(row.get(3)?).map_err(|error| damaged(error.to_string()))?;
    let operation = match (row.get::<_, String>(2)?.as_str(), payload) {
        ("upsert", Some(bytes)) => Operation::Upsert(Box::new(decode(position, &bytes)?)),
        ("upsert", None) => Operation::Erased,
        ("delete", _) => Operation::Delete,
        ("purge", _) => Operation::Purge,
        (other, _) => return Err(damaged(format!("unknown operation {other}"))),
    };
    Ok(Entry { position, observed, record, operation })
}

fn decode(position: u64, bytes: &[u8]) -> Result<Observation, LogError> {
    serde_json::from_slice(bytes).map_err(|error| LogError::Damaged { position, reason: error.to_string() })
}
