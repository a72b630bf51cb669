//! What was done at a ticket so far, and how long did each step take?

use tracing::span::EnteredSpan;

use crate::result::{ModelCall, StepTrace};

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
    pub(crate) fn add(&mut self, step: &str, used: &str, why: impl Into<String>) {
        if let Some(ended) = self.current.take() {
            ended.record("step", step);
        }
        // Only now, so that the next is no child of this one.
        self.current = Some(step_span());
        self.steps.push(StepTrace { step: step.to_owned(), used: used.to_owned(), why: why.into() });
    }
}
