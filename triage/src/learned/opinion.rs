//! What do the desk's own models say of a ticket, and does it count?

use std::sync::Arc;

use engine::{Desk, DeskError, Store};
use models::Classifier;
use ontology::Record;
use serde::{Deserialize, Serialize};

use super::lesson::text_of;
use super::registry::Registry;
use super::{LearnedError, Stage, Task, Version};
use crate::policy::Share;
use crate::result::Decision;

/// What a model says of a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// What it tells.
    pub task: Task,
    /// The number of the version.
    pub version: u32,
    /// Its digest.
    pub digest: String,
    /// What it would decide.
    pub label: String,
    /// How likely that is, 0 to 1.
    pub probability: f64,
    /// Whether one may rely on it.
    pub is_sure: bool,
    /// Whether it may decide: in force, or a canary that this ticket falls to, and sure.
    pub counts: bool,
    /// The words of the ticket that spoke for it, strongest first.
    pub words: Vec<String>,
    /// How many tickets it learnt from.
    pub tickets: usize,
    /// Words of the ticket that it read.
    pub read: usize,
}

/// The models that are heard, with their classifiers in memory.
#[derive(Default)]
pub struct Learned {
    heard: Vec<(Version, Arc<Classifier>)>,
}

impl Learned {
    /// Those that the registry lets be heard now; classifiers that are in memory already are shared.
    ///
    /// # Errors
    /// When the store cannot be read, or a classifier in it is damaged.
    pub fn refreshed(&self, store: &Store) -> Result<Self, LearnedError> {
        let registry = Registry::new(store.clone());
        let mut heard = Vec::new();
        for version in registry.versions()? {
            if !matches!(version.stage, Stage::Shadow | Stage::Canary | Stage::Active) {
                continue;
            }
            let known = self.heard.iter().find(|(known, _)| known.digest == version.digest);
            let classifier = match known {
                Some((_, classifier)) => Arc::clone(classifier),
                None => Arc::new(registry.classifier(&version)?),
            };
            heard.push((version, classifier));
        }
        // A canary is heard before the version in force.
        heard.sort_by_key(|(version, _)| (version.task, version.stage == Stage::Active));
        Ok(Self { heard })
    }

    /// What each model says; those of another embedder than the desk's are silent.
    ///
    /// # Errors
    /// [`DeskError`] when the embedder fails.
    pub(crate) fn opinions(&self, desk: &Desk, ticket: &Record) -> Result<Vec<Opinion>, DeskError> {
        if self.heard.is_empty() {
            return Ok(Vec::new());
        }
        let text = text_of(ticket);
        let vector = desk.vectors_of(&[&text])?.and_then(|mut vectors| vectors.pop());
        let embedder = desk.embedder().map(|embedder| embedder.id().as_str());
        let mut opinions = Vec::new();
        for (version, classifier) in &self.heard {
            if version.embedder.as_deref() != embedder {
                continue;
            }
            // Of the same embedder, a vector has the right size.
            let Ok(told) = classifier.predict(&text, vector.as_deref()) else { continue };
            let words = classifier.explain(&text, &told.label).into_iter().map(|(word, _)| word).collect();
            let has_ticket = match version.stage {
                Stage::Active => true,
                Stage::Canary => {
                    Share::try_from(version.share).is_ok_and(|share| share.has(ticket.id.as_str()))
                }
                _ => false,
            };
            opinions.push(Opinion {
                task: version.task,
                version: version.number,
                digest: version.digest.clone(),
                label: told.label,
                probability: told.probability,
                is_sure: told.is_sure,
                counts: has_ticket && told.is_sure,
                words,
                tickets: version.tickets,
                read: text.split_whitespace().count(),
            });
        }
        Ok(opinions)
    }
}

/// What the vote decided, or what a model that counts does: where they agree, both speak for it.
pub(crate) fn settle<T: PartialEq>(
    voted: Decision<T>,
    task: Task,
    opinions: &[Opinion],
    value_of: impl Fn(&str) -> Option<T>,
    agrees: impl Fn(&T, &str) -> bool,
) -> Decision<T> {
    let Some(opinion) = opinions.iter().find(|opinion| opinion.task == task && opinion.counts) else {
        return voted;
    };
    let words = opinion.words.join(", ");
    let why = format!("learnt from {} resolved tickets, by the words {words}", opinion.tickets);
    if voted.value.as_ref().is_some_and(|value| agrees(value, &opinion.label)) {
        let confidence = voted.confidence.max(opinion.probability);
        let why = voted.why.into_iter().chain([why]).collect();
        return Decision { confidence, why, ..voted };
    }
    let Some(value) = value_of(&opinion.label) else { return voted };
    let evidence = Vec::new();
    Decision { value: Some(value), confidence: opinion.probability, why: vec![why], evidence }
}
