//! What may be asked of a language model, and what may go wrong?

pub(crate) mod chat;
pub(crate) mod conformance;
pub(crate) mod gguf;
pub(crate) mod guarded;
pub(crate) mod scripted;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::redact::Redacted;

/// Continues a prompt.
///
/// The contract, which [`language_model_conformance`](crate::language_model_conformance) checks:
/// - the same prompt and limits give the same completion (greedy, no chance), as far as the model's server allows;
/// - an answer has at most `max_tokens` tokens, and says whether it was cut there;
/// - `complete` returns within about `timeout`, with [`LanguageModelError::TimedOut`] when there is no answer by then;
/// - it may be called from several threads.
pub trait LanguageModel: Send + Sync {
    /// Which model this is, to be written beside everything that it helped to make.
    fn id(&self) -> &str;

    /// The model's answer to a prompt.
    ///
    /// # Errors
    /// A [`LanguageModelError`]; [`LanguageModelError::is_worth_retrying`] tells which of them may pass.
    fn complete(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError>;
}

/// What is put to a language model.
///
/// Built from [`Redacted`] text and nothing else, so what was not redacted cannot get here.
///
/// ```
/// use models::{Prompt, RedactionPolicy, Redactor};
///
/// let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
/// let prompt = Prompt::new(redactor.redact("Answer in one sentence."))
///     .user(redactor.redact("Who is ann@example.org?"));
/// assert_eq!(prompt.messages()[0].text(), "Who is [EMAIL_1]?");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    system: Redacted,
    messages: Vec<Redacted>,
}

impl Prompt {
    /// A prompt with its instructions and no message yet.
    #[must_use]
    pub fn new(system: Redacted) -> Self {
        Self { system, messages: Vec::new() }
    }

    /// Adds a message of the user's side.
    #[must_use]
    pub fn user(mut self, message: Redacted) -> Self {
        self.messages.push(message);
        self
    }

    /// The instructions.
    #[must_use]
    pub fn system(&self) -> &Redacted {
        &self.system
    }

    /// The messages, in order.
    #[must_use]
    pub fn messages(&self) -> &[Redacted] {
        &self.messages
    }
}

/// How much an answer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of the answer at most.
    pub max_tokens: usize,
    /// Time for the whole answer.
    pub timeout: Duration,
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The answer.
    pub text: String,
    /// True when it was cut off at the limit of tokens.
    pub is_cut_off: bool,
    /// Tokens that the prompt had, where the model says so.
    pub prompt_tokens: Option<usize>,
    /// Tokens that the answer has, where the model says so.
    pub completion_tokens: Option<usize>,
}

/// Asks a model, and says how long that took.
pub fn ask(
    model: &dyn LanguageModel,
    prompt: &Prompt,
    limits: &Limits,
) -> (Result<Completion, LanguageModelError>, Duration) {
    let begun = Instant::now();
    let answer = model.complete(prompt, limits);
    (answer, begun.elapsed())
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LanguageModelError {
    /// The settings of a model make no sense.
    #[error("the language model cannot be set up: {reason}")]
    Settings {
        /// What is wrong with them.
        reason: String,
    },
    /// A model file cannot be used.
    #[error("{path} is not a language model that can be used here: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server cannot be reached.
    #[error(
        "the language model at {url} cannot be reached: {reason}; check the address and that the server runs"
    )]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// There was no answer in time.
    #[error("the language model gave no answer within {timeout_millis} ms")]
    TimedOut {
        /// The time that was allowed.
        timeout_millis: u128,
    },
    /// It failed again and again, and is left alone for a while.
    #[error("the language model kept failing and is left alone for {seconds} s more")]
    Resting {
        /// How long still.
        seconds: u64,
    },
    /// The server is busy (429).
    #[error("the language model is busy; try again later")]
    Busy {
        /// How long the server asks to wait, where it says so.
        retry_after_seconds: Option<u64>,
    },
    /// The server refuses the request (other 4xx).
    #[error("the language model refused the request with status {status}: {reason}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The head of what it said.
        reason: String,
    },
    /// The server failed (5xx, or a redirect, which is not followed: the user configured one address).
    #[error("the language model's server failed with status {status}")]
    ServerFailed {
        /// HTTP status.
        status: u16,
    },
    /// What came back is not an answer.
    #[error("the language model's answer cannot be read: {reason}")]
    BadAnswer {
        /// What is wrong with it.
        reason: String,
    },
    /// The prompt and the answer would not fit.
    #[error(
        "the prompt has {tokens} tokens, and with the answer must stay within {limit}; shorten the context"
    )]
    PromptTooLong {
        /// Tokens of the prompt.
        tokens: usize,
        /// Tokens that the model holds.
        limit: usize,
    },
}

impl LanguageModelError {
    /// A stable name of the kind of error, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "language-model-settings",
            Self::Unusable { .. } => "language-model-unusable",
            Self::Unreachable { .. } => "language-model-unreachable",
            Self::TimedOut { .. } => "language-model-timed-out",
            Self::Resting { .. } => "language-model-resting",
            Self::Busy { .. } => "language-model-busy",
            Self::Refused { .. } => "language-model-refused",
            Self::ServerFailed { .. } => "language-model-failed",
            Self::BadAnswer { .. } => "language-model-bad-answer",
            Self::PromptTooLong { .. } => "language-model-prompt-too-long",
        }
    }

    /// True when the same request may succeed later.
    #[must_use]
    pub fn is_worth_retrying(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::Resting { .. }
                | Self::Busy { .. }
                | Self::ServerFailed { .. }
        )
    }

    pub(crate) fn timed_out(limits: &Limits) -> Self {
        Self::TimedOut { timeout_millis: limits.timeout.as_millis() }
    }
}
