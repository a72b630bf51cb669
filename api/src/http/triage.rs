//! What is this ticket, who should have it, and what is to be done? `POST /v1/triage`.

use engine::DeskError;
use jiff::Timestamp;
use ontology::{Audiences, Record, RecordId};
use serde::Deserialize;
use triage::{Triage, TriageOptions, triage};
use utoipa::ToSchema;

use super::extract::{Caller, Json};
use super::problem::{Problem, ProblemBody};
use super::wire::AskedTicket;
use super::{schema, search};

/// A ticket to be triaged: either `record` or `ticket`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ticket": {
    "id": "web:1", "kind": "incident", "title": "Mail is slow",
    "sections": [{"kind": "description", "text": "Sending takes minutes since this morning."}]
}}))]
pub(crate) struct TriageRequest {
    /// The id of a ticket of the desk.
    #[schema(value_type = Option<String>)]
    record: Option<RecordId>,
    /// A ticket that need not be in the desk; its audience may be left out.
    #[schema(value_type = Option<schema::AskedTicket>)]
    ticket: Option<AskedTicket>,
    /// Tokens that the passages of each context bundle may take together.
    #[schema(minimum = 200, maximum = 100_000, default = 4000)]
    budget_tokens: Option<u32>,
    /// Milliseconds for each search; legs that are not ready by then are left out and named in `degraded`.
    deadline_millis: Option<u64>,
}

/// Triages a ticket: category, priority, team, page, related tickets, and an answer made of cited sentences
///
/// Where the evidence is weak the ticket is handed over, with the reason, and there is no answer.
#[utoipa::path(post, path = "/v1/triage", tag = "triage", request_body = TriageRequest,
    params(("x-triagraph-audience" = Option<String>, Header, description = "Narrows what is seen to these audiences, separated by commas")),
    responses(
        (status = 200, body = schema::Triage),
        (status = 404, description = "No such record", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described, or the record is no ticket", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn make(caller: Caller, body: Json<TriageRequest>) -> Result<axum::Json<Triage>, Problem> {
    let TriageRequest { record, ticket, budget_tokens, deadline_millis } = body.value;
    let usual = TriageOptions::default().budget_tokens;
    let budget_tokens = search::check_budget(budget_tokens.unwrap_or(usual))?;
    let deadline_millis = search::bounded(deadline_millis);
    let given = match (record, ticket) {
        (Some(id), None) => Given::Record(id),
        (None, Some(ticket)) => Given::Ticket(Box::new(ticket.0)),
        _ => return Err(Problem::new("invalid-request", "give either `record` or `ticket`")),
    };
    let (app, learned) = (caller.app.clone(), caller.app.learned());
    let shown = caller.shown.clone();
    let work = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let ticket = match given {
            Given::Ticket(ticket) => *ticket,
            Given::Record(id) => {
                let found = desk.record(scope, &id, None)?;
                found.ok_or(DeskError::NoSuchRecord { id })?.record
            }
        };
        check(&ticket)?;
        // They learnt from tickets of all audiences.
        let learned = (scope.audiences == Audiences::All).then_some(learned.as_ref());
        let policy = app.redaction.clone();
        let boundaries = app.workflow()?.policies().current().boundaries().clone();
        let mut options = TriageOptions {
            budget_tokens,
            deadline_millis,
            policy,
            learned,
            boundaries,
            ..TriageOptions::default()
        };
        // The search needs its share of the request's time.
        app.wording.iter().for_each(|wording| wording.word(&mut options, app.limits.request / 2));
        let made = triage(desk, scope, &ticket, &options, Timestamp::now())?;
        app.wording.iter().for_each(|wording| wording.count(&made.calls));
        shown.records([&made.ticket]);
        made.bundles.iter().for_each(|bundle| shown.detail("bundle", &bundle.id));
        Ok(axum::Json(made))
    };
    caller.run(work).await
}

enum Given {
    Record(RecordId),
    Ticket(Box<Record>),
}

fn check(ticket: &Record) -> Result<(), Problem> {
    search::check_text(&ticket.title)?;
    if ticket.kind.is_ticket() {
        return Ok(());
    }
    let detail = format!("{} is no ticket but a record of kind {}", ticket.id, ticket.kind.as_str());
    Err(Problem::new("invalid-request", detail))
}
