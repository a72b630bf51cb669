//! How is a language model asked that runs behind an OpenAI-compatible endpoint?

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::Agent;

use super::{Completion, LanguageModel, LanguageModelError, Limits, Prompt};
use crate::convention;

/// More than any answer within a sane limit of tokens.
const MAX_ANSWER_BYTES: u64 = 4 << 20;
/// Enough of an error's text to see what the server means.
const MAX_REASON_CHARS: usize = 300;

/// A model behind `/v1/chat/completions`, as OpenAI, vLLM, llama.cpp, Ollama and many others serve it.
///
/// Asks with temperature 0 and a fixed seed. Follows no redirect and uses no proxy: the prompt goes to the address
/// that was configured, or nowhere.
pub struct ChatModel {
    id: String,
    url: String,
    model: String,
    key: Option<String>,
    agent: Agent,
    traceparent: fn() -> Option<String>,
}

impl ChatModel {
    /// A model by its server's base address (`http://127.0.0.1:8080` or `https://host/v1`), its name there, and a key
    /// where the server wants one.
    ///
    /// # Errors
    /// [`LanguageModelError::Settings`] when the address is not http or https, or the name is empty.
    pub fn new(base_url: &str, model: &str, key: Option<String>) -> Result<Self, LanguageModelError> {
        let settings = |reason: &str| LanguageModelError::Settings { reason: reason.to_owned() };
        let base = base_url.trim().trim_end_matches('/');
        if !(base.starts_with("http://") || base.starts_with("https://")) {
            return Err(settings("its address must begin with http:// or https://"));
        }
        if model.trim().is_empty() {
            return Err(settings("it needs the name of a model"));
        }
        let base = base.strip_suffix("/chat/completions").unwrap_or(base);
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("triagraph/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            id: format!("chat:{model}"),
            url: format!("{base}/v1/chat/completions"),
            model: model.to_owned(),
            key,
            agent: Agent::new_with_config(config),
            traceparent: || None,
        })
    }

    /// With the `traceparent` that each question carries, asked for inside the question's span.
    #[must_use]
    pub fn traced(mut self, traceparent: fn() -> Option<String>) -> Self {
        self.traceparent = traceparent;
        self
    }

    fn request<'a>(&'a self, prompt: &'a Prompt, limits: &Limits) -> Request<'a> {
        let system = Message { role: "system", content: prompt.system().text() };
        let users = prompt.messages().iter().map(|message| Message { role: "user", content: message.text() });
        Request {
            model: &self.model,
            messages: std::iter::once(system).chain(users).collect(),
            max_tokens: limits.max_tokens,
            temperature: 0.0,
            seed: 0,
            stream: false,
        }
    }

    fn failure(&self, error: ureq::Error, limits: &Limits) -> LanguageModelError {
        match error {
            ureq::Error::Timeout(_) => LanguageModelError::timed_out(limits),
            ureq::Error::BodyExceedsLimit(bytes) => {
                LanguageModelError::BadAnswer { reason: format!("it is longer than {bytes} bytes") }
            }
            ureq::Error::Protocol(error) => LanguageModelError::BadAnswer { reason: error.to_string() },
            error => LanguageModelError::Unreachable { url: self.url.clone(), reason: error.to_string() },
        }
    }
}

impl LanguageModel for ChatModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn complete(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError> {
        let span = convention::chat_span("openai", &self.model, self.server(), limits);
        let asked = span.in_scope(|| self.ask(prompt, limits));
        convention::asked(&span, &asked);
        asked
    }
}

impl ChatModel {
    /// Host and port of its address.
    fn server(&self) -> Option<&str> {
        self.url.split("://").nth(1)?.split('/').next()?.rsplit('@').next()
    }

    fn ask(&self, prompt: &Prompt, limits: &Limits) -> Result<Completion, LanguageModelError> {
        if limits.timeout < Duration::from_millis(1) {
            return Err(LanguageModelError::timed_out(limits));
        }
        let mut request = self.agent.post(&self.url).config().timeout_global(Some(limits.timeout)).build();
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        if let Some(traceparent) = (self.traceparent)() {
            request = request.header("traceparent", traceparent);
        }
        let answer = request.send_json(self.request(prompt, limits));
        let mut answer = answer.map_err(|error| self.failure(error, limits))?;
        let status = answer.status().as_u16();
        let retry_after_seconds =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
        match status {
            200..=299 => read(&body.map_err(|error| self.failure(error, limits))?),
            429 => Err(LanguageModelError::Busy { retry_after_seconds }),
            400..=499 => {
                let reason = String::from_utf8_lossy(&body.unwrap_or_default())
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(MAX_REASON_CHARS)
                    .collect();
                Err(LanguageModelError::Refused { status, reason })
            }
            _ => Err(LanguageModelError::ServerFailed { status }),
        }
    }
}

fn read(body: &[u8]) -> Result<Completion, LanguageModelError> {
    let bad = |reason: String| LanguageModelError::BadAnswer { reason };
    let answer: Answer = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let choice = answer.choices.into_iter().next().ok_or_else(|| bad("it has no choices".to_owned()))?;
    let text = choice.message.content.unwrap_or_default();
    if text.trim().is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    Ok(Completion {
        text,
        is_cut_off: choice.finish_reason.as_deref() == Some("length"),
        prompt_tokens: answer.usage.as_ref().and_then(|usage| usage.prompt_tokens),
        completion_tokens: answer.usage.as_ref().and_then(|usage| usage.completion_tokens),
    })
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    max_tokens: usize,
    temperature: f32,
    seed: u32,
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: AnswerMessage,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct AnswerMessage {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<usize>,
    completion_tokens: Option<usize>,
}

#[cfg(test)]
mod tests;
