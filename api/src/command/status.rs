//! `status`, `verify`, `reindex`: what is in the desk, is it whole, and how is it made whole again?

use clap::Args;
use engine::{Desk, Job};
use serde::Serialize;

use crate::cli::Outcome;
use crate::output::{self, BAD, BOLD, DIM, GOOD, WARN, paint};
use crate::settings::Global;

/// Runs that are shown.
const JOBS_SHOWN: u32 = 3;

/// What is in the desk.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open()?;
        let told = Told { status: desk.status()?, jobs: desk.jobs().latest(JOBS_SHOWN)? };
        if global.json {
            output::json(&told)?;
        } else {
            let Told { status, jobs } = told;
            output::line(format!(
                "desk of tenant {} in {}",
                paint(BOLD, &status.tenant),
                global.data.display()
            ));
            show(&status, &global.why_no_embedder());
            show_jobs(&jobs);
        }
        Ok(Outcome::Fine)
    }
}

/// Counts, and the latest runs.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    status: engine::Status,
    jobs: Vec<Job>,
}

fn show(status: &engine::Status, why_none: &str) {
    let row = |name: &str, value: &dyn std::fmt::Display| output::line(format!("{value:>10}  {name}"));
    for (kind, number) in &status.records {
        row(&kind.replace('_', " "), number);
    }
    output::line(paint(DIM, "          ─"));
    row("records", &status.records.values().sum::<u64>());
    row("passages", &status.passages);
    row("quads in the graph", &status.quads);
    row("links to records that are not here yet", &status.pending_links);
    row("items in quarantine", &status.quarantined);
    row("log position", &status.generation);
    let embedder = match status.embedder.as_str() {
        "none" => paint(WARN, format!("none: {why_none}")),
        embedder => embedder.to_owned(),
    };
    output::line(format!("embedder {embedder}"));
    let ready = if status.ready {
        paint(GOOD, "ready")
    } else {
        paint(WARN, "behind its log: run `triagraph reindex`")
    };
    output::line(format!("indexes  {ready}"));
    if status.quarantined > 0 {
        output::note("see what could not be read with `triagraph quarantine list`");
    }
}

/// The latest runs; one that was killed says so.
fn show_jobs(jobs: &[Job]) {
    for job in jobs {
        let state = if job.state == "done" { paint(GOOD, &job.state) } else { paint(WARN, &job.state) };
        let came = match job.state.as_str() {
            "interrupted" => "run it again, it goes on where it was".to_owned(),
            "done" => counts(&job.detail),
            _ => output::shorten(&job.detail, 300),
        };
        let came = if came.is_empty() { came } else { format!(": {came}") };
        output::line(format!("{} of {} {state}{came}", job.kind, output::moment(job.started)));
    }
}

/// What a run that is done noted of itself.
fn counts(detail: &str) -> String {
    let noted: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    let count = |name: &str| Some(format!("{} {name}", noted.get(name)?));
    let counts = ["new", "changed", "unchanged", "quarantined", "skipped"].into_iter().filter_map(count);
    counts.collect::<Vec<_>>().join(", ")
}

/// Prove that log, graph, text and vectors hold the same.
#[derive(Debug, Args)]
pub(crate) struct Verify {}

impl Verify {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open()?;
        let found = desk.verify()?;
        if global.json {
            output::json(&found)?;
        } else {
            for problem in &found.problems {
                output::line(format!("{} {}", paint(BAD, format!("{}:", problem.part)), problem.detail));
            }
            let mut remedies: Vec<&str> =
                found.problems.iter().map(|problem| problem.remedy.as_str()).collect();
            remedies.sort_unstable();
            remedies.dedup();
            for remedy in remedies.iter().filter(|remedy| !remedy.is_empty()) {
                output::line(format!("what to do: {remedy}"));
            }
            let verdict = if found.is_sound() { paint(GOOD, "sound") } else { paint(BAD, "not sound") };
            output::line(format!(
                "{verdict}: {}, {} and {} compared with the log at position {}",
                output::count(found.revisions, "revision", "revisions"),
                output::count(found.passages, "passage", "passages"),
                output::count(found.graphs, "graph", "graphs"),
                found.generation
            ));
        }
        if desk.embedder().is_none() {
            output::note(paint(WARN, "vectors were not compared: no embedder is at hand"));
        }
        Ok(if found.is_sound() { Outcome::Fine } else { Outcome::Attention })
    }
}

/// Build the indexes anew from the record log, with the embedder at hand.
#[derive(Debug, Args)]
pub(crate) struct Reindex {}

impl Reindex {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        global.check_exists()?;
        let embedder = global.embedder()?;
        output::note("building the indexes anew from the record log");
        Desk::drop_indexes(&global.data, &global.tenant)?;
        let desk = Desk::open(&global.data, &global.tenant, embedder)?;
        desk.seal()?;
        let status = desk.status()?;
        if global.json {
            output::json(&status)?;
        } else {
            let records = output::count(status.records.values().sum(), "record", "records");
            let passages = output::count(status.passages, "passage", "passages");
            output::line(format!("{records} with {passages} are indexed, with embedder {}", status.embedder));
        }
        Ok(Outcome::Fine)
    }
}
