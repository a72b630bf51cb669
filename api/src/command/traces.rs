//! Where are spans of a server told? The flags and variables that name a collector.

use anyhow::Context;
use clap::Args;

use crate::trace::{Collector, Exporter};

/// The variable with headers for the collector, such as its key: never a flag, which others on the machine can read.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// Flags of tracing.
#[derive(Debug, Args)]
pub(crate) struct Traces {
    /// Base address of an OpenTelemetry collector that is told the spans of requests and of the work on tickets, without a word of
    /// their text, over OTLP/HTTP: `http://127.0.0.1:4318`. Nothing is told without it
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otlp: Option<String>,
    /// Name of this server in traces
    #[arg(long, env = "OTEL_SERVICE_NAME", default_value = "triagraph", hide = true)]
    service_name: String,
}

impl Traces {
    /// Starts telling, where a collector is named.
    pub(crate) fn exporter(&self) -> anyhow::Result<Option<Exporter>> {
        let Some(base) = self.otlp.as_deref().filter(|base| !base.trim().is_empty()) else { return Ok(None) };
        let headers = std::env::var(HEADERS).unwrap_or_default();
        let collector = Collector::new(base, &headers, &self.service_name)?;
        Exporter::start(collector).map(Some).context("the thread that tells spans cannot be started")
    }
}
