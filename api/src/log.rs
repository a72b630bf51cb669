//! What does the program say of its own work? Warnings, and with `TRIAGRAPH_LOG` more, on standard error.

use std::io::IsTerminal;

use anyhow::Context;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// The variable that says what is logged.
const VARIABLE: &str = "TRIAGRAPH_LOG";

/// Starts the log of a server: who asked for what, and when.
pub(crate) fn start_for_server(is_json: bool) -> anyhow::Result<()> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(Level::INFO)?)
        .with_writer(std::io::stderr)
        .with_ansi(has_colour());
    started(if is_json { log.json().try_init() } else { log.try_init() })
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
