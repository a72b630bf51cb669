//! How does a desk get up to its log? When it is opened, each index replays what it has not seen; one ahead of the log is emptied.

use std::sync::PoisonError;

use super::{Desk, DeskError};
use crate::graph::FLUSH_AT_CLOSE;
use crate::vectors::VectorIndex;

impl Desk {
    pub(super) fn catch_up(&self) -> Result<(), DeskError> {
        let mut indexes = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let head = self.log.head()?;
        if indexes.text.position() > head {
            indexes.text.clear()?;
        }
        if indexes.vectors.as_ref().is_some_and(|vectors| vectors.position() > head) {
            indexes.empty_vectors(&self.folder, self.embedder.as_deref())?;
        }
        if self.graph.position() > head {
            self.graph.clear()?;
        }
        self.resume(&mut indexes)?;
        self.advance_unread(&mut indexes)?;
        indexes.all_is_told();
        self.folder.end_purge()?;
        drop(indexes);
        self.keep_table(true);
        Ok(())
    }

    /// Whether readers see the end of the log: text and vectors are committed before a snapshot is published.
    ///
    /// # Errors
    /// [`DeskError`] when the log cannot be read.
    pub fn is_ready(&self) -> Result<bool, DeskError> {
        let head = self.log.head()?;
        Ok(self.generation() == head && self.graph.position() == head)
    }

    /// Ends a time of many writes: flushes the graph, keeps the table for the next opening, and builds the vector graph over
    /// passages that are only scanned so far, when they are many. That takes minutes for 100,000; readers and writers go
    /// on. Returns whether there was anything to build, which there is not while another thread builds.
    ///
    /// # Errors
    /// [`DeskError`] when the graph or the vector index cannot be written.
    pub fn seal(&self) -> Result<bool, DeskError> {
        {
            let indexes = self.pause_writer();
            if indexes.is_torn {
                return Err(DeskError::Stopped);
            }
            self.graph.flush(FLUSH_AT_CLOSE)?;
        }
        self.keep_table(false);
        self.seal_vectors()
    }

    fn seal_vectors(&self) -> Result<bool, DeskError> {
        let plan = {
            let mut indexes = self.pause_writer();
            if indexes.is_torn {
                return Err(DeskError::Stopped);
            }
            if indexes.is_sealing {
                return Ok(false);
            }
            let Some(plan) = indexes.vectors.as_mut().and_then(VectorIndex::plan_seal) else {
                return Ok(false);
            };
            indexes.is_sealing = true;
            plan
        };
        let built = plan.build();
        let mut indexes = self.pause_writer();
        indexes.is_sealing = false;
        let built = built?;
        if indexes.is_torn {
            return Err(DeskError::Stopped);
        }
        let Some(vectors) = indexes.vectors.as_mut() else { return Ok(false) };
        vectors.install(built)?;
        self.show(&indexes)?;
        Ok(true)
    }
}
