//! Where does an opening begin? At the table that was kept, so that it need not read the whole log.
//!
//! A kept table is only as good as the log behind it: it is left alone when another index has not come as far, or when a
//! later entry brings a name that earlier texts were not searched for. It is then made anew, as it was made first.

use super::prepare::{Prepared, prepare};
use super::write::Indexes;
use super::{Desk, DeskError, FolderError, take_away};
use crate::table::{Beside, Table, name_it};

/// A table is kept again when the log has grown by one part of so many: writing it takes as long as reading so much of the log.
const KEPT_PART: u64 = 32;

/// What is known of the kept table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    /// The position that it shows; 0 when there is none.
    at: u64,
    /// Whether the names that texts are searched for are others by now.
    pub(super) is_renamed: bool,
    is_writing: bool,
    /// Purges since the desk was opened.
    purges: u64,
}

impl Kept {
    /// Notes that the file was taken away, since it held what was purged.
    pub(super) fn purge(&mut self) {
        *self = Self { at: 0, purges: self.purges + 1, ..*self };
    }

    /// Notes that the file shows a position.
    pub(super) fn is_at(&mut self, position: u64) {
        *self = Self { at: position, is_renamed: false, ..*self };
    }
}

impl Desk {
    /// Takes up the kept table, if it can be. Else the table is empty and knows all names of the log.
    pub(super) fn resume(&self, indexes: &mut Indexes) -> Result<(), DeskError> {
        let vectors = indexes.vectors.as_ref().map(|vectors| vectors.position());
        let (head, path) = (self.log.head()?, self.folder.table());
        let reached = head.min(indexes.text.position()).min(self.graph.position());
        let reached = vectors.map_or(reached, |vectors| vectors.min(reached));
        let opened = Table::open(&path).unwrap_or_else(|error| {
            tracing::warn!("{error}: the table is built anew from the record log");
            None
        });
        if opened.as_ref().is_some_and(|(table, _)| table.position() > head) {
            // Of another log: once this one has come as far, nothing would tell.
            take_away(&path).map_err(|source| FolderError::Io { path, source })?;
        }
        let kept = opened.filter(|(table, _)| (1..=reached).contains(&table.position()));
        if let Some((table, beside)) = kept {
            let later = self.named_after(table.position())?;
            indexes.take_up(table, &beside)?;
            if later.iter().all(|(prepared, _)| indexes.dictionary.knows(prepared)) {
                return Ok(());
            }
            indexes.take_up(Table::default(), &Beside::default())?;
        }
        // All names are known before any text is read, so that no text has to be looked at twice.
        indexes.foretell(&self.named_after(0)?)
    }

    /// What text may name, each with whether it is kept to the end of the log.
    fn named_after(&self, position: u64) -> Result<Vec<(Prepared, bool)>, DeskError> {
        let named = self.log.nameable(position)?.into_iter();
        Ok(named.map(|(position, observation, stays)| (prepare(position, observation), stays)).collect())
    }

    /// Keeps the table for the next opening, where that saves enough. It is a copy of what the log says: when it cannot be
    /// written, the log is read instead.
    /// While a desk is written, that is only where the log has grown a lot: at its end also where names came or went.
    pub(super) fn keep_table(&self, is_end: bool) {
        if let Err(error) = self.try_keep_table(is_end) {
            let path = self.folder.table();
            tracing::warn!("{}: {error}: the next opening reads the whole record log", path.display());
        }
    }

    fn try_keep_table(&self, is_end: bool) -> std::io::Result<()> {
        let (path, temporary) = (self.folder.table(), self.folder.table().with_extension("new"));
        let (table, beside, before) = {
            let mut indexes = self.pause_writer();
            let (position, kept) = (indexes.table.position(), &indexes.kept);
            let is_worth_it = is_end && kept.is_renamed || (position - kept.at) * KEPT_PART > kept.at;
            if indexes.is_torn || kept.is_writing || position == kept.at || !is_worth_it {
                return Ok(());
            }
            let before = indexes.kept;
            indexes.kept = Kept { at: position, is_writing: true, is_renamed: false, ..before };
            (indexes.table.clone(), indexes.beside(), before)
        };
        let written = table.write(&temporary, beside);
        let mut indexes = self.pause_writer();
        indexes.kept.is_writing = false;
        // What was purged while it was written stands in it.
        let is_pure = indexes.kept.purges == before.purges;
        let named = written.and_then(|()| if is_pure { name_it(&temporary, &path) } else { Ok(()) });
        if named.is_err() && is_pure {
            let is_renamed = before.is_renamed || indexes.kept.is_renamed;
            indexes.kept = Kept { at: before.at, is_renamed, ..indexes.kept };
        }
        named.and(take_away(&temporary))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.keep_table(true);
        }
    }
}
