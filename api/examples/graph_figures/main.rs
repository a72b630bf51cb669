//! What does the graph add to text? `cargo run -p api --example graph_figures [--incidents FILE]`
//!
//! On the demo desk: which page and which team a ticket gets by text alone, by structure alone, and by both; and the search
//! for its page with each leg left out in turn. Asked are the incoming tickets and every solved incident as it first came
//! in, which is taken out of the desk for that long. `--incidents` takes the BPI Challenge 2014's table: structure and no text.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod cases;
mod demo;
mod incidents;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use ingest::{Item, MappingChoice, Request};
use models::MiniLm;
use ontology::{Observation, Record, Reference, Relation};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let flag = |name: &str| {
        arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1)).cloned()
    };
    if let Some(file) = flag("--incidents") {
        incidents::incidents(Path::new(&file))?;
    }
    let models = flag("--models").map_or_else(default_models, PathBuf::from);
    demo::demo(Arc::new(MiniLm::open(&models.join("all-MiniLM-L6-v2"))?))
}

fn default_models() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_default();
    Path::new(&home).join(".cache/triagraph/models")
}

fn read(paths: &[PathBuf], mapping: Option<MappingChoice>) -> Result<Vec<Observation>> {
    let observed = "2026-11-23T12:00:00Z".parse()?;
    let request = Request { paths: paths.to_vec(), source: None, mapping, observed, audience: Vec::new() };
    let mut observations = Vec::new();
    for item in ingest::open(&request)? {
        if let Item::Observation(observation) = item {
            observations.push(*observation);
        }
    }
    Ok(observations)
}

fn linked(record: &Record, relation: Relation) -> impl Iterator<Item = &str> {
    let links = record.links.iter().filter(move |link| link.relation == relation);
    links.filter_map(|link| match &link.target {
        Reference::Name(name) => Some(name.as_str()),
        Reference::Record(_) => None,
    })
}
