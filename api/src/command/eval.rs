//! `eval`: how good is retrieval? Ranking measures per leg and fused, on BEIR folders or on this desk.

mod baseline;
mod confidence;
mod folder;
mod judgements;
mod measures;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use engine::{Desk, Leg, Query};
use jiff::Timestamp;
use ontology::{RecordId, Scope, TenantId};
use serde::Serialize;
use serde_json::json;

use self::baseline::Baseline;
use self::confidence::{Asked, Judged};
use self::folder::{Originals, fill};
use self::judgements::{read_grades, read_lines};
use self::measures::Measures;
use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, paint};
use crate::settings::Global;

/// Hits looked at for each query: enough for recall at 100 with the query's own document left out.
const LOOKED_AT: usize = 101;

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
    /// Compare with a baseline, query by query; exit code 1 when a leg has dropped on a set
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Write what was measured as a baseline
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write what the confidence of each first hit is made of, as tab-separated values
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
}

/// All legs together.
const HYBRID: &str = "hybrid";

/// What was measured on one set.
#[derive(Debug, Default, Serialize)]
struct Report {
    dataset: String,
    documents: u64,
    queries: usize,
    legs: BTreeMap<String, Measures>,
    seconds: Seconds,
    /// How well the desk knows when its first hit is right, by all legs.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Judged>,
    /// Measures of each query by leg.
    #[serde(skip)]
    by_query: BTreeMap<String, BTreeMap<String, Measures>>,
    #[serde(skip)]
    asked: Vec<Asked>,
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
            let mut report = measure(&desk, &global.scope(), (queries, qrels), &Originals::default(), &legs)?;
            report.dataset = global.tenant.to_string();
            reports.push(report);
        }
        for folder in &self.folders {
            reports.push(measure_folder(global, folder, &legs)?);
            if !global.json
                && let Some(report) = reports.last()
            {
                show(report);
            }
        }
        let baseline = self.against.as_deref().map(Baseline::read).transpose()?;
        let comparisons = baseline.map(|baseline| baseline.compare(&reports)).transpose()?;
        if let Some(path) = &self.save {
            Baseline::of(&reports)?.write(path)?;
        }
        if let Some(path) = &self.features {
            confidence::write(path, &reports)?;
        }
        if global.json {
            match &comparisons {
                Some(comparisons) => output::json(&json!({ "reports": reports, "against": comparisons }))?,
                None => output::json(&reports)?,
            }
        } else {
            if self.folders.is_empty() {
                reports.iter().for_each(show);
            }
            if let Some(comparisons) = &comparisons {
                baseline::show(comparisons);
            }
        }
        let has_dropped = comparisons.iter().flatten().any(|comparison| comparison.has_dropped);
        Ok(if has_dropped { Outcome::Attention } else { Outcome::Fine })
    }

    fn chosen(&self) -> anyhow::Result<Vec<(String, Vec<Leg>)>> {
        let usual =
            || Leg::ALL.iter().map(|leg| leg.as_str().to_owned()).chain([HYBRID.to_owned()]).collect();
        let names: Vec<String> = if self.leg.is_empty() { usual() } else { self.leg.clone() };
        names.into_iter().map(|name| Ok((name.clone(), legs_of(&name)?))).collect()
    }
}

/// A leg, `hybrid` for all, or some joined by `+`.
fn legs_of(name: &str) -> anyhow::Result<Vec<Leg>> {
    if name == HYBRID {
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
    let originals = fill(&desk, &folder.join("corpus.jsonl"))?;
    let ingest = started.elapsed().as_secs_f64();
    let mut report = measure(&desk, &Scope::operator(tenant), (&files.0, &files.1), &originals, legs)?;
    report.dataset = dataset;
    report.seconds.ingest = ingest;
    Ok(report)
}

fn measure(
    desk: &Desk,
    scope: &Scope,
    (queries, qrels): (&Path, &Path),
    originals: &Originals,
    legs: &[(String, Vec<Leg>)],
) -> anyhow::Result<Report> {
    let grades = read_grades(qrels)?;
    let lines = read_lines(queries)?;
    anyhow::ensure!(
        lines.iter().any(|line| grades.contains_key(&line.id)),
        "no query of {} has an id that {} grades: nothing can be measured",
        queries.display(),
        qrels.display()
    );
    let mut by_query: BTreeMap<String, BTreeMap<String, Measures>> = BTreeMap::new();
    let mut times = Vec::with_capacity(lines.len());
    let mut asked = Vec::new();
    for line in &lines {
        let graded = grades.get(&line.id);
        for (name, chosen) in legs.iter().filter(|(name, _)| graded.is_some() || name == HYBRID) {
            let mut query = Query::new(line.text.clone(), Timestamp::now());
            query.limit = LOOKED_AT;
            query.legs.clone_from(chosen);
            // The query's own document never counts.
            query.exclude = originals.record(&line.id).cloned().into_iter().collect();
            let started = Instant::now();
            let (ranked, confidence) = desk.rank(scope, &query)?;
            if name == HYBRID {
                times.push(started.elapsed().as_secs_f64());
            }
            // A grade may name a record by its full id or by its source's own.
            let known = |id: &str| graded.is_some_and(|grades| grades.contains_key(id));
            let id = |id: &RecordId| match originals.id(id) {
                Some(original) => original.to_owned(),
                None if known(id.as_str()) => id.to_string(),
                None => id.external().to_owned(),
            };
            let ids: Vec<String> = ranked.iter().map(id).filter(|id| *id != line.id).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let measures = graded.map(|grades| Measures::of(&ids, grades));
            if name == HYBRID {
                let is_answerable = graded.is_some_and(|grades| grades.values().any(|grade| *grade > 0.0));
                let is_right = measures.is_some_and(|measures| measures.hit_at_1 > 0.0);
                asked.extend(confidence.map(|sure| Asked { sure, is_right, is_answerable }));
            }
            if let Some(measures) = measures {
                by_query.entry(name.clone()).or_default().insert(line.id.clone(), measures);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
    Ok(Report {
        dataset: String::new(),
        documents: desk.status()?.records.values().sum(),
        queries: lines.iter().filter(|line| grades.contains_key(&line.id)).count(),
        legs: by_query.iter().map(|(name, all)| (name.clone(), Measures::mean(all.values()))).collect(),
        confidence: Judged::of(&asked),
        seconds: Seconds { ingest: 0.0, query_p50: at(0.5), query_p99: at(0.99) },
        by_query,
        asked,
    })
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
    if let Some(judged) = &report.confidence {
        output::line(paint(DIM, judged.to_string()));
    }
    let Seconds { ingest, query_p50, query_p99 } = report.seconds;
    let line =
        format!("  ingest {ingest:.1} s; a query {:.1} ms (p99 {:.1} ms)", query_p50 * 1e3, query_p99 * 1e3);
    output::line(paint(DIM, line));
}
