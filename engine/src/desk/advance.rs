//! How do the indexes come up to the log? Batch by batch and by one way, whether records are new or an index is rebuilt.

use std::collections::BTreeMap;

use models::{Embedder, TextRole};

use super::prepare::{Prepared, is_searchable};
use super::write::{Indexes, Removed, Taken, Touched};
use super::{Desk, DeskError};
use crate::derive;
use crate::log::BATCH_BYTES;
use crate::text::{TextDocument, TextIndex};
use crate::vectors::{PassageKey, TextHash, VectorIndex};

/// Passages that are embedded and written at a time.
const EMBED_BATCH: usize = 256;
/// Entries of the log that are indexed and published at a time, at most; few in tests, so that a handful of them makes
/// several batches.
const ENTRIES: u32 = if cfg!(test) { 3 } else { 512 };
/// Quads after which the graph is flushed: more of them make its memory grow and the next opening slow.
const FLUSH_QUADS: u64 = 100_000;

impl Desk {
    /// Brings every index to the end of the log; readers see each batch. Returns how many passages were embedded.
    pub(super) fn advance(&self, indexes: &mut Indexes) -> Result<u64, DeskError> {
        let mut embedded = 0;
        while let Some(more) = self.take_batch(indexes, Self::publish)? {
            embedded += more;
        }
        Ok(embedded)
    }

    /// The same when the desk is being opened and nobody reads yet: readers see the end only.
    pub(super) fn advance_unread(&self, indexes: &mut Indexes) -> Result<(), DeskError> {
        while self.take_batch(indexes, Self::write_graph)?.is_some() {}
        self.show(indexes)
    }

    /// Takes one batch into every index; `end` makes it part of the graph. Nothing at the end of the log.
    fn take_batch(
        &self,
        indexes: &mut Indexes,
        end: impl Fn(&Self, &Indexes, &Touched) -> Result<(), DeskError>,
    ) -> Result<Option<u64>, DeskError> {
        if indexes.is_torn {
            return Err(DeskError::Stopped);
        }
        let entries = self.log.read_after(indexes.table.position(), ENTRIES, BATCH_BYTES)?;
        if entries.is_empty() {
            return Ok(None);
        }
        indexes.is_torn = true;
        let entries = Taken::all(entries);
        let touched = indexes.extend_table(&entries, &|position| Ok(self.read(position)?))?;
        let embedded = indexes.write(self.embedder.as_deref(), &entries, &touched.removed)?;
        end(self, indexes, &touched)?;
        self.graph.flush(FLUSH_QUADS)?;
        indexes.is_torn = false;
        Ok(Some(embedded))
    }
}

impl Indexes {
    /// Writes text and vectors, side by side: the one waits for the disk where the other computes. Returns how many passages
    /// were embedded.
    fn write(
        &mut self,
        embedder: Option<&dyn Embedder>,
        entries: &[Taken],
        removed: &[Removed],
    ) -> Result<u64, DeskError> {
        let (text, vectors) = (&mut self.text, &mut self.vectors);
        std::thread::scope(|threads| {
            let text = threads.spawn(|| write_text(text, entries, removed));
            let embedded = match (vectors, embedder) {
                (Some(vectors), Some(embedder)) => write_vectors(vectors, embedder, entries, removed),
                _ => Ok(0),
            };
            text.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            embedded
        })
    }
}

/// Writes text documents of entries that the text index has not seen.
fn write_text(text: &mut TextIndex, entries: &[Taken], removed: &[Removed]) -> Result<(), DeskError> {
    let seen = text.position();
    for prepared in entries.iter().filter_map(Taken::prepared).filter(|prepared| prepared.position > seen) {
        let record = &prepared.observation.record;
        if is_searchable(record.kind) {
            text.add(&TextDocument {
                position: prepared.position,
                // A title that only repeats the text would make its words count twice.
                title: if derive::is_title_made_of_text(record) { "" } else { &record.title },
                body: prepared.words.body.as_deref().unwrap_or_default(),
                names: &record.names.join("\n"),
                digest: prepared.digest,
            })?;
        }
    }
    for gone in removed {
        // A purge is repeated: the payload may have been erased before this index heard of it.
        if gone.by > seen || gone.purge {
            text.remove(gone.position);
        }
    }
    if let Some(last) = entries.last().filter(|last| last.position > seen) {
        text.commit(last.position)?;
    }
    Ok(())
}

/// Embeds new passages and writes the vectors of entries that the vector index has not seen. Returns how many were new.
fn write_vectors(
    vectors: &mut VectorIndex,
    embedder: &dyn Embedder,
    entries: &[Taken],
    removed: &[Removed],
) -> Result<u64, DeskError> {
    let seen = vectors.position();
    let unseen: Vec<&Prepared> =
        entries.iter().filter_map(Taken::prepared).filter(|prepared| prepared.position > seen).collect();
    let mut embedded = 0;
    let passages: Vec<(PassageKey, [u8; 32], &str)> = unseen
        .iter()
        .flat_map(|prepared| {
            let rows = prepared.passage_hashes.iter().zip(&prepared.passage_texts);
            rows.zip(0u16..).map(|((hash, text), ordinal)| {
                (PassageKey::new(prepared.position, ordinal), *hash, text.as_str())
            })
        })
        .collect();
    for block in passages.chunks(EMBED_BATCH) {
        embedded += add_block(vectors, embedder, block)?;
    }
    for gone in removed {
        if gone.purge {
            vectors.purge(gone.position);
        } else if gone.by > seen {
            vectors.remove(gone.position);
        }
    }
    if let Some(last) = entries.last().filter(|last| last.position > seen) {
        vectors.commit(last.position)?;
    }
    Ok(embedded)
}

/// Adds passages, embedding those whose text was never embedded; each text once.
fn add_block(
    vectors: &mut VectorIndex,
    embedder: &dyn Embedder,
    block: &[(PassageKey, [u8; 32], &str)],
) -> Result<u64, DeskError> {
    let hashes: Vec<TextHash> = block.iter().map(|(_, hash, _)| TextHash(*hash)).collect();
    let known = vectors.cached(&hashes)?;
    let mut missing: BTreeMap<[u8; 32], &str> = BTreeMap::new();
    for ((_, hash, text), known) in block.iter().zip(&known) {
        if known.is_none() {
            missing.insert(*hash, text);
        }
    }
    let texts: Vec<&str> = missing.values().copied().collect();
    let made = if texts.is_empty() { Vec::new() } else { embedder.embed(TextRole::Passage, &texts)? };
    let mut made: BTreeMap<[u8; 32], Vec<f32>> = missing.into_keys().zip(made).collect();
    let count = made.len() as u64;
    let rows: Vec<_> =
        block.iter().map(|(key, hash, _)| (*key, TextHash(*hash), made.remove(hash))).collect();
    vectors.add(&rows)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::{Kind, Observation, Place, State};

    use crate::trial::{Trial, id, observation, operator, record};

    #[test]
    fn a_desk_of_many_batches_opens_at_the_end_of_its_log() {
        let trial = Trial::with_embedder();
        let ticket = |n: u64| record(&format!("s:{n}"), Kind::Incident, &format!("ticket {n}"), &[]);
        let observations: Vec<Observation> = (0..1200).map(ticket).map(observation).collect();
        trial.desk.log.append(&observations).unwrap();
        // The first opening writes every index, the second only reads.
        let trial = trial.reopened();
        assert!(trial.desk.is_ready().unwrap());
        let trial = trial.reopened();
        assert!(trial.desk.is_ready().unwrap());
        assert_eq!(trial.desk.generation(), 1200);
        let verification = trial.desk.verify().unwrap();
        assert!(verification.problems.is_empty(), "{:?}", verification.problems);
    }

    #[test]
    fn the_last_state_in_a_file_wins_and_the_one_before_it_is_no_news() {
        let trial = Trial::new();
        let row = |row, state, run| {
            let mut ticket = record("s:X-1", Kind::Incident, "no mail", &[]);
            ticket.state = Some(state);
            let mut row_of = observation(ticket);
            row_of.lineage.place = Some(Place::Row(row));
            row_of.lineage.observed = Timestamp::from_second(run).unwrap();
            row_of
        };
        let state = || {
            let found = trial.desk.record(&operator(), &id("s:X-1"), None).unwrap();
            (found.unwrap().record.state.unwrap(), trial.desk.generation())
        };
        let run = |rows: &[Observation]| {
            // As when the rows are far apart: in batches of one.
            let applied = rows.iter().map(|row| trial.desk.apply(vec![row.clone()]).unwrap());
            let counted: u64 = applied.map(|applied| applied.new + applied.changed).sum();
            counted + trial.desk.end_run().unwrap()
        };
        assert_eq!(run(&[row(1, State::Open, 1), row(2, State::Closed, 1)]), 2);
        assert_eq!(run(&[row(1, State::Open, 2), row(2, State::Closed, 2)]), 0);
        assert_eq!(state(), (State::Closed, 2));
        // The row that closed it was taken out of the file.
        assert_eq!(run(&[row(1, State::Open, 3)]), 1);
        assert_eq!(state(), (State::Open, 3));
        assert_eq!(trial.desk.end_run().unwrap(), 0);
    }
}
