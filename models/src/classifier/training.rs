//! How does a heap of resolved tickets become a classifier?

use std::collections::BTreeMap;
use std::iter;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::calibration::{Calibration, threshold};
use super::features::{Reading, VECTOR_LENGTH, Vocabulary};
use super::solver::{Question, SplitMix, Table, solve};
use super::{Classifier, ClassifierError, Head, Sample, TrainOptions};

/// More labels than a person could choose from.
const MAX_LABELS: usize = 1_000;
/// The bytes of weights, hashes and rarities at most, so that a model stays easy to keep and to send.
const MAX_BYTES: usize = 18 << 20;
/// Bytes of a feature beside its weights: hash, rarity, step.
const BYTES_A_GRAM: usize = 16;
/// What an error costs beside a wide margin. This and the next were chosen by cross-validation.
const COST: f64 = 0.3;
/// How much more an error costs where a label is rare: 0 not at all, 1 so that all labels cost the same in sum.
const BALANCE: f64 = 0.3;
/// Parts of the samples, each judged by a model of the others to calibrate on; fewer when there are many.
const FOLDS: usize = 5;
const FOLDS_OF_MANY: usize = 3;
const MANY: usize = 20_000;

pub(super) fn train(
    samples: &[Sample<'_>],
    options: &TrainOptions,
    threads: usize,
) -> Result<Classifier, ClassifierError> {
    let wanted = options.wanted_precision;
    if !(wanted > 0.0 && wanted < 1.0) {
        return Err(ClassifierError::Precision { wanted });
    }
    let (labels, truth) = number_labels(samples)?;
    let vector_columns = vector_columns(samples)?;
    let limit = MAX_BYTES / (labels.len() + BYTES_A_GRAM);
    let vocabulary = Vocabulary::learn(samples.iter().map(|sample| sample.text), limit);
    let mut table = Table::new(vocabulary.hashes().len(), vector_columns);
    let mut vector = Vec::new();
    for sample in samples {
        let row = vocabulary.row(&Reading::new(sample.text).grams);
        vector.clear();
        vector.extend(sample.vector.unwrap_or_default().iter().map(|number| number * VECTOR_LENGTH));
        table.push(&row, &vector);
    }
    let course = Course { folds: folds(samples.len(), options.seed), labels: labels.len(), table, truth };
    let (margins, weights) = course.run(options.seed, threads);
    let calibration = Calibration::fit(&margins, labels.len(), &course.truth);
    let outcomes = margins.chunks_exact(labels.len()).zip(&course.truth).map(|(row, truth)| {
        let (label, probability) = calibration.likeliest(row);
        (probability, label == *truth as usize)
    });
    let threshold = threshold(outcomes.collect(), wanted);
    let (weights, steps) = round(&weights, course.table.weights());
    let (samples, grams) = (samples.len(), vocabulary.hashes().len());
    let options = options.clone();
    let head = Head { labels, options, samples, grams, vector_columns, calibration, threshold };
    Ok(Classifier { head, vocabulary, weights, steps, digest: String::new() }.with_digest())
}

/// The labels in alphabetical order, and the number of each sample's.
fn number_labels(samples: &[Sample<'_>]) -> Result<(Vec<String>, Vec<u32>), ClassifierError> {
    let mut numbers: BTreeMap<&str, u32> = samples.iter().map(|sample| (sample.label, 0)).collect();
    let labels = numbers.len();
    if labels < 2 {
        return Err(ClassifierError::TooFew { samples: samples.len(), labels });
    }
    if labels > MAX_LABELS {
        return Err(ClassifierError::TooManyLabels { labels, limit: MAX_LABELS });
    }
    for (number, place) in (0..).zip(numbers.values_mut()) {
        *place = number;
    }
    let truth = samples.iter().map(|sample| numbers[sample.label]).collect();
    Ok((numbers.into_keys().map(str::to_owned).collect(), truth))
}

/// How many numbers the vectors have; 0 without vectors.
fn vector_columns(samples: &[Sample<'_>]) -> Result<usize, ClassifierError> {
    let size = |sample: &Sample<'_>| sample.vector.map_or(0, <[f32]>::len);
    let expected = samples.first().map_or(0, size);
    match samples.iter().map(size).find(|found| *found != expected) {
        Some(found) => Err(ClassifierError::VectorSize { expected, found }),
        None => Ok(expected),
    }
}

/// Which fold each sample is in, by lot.
fn folds(samples: usize, seed: u64) -> Vec<usize> {
    let folds = if samples > MANY { FOLDS_OF_MANY } else { FOLDS };
    let mut order: Vec<usize> = (0..samples).collect();
    let mut random = SplitMix(seed);
    for at in 0..samples {
        order.swap(at, at + random.below(samples - at));
    }
    let mut fold = vec![0; samples];
    for (place, sample) in order.into_iter().enumerate() {
        fold[sample] = place % folds;
    }
    fold
}

/// All that is to be solved: a model of everything, and for each fold a model of the other folds.
struct Course {
    table: Table,
    truth: Vec<u32>,
    labels: usize,
    folds: Vec<usize>,
}

/// One label against the others, on all samples or on those outside of a fold.
#[derive(Clone, Copy)]
struct Lesson {
    label: usize,
    without: Option<usize>,
}

impl Course {
    /// The margins of every sample under a model that has not seen it, all labels of a sample together; and the weights of
    /// each label's model of everything.
    ///
    /// Threads take the next lesson as they come; none depends on another, and each result has its place.
    fn run(&self, seed: u64, threads: usize) -> (Vec<f32>, Vec<Vec<f32>>) {
        let folds = self.folds.iter().max().map_or(0, |last| last + 1);
        let lessons: Vec<Lesson> = iter::once(None)
            .chain((0..folds).map(Some))
            .flat_map(|without| (0..self.labels).map(move |label| Lesson { label, without }))
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let take = || lessons.get(next.fetch_add(1, Ordering::Relaxed));
            iter::from_fn(take).map(|lesson| (*lesson, self.learn(*lesson, seed))).collect::<Vec<_>>()
        };
        let learnt: Vec<(Lesson, Vec<f32>)> = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join();
            threads
                .into_iter()
                .flat_map(|thread| join(thread).unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        let mut margins = vec![0.0; self.truth.len() * self.labels];
        let mut weights = vec![Vec::new(); self.labels];
        for (lesson, result) in learnt {
            match lesson.without {
                None => weights[lesson.label] = result,
                Some(fold) => {
                    let held = (0..self.truth.len()).filter(|row| self.folds[*row] == fold);
                    for (row, margin) in held.zip(result) {
                        margins[row * self.labels + lesson.label] = margin;
                    }
                }
            }
        }
        (margins, weights)
    }

    /// The weights of a model of everything, or the margins of the fold that a model has not seen.
    fn learn(&self, lesson: Lesson, seed: u64) -> Vec<f32> {
        let positive = lesson.label as u32;
        let rows = 0..self.truth.len() as u32;
        let is_held = |row: &u32| lesson.without == Some(self.folds[*row as usize]);
        let (held, rows): (Vec<u32>, Vec<u32>) = rows.partition(is_held);
        let count = rows.iter().filter(|row| self.truth[**row as usize] == positive).count();
        let scarcity = rows.len() as f64 / (self.labels * count.max(1)) as f64;
        let stream = (lesson.without.map_or(0, |fold| fold as u64 + 1) << 32) | u64::from(positive);
        let question = Question {
            rows: &rows,
            labels: &self.truth,
            positive,
            positive_cost: COST * scarcity.powf(BALANCE),
            negative_cost: COST,
            seed: seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        let weights = solve(&self.table, &question);
        match lesson.without {
            None => weights,
            Some(_) => held.into_iter().map(|row| self.table.margin(&weights, row as usize)).collect(),
        }
    }
}

/// Weights in 8 bits, label by label for each column, and what one step is worth in each column.
fn round(weights: &[Vec<f32>], columns: usize) -> (Vec<i8>, Vec<f32>) {
    let mut rounded = Vec::with_capacity(columns * weights.len());
    let mut steps = Vec::with_capacity(columns);
    for column in 0..columns {
        let most = weights.iter().map(|label| label[column].abs()).fold(0.0_f32, f32::max);
        let step = (most / f32::from(i8::MAX)).max(f32::MIN_POSITIVE);
        rounded.extend(weights.iter().map(|label| (label[column] / step).round() as i8));
        steps.push(step);
    }
    (rounded, steps)
}
