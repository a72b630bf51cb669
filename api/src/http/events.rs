//! What happens to tickets outside? `POST /v1/events` takes CloudEvents 1.0, `POST /v1/events/alertmanager` what Alertmanager sends.

mod alertmanager;
mod cloud;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use triage::{Accepted, Event};

use super::app::App;
use super::extract::{Json, Operator, body, media_type};
use super::observe::Correlation;
use super::problem::{Problem, ProblemBody};
use super::schema;

/// Events of one request at most.
const EVENTS: usize = 1000;

/// Takes events of tickets: structured, binary or batched CloudEvents
///
/// Types are `triagraph.ticket.created`, `.updated`, `.reopened`, `.closed`, and `triagraph.alert.firing`, `.resolved`. `data` is the ticket in
/// its canonical form; `subject` is its id, and enough where only the state changes. `triagraph.feedback` tells what people did with the desk's
/// work on the ticket that `subject` names: its `data` says whether a proposal or reply was used, edited or rejected, helped or not, or which
/// category, priority or team it really was. What is told of an unknown ticket or proposal becomes a dead letter. An event that came before (same source and id)
/// changes nothing. Events of one ticket are handled in the order in which they came. When this answers, they are on the disk.
#[utoipa::path(post, path = "/v1/events", tag = "workflow",
    request_body(content(
        (schema::CloudEvent = "application/cloudevents+json"), (Vec<schema::CloudEvent> = "application/cloudevents-batch+json"),
        (schema::EventData = "application/json"),
    )),
    responses(
        (status = 202, description = "They are kept; `Location` says where to look for the first one's ticket", body = Vec<schema::Accepted>),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "An event is not as described: none was kept", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Too many events are on their way", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn take(
    State(app): State<App>,
    _operator: Operator,
    Extension(correlation): Extension<Correlation>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let kind = media_type(&headers);
    let bytes = body(request, &app).await?;
    accepted(&app, cloud::events(&headers, &kind, &bytes, &correlation)?).await
}

/// Takes what Prometheus Alertmanager sends to a webhook: each alert is an incident that opens when it fires and closes when it is resolved
#[utoipa::path(post, path = "/v1/events/alertmanager", tag = "workflow", request_body = schema::AlertmanagerMessage,
    responses(
        (status = 202, description = "They are kept", body = Vec<schema::Accepted>),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It is not what Alertmanager sends", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn alerts(
    State(app): State<App>,
    _operator: Operator,
    Extension(correlation): Extension<Correlation>,
    body: Json<alertmanager::Message>,
) -> Result<Response, Problem> {
    accepted(&app, body.value.events(&correlation)?).await
}

async fn accepted(app: &App, events: Vec<Event>) -> Result<Response, Problem> {
    if events.is_empty() {
        return Err(Problem::new("invalid-event", "there is no event in it"));
    }
    if events.len() > EVENTS {
        let detail = format!("{} events at once, {EVENTS} at most: send them in parts", events.len());
        return Err(Problem::new("invalid-event", detail));
    }
    app.writing_desk()?;
    let accepted: Vec<Accepted> = app.intake.take(events).await?;
    let ticket = accepted.first().map(|first| first.ticket.to_string()).unwrap_or_default();
    let location = format!("/v1/tickets/{}", super::wire::segment(&ticket));
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], axum::Json(accepted)).into_response())
}
