//! What does the program say of its own work? Warnings, and with `TRIAGRAPH_LOG` more, on standard error.

mod json;

use std::io::IsTerminal;

use anyhow::Context;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{FmtSpan, JsonFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::trace::{self, Exporter};

/// The variable that says what is logged.
const VARIABLE: &str = "TRIAGRAPH_LOG";

/// Starts the log of a server: who asked for what, and when; and its spans, which go to a collector where there is one.
pub(crate) fn start_for_server(is_json: bool, exporter: Option<&Exporter>) -> anyhow::Result<()> {
    // Spans say what belongs together, so they are there whatever is logged.
    let spans = filter_fn(is_span).with_max_level_hint(LevelFilter::INFO);
    let filter = filter(Level::INFO)?.or(spans);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(has_colour());
    let lines = if is_json {
        lines.fmt_fields(JsonFields::new()).event_format(json::Lines).with_filter(filter).boxed()
    } else {
        lines.with_filter(filter).boxed()
    };
    let has_exporter = exporter.is_some();
    let is_placed =
        filter_fn(move |metadata| is_span(metadata) && (has_exporter || trace::is_from_outside(metadata)));
    let traces = trace::layer(exporter).with_filter(is_placed.with_max_level_hint(LevelFilter::INFO));
    started(tracing_subscriber::registry().with(lines).with(traces).try_init())
}

fn is_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

/// Starts the log of a command: its warnings, and at level `debug` the phases of its work with the time that each took.
pub(crate) fn start_for_command() -> anyhow::Result<()> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(Level::WARN)?)
        .with_writer(std::io::stderr)
        .with_ansi(has_colour())
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_target(false)
        .without_time();
    started(log.try_init())
}

fn filter(level: Level) -> anyhow::Result<EnvFilter> {
    let filter = EnvFilter::builder().with_env_var(VARIABLE).with_default_directive(level.into()).from_env();
    filter.with_context(|| {
        format!("{VARIABLE} cannot be read: give a level like `info`, or targets like `api=debug`")
    })
}

/// Colours are for a terminal, unless somebody does not want them (no-color.org).
fn has_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

fn started<E: std::fmt::Display>(log: Result<(), E>) -> anyhow::Result<()> {
    log.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
