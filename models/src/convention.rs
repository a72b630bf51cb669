//! Under which names does the work of agents and language models stand in traces? OpenTelemetry's, all in this place.
//!
//! Source: OpenTelemetry Semantic Conventions 1.41, "GenAI spans" and "GenAI agent spans" (status: development). What is asked and
//! answered is never in a span, only names and numbers.

use tracing::Span;
use tracing::field::Empty;

use crate::language::{Completion, LanguageModelError, Limits};

const OPERATION: &str = "gen_ai.operation.name";
const PROVIDER: &str = "gen_ai.provider.name";
const AGENT: &str = "gen_ai.agent.name";
const MODEL: &str = "gen_ai.request.model";
const MAX_TOKENS: &str = "gen_ai.request.max_tokens";
const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
const SERVER: &str = "server.address";
const ERROR: &str = "error.type";

/// The span of an agent's work on a ticket.
pub fn agent_span(name: &str) -> Span {
    tracing::info_span!(
        "invoke_agent",
        { OPERATION } = "invoke_agent",
        { PROVIDER } = "triagraph",
        { AGENT } = name
    )
}

/// The span of one question to a language model, at the address of a server where it is not this process.
pub(crate) fn chat_span(provider: &str, model: &str, server: Option<&str>, limits: &Limits) -> Span {
    tracing::info_span!(
        "chat",
        { OPERATION } = "chat",
        { PROVIDER } = provider,
        { MODEL } = model,
        { MAX_TOKENS } = limits.max_tokens,
        { SERVER } = server,
        { INPUT_TOKENS } = Empty,
        { OUTPUT_TOKENS } = Empty,
        { FINISH_REASONS } = Empty,
        { ERROR } = Empty
    )
}

/// Says in its span what came of a question.
pub(crate) fn asked(span: &Span, asked: &Result<Completion, LanguageModelError>) {
    match asked {
        Ok(completion) => {
            span.record(INPUT_TOKENS, completion.prompt_tokens);
            span.record(OUTPUT_TOKENS, completion.completion_tokens);
            span.record(FINISH_REASONS, if completion.is_cut_off { "length" } else { "stop" });
        }
        Err(error) => {
            span.record(ERROR, error.code());
        }
    }
}
