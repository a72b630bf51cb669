//! What does Prometheus read? Counters of requests and gauges of the desk, in the text exposition format 0.0.4.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::Status;

use super::app::App;
use super::extract::Operator;
use super::problem::{Problem, ProblemBody};

/// Upper bounds of the latency histogram, in seconds: an identifier takes milliseconds, a bundle tens, a query seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What the server has counted since it started.
#[derive(Default)]
pub(crate) struct Metrics {
    in_flight: AtomicU64,
    /// Events of tickets: handled, failed, set aside.
    events: [AtomicU64; 3],
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    /// By route, method and status.
    requests: BTreeMap<(String, &'static str, u16), u64>,
    /// By route.
    latency: BTreeMap<String, Histogram>,
}

#[derive(Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

/// A request at work, until it is dropped.
pub(crate) struct InFlight<'a>(&'a AtomicU64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn enter(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    pub(crate) fn count(&self, method: &Method, route: &str, status: u16, elapsed: Duration) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown.requests.entry((route.to_owned(), name(method), status)).or_default() += 1;
        let histogram = shown.latency.entry(route.to_owned()).or_default();
        histogram.count += 1;
        histogram.seconds += elapsed.as_secs_f64();
        for (bucket, bound) in histogram.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(elapsed.as_secs_f64() <= bound);
        }
    }

    /// Counts what a turn of the worker did.
    pub(crate) fn count_turn(&self, turn: &triage::Turn) {
        for (counted, more) in self.events.iter().zip([turn.handled, turn.failed, turn.dead]) {
            counted.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn render(&self, text: &mut String) {
        head(text, "triagraph_events_total", "counter", "Events of tickets, by what became of them.");
        for (outcome, counted) in ["handled", "failed", "dead"].into_iter().zip(&self.events) {
            line(
                text,
                "triagraph_events_total",
                &format!("outcome=\"{outcome}\""),
                counted.load(Ordering::Relaxed),
            );
        }
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        head(text, "triagraph_http_requests_in_flight", "gauge", "Requests at work.");
        line(text, "triagraph_http_requests_in_flight", "", self.in_flight.load(Ordering::Relaxed));
        head(text, "triagraph_http_requests_total", "counter", "Requests answered.");
        for ((route, method, status), count) in &shown.requests {
            let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
            line(text, "triagraph_http_requests_total", &labels, count);
        }
        let metric = "triagraph_http_request_duration_seconds";
        head(text, metric, "histogram", "Time from the request's head to the answer's.");
        for (route, histogram) in &shown.latency {
            for (bound, count) in BUCKETS.iter().zip(histogram.buckets) {
                line(text, &format!("{metric}_bucket"), &format!("route=\"{route}\",le=\"{bound}\""), count);
            }
            line(
                text,
                &format!("{metric}_bucket"),
                &format!("route=\"{route}\",le=\"+Inf\""),
                histogram.count,
            );
            line(text, &format!("{metric}_sum"), &format!("route=\"{route}\""), histogram.seconds);
            line(text, &format!("{metric}_count"), &format!("route=\"{route}\""), histogram.count);
        }
    }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "Text exposition format 0.0.4", body = String, content_type = "text/plain"),
    (status = 401, description = "The key is missing or wrong", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn metrics(State(app): State<App>, _operator: Operator) -> Result<Response, Problem> {
    let mut text = String::new();
    app.metrics.render(&mut text);
    app.wording.iter().for_each(|wording| wording.render(&mut text));
    app.executor.render(&mut text);
    if let Ok(desk) = app.desk() {
        head(&mut text, "triagraph_generation", "gauge", "Position of the log that readers see.");
        line(&mut text, "triagraph_generation", "", desk.generation());
        head(
            &mut text,
            "triagraph_writer_stopped",
            "gauge",
            "Whether a write failed half-way, so that the process has to be started again.",
        );
        line(&mut text, "triagraph_writer_stopped", "", u64::from(!desk.is_writing()));
        render_desk(&mut text, &*app.status().await?);
        app.figures.render(&app, &mut text);
    }
    head(&mut text, "triagraph_jobs_waiting", "gauge", "Jobs that wait or run.");
    line(&mut text, "triagraph_jobs_waiting", "", app.jobs.waiting());
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Counts of the desk, as of the generation they name.
fn render_desk(text: &mut String, status: &Status) {
    head(text, "triagraph_records", "gauge", "Current records by kind.");
    for (kind, count) in &status.records {
        line(text, "triagraph_records", &format!("kind=\"{kind}\""), count);
    }
    let gauges = [
        (
            "triagraph_counted_generation",
            "Position of the log at which the desk was last counted.",
            status.generation,
        ),
        (
            "triagraph_indexes_at_log_head",
            "Whether every index showed the end of the log then.",
            u64::from(status.ready),
        ),
        ("triagraph_passages", "Passages of current records.", status.passages),
        ("triagraph_quads", "Quads of the graph.", status.quads),
        ("triagraph_pending_links", "Links that lead to no record yet.", status.pending_links),
        ("triagraph_quarantined", "Items in quarantine.", status.quarantined),
    ];
    for (name, help, value) in gauges {
        head(text, name, "gauge", help);
        line(text, name, "", value);
    }
}

pub(super) fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

pub(super) fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{labels}}} {value}")
    };
}

/// Methods by name; a made-up one must not make a new series.
fn name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
