//! Which records answer, and which tickets are alike? `POST /v1/search` and `POST /v1/related`.

use std::time::{Duration, Instant};

use engine::{Filters, HITS_LIMIT, Hits, Leg, Query, Related, Subject};
use jiff::Timestamp;
use ontology::RecordId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::unknown::unknown_names;

use super::extract::{Caller, Json};
use super::problem::{Problem, ProblemBody};
use super::schema;
use super::wire::Asked;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "text": "VPN drops after the router update", "limit": 5,
    "filters": {"kinds": ["incident", "runbook"], "resolved_only": true}
}))]
pub(crate) struct SearchRequest {
    /// Plain text: a few words, an error message, a whole ticket. Never query syntax.
    text: String,
    #[serde(default)]
    #[schema(value_type = Option<schema::Filters>)]
    filters: Filters,
    /// How many hits.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 1000, default = 10)]
    limit: usize,
    /// Which legs run; all by default.
    #[serde(default)]
    #[schema(value_type = Option<Vec<schema::Leg>>, min_items = 1)]
    legs: Option<Vec<Leg>>,
    /// Ids of records that the question is about: seeds of the graph leg.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    about: Vec<RecordId>,
    /// Ids of records that are left out.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    exclude: Vec<RecordId>,
    /// Answer as of what was known at a moment.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    /// Milliseconds from the start; legs that are not ready by then are left out and named in `degraded`.
    #[serde(default)]
    deadline_millis: Option<u64>,
}

fn ten() -> usize {
    10
}

/// A ticket whose relatives are looked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"about": {"record": "servicenow:INC0010023"}, "limit": 5}))]
pub(crate) struct RelatedRequest {
    #[schema(value_type = schema::Subject)]
    about: Asked,
    /// How many tickets.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 300, default = 10)]
    limit: usize,
}

/// Finds records by words, meaning, identifiers and graph
#[utoipa::path(post, path = "/v1/search", tag = "search", request_body = SearchRequest,
    params(("x-triagraph-audience" = Option<String>, Header, description = "Narrows what is seen to these audiences, separated by commas")),
    responses(
        (status = 200, body = schema::Hits),
        (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn search(caller: Caller, body: Json<SearchRequest>) -> Result<axum::Json<Hits>, Problem> {
    let request = body.value;
    check_text(&request.text)?;
    check_limit(request.limit, HITS_LIMIT)?;
    if request.legs.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::new("invalid-request", "legs is empty: leave it out for all, or name some"));
    }
    let query = Query {
        filters: request.filters,
        limit: request.limit,
        legs: request.legs.unwrap_or_else(|| Leg::ALL.to_vec()),
        about: request.about,
        exclude: request.exclude,
        as_of: request.as_of,
        deadline: bounded(request.deadline_millis)
            .map(|millis| Instant::now() + Duration::from_millis(millis)),
        ..Query::new(request.text, Timestamp::now())
    };
    let shown = caller.shown.clone();
    let work = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let mut hits = desk.search(scope, &query)?;
        shown.records(hits.hits.iter().map(|hit| &hit.record));
        hits.warnings.extend(unknown_names(desk, scope, &query.filters)?);
        Ok(axum::Json(hits))
    };
    caller.run(work).await
}

/// Finds tickets related to a ticket, each with the reasons why
#[utoipa::path(post, path = "/v1/related", tag = "search", request_body = RelatedRequest,
    params(("x-triagraph-audience" = Option<String>, Header, description = "Narrows what is seen to these audiences, separated by commas")),
    responses(
        (status = 200, body = schema::Related),
        (status = 404, description = "No such record", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn related(
    caller: Caller,
    body: Json<RelatedRequest>,
) -> Result<axum::Json<Related>, Problem> {
    let RelatedRequest { about, limit } = body.value;
    let about = Subject::from(about);
    check_subject(&about)?;
    check_limit(limit, 300)?;
    let shown = caller.shown.clone();
    let work = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let related = desk.related(scope, &about, limit, Timestamp::now())?;
        shown.records(related.tickets.iter().map(|ticket| &ticket.hit.record));
        Ok(axum::Json(related))
    };
    caller.run(work).await
}

pub(crate) fn check_subject(subject: &Subject) -> Result<(), Problem> {
    match subject {
        Subject::Text(text) => check_text(text),
        Subject::Ticket(record) => check_text(&record.title),
        Subject::Record(_) => Ok(()),
    }
}

/// A deadline past the server's own is none; bounded, so that no clock runs over.
pub(crate) fn bounded(deadline_millis: Option<u64>) -> Option<u64> {
    deadline_millis.map(|millis| millis.min(3_600_000))
}

pub(crate) fn check_budget(tokens: u32) -> Result<u32, Problem> {
    if (200..=100_000).contains(&tokens) {
        return Ok(tokens);
    }
    Err(Problem::new("invalid-request", format!("budget_tokens is {tokens}: give 200 to 100000")))
}

pub(crate) fn check_limit(limit: usize, most: usize) -> Result<(), Problem> {
    if (1..=most).contains(&limit) {
        return Ok(());
    }
    Err(Problem::new("invalid-request", format!("limit is {limit}: ask for 1 to {most}")))
}

pub(crate) fn check_text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new("invalid-request", "there is no question: the text is blank"));
    }
    Ok(())
}
