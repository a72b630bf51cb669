//! What came together, and what are all who called told? `/v1/bursts`.

use axum::extract::{Path, Query};
use engine::Desk;
use jiff::Timestamp;
use ontology::Scope;
use serde::Deserialize;
use triage::{Burst, BurstState};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Json, Operator};
use super::problem::{Problem, ProblemBody};
use super::tickets::{PAGE, hundred};
use super::{schema, search};

/// Characters of an answer.
const TEXT: usize = 20_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those in this state.
    #[param(value_type = Option<schema::BurstState>)]
    state: Option<BurstState>,
    /// Behind this id: the last one of the page before.
    #[serde(default)]
    after: String,
    /// How many.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

/// Lists bursts, by id: tickets that came together and probably go back to one thing
#[utoipa::path(get, path = "/v1/bursts", tag = "workflow", params(ListParameters), responses(
    (status = 200, body = Vec<schema::Burst>),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Operator(caller): Operator,
    Query(parameters): Query<ListParameters>,
) -> Result<axum::Json<Vec<Burst>>, Problem> {
    let ListParameters { state, after, limit } = parameters;
    search::check_limit(limit as usize, PAGE as usize)?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let list = move |_: &Desk, _: &Scope| {
        let bursts = workflow.bursts(state, &after, limit)?;
        shown.records(bursts.iter().flat_map(|burst| &burst.members));
        Ok(axum::Json(bursts))
    };
    caller.run(list).await
}

/// Shows a burst: its members, and what is probably behind it
#[utoipa::path(get, path = "/v1/bursts/{id}", tag = "workflow", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = schema::Burst),
    (status = 404, description = "No such burst", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    Operator(caller): Operator,
    Path(id): Path<String>,
) -> Result<axum::Json<Burst>, Problem> {
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let show = move |_: &Desk, _: &Scope| {
        let burst = workflow.burst(&id)?;
        shown.records(&burst.members);
        Ok(axum::Json(burst))
    };
    caller.run(show).await
}

/// What all members are told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "The certificate of the load balancer is being replaced; we write again at noon."}))]
pub(crate) struct AnswerRequest {
    #[schema(min_length = 1, max_length = 20000)]
    text: String,
}

/// Answers all members of a declared major incident at once
///
/// An answer is ordered for the lead and for each member that is not closed; who joins later gets the last one.
#[utoipa::path(post, path = "/v1/bursts/{id}/answer", tag = "workflow", request_body = AnswerRequest,
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, body = schema::Burst),
        (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such burst", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is no major incident", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn answer(
    Operator(caller): Operator,
    Path(id): Path<String>,
    body: Json<AnswerRequest>,
) -> Result<axum::Json<Burst>, Problem> {
    let text = body.value.text;
    if text.chars().count() > TEXT {
        return Err(Problem::new("invalid-request", "the answer is too long: 20,000 characters at most"));
    }
    let (app, workflow) = (caller.app.clone(), caller.app.workflow()?);
    let (by, roles) = caller.person();
    let answered = caller
        .run(move |desk, scope| {
            let said = workflow.answer_burst(desk, scope, &id, &text, (&by, &roles), Timestamp::now())?;
            Ok(axum::Json(said))
        })
        .await;
    app.wake.now();
    answered
}
