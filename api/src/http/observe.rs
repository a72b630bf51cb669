//! What is known about each request? Its id, a line in the log, and its share of the metrics; problems are written out here.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::app::App;
use super::problem;
use crate::trace::TraceContext;

/// The header that carries a request's id, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken over from a caller.
const ID_BYTES: usize = 128;

/// What ties a request to what comes of it: in logs, in the audit log, at its tickets. The id of the caller's trace, else the request's own.
#[derive(Debug, Clone)]
pub(crate) struct Correlation(pub(crate) String);
/// The id of a request, for those further in.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The outermost layer.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let parent: Option<TraceContext> = traceparent.and_then(|text| text.parse().ok());
    let correlation = parent.map_or_else(|| id.clone(), TraceContext::trace_id);
    let span = tracing::info_span!(
        "request", id = %id, %correlation, %method, route = %route, caller = tracing::field::Empty,
        traceparent = parent.map(tracing::field::display), status = tracing::field::Empty
    );
    request.extensions_mut().insert(Correlation(correlation));
    let in_flight = app.metrics.enter();
    let response = next.run(request).instrument(span.clone()).await;
    let (mut response, problem) = problem::written(response, &id).await;
    drop(in_flight);
    let elapsed = started.elapsed();
    app.metrics.count(&method, &route, response.status().as_u16(), elapsed);
    let status = response.status().as_u16();
    let millis = elapsed.as_millis();
    match problem {
        Some(problem) if response.status().is_server_error() => {
            tracing::error!(parent: &span, status, millis, code = problem.code, "{}", problem.detail);
        }
        Some(problem) => tracing::info!(parent: &span, status, millis, code = problem.code, "refused"),
        None => tracing::info!(parent: &span, status, millis, "answered"),
    }
    // Last, since the lines above say it themselves.
    span.record("status", status);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The caller's id where it is a plain one, else a new one.
fn request_id(request: &Request) -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("triagraph"));
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let plain = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=ID_BYTES).contains(&text.len()) && text.bytes().all(allowed)
    };
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.filter(plain) {
        Some(given) => given.to_owned(),
        None => format!("{:016x}-{:x}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}
