//! What happened, in which order? The record log: append-only, durable, idempotent, the only truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use ontology::{Observation, RecordId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::database::{Database, LogError};

/// The record log of one desk, a part of its [`Database`].
#[derive(Clone)]
pub(crate) struct RecordLog {
    database: Arc<Database>,
}

/// One position of the log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) position: u64,
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

    /// Appends in one transaction what differs from the record's current revision. Durable when it returns.
    pub(crate) fn append(&self, observations: &[Observation]) -> Result<Vec<Appended>, LogError> {
        let mut writer = self.database.writer();
        let transaction = writer.transaction()?;
        let mut outcomes = Vec::with_capacity(observations.len());
        for observation in observations {
            outcomes.push(append_one(&transaction, observation)?);
        }
        transaction.commit()?;
        Ok(outcomes)
    }

    /// What an append would do with an observation.
    pub(crate) fn foresee(&self, observation: &Observation) -> Result<Appended, LogError> {
        let before = live_hash(&self.database.reader(), &observation.record.id)?;
        let hash = Observation::content_hash(&observation.record);
        Ok(match before {
            None => Appended::New(0),
            Some(before) if before == hash => Appended::Unchanged,
            Some(_) => Appended::Changed(0),
        })
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

    /// Erases a record's text from the log, the stored bundles and the quarantine, and appends a tombstone if it was ever in
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
        if known {
            transaction.execute("UPDATE log SET payload = NULL WHERE record = ?1", [id.as_str()])?;
            tombstone(&transaction, id, "purge", now)?;
        }
        transaction.commit()?;
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(known || was_in_bundle || was_in_quarantine)
    }

    /// Up to `limit` entries after a position, in order.
    pub(crate) fn read_after(&self, position: u64, limit: u32) -> Result<Vec<Entry>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare_cached(
            "SELECT position, record, operation, payload FROM log WHERE position > ?1 ORDER BY position LIMIT ?2",
        )?;
        let mut rows = statement.query(params![position.cast_signed(), limit])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(entry(row)?);
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

    /// The observations of things that text may name, each with whether no later entry deletes it.
    pub(crate) fn nameable(&self) -> Result<Vec<(u64, Observation, bool)>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare(
            "SELECT position, payload, NOT EXISTS (SELECT 1 FROM log AS later WHERE later.record = log.record
                 AND later.position > log.position AND later.operation IN ('delete', 'purge'))
             FROM log WHERE kind IN ('configuration_item', 'service', 'alert', 'team')
             AND payload IS NOT NULL ORDER BY position",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(0)?.cast_unsigned();
            found.push((position, decode(position, &row.get::<_, Vec<u8>>(1)?)?, row.get(2)?));
        }
        Ok(found)
    }
}

fn append_one(transaction: &Transaction<'_>, observation: &Observation) -> Result<Appended, LogError> {
    let record = &observation.record;
    let hash = Observation::content_hash(record);
    let before = live_hash(transaction, &record.id)?;
    if before.as_deref() == Some(hash.as_slice()) {
        return Ok(Appended::Unchanged);
    }
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
    Ok(if before.is_some() { Appended::Changed(position) } else { Appended::New(position) })
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

fn entry(row: &Row<'_>) -> Result<Entry, LogError> {
    let position = row.get::<_, i64>(0)?.cast_unsigned();
    let damaged = |reason: String| LogError::Damaged { position, reason };
    let record = RecordId::new(&row.get::<_, String>(1)?).map_err(|error| damaged(error.to_string()))?;
    let payload: Option<Vec<u8>> = row.get(3)?;
    let operation = match (row.get::<_, String>(2)?.as_str(), payload) {
        ("upsert", Some(bytes)) => Operation::Upsert(Box::new(decode(position, &bytes)?)),
        ("upsert", None) => Operation::Erased,
        ("delete", _) => Operation::Delete,
        ("purge", _) => Operation::Purge,
        (other, _) => return Err(damaged(format!("unknown operation {other}"))),
    };
    Ok(Entry { position, record, operation })
}

fn decode(position: u64, bytes: &[u8]) -> Result<Observation, LogError> {
    serde_json::from_slice(bytes).map_err(|error| LogError::Damaged { position, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use ontology::{Kind, Lineage, Record};

    use super::*;

    fn observation(id: &str, title: &str) -> Observation {
        let lineage = Lineage {
            origin: "test".into(),
            place: None,
            mapping: "generic".into(),
            observed: Timestamp::UNIX_EPOCH,
        };
        Observation::unversioned(Record::new(RecordId::new(id).unwrap(), Kind::Incident, title), lineage)
    }

    fn open() -> (tempfile::TempDir, RecordLog) {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordLog::new(Arc::new(Database::open(&folder.path().join("desk.db")).unwrap()));
        (folder, log)
    }

    #[test]
    fn the_same_content_is_written_once() {
        let (_folder, log) = open();
        let batch = [observation("s:1", "a"), observation("s:2", "b"), observation("s:1", "a")];
        assert_eq!(log.append(&batch).unwrap(), [Appended::New(1), Appended::New(2), Appended::Unchanged]);
        assert_eq!(log.append(&[observation("s:1", "changed")]).unwrap(), [Appended::Changed(3)]);
        assert_eq!(log.append(&[observation("s:1", "a")]).unwrap(), [Appended::Changed(4)]);
        assert_eq!(log.head().unwrap(), 4);
    }

    #[test]
    fn a_deleted_record_can_come_back_and_a_purged_one_leaves_no_payload() {
        let (_folder, log) = open();
        let id = RecordId::new("s:1").unwrap();
        let now = Timestamp::UNIX_EPOCH;
        log.append(&[observation("s:1", "secret title")]).unwrap();
        assert_eq!(log.delete(&id, now).unwrap(), Some(2));
        assert_eq!(log.delete(&id, now).unwrap(), None);
        assert_eq!(log.append(&[observation("s:1", "secret title")]).unwrap(), [Appended::New(3)]);
        assert!(log.purge(&id, now).unwrap());
        assert_eq!(log.head().unwrap(), 4);
        let operations: Vec<_> =
            log.read_after(0, 10).unwrap().into_iter().map(|entry| entry.operation).collect();
        assert!(matches!(
            operations[..],
            [Operation::Erased, Operation::Delete, Operation::Erased, Operation::Purge]
        ));
        let bytes = std::fs::read(_folder.path().join("desk.db")).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"secret title"));
    }
}
