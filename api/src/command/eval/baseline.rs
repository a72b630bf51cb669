//! Is retrieval as good as it was? Each query's nDCG@10 against a file that was saved before.
//!
//! A mean over a hundred queries moves when one of them does. So the differences are resampled with replacement, query by
//! query (the paired bootstrap: Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006), and a leg has
//! dropped when nearly all resamples lie below zero.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::Report;
use crate::output::{self, BAD, BOLD, paint};

/// The version of the file.
const FORMAT: u32 = 1;
/// Resamples of the queries, and the seed of their choice: the same file and the same ranks give the same verdict.
const RESAMPLES: usize = 10_000;
const SEED: u64 = 3;
/// The share of resamples on each side that the interval leaves out.
const TAIL: f64 = 0.05;

/// What was measured once: nDCG@10 by set, leg and query.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Baseline {
    format: u32,
    sets: BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>>,
}

/// One leg on one set, then and now.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    dataset: String,
    leg: String,
    before: f64,
    now: f64,
    /// The difference of the means in 9 of 10 resamples, from and to.
    between: [f64; 2],
    pub(super) has_dropped: bool,
}

impl Baseline {
    /// What the reports say, to four digits.
    pub(super) fn of(reports: &[Report]) -> anyhow::Result<Self> {
        let set = |report: &Report| {
            let legs = report.by_query.iter().map(|(leg, queries)| {
                let rounded = queries.iter().map(|(id, m)| (id.clone(), (m.ndcg_at_10 * 1e4).round() / 1e4));
                (leg.clone(), rounded.collect())
            });
            (report.dataset.clone(), legs.collect())
        };
        let sets: BTreeMap<String, _> = reports.iter().map(set).collect();
        ensure!(
            sets.len() == reports.len(),
            "two of the folders have one name: measure them one after the other"
        );
        Ok(Self { format: FORMAT, sets })
    }

    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let baseline: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is no file that `triagraph eval --save` wrote", path.display()))?;
        ensure!(
            baseline.format == FORMAT,
            "{} has format {}, and this version reads {FORMAT}: save it again with `triagraph eval --save`",
            path.display(),
            baseline.format
        );
        Ok(baseline)
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string(self)?.replace("},", "},\n");
        std::fs::write(path, json + "\n").with_context(|| path.display().to_string())
    }

    /// Compares what was measured now. Each leg of the file must have been measured, on the same queries.
    pub(super) fn compare(&self, reports: &[Report]) -> anyhow::Result<Vec<Comparison>> {
        let now = Self::of(reports)?;
        let mut comparisons = Vec::new();
        for (dataset, legs) in &self.sets {
            let set = now.sets.get(dataset).with_context(|| {
                format!("the baseline has {dataset}, which was not measured: name its folder too")
            })?;
            for (leg, before) in legs {
                let now = set.get(leg).with_context(|| {
                    format!("the baseline has the leg {leg} of {dataset}, which was not measured")
                })?;
                ensure!(
                    before.keys().eq(now.keys()),
                    "the queries of {dataset} are others than those of the baseline: save it again"
                );
                let (before, now): (Vec<f64>, Vec<f64>) = (values(before), values(now));
                let differences: Vec<f64> =
                    now.iter().zip(&before).map(|(now, before)| now - before).collect();
                let between = interval(&differences);
                let (dataset, leg) = (dataset.clone(), leg.clone());
                let has_dropped = between[1] < 0.0;
                let (before, now) = (mean(&before), mean(&now));
                comparisons.push(Comparison { dataset, leg, before, now, between, has_dropped });
            }
        }
        Ok(comparisons)
    }
}

fn values(queries: &BTreeMap<String, f64>) -> Vec<f64> {
    queries.values().copied().collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Where the mean of the differences lies when the queries are drawn again and again.
fn interval(differences: &[f64]) -> [f64; 2] {
    if differences.is_empty() {
        return [0.0; 2];
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut draw = || differences[random.usize(..differences.len())];
    let count = differences.len() as f64;
    let mut means: Vec<f64> =
        (0..RESAMPLES).map(|_| differences.iter().map(|_| draw()).sum::<f64>() / count).collect();
    means.sort_by(f64::total_cmp);
    let left_out = (RESAMPLES as f64 * TAIL) as usize;
    [means[left_out], means[RESAMPLES - 1 - left_out]]
}

/// Shows what changed, the drops last.
pub(super) fn show(comparisons: &[Comparison]) {
    let mut sorted: Vec<&Comparison> = comparisons.iter().collect();
    sorted.sort_by_key(|comparison| comparison.has_dropped);
    output::line(paint(BOLD, "against the baseline, nDCG@10"));
    for Comparison { dataset, leg, before, now, between: [low, high], has_dropped } in sorted {
        let line = format!(
            "  {dataset}  {leg}: {before:.3} → {now:.3}  ({:+.3}, between {low:+.3} and {high:+.3})",
            now - before
        );
        output::line(if *has_dropped { paint(BAD, line + "  dropped").to_string() } else { line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::eval::measures::Measures;

    fn report(leg: &str, scores: &[f64]) -> Report {
        let measure = |score: &f64| Measures { ndcg_at_10: *score, ..Measures::default() };
        let queries = scores.iter().enumerate().map(|(n, score)| (format!("q{n:03}"), measure(score)));
        let by_query = BTreeMap::from([(leg.to_owned(), queries.collect())]);
        Report { dataset: "set".to_owned(), by_query, ..Report::default() }
    }

    fn drops(before: &[f64], now: &[f64]) -> bool {
        let baseline = Baseline::of(&[report("hybrid", before)]).unwrap();
        baseline.compare(&[report("hybrid", now)]).unwrap()[0].has_dropped
    }

    #[test]
    fn a_drop_of_many_queries_is_one_and_that_of_a_single_query_is_chance() {
        let good = vec![0.8; 100];
        let mut one_worse = good.clone();
        one_worse[7] = 0.0;
        let worse: Vec<f64> =
            good.iter().enumerate().map(|(n, s)| if n % 5 == 0 { s - 0.1 } else { *s }).collect();
        assert_eq!([&good, &one_worse, &worse].map(|now| drops(&good, now)), [false, false, true]);
        assert!(!drops(&worse, &good));
    }

    #[test]
    fn what_was_not_measured_has_not_held() {
        let baseline = Baseline::of(&[report("hybrid", &[1.0, 0.5])]).unwrap();
        let error = |now: &[Report]| baseline.compare(now).unwrap_err().to_string();
        assert!(error(&[]).contains("set, which was not measured"));
        assert!(error(&[report("dense", &[1.0, 0.5])]).contains("leg hybrid"));
        assert!(error(&[report("hybrid", &[1.0])]).contains("others"));
    }
}
