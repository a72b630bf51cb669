//! What is said of the desk's own models?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::Kind;

/// One classifier, what it was made of, and how good it is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelVersion {
    /// `category`, `priority` or `team`.
    task: String,
    number: u32,
    /// SHA-256 of its bytes, in hex.
    digest: String,
    #[schema(format = DateTime)]
    trained: String,
    /// The embedder whose vectors it reads.
    embedder: Option<String>,
    /// The position of the log that was read.
    generation: u64,
    query: ModelQuery,
    /// How many tickets it learnt from.
    tickets: u64,
    /// Of how many of them people ruled here what is right.
    ruled: u64,
    held_out: ModelMetrics,
    /// The share that is right when the commonest label is told each time.
    commonest: f64,
    sure: SureShare,
    /// The share that was right by group of callers, where the tickets name one.
    groups: BTreeMap<String, CallerGroup>,
    reference: ModelReference,
    /// `candidate`, `shadow`, `canary`, `active`, `retired`.
    stage: String,
    /// Percentage of tickets for which a canary counts.
    share: u8,
    /// Whether it was taken back: no roll-back brings it up again.
    is_taken_back: bool,
    #[schema(format = DateTime)]
    since: String,
    by: String,
}

/// Which tickets were learnt from.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelQuery {
    kinds: Vec<Kind>,
    #[schema(format = DateTime)]
    since: Option<String>,
}

/// How good a model was on the latest tickets, which it had not seen.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelMetrics {
    count: u64,
    accuracy: f64,
    macro_f1: f64,
    /// Expected calibration error in 15 bins.
    calibration_error: f64,
    labels: BTreeMap<String, LabelMetrics>,
    coverage: Vec<ModelCoverage>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LabelMetrics {
    precision: f64,
    recall: f64,
    f1: f64,
    support: u64,
}

/// For a precision, the largest share of decisions that reaches it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelCoverage {
    precision: f64,
    share: f64,
    from_probability: f64,
}

/// How often it is sure, and right then.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SureShare {
    share: f64,
    precision: f64,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CallerGroup {
    count: u64,
    accuracy: f64,
}

/// Shares of what was said and read in training, that drift is told against.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelReference {
    labels: BTreeMap<String, f64>,
    confidence: BTreeMap<String, f64>,
    length: BTreeMap<String, f64>,
    sources: BTreeMap<String, f64>,
}

/// How the versions that are heard do now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelDrift {
    tasks: Vec<TaskDrift>,
}

/// How one version does on the latest tickets; indexes are population stability indexes, above 0.25 is an alarm.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaskDrift {
    task: String,
    version: u32,
    heard: u64,
    labels_psi: f64,
    confidence_psi: f64,
    length_psi: f64,
    sources_psi: f64,
    /// Tickets it was sure of that people have resolved since.
    decided: u64,
    /// The share of these on which people decided the same.
    precision: f64,
    alarms: Vec<String>,
}
