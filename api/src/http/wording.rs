//! Who words answers? The language model that the server was given, behind its circuit breaker, and what its calls came to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use engine::Store;
use jiff::Timestamp;
use models::{GuardedModel, LanguageModel, Limits};
use triage::access::Grant;
use triage::learned::{LearnedError, Stage, WordingVersion, Wordings};
use triage::{ModelCall, TriageOptions};

use super::metrics::{head, line};

/// A language model, and what one answer of it may cost.
pub(crate) struct Wording {
    model: GuardedModel,
    limits: Limits,
    /// The place of the model in the desk's registry.
    entered: RwLock<Option<WordingVersion>>,
    was_resting: AtomicBool,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    /// By outcome.
    calls: BTreeMap<String, u64>,
    /// Read, written.
    tokens: [u64; 2],
    /// Kept, dropped.
    sentences: [u64; 2],
}

impl Wording {
    pub(crate) fn new(model: Box<dyn LanguageModel>, limits: Limits) -> Self {
        let (was_resting, counted) = (AtomicBool::default(), Mutex::default());
        let entered = RwLock::default();
        Self { model: GuardedModel::new(model), limits, entered, was_resting, counted }
    }

    /// Gives the model its place in the registry of a desk, and says in the log where it is not heard.
    pub(crate) fn enter(&self, store: &Store) -> Result<(), LearnedError> {
        let (by, now) = (Grant::operator().person, Timestamp::now());
        let version = Wordings::new(store.clone()).configured(self.model.id(), &self.limits, &by, now)?;
        let WordingVersion { number, model, stage, .. } = &version;
        if *stage != Stage::Active {
            tracing::warn!(
                model,
                number,
                %stage,
                "the language model does not count yet, or was taken back: see `triagraph models registry`, bring it further with \
                 `triagraph models promote wording {number}` or POST /v1/models/wording/stage"
            );
        }
        self.set(Some(version));
        Ok(())
    }

    /// Hears of what people did with it in the registry.
    pub(crate) fn refresh(&self, versions: &[WordingVersion]) {
        let number =
            self.entered.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|one| one.number);
        self.set(versions.iter().find(|one| Some(one.number) == number).cloned());
    }

    fn set(&self, version: Option<WordingVersion>) {
        *self.entered.write().unwrap_or_else(PoisonError::into_inner) = version;
    }

    /// Has a triage ask it, for so long at most.
    pub(crate) fn word<'a>(&'a self, options: &mut TriageOptions<'a>, longest: Duration) {
        let entered = self.entered.read().unwrap_or_else(PoisonError::into_inner);
        let Some(hearing) = entered.as_ref().map(WordingVersion::hearing) else { return };
        if !hearing.is_asked() {
            return;
        }
        options.hearing = hearing;
        options.language_model = Some(&self.model);
        options.model_limits = Limits { timeout: self.limits.timeout.min(longest), ..self.limits };
    }

    /// Counts what a triage asked it, and says so in the log where it begins or ceases to be left alone.
    pub(crate) fn count(&self, calls: &[ModelCall]) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            *counted.calls.entry(call.outcome.clone()).or_default() += 1;
            let tokens = [call.prompt_tokens, call.completion_tokens].map(Option::unwrap_or_default);
            let sentences = [call.kept, call.dropped].map(u64::from);
            for (all, more) in counted.tokens.iter_mut().zip(tokens) {
                *all += more;
            }
            for (all, more) in counted.sentences.iter_mut().zip(sentences) {
                *all += more;
            }
        }
        drop(counted);
        let is_resting = self.model.is_resting();
        if self.was_resting.swap(is_resting, Ordering::Relaxed) == is_resting {
            return;
        }
        let model = self.model.id();
        if is_resting {
            let last = calls.iter().rev().find(|call| call.outcome != "answered");
            let code = last.map_or("unknown", |call| call.outcome.as_str());
            tracing::warn!(
                model,
                code,
                "the language model keeps failing and is left alone: answers are extractive"
            );
        } else {
            tracing::info!(model, "the language model answers again");
        }
    }

    pub(crate) fn render(&self, text: &mut String) {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let metric = "triagraph_language_model_calls_total";
        head(text, metric, "counter", "Questions to the language model, by what came of them.");
        for (outcome, count) in &counted.calls {
            line(text, metric, &format!("outcome=\"{outcome}\""), count);
        }
        let metric = "triagraph_language_model_tokens_total";
        head(text, metric, "counter", "Tokens that the language model read and wrote, as far as it says.");
        for (name, count) in ["read", "written"].into_iter().zip(counted.tokens) {
            line(text, metric, &format!("direction=\"{name}\""), count);
        }
        let metric = "triagraph_language_model_sentences_total";
        head(
            text,
            metric,
            "counter",
            "Sentences of the language model, by whether their sources bear them out.",
        );
        for (name, count) in ["kept", "dropped"].into_iter().zip(counted.sentences) {
            line(text, metric, &format!("check=\"{name}\""), count);
        }
        let metric = "triagraph_language_model_resting";
        head(text, metric, "gauge", "Whether the language model is left alone because it kept failing.");
        line(text, metric, "", u8::from(self.model.is_resting()));
    }
}
