//! What does Alertmanager send? Its webhook body (version 4), each alert of it read as an incident that opens or closes.
//!
//! Source: Prometheus documentation, "Alerting / Configuration", webhook_config.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ontology::{Kind, Link, Record, RecordId, Relation, Section, SectionKind, SourceId, State};
use serde::Deserialize;
use triage::{Event, EventKind};

use crate::http::observe::Correlation;
use crate::http::problem::Problem;
use crate::trace;

const SOURCE: &str = "alertmanager";
/// Labels that name what is hit.
const THINGS: [&str; 8] = ["instance", "host", "node", "pod", "deployment", "statefulset", "service", "job"];

/// What is sent: only what is read of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

impl Message {
    pub(super) fn events(self, request: &Correlation) -> Result<Vec<Event>, Problem> {
        self.alerts.into_iter().map(|alert| alert.event(request)).collect()
    }
}

impl Alert {
    fn event(self, request: &Correlation) -> Result<Event, Problem> {
        let (kind, at) = match self.status.as_str() {
            "firing" => (EventKind::AlertFiring, self.starts_at),
            "resolved" => (EventKind::AlertResolved, self.ends_at.unwrap_or(self.starts_at)),
            other => {
                let detail = format!("an alert has the status {other:?}: firing and resolved are known");
                return Err(Problem::new("invalid-event", detail));
            }
        };
        // One firing is one incident: the same alert later is another one.
        let external = format!("{}-{}", self.fingerprint, self.starts_at.as_second());
        let ticket = RecordId::from_parts(&SourceId::new(SOURCE)?, &external)?;
        let record = self.incident(ticket.clone(), kind);
        let id = format!("{external}-{}", self.status);
        Ok(Event {
            id,
            source: SOURCE.to_owned(),
            kind,
            at,
            correlation: request.0.clone(),
            traceparent: trace::outgoing(),
            ticket,
            record: Some(record),
            told: None,
        })
    }

    fn incident(&self, id: RecordId, kind: EventKind) -> Record {
        let text =
            |name: &str| self.annotations.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let alert = self.labels.get("alertname").map_or("alert", String::as_str);
        let title = text("summary").map_or_else(|| alert.to_owned(), |summary| format!("{alert}: {summary}"));
        let mut record = Record::new(id, Kind::Incident, title);
        let said = text("description")
            .or_else(|| text("message"))
            .map(|said| Section::new(SectionKind::Description, said));
        let labels: String = self.labels.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        record.sections =
            said.into_iter().chain([Section::new(SectionKind::Environment, labels.trim_end())]).collect();
        record.links = vec![Link::by_name(Relation::RelatedTo, alert)];
        let things =
            THINGS.iter().filter_map(|label| self.labels.get(*label)).filter(|name| !name.trim().is_empty());
        record.links.extend(things.map(|name| {
            // An instance is a host with a port.
            let host =
                name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
            Link::by_name(Relation::Affects, host.map_or(name.as_str(), |(host, _)| host))
        }));
        record.links.sort();
        record.links.dedup();
        record.urgency = match self.labels.get("severity").map(String::as_str) {
            Some("critical" | "page") => Some(1),
            Some("error" | "high") => Some(2),
            Some("warning") => Some(3),
            Some("info" | "none") => Some(5),
            _ => None,
        };
        record.created = Some(self.starts_at);
        if kind == EventKind::AlertResolved {
            record.state = Some(State::Resolved);
            record.resolved = self.ends_at;
        } else {
            record.state = Some(State::Open);
        }
        record.url = Some(self.generator_url.clone()).filter(|url| !url.is_empty());
        record
    }
}
