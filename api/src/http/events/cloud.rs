//! What does a CloudEvent say? The three HTTP forms of CloudEvents 1.0, read into events of tickets.
//!
//! Source: CloudEvents 1.0.2, "HTTP Protocol Binding" and "JSON Event Format".

use axum::http::HeaderMap;
use jiff::Timestamp;
use ontology::{Record, RecordId};
use serde::Deserialize;
use serde_json::Value;
use triage::{Event, EventKind, Told};

use crate::http::observe::Correlation;
use crate::http::problem::Problem;
use crate::http::wire::AskedTicket;
use crate::trace::{self, TraceContext};

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";
/// What this version takes.
const TYPES: [(&str, EventKind); 7] = [
    ("triagraph.ticket.created", EventKind::Created),
    ("triagraph.ticket.updated", EventKind::Updated),
    ("triagraph.ticket.reopened", EventKind::Reopened),
    ("triagraph.ticket.closed", EventKind::Closed),
    ("triagraph.alert.firing", EventKind::AlertFiring),
    ("triagraph.alert.resolved", EventKind::AlertResolved),
    ("triagraph.feedback", EventKind::Feedback),
];

/// One event as it is sent. Attributes that nobody here knows are extensions and may be there.
#[derive(Debug, Deserialize)]
struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    r#type: String,
    subject: Option<String>,
    time: Option<Timestamp>,
    traceparent: Option<String>,
    data: Option<Value>,
    data_base64: Option<Value>,
}

/// The events of a request.
pub(super) fn events(
    headers: &HeaderMap,
    kind: &str,
    body: &[u8],
    correlation: &Correlation,
) -> Result<Vec<Event>, Problem> {
    let unreadable = |error: serde_json::Error| {
        let code = if error.is_data() { "invalid-event" } else { "invalid-json" };
        Problem::new(code, format!("the body cannot be read: {error}"))
    };
    let read = match kind {
        STRUCTURED => vec![serde_json::from_slice(body).map_err(unreadable)?],
        BATCH => serde_json::from_slice(body).map_err(unreadable)?,
        _ if headers.contains_key("ce-id") => vec![binary(headers, kind, body)?],
        _ => {
            let detail = format!(
                "send {STRUCTURED}, {BATCH}, or JSON with the attributes in headers (ce-id, ce-source, ce-type, ce-specversion), not {kind:?}"
            );
            return Err(Problem::new("unsupported-media-type", detail));
        }
    };
    read.into_iter().map(|event: CloudEvent| event.read(correlation)).collect()
}

/// The form with its attributes in headers, percent-encoded where they are not plain ASCII.
fn binary(headers: &HeaderMap, kind: &str, body: &[u8]) -> Result<CloudEvent, Problem> {
    let attribute = |name: &str| {
        let value = headers.get(format!("ce-{name}"))?;
        Some(crate::http::wire::unescaped(&String::from_utf8_lossy(value.as_bytes())))
    };
    let wanted = |name: &str| {
        attribute(name)
            .ok_or_else(|| Problem::new("invalid-event", format!("the header ce-{name} is missing")))
    };
    let data = if body.is_empty() {
        None
    } else if kind == "application/json" || kind.ends_with("+json") {
        Some(
            serde_json::from_slice(body)
                .map_err(|error| Problem::new("invalid-json", format!("the body cannot be read: {error}")))?,
        )
    } else {
        return Err(Problem::new(
            "unsupported-media-type",
            format!("the data of an event is JSON here, not {kind:?}"),
        ));
    };
    let time = attribute("time").map(|time| time.parse()).transpose();
    Ok(CloudEvent {
        specversion: wanted("specversion")?,
        id: wanted("id")?,
        source: wanted("source")?,
        r#type: wanted("type")?,
        subject: attribute("subject"),
        time: time.map_err(|error| Problem::new("invalid-event", format!("ce-time: {error}")))?,
        traceparent: attribute("traceparent"),
        data,
        data_base64: None,
    })
}

impl CloudEvent {
    fn read(self, request: &Correlation) -> Result<Event, Problem> {
        let refuse = |why: String| Problem::new("invalid-event", format!("event {}: {why}", self.id));
        if self.specversion != "1.0" {
            return Err(refuse(format!("specversion is {:?}, 1.0 is known", self.specversion)));
        }
        if self.data_base64.is_some() {
            return Err(refuse(
                "the data of an event is JSON here: send `data`, not `data_base64`".to_owned(),
            ));
        }
        let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == self.r#type) else {
            let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            return Err(refuse(format!("type {:?} is none of {}", self.r#type, known.join(", "))));
        };
        let (data, told) = match (kind, self.data) {
            (EventKind::Feedback, None | Some(Value::Null)) => {
                return Err(refuse("feedback has data: what people did".to_owned()));
            }
            (EventKind::Feedback, Some(data)) => (None, Some(told(data).map_err(&refuse)?)),
            (_, data) => (data, None),
        };
        let record: Option<Record> = match data {
            None | Some(Value::Null) => None,
            Some(data) => {
                let AskedTicket(record) =
                    serde_json::from_value(data).map_err(|error| refuse(format!("data: {error}")))?;
                crate::http::records::check(&record).map_err(|why| refuse(format!("data: {why}")))?;
                crate::http::search::check_text(&record.title).map_err(|why| refuse(why.detail))?;
                Some(record)
            }
        };
        let ticket = match (&self.subject, &record) {
            (Some(subject), _) => {
                RecordId::new(subject).map_err(|error| refuse(format!("subject: {error}")))?
            }
            (None, Some(record)) => record.id.clone(),
            (None, None) => {
                return Err(refuse("it has neither a subject nor data: of which ticket is it?".to_owned()));
            }
        };
        if record.is_none() && *kind == EventKind::Created {
            return Err(refuse("a new ticket comes with its data".to_owned()));
        }
        // The trace in which the event came about; else the one of the request that brings it.
        let own: Option<TraceContext> = self.traceparent.and_then(|text| text.parse().ok());
        let correlation = own.map_or_else(|| request.0.clone(), TraceContext::trace_id);
        let traceparent = own.map(|own| own.to_string()).or_else(trace::outgoing);
        let at = self.time.unwrap_or_else(Timestamp::now);
        Ok(Event {
            id: self.id,
            source: self.source,
            kind: *kind,
            at,
            correlation,
            traceparent,
            ticket,
            record,
            told,
        })
    }
}

/// What people did, where it makes sense.
fn told(data: Value) -> Result<Told, String> {
    let told: Told = serde_json::from_value(data).map_err(|error| format!("data: {error}"))?;
    told.check().map_err(|why| format!("data: {why}"))?;
    Ok(told)
}
