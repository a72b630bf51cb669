//! Does the desk know when its first hit is right? Its confidence, held against what the judgements say.

use std::fmt::{self, Write};
use std::path::Path;

use anyhow::Context;
use engine::Confidence;
use serde::Serialize;

use super::Report;

/// One question, and whether its first hit was right. A question that no record answers has none that is.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) sure: Confidence,
    pub(super) is_right: bool,
    pub(super) is_answerable: bool,
}

/// How far the confidence can be trusted.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    /// The chance that a right first hit has more confidence than a wrong one (area under the ROC curve).
    auroc: f64,
    /// The same for questions with and without an answer, where there are both.
    #[serde(skip_serializing_if = "Option::is_none")]
    auroc_answerable: Option<f64>,
    /// How far the chances told are from what came true, on average over ten steps (expected calibration error).
    calibration_error: f64,
    /// How often the first hit is right among the surest questions: share of the questions, share of right ones.
    right_by_coverage: Vec<(f64, f64)>,
}

const COVERAGES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 1.0];
const STEPS: usize = 10;

impl Judged {
    /// Nothing where no question was asked, or all first hits are right, or none.
    pub(super) fn of(asked: &[Asked]) -> Option<Self> {
        let auroc = auroc(asked, |asked| asked.is_right)?;
        let auroc_answerable = self::auroc(asked, |asked| asked.is_answerable);
        let mut sorted: Vec<&Asked> = asked.iter().collect();
        sorted.sort_by(|a, b| b.sure.chance.total_cmp(&a.sure.chance));
        let right = |some: &[&Asked]| some.iter().filter(|asked| asked.is_right).count() as f64;
        let right_by_coverage = COVERAGES.map(|coverage| {
            let count = ((sorted.len() as f64 * coverage).round() as usize).max(1);
            (coverage, right(&sorted[..count]) / count as f64)
        });
        let mut calibration_error = 0.0;
        for step in 0..STEPS {
            let of_step =
                |asked: &&&Asked| (asked.sure.chance * STEPS as f64).min(STEPS as f64 - 1.0) as usize == step;
            let inside: Vec<&Asked> = sorted.iter().filter(of_step).copied().collect();
            let told: f64 = inside.iter().map(|asked| asked.sure.chance).sum();
            calibration_error += (told - right(&inside)).abs() / asked.len() as f64;
        }
        let right_by_coverage = right_by_coverage.to_vec();
        Some(Self { auroc, auroc_answerable, calibration_error, right_by_coverage })
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  confidence: AUROC {:.3}", self.auroc)?;
        if let Some(answerable) = self.auroc_answerable {
            write!(f, " ({answerable:.3} for answerable or not)")?;
        }
        write!(f, ", calibration error {:.3}; first hit right", self.calibration_error)?;
        for (coverage, right) in &self.right_by_coverage {
            write!(f, " {right:.2} of the surest {:.0} %,", coverage * 100.0)?;
        }
        Ok(())
    }
}

/// Mann and Whitney's statistic as a share of all pairs; ties count half.
fn auroc(asked: &[Asked], is_positive: impl Fn(&Asked) -> bool) -> Option<f64> {
    let (yes, no): (Vec<&Asked>, Vec<&Asked>) = asked.iter().partition(|asked| is_positive(asked));
    if yes.is_empty() || no.is_empty() {
        return None;
    }
    let pairs = yes.iter().flat_map(|yes| no.iter().map(|no| (yes.sure.chance, no.sure.chance)));
    let won: f64 =
        pairs.map(|(yes, no)| if yes > no { 1.0 } else { f64::from(u8::from(yes == no)) / 2.0 }).sum();
    Some(won / (yes.len() * no.len()) as f64)
}

/// Writes one line a question, for fitting.
pub(super) fn write(path: &Path, reports: &[Report]) -> anyhow::Result<()> {
    let mut text =
        "dataset\tright\tanswerable\tover_second\tover_fifth\tagreement\twords\tcosine\n".to_owned();
    for report in reports {
        for Asked { sure, is_right, is_answerable } in &report.asked {
            write!(text, "{}\t{}\t{}", report.dataset, u8::from(*is_right), u8::from(*is_answerable))?;
            for feature in sure.features() {
                write!(text, "\t{feature:.6}")?;
            }
            text.push('\n');
        }
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(chance: f64, is_right: bool) -> Asked {
        let sure =
            Confidence { chance, over_second: 0.0, over_fifth: 0.0, agreement: 0.0, words: 0.0, cosine: 0.0 };
        Asked { sure, is_right, is_answerable: true }
    }

    #[test]
    fn confidence_is_judged_by_order_and_by_what_came_true() {
        let judged =
            Judged::of(&[asked(0.95, true), asked(0.65, false), asked(0.55, true), asked(0.05, false)])
                .unwrap();
        assert_eq!((judged.auroc, judged.auroc_answerable), (0.75, None));
        assert!((judged.calibration_error - (0.05 + 0.65 + 0.45 + 0.05) / 4.0).abs() < 1e-12);
        assert_eq!(judged.right_by_coverage[2..], [(0.5, 0.5), (0.75, 2.0 / 3.0), (1.0, 0.5)]);
        assert!(Judged::of(&[asked(0.5, true)]).is_none());
    }
}
