//! How is a classifier made of resolved tickets, and how good is it on those that came last?

use std::collections::BTreeMap;

use engine::Desk;
use jiff::Timestamp;
use models::{Classifier, Metrics, Outcome, Prediction, Sample, TextRole, TrainOptions};
use ontology::{Record, Scope};

use super::lesson::{Query, Task, text_of};
use super::{Group, LearnedError, Reference, Stage, Sure, Version};
use crate::evidence::Gather;
use crate::feedback;
use crate::policy::PersonId;

/// Fewer tickets teach nothing that could be measured.
const LEAST: usize = 50;
/// The latest tickets, on which is measured: one in so many.
const HELD_OUT: usize = 5;
/// Texts that are embedded together.
const TEXTS_AT_ONCE: usize = 512;
/// The attribute of a ticket that names the group of its caller.
const CALLER_GROUP: &str = "caller_group";

/// A classifier and what is to be said of it.
pub struct Trained {
    /// The card, with number 0 until it is registered.
    pub version: Version,
    /// The classifier.
    pub classifier: Classifier,
}

/// What one ticket teaches.
struct Lesson {
    made: Timestamp,
    id: String,
    source: String,
    group: Option<String>,
    text: String,
    label: String,
    /// Whether people ruled on it here.
    is_ruled: bool,
}

/// Learns a task from the resolved tickets that a scope sees, and from those that people ruled on here: what they decided wins over what
/// the record says, unless its source came to something else since.
///
/// # Errors
/// [`LearnedError::TooFew`], and when the desk cannot be read or the embedder fails.
pub fn train(
    desk: &Desk,
    scope: &Scope,
    task: Task,
    query: &Query,
    by: &PersonId,
    now: Timestamp,
) -> Result<Trained, LearnedError> {
    let (lessons, generation) = lessons(desk, scope, task, query, now)?;
    if lessons.len() < LEAST {
        return Err(LearnedError::TooFew { task, found: lessons.len(), least: LEAST });
    }
    let vectors = vectors(desk, &lessons)?;
    let options = TrainOptions {
        embedder: desk.embedder().map(|embedder| embedder.id().to_string()),
        ..TrainOptions::default()
    };
    let samples: Vec<Sample<'_>> = lessons
        .iter()
        .enumerate()
        .map(|(at, lesson)| Sample {
            text: &lesson.text,
            vector: vectors.get(at).map(Vec::as_slice),
            label: &lesson.label,
        })
        .collect();
    let (earlier, latest) = samples.split_at(lessons.len() - lessons.len() / HELD_OUT);
    let trial = Classifier::train(earlier, &options)?;
    let told: Vec<Prediction> =
        latest.iter().map(|sample| trial.predict(sample.text, sample.vector)).collect::<Result<_, _>>()?;
    let latest = &lessons[earlier.len()..];
    let outcomes: Vec<Outcome<'_>> = latest
        .iter()
        .zip(&told)
        .map(|(lesson, told)| Outcome {
            truth: &lesson.label,
            label: &told.label,
            probability: told.probability,
        })
        .collect();
    let classifier = Classifier::train(&samples, &options)?;
    let version = Version {
        task,
        number: 0,
        digest: classifier.digest().to_owned(),
        trained: now,
        embedder: options.embedder,
        generation,
        query: query.clone(),
        tickets: lessons.len(),
        ruled: lessons.iter().filter(|lesson| lesson.is_ruled).count(),
        held_out: Metrics::of(&outcomes),
        commonest: commonest(&lessons[..earlier.len()], latest),
        sure: sure(latest, &told),
        groups: groups(latest, &told),
        reference: reference(latest, &told),
        stage: Stage::Candidate,
        share: 0,
        is_taken_back: false,
        since: now,
        by: by.clone(),
    };
    Ok(Trained { version, classifier })
}

/// The tickets in the order in which they were made.
fn lessons(
    desk: &Desk,
    scope: &Scope,
    task: Task,
    query: &Query,
    now: Timestamp,
) -> Result<(Vec<Lesson>, u64), LearnedError> {
    let decided = feedback::decided(&desk.store())?;
    let mut records: Vec<Record> = Vec::new();
    let is_decided = |record: &Record| decided.get(&record.id).is_some_and(|tasks| tasks.contains_key(&task));
    let generation = desk.current(scope, &query.kinds, &mut |observation| {
        let record = &observation.record;
        if query.has(record) || (is_decided(record) && query.is_late_enough(record)) {
            records.push(observation.record);
        }
    })?;
    let mut gather = Gather::new(desk, scope, now);
    let mut lessons = Vec::with_capacity(records.len());
    for record in records {
        let recorded = task.label_of(&mut gather, &record)?;
        let settled = decided.get(&record.id).and_then(|tasks| tasks.get(&task));
        let Some(label) = settled.map(|settled| settled.label(recorded.clone())).or(recorded) else {
            continue;
        };
        lessons.push(Lesson {
            made: record.created.unwrap_or(Timestamp::UNIX_EPOCH),
            id: record.id.as_str().to_owned(),
            source: record.id.source().to_owned(),
            group: record.attributes.get(CALLER_GROUP).cloned(),
            text: text_of(&record),
            is_ruled: settled.is_some(),
            label,
        });
    }
    lessons.sort_by(|a, b| a.made.cmp(&b.made).then_with(|| a.id.cmp(&b.id)));
    Ok((lessons, generation))
}

fn vectors(desk: &Desk, lessons: &[Lesson]) -> Result<Vec<Vec<f32>>, LearnedError> {
    let Some(embedder) = desk.embedder() else { return Ok(Vec::new()) };
    let mut vectors = Vec::with_capacity(lessons.len());
    for lessons in lessons.chunks(TEXTS_AT_ONCE) {
        let texts: Vec<&str> = lessons.iter().map(|lesson| lesson.text.as_str()).collect();
        vectors.extend(embedder.embed(TextRole::Passage, &texts).map_err(engine::DeskError::from)?);
    }
    Ok(vectors)
}

fn commonest(earlier: &[Lesson], latest: &[Lesson]) -> f64 {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for lesson in earlier {
        *counts.entry(&lesson.label).or_default() += 1;
    }
    let label = counts.into_iter().max_by_key(|(_, count)| *count).map(|(label, _)| label);
    let right = latest.iter().filter(|lesson| Some(lesson.label.as_str()) == label).count();
    share(right, latest.len())
}

fn sure(latest: &[Lesson], told: &[Prediction]) -> Sure {
    let sure: Vec<_> = latest.iter().zip(told).filter(|(_, told)| told.is_sure).collect();
    let right = sure.iter().filter(|(lesson, told)| lesson.label == told.label).count();
    Sure { share: share(sure.len(), latest.len()), precision: share(right, sure.len()) }
}

fn groups(latest: &[Lesson], told: &[Prediction]) -> BTreeMap<String, Group> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (lesson, told) in latest.iter().zip(told) {
        let Some(group) = &lesson.group else { continue };
        let (count, right) = counts.entry(group.clone()).or_default();
        *count += 1;
        *right += usize::from(lesson.label == told.label);
    }
    counts
        .into_iter()
        .map(|(group, (count, right))| (group, Group { count, accuracy: share(right, count) }))
        .collect()
}

fn reference(latest: &[Lesson], told: &[Prediction]) -> Reference {
    let mut reference = Reference::default();
    for (lesson, told) in latest.iter().zip(told) {
        reference.count(&told.label, told.probability, &lesson.text, &lesson.source);
    }
    reference.shares()
}

impl Reference {
    /// Counts one ticket and what was told of it.
    pub(super) fn count(&mut self, label: &str, probability: f64, text: &str, source: &str) {
        let words = text.split_whitespace().count();
        self.count_read(label, probability, words, source);
    }

    pub(super) fn count_read(&mut self, label: &str, probability: f64, words: usize, source: &str) {
        *self.labels.entry(label.to_owned()).or_default() += 1.0;
        *self.confidence.entry(((probability * 10.0) as u8).min(9).to_string()).or_default() += 1.0;
        *self.length.entry(words.max(1).ilog2().to_string()).or_default() += 1.0;
        *self.sources.entry(source.to_owned()).or_default() += 1.0;
    }

    /// Counts as shares.
    pub(super) fn shares(mut self) -> Self {
        for counts in [&mut self.labels, &mut self.confidence, &mut self.length, &mut self.sources] {
            let all: f64 = counts.values().sum();
            counts.values_mut().for_each(|count| *count /= all);
        }
        self
    }
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
