//! How likely is what a margin says, and from where on may one rely on it?

use serde::{Deserialize, Serialize};

/// Newton's steps settle in under ten; this is a limit.
const MAX_STEPS: usize = 50;
/// Into how many parts of equal size samples are cut to see how often a confidence was right.
const PARTS: usize = 20;
/// How many samples a part has at least.
const MIN_PART: usize = 40;
/// Halvings of the interval in which a ticket's exponent is looked for.
const HALVINGS: usize = 40;
/// The steepest power to which a softmax is raised.
const MAX_EXPONENT: f64 = 64.0;
/// Probabilities closer than this are the same to people.
const GRAIN: f64 = 0.001;
/// One-sided 95 %: that a threshold holds on new tickets too, not only on those that it was read off.
const Z: f64 = 1.645;

/// Turns the margins of all labels into probabilities, in two steps that leave the order of a ticket's labels as it is.
///
/// First a softmax with one slope, known as temperature scaling (Guo et al., *On Calibration of Modern Neural Networks*,
/// ICML 2017). Its highest number is then read as a confidence, and a rising curve tells how often such a confidence was
/// right (isotonic regression, Zadrozny and Elkan, KDD 2002); the softmax is raised to the power that gives the likeliest
/// label just that probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    /// How steeply margins become confidences.
    slope: f64,
    /// A confidence and how often it was right, both rising, from 0 to 1; straight lines between.
    curve: Vec<(f64, f64)>,
}

impl Calibration {
    /// Fits both to samples that the model has not seen.
    ///
    /// `margins` holds one number a label for each sample, `truth` the number of its label.
    pub(super) fn fit(margins: &[f32], labels: usize, truth: &[u32]) -> Self {
        let slope = likeliest_slope(margins, labels, truth);
        let confidences = margins.chunks_exact(labels).zip(truth).map(|(row, truth)| {
            let likely = softmax(slope, row);
            let best = highest(&likely);
            (likely[best], best == *truth as usize)
        });
        Self { slope, curve: rising_curve(confidences.collect()) }
    }

    /// The probability of each label; they sum to 1.
    pub(super) fn probabilities(&self, margins: &[f32]) -> Vec<f64> {
        let likely = softmax(self.slope, margins);
        let best = highest(&likely);
        let wanted = self.often_right(likely[best], likely.len());
        let powers = |exponent: f64| -> Vec<f64> {
            let raised: Vec<f64> = likely.iter().map(|p| (p / likely[best]).powf(exponent)).collect();
            let total: f64 = raised.iter().sum();
            raised.into_iter().map(|p| p / total).collect()
        };
        let (mut low, mut high) = (0.0, MAX_EXPONENT);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if powers(middle)[best] < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        powers(high)
    }

    /// The likeliest label and its probability, without those of the others.
    pub(super) fn likeliest(&self, margins: &[f32]) -> (usize, f64) {
        let likely = softmax(self.slope, margins);
        let best = highest(&likely);
        (best, self.often_right(likely[best], likely.len()))
    }

    /// Whether it can be used: what a file holds was written by this module or is refused.
    pub(super) fn is_sound(&self) -> bool {
        let rises = self.curve.windows(2).all(|knots| knots[0].0 <= knots[1].0 && knots[0].1 <= knots[1].1);
        self.slope > 0.0 && self.curve.len() > 1 && rises
    }

    fn often_right(&self, confidence: f64, labels: usize) -> f64 {
        let after = self.curve.partition_point(|(knot, _)| *knot < confidence).clamp(1, self.curve.len() - 1);
        let ((x0, y0), (x1, y1)) = (self.curve[after - 1], self.curve[after]);
        let right = if x1 > x0 { y0 + (y1 - y0) * (confidence - x0) / (x1 - x0) } else { y1 };
        right.max(1.0 / labels as f64)
    }
}

/// The slope under which the true labels are likeliest, by Newton's method.
fn likeliest_slope(margins: &[f32], labels: usize, truth: &[u32]) -> f64 {
    let mut slope = 1.0_f64;
    for _ in 0..MAX_STEPS {
        let (mut gradient, mut curve) = (0.0_f64, 1e-9_f64);
        for (row, truth) in margins.chunks_exact(labels).zip(truth) {
            let likely = softmax(slope, row);
            let moment =
                |power| -> f64 { likely.iter().zip(row).map(|(p, m)| p * f64::from(*m).powi(power)).sum() };
            let mean = moment(1);
            gradient += mean - f64::from(row[*truth as usize]);
            curve += moment(2) - mean * mean;
        }
        let next = (slope - gradient / curve).clamp(slope / 4.0, slope * 4.0).clamp(1e-3, 1e3);
        let is_settled = (next - slope).abs() < 1e-6 * slope;
        slope = next;
        if is_settled {
            break;
        }
    }
    slope
}

/// How often each confidence was right: parts of equal size, neighbours joined where the share would fall.
///
/// Half a sample more on either side of each part (Jeffreys), so that ten right ones do not make a certainty.
fn rising_curve(mut confidences: Vec<(f64, bool)>) -> Vec<(f64, f64)> {
    confidences.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut parts: Vec<[f64; 3]> = Vec::new();
    for part in confidences.chunks(confidences.len().div_ceil(PARTS).max(MIN_PART)) {
        let right = part.iter().filter(|(_, right)| *right).count() as f64;
        let mut joined = [part.len() as f64, part.iter().map(|(confidence, _)| confidence).sum(), right];
        while let Some(last) = parts.pop_if(|last| often(last) >= often(&joined)) {
            joined = [joined[0] + last[0], joined[1] + last[1], joined[2] + last[2]];
        }
        parts.push(joined);
    }
    let last = parts.last().map_or(0.0, often);
    let knots = parts.iter().map(|part| (part[1] / part[0], often(part)));
    [(0.0, 0.0)].into_iter().chain(knots).chain([(1.0, f64::midpoint(last, 1.0))]).collect()
}

fn often([count, _, right]: &[f64; 3]) -> f64 {
    (right + 0.5) / (count + 1.0)
}

fn softmax(slope: f64, margins: &[f32]) -> Vec<f64> {
    let highest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut raised: Vec<f64> =
        margins.iter().map(|margin| (slope * f64::from(margin - highest)).exp()).collect();
    let total: f64 = raised.iter().sum();
    raised.iter_mut().for_each(|probability| *probability /= total);
    raised
}

/// The place of the highest number, the first of equals.
fn highest(numbers: &[f64]) -> usize {
    (0..numbers.len()).rev().max_by(|a, b| numbers[*a].total_cmp(&numbers[*b])).unwrap_or_default()
}

/// The lowest probability from which on labels were right at least as often as wanted, with room for chance (Wilson's
/// lower bound), rounded down to a thousandth; `None` when no probability is enough.
///
/// `outcomes`: the probability of the likeliest label, and whether it was the true one.
pub(super) fn threshold(mut outcomes: Vec<(f64, bool)>, wanted: f64) -> Option<f64> {
    outcomes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut count, mut right, mut lowest) = (0.0, 0.0, None);
    for same in outcomes.chunk_by(|a, b| a.0 == b.0) {
        count += same.len() as f64;
        right += same.iter().filter(|(_, right)| *right).count() as f64;
        if wilson(right, count) >= wanted {
            lowest = Some(same[0].0);
        }
    }
    lowest.map(|lowest: f64| (lowest / GRAIN).floor() * GRAIN)
}

fn wilson(right: f64, count: f64) -> f64 {
    let (share, z2) = (right / count, Z * Z);
    let spread = Z * (share * (1.0 - share) / count + z2 / (4.0 * count * count)).sqrt();
    (share + z2 / (2.0 * count) - spread) / (1.0 + z2 / count)
}

#[cfg(test)]
mod tests {
    use super::{Calibration, threshold, wilson};

    /// Margins of two labels that shout: whoever says 3 is right in `right` of 10 cases.
    fn shouting(right: usize) -> Calibration {
        let truth: Vec<u32> = (0..1_000).map(|at| u32::from(at % 10 >= right)).collect();
        Calibration::fit(&[3.0, -3.0].repeat(1_000), 2, &truth)
    }

    #[test]
    fn a_probability_is_how_often_such_margins_were_right() {
        let check = |right, expected: f64| {
            let probabilities = shouting(right).probabilities(&[3.0, -3.0]);
            assert!((probabilities[0] - expected).abs() < 0.02, "{probabilities:?} for {expected}");
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        };
        check(9, 0.9);
        check(7, 0.7);
        check(5, 0.5);
    }

    #[test]
    fn labels_keep_the_order_of_their_margins() {
        let calibration = shouting(7);
        for margins in [[0.5, 0.4, -1.0], [-3.0, -2.9, -2.8], [9.0, 8.0, -30.0]] {
            let probabilities = calibration.probabilities(&margins);
            for (a, b) in [(0, 1), (1, 2)] {
                assert_eq!(margins[a] > margins[b], probabilities[a] > probabilities[b], "{probabilities:?}");
            }
            let (best, probability) = calibration.likeliest(&margins);
            assert!((probabilities[best] - probability).abs() < 1e-6, "{probabilities:?} and {probability}");
        }
    }

    #[test]
    fn few_samples_make_no_certainty() {
        let probabilities =
            Calibration::fit(&[2.0, -2.0].repeat(10), 2, &[0; 10]).probabilities(&[2.0, -2.0]);
        assert!((0.9..0.99).contains(&probabilities[0]), "{probabilities:?}");
    }

    #[test]
    fn the_threshold_leaves_room_for_chance() {
        let outcomes = |sure: usize| {
            let sure = (0..sure).map(|_| (0.95, true));
            sure.chain((0..100).map(|at| (0.5, at % 2 == 0))).collect::<Vec<_>>()
        };
        let check = |wanted, highest: f64| {
            let lowest = threshold(outcomes(1_000), wanted).unwrap();
            assert!((highest - 0.001..=highest).contains(&lowest), "{lowest} for {wanted}");
        };
        check(0.99, 0.95);
        check(0.9, 0.5);
        assert_eq!(threshold(outcomes(20), 0.9), None, "20 right ones may be luck");
        // without any error, Wilson's bound is n / (n + z²)
        assert!((wilson(20.0, 20.0) - 20.0 / (20.0 + 1.645 * 1.645)).abs() < 1e-9);
    }
}
