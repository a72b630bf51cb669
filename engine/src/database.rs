//! What stands in `desk.db`? The one SQLite file that is the truth: record log, quarantine, jobs, stored bundles, and
//! the journals and items of the control plane.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use crate::disk::DISK_FULL;

/// Version of the tables. A newer folder is refused, an older one is brought forward when it is opened.
pub(crate) const FORMAT: i64 = 2;

/// Every table of this version. `log` is append-only but for purge, which empties payloads; `head` is a view of it that
/// is kept in the same transaction.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL,
    operation TEXT NOT NULL CHECK (operation IN ('upsert', 'delete', 'purge')),
    kind TEXT NOT NULL,
    revision TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    observed INTEGER NOT NULL,
    payload BLOB
);
CREATE INDEX IF NOT EXISTS log_by_record ON log (record, position);
CREATE INDEX IF NOT EXISTS log_by_kind ON log (kind, position);
CREATE TABLE IF NOT EXISTS head (
    record TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    content_hash BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    rejected BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    detail TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER
);
CREATE TABLE IF NOT EXISTS bundle (
    id TEXT PRIMARY KEY,
    made INTEGER NOT NULL,
    request BLOB NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bundle_item (
    record TEXT NOT NULL,
    bundle TEXT NOT NULL,
    PRIMARY KEY (record, bundle)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS citation (
    record TEXT NOT NULL,
    bundle TEXT NOT NULL,
    cited INTEGER NOT NULL,
    PRIMARY KEY (record, bundle)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY,
    request_hash BLOB NOT NULL,
    response BLOB NOT NULL,
    made INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What can go wrong with `desk.db`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// SQLite said no.
    #[error("the record log cannot be read or written: {source}{}", advice(source))]
    Sqlite {
        /// What SQLite said.
        #[from]
        source: rusqlite::Error,
    },
    /// The folder was written by a newer program.
    #[error(
        "this folder has format {found}, this program knows {FORMAT}: use the program that wrote it, or a newer one"
    )]
    NewerFormat {
        /// The format found.
        found: i64,
    },
    /// A payload is not what was written.
    #[error("entry {position} of the record log is damaged ({reason}): restore the folder from a backup")]
    Damaged {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a person may do about an error of SQLite.
fn advice(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => ": the file is no desk, name another",
        Some(ErrorCode::DatabaseCorrupt) => ": restore the desk from a backup",
        Some(ErrorCode::DiskFull) => ": make room and try again, nothing is lost",
        Some(ErrorCode::SystemIoFailure) => ": see that the disk works and has room",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            ": see that the folder is there and yours to write"
        }
        _ => "",
    }
}

impl LogError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sqlite { source } if source.sqlite_error_code() == Some(ErrorCode::DiskFull) => DISK_FULL,
            Self::Sqlite { .. } => "record-log",
            Self::NewerFormat { .. } => "newer-format",
            Self::Damaged { .. } => "record-log-damaged",
        }
    }
}

/// The open file: one connection that writes, one that reads beside it.
pub(crate) struct Database {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl Database {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// [`LogError`] when SQLite cannot open it or a newer program wrote it.
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        let writer = Connection::open(path)?;
        writer.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; PRAGMA secure_delete = ON;",
        )?;
        let found: i64 = writer.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found > FORMAT {
            return Err(LogError::NewerFormat { found });
        }
        writer.execute_batch(SCHEMA)?;
        writer.execute_batch(crate::store::SCHEMA)?;
        if found != FORMAT {
            writer.pragma_update(None, "user_version", FORMAT)?;
        }
        let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA mmap_size = 268435456;")?;
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SQLite's own integrity check; the problems it names.
    pub(crate) fn check(&self) -> Result<Vec<String>, LogError> {
        let reader = self.reader();
        let mut statement = reader.prepare("PRAGMA integrity_check(20)")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

/// Copies the `desk.db` of a folder that another process may have open.
pub(crate) fn copy_file(from: &Path, target: &Path) -> Result<(), LogError> {
    // A connection that may write takes the journal files away that it makes; one that only reads leaves them.
    copy(&Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?, target)
}

fn copy(from: &Connection, target: &Path) -> Result<(), LogError> {
    let mut to = Connection::open(target)?;
    let backup = rusqlite::backup::Backup::new(from, &mut to)?;
    backup.run_to_completion(4096, std::time::Duration::ZERO, None)?;
    Ok(())
}

/// What an Idempotency-Key was answered with before.
#[derive(Debug)]
pub enum Replayed {
    /// The key is new.
    New,
    /// The same request: the stored answer.
    Same(Vec<u8>),
    /// The key was used for another request.
    Conflict,
}

impl Database {
    pub(crate) fn idempotent(&self, key: &str, request_hash: &[u8]) -> Result<Replayed, LogError> {
        let found: Option<(Vec<u8>, Vec<u8>)> = self
            .reader()
            .query_row("SELECT request_hash, response FROM idempotency WHERE key = ?1", [key], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(match found {
            None => Replayed::New,
            Some((hash, response)) if hash == request_hash => Replayed::Same(response),
            Some(_) => Replayed::Conflict,
        })
    }

    pub(crate) fn remember(
        &self,
        key: &str,
        request_hash: &[u8],
        response: &[u8],
        now: Timestamp,
    ) -> Result<(), LogError> {
        self.writer().execute(
            "INSERT OR IGNORE INTO idempotency (key, request_hash, response, made) VALUES (?1, ?2, ?3, ?4)",
            params![key, request_hash, response, now.as_microsecond()],
        )?;
        Ok(())
    }
}
