//! What may happen to a ticket from outside? One event of a source, as the desk takes it in whatever its wire form was.

use jiff::Timestamp;
use ontology::{Record, RecordId};
use serde::{Deserialize, Serialize};

use crate::feedback::Told;

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, unique within its source: the same event again changes nothing.
    pub id: String,
    /// Who tells it.
    pub source: String,
    /// What happened.
    pub kind: EventKind,
    /// When, as the source says.
    pub at: Timestamp,
    /// What belongs together across systems: a trace or request id.
    pub correlation: String,
    /// Where in a trace the work on it belongs, as W3C trace context writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The ticket.
    pub ticket: RecordId,
    /// The ticket as it is now; nothing where only its state changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// What people did with the desk's work, of an event that tells of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A ticket was opened.
    Created,
    /// Its text or its fields changed.
    Updated,
    /// It was solved, and is not.
    Reopened,
    /// It is done.
    Closed,
    /// An alert began to fire; it is an incident.
    AlertFiring,
    /// The alert fires no more.
    AlertResolved,
    /// People did something with the desk's work on it; the ticket itself is as it was.
    Feedback,
}

impl EventKind {
    /// Whether there is nothing to be done any more.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Closed | Self::AlertResolved)
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Reopened => "reopened",
            Self::Closed => "closed",
            Self::AlertFiring => "alert_firing",
            Self::AlertResolved => "alert_resolved",
            Self::Feedback => "feedback",
        }
    }
}
