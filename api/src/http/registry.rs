//! What does the desk work with besides what it learnt, and may a language model count? `/v1/models/wording`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use engine::Desk;
use jiff::Timestamp;
use models::{Catalog, RedactionPolicy};
use triage::access::Grant;
use triage::learned::{LearnedError, Listed, ListedSort, WordingVersion, Wordings};

use super::app::App;
use super::extract::{Json, Operator};
use super::models::StageRequest;
use super::problem::{Problem, ProblemBody};
use super::schema;

/// Lists embedder and rules of redaction in the registry of a desk that is opened.
pub(crate) fn list(desk: &Desk, redaction: &RedactionPolicy) -> anyhow::Result<()> {
    let (store, by, now) = (desk.store(), Grant::operator().person, Timestamp::now());
    let used = |sort, id: &str, parts| Listed::used(&store, (sort, id), parts, desk.generation(), &by, now);
    if let Some(embedder) = desk.embedder() {
        let id = embedder.id().as_str();
        let catalog = Catalog::builtin();
        let known = catalog.entries().iter().find(|entry| id.starts_with(&entry.name));
        let files = known.into_iter().flat_map(|entry| &entry.files);
        let files = files.map(|file| (file.name.clone(), file.sha256.clone())).collect();
        used(ListedSort::Embedder, id, files)?;
    }
    let rules: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(serde_json::to_value(redaction)?)?;
    let rules = rules.into_iter().map(|(name, value)| (name, value.to_string())).collect();
    used(ListedSort::Redaction, concat!("rules-", env!("CARGO_PKG_VERSION")), rules)?;
    Ok(())
}

/// Lets a language model with its prompt be tried, count for a share of tickets, or count, where its gates hold
#[utoipa::path(post, path = "/v1/models/wording/stage", tag = "models", request_body = StageRequest, responses(
    (status = 200, body = schema::WordingVersion),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, description = "No such version", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "A gate does not hold; `detail` says which", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn promote(
    Operator(caller): Operator,
    body: Json<StageRequest>,
) -> Result<axum::Json<WordingVersion>, Problem> {
    body.value.check()?;
    let StageRequest { version, stage, share } = body.value;
    let (by, app) = (caller.person().0, caller.app.clone());
    caller
        .run(move |desk, _| {
            let _held = app.promoting.lock().unwrap_or_else(PoisonError::into_inner);
            let wordings = Wordings::new(desk.store());
            let promoted = wordings.promote(version, (stage, share), &by, Timestamp::now())?;
            refresh(&app, &wordings)?;
            Ok(axum::Json(promoted))
        })
        .await
}

/// Takes the language model that counts back, at once
///
/// A canary goes first. Answers are extractive from now on, unless the one that is in force again is the one that the server was given.
#[utoipa::path(post, path = "/v1/models/wording/roll-back", tag = "models", responses(
    (status = 200, description = "The version that is in force again, or null", body = Option<schema::WordingVersion>),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "No version counts", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn roll_back(
    Operator(caller): Operator,
) -> Result<axum::Json<Option<WordingVersion>>, Problem> {
    let (by, app) = (caller.person().0, caller.app.clone());
    caller
        .run(move |desk, _| {
            let _held = app.promoting.lock().unwrap_or_else(PoisonError::into_inner);
            let wordings = Wordings::new(desk.store());
            let back = wordings.roll_back(&by, Timestamp::now())?;
            refresh(&app, &wordings)?;
            Ok(axum::Json(back))
        })
        .await
}

/// Has the next triage hear what the registry says now.
fn refresh(app: &App, wordings: &Wordings) -> Result<(), LearnedError> {
    let Some(wording) = &app.wording else { return Ok(()) };
    wording.refresh(&wordings.versions()?);
    Ok(())
}
