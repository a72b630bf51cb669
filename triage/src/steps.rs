//! What was done at a ticket so far, and how long did each step take?

use tracing::span::EnteredSpan;

use crate::evidence::Evidence;
use crate::policy::{Agent, Boundaries};
use crate::result::{Affected, ModelCall, StepTrace, Strength};

/// What was done so far. Each step is a span, from the end of the one before.
pub(crate) struct Trace {
    pub(crate) steps: Vec<StepTrace>,
    /// How a language model did.
    pub(crate) notes: Vec<String>,
    pub(crate) calls: Vec<ModelCall>,
    current: Option<EnteredSpan>,
}

impl Default for Trace {
    fn default() -> Self {
        Self { steps: Vec::new(), notes: Vec::new(), calls: Vec::new(), current: Some(step_span()) }
    }
}

fn step_span() -> EnteredSpan {
    tracing::info_span!("step", step = tracing::field::Empty).entered()
}

impl Trace {
    /// Says what agents may not read here, where their work would want it.
    pub(crate) fn limit(&mut self, boundaries: &Boundaries) {
        for missing in Agent::ALL.iter().filter_map(|agent| boundaries.missing(*agent)) {
            self.add("limited", "policies", missing);
        }
    }

    pub(crate) fn add(&mut self, step: &str, used: &str, why: impl Into<String>) {
        if let Some(ended) = self.current.take() {
            ended.record("step", step);
        }
        // Only now, so that the next is no child of this one.
        self.current = Some(step_span());
        self.steps.push(StepTrace { step: step.to_owned(), used: used.to_owned(), why: why.into() });
    }
}

impl Evidence {
    /// What was found around the ticket, in words.
    pub(crate) fn surroundings(&self, affected: &[Affected]) -> String {
        format!("{} affected, {} facts", affected.len(), self.tickets.facts.len())
    }

    /// Who voted.
    pub(crate) fn voted(&self) -> String {
        format!("{} tickets voted", self.neighbours.len())
    }

    /// What an answer would rest on.
    pub(crate) fn found(&self, strength: &Strength) -> String {
        let passages = self.tickets.items.len() + self.knowledge.items.len();
        format!("{passages} passages, strength {:.2}", strength.score)
    }
}
