//! Why can the audit log not be read, sealed or asked for a proof?

use engine::LogError;

use super::NoteError;

/// What can go wrong with the audit log itself; what is wrong with its content is a [`Fault`](super::Fault).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The store said no.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A body is not what this program writes or reads.
    #[error("an audit entry or checkpoint is not JSON as this program knows it ({0}): verify the audit log")]
    Json(#[from] serde_json::Error),
    /// An entry is not there though later ones are.
    #[error(
        "audit entry {sequence} is missing: keep this folder as evidence and restore the desk from a backup"
    )]
    Missing {
        /// Its sequence.
        sequence: u64,
    },
    /// There are fewer entries than were read before.
    #[error(
        "the audit log has {found} entries, {known} were read before: keep this folder as evidence and restore the desk from a backup"
    )]
    Truncated {
        /// Entries that are there.
        found: u64,
        /// Entries that were there.
        known: u64,
    },
    /// A proof was asked of a tree of another size.
    #[error("the audit log has {size} entries: ask for a size from 1 to {size} and an entry below it")]
    Size {
        /// Entries that there are.
        size: u64,
    },
    /// What would be signed contradicts what was signed.
    #[error(
        "the audit log differs from its own checkpoint at {size}, nothing was signed: verify the audit log"
    )]
    Diverged {
        /// The size of the checkpoint.
        size: u64,
    },
    /// The last checkpoint is not signed by this key, or is no checkpoint.
    #[error("the last checkpoint of the audit log cannot be used: {0}")]
    Checkpoint(#[from] NoteError),
}

impl AuditError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log(source) => source.code(),
            Self::Json(_) => "audit-json",
            Self::Missing { .. } => "audit-missing",
            Self::Truncated { .. } => "audit-truncated",
            Self::Size { .. } => "audit-size",
            Self::Diverged { .. } => "audit-diverged",
            Self::Checkpoint(source) => source.code(),
        }
    }
}
