//! Is a mapping right? What it makes of a sample and what it leaves out; and another try at what was rejected.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use ontology::{Audience, Lineage, Observation, Rejected};
use serde_json::Value;

use crate::format::{markdown_document, parse_yaml};
use crate::mapping::{Given, Outcome, covers, leaves, texts_at};
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
    while let Some((fields, item)) = reader.next_with_fields().filter(|_| found.items < SAMPLE_ITEMS) {
        found.items += 1;
        if let Some(fields) = &fields {
            for (path, _) in leaves(fields) {
                if !path.starts_with('$') && !paths.iter().any(|taken| covers(taken, &path)) {
                    *found.unmapped.entry(path).or_default() += 1;
                }
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
    Ok(found)
}

/// Tries a rejected item again, after its mapping was mended.
///
/// # Errors
/// The rejection as it now is, when still no record can be made of it.
pub fn retry(
    rejected: &Rejected,
    mapping: &Mapping,
    audience: &[Audience],
    observed: Timestamp,
) -> Result<Box<Observation>, Box<Rejected>> {
    let lineage = Lineage { mapping: mapping.name().to_owned(), observed, ..rejected.lineage.clone() };
    let again = |record, reason| {
        let lineage = lineage.clone();
        Err(Box::new(Rejected { lineage, record, reason, ..rejected.clone() }))
    };
    let value = match fields(rejected) {
        Ok(value) => value,
        Err(reason) => return again(rejected.record.clone(), reason),
    };
    let text = |key: &str| texts_at(&value, key).first().map(|text| text.clone().into_owned());
    let path = text("$path").unwrap_or_else(|| rejected.lineage.origin.clone());
    let fallback_id = match (text("$format").as_deref(), text("$ordinal")) {
        (Some("markdown") | None, _) => path,
        (_, Some(ordinal)) => format!("{path}#{ordinal}"),
        (_, None) => path,
    };
    let given = Given { source: &rejected.source, lineage: &lineage, audience, fallback_id: &fallback_id };
    match mapping.apply(&value, &given) {
        Outcome::Record { observation, .. } => Ok(observation),
        Outcome::Skipped { reason } => again(None, format!("the mapping skips it: {reason}")),
        Outcome::Rejected { record, reason } => again(record, reason),
    }
}

/// The fields of a rejected item, from what quarantine kept of it.
fn fields(rejected: &Rejected) -> Result<Value, String> {
    let raw = rejected.raw.as_str();
    if raw.is_empty() {
        return Err("nothing of it was kept: mend the file and ingest it again".to_owned());
    }
    let parsed = match Format::of_name(&rejected.lineage.origin) {
        _ if raw.starts_with('{') => serde_json::from_str(raw).map_err(|error| error.to_string()),
        Some(Format::Markdown) => markdown_document(raw),
        Some(Format::Yaml) => parse_yaml(raw, 1),
        _ => Err("it is no object".to_owned()),
    };
    parsed.map_err(|error| format!("{}: {error}", rejected.reason))
}
