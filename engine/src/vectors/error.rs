//! What can go wrong with the vector index, and what should a person do then?

use std::path::{Path, PathBuf};

use super::PassageKey;
use crate::disk::{DISK_FULL, MAKE_ROOM, is_full};

const CHECK: &str = "check the disk and its permissions";

/// A failure of the vector index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// A file is not what was written.
    #[error("{file} is damaged ({what}): run `triagraph reindex`")]
    Corrupt {
        /// The damaged file.
        file: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// A file of another version of the format.
    #[error(
        "{file} has format {found}, this program reads {known}: run `triagraph reindex`, or use the program that wrote it"
    )]
    Format {
        /// The file.
        file: PathBuf,
        /// The version in the file.
        found: u64,
        /// The version that this program reads.
        known: u64,
    },
    /// A vector, a query or a folder of another length.
    #[error(
        "a vector has {found} dimensions, the index has {known}; use the embedder that the index was built with"
    )]
    Dimensions {
        /// Length found.
        found: usize,
        /// Length of the index.
        known: usize,
    },
    /// A vector that is not of unit length, or not of numbers.
    #[error("a vector has length {length}, not 1; normalise what the embedder returns")]
    NotUnit {
        /// Its Euclidean length.
        length: f32,
    },
    /// A passage without a vector, neither given nor cached.
    #[error("passage {key:?} has no vector; embed its text and add it again")]
    Missing {
        /// The passage.
        key: PassageKey,
    },
    /// More than the format can count.
    #[error("the vector index holds at most {limit} passages in one segment; split the tenant")]
    TooLarge {
        /// The most that fit.
        limit: usize,
    },
    /// The search was not done in time.
    #[error("the vector search did not end before its deadline; allow more time or narrow the scope")]
    Deadline,
    /// Another process has the folder open.
    #[error("{file} is in use by another process; stop it first")]
    InUse {
        /// The locked file.
        file: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read or write {file}; {}", if is_full(source) { MAKE_ROOM } else { CHECK })]
    Io {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The database refused.
    #[error("cannot read or write {file}; {}", if is_full_database(source) { MAKE_ROOM } else { CHECK })]
    Database {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
}

impl VectorError {
    /// A stable name of the kind of failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Corrupt { .. } => "vectors-corrupt",
            Self::Format { .. } => "vectors-format",
            Self::Dimensions { .. } => "vectors-dimensions",
            Self::NotUnit { .. } => "vectors-not-unit",
            Self::Missing { .. } => "vectors-missing",
            Self::TooLarge { .. } => "vectors-too-large",
            Self::Deadline => "vectors-deadline",
            Self::InUse { .. } => "vectors-in-use",
            Self::Io { source, .. } if is_full(source) => DISK_FULL,
            Self::Database { source, .. } if is_full_database(source) => DISK_FULL,
            Self::Io { .. } => "vectors-io",
            Self::Database { .. } => "vectors-database",
        }
    }

    pub(super) fn corrupt(file: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_owned(), what: what.into() }
    }

    pub(super) fn io(file: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |source| Self::Io { file: file.to_owned(), source }
    }

    /// Tells a damaged or locked database from other failures.
    pub(super) fn database(file: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase};
        move |source| match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::corrupt(file, source.to_string()),
            Some(DatabaseBusy | DatabaseLocked) => Self::InUse { file: file.to_owned() },
            _ => Self::Database { file: file.to_owned(), source },
        }
    }
}

fn is_full_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

/// Refuses a vector of another length, not of unit length, or with a part that is no number.
pub(super) fn check_unit(vector: &[f32], dimensions: usize) -> Result<(), VectorError> {
    if vector.len() != dimensions {
        return Err(VectorError::Dimensions { found: vector.len(), known: dimensions });
    }
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    // A NaN compares as neither, and must be refused.
    if (length - 1.0).abs() < 1e-3 { Ok(()) } else { Err(VectorError::NotUnit { length }) }
}
