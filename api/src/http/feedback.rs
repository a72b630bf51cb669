//! What did people do with the desk's work, and may one of them decide otherwise? `/v1/feedback`, `/v1/tickets/{id}/override`.

use axum::extract::{Path, Query};
use engine::Desk;
use jiff::Timestamp;
use ontology::{RecordId, Scope};
use serde::{Deserialize, Serialize};
use triage::{Citation, FeedbackLine, FeedbackShare, Override, Reply, Route, TicketStatus, feedback_shares};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Json, Operator};
use super::problem::{Problem, ProblemBody};
use super::tickets::{PAGE, hundred};
use super::{schema, search};

/// Characters of a reason, of a reply, and of a name.
const REASON: usize = 2000;
const TEXT: usize = 100_000;
const NAME: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Behind this key: the last one of the page before.
    #[serde(default)]
    after: String,
    /// How many lines.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

/// What people did, altogether and one by one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedbackBody {
    /// Over all feedback, by agent, category, and what made it; those with the most deeds first.
    #[schema(value_type = Vec<schema::FeedbackShare>)]
    shares: Vec<FeedbackShare>,
    /// This page, by key. Texts are redacted.
    #[schema(value_type = Vec<schema::FeedbackLine>)]
    lines: Vec<FeedbackLine>,
}

/// Shows what people did with the desk's work: how often it was used as it was, changed or refused, and each time one by one
#[utoipa::path(get, path = "/v1/feedback", tag = "workflow", params(ListParameters), responses(
    (status = 200, body = FeedbackBody),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Operator(caller): Operator,
    Query(parameters): Query<ListParameters>,
) -> Result<axum::Json<FeedbackBody>, Problem> {
    let ListParameters { after, limit } = parameters;
    search::check_limit(limit as usize, PAGE as usize)?;
    let shown = caller.shown.clone();
    let list = move |desk: &Desk, scope: &Scope| {
        let lines = FeedbackLine::read(desk, scope, &after, limit)?;
        shown.records(lines.iter().map(|line| &line.ticket));
        let shares = feedback_shares(&desk.store()).map_err(engine::DeskError::from)?;
        Ok(axum::Json(FeedbackBody { shares, lines }))
    };
    caller.run(list).await
}

/// As it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideRequest {
    #[serde(default)]
    category: Vec<String>,
    priority: Option<u8>,
    team: Option<String>,
    reply: Option<String>,
    #[serde(default)]
    citations: Vec<Citation>,
    reason: String,
}

/// Puts what a person decided in the place of what agents did, wherever the ticket is
///
/// It is ordered at once, open proposals that it contradicts end, and agents do not set it back: a value stands until a person decides
/// otherwise or the ticket's source names another one, a reply until the caller tells something else.
#[utoipa::path(post, path = "/v1/tickets/{id}/override", tag = "workflow", request_body = schema::Override,
    params(("id" = String, Path, description = "`SOURCE:ID`, percent-encoded as one segment")),
    responses(
        (status = 200, description = "The ticket as it is now", body = schema::TicketStatus),
        (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No event of this ticket came", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn override_ticket(
    Operator(caller): Operator,
    Path(id): Path<String>,
    body: Json<OverrideRequest>,
) -> Result<axum::Json<TicketStatus>, Problem> {
    let id = RecordId::new(&id)?;
    let OverrideRequest { category, priority, team, reply, citations, reason } = body.value;
    let invalid = |detail: &str| Err(Problem::new("invalid-request", detail));
    let is_long = |text: &str, most: usize| text.chars().nth(most).is_some();
    if is_long(&reason, REASON) || reply.as_ref().is_some_and(|reply| is_long(reply, TEXT)) {
        return invalid("too long: a reason has 2,000 characters at most, a reply 100,000");
    }
    if category.iter().chain(&team).any(|name| name.trim().is_empty() || is_long(name, NAME)) {
        return invalid("names of categories and teams are 1 to 200 characters");
    }
    if reply.is_none() && !citations.is_empty() {
        return invalid("`citations` are of a `reply`");
    }
    let (app, workflow) = (caller.app.clone(), caller.app.workflow()?);
    let (by, roles) = caller.person();
    let route = Route { category, priority, team };
    let wanted = Override { by, roles, route, reply: reply.map(|text| Reply { text, citations }), reason };
    let shown = caller.shown.clone();
    let done = caller
        .run(move |desk, scope| {
            let status = workflow.override_ticket(desk, scope, &id, &wanted, Timestamp::now())?;
            shown.records([&id]);
            Ok(axum::Json(status))
        })
        .await;
    app.wake.now();
    done
}
