//! What is a step of a runbook, and how far is it?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::Span;

/// A step of a runbook that a machine can do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Step {
    /// The runbook that says so.
    runbook: String,
    /// Content hash of its revision, in hex.
    runbook_revision: String,
    /// Index of the section.
    section: u16,
    /// Where the line stands in the section's text.
    span: Span,
    /// Its place among the runbook's lines that a machine can do, from 1.
    number: u32,
    /// How many such lines the runbook has.
    of: u32,
    call: Call,
    /// How it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<Call>,
    /// The run that this step undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undoes: Option<String>,
    /// Hash of the `executor.toml` that it was held against.
    executor: String,
}

/// An action of `executor.toml` with its arguments.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Call {
    action: String,
    #[serde(default)]
    arguments: BTreeMap<String, String>,
}

/// How far something that the executor was told is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Run {
    /// The `webhook-id` that the executor is told it by, each time.
    id: String,
    /// `waiting`, `sending`, `succeeded`, `failed`, `refused`, `unknown` (it may have been done), `undelivered`, `cancelled`.
    state: String,
    /// How often it was told.
    tries: u32,
    /// What the executor said in the end, or why it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    #[schema(format = DateTime)]
    made: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended: Option<String>,
}
