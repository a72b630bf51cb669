//! How does a BEIR folder become a desk? In a temporary index, with ids that tell nothing.
//!
//! A corpus may name its documents so that the names give the answers away, or sort them like the questions. So a document
//! is known here by a hash of its id: no word of it is searched, and ties break by chance.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use engine::Desk;
use ingest::{Item, MappingChoice, Request};
use jiff::Timestamp;
use ontology::{Observation, Record, RecordId};
use sha2::{Digest, Sha256};

use crate::output;

/// Records that are written at a time.
const BATCH: usize = 512;

/// Which document is which.
#[derive(Default)]
pub(super) struct Originals {
    /// The ids that the corpus gives its documents, by the ids that they have in the index.
    ids: BTreeMap<String, String>,
    records: BTreeMap<String, RecordId>,
}

impl Originals {
    /// The id that the corpus gives a record.
    pub(super) fn id(&self, record: &RecordId) -> Option<&str> {
        self.ids.get(record.external()).map(String::as_str)
    }

    /// The record of a document.
    pub(super) fn record(&self, id: &str) -> Option<&RecordId> {
        self.records.get(id)
    }
}

/// Takes a corpus into a desk.
pub(super) fn fill(desk: &Desk, corpus: &Path) -> anyhow::Result<Originals> {
    let request = Request {
        paths: vec![corpus.to_owned()],
        source: None,
        mapping: Some(MappingChoice::Builtin("beir".to_owned())),
        observed: Timestamp::UNIX_EPOCH,
        audience: Vec::new(),
    };
    let mut originals = Originals::default();
    let mut batch: Vec<Observation> = Vec::new();
    for item in ingest::open(&request)? {
        match item {
            Item::Observation(mut observation) => {
                let original = hide(&mut observation.record)?;
                let record = &observation.record.id;
                originals.ids.insert(record.external().to_owned(), original.clone());
                originals.records.insert(original, record.clone());
                batch.push(*observation);
            }
            Item::Rejected(rejected) => bail!("{}: {}", rejected.lineage.origin, rejected.reason),
            Item::Skipped(_) | Item::Quads(_) => {}
        }
        if batch.len() == BATCH {
            take_in(desk, std::mem::take(&mut batch))?;
        }
    }
    take_in(desk, batch)?;
    desk.seal()?;
    Ok(originals)
}

/// Gives a record another id: the hash of its own, which is returned.
fn hide(record: &mut Record) -> anyhow::Result<String> {
    let original = record.id.external().to_owned();
    let hash = Sha256::digest(&original);
    let hidden: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    record.id = RecordId::from_parts(&record.id.source_id(), &hidden)?;
    record.names.retain(|name| *name != original);
    Ok(original)
}

/// A document that is missing from the index would be measured as one that was not found.
fn take_in(desk: &Desk, batch: Vec<Observation>) -> anyhow::Result<()> {
    let refused = desk.apply(batch)?.rejected;
    if let Some(first) = refused.first() {
        let id = first.record.as_ref().map_or("a document", |id| id.as_str());
        bail!(
            "{} refused, such as {id}: {}",
            output::count(refused.len() as u64, "document is", "documents are"),
            first.reason
        );
    }
    Ok(())
}
