//! Which category, priority or team would people have chosen for a ticket, and how sure is that?

mod calibration;
mod features;
mod file;
mod metrics;
mod solver;
mod training;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use calibration::Calibration;
use features::{Gram, Reading, VECTOR_LENGTH, Vocabulary};
pub use metrics::{Coverage, LabelMetrics, Metrics, Outcome};

const THREADS: usize = 2;
/// More words than a person would read as a reason.
const MAX_EXPLAINED: usize = 8;

/// A resolved ticket to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Its text, redacted like any text that a model sees; the first of several lines is read as its title.
    pub text: &'a str,
    /// Its vector, for all samples or for none, all from the same embedder.
    pub vector: Option<&'a [f32]>,
    /// What people decided.
    pub label: &'a str,
}

/// How a classifier is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainOptions {
    /// Decides the order of the samples; the same samples and options give the same bytes.
    pub seed: u64,
    /// How often a sure decision is to be right, above 0 and below 1.
    pub wanted_precision: f64,
    /// The id of the embedder that made the vectors, kept with the model so that nobody asks with others.
    pub embedder: Option<String>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self { seed: 1, wanted_precision: 0.9, embedder: None }
    }
}

/// What a classifier says about a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The likeliest label.
    pub label: String,
    /// How likely it is, from 0 to 1: of 100 tickets with 0.8, about 80 have it.
    pub probability: f64,
    /// Every label with its probability, the likeliest first; ties by name.
    pub ranked: Vec<(String, f64)>,
    /// Whether one may rely on it: the probability reaches the threshold that was measured for the wanted precision, the
    /// text holds something known, and the vector was there if the model was trained with vectors. Otherwise a person decides.
    pub is_sure: bool,
}

/// A linear model with one margin a label over words, letters and, where trained with them, vectors.
///
/// Deterministic: the same samples and options give the same bytes, on any number of threads. It knows words by their
/// hashes only, so its file holds nobody's text.
///
/// ```
/// use models::{Classifier, Sample, TrainOptions};
///
/// let resolved = [
///     ("vpn is down", "network"),
///     ("no wifi, vpn slow", "network"),
///     ("toner empty", "printer"),
///     ("paper and toner", "printer"),
/// ];
/// let samples = resolved.map(|(text, label)| Sample { text, vector: None, label });
/// let classifier = Classifier::train(&samples, &TrainOptions::default())?;
/// let told = classifier.predict("the vpn again", None)?;
/// assert_eq!(told.label, "network");
/// assert!(!told.is_sure, "four tickets are too few to rely on");
/// # Ok::<(), models::ClassifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    head: Head,
    vocabulary: Vocabulary,
    /// Label by label for each column: the grams, then the vector's numbers, then the constant.
    weights: Vec<i8>,
    /// What one step of a column's weights is worth.
    steps: Vec<f32>,
    digest: String,
}

/// What a file tells of a model before its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    labels: Vec<String>,
    options: TrainOptions,
    /// How many tickets it learnt from.
    samples: usize,
    grams: usize,
    vector_columns: usize,
    calibration: Calibration,
    /// The probability from which on an answer is sure; none when no probability is enough.
    threshold: Option<f64>,
}

/// Why a classifier could not be trained, read or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// There is nothing to tell apart.
    #[error(
        "{samples} tickets with {labels} different labels are too few to learn from; give at least two labels"
    )]
    TooFew {
        /// How many samples there were.
        samples: usize,
        /// How many labels they had.
        labels: usize,
    },
    /// More labels than are told apart usefully.
    #[error("{labels} different labels are more than {limit}; choose a coarser field")]
    TooManyLabels {
        /// How many labels the samples have.
        labels: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// Vectors that cannot stand beside each other.
    #[error("a vector has {found} numbers instead of {expected}; embed all tickets with one embedder")]
    VectorSize {
        /// How many the others have, 0 for none.
        expected: usize,
        /// How many this one has.
        found: usize,
    },
    /// A precision that cannot be wanted.
    #[error("a wanted precision of {wanted} cannot be measured; choose one above 0 and below 1, such as 0.9")]
    Precision {
        /// What was wanted.
        wanted: f64,
    },
    /// Bytes that are not a whole model.
    #[error("this is not a whole classifier ({reason}); take it from a backup or train it again")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// A model of a newer program.
    #[error(
        "the classifier has format {found}, this program reads up to {known}; update the program or train it again"
    )]
    Newer {
        /// The format of the file.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
}

impl ClassifierError {
    /// A stable name of the kind of error, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFew { .. } => "classifier-too-few-tickets",
            Self::TooManyLabels { .. } => "classifier-too-many-labels",
            Self::VectorSize { .. } => "classifier-vector-size",
            Self::Precision { .. } => "classifier-precision",
            Self::Damaged { .. } => "classifier-damaged",
            Self::Newer { .. } => "classifier-newer",
        }
    }
}

impl Classifier {
    /// Learns from resolved tickets, on two threads.
    ///
    /// # Errors
    /// When there are fewer than two labels or more than 1,000, when vectors differ in size, or an option is out of range.
    pub fn train(samples: &[Sample<'_>], options: &TrainOptions) -> Result<Self, ClassifierError> {
        training::train(samples, options, THREADS)
    }

    /// What people would have decided. Without the vector that a model was trained with, the text decides alone and
    /// the answer is never sure; a vector that it was not trained with is ignored.
    ///
    /// # Errors
    /// [`ClassifierError::VectorSize`] when the vector cannot be one of the embedder that the model was trained with.
    pub fn predict(&self, text: &str, vector: Option<&[f32]>) -> Result<Prediction, ClassifierError> {
        let columns = self.head.vector_columns;
        let vector = vector.filter(|_| columns > 0);
        if let Some(found) = vector.map(<[f32]>::len).filter(|found| *found != columns) {
            return Err(ClassifierError::VectorSize { expected: columns, found });
        }
        let row = self.vocabulary.row(&Reading::new(text).grams);
        let mut margins = vec![0.0; self.head.labels.len()];
        self.add(&mut margins, self.steps.len() - 1, 1.0);
        for (gram, value) in &row {
            self.add(&mut margins, *gram as usize, *value);
        }
        for (at, value) in vector.unwrap_or_default().iter().enumerate() {
            self.add(&mut margins, self.head.grams + at, value * VECTOR_LENGTH);
        }
        let probabilities = self.head.calibration.probabilities(&margins);
        let mut ranked: Vec<(String, f64)> = self.head.labels.iter().cloned().zip(probabilities).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let (label, probability) = ranked[0].clone();
        let is_informed = !row.is_empty() && vector.is_some() == (columns > 0);
        let is_likely = self.head.threshold.is_some_and(|threshold| probability >= threshold);
        Ok(Prediction { label, probability, ranked, is_sure: is_informed && is_likely })
    }

    /// The words of a text that spoke for a label, the strongest first, at most eight, each with its part of the margin;
    /// none for a label that the model does not know. What the vector said has no words.
    #[must_use]
    pub fn explain(&self, text: &str, label: &str) -> Vec<(String, f32)> {
        let Ok(label) = self.head.labels.binary_search_by(|known| known.as_str().cmp(label)) else {
            return Vec::new();
        };
        let reading = Reading::new(text);
        let known: Vec<(u32, &Gram)> =
            reading.grams.iter().filter_map(|gram| Some((self.vocabulary.number(gram)?, gram))).collect();
        let mut occurrences: BTreeMap<u32, f32> = BTreeMap::new();
        for (number, gram) in &known {
            *occurrences.entry(*number).or_default() += gram.words as f32;
        }
        let values: BTreeMap<u32, f32> = self.vocabulary.row(&reading.grams).into_iter().collect();
        let mut words: BTreeMap<&str, f32> = BTreeMap::new();
        for (number, gram) in known {
            let column = number as usize;
            let weight =
                self.steps[column] * f32::from(self.weights[column * self.head.labels.len() + label]);
            let part = weight * values[&number] / occurrences[&number];
            for word in &reading.words[gram.word..gram.word + gram.words] {
                *words.entry(word).or_default() += part;
            }
        }
        let mut words: Vec<(&str, f32)> = words.into_iter().filter(|(_, part)| *part > 0.0).collect();
        words.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        words.into_iter().take(MAX_EXPLAINED).map(|(word, part)| (word.to_owned(), part)).collect()
    }

    /// The labels, in alphabetical order.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.head.labels
    }

    /// How it was trained.
    #[must_use]
    pub fn options(&self) -> &TrainOptions {
        &self.head.options
    }

    /// How many tickets it learnt from.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.head.samples
    }

    /// SHA-256 of the model's bytes, in hex: its identity.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    fn add(&self, margins: &mut [f32], column: usize, value: f32) {
        let step = self.steps[column] * value;
        let weights = &self.weights[column * margins.len()..][..margins.len()];
        for (margin, weight) in margins.iter_mut().zip(weights) {
            *margin += step * f32::from(*weight);
        }
    }
}

#[cfg(test)]
mod tests;
