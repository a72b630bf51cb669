//! What is durable about passages and their vectors?

mod unseal;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::delta::{Block, Dropped, keys_of};
use super::error::VectorError;
use super::{PassageKey, TextHash};

const VERSION: u64 = 1;
/// A process that has just been killed frees its lock within this time.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Segment number of passages that are in no segment.
const UNSEALED: u32 = 0;

const SCHEMA: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE text (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, vector BLOB NOT NULL,
                       checksum INTEGER NOT NULL) STRICT;
    CREATE TABLE passage (key INTEGER PRIMARY KEY, text INTEGER NOT NULL REFERENCES text (id),
                          segment INTEGER NOT NULL) STRICT;
    CREATE INDEX passage_text ON passage (text);
    CREATE TABLE removed (key INTEGER PRIMARY KEY, text INTEGER NOT NULL) STRICT;
    CREATE TABLE segment (number INTEGER PRIMARY KEY) STRICT;
";

/// One step that a commit makes.
pub(super) enum Change {
    Add { key: PassageKey, hash: TextHash, vector: Option<Vec<f32>> },
    Remove { position: u64 },
    Purge { position: u64 },
}

/// What a commit changed about the passages that can be found.
#[derive(Default)]
pub(super) struct Applied {
    pub(super) dropped: Dropped,
    pub(super) added: Block,
}

/// `vectors.db`: the cached vector of each text, the text of each passage, the segments, and the log position.
pub(super) struct Database {
    file: PathBuf,
    connection: Connection,
    dimensions: usize,
}

impl Database {
    /// Opens or makes the database; while it is open no other process can.
    pub(super) fn open(file: &Path, dimensions: usize) -> Result<Self, VectorError> {
        let error = VectorError::database(file);
        let connection = Connection::open(file).map_err(&error)?;
        connection.busy_timeout(LOCK_WAIT).map_err(&error)?;
        // Every commit is synced: a segment file is deleted only after the commit that replaces it is on the disk.
        // Purged vectors are overwritten, not only forgotten.
        connection
            .execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA secure_delete = ON; PRAGMA cache_size = -16000;",
            )
            .map_err(&error)?;
        let mut database = Self { file: file.to_owned(), connection, dimensions };
        database.prepare()?;
        Ok(database)
    }

    fn prepare(&mut self) -> Result<(), VectorError> {
        let (dimensions, file) = (self.dimensions, self.file.clone());
        let found = self.write(|transaction| {
            let tables: i64 =
                transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            if tables == 0 {
                transaction.execute_batch(SCHEMA)?;
                let mut insert = transaction.prepare("INSERT INTO meta VALUES (?1, ?2)")?;
                insert.execute(params!["format", VERSION as i64])?;
                insert.execute(params!["dimensions", dimensions as i64])?;
                insert.execute(params!["position", 0])?;
                insert.execute(params!["wipe", 0])?;
            }
            Ok((meta(transaction, "format")?, meta(transaction, "dimensions")?))
        })?;
        match found {
            (VERSION, known) if known == dimensions as u64 => Ok(()),
            (VERSION, known) => {
                Err(VectorError::Dimensions { found: dimensions, known: usize::try_from(known).unwrap_or(0) })
            }
            (found, _) => Err(VectorError::Format { file, found, known: VERSION }),
        }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn position(&self) -> Result<u64, VectorError> {
        meta(&self.connection, "position").map_err(VectorError::database(&self.file))
    }

    pub(super) fn cached(&self, hashes: &[TextHash]) -> Result<Vec<Option<Vec<f32>>>, VectorError> {
        hashes.iter().map(|hash| Ok(self.text(&self.connection, *hash)?.map(|(_, vector)| vector))).collect()
    }

    /// Whether a text's vector is cached.
    pub(super) fn has_text(&self, hash: TextHash) -> Result<bool, VectorError> {
        self.connection
            .prepare_cached("SELECT 1 FROM text WHERE hash = ?1")
            .and_then(|mut select| select.exists([hash.0]))
            .map_err(VectorError::database(&self.file))
    }

    /// Id and vector of a text.
    fn text(&self, connection: &Connection, hash: TextHash) -> Result<Option<(i64, Vec<f32>)>, VectorError> {
        let found = connection
            .prepare_cached("SELECT id, vector, checksum FROM text WHERE hash = ?1")
            .and_then(|mut select| {
                select
                    .query_row([hash.0], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))
                    .optional()
            })
            .map_err(VectorError::database(&self.file))?;
        found.map(|(id, bytes, checksum)| Ok((id, self.vector(&bytes, checksum)?))).transpose()
    }

    fn vector(&self, bytes: &[u8], checksum: u32) -> Result<Vec<f32>, VectorError> {
        if bytes.len() != 4 * self.dimensions || crc32fast::hash(bytes) != checksum {
            return Err(VectorError::corrupt(&self.file, "checksum of a cached vector differs"));
        }
        let mut vector = vec![0.0; self.dimensions];
        bytemuck::cast_slice_mut(&mut vector).copy_from_slice(bytes);
        Ok(vector)
    }

    /// All passages with the hashes of their texts, by key.
    pub(super) fn passages(&self) -> Result<Vec<(PassageKey, TextHash)>, VectorError> {
        self.select(
            "SELECT key, hash FROM passage JOIN text ON text.id = passage.text ORDER BY key",
            [],
            |row| Ok((PassageKey(row.get::<_, i64>(0)? as u64), TextHash(row.get(1)?))),
        )
    }

    /// The passages of a segment, by key.
    pub(super) fn sealed(&self, segment: u32) -> Result<Vec<PassageKey>, VectorError> {
        self.select("SELECT key FROM passage WHERE segment = ?1 ORDER BY key", [segment], |row| {
            Ok(PassageKey(row.get::<_, i64>(0)? as u64))
        })
    }

    /// All unsealed passages with their vectors.
    pub(super) fn unsealed(&self) -> Result<Block, VectorError> {
        let sql = "SELECT key, vector, checksum FROM passage JOIN text ON text.id = passage.text
                   WHERE segment = 0 ORDER BY key";
        let mut block = Block::default();
        let rows = self.select(sql, [], |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, Vec<u8>>(1)?, row.get::<_, u32>(2)?))
        })?;
        for (key, bytes, checksum) in rows {
            block.push(PassageKey(key), &self.vector(&bytes, checksum)?);
        }
        Ok(block)
    }

    /// Numbers of the segments, oldest first.
    pub(super) fn segments(&self) -> Result<Vec<u32>, VectorError> {
        self.select("SELECT number FROM segment ORDER BY number", [], |row| row.get(0))
    }

    /// Makes all changes and moves to the log position, or does nothing.
    pub(super) fn commit(&mut self, changes: &[Change], position: u64) -> Result<Applied, VectorError> {
        let error = VectorError::database(&self.file);
        let transaction = self.connection.unchecked_transaction().map_err(&error)?;
        let mut applied = Applied::default();
        let mut purged: Vec<i64> = Vec::new();
        for change in changes {
            match change {
                Change::Add { key, hash, vector } => {
                    self.add(&transaction, *key, *hash, vector.as_deref(), &mut applied)?;
                }
                Change::Remove { position } => {
                    self.remove(&transaction, *position, &mut applied).map_err(&error)?;
                }
                Change::Purge { position } => {
                    self.remove(&transaction, *position, &mut applied).map_err(&error)?;
                    purged.extend(forget(&transaction, *position).map_err(&error)?);
                    set_meta(&transaction, "wipe", 1).map_err(&error)?;
                }
            }
        }
        erase_unused(&transaction, &purged).map_err(&error)?;
        set_meta(&transaction, "position", position).map_err(&error)?;
        transaction.commit().map_err(&error)?;
        Ok(applied)
    }

    fn add(
        &self,
        transaction: &Transaction<'_>,
        key: PassageKey,
        hash: TextHash,
        vector: Option<&[f32]>,
        applied: &mut Applied,
    ) -> Result<(), VectorError> {
        let error = VectorError::database(&self.file);
        let (text, vector) = match (self.text(transaction, hash)?, vector) {
            (Some(cached), _) => cached,
            (None, Some(vector)) => {
                (insert_text(transaction, hash, vector).map_err(&error)?, vector.to_vec())
            }
            (None, None) => return Err(VectorError::Missing { key }),
        };
        let before = transaction
            .prepare_cached("SELECT text FROM passage WHERE key = ?1")
            .and_then(|mut select| select.query_row([key.0 as i64], |row| row.get::<_, i64>(0)).optional())
            .map_err(&error)?;
        if before == Some(text) {
            return Ok(());
        }
        if before.is_some() {
            applied.dropped.key(key);
            applied.added.retain(|added| added != key);
        }
        applied.added.push(key, &vector);
        transaction
            .prepare_cached("INSERT OR REPLACE INTO passage VALUES (?1, ?2, ?3)")
            .and_then(|mut insert| insert.execute(params![key.0 as i64, text, UNSEALED]))
            .map_err(&error)?;
        Ok(())
    }

    /// Takes out a revision's passages, and remembers their texts in case they are purged later.
    fn remove(
        &self,
        transaction: &Transaction<'_>,
        position: u64,
        applied: &mut Applied,
    ) -> rusqlite::Result<()> {
        let keys = key_range(position);
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO removed SELECT key, text FROM passage WHERE key BETWEEN ?1 AND ?2",
            )?
            .execute(keys)?;
        transaction.prepare_cached("DELETE FROM passage WHERE key BETWEEN ?1 AND ?2")?.execute(keys)?;
        applied.dropped.position(position);
        applied.added.retain(|key| key.position() != position);
        Ok(())
    }

    /// Whether a purge has left vectors in segments that no passage has any more.
    pub(super) fn must_wipe(&self) -> Result<bool, VectorError> {
        meta(&self.connection, "wipe").map(|wipe| wipe != 0).map_err(VectorError::database(&self.file))
    }

    /// Notes that no segment holds a purged vector, and clears them out of the database's own log.
    pub(super) fn wiped(&mut self) -> Result<(), VectorError> {
        self.write(|transaction| set_meta(transaction, "wipe", 0))?;
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(VectorError::database(&self.file))
    }

    /// Puts a segment with its passages in the place of others; notes whether it may hold purged vectors.
    pub(super) fn replace_segments(
        &mut self,
        old: &[u32],
        new: Option<(u32, &[PassageKey])>,
        wipe: bool,
    ) -> Result<(), VectorError> {
        self.write(|transaction| {
            if let Some((number, keys)) = new {
                transaction.execute("INSERT INTO segment VALUES (?1)", [number])?;
                let mut update = transaction.prepare("UPDATE passage SET segment = ?1 WHERE key = ?2")?;
                keys.iter().try_for_each(|key| update.execute(params![number, key.0 as i64]).map(drop))?;
            }
            if wipe {
                set_meta(transaction, "wipe", 1)?;
            }
            let mut delete = transaction.prepare("DELETE FROM segment WHERE number = ?1")?;
            old.iter().try_for_each(|old| delete.execute([old]).map(drop))
        })
    }

    /// Looks at every page and every vector of the database.
    pub(super) fn check(&self) -> Result<(), VectorError> {
        let error = VectorError::database(&self.file);
        let verdict: String =
            self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(&error)?;
        if verdict != "ok" {
            return Err(VectorError::corrupt(&self.file, verdict));
        }
        let orphans: i64 = self
            .connection
            .query_row("SELECT count(*) FROM passage WHERE text NOT IN (SELECT id FROM text)", [], |row| {
                row.get(0)
            })
            .map_err(&error)?;
        if orphans != 0 {
            return Err(VectorError::corrupt(&self.file, format!("{orphans} passages have no vector")));
        }
        let mut select = self.connection.prepare("SELECT vector, checksum FROM text").map_err(&error)?;
        let mut rows = select.query([]).map_err(&error)?;
        while let Some(row) = rows.next().map_err(&error)? {
            let bytes = row.get_ref(0).map_err(&error)?;
            self.vector(bytes.as_blob().unwrap_or_default(), row.get(1).map_err(&error)?)?;
        }
        Ok(())
    }

    fn select<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, VectorError> {
        let error = VectorError::database(&self.file);
        let mut select = self.connection.prepare(sql).map_err(&error)?;
        select.query_map(parameters, read).and_then(Iterator::collect).map_err(&error)
    }

    fn write<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, VectorError> {
        let error = VectorError::database(&self.file);
        let transaction = self.connection.transaction().map_err(&error)?;
        let result = change(&transaction).map_err(&error)?;
        transaction.commit().map_err(&error)?;
        Ok(result)
    }
}

fn meta(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let select = "SELECT value FROM meta WHERE name = ?1";
    connection.query_row(select, [name], |row| Ok(row.get::<_, i64>(0)? as u64))
}

fn set_meta(connection: &Connection, name: &str, value: u64) -> rusqlite::Result<()> {
    connection.execute("UPDATE meta SET value = ?2 WHERE name = ?1", params![name, value as i64]).map(drop)
}

fn insert_text(transaction: &Transaction<'_>, hash: TextHash, vector: &[f32]) -> rusqlite::Result<i64> {
    let bytes: &[u8] = bytemuck::cast_slice(vector);
    transaction
        .prepare_cached("INSERT INTO text (hash, vector, checksum) VALUES (?1, ?2, ?3)")?
        .insert(params![hash.0, bytes, crc32fast::hash(bytes)])
}

/// Ends the memory of a revision's removed passages and returns the ids of their texts.
fn forget(transaction: &Transaction<'_>, position: u64) -> rusqlite::Result<Vec<i64>> {
    transaction
        .prepare_cached("DELETE FROM removed WHERE key BETWEEN ?1 AND ?2 RETURNING text")?
        .query_map(key_range(position), |row| row.get(0))?
        .collect()
}

fn key_range(position: u64) -> [i64; 2] {
    let keys = keys_of(position);
    [*keys.start() as i64, *keys.end() as i64]
}

fn erase_unused(transaction: &Transaction<'_>, texts: &[i64]) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached(
        "DELETE FROM text WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM passage WHERE text = ?1)",
    )?;
    texts.iter().try_for_each(|text| delete.execute([text]).map(drop))
}
