//! `mapping`: which mappings are there, and what does one make of a sample?

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ingest::MappingCheck;
use jiff::Timestamp;
use ontology::{Observation, Record, Reference, Rejected};

use crate::cli::Outcome;
use crate::command::ingest::mapping_choice;
use crate::output::{self, BAD, BOLD, DIM, GOOD, ID, WARN, paint};
use crate::settings::Global;

/// Rejected and skipped items that are shown.
const SHOWN: usize = 10;

/// Try a mapping on a sample and show the records that it gives.
#[derive(Debug, Args)]
pub(crate) struct Mapping {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the built-in mappings, in the order in which they are tried on a file
    List,
    /// Write the text of a built-in mapping, to begin one's own from
    Show {
        /// Its name
        name: String,
    },
    /// Show what a mapping makes of the first 1,000 items of a file; exit code 1 when something is wrong
    Check {
        /// The mapping: a file, or the name of a built-in one
        mapping: String,
        /// The file to try it on
        sample: PathBuf,
    },
}

impl Mapping {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::List => {
                let names: Vec<&str> = ingest::Mapping::builtin_names().collect();
                if global.json {
                    output::json(&names)?;
                } else {
                    names.iter().for_each(output::line);
                }
                Ok(Outcome::Fine)
            }
            Action::Show { name } => {
                ingest::Mapping::builtin(name)?;
                let text = ingest::Mapping::builtin_text(name).unwrap_or_default();
                if global.json {
                    output::json(&serde_json::json!({ "name": name, "text": text }))?;
                } else {
                    output::line(text.trim_end());
                }
                Ok(Outcome::Fine)
            }
            Action::Check { mapping, sample } => {
                let found = ingest::check(&mapping_choice(mapping)?, sample, Timestamp::now())?;
                if global.json {
                    output::json(&as_json(&found))?;
                } else {
                    show(&found);
                }
                let has_all =
                    found.rejected.is_empty() && found.problems.is_empty() && found.unfound.is_empty();
                let is_right = has_all && found.records > 0;
                Ok(if is_right { Outcome::Fine } else { Outcome::Attention })
            }
        }
    }
}

fn as_json(found: &MappingCheck) -> serde_json::Value {
    let skipped = found.skipped.iter().map(|skipped| {
        serde_json::json!({ "origin": skipped.origin, "place": skipped.place, "reason": skipped.reason })
    });
    serde_json::json!({
        "format": found.format.map(ingest::Format::as_str),
        "items": found.items,
        "records": found.records,
        "shown": found.shown,
        "rejected": found.rejected,
        "skipped": skipped.collect::<Vec<_>>(),
        "unmapped": found.unmapped,
        "unfound": found.unfound,
        "problems": found.problems,
    })
}

fn show(found: &MappingCheck) {
    for observation in &found.shown {
        show_record(observation);
    }
    let hidden = found.records.saturating_sub(found.shown.len());
    if hidden > 0 {
        output::line(paint(DIM, format!("and {hidden} more")));
    }
    if !found.unmapped.is_empty() {
        output::line(format!("\n{}", paint(BOLD, "Fields that the mapping reads nowhere")));
        found.unmapped.iter().for_each(|(field, items)| output::line(format!("{items:>6}  {field}")));
    }
    if !found.unfound.is_empty() {
        output::line(format!("\n{}", paint(WARN, "What it takes from fields that are not there")));
        found.unfound.iter().for_each(|what| output::line(format!("        {what}")));
    }
    if !found.problems.is_empty() {
        output::line(format!("\n{}", paint(WARN, "Values that it does not understand")));
        found.problems.iter().for_each(|(value, items)| output::line(format!("{items:>6}  {value}")));
    }
    for skipped in found.skipped.iter().take(SHOWN) {
        let place = skipped.place.map(|place| format!("{place}: ")).unwrap_or_default();
        output::line(paint(DIM, format!("skipped, {place}{}", skipped.reason)));
    }
    for rejected in found.rejected.iter().take(SHOWN) {
        output::line(format!("{} {}", paint(BAD, "rejected,"), where_and_why(rejected)));
    }
    let rejected = match found.rejected.len() {
        0 => paint(GOOD, "0 rejected"),
        number => paint(BAD, format!("{number} rejected")),
    };
    output::line(format!(
        "\n{}: {} make {}, {} skipped, {rejected}",
        found.format.map_or("no file", ingest::Format::as_str),
        output::count(found.items as u64, "item", "items"),
        output::count(found.records as u64, "record", "records"),
        found.skipped.len(),
    ));
}

/// Place and reason of a rejection in one line.
pub(crate) fn where_and_why(rejected: &Rejected) -> String {
    let place = rejected.lineage.place.map(|place| format!(" {place}")).unwrap_or_default();
    format!("{}{place}: {}", rejected.lineage.origin, output::shorten(&rejected.reason, 300))
}

fn show_record(observation: &Observation) {
    let record = &observation.record;
    let state =
        record.state.map(|state| format!(", {}", state.as_str().replace('_', " "))).unwrap_or_default();
    let kind = record.kind.as_str().replace('_', " ");
    output::line(format!(
        "{} {kind}{state}  {}",
        paint(ID, &record.id),
        paint(BOLD, output::shorten(&record.title, 80))
    ));
    if record.names.iter().any(|name| name != record.id.external()) {
        output::line(paint(DIM, format!("    names {}", output::shorten(&record.names.join(", "), 100))));
    }
    let facts = facts(record);
    if !facts.is_empty() {
        output::line(paint(DIM, format!("    {}", facts.join(", "))));
    }
    for link in &record.links {
        let target = match &link.target {
            Reference::Record(id) => id.as_str(),
            Reference::Name(name) => name,
        };
        output::line(paint(DIM, format!("    {} {target}", link.relation.as_str().replace('_', " "))));
    }
    for section in &record.sections {
        let steps = match section.steps.len() {
            0 => String::new(),
            steps => format!(" ({steps} steps)"),
        };
        let kind = section.kind.as_str().replace('_', " ");
        let author = section.author.as_ref().map(|author| format!(" by {author}")).unwrap_or_default();
        let written = section.written.map(|at| format!(", {}", output::moment(at))).unwrap_or_default();
        let text = paint(DIM, output::shorten(&section.text, 80));
        output::line(format!("    {kind}{steps}{author}{written}: {text}"));
    }
}

/// Ranks, category and dates, those that there are.
fn facts(record: &Record) -> Vec<String> {
    let ranks =
        [("priority", record.priority), ("impact", record.impact), ("urgency", record.urgency)].into_iter();
    let ranks = ranks.filter_map(|(name, rank)| Some(format!("{name} {}", rank?)));
    let category = (!record.category.is_empty()).then(|| format!("category {}", record.category.join("/")));
    let dates = [
        ("created", record.created),
        ("modified", record.modified),
        ("resolved", record.resolved),
        ("valid until", record.valid_until),
    ];
    let dates = dates.into_iter().filter_map(|(name, at)| Some(format!("{name} {}", output::moment(at?))));
    ranks.chain(category).chain(dates).collect()
}
