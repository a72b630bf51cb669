//! What is said of language models with their prompts, and of what else the desk works with?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language model with the prompt that it is asked by.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WordingVersion {
    number: u32,
    /// SHA-256 over model, instructions and limit, in hex.
    digest: String,
    model: String,
    /// By the digest that each call names.
    prompt: String,
    instructions: String,
    max_tokens: u64,
    #[schema(format = DateTime)]
    registered: String,
    /// `shadow`, `canary`, `active`, `retired`.
    stage: String,
    /// Percentage of tickets for which a canary counts.
    share: u8,
    was_active: bool,
    /// Whether it was taken back: it is not asked until people bring it further again.
    is_taken_back: bool,
    #[schema(format = DateTime)]
    since: String,
    by: String,
}

/// A language model with its prompt, and how it did.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Wording {
    #[serde(flatten)]
    version: WordingVersion,
    measured: WordingFigures,
}

/// How it did, on the latest triage of each ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WordingFigures {
    calls: u64,
    /// The share of these that failed.
    failed: f64,
    /// The share of its sentences that their sources bear out.
    kept: f64,
    median_millis: u64,
    /// What all but one in twenty took at most.
    slow_millis: u64,
    /// Answers of which people told what they did with them.
    told: u64,
    /// The mean share of words that they changed.
    edited_words: f64,
    /// By the first of the category's path; those without one stand under the empty name.
    categories: BTreeMap<String, WordingCategory>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WordingCategory {
    calls: u64,
    kept: f64,
    told: u64,
    edited_words: f64,
}

/// An embedder, or rules of redaction.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Listed {
    /// `embedder` or `redaction`.
    sort: String,
    number: u32,
    id: String,
    /// SHA-256 over id and parts, in hex.
    digest: String,
    /// Files with their digests, or rules with their settings.
    parts: BTreeMap<String, String>,
    /// The position of the log from which on the desk worked with it.
    generation: u64,
    #[schema(format = DateTime)]
    since: String,
    by: String,
}
