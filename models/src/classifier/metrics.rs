//! How good are decisions, by label, by confidence, and when only the sure ones are taken?

use std::collections::BTreeMap;

/// Bins of equal width for the calibration error, as is usual.
const BINS: usize = 15;
/// Precisions for which the share of tickets is told that can be decided.
const WANTED: [f64; 5] = [0.8, 0.85, 0.9, 0.95, 0.98];

/// One decision beside what was true.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// What people decided.
    pub truth: &'a str,
    /// What the model decided.
    pub label: &'a str,
    /// How sure it was, from 0 to 1.
    pub probability: f64,
}

/// How good a set of decisions is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Metrics {
    /// How many decisions.
    pub count: usize,
    /// The share that was right.
    pub accuracy: f64,
    /// The plain mean of F1 over the labels that are true or decided somewhere, so that rare ones count as much.
    pub macro_f1: f64,
    /// Expected calibration error: how far, on average, the probability lies from the share that was right, in 15 bins of
    /// equal width (Naeini et al., AAAI 2015).
    pub calibration_error: f64,
    /// Each label's own figures.
    pub labels: BTreeMap<String, LabelMetrics>,
    /// For some precisions, the largest share of decisions, the surest first, that reaches it.
    pub coverage: Vec<Coverage>,
}

/// How good the decisions on one label are.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LabelMetrics {
    /// Of those that were given this label, the share that has it; 0 when none was given it.
    pub precision: f64,
    /// Of those that have this label, the share that was given it; 0 when none has it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many have it.
    pub support: usize,
}

/// How much can be decided at a precision.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Coverage {
    /// The share of right decisions that is asked for.
    pub precision: f64,
    /// The share of all that can be decided so.
    pub share: f64,
    /// The probability from which on.
    pub from_probability: f64,
}

impl Metrics {
    /// Measures decisions; all figures are 0 when there is none.
    #[must_use]
    pub fn of(outcomes: &[Outcome<'_>]) -> Self {
        let labels = by_label(outcomes);
        let right = outcomes.iter().filter(|outcome| outcome.truth == outcome.label).count();
        Self {
            count: outcomes.len(),
            accuracy: share(right, outcomes.len()),
            macro_f1: labels.values().map(|label| label.f1).sum::<f64>() / labels.len().max(1) as f64,
            calibration_error: calibration_error(outcomes),
            labels,
            coverage: coverage(outcomes),
        }
    }
}

fn by_label(outcomes: &[Outcome<'_>]) -> BTreeMap<String, LabelMetrics> {
    #[derive(Default)]
    struct Counts {
        given: usize,
        held: usize,
        both: usize,
    }
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for outcome in outcomes {
        counts.entry(outcome.label).or_default().given += 1;
        let held = counts.entry(outcome.truth).or_default();
        held.held += 1;
        held.both += usize::from(outcome.truth == outcome.label);
    }
    let measured = |counts: Counts| LabelMetrics {
        precision: share(counts.both, counts.given),
        recall: share(counts.both, counts.held),
        f1: share(2 * counts.both, counts.given + counts.held),
        support: counts.held,
    };
    counts.into_iter().map(|(label, counts)| (label.to_owned(), measured(counts))).collect()
}

fn calibration_error(outcomes: &[Outcome<'_>]) -> f64 {
    let mut gaps = [0.0_f64; BINS];
    for outcome in outcomes {
        let bin = ((outcome.probability * BINS as f64) as usize).min(BINS - 1);
        gaps[bin] += outcome.probability - if outcome.truth == outcome.label { 1.0 } else { 0.0 };
    }
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / outcomes.len().max(1) as f64
}

fn coverage(outcomes: &[Outcome<'_>]) -> Vec<Coverage> {
    let mut surest: Vec<(f64, bool)> =
        outcomes.iter().map(|outcome| (outcome.probability, outcome.truth == outcome.label)).collect();
    surest.sort_by(|a, b| b.0.total_cmp(&a.0));
    WANTED
        .into_iter()
        .map(|precision| {
            let mut best = Coverage { precision, share: 0.0, from_probability: 1.0 };
            let (mut count, mut right) = (0, 0);
            for same in surest.chunk_by(|a, b| a.0 == b.0) {
                count += same.len();
                right += same.iter().filter(|(_, right)| *right).count();
                if share(right, count) >= precision {
                    best.share = share(count, surest.len());
                    best.from_probability = same[0].0;
                }
            }
            best
        })
        .collect()
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::{LabelMetrics, Metrics, Outcome};

    fn outcome(truth: &'static str, label: &'static str, probability: f64) -> Outcome<'static> {
        Outcome { truth, label, probability }
    }

    #[test]
    fn figures_are_as_by_hand() {
        let metrics = Metrics::of(&[
            outcome("access", "access", 0.9),
            outcome("access", "access", 0.9),
            outcome("access", "network", 0.6),
            outcome("network", "network", 0.6),
            outcome("printer", "network", 0.6),
        ]);
        assert_eq!((metrics.count, metrics.accuracy), (5, 0.6));
        let network = LabelMetrics { precision: 1.0 / 3.0, recall: 1.0, f1: 0.5, support: 1 };
        assert_eq!(metrics.labels["network"], network);
        assert_eq!(metrics.labels["printer"], LabelMetrics { support: 1, ..LabelMetrics::default() });
        assert!((metrics.macro_f1 - (0.8 + 0.5 + 0.0) / 3.0).abs() < 1e-9);
        // two at 0.9, both right; three at 0.6, one right
        assert!((metrics.calibration_error - (2.0 * 0.1 + (1.8 - 1.0)) / 5.0).abs() < 1e-9);
        let coverage: Vec<f64> = metrics.coverage.iter().map(|coverage| coverage.share).collect();
        assert_eq!(coverage, [0.4; 5]);
        assert_eq!(metrics.coverage[0].from_probability, 0.9);
    }

    #[test]
    fn nothing_measured_is_no_fraction_of_nothing() {
        let metrics = Metrics::of(&[]);
        assert_eq!((metrics.accuracy, metrics.macro_f1, metrics.calibration_error), (0.0, 0.0, 0.0));
    }
}
