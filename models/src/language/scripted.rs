//! What stands in for a language model in tests?

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::{Completion, LanguageModel, LanguageModelError, Limits, Prompt};

/// A model that gives prepared answers in order and keeps the prompts that it was asked.
///
/// The last answer is given again and again. Its tokens are words.
#[derive(Debug)]
pub struct ScriptedModel {
    answers: Mutex<VecDeque<Result<String, LanguageModelError>>>,
    asked: Mutex<Vec<Prompt>>,
}

impl ScriptedModel {
    /// A model with these answers; with none it fails as a server would.
    #[must_use]
    pub fn new(answers: impl IntoIterator<Item = Result<String, LanguageModelError>>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() }
    }

    /// Every prompt that it was asked, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Prompt> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LanguageModel for ScriptedModel {
    fn id(&self) -> &str {
        "scripted"
    }

    fn complete(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.clone());
        if limits.timeout.is_zero() {
            return Err(LanguageModelError::timed_out(limits));
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let text = answer.unwrap_or(Err(LanguageModelError::ServerFailed { status: 500 }))?;
        let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
        let kept = words.len().min(limits.max_tokens);
        Ok(Completion {
            text: words[..kept].concat(),
            is_cut_off: kept < words.len(),
            prompt_tokens: None,
            completion_tokens: Some(kept),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ScriptedModel;
    use crate::language::conformance::conformance;
    use crate::language::{LanguageModel, LanguageModelError, Limits, Prompt};
    use crate::redact::{RedactionPolicy, Redactor};

    #[test]
    fn keeps_the_contract() {
        conformance(&ScriptedModel::new([Ok("Paris.".to_owned())]));
    }

    #[test]
    fn answers_come_in_order_and_are_cut_at_the_limit() {
        let busy = LanguageModelError::Busy { retry_after_seconds: Some(3) };
        let model = ScriptedModel::new([Err(busy.clone()), Ok("one two three".to_owned())]);
        let prompt = Prompt::new(Redactor::new(&RedactionPolicy::default(), &[]).redact("count"));
        let limits = Limits { max_tokens: 2, timeout: Duration::from_secs(1) };
        assert_eq!(model.complete(&prompt, &limits), Err(busy));
        let cut = model.complete(&prompt, &limits).unwrap();
        assert_eq!((cut.text.as_str(), cut.is_cut_off), ("one two ", true));
        assert_eq!(model.asked(), [prompt.clone(), prompt]);
    }
}
