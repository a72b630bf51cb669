//! What if a language model keeps failing? It is left alone for a while, and whoever asks hears so at once.

use std::time::Instant;

use super::{Completion, LanguageModel, LanguageModelError, Limits, Prompt};
use crate::circuit::Circuit;

/// A language model behind a [`Circuit`]: while it fails, nobody waits for it.
pub struct GuardedModel {
    model: Box<dyn LanguageModel>,
    circuit: Circuit,
}

impl GuardedModel {
    /// A model with a circuit breaker of its own in front of it.
    #[must_use]
    pub fn new(model: Box<dyn LanguageModel>) -> Self {
        Self { model, circuit: Circuit::default() }
    }

    /// Whether it is left alone now.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.circuit.is_open()
    }
}

impl LanguageModel for GuardedModel {
    fn id(&self) -> &str {
        self.model.id()
    }

    fn complete(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError> {
        self.circuit.admit(Instant::now()).map_err(|wait| LanguageModelError::Resting {
            // Rounded up: whoever comes after that many seconds is not too early.
            seconds: wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        })?;
        let asked = self.model.complete(prompt, limits);
        match &asked {
            Ok(_) => self.circuit.went_well(),
            // It is there; this prompt was not for it.
            Err(LanguageModelError::PromptTooLong { .. }) => self.circuit.gave_up(),
            // The caller gave it no time.
            Err(LanguageModelError::TimedOut { timeout_millis: 0 }) => self.circuit.gave_up(),
            Err(LanguageModelError::Busy { retry_after_seconds }) => {
                let at_least = retry_after_seconds.map(std::time::Duration::from_secs);
                self.circuit.failed(Instant::now(), at_least);
            }
            Err(_) => self.circuit.failed(Instant::now(), None),
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::language::conformance::conformance;
    use crate::language::scripted::ScriptedModel;
    use crate::redact::{RedactionPolicy, Redactor};

    #[test]
    fn keeps_the_contract() {
        conformance(&GuardedModel::new(Box::new(ScriptedModel::new([Ok("Paris.".to_owned())]))));
    }

    #[test]
    fn a_model_that_keeps_failing_is_left_alone() {
        let failing = LanguageModelError::ServerFailed { status: 500 };
        let model = GuardedModel::new(Box::new(ScriptedModel::new([Err(failing.clone())])));
        let prompt = Prompt::new(Redactor::new(&RedactionPolicy::default(), &[]).redact("count"));
        let limits = Limits { max_tokens: 2, timeout: Duration::from_secs(1) };
        for _ in 0..3 {
            assert_eq!(model.complete(&prompt, &limits), Err(failing.clone()));
        }
        let error = model.complete(&prompt, &limits).expect_err("nobody asks it");
        assert!(matches!(error, LanguageModelError::Resting { seconds: 1..=15 }), "{error}");
        assert!(model.is_resting());
        assert!(error.is_worth_retrying());
        assert_eq!(error.code(), "language-model-resting");
    }
}
