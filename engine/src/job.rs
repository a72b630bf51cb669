//! What is or was being done? Long runs by number, so that one that was killed is seen and said.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::database::{Database, LogError};
use crate::disk::DISK_FULL;

/// The jobs of one desk, a part of its database.
#[derive(Clone)]
pub struct Jobs {
    database: Arc<Database>,
}

/// A long run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// What is done: `ingest`.
    pub kind: String,
    /// `running`, `done`, `failed` or `interrupted`.
    pub state: String,
    /// What it works on, then what came of it.
    pub detail: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl Jobs {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// Notes that a job begins. Whoever opens a desk is alone with it, so a job that still runs then was killed.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn start(&self, kind: &str, detail: &str, now: Timestamp) -> Result<u64, LogError> {
        let writer = self.database.writer();
        writer.execute(
            "INSERT INTO job (kind, state, detail, started) VALUES (?1, 'running', ?2, ?3)",
            params![kind, detail, now.as_microsecond()],
        )?;
        Ok(writer.last_insert_rowid().cast_unsigned())
    }

    /// Notes how a job ended.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn end(&self, id: u64, is_done: bool, detail: &str, now: Timestamp) -> Result<(), LogError> {
        let state = if is_done { "done" } else { "failed" };
        self.database.writer().execute(
            "UPDATE job SET state = ?2, detail = ?3, ended = ?4 WHERE id = ?1",
            params![id.cast_signed(), state, detail, now.as_microsecond()],
        )?;
        Ok(())
    }

    /// Marks what was running when its process died. On a full disk the next opening does, so that this one can answer.
    pub(crate) fn mark_interrupted(&self) -> Result<(), LogError> {
        let update = "UPDATE job SET state = 'interrupted' WHERE state = 'running'";
        match self.database.writer().execute(update, []).map_err(LogError::from) {
            Err(error) if error.code() == DISK_FULL => Ok(()),
            marked => marked.map(drop),
        }
    }

    /// The latest jobs, newest first.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn latest(&self, limit: u32) -> Result<Vec<Job>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare_cached(
            "SELECT id, kind, state, detail, started, ended FROM job ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            let moment = |micros: i64| Timestamp::from_microsecond(micros).unwrap_or_default();
            Ok(Job {
                id: row.get::<_, i64>(0)?.cast_unsigned(),
                kind: row.get(1)?,
                state: row.get(2)?,
                detail: row.get(3)?,
                started: moment(row.get(4)?),
                ended: row.get::<_, Option<i64>>(5)?.map(moment),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
