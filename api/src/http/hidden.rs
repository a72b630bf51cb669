//! What stands behind the placeholders of a ticket's triage? `/v1/tickets/{id}/hidden`, for those who may see it.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use ontology::RecordId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Operator;
use super::problem::{Problem, ProblemBody};

/// What was hidden of a ticket's latest triage.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Hidden, example = json!({"ticket": "web:1", "values": {"[EMAIL_1]": "ann@example.org"}}))]
pub(crate) struct HiddenBody {
    /// The ticket.
    ticket: String,
    /// By placeholder, as it stands in the answer, the titles and the drafts of that triage. Empty where nothing was hidden, or it was purged.
    values: BTreeMap<String, String>,
}

/// Gives back what was hidden from a language model, and of other people's tickets, in a ticket's latest triage
#[utoipa::path(get, path = "/v1/tickets/{id}/hidden", tag = "workflow",
    params(("id" = String, Path, description = "`SOURCE:ID`, percent-encoded as one segment")),
    responses(
        (status = 200, description = "The values, which no cache keeps", body = HiddenBody),
        (status = 403, description = "The caller is narrowed, or has none of the roles", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No event of this ticket came", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The vault has another key now", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show(Operator(caller): Operator, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = RecordId::new(&id)?;
    let workflow = caller.app.workflow()?;
    let shown = caller.shown.clone();
    let read = move |_: &engine::Desk, _: &ontology::Scope| {
        let values = workflow.hidden(&id)?;
        shown.records([&id]);
        shown.detail("hidden", &values.len().to_string());
        let body = HiddenBody { ticket: id.to_string(), values };
        Ok(([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response())
    };
    caller.run(read).await
}
