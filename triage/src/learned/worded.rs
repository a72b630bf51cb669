//! How good is what words answers? Measured on the tickets it was asked about: what of it stood in its sources, what failed, how long it
//! took, and what people changed of it.

use std::collections::BTreeMap;

use engine::Store;
use serde::{Deserialize, Serialize};

use super::{LearnedError, WordingVersion};
use crate::feedback::{self, Ruled};
use crate::policy::Deed;
use crate::result::{ModelCall, Triage};
use crate::workflow::TRIAGE;

/// Items that are read together.
const PAGE: u32 = 500;
/// How a ticket without a category is counted.
const NONE: &str = "";

/// How a version did, on the latest triage of each ticket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WordingFigures {
    /// Questions to it.
    pub calls: u64,
    /// The share of these that failed.
    pub failed: f64,
    /// The share of its sentences that their sources bear out.
    pub kept: f64,
    /// How long it took, in the middle, and for all but one in twenty.
    pub median_millis: u64,
    /// As above.
    pub slow_millis: u64,
    /// Answers worded by it of which people told what they did with them.
    pub told: u64,
    /// The mean share of words that people changed of these.
    pub edited_words: f64,
    /// Questions, the share of sentences kept, and of words changed, by the first of the category's path.
    pub categories: BTreeMap<String, WordingCategory>,
}

/// How a version did in one category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WordingCategory {
    /// Questions to it.
    pub calls: u64,
    /// The share of its sentences that their sources bear out.
    pub kept: f64,
    /// Answers of which people told what they did with them.
    pub told: u64,
    /// The mean share of words that they changed.
    pub edited_words: f64,
}

#[derive(Default)]
struct Counted {
    calls: u64,
    failed: u64,
    kept: u64,
    sentences: u64,
    told: u64,
    edited: f64,
    millis: Vec<u64>,
}

impl Counted {
    fn ask(&mut self, call: &ModelCall) {
        self.calls += 1;
        self.failed += u64::from(call.outcome != "answered");
        self.kept += u64::from(call.kept);
        self.sentences += u64::from(call.kept + call.dropped);
        self.millis.push(call.millis);
    }

    fn tell(&mut self, edited: f64) {
        self.told += 1;
        self.edited += edited;
    }

    fn kept(&self) -> f64 {
        self.kept as f64 / self.sentences.max(1) as f64
    }

    fn edited(&self) -> f64 {
        self.edited / self.told.max(1) as f64
    }

    /// The time that a share of the questions took at most.
    fn millis_of(&self, share: f64) -> u64 {
        let last = self.millis.len().saturating_sub(1) as f64;
        self.millis.get((last * share).round() as usize).copied().unwrap_or(0)
    }
}

impl WordingFigures {
    /// Measures a version.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(store: &Store, version: &WordingVersion) -> Result<Self, LearnedError> {
        let mut all = Counted::default();
        let mut categories: BTreeMap<String, Counted> = BTreeMap::new();
        let named = |path: &[String]| path.first().cloned().unwrap_or_else(|| NONE.to_owned());
        let mut after = String::new();
        loop {
            let items = store.items(TRIAGE, None, &after, PAGE)?;
            let Some(last) = items.last() else { break };
            after.clone_from(&last.key);
            for item in &items {
                // What was purged or written by another version tells nothing.
                let Ok(triage) = serde_json::from_slice::<Triage>(&item.body) else { continue };
                let is_its = |call: &&ModelCall| call.model == version.model && call.prompt == version.prompt;
                for call in triage.calls.iter().filter(is_its) {
                    all.ask(call);
                    let category = triage.category.value.as_deref().unwrap_or_default();
                    categories.entry(named(category)).or_default().ask(call);
                }
            }
        }
        let prompt = made_by(&version.prompt);
        feedback::each(store, &mut |_, feedback| {
            let is_its = feedback.made_by.contains(&version.model) && feedback.made_by.contains(&prompt);
            let is_used = matches!(feedback.ruling, Ruled::Approve | Ruled::Used | Ruled::Edited);
            if feedback.deed == Deed::Reply && is_its && is_used {
                all.tell(feedback.edited_share);
                categories.entry(named(&feedback.category)).or_default().tell(feedback.edited_share);
            }
        })?;
        all.millis.sort_unstable();
        let of_category = |(name, counted): (String, Counted)| {
            let (kept, edited_words) = (counted.kept(), counted.edited());
            (name, WordingCategory { calls: counted.calls, kept, told: counted.told, edited_words })
        };
        Ok(Self {
            calls: all.calls,
            failed: all.failed as f64 / all.calls.max(1) as f64,
            kept: all.kept(),
            median_millis: all.millis_of(0.5),
            slow_millis: all.millis_of(0.95),
            told: all.told,
            edited_words: all.edited(),
            categories: categories.into_iter().map(of_category).collect(),
        })
    }
}

/// How feedback names the prompt of a worded answer.
pub(crate) fn made_by(prompt: &str) -> String {
    format!("prompt {prompt}")
}
