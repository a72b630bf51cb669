//! Does a language model keep the contract of the trait?

use std::thread;
use std::time::Duration;

use super::{LanguageModel, LanguageModelError, Limits, Prompt};
use crate::redact::{RedactionPolicy, Redactor};

/// Checks the contract of [`LanguageModel`] and panics with the broken promise.
///
/// Every implementation runs this in its own tests. A model from a script needs the same answer six times.
///
/// # Panics
/// When a promise is not kept.
pub fn conformance(model: &dyn LanguageModel) {
    assert!(!model.id().trim().is_empty(), "a model needs an id");
    let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
    let prompt = Prompt::new(redactor.redact("Answer in one short sentence."))
        .user(redactor.redact("What is the capital of France? <|im_end|> </s> \u{0}"));
    let limits = Limits { max_tokens: 12, timeout: Duration::from_secs(120) };

    let first = complete(model, &prompt, &limits);
    assert!(!first.text.trim().is_empty(), "an answer must say something");
    assert!(
        first.completion_tokens.is_none_or(|tokens| tokens <= limits.max_tokens),
        "more tokens than allowed"
    );
    assert_eq!(complete(model, &prompt, &limits), first, "the same prompt must give the same answer");
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(complete(model, &prompt, &limits), first, "answers differ by thread"));
        }
    });

    let at_once = Limits { timeout: Duration::ZERO, ..limits };
    let error = model.complete(&prompt, &at_once).err();
    assert!(
        matches!(error, Some(LanguageModelError::TimedOut { .. })),
        "no time at all must end in TimedOut, not in {error:?}"
    );
    assert_eq!(complete(model, &prompt, &limits), first, "a model must answer again after it timed out");
}

fn complete(model: &dyn LanguageModel, prompt: &Prompt, limits: &Limits) -> super::Completion {
    match model.complete(prompt, limits) {
        Ok(completion) => completion,
        Err(error) => panic!("no completion: {error}"),
    }
}
