//! Is the desk whole? Counts of what is in it, and a proof that log, graph, text and vectors hold the same.

use std::collections::BTreeMap;

use ontology::{Observation, Scope};
use serde::{Deserialize, Serialize};

use crate::desk::{Desk, DeskError, Indexes, digest, is_searchable};
use crate::graph;
use crate::log::{BATCH_BYTES, Operation};
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::vectors::{PassageKey, TextHash};

/// Problems listed for each part; the others are counted.
const LISTED: usize = 20;

/// What is in a desk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whose desk.
    pub tenant: String,
    /// Position of the log that readers see.
    pub generation: u64,
    /// Whether every index shows the end of the log.
    pub ready: bool,
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
    /// Passages of current records.
    pub passages: u64,
    /// Quads of the graph.
    pub quads: u64,
    /// Links that lead to no record yet.
    pub pending_links: u64,
    /// Items in quarantine.
    pub quarantined: u64,
    /// The embedder of the index; `none` without one.
    pub embedder: String,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// Position of the log that was looked at.
    pub generation: u64,
    /// Revisions compared.
    pub revisions: u64,
    /// Passages compared.
    pub passages: u64,
    /// Graphs compared.
    pub graphs: u64,
    /// What is wrong, by part; empty when all is well.
    pub problems: Vec<Problem>,
}

impl Verification {
    /// Whether all parts hold the same.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `log`, `text`, `vectors` or `graph`.
    pub part: String,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

impl Desk {
    /// Counts what is in the desk.
    ///
    /// # Errors
    /// [`DeskError`] when a part cannot be read.
    pub fn status(&self) -> Result<Status, DeskError> {
        let snapshot = self.snapshot();
        let table = &snapshot.table;
        let visible = table.visible(&self.everything(), None);
        let mut records = BTreeMap::new();
        let (mut passages, mut pending_links) = (0, 0);
        for revision in table.glance(&visible) {
            *records.entry(revision.kind.as_str().to_owned()).or_default() += 1;
            passages += revision.passages.len() as u64;
            let unresolved = |link: &&crate::table::KeyedLink| {
                table.resolve_first(&link.keys, revision.id.source(), &visible).is_empty()
            };
            pending_links += revision.links.iter().filter(unresolved).count() as u64;
        }
        Ok(Status {
            tenant: self.tenant.to_string(),
            generation: snapshot.generation(),
            ready: self.is_ready()?,
            records,
            passages,
            quads: self.graph.len()? as u64,
            pending_links,
            quarantined: self.quarantine().count()?,
            embedder: self.folder.embedder().to_owned(),
        })
    }

    /// Holds every part against the log, by content hashes. Reads everything; writers wait.
    ///
    /// # Errors
    /// [`DeskError`] when the log itself cannot be read. A part that cannot be read is a problem in the result.
    pub fn verify(&self) -> Result<Verification, DeskError> {
        let indexes = self.pause_writer();
        let mut found = Findings::default();
        let snapshot = self.snapshot();
        found.result.generation = snapshot.generation();
        self.verify_log(&snapshot.table, &mut found)?;
        self.verify_text(&snapshot, &mut found);
        verify_vectors(&indexes, &snapshot, &mut found);
        self.verify_graph(&snapshot, &mut found)?;
        Ok(found.finish())
    }

    fn verify_log(&self, table: &Table, found: &mut Findings) -> Result<(), DeskError> {
        for problem in self.database.check()? {
            found.add("log", problem);
        }
        let mut position = 0;
        loop {
            let entries = match self.log.read_after(position, 1000, BATCH_BYTES) {
                Ok(entries) => entries,
                Err(error) => {
                    found.add("log", error.to_string());
                    return Ok(());
                }
            };
            let Some(last) = entries.last() else { return Ok(()) };
            position = last.position;
            let hashes = self.log.content_hashes(entries[0].position, position)?;
            for entry in &entries {
                if let Operation::Upsert(observation) = &entry.operation {
                    let hash = Observation::content_hash(&observation.record);
                    let what = format!("entry {} ({})", entry.position, entry.record);
                    if hashes.get(&entry.position).is_none_or(|kept| *kept != hash) {
                        found.add("log", format!("{what} is not what was written"));
                    }
                    // What a later entry deleted is not in the table; what is there is this.
                    let shown = table.revision(entry.position);
                    if shown.is_some_and(|shown| shown.digest != digest(&observation.record)) {
                        found.add("table", format!("{what} differs from the log"));
                    }
                }
            }
        }
    }

    fn verify_text(&self, snapshot: &Snapshot, found: &mut Findings) {
        let kept = snapshot.table.kept_revisions().filter(|revision| is_searchable(revision.kind));
        let expected: BTreeMap<u64, u64> =
            kept.map(|revision| (revision.position, revision.digest)).collect();
        found.result.revisions = expected.len() as u64;
        if let Err(error) = snapshot.text.check() {
            found.add("text", error.to_string());
        }
        match snapshot.text.documents() {
            Ok(documents) => found.compare("text", "revision", &expected, &documents.collect()),
            Err(error) => found.add("text", error.to_string()),
        }
    }

    fn verify_graph(&self, snapshot: &Snapshot, found: &mut Findings) -> Result<(), DeskError> {
        let visible = snapshot.table.visible(&self.everything(), None);
        let mut expected = BTreeMap::new();
        for revision in snapshot.table.current_revisions() {
            let change = match self.graph_change(&snapshot.table, &visible, revision.id.clone()) {
                Ok(change) => change,
                Err(error) => {
                    found.add("log", error.to_string());
                    continue;
                }
            };
            for (name, triples) in change.content.iter().flat_map(|content| content.graphs(&change.record)) {
                expected.insert(name.into_string(), graph::digest(&triples));
            }
        }
        found.result.graphs = expected.len() as u64;
        if let Err(error) = self.graph.check() {
            // Nothing that a damaged store says can be compared.
            found.add("graph", error.to_string());
            return Ok(());
        }
        let mut actual = BTreeMap::new();
        for row in self.graph.digests() {
            match row {
                Ok((name, digest)) => {
                    actual.insert(name, digest);
                }
                Err(error) => {
                    // A damaged store gives its error again and again: nothing after it can be trusted or compared.
                    found.add("graph", error.to_string());
                    return Ok(());
                }
            }
        }
        found.compare("graph", "graph", &expected, &actual);
        Ok(())
    }

    pub(crate) fn everything(&self) -> Scope {
        Scope::operator(self.tenant.clone())
    }
}

fn verify_vectors(indexes: &Indexes, snapshot: &Snapshot, found: &mut Findings) {
    let mut expected: BTreeMap<PassageKey, TextHash> = BTreeMap::new();
    for revision in snapshot.table.kept_revisions() {
        for (hash, ordinal) in revision.passage_hashes.iter().zip(0u16..) {
            expected.insert(PassageKey::new(revision.position, ordinal), TextHash(*hash));
        }
    }
    found.result.passages = expected.len() as u64;
    if let Err(error) = indexes.check_vectors() {
        found.add("vectors", error.to_string());
    }
    match indexes.passages() {
        Some(Ok(actual)) => found.compare("vectors", "passage", &expected, &actual),
        Some(Err(error)) => found.add("vectors", error.to_string()),
        None => {}
    }
}

/// Problems so far; long lists are cut.
#[derive(Default)]
struct Findings {
    result: Verification,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    fn add(&mut self, part: &'static str, detail: String) {
        let count = self.counts.entry(part).or_default();
        *count += 1;
        if *count <= LISTED {
            let remedy = if part == "log" {
                "restore the desk from a backup"
            } else {
                "run `triagraph reindex`: it builds the indexes anew from the record log"
            };
            self.result.problems.push(Problem { part: part.to_owned(), detail, remedy: remedy.to_owned() });
        }
    }

    fn compare<K: Ord + std::fmt::Display, V: PartialEq>(
        &mut self,
        part: &'static str,
        what: &str,
        expected: &BTreeMap<K, V>,
        actual: &BTreeMap<K, V>,
    ) {
        for (key, value) in expected {
            match actual.get(key) {
                None => self.add(part, format!("{what} {key} is missing")),
                Some(other) if other != value => self.add(part, format!("{what} {key} differs from the log")),
                Some(_) => {}
            }
        }
        for key in actual.keys().filter(|key| !expected.contains_key(key)) {
            self.add(part, format!("{what} {key} is not in the log"));
        }
    }

    fn finish(mut self) -> Verification {
        for (part, count) in self.counts.iter().filter(|(_, count)| **count > LISTED) {
            let (detail, remedy) = (format!("and {} more", count - LISTED), String::new());
            self.result.problems.push(Problem { part: (*part).to_owned(), detail, remedy });
        }
        self.result
    }
}
