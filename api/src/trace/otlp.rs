//! What is a collector told of a span? Its name, its times, and those fields that stand in a list: so no field that holds text gets out.
//!
//! Source: OpenTelemetry Protocol 1.x, OTLP/HTTP in its JSON form; names of attributes: OpenTelemetry Semantic Conventions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::context::TraceContext;

/// Fields of spans that are told, and the names under which they are. Those of the conventions for language models are told as they are.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", STATUS),
    ("id", "triagraph.request.id"),
    ("correlation", "triagraph.correlation.id"),
    ("ticket", "triagraph.ticket.id"),
    ("event", "triagraph.event.kind"),
    ("step", STEP),
    ("error.type", ERROR),
];
const STATUS: &str = "http.response.status_code";
const STEP: &str = "triagraph.step";
const ERROR: &str = "error.type";

/// The name under which a field is told, if it is.
pub(super) fn attribute(field: &'static str) -> Option<&'static str> {
    if field.starts_with("gen_ai.") || field.starts_with("server.") {
        return Some(field);
    }
    ATTRIBUTES.iter().find(|(own, _)| *own == field).map(|(_, name)| *name)
}

/// A span that ended.
pub(crate) struct Finished {
    pub(super) context: TraceContext,
    pub(super) parent: Option<u64>,
    pub(super) name: &'static str,
    pub(super) began: SystemTime,
    pub(super) took: Duration,
    pub(super) told: Told,
}

/// The attributes of a span.
#[derive(Default)]
pub(super) struct Told(Vec<(&'static str, Value)>);

impl Told {
    pub(super) fn text(&mut self, name: &'static str, text: String) {
        self.0.push((name, json!({"stringValue": text})));
    }

    pub(super) fn number(&mut self, name: &'static str, number: i64) {
        self.0.push((name, json!({"intValue": number.to_string()})));
    }

    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(own, _)| *own == name)?;
        value.as_object()?.values().next()?.as_str()
    }
}

/// The body of a call to a collector.
pub(super) fn body(service: &str, spans: &[Finished]) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let version = env!("CARGO_PKG_VERSION");
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", service), text("service.version", version)]},
        "scopeSpans": [{
            "scope": {"name": "triagraph", "version": version},
            "spans": spans.iter().map(Finished::told).collect::<Vec<Value>>(),
        }],
    }]})
}

impl Finished {
    fn told(&self) -> Value {
        let nanos =
            |moment: SystemTime| moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
        let attributes: Vec<Value> =
            self.told.0.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        let mut told = json!({
            "traceId": self.context.trace_id(),
            "spanId": format!("{:016x}", self.context.span),
            "name": self.shown(),
            "kind": self.kind(),
            "startTimeUnixNano": nanos(self.began),
            "endTimeUnixNano": nanos(self.began + self.took),
            "attributes": attributes,
        });
        if let Some(parent) = self.parent {
            told["parentSpanId"] = json!(format!("{parent:016x}"));
        }
        if self.is_failed() {
            told["status"] = json!({"code": 2});
        }
        told
    }

    /// The name that the conventions ask for: of few kinds, without ids.
    fn shown(&self) -> String {
        let get = |name| self.told.get(name).unwrap_or("unknown");
        match self.name {
            "request" => format!("{} {}", get("http.request.method"), get("http.route")),
            "step" => self.told.get(STEP).unwrap_or("rest").to_owned(),
            "chat" => format!("chat {}", get("gen_ai.request.model")),
            "invoke_agent" => format!("invoke_agent {}", get("gen_ai.agent.name")),
            name => name.to_owned(),
        }
    }

    /// Internal, server, client or consumer, as the protocol counts them.
    fn kind(&self) -> u8 {
        match self.name {
            "request" => 2,
            "chat" => 3,
            "ticket" => 5,
            _ => 1,
        }
    }

    fn is_failed(&self) -> bool {
        self.told.get(ERROR).is_some() || self.told.get(STATUS).is_some_and(|status| status.starts_with('5'))
    }
}
