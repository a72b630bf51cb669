//! What do agents want to do, and what do people say? `/v1/proposals`, and the kill switch.

use axum::extract::{Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use triage::{Arguments, Judgement, Proposal, Ruling};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Json, Operator};
use super::problem::{Problem, ProblemBody};
use super::tickets::{PAGE, hundred};
use super::{schema, search};

/// Characters of a reason.
const REASON: usize = 2000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those in this state: `open`, `executed`, `rejected`, `superseded`, `expired`, `withdrawn`.
    state: Option<String>,
    /// Behind this id: the last one of the page before.
    #[serde(default)]
    after: String,
    /// How many.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

/// Lists proposals, by id
#[utoipa::path(get, path = "/v1/proposals", tag = "workflow", params(ListParameters), responses(
    (status = 200, body = Vec<schema::Proposal>),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Operator(caller): Operator,
    Query(parameters): Query<ListParameters>,
) -> Result<axum::Json<Vec<Proposal>>, Problem> {
    let ListParameters { state, after, limit } = parameters;
    search::check_limit(limit as usize, PAGE as usize)?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let read = move |_: &engine::Desk, _: &ontology::Scope| {
        let proposals = workflow.proposals(state.as_deref(), &after, limit)?;
        shown.records(proposals.iter().map(|proposal| &proposal.bound.ticket));
        Ok(axum::Json(proposals))
    };
    caller.run(read).await
}

/// Shows a proposal
#[utoipa::path(get, path = "/v1/proposals/{id}", tag = "workflow", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = schema::Proposal),
    (status = 404, description = "No such proposal", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    Operator(caller): Operator,
    Path(id): Path<String>,
) -> Result<axum::Json<Proposal>, Problem> {
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let read = move |_: &engine::Desk, _: &ontology::Scope| {
        let proposal = workflow.proposal(&id)?;
        shown.records([&proposal.bound.ticket]);
        Ok(axum::Json(proposal))
    };
    caller.run(read).await
}

/// What somebody says to a proposal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ruling": "approve", "reason": "fits the alert"}))]
pub(crate) struct RulingRequest {
    ruling: RulingWord,
    /// Why; wanted where it is rejected.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// What shall be done instead, for `edit`: the whole deed as it stands in the proposal, changed.
    #[schema(value_type = Option<schema::Arguments>)]
    arguments: Option<Arguments>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RulingWord {
    /// Do it.
    Approve,
    /// Change it; it still needs to be approved.
    Edit,
    /// Do not.
    Reject,
}

/// Approves, edits or rejects a proposal
///
/// An approval holds for exactly what the proposal shows: the revision of the ticket, the context, the deed with its arguments, and the
/// version of the policies. Where one of these has changed, nothing is done and a new proposal is made.
#[utoipa::path(post, path = "/v1/proposals/{id}/ruling", tag = "workflow", request_body = RulingRequest,
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, description = "The proposal as it is now; `executed` where it was carried out", body = schema::Proposal),
        (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such proposal", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was ruled on, has expired, or rests on what has changed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn rule(
    Operator(caller): Operator,
    Path(id): Path<String>,
    body: Json<RulingRequest>,
) -> Result<axum::Json<Proposal>, Problem> {
    let RulingRequest { ruling, reason, arguments } = body.value;
    let invalid = |detail: &str| Problem::new("invalid-request", detail);
    if reason.chars().count() > REASON {
        return Err(invalid("the reason is too long: 2,000 characters at most"));
    }
    let ruling = match (ruling, arguments) {
        (RulingWord::Approve, None) => Ruling::Approve,
        (RulingWord::Reject, None) if reason.trim().is_empty() => {
            return Err(invalid("say why it is rejected: the agents learn from it"));
        }
        (RulingWord::Reject, None) => Ruling::Reject,
        (RulingWord::Edit, Some(arguments)) => Ruling::Edit(arguments),
        (RulingWord::Edit, None) => return Err(invalid("give `arguments`: what shall be done instead")),
        _ => return Err(invalid("`arguments` are for `edit`")),
    };
    let (app, workflow) = (caller.app.clone(), caller.app.workflow()?);
    let (by, roles) = caller.person();
    let judgement = Judgement { by, roles, ruling, reason };
    let ruled = caller
        .run(move |desk, scope| {
            Ok(axum::Json(workflow.judge(desk, scope, &id, &judgement, Timestamp::now())?))
        })
        .await;
    app.wake.now();
    app.executor.wake.now();
    ruled
}

/// Whether agents may do anything at all.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// True: agents do nothing and propose nothing, tickets go to people.
    stopped: bool,
}

/// Tells whether the agents are stopped
#[utoipa::path(get, path = "/v1/agents/stop", tag = "workflow", responses((status = 200, body = Switch)))]
pub(crate) async fn switch(Operator(caller): Operator) -> Result<axum::Json<Switch>, Problem> {
    let workflow = caller.app.workflow()?;
    caller.run(move |_, _| Ok(axum::Json(Switch { stopped: workflow.is_stopped()? }))).await
}

/// Stops all agents, or lets them go on
#[utoipa::path(put, path = "/v1/agents/stop", tag = "workflow", request_body = Switch, responses(
    (status = 200, body = Switch),
    (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn set_switch(
    Operator(caller): Operator,
    body: Json<Switch>,
) -> Result<axum::Json<Switch>, Problem> {
    let workflow = caller.app.workflow()?;
    let (by, roles) = caller.person();
    let stopped = body.value.stopped;
    caller
        .run(move |_, _| {
            workflow.set_stopped(stopped, &by, &roles, Timestamp::now())?;
            Ok(axum::Json(Switch { stopped }))
        })
        .await
}
