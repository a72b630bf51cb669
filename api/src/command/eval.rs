//! `eval`: how good is retrieval? Ranking measures per leg and fused, on BEIR folders or on this desk.

mod judgements;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use engine::{Desk, Leg, Query};
use ingest::{Item, MappingChoice, Request};
use jiff::Timestamp;
use ontology::{Observation, Scope, TenantId};
use serde::Serialize;

use self::judgements::{Grades, Line, read_grades, read_lines};
use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, paint};
use crate::settings::Global;

/// Hits looked at for each query: enough for recall at 100 with the query's own document left out.
const LOOKED_AT: usize = 101;
/// Records that are written at a time.
const BATCH: usize = 512;

/// Measure retrieval on BEIR folders, each in a temporary index, or on this desk.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// BEIR folders: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`
    #[arg(required_unless_present = "queries", conflicts_with = "queries")]
    folders: Vec<PathBuf>,
    /// Measure only these: identifier, lexical, dense, graph, hybrid, or some together as in lexical+dense
    #[arg(long, value_delimiter = ',', value_name = "LEGS")]
    leg: Vec<String>,
    /// Measure the desk of --data with these queries (`{"_id", "text"}` lines)
    #[arg(long, requires = "qrels", value_name = "FILE")]
    queries: Option<PathBuf>,
    /// Which records answer which query: query id, record id, score, separated by tabs
    #[arg(long, requires = "queries", value_name = "FILE")]
    qrels: Option<PathBuf>,
}

/// What was measured on one set.
#[derive(Debug, Serialize)]
struct Report {
    dataset: String,
    documents: u64,
    queries: usize,
    legs: BTreeMap<String, Measures>,
    seconds: Seconds,
}

/// Means over the queries.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Measures {
    ndcg_at_10: f64,
    hit_at_1: f64,
    recall_at_10: f64,
    recall_at_100: f64,
    mrr_at_10: f64,
}

/// Where the time went. Queries: all legs together, one after the other.
#[derive(Debug, Default, Serialize)]
struct Seconds {
    ingest: f64,
    query_p50: f64,
    query_p99: f64,
}

impl Eval {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let legs = self.chosen()?;
        let mut reports = Vec::new();
        if let (Some(queries), Some(qrels)) = (&self.queries, &self.qrels) {
            let desk = global.open()?;
            let name = global.tenant.to_string();
            reports.push(measure(&desk, &global.scope(), name, (queries, qrels), &legs, 0.0)?);
        }
        for folder in &self.folders {
            reports.push(measure_folder(global, folder, &legs)?);
            if !global.json
                && let Some(report) = reports.last()
            {
                show(report);
            }
        }
        if global.json {
            output::json(&reports)?;
        } else if self.folders.is_empty() {
            reports.iter().for_each(show);
        }
        Ok(Outcome::Fine)
    }

    fn chosen(&self) -> anyhow::Result<Vec<(String, Vec<Leg>)>> {
        let usual =
            || Leg::ALL.iter().map(|leg| leg.as_str().to_owned()).chain(["hybrid".to_owned()]).collect();
        let names: Vec<String> = if self.leg.is_empty() { usual() } else { self.leg.clone() };
        names.into_iter().map(|name| Ok((name.clone(), legs_of(&name)?))).collect()
    }
}

/// A leg, `hybrid` for all, or some joined by `+`.
fn legs_of(name: &str) -> anyhow::Result<Vec<Leg>> {
    if name == "hybrid" {
        return Ok(Leg::ALL.to_vec());
    }
    let legs = name.split('+').map(|part| Leg::ALL.into_iter().find(|leg| leg.as_str() == part));
    legs.collect::<Option<_>>().with_context(|| {
        format!("there is no leg {name}: the legs are identifier, lexical, dense, graph and hybrid, or some joined by +")
    })
}

/// Ingests a BEIR folder into a desk of its own that is gone afterwards.
fn measure_folder(global: &Global, folder: &Path, legs: &[(String, Vec<Leg>)]) -> anyhow::Result<Report> {
    let dataset = folder.file_name().map_or_else(|| "?".into(), |name| name.to_string_lossy().into_owned());
    let files = (folder.join("queries.jsonl"), folder.join("qrels").join("test.tsv"));
    for file in [&files.0, &files.1] {
        anyhow::ensure!(
            file.is_file(),
            "{} is no BEIR folder: {} is missing",
            folder.display(),
            file.display()
        );
    }
    let temporary = tempfile::tempdir()?;
    let tenant = TenantId::new("eval")?;
    let desk = Desk::open(temporary.path(), &tenant, global.embedder()?)?;
    let started = Instant::now();
    fill(&desk, &folder.join("corpus.jsonl"))?;
    let ingest = started.elapsed().as_secs_f64();
    measure(&desk, &Scope::operator(tenant), dataset, (&files.0, &files.1), legs, ingest)
}

fn fill(desk: &Desk, corpus: &Path) -> anyhow::Result<()> {
    let request = Request {
        paths: vec![corpus.to_owned()],
        source: None,
        mapping: Some(MappingChoice::Builtin("beir".to_owned())),
        observed: Timestamp::now(),
        audience: Vec::new(),
    };
    let mut batch: Vec<Observation> = Vec::new();
    for item in ingest::open(&request)? {
        match item {
            Item::Observation(observation) => batch.push(*observation),
            Item::Rejected(rejected) => bail!("{}: {}", rejected.lineage.origin, rejected.reason),
            Item::Skipped(_) | Item::Quads(_) => {}
        }
        if batch.len() == BATCH {
            take_in(desk, std::mem::take(&mut batch))?;
        }
    }
    take_in(desk, batch)?;
    desk.seal()?;
    Ok(())
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

fn measure(
    desk: &Desk,
    scope: &Scope,
    dataset: String,
    (queries, qrels): (&Path, &Path),
    legs: &[(String, Vec<Leg>)],
    ingest: f64,
) -> anyhow::Result<Report> {
    let grades = read_grades(qrels)?;
    let lines: Vec<Line> =
        read_lines(queries)?.into_iter().filter(|line| grades.contains_key(&line.id)).collect();
    anyhow::ensure!(
        !lines.is_empty(),
        "no query of {} has an id that {} grades: nothing can be measured",
        queries.display(),
        qrels.display()
    );
    let mut sums: BTreeMap<String, Measures> = BTreeMap::new();
    let mut times = Vec::with_capacity(lines.len());
    for line in &lines {
        for (name, chosen) in legs {
            let mut query = Query::new(line.text.clone(), Timestamp::now());
            query.limit = LOOKED_AT;
            query.legs.clone_from(chosen);
            let started = Instant::now();
            let ranked = desk.rank(scope, &query)?;
            if chosen.len() > 1 {
                times.push(started.elapsed().as_secs_f64());
            }
            // A grade may name a record by its full id or by its source's own; the query's own document never counts.
            let ids: Vec<&str> = ranked
                .iter()
                .map(
                    |id| if grades[&line.id].contains_key(id.as_str()) { id.as_str() } else { id.external() },
                )
                .filter(|id| *id != line.id)
                .collect();
            sums.entry(name.clone()).or_default().add(&ids, &grades[&line.id]);
        }
    }
    let count = lines.len() as f64;
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
    Ok(Report {
        dataset,
        documents: desk.status()?.records.values().sum(),
        queries: lines.len(),
        legs: sums.into_iter().map(|(name, sum)| (name, sum.divided(count))).collect(),
        seconds: Seconds { ingest, query_p50: at(0.5), query_p99: at(0.99) },
    })
}

impl Measures {
    /// Adds one query's measures. nDCG after Järvelin and Kekäläinen (2002) with linear gain, as BEIR measures it.
    fn add(&mut self, ranked: &[&str], grades: &Grades) {
        let gain = |id: &&str| grades.get(*id).copied().unwrap_or(0.0).max(0.0);
        let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
        let dcg: f64 = ranked.iter().take(10).enumerate().map(|(place, id)| gain(id) * discount(place)).sum();
        let mut ideal: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let best: f64 = ideal.iter().take(10).enumerate().map(|(place, grade)| grade * discount(place)).sum();
        let right = ideal.len().max(1) as f64;
        let found = |depth: usize| ranked.iter().take(depth).filter(|id| gain(id) > 0.0).count() as f64;
        self.ndcg_at_10 += if best > 0.0 { dcg / best } else { 0.0 };
        self.hit_at_1 += found(1);
        self.recall_at_10 += found(10) / right;
        self.recall_at_100 += found(100) / right;
        let first = ranked.iter().take(10).position(|id| gain(id) > 0.0);
        self.mrr_at_10 += first.map_or(0.0, |place| 1.0 / (place + 1) as f64);
    }

    fn divided(self, count: f64) -> Self {
        Self {
            ndcg_at_10: self.ndcg_at_10 / count,
            hit_at_1: self.hit_at_1 / count,
            recall_at_10: self.recall_at_10 / count,
            recall_at_100: self.recall_at_100 / count,
            mrr_at_10: self.mrr_at_10 / count,
        }
    }
}

fn show(report: &Report) {
    output::line(format!(
        "{}  {} documents, {} queries",
        paint(BOLD, &report.dataset),
        report.documents,
        report.queries
    ));
    output::line(paint(DIM, "  leg          nDCG@10   hit@1  recall@10  recall@100  MRR@10"));
    for (leg, m) in &report.legs {
        output::line(format!(
            "  {leg:<12} {:>7.3} {:>7.3} {:>10.3} {:>11.3} {:>7.3}",
            m.ndcg_at_10, m.hit_at_1, m.recall_at_10, m.recall_at_100, m.mrr_at_10
        ));
    }
    let Seconds { ingest, query_p50, query_p99 } = report.seconds;
    let line =
        format!("  ingest {ingest:.1} s; a query {:.1} ms (p99 {:.1} ms)", query_p50 * 1e3, query_p99 * 1e3);
    output::line(paint(DIM, line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_of_the_formulas() {
        let grades = Grades::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.0)]);
        let mut measures = Measures::default();
        measures.add(&["x", "a", "y", "b"], &grades);
        let ideal = 1.0 + 1.0 / 3f64.log2();
        let expected = (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / ideal;
        assert!((measures.ndcg_at_10 - expected).abs() < 1e-12);
        assert_eq!((measures.hit_at_1, measures.recall_at_10, measures.mrr_at_10), (0.0, 1.0, 0.5));
    }
}
