//! What can go wrong with the text index, and what to do about it?

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenReadError, OpenWriteError};

use crate::disk::{DISK_FULL, MAKE_ROOM, is_full};

/// An error of the text index. The index can always be rebuilt from the record log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The index on disk has another schema or was made by another analysis of text.
    #[error("the text index in {folder} has another format than this version reads: run `triagraph reindex`")]
    OtherFormat {
        /// Where the index is.
        folder: PathBuf,
    },
    /// A file of the index is missing, cut short or changed.
    #[error("{file} of the text index is damaged ({reason}): run `triagraph reindex`")]
    Corrupt {
        /// The damaged file, or the folder if the file is not known.
        file: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// Another process holds the index open for writing.
    #[error("the text index in {folder} is open in another process: stop that one first")]
    InUse {
        /// Where the index is.
        folder: PathBuf,
    },
    /// There is no room left.
    #[error("the text index in {folder} cannot be written; {MAKE_ROOM}")]
    DiskFull {
        /// Where the index is.
        folder: PathBuf,
    },
    /// Reading or writing failed.
    #[error(
        "the text index in {folder} cannot be read or written: check the free space and the rights of the folder"
    )]
    Failed {
        /// Where the index is.
        folder: PathBuf,
        /// What tantivy said.
        #[source]
        source: TantivyError,
    },
    /// The time allowed for a search was over before its end; a part of an answer would depend on chance.
    #[error("the text search took longer than allowed: shorten the query or allow more time")]
    DeadlineExceeded,
}

impl TextError {
    /// A stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherFormat { .. } => "text-other-format",
            Self::Corrupt { .. } => "text-corrupt",
            Self::InUse { .. } => "text-in-use",
            Self::DiskFull { .. } => DISK_FULL,
            Self::Failed { .. } => "text-failed",
            Self::DeadlineExceeded => "text-deadline-exceeded",
        }
    }

    /// Sorts an error of tantivy by what a person can do about it.
    pub(super) fn of(folder: &Path, source: TantivyError) -> Self {
        let folder = folder.to_path_buf();
        match source {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::InUse { folder },
            TantivyError::IncompatibleIndex(_)
            | TantivyError::OpenReadError(OpenReadError::IncompatibleIndex(_)) => {
                Self::OtherFormat { folder }
            }
            TantivyError::DataCorruption(damage) => {
                Self::Corrupt { file: folder, reason: format!("{damage:?}") }
            }
            TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(file)) => {
                Self::Corrupt { file: folder.join(file), reason: "the file is missing".to_owned() }
            }
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, filepath })
                if matches!(io_error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Corrupt { file: folder.join(filepath), reason: io_error.to_string() }
            }
            TantivyError::IoError(error) if is_full(&error) => Self::DiskFull { folder },
            TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, .. }) if is_full(&io_error) => {
                Self::DiskFull { folder }
            }
            source => Self::Failed { folder, source },
        }
    }
}
