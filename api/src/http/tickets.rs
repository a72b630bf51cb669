//! Where are the tickets, how did they come there, and what could not be handled? `/v1/tickets`, `/v1/dead-letters`.

use axum::extract::{Path, Query};
use engine::DeskError;
use ontology::{Audiences, RecordId};
use serde::{Deserialize, Serialize};
use triage::service::Standing;
use triage::{Burst, Course, DeadLetter, Notice, Proposal, TicketState, TicketStatus, Transition, Triage};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Caller, Operator};
use super::problem::{Problem, ProblemBody};
use super::{schema, search};

/// Tickets, proposals or dead letters of one page.
pub(crate) const PAGE: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only those in this state.
    #[param(value_type = Option<schema::TicketState>)]
    state: Option<TicketState>,
    /// Behind this id: the last one of the page before.
    #[serde(default)]
    after: String,
    /// How many.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

pub(crate) fn hundred() -> u32 {
    100
}

/// Lists the tickets that events told of, by id
#[utoipa::path(get, path = "/v1/tickets", tag = "workflow", params(ListParameters), responses(
    (status = 200, body = Vec<schema::TicketStatus>),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    Operator(caller): Operator,
    Query(parameters): Query<ListParameters>,
) -> Result<axum::Json<Vec<TicketStatus>>, Problem> {
    let ListParameters { state, after, limit } = parameters;
    search::check_limit(limit as usize, PAGE as usize)?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let read = move |_: &engine::Desk, _: &ontology::Scope| {
        let tickets = workflow.tickets(state, &after, limit)?;
        shown.records(tickets.iter().map(|status| &status.ticket));
        Ok(axum::Json(tickets))
    };
    caller.run(read).await
}

/// A ticket with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    #[serde(flatten)]
    #[schema(value_type = schema::TicketStatus, inline)]
    status: TicketStatus,
    /// How it moved, in order.
    #[schema(value_type = Vec<schema::Transition>)]
    history: Vec<Transition>,
    /// How it stands towards what its caller was promised; empty where it was promised nothing.
    #[schema(value_type = Vec<schema::Standing>)]
    standings: Vec<Standing>,
    /// What people were told of that, in order: warnings before a target's end, and targets that were missed.
    #[schema(value_type = Vec<schema::Notice>)]
    notices: Vec<Notice>,
    /// What the agents made of it the last time.
    #[schema(value_type = Option<schema::Triage>)]
    triage: Option<Triage>,
    /// The burst that it belongs to, a major incident where that is `declared`.
    #[schema(value_type = Option<schema::Burst>)]
    belongs_to: Option<Burst>,
    /// Of a problem what it gathers, of a change when and what it touches.
    #[schema(value_type = Option<schema::Course>)]
    course: Option<Course>,
    /// What they proposed, by id.
    #[schema(value_type = Vec<schema::Proposal>)]
    proposals: Vec<Proposal>,
}

/// Shows a ticket: where it is, how it came there, what the agents made of it, and what they propose
#[utoipa::path(get, path = "/v1/tickets/{id}", tag = "workflow",
    params(("id" = String, Path, description = "`SOURCE:ID`, percent-encoded as one segment")),
    responses(
        (status = 200, body = Ticket),
        (status = 404, description = "No event of this ticket came, or the caller may not see it", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show(caller: Caller, Path(id): Path<String>) -> Result<axum::Json<Ticket>, Problem> {
    let id = RecordId::new(&id)?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let read = move |desk: &engine::Desk, scope: &ontology::Scope| {
        if scope.audiences != Audiences::All {
            desk.record(scope, &id, None)?.ok_or(DeskError::NoSuchRecord { id: id.clone() })?;
            let detail =
                "what agents made of a ticket rests on all that the desk knows: it is for the operator";
            return Err(Problem::new("operator-only", detail));
        }
        // First: who reads while an agent writes sees that it is not done yet, and all of it once it is.
        let status = workflow.ticket_or_waiting(&id)?;
        let record = desk.record(scope, &id, None)?.map(|seen| seen.record);
        let belongs_to = status.burst.as_ref().map(|burst| workflow.burst(burst)).transpose()?;
        shown.records([&id]);
        shown.records(belongs_to.iter().flat_map(|burst| &burst.members));
        Ok(axum::Json(Ticket {
            belongs_to,
            course: record
                .map(|record| triage::course(desk, scope, &record, jiff::Timestamp::now()))
                .transpose()?
                .flatten(),
            standings: workflow.standings(desk, scope, &status, jiff::Timestamp::now())?,
            notices: workflow.notices(&id)?,
            status,
            history: workflow.moves(&id)?,
            triage: workflow.triage_of(&id)?,
            proposals: workflow.proposals_of(&id)?,
        }))
    };
    caller.run(read).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterParameters {
    /// Behind this key.
    #[serde(default)]
    after: String,
    /// How many.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u32,
}

/// Lists events that could not be handled, with the reasons
#[utoipa::path(get, path = "/v1/dead-letters", tag = "workflow", params(DeadLetterParameters), responses(
    (status = 200, body = Vec<schema::DeadLetter>),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn dead_letters(
    Operator(caller): Operator,
    Query(parameters): Query<DeadLetterParameters>,
) -> Result<axum::Json<Vec<DeadLetter>>, Problem> {
    let DeadLetterParameters { after, limit } = parameters;
    search::check_limit(limit as usize, PAGE as usize)?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let list = move |_: &engine::Desk, _: &ontology::Scope| {
        let letters = workflow.dead_letters(&after, limit)?;
        shown.records(letters.iter().map(|letter| &letter.ticket));
        Ok(axum::Json(letters))
    };
    caller.run(list).await
}

/// Has an event that could not be handled tried again, after all that came since
#[utoipa::path(post, path = "/v1/dead-letters/{key}/retry", tag = "workflow",
    params(("key" = String, Path, description = "Its key, percent-encoded as one segment")),
    responses(
        (status = 200, body = schema::DeadLetter),
        (status = 404, description = "No such dead letter", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn retry(
    Operator(caller): Operator,
    Path(key): Path<String>,
) -> Result<axum::Json<DeadLetter>, Problem> {
    let (app, workflow) = (caller.app.clone(), caller.app.workflow()?);
    let retried = caller.run(move |_, _| Ok(axum::Json(workflow.retry(&key, jiff::Timestamp::now())?))).await;
    app.wake.now();
    retried
}
