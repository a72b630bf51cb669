//! How do items come into a desk? A batch at a time, each item counted once, what is rejected into quarantine.

use std::collections::BTreeMap;

use engine::{Applied, Desk, DeskError};
use ingest::{Item, QuadBlock};
use ontology::{Kind, Observation, Record, RecordId, Rejected, Section, SectionKind};
use serde::Serialize;

/// Items that are taken at a time.
const BATCH: usize = 512;
/// Bytes of text that are written at a time; a single item may have half as many.
const BATCH_BYTES: usize = 32 * 1024 * 1024;
/// Rejections that are told; all of them are in quarantine.
const REJECTED_TOLD: usize = 20;

/// What became of items.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Pumped {
    /// Things that stood in the files; each is in exactly one of the counts below.
    pub(crate) items: u64,
    #[serde(flatten)]
    pub(crate) applied: Applied,
    pub(crate) quarantined: u64,
    pub(crate) skipped: u64,
    /// Why things were skipped.
    pub(crate) skipped_for: BTreeMap<String, u64>,
    /// The first that were rejected, by reader or shapes.
    #[serde(skip)]
    pub(crate) rejected: Vec<Rejected>,
}

/// Takes items into a desk, until it is [ended](Self::end).
pub(crate) struct Pump<'d> {
    desk: &'d Desk,
    is_plan: bool,
    pumped: Pumped,
    batch: Vec<Observation>,
    batch_bytes: usize,
    rejected: Vec<Rejected>,
    /// Items since the last batch was written.
    waiting: usize,
    /// Blocks of statements so far, by their file.
    blocks: BTreeMap<String, u64>,
}

impl<'d> Pump<'d> {
    /// A pump for one run of whole files; a plan only looks at what would be written.
    pub(crate) fn new(desk: &'d Desk, is_plan: bool) -> Self {
        Self {
            desk,
            is_plan,
            pumped: Pumped::default(),
            batch: Vec::with_capacity(BATCH),
            batch_bytes: 0,
            rejected: Vec::new(),
            waiting: 0,
            blocks: BTreeMap::new(),
        }
    }

    /// Takes one item. Says whether it filled a batch, which then was written.
    pub(crate) fn take(&mut self, item: Item) -> Result<bool, DeskError> {
        self.pumped.items += 1;
        self.waiting += 1;
        match item {
            Item::Observation(observation) => self.add(*observation),
            Item::Rejected(rejected) => self.rejected.push(*rejected),
            Item::Skipped(skipped) => {
                self.pumped.skipped += 1;
                *self.pumped.skipped_for.entry(skipped.reason).or_default() += 1;
            }
            Item::Quads(block) => {
                let ordinal = self.blocks.entry(block.lineage.origin.clone()).or_default();
                *ordinal += 1;
                match dataset(block, *ordinal) {
                    Ok(observation) => self.add(observation),
                    Err(rejected) => self.rejected.push(*rejected),
                }
            }
        }
        // Skipped items count too: whoever waits is told how far it is, and can stop it.
        let is_full = self.waiting >= BATCH || self.batch_bytes >= BATCH_BYTES;
        if is_full {
            self.write()?;
        }
        Ok(is_full)
    }

    /// What became of the items of all batches that were written.
    pub(crate) fn so_far(&self) -> &Pumped {
        &self.pumped
    }

    /// Writes what is left, and ends the run.
    pub(crate) fn end(mut self) -> Result<Pumped, DeskError> {
        self.write()?;
        if !self.is_plan {
            let late = self.desk.end_run()?;
            self.pumped.applied.changed += late;
            self.pumped.applied.unchanged -= late;
        }
        Ok(self.pumped)
    }

    fn add(&mut self, observation: Observation) {
        self.batch_bytes +=
            observation.record.sections.iter().map(|section| section.text.len()).sum::<usize>();
        self.batch.push(observation);
    }

    fn write(&mut self) -> Result<(), DeskError> {
        (self.batch_bytes, self.waiting) = (0, 0);
        let rejected = std::mem::take(&mut self.rejected);
        // Quarantine first: when the desk fails, what the reader rejected is not lost with it.
        if !self.is_plan {
            self.desk.quarantine().add(&rejected)?;
        }
        let observations = std::mem::take(&mut self.batch);
        let applied =
            if self.is_plan { self.desk.preview(&observations)? } else { self.desk.apply(observations)? };
        let Pumped { applied: sum, quarantined, rejected: told, .. } = &mut self.pumped;
        sum.new += applied.new;
        sum.changed += applied.changed;
        sum.unchanged += applied.unchanged;
        sum.embedded += applied.embedded;
        *quarantined += (rejected.len() + applied.rejected.len()) as u64;
        let room = REJECTED_TOLD.saturating_sub(told.len());
        told.extend(rejected.into_iter().chain(applied.rejected).take(room));
        Ok(())
    }
}

/// RDF as a record: its statements stand in its text, as N-Quads.
fn dataset(block: QuadBlock, ordinal: u64) -> Result<Observation, Box<Rejected>> {
    let QuadBlock { source, lineage, quads } = block;
    let name = format!("{}#{ordinal}", lineage.origin);
    let text: String = quads.iter().map(|quad| format!("{quad} .\n")).collect();
    match RecordId::from_parts(&source, &name) {
        Ok(id) => {
            let mut record = Record::new(id, Kind::Dataset, name);
            record.sections.push(Section::new(SectionKind::Other, text));
            Ok(Observation::unversioned(record, lineage))
        }
        Err(error) => {
            let reason = error.to_string();
            Err(Box::new(Rejected { source, lineage, record: None, reason, raw: name, retry: None }))
        }
    }
}
