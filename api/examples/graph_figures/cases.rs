//! Which tickets are asked, and what is right for each? The demo desk's incoming tickets and its solved incidents.

use std::path::Path;

use anyhow::{Context, Result};
use ontology::{Observation, Record, Relation, SectionKind};
use toml::Value;

use crate::{linked, read};

/// A ticket to ask, and what is right.
pub(crate) struct Case {
    pub(crate) ticket: Record,
    pub(crate) pages: Vec<String>,
    pub(crate) teams: Vec<String>,
    /// Tickets that tell the same.
    pub(crate) twins: Vec<String>,
    /// As the desk has it, where it has.
    pub(crate) kept: Option<Observation>,
}

pub(crate) fn incoming(root: &Path, expected: &Value) -> Result<Vec<Case>> {
    let all = expected.get("incoming").and_then(Value::as_array).context("no incoming tickets")?;
    let mut cases = Vec::new();
    for Observation { record, .. } in read(&[root.join("incoming")], None)? {
        let number = |one: &&Value| one.get("number").and_then(Value::as_str) == Some(record.id.external());
        let one = all.iter().find(number).context("an incoming ticket is not expected")?;
        let list = |key: &str| -> Vec<String> {
            let values = one.get(key).and_then(Value::as_array).into_iter().flatten();
            values.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        if one.get("answerable").and_then(Value::as_bool) == Some(true) {
            let team = one.get("team").and_then(Value::as_str).map(str::to_owned);
            let teams = team.into_iter().chain(list("team_also_right")).collect();
            cases.push(Case {
                pages: list("documents"),
                teams,
                twins: Vec::new(),
                kept: None,
                ticket: record,
            });
        }
    }
    Ok(cases)
}

/// The solved incidents as they came in: what the caller told, and what is hit.
pub(crate) fn solved(root: &Path, expected: &Value) -> Result<Vec<Case>> {
    let used = expected.get("document_used").and_then(Value::as_table).context("no document_used")?;
    let mut cases = Vec::new();
    for kept in read(&[root.join("tickets/servicenow_incident.json")], None)? {
        let record = &kept.record;
        let is_duplicate = record.attributes.get("close_code").is_some_and(|code| code == "Duplicate");
        if is_duplicate || !record.state.is_some_and(ontology::State::is_resolved) {
            continue;
        }
        let page = used.get(record.id.external()).and_then(Value::as_str).map(current);
        let teams = linked(record, Relation::AssignedTo).map(str::to_owned).collect();
        cases.push(Case {
            ticket: as_new(record),
            pages: page.into_iter().collect(),
            teams,
            twins: Vec::new(),
            kept: Some(kept.clone()),
        });
    }
    Ok(cases)
}

/// The tickets that were closed as duplicates, as they came in, each with those of the same matter.
pub(crate) fn duplicates(root: &Path, expected: &Value) -> Result<Vec<Case>> {
    let said = expected.get("duplicates").and_then(Value::as_table).context("no duplicates")?;
    let pairs = said.values().filter_map(Value::as_array).flatten().filter_map(Value::as_array);
    let pairs: Vec<[&str; 2]> =
        pairs.filter_map(|pair| Some([pair.first()?.as_str()?, pair.get(1)?.as_str()?])).collect();
    let files = ["servicenow_incident.json", "jira_issues.csv"].map(|file| root.join("tickets").join(file));
    let mut cases = Vec::new();
    for kept in read(&files, None)? {
        let number = kept.record.id.external().to_owned();
        let Some([_, first]) = pairs.iter().find(|[duplicate, _]| *duplicate == number) else { continue };
        let others = pairs.iter().filter(|[duplicate, of]| of == first && *duplicate != number);
        let twins = others.map(|[duplicate, _]| *duplicate).chain([*first]).map(str::to_owned).collect();
        let ticket = as_new(&kept.record);
        cases.push(Case { ticket, pages: Vec::new(), teams: Vec::new(), twins, kept: Some(kept) });
    }
    Ok(cases)
}

fn as_new(record: &Record) -> Record {
    let mut ticket = record.clone();
    let told =
        [SectionKind::Description, SectionKind::Symptom, SectionKind::Environment, SectionKind::Diagnosis];
    ticket.sections.retain(|section| told.contains(&section.kind));
    ticket.links.retain(|link| matches!(link.relation, Relation::Affects | Relation::ReportedBy));
    (ticket.category, ticket.priority, ticket.state) = (Vec::new(), None, None);
    ticket
}

/// A page that another one replaced is right no more: the tickets of both count for the new one.
pub(crate) fn current(file: &str) -> String {
    match file {
        "vpn-mfa-reset-legacy.md" => "vpn-mfa-reset-2026.md",
        "print-spooler-2024.md" => "print-spooler.md",
        file => file,
    }
    .to_owned()
}
