//! What happens right now? Server-sent events of how tickets move and what is to be delivered, from any position on.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::JournalEntry;
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::app::App;
use super::extract::Operator;
use super::problem::{Problem, ProblemBody};

/// How often the journals are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Entries read at a time.
const ENTRIES: u32 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParameters {
    /// From behind this position on; from now on where it is left out. The header `Last-Event-ID` of a browser that reconnects counts too.
    after: Option<u64>,
}

/// Tells what happens as server-sent events
///
/// `event` is `ticket` for a move of a ticket, `service` for a target that comes to its end (`kind` is `warning`) or is missed (`breach`), and
/// `outbox` for what a connector has to deliver or, of a step of a runbook, how it ended; `id` is the position to go on from; `data` is the
/// transition, the notice or the order, as JSON.
#[utoipa::path(get, path = "/v1/stream", tag = "workflow", params(StreamParameters), responses(
    (status = 200, description = "Until the caller or the server ends it, or what the caller came in with", body = String, content_type = "text/event-stream"),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn follow(
    Operator(caller): Operator,
    Query(parameters): Query<StreamParameters>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let (app, grant, shown) = (caller.app.clone(), caller.grant.clone(), caller.shown.clone());
    let workflow = app.workflow()?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = match last.or(parameters.after) {
        Some(after) => after,
        None => caller.run(move |_, _| Ok(workflow.store().newest()?)).await?,
    };
    shown.detail("stream-after", &after.to_string());
    let events = stream::unfold((app, after, VecDeque::new()), move |(app, mut after, mut waiting)| {
        let grant = grant.clone();
        async move {
            let is_over = || app.jobs.is_stopped() || !app.is_good(&grant, Timestamp::now());
            if is_over() {
                return None;
            }
            while waiting.is_empty() {
                if is_over() {
                    return None;
                }
                let (found, position) = entries(&app, after).await?;
                (waiting, after) = (found, position);
                if waiting.is_empty() {
                    tokio::time::sleep(LOOK).await;
                }
            }
            let event: Event = waiting.pop_front()?;
            Some((Ok::<_, Infallible>(event), (app, after, waiting)))
        }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// The next entries to tell, and the position behind them; nothing when the store cannot be read.
async fn entries(app: &App, after: u64) -> Option<(VecDeque<Event>, u64)> {
    let workflow = app.workflow().ok()?;
    let read = tokio::task::spawn_blocking(move || workflow.store().journals(after, ENTRIES)).await.ok()?;
    let read = read.inspect_err(|error| tracing::error!(%error, "the journals cannot be read")).ok()?;
    let position = read.last().map_or(after, |last| last.position);
    Some((read.iter().filter_map(told).collect(), position))
}

/// An entry as it is told; what came in is not.
fn told(entry: &JournalEntry) -> Option<Event> {
    let (event, _) = entry.stream.split_once('/').unwrap_or((&entry.stream, ""));
    if !["ticket", "outbox", "service"].contains(&event) {
        return None;
    }
    let body: Value = serde_json::from_slice(&entry.body).unwrap_or_default();
    let data = json!({"ticket": entry.record, "kind": entry.kind, "body": body});
    Some(Event::default().event(event).id(entry.position.to_string()).data(data.to_string()))
}
