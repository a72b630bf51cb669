//! What can go wrong with the graph, and what to do about it?

use std::path::PathBuf;

use oxigraph::store::StorageError;

use super::meta::FORMAT;
use crate::disk::{DISK_FULL, MAKE_ROOM, is_full};

/// Why the graph cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The store below failed: disk, lock, corruption.
    #[error(
        "the graph at {folder} cannot be read or written ({source}): {}",
        if is_disk_full(source) { MAKE_ROOM } else { "see that the disk has room, or run `triagraph reindex`" }
    )]
    Storage {
        /// Where the store is.
        folder: PathBuf,
        /// What it said.
        #[source]
        source: StorageError,
    },
    /// The folder has quads in a layout that this version does not read.
    #[error("graph at {folder} has format {found:?}, this version reads {FORMAT:?}: run `triagraph reindex`")]
    Format {
        /// Where the store is.
        folder: PathBuf,
        /// The format it names, or nothing.
        found: String,
    },
    /// Its folder cannot be replaced.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// One of the orders of its quads is damaged.
    #[error(
        "the graph's quads by {order} are {found}, by graph they are {expected}: run `triagraph reindex`"
    )]
    Differs {
        /// By what they are ordered.
        order: &'static str,
        /// How many there are by graph.
        expected: usize,
        /// How many by this order.
        found: usize,
    },
    /// An export could not be written.
    #[error("the export cannot be written: {0}")]
    Write(#[source] std::io::Error),
}

impl GraphError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Storage { source, .. } if is_disk_full(source) => DISK_FULL,
            Self::Storage { .. } => "graph-storage",
            Self::Format { .. } => "graph-format",
            Self::Folder { .. } => "graph-folder",
            Self::Differs { .. } => "graph-differs",
            Self::Write(_) => "graph-export",
        }
    }
}

fn is_disk_full(error: &StorageError) -> bool {
    // What the store below says of the one it calls is known by its words only.
    matches!(error, StorageError::Io(error) if is_full(error) || error.to_string().contains("No space left"))
}
