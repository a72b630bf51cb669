//! What did the desk learn from its own tickets, and which version counts? `/v1/models`.

use std::sync::PoisonError;

use axum::extract::Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use triage::learned::{Drift, LearnedError, Listed, Registry, Stage, Task, Version};
use utoipa::ToSchema;

use super::extract::{Json, Operator};
use super::problem::{Problem, ProblemBody};
use super::schema;
use crate::registry::Worded;

/// The versions, and how those that are heard do now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    #[schema(value_type = Vec<schema::ModelVersion>)]
    versions: Vec<Version>,
    #[schema(value_type = schema::ModelDrift)]
    drift: Drift,
    /// The language models with their prompts, and how each did.
    #[schema(value_type = Vec<schema::Wording>)]
    wordings: Vec<Worded>,
    /// Embedders and rules of redaction that the desk works or worked with.
    #[schema(value_type = Vec<schema::Listed>)]
    listed: Vec<Listed>,
}

/// Lists the models that this desk learnt, the language models with their prompts, how good they are, and what else it works with
#[utoipa::path(get, path = "/v1/models", tag = "models", responses(
    (status = 200, body = Models),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(Operator(caller): Operator) -> Result<axum::Json<Models>, Problem> {
    caller
        .run(move |desk, scope| {
            let registry = Registry::new(desk.store());
            let versions = registry.versions()?;
            let drift = registry.drift(desk, scope, Timestamp::now())?;
            let (wordings, listed) = (Worded::all(&desk.store())?, Listed::all(&desk.store())?);
            Ok(axum::Json(Models { versions, drift, wordings, listed }))
        })
        .await
}

/// How far a version shall go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"version": 2, "stage": "canary", "share": 10}))]
pub(crate) struct StageRequest {
    pub(super) version: u32,
    /// `shadow`, `canary`, `active` or `retired`.
    #[schema(value_type = String)]
    pub(super) stage: Stage,
    /// Percentage of tickets for which a canary counts.
    #[serde(default)]
    #[schema(maximum = 100)]
    pub(super) share: u8,
}

impl StageRequest {
    /// Refuses what is no step.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let invalid = |detail: &str| Err(Problem::new("invalid-request", detail));
        if self.stage == Stage::Candidate {
            return invalid("a version is a candidate when it is made, not later");
        }
        if (self.stage == Stage::Canary) != (1..=100).contains(&self.share) {
            return invalid("a canary has a `share` of 1 to 100, no other stage has one");
        }
        Ok(())
    }
}

/// Lets a version be heard, count for a share of tickets, or count, where its gates hold
#[utoipa::path(post, path = "/v1/models/{task}/stage", tag = "models", request_body = StageRequest,
    params(("task" = String, Path, description = "`category`, `priority` or `team`")),
    responses(
        (status = 200, body = schema::ModelVersion),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such version", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "A gate does not hold; `detail` says which", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn promote(
    Operator(caller): Operator,
    Path(task): Path<String>,
    body: Json<StageRequest>,
) -> Result<axum::Json<Version>, Problem> {
    let task = named(&task)?;
    body.value.check()?;
    let StageRequest { version, stage, share } = body.value;
    let (by, app) = (caller.person().0, caller.app.clone());
    caller
        .run(move |desk, scope| {
            let _held = app.promoting.lock().unwrap_or_else(PoisonError::into_inner);
            let (registry, now) = (Registry::new(desk.store()), Timestamp::now());
            let drift = registry.drift(desk, scope, now)?;
            let promoted = registry.promote((task, version), (stage, share), Some(&drift), &by, now)?;
            app.refresh_learned(desk)?;
            Ok(axum::Json(promoted))
        })
        .await
}

/// Takes the version of a task that counts back, at once
///
/// A canary goes first. Where the version in force goes, the one before it is in force again; where there is none, like tickets vote.
#[utoipa::path(post, path = "/v1/models/{task}/roll-back", tag = "models",
    params(("task" = String, Path, description = "`category`, `priority` or `team`")),
    responses(
        (status = 200, description = "The version that is in force again, or null", body = Option<schema::ModelVersion>),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "No version counts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No such task", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn roll_back(
    Operator(caller): Operator,
    Path(task): Path<String>,
) -> Result<axum::Json<Option<Version>>, Problem> {
    let task = named(&task)?;
    let (by, app) = (caller.person().0, caller.app.clone());
    caller
        .run(move |desk, _| {
            let _held = app.promoting.lock().unwrap_or_else(PoisonError::into_inner);
            let back = Registry::new(desk.store()).roll_back(task, &by, Timestamp::now())?;
            app.refresh_learned(desk)?;
            Ok(axum::Json(back))
        })
        .await
}

fn named(task: &str) -> Result<Task, Problem> {
    task.parse().map_err(|reason: String| Problem::new("invalid-request", reason))
}

impl From<LearnedError> for Problem {
    fn from(error: LearnedError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
