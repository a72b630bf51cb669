//! Which way does a record go? From a batch of observations to a new snapshot, one writer at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use jiff::Timestamp;
use models::Embedder;
use ontology::{Lineage, Observation, Record, RecordId, Reference, Rejected};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::mentions::Dictionary;
use super::prepare::{Prepared, prepare};
use super::publish::quads_of;
use super::resume::Kept;
use super::{Applied, Desk, DeskError, Folder};
use crate::graph::triples;
use crate::log::{Appended, Entry, Operation};
use crate::snapshot::Snapshot;
use crate::table::{KeyId, KeyedLink, Revision, Table, category_key};
use crate::text::TextIndex;
use crate::vectors::{PassageKey, TextHash, VectorError, VectorIndex, VectorSettings};

/// What the one writer holds.
pub(crate) struct Indexes {
    pub(super) table: Table,
    pub(super) text: TextIndex,
    pub(super) vectors: Option<VectorIndex>,
    /// Names that are looked for in text.
    pub(super) dictionary: Dictionary,
    /// Observed moment of the newest entry of the log.
    pub(super) newest: Option<Timestamp>,
    pub(super) kept: Kept,
    /// What a run of ingest gave of a record and a later place superseded once before: the entry that says the same.
    superseded: BTreeMap<RecordId, (u64, Lineage)>,
    /// Set while the vector graph is built.
    pub(super) is_sealing: bool,
    /// Set while a batch is under way: still set later, it failed half-way and memory is ahead of the indexes.
    pub(super) is_torn: bool,
}

/// What a batch changed in the table.
#[derive(Default)]
pub(super) struct Touched {
    /// Records written or deleted.
    pub(super) records: BTreeSet<RecordId>,
    /// Keys whose owners changed: whoever refers to them has its graph rendered again.
    pub(super) keys: BTreeSet<KeyId>,
    /// Positions that a delete took away.
    pub(super) removed: Vec<Removed>,
}

/// A revision that a later entry of the log took away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Removed {
    pub(super) position: u64,
    /// The entry that did it; an index that has seen the entry has done it already.
    pub(super) by: u64,
    /// Whether its vectors are to be erased for good.
    pub(super) purge: bool,
}

impl Indexes {
    pub(super) fn open(folder: &Folder, embedder: Option<&dyn Embedder>) -> Result<Self, DeskError> {
        Ok(Self {
            table: Table::default(),
            text: TextIndex::open(folder.text())?,
            vectors: open_vectors(folder, embedder)?,
            dictionary: Dictionary::new()?,
            newest: None,
            kept: Kept::default(),
            superseded: BTreeMap::new(),
            is_sealing: false,
            is_torn: false,
        })
    }

    /// Starts the vector index anew.
    pub(super) fn empty_vectors(
        &mut self,
        folder: &Folder,
        embedder: Option<&dyn Embedder>,
    ) -> Result<(), DeskError> {
        self.vectors = None;
        folder.empty_vectors()?;
        self.vectors = open_vectors(folder, embedder)?;
        Ok(())
    }

    /// Key and text hash of every passage in the vector index.
    pub(crate) fn passages(&self) -> Option<Result<BTreeMap<PassageKey, TextHash>, VectorError>> {
        Some(self.vectors.as_ref()?.passages().map(Iterator::collect))
    }

    /// Whether the vector index's files are what was written.
    pub(crate) fn check_vectors(&self) -> Result<(), VectorError> {
        self.vectors.as_ref().map_or(Ok(()), VectorIndex::check)
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, DeskError> {
        let vectors = self.vectors.as_ref().map(VectorIndex::view);
        let (table, text) = (self.table.clone(), self.text.view());
        Ok(Snapshot::new(table, text, vectors, self.dictionary.names(), self.newest))
    }

    /// Takes entries of the log into the table. `earlier` gives the text of a position, to look for names that are new.
    pub(super) fn extend_table(
        &mut self,
        entries: &[Taken],
        earlier: &dyn Fn(u64) -> Result<Option<Record>, DeskError>,
    ) -> Result<Touched, DeskError> {
        let mut touched = Touched::default();
        let before = self.table.position();
        let fresh = self.learn(entries)?;
        let mut left = BTreeSet::new();
        for entry in entries {
            self.newest = self.newest.max(Some(entry.observed));
            match &entry.content {
                TakenContent::Prepared(prepared) => self.take(prepared, &mut touched),
                TakenContent::Nothing => {
                    let (position, by) = (entry.position, entry.position);
                    touched.removed.push(Removed { position, by, purge: true });
                    self.table.push_empty();
                }
                TakenContent::Gone { purge } => {
                    let own =
                        self.table.current(&entry.record).and_then(|position| self.table.revision(position));
                    touched.keys.extend(own.iter().flat_map(|revision| revision.names.iter().copied()));
                    left.extend(self.table.names_of(&entry.record));
                    let removed = self.table.forget(&entry.record).into_iter();
                    touched.removed.extend(removed.map(|position| Removed {
                        position,
                        by: entry.position,
                        purge: *purge,
                    }));
                    touched.records.insert(entry.record.clone());
                    self.table.push_empty();
                }
            }
        }
        let gone = self.unlearn(&left)?;
        self.look_back(&fresh, &gone, before, &mut touched, earlier)?;
        Ok(touched)
    }

    fn take(&mut self, prepared: &Prepared, touched: &mut Touched) {
        let revision = self.revision(prepared);
        touched.records.insert(revision.id.clone());
        let before =
            self.table.current(&revision.id).and_then(|position| self.table.revision(position)).cloned();
        let names_before: &[KeyId] = before.as_ref().map_or(&[], |before| &before.names);
        // A name that was there already may be a name in text only from now on.
        let is_other_kind = before.as_ref().is_some_and(|before| before.kind != revision.kind);
        let changed = revision.names.iter().filter(|key| is_other_kind || !names_before.contains(key));
        touched.keys.extend(changed.chain(names_before.iter().filter(|key| !revision.names.contains(key))));
        self.table.push(revision);
    }

    fn revision(&mut self, prepared: &Prepared) -> Revision {
        let Observation { record, revision, .. } = &prepared.observation;
        let intern = |table: &mut Table, keys: &[String]| -> Box<[KeyId]> {
            keys.iter().map(|key| table.intern(key)).collect()
        };
        let mut names = intern(&mut self.table, &prepared.names);
        names.sort_unstable();
        let links = prepared
            .links
            .iter()
            .map(|link| KeyedLink {
                relation: link.relation,
                keys: intern(&mut self.table, &link.keys),
                label: link.label.as_str().into(),
            })
            .collect();
        let subject = intern(&mut self.table, &prepared.subject);
        let filed = category_key(&record.category).filter(|_| record.kind.is_ticket());
        let filed = filed.map(|key| self.table.intern(&key));
        Revision {
            position: prepared.position,
            id: record.id.clone(),
            kind: record.kind,
            title: record.title.as_str().into(),
            state: record.state,
            impact: record.impact,
            urgency: record.urgency,
            filed,
            created: record.created,
            modified: record.modified,
            resolved: record.resolved,
            valid_until: record.valid_until,
            observed: prepared.observed,
            audience: record.audience.clone().into(),
            revision: revision.as_str().into(),
            mentions: self.mentions(&record.title, &prepared.words, &names),
            names,
            links,
            subject,
            passages: prepared.passages.clone().into(),
            passage_hashes: prepared.passage_hashes.clone().into(),
            digest: prepared.digest,
        }
    }
}

fn open_vectors(folder: &Folder, embedder: Option<&dyn Embedder>) -> Result<Option<VectorIndex>, DeskError> {
    let open = |embedder: &dyn Embedder| {
        // Few in tests, so that a handful of passages is sealed.
        let seal_from = if cfg!(test) { 24 } else { VectorSettings::default().seal_from };
        let settings = VectorSettings { seal_from, ..VectorSettings::default() };
        VectorIndex::open(&folder.vectors(), embedder.dimensions(), settings)
    };
    Ok(embedder.map(open).transpose()?)
}

/// An entry of the log, ready for the indexes.
pub(super) struct Taken {
    pub(super) position: u64,
    observed: Timestamp,
    pub(super) record: RecordId,
    pub(super) content: TakenContent,
}

pub(super) enum TakenContent {
    Prepared(Box<Prepared>),
    /// An upsert whose payload was purged.
    Nothing,
    Gone {
        purge: bool,
    },
}

impl Taken {
    pub(super) fn all(entries: Vec<Entry>) -> Vec<Self> {
        entries.into_par_iter().map(Self::one).collect()
    }

    fn one(entry: Entry) -> Self {
        let content = match entry.operation {
            Operation::Upsert(observation) => {
                TakenContent::Prepared(Box::new(prepare(entry.position, *observation)))
            }
            Operation::Erased => TakenContent::Nothing,
            Operation::Delete => TakenContent::Gone { purge: false },
            Operation::Purge => TakenContent::Gone { purge: true },
        };
        Self { position: entry.position, observed: entry.observed, record: entry.record, content }
    }

    pub(super) fn prepared(&self) -> Option<&Prepared> {
        match &self.content {
            TakenContent::Prepared(prepared) => Some(prepared),
            _ => None,
        }
    }
}

impl Desk {
    /// Takes observations in: refuses what the shapes refuse, appends what is new, and shows it to readers.
    ///
    /// # Errors
    /// [`DeskError`]; what was appended by then is durable and is indexed when the desk is opened again.
    pub fn apply(&self, observations: Vec<Observation>) -> Result<Applied, DeskError> {
        let mut applied = Applied::default();
        let (valid, rejected): (Vec<_>, Vec<_>) =
            observations.into_par_iter().partition_map(|observation| match Self::refusal(&observation) {
                None => rayon::iter::Either::Left(observation),
                Some(reason) => rayon::iter::Either::Right(Rejected::of(observation, reason)),
            });
        self.quarantine().add(&rejected)?;
        applied.rejected = rejected;
        let mut indexes = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let outcomes = self.log.append(&valid)?;
        for (Observation { record, lineage, .. }, outcome) in valid.into_iter().zip(outcomes) {
            applied.count(outcome);
            match outcome {
                Appended::Superseded(position) => {
                    indexes.superseded.insert(record.id, (position, lineage));
                }
                _ => {
                    indexes.superseded.remove(&record.id);
                }
            }
        }
        applied.embedded = self.advance(&mut indexes)?;
        Ok(applied)
    }

    /// Ends a run of ingest, which has applied whole files: what [`Desk::apply`] took for the earlier of two states of a
    /// record is its state now if the later one did not come again. Returns how many records changed by that.
    ///
    /// # Errors
    /// [`DeskError`] when the log or an index cannot be written.
    pub fn end_run(&self) -> Result<u64, DeskError> {
        let mut indexes = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = Vec::new();
        for (position, lineage) in std::mem::take(&mut indexes.superseded).into_values() {
            let said = self.log.observation(position)?;
            last.extend(said.map(|said| Observation { lineage, ..said }));
        }
        let outcomes = self.log.append_last(&last)?;
        self.advance(&mut indexes)?;
        Ok(outcomes.iter().filter(|outcome| **outcome != Appended::Unchanged).count() as u64)
    }

    /// What [`Desk::apply`] would do, without doing it.
    ///
    /// # Errors
    /// [`DeskError`] when the log cannot be read.
    pub fn preview(&self, observations: &[Observation]) -> Result<Applied, DeskError> {
        let mut applied = Applied::default();
        for observation in observations {
            if let Some(reason) = Self::refusal(observation) {
                applied.rejected.push(Rejected::of(observation.clone(), reason));
                continue;
            }
            applied.count(self.log.foresee(observation)?);
        }
        Ok(applied)
    }

    /// Removes a record from every index; the log keeps its history. False when there is no such record.
    ///
    /// # Errors
    /// [`DeskError`] when the log or an index cannot be written.
    pub fn delete(&self, id: &RecordId, now: Timestamp) -> Result<bool, DeskError> {
        let mut indexes = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.superseded.remove(id);
        let deleted = self.log.delete(id, now)?.is_some();
        self.advance(&mut indexes)?;
        Ok(deleted)
    }

    /// Removes a record and erases its text from the log, the indexes, the quarantine and stored bundles. False when it was
    /// nowhere. Rewrites the graph's files, which takes a while on a large desk.
    ///
    /// # Errors
    /// [`DeskError`] when the log or an index cannot be written; then it is finished when the desk is opened again.
    pub fn purge(&self, id: &RecordId, now: Timestamp) -> Result<bool, DeskError> {
        let mut indexes = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.kept.purge();
        self.recall.forget();
        self.folder.begin_purge()?;
        indexes.superseded.remove(id);
        let purged = self.log.purge(id, now)?;
        self.advance(&mut indexes)?;
        if purged {
            indexes.is_torn = true;
            indexes.text.compact()?;
            self.show(&indexes)?;
            self.graph.compact()?;
            indexes.is_torn = false;
        }
        self.folder.end_purge()?;
        drop(indexes);
        self.keep_table(true);
        Ok(purged)
    }

    /// Why the shapes refuse a record, if they do.
    fn refusal(observation: &Observation) -> Option<String> {
        if let Err(error) = quads_of(&observation.record) {
            return Some(error.to_string());
        }
        let record = &observation.record;
        let own = |name: &String| record.names.iter().any(|own| own.eq_ignore_ascii_case(name));
        let said = triples(record, &|reference| match reference {
            Reference::Record(id) => vec![id.clone()],
            Reference::Name(name) if own(name) => vec![record.id.clone()],
            Reference::Name(_) => Vec::new(),
        });
        let report = ontology::record_shapes().validate(&said.iter().collect());
        let messages: Vec<String> = report.results.iter().map(ToString::to_string).collect();
        (!report.conforms).then(|| messages.join("; "))
    }
}

impl Applied {
    fn count(&mut self, outcome: Appended) {
        match outcome {
            Appended::New(_) => self.new += 1,
            Appended::Changed(_) => self.changed += 1,
            Appended::Unchanged | Appended::Superseded(_) => self.unchanged += 1,
        }
    }
}
