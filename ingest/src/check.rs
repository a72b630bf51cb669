//! Is a mapping right? What it makes of a sample and what it leaves out; and another try at what was rejected.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use ontology::{Lineage, Observation, Rejected, Retry};
use serde_json::Value;

use crate::mapping::{Given, Outcome, Repeats, covers, leaves};
use crate::plan::{MappingChoice, Plan, Request};
use crate::reader::{Item, Reader, Skipped};
use crate::{Format, IngestError, Mapping};

/// Items of a sample that are looked at.
const SAMPLE_ITEMS: usize = 1_000;
/// Records that are shown.
const SHOWN_RECORDS: usize = 20;

/// What a mapping makes of a sample.
#[derive(Debug, Default)]
pub struct MappingCheck {
    /// How the sample is written.
    pub format: Option<Format>,
    /// Items that were looked at.
    pub items: usize,
    /// Records that were made, in all.
    pub records: usize,
    /// The first of them.
    pub shown: Vec<Observation>,
    /// What no record was made of.
    pub rejected: Vec<Rejected>,
    /// What is no record on purpose.
    pub skipped: Vec<Skipped>,
    /// Filled fields that the mapping reads nowhere, and in how many items.
    pub unmapped: BTreeMap<String, usize>,
    /// Ids and titles that the mapping takes from fields which no item has.
    pub unfound: Vec<String>,
    /// Values that the mapping reads and does not understand, and in how many items.
    pub problems: BTreeMap<String, usize>,
}

/// Tries a mapping on the first 1,000 items of a file.
///
/// # Errors
/// [`IngestError`] when the mapping is wrong (with its line) or the sample cannot be read.
pub fn check(
    choice: &MappingChoice,
    sample: &Path,
    observed: Timestamp,
) -> Result<MappingCheck, IngestError> {
    let mapping = choice.load()?;
    let request = Request {
        paths: vec![sample.to_owned()],
        source: None,
        mapping: Some(choice.clone()),
        observed,
        audience: Vec::new(),
    };
    let plan = Plan::of(&request)?;
    let mut found =
        MappingCheck { format: plan.files.first().map(|file| file.format), ..MappingCheck::default() };
    let mut reader = Reader::new(plan, &request);
    let paths = mapping.paths();
    let mut required: BTreeMap<String, bool> = BTreeMap::new();
    while let Some((fields, item)) = reader.next_with_fields().filter(|_| found.items < SAMPLE_ITEMS) {
        found.items += 1;
        if let Some(fields) = &fields {
            for (path, _) in leaves(fields) {
                if !path.starts_with('$') && !paths.iter().any(|taken| covers(taken, &path)) {
                    *found.unmapped.entry(path).or_default() += 1;
                }
            }
            let wanted = if matches!(item, Item::Skipped(_)) { Vec::new() } else { mapping.required(fields) };
            for (what, is_there) in wanted {
                *required.entry(what).or_default() |= is_there;
            }
            for problem in mapping.unknown_values(fields) {
                *found.problems.entry(problem).or_default() += 1;
            }
        }
        match item {
            Item::Observation(observation) => {
                found.records += 1;
                if found.shown.len() < SHOWN_RECORDS {
                    found.shown.push(*observation);
                }
            }
            Item::Rejected(rejected) => found.rejected.push(*rejected),
            Item::Skipped(skipped) => found.skipped.push(skipped),
            Item::Quads(_) => {}
        }
    }
    found.unfound = required.into_iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect();
    Ok(found)
}

/// Tries a rejected item again, after its mapping was mended; without one, with the built-in one that it was read with.
///
/// What shapes refused comes back as it was. Who may see the item and what it is called without an id is as in its first run.
///
/// # Errors
/// In words, why there is still no record of it, and what to do.
pub fn retry(
    rejected: &Rejected,
    mapping: Option<&Mapping>,
    observed: Timestamp,
) -> Result<Box<Observation>, String> {
    if let Some(mut observation) = rejected.observation() {
        observation.lineage.observed = observed;
        return Ok(Box::new(observation));
    }
    let again = |why: &str| format!("{}; {why}: mend the file and ingest it again", rejected.reason);
    let Some(Retry::Fields { audience, fallback_id }) = &rejected.retry else {
        return Err(again("what was kept of it is not the whole item"));
    };
    let fields: Value =
        serde_json::from_str(&rejected.raw).map_err(|_no_json| again("what was kept of it is damaged"))?;
    let builtin;
    let mapping = match mapping {
        Some(mapping) => mapping,
        None => {
            let name = &rejected.lineage.mapping;
            let unknown = |_| format!("{} (give its mapping, {name}, with --mapping)", rejected.reason);
            builtin = Mapping::builtin(name).map_err(unknown)?;
            &builtin
        }
    };
    let lineage = Lineage { mapping: mapping.name().to_owned(), observed, ..rejected.lineage.clone() };
    let given = Given { source: &rejected.source, lineage: &lineage, audience, fallback_id };
    match mapping.apply(&fields, &given) {
        Outcome::Record { observation, repeats: Repeats::Revise } => Ok(observation),
        Outcome::Record { observation, .. } => Err(format!(
            "only its whole file tells whether {} came before: ingest the file again",
            observation.record.id
        )),
        Outcome::Skipped { reason } => Err(format!("the mapping skips it: {reason}")),
        Outcome::Rejected { reason, .. } => Err(reason),
    }
}
