//! Why could nothing be read at all? Errors of a whole run; what is wrong with one item is a rejection instead.

use std::path::PathBuf;

use ontology::IdError;

use crate::MappingError;

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A path that was given cannot be read.
    #[error("cannot read {}: check that it exists and may be read", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// No path holds a file of a known format.
    #[error("no readable file under {paths}: known are {}", crate::Format::KNOWN)]
    NothingToRead {
        /// The paths as given.
        paths: String,
    },
    /// A mapping is wrong or unknown.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// No name for the source could be made of a path.
    #[error("no source name can be made of {}: give one", path.display())]
    SourceName {
        /// The path.
        path: PathBuf,
        /// What is wrong with its name.
        #[source]
        source: IdError,
    },
}

impl IngestError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable-path",
            Self::NothingToRead { .. } => "nothing-to-read",
            Self::Mapping(error) => error.code(),
            Self::SourceName { .. } => "source-name",
        }
    }
}
