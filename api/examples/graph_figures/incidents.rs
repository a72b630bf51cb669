//! What does structure tell where there is no text? The BPI Challenge 2014's incidents, as a user ingests them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use engine::{Desk, PrecedentRequest, Sought, Subject};
use ingest::MappingChoice;
use ontology::{Observation, Relation, Scope, TenantId};

use crate::tally::Tally;
use crate::{linked, read};

/// The mapping of the incidents.
const INCIDENTS: &str = "ingest/presets/examples/bank-incidents.toml";
/// Incidents without text: the first 70 % of the rows are what is known, the last 30 % are asked.
pub(crate) fn incidents(file: &Path) -> Result<()> {
    let mapping =
        MappingChoice::File { name: INCIDENTS.to_owned(), text: std::fs::read_to_string(INCIDENTS)? };
    let rows = read(&[file.to_owned()], Some(mapping))?;
    let (known, asked) = rows.split_at(rows.len() * 7 / 10);
    let mut of_all: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_item: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for Observation { record, .. } in known {
        for page in linked(record, Relation::ResolvedBy) {
            *of_all.entry(page).or_default() += 1;
            for item in linked(record, Relation::Affects).take(1) {
                *of_item.entry(item).or_default().entry(page).or_default() += 1;
            }
        }
    }
    let ordered = |counts: &BTreeMap<&str, usize>| -> Vec<String> {
        let mut pages: Vec<(&str, usize)> = counts.iter().map(|(page, count)| (*page, *count)).collect();
        pages.sort_by_key(|(page, count)| (std::cmp::Reverse(*count), *page));
        pages.into_iter().map(|(page, _)| page.to_owned()).collect()
    };
    let everywhere = ordered(&of_all);
    let folder = tempfile::tempdir()?;
    let tenant = TenantId::new("incidents")?;
    let desk = Desk::open(folder.path(), &tenant, None)?;
    let scope = Scope::operator(tenant);
    for chunk in known.chunks(512) {
        desk.apply(chunk.to_vec())?;
    }
    let (mut by_item, mut by_precedent) = (Tally::default(), Tally::default());
    let mut times: Vec<u128> = Vec::new();
    for Observation { record, .. } in asked {
        let right: Vec<String> = linked(record, Relation::ResolvedBy).map(str::to_owned).collect();
        let item = linked(record, Relation::Affects).next().and_then(|item| of_item.get(item));
        let mut looked_up = item.map_or_else(Vec::new, &ordered);
        let more: Vec<String> =
            everywhere.iter().filter(|page| !looked_up.contains(page)).take(10).cloned().collect();
        looked_up.extend(more);
        by_item.add(&looked_up, &right);
        let mut ticket = record.clone();
        ticket.links.retain(|link| link.relation == Relation::Affects);
        let request = PrecedentRequest::new(Subject::Ticket(Box::new(ticket)), Sought::Page);
        let started = std::time::Instant::now();
        let found = desk.precedents(&scope, &request)?.found;
        times.push(started.elapsed().as_micros());
        let names: Vec<String> = found.into_iter().map(|precedent| precedent.name).collect();
        by_precedent.add(&names, &right);
    }
    println!("incidents without text: {} known, {} asked for the article", known.len(), asked.len());
    by_item.show("look-up by item");
    by_precedent.show("precedents");
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0) as f64 / 1000.0;
    println!("  time of one: half {:.1} ms, 99 % {:.1} ms", at(50), at(99));
    Ok(())
}
