//! How is the desk as a whole? Status, the knowledge report, verification, and whether the server lives and is ready.

use axum::extract::State;
use axum::response::Response;
use engine::{Desk, KnowledgeReport, Status};
use jiff::Timestamp;
use ontology::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::extract::{Caller, Operator};
use super::jobs::{self, Job, Work};
use super::problem::{Problem, ProblemBody};
use super::schema;

/// Whether the server lives, or is ready.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    pub(crate) status: String,
}

/// Says that the process answers at all
#[utoipa::path(get, path = "/health/live", tag = "operation", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn live() -> axum::Json<Health> {
    axum::Json(Health { status: "live".to_owned() })
}

/// Says that the desk is open, its indexes show the end of the log, and it can be written
#[utoipa::path(get, path = "/health/ready", tag = "operation", security(()), responses(
    (status = 200, body = Health),
    (status = 503, description = "Not yet, or no more", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn ready(State(app): State<App>) -> Result<axum::Json<Health>, Problem> {
    app.writing_desk()?;
    if app.jobs.is_stopped() {
        return Err(Problem::new("not-ready", "the server is stopping"));
    }
    Ok(axum::Json(Health { status: "ready".to_owned() }))
}

/// Counts what is in the desk
///
/// While records are being written these may be the counts of a moment ago; `generation` says of which.
#[utoipa::path(get, path = "/v1/status", tag = "operation", responses(
    (status = 200, body = schema::Status),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn status(
    State(app): State<App>,
    _operator: Operator,
) -> Result<axum::Json<Status>, Problem> {
    Ok(axum::Json(app.status().await?.as_ref().clone()))
}

/// Says what a knowledge manager should look at: pages stale, never cited, alike or contradicted, alerts without a runbook
#[utoipa::path(get, path = "/v1/articles", tag = "records",
    params(("x-triagraph-audience" = Option<String>, Header, description = "Narrows what is seen to these audiences, separated by commas")),
    responses((status = 200, body = schema::KnowledgeReport)))]
pub(crate) async fn articles(caller: Caller) -> Result<axum::Json<KnowledgeReport>, Problem> {
    let shown = caller.shown.clone();
    let look = move |desk: &Desk, scope: &Scope| {
        let report = desk.knowledge(scope, Timestamp::now())?;
        let pairs = report.near_duplicates.iter().chain(&report.contradictions);
        let pairs = pairs.flat_map(|pair| [&pair.first, &pair.second]);
        let pages = report.stale.iter().map(|stale| &stale.page).chain(&report.never_cited).chain(pairs);
        shown.records(pages.chain(&report.alerts_without_runbook).map(|page| &page.record));
        Ok(axum::Json(report))
    };
    caller.run(look).await
}

/// Holds log, graph, text and vectors against each other, in a job; writers wait meanwhile
#[utoipa::path(post, path = "/v1/verify", tag = "operation", responses(
    (status = 202, description = "A job was made; `Location` says where to ask for it", body = Job),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn verify(State(app): State<App>, _operator: Operator) -> Result<Response, Problem> {
    app.writing_desk()?;
    Ok(jobs::accepted(&app.jobs.submit(Work::Verify)?))
}
