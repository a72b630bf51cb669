//! How often is the triage agent right on the demo desk? `cargo run -p api --example triage_figures [--show NUMBER]`
//!
//! Three sets: the incoming tickets; every solved incident of the desk, asked again as it first came in, without what was
//! written later; and tickets of another desk (`--strangers FILE`), to which the demo desk has no answer.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use engine::Desk;
use ingest::{Item, Request};
use jiff::Timestamp;
use models::{Embedder, MiniLm};
use ontology::{Record, Relation, Scope, SectionKind, TenantId};
use toml::Value;
use triage::{Outcome, Triage, TriageOptions};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let flag = |name: &str| {
        arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1)).cloned()
    };
    let demo = PathBuf::from("datasets/demo");
    let models = flag("--models").map_or_else(default_models, PathBuf::from);
    let embedder: Arc<dyn Embedder> = Arc::new(MiniLm::open(&models.join("all-MiniLM-L6-v2"))?);
    let data = tempfile::tempdir()?;
    let tenant = TenantId::new("demo")?;
    let desk = Desk::open(data.path(), &tenant, Some(embedder))?;
    let folders = ["cmdb", "knowledge", "alerts", "tickets"].map(|folder| demo.join(folder));
    for chunk in read(&folders)?.chunks(256) {
        desk.apply(chunk.to_vec())?;
    }
    let expected: Value = toml::from_str(&std::fs::read_to_string(demo.join("expected.toml"))?)?;
    let now: Timestamp = "2026-11-23T12:00:00Z".parse()?;
    let scope = Scope::operator(tenant);
    let run = |record: &Record| triage::triage(&desk, &scope, record, &TriageOptions::default(), now);

    println!("incoming");
    for observation in read(&[demo.join("incoming")])? {
        let triage = run(&observation.record)?;
        if flag("--show").is_some_and(|number| number == triage.ticket.external()) {
            println!("{}", serde_json::to_string_pretty(&triage)?);
        }
        incoming(&triage, &expected)?;
    }
    leave_one_out(&demo, &expected, &run)?;
    if let Some(file) = flag("--strangers") {
        let mut strengths: Vec<f64> = Vec::new();
        let mut answered = 0;
        for observation in read(&[PathBuf::from(file)])?.iter().step_by(STRANGERS_STEP).take(STRANGERS) {
            let triage = run(&as_new(&observation.record))?;
            answered += usize::from(triage.outcome == Outcome::Answered);
            strengths.push(triage.strength.score);
            if triage.outcome == Outcome::Answered {
                println!(
                    "  stranger answered: {:.2} {:.2?} {:.2} {:.2} {:.2} | {} -> {:?}",
                    triage.strength.score,
                    triage.strength.cosine,
                    triage.strength.coverage,
                    triage.strength.agreement,
                    triage.strength.margin,
                    triage.title,
                    triage.page.map(|page| page.title)
                );
            }
        }
        println!(
            "strangers: {} tickets, {answered} answered, strength {}",
            strengths.len(),
            quantiles(&mut strengths)
        );
    }
    Ok(())
}

/// Tickets of another desk that are asked: the step from one to the next, and how many.
const STRANGERS: usize = 150;
const STRANGERS_STEP: usize = 17;

fn default_models() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_default();
    Path::new(&home).join(".cache/triagraph/models")
}

fn read(paths: &[PathBuf]) -> Result<Vec<ontology::Observation>> {
    let request = Request {
        paths: paths.to_vec(),
        source: None,
        mapping: None,
        observed: Timestamp::now(),
        audience: Vec::new(),
    };
    let mut observations = Vec::new();
    for item in ingest::open(&request)? {
        if let Item::Observation(observation) = item {
            observations.push(*observation);
        }
    }
    Ok(observations)
}

/// A ticket as it came in: what its caller told, and what it hits.
fn as_new(record: &Record) -> Record {
    let mut record = record.clone();
    let is_told = |kind| {
        matches!(
            kind,
            SectionKind::Description
                | SectionKind::Symptom
                | SectionKind::Environment
                | SectionKind::Diagnosis
        )
    };
    record.sections.retain(|section| is_told(section.kind));
    record.links.retain(|link| matches!(link.relation, Relation::Affects | Relation::ReportedBy));
    record.category.clear();
    record.priority = None;
    record.state = None;
    record
}

fn page_file(triage: &Triage) -> String {
    let page = triage.page.as_ref().map(|page| page.record.external().to_owned()).unwrap_or_default();
    page.rsplit('/').next().unwrap_or_default().to_owned()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn incoming(triage: &Triage, expected: &Value) -> Result<()> {
    let number = triage.ticket.external();
    let all = expected
        .get("incoming")
        .and_then(Value::as_array)
        .context("expected.toml has no incoming tickets")?;
    let one =
        all.iter().find(|one| text(one, "number") == number).context("an incoming ticket is not expected")?;
    let list = |key: &str| -> Vec<&str> {
        one.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let answerable = one.get("answerable").and_then(Value::as_bool) == Some(true);
    // A ticket that nothing answers has to stay undecided: the desk's own first line keeps it.
    let mark = |right: bool| if right || (!answerable && team_is_open(triage)) { "ok " } else { "NO " };
    let team = triage.team.value.clone().unwrap_or_default();
    let category = triage.category.value.clone().unwrap_or_default().join("/");
    let priority = triage.priority.value.map(|priority| priority.to_string()).unwrap_or_default();
    let page = page_file(triage);
    println!(
        "  {number} outcome {}| team {}{team} {:.2} | category {}{category} {:.2} | priority {}{priority} {:.2} | page {}{page} {:.2} | strength {:.2} cos {:.2?} cov {:.2} agr {:.2} mar {:.2}",
        mark(answerable == (triage.outcome == Outcome::Answered)),
        mark(team == text(one, "team") || list("team_also_right").contains(&team.as_str())),
        triage.team.confidence,
        mark(
            category == format!("{}/{}", text(one, "category"), text(one, "subcategory"))
                || list("category_also_right").contains(&category.as_str())
        ),
        triage.category.confidence,
        mark(text(one, "priority").starts_with(&priority)),
        triage.priority.confidence,
        mark(list("documents").contains(&page.as_str()) || !answerable),
        triage.page.as_ref().map_or(0.0, |page| page.confidence),
        triage.strength.score,
        triage.strength.cosine,
        triage.strength.coverage,
        triage.strength.agreement,
        triage.strength.margin,
    );
    Ok(())
}

fn team_is_open(triage: &Triage) -> bool {
    triage.team.value.is_none() && triage.category.value.is_none() && triage.page.is_none()
}

/// Right ones by fifth of confidence, to see whether a confidence means what it says.
#[derive(Default)]
struct Tally {
    right: usize,
    asked: usize,
    by_fifth: BTreeMap<u32, (usize, usize)>,
}

impl Tally {
    fn add(&mut self, right: bool, confidence: f64) {
        self.asked += 1;
        self.right += usize::from(right);
        let fifth = self.by_fifth.entry((confidence * 5.0).min(4.0) as u32).or_default();
        fifth.0 += usize::from(right);
        fifth.1 += 1;
    }

    fn show(&self, name: &str) {
        let bins: Vec<String> = self
            .by_fifth
            .iter()
            .map(|(bin, (right, asked))| {
                format!("{:.1}–{:.1}: {right}/{asked}", f64::from(*bin) / 5.0, f64::from(bin + 1) / 5.0)
            })
            .collect();
        println!(
            "  {name:<12} {}/{} = {:.3}   by confidence {}",
            self.right,
            self.asked,
            self.right as f64 / self.asked.max(1) as f64,
            bins.join("  ")
        );
    }
}

fn leave_one_out(
    demo: &Path,
    expected: &Value,
    run: &impl Fn(&Record) -> Result<Triage, triage::TriageError>,
) -> Result<()> {
    let used = expected
        .get("document_used")
        .and_then(Value::as_table)
        .context("expected.toml has no document_used")?;
    let replaced: BTreeMap<&str, &str> =
        [("vpn-mfa-reset-legacy.md", "vpn-mfa-reset-2026.md"), ("print-spooler-2024.md", "print-spooler.md")]
            .into();
    let (mut team, mut category, mut top, mut page) =
        (Tally::default(), Tally::default(), Tally::default(), Tally::default());
    let mut answered = 0;
    let mut asked = 0;
    let mut strengths = Vec::new();
    for observation in read(&[demo.join("tickets/servicenow_incident.json")])? {
        let record = &observation.record;
        let is_duplicate = record.attributes.get("close_code").is_some_and(|code| code == "Duplicate");
        if !record.state.is_some_and(ontology::State::is_resolved) || is_duplicate {
            continue;
        }
        let triage = run(&as_new(record))?;
        asked += 1;
        answered += usize::from(triage.outcome == Outcome::Answered);
        let assigned = record.links.iter().find(|link| link.relation == Relation::AssignedTo);
        if let Some(ontology::Link { target: ontology::Reference::Name(name), .. }) = assigned {
            team.add(triage.team.value.as_ref() == Some(name), triage.team.confidence);
        }
        let value = triage.category.value.clone().unwrap_or_default();
        category.add(value == record.category, triage.category.confidence);
        top.add(value.first() == record.category.first(), triage.category.confidence);
        if let Some(document) = used.get(record.id.external()).and_then(Value::as_str) {
            strengths.push(triage.strength.score);
            let document = replaced.get(document).copied().unwrap_or(document);
            let right = page_file(&triage) == document;
            if !right {
                println!(
                    "  {} page {} instead of {document}: {}",
                    record.id.external(),
                    page_file(&triage),
                    record.title
                );
            }
            page.add(right, triage.page.as_ref().map_or(0.0, |page| page.confidence));
        }
    }
    println!(
        "leave one out: {asked} solved incidents, {answered} answered; strength where a page solved it {}",
        quantiles(&mut strengths)
    );
    team.show("team");
    top.show("category");
    category.show("sub-category");
    page.show("page");
    Ok(())
}

fn quantiles(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        values.get(((values.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or(0.0)
    };
    format!(
        "5 % {:.2}, 25 % {:.2}, half {:.2}, 75 % {:.2}, 95 % {:.2}",
        at(0.05),
        at(0.25),
        at(0.5),
        at(0.75),
        at(0.95)
    )
}
