//! What is a record? The canonical shape of a ticket, article, runbook, configuration item, service, alert or team.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Audience, Link, RecordId};

/// Everything the desk knows about one thing of one source, whatever system it came from.
///
/// Mappings make records, the record log keeps them, and all indexes are derived from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `SOURCE:ID`.
    pub id: RecordId,
    /// What it is.
    pub kind: Kind,
    /// One line; never empty.
    pub title: String,
    /// The text, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
    /// What people and systems call it: number, key, `sys_id`, host name, alias. Links and text mentions are resolved by these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Typed relations to other records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Where a ticket is in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// 1 is highest, 5 lowest, as are impact and urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// How much is hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<u8>,
    /// How soon it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<u8>,
    /// Category, then sub-categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    /// When the source made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When the source last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// When a ticket was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Timestamp>,
    /// After this moment it is marked expired and is never the only evidence of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Who may see it; never empty.
    pub audience: Vec<Audience>,
    /// Where a person opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Fields that the mapping kept and nothing above names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Record {
    /// A record with nothing but its id, kind and title, for everybody at the desk.
    pub fn new(id: RecordId, kind: Kind, title: impl Into<String>) -> Self {
        Self {
            id,
            kind,
            title: title.into(),
            sections: Vec::new(),
            names: Vec::new(),
            links: Vec::new(),
            state: None,
            priority: None,
            impact: None,
            urgency: None,
            category: Vec::new(),
            created: None,
            modified: None,
            resolved: None,
            valid_until: None,
            audience: vec![Audience::staff()],
            url: None,
            attributes: BTreeMap::new(),
        }
    }

    /// The first section of a kind.
    pub fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind)
    }

    /// Whether its time has passed at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.valid_until.is_some_and(|until| until < now)
    }
}

/// What a record is. Ticket kinds follow ITIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An unplanned interruption.
    Incident,
    /// Something asked for.
    ServiceRequest,
    /// The cause of incidents.
    Problem,
    /// Something altered on purpose.
    Change,
    /// Knowledge in prose.
    Article,
    /// Knowledge in steps.
    Runbook,
    /// Something that is operated.
    ConfigurationItem,
    /// Something that users use.
    Service,
    /// A rule that fires.
    Alert,
    /// A group of people.
    Team,
    /// Somebody.
    Person,
    /// A statement that a source gives apart from both of its ends: its [`links`](Record::links) go out from the record that
    /// [`Kind::SUBJECT`] names.
    Relationship,
}

impl Kind {
    /// Every kind, in the order of the ontology.
    pub const ALL: [Self; 12] = [
        Self::Incident,
        Self::ServiceRequest,
        Self::Problem,
        Self::Change,
        Self::Article,
        Self::Runbook,
        Self::ConfigurationItem,
        Self::Service,
        Self::Alert,
        Self::Team,
        Self::Person,
        Self::Relationship,
    ];

    /// The attribute of a relationship that holds its subject: a record's id, or one of its names.
    pub const SUBJECT: &'static str = "subject";

    /// Incident, service request, problem or change.
    pub fn is_ticket(self) -> bool {
        matches!(self, Self::Incident | Self::ServiceRequest | Self::Problem | Self::Change)
    }

    /// Article or runbook.
    pub fn is_knowledge(self) -> bool {
        matches!(self, Self::Article | Self::Runbook)
    }

    /// The name in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::ServiceRequest => "service_request",
            Self::Problem => "problem",
            Self::Change => "change",
            Self::Article => "article",
            Self::Runbook => "runbook",
            Self::ConfigurationItem => "configuration_item",
            Self::Service => "service",
            Self::Alert => "alert",
            Self::Team => "team",
            Self::Person => "person",
            Self::Relationship => "relationship",
        }
    }
}

/// Where a ticket is in its life, whatever its source calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody works on it yet.
    Open,
    /// Somebody does.
    InProgress,
    /// Waiting.
    OnHold,
    /// Solved, not yet confirmed.
    Resolved,
    /// Done.
    Closed,
    /// Given up, with no solution.
    Cancelled,
}

impl State {
    /// Every state, in the order of a ticket's life.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::InProgress, Self::OnHold, Self::Resolved, Self::Closed, Self::Cancelled];

    /// Whether a solution was found.
    pub fn is_resolved(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }

    /// The name in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::OnHold => "on_hold",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A part of a record's text with one purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Its purpose.
    pub kind: SectionKind,
    /// The heading as the author wrote it; empty where the source has a field instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heading: String,
    /// Plain text; lines are kept, markup is not.
    pub text: String,
    /// The ordered steps inside `text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Span>,
    /// Who wrote it, for comments and notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was written, for comments and notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Timestamp>,
}

impl Section {
    /// A section without heading, steps or author.
    pub fn new(kind: SectionKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            heading: String::new(),
            text: text.into(),
            steps: Vec::new(),
            author: None,
            written: None,
        }
    }
}

/// The purpose of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// What it is about; a ticket's description.
    Description,
    /// What is seen.
    Symptom,
    /// Where: versions, hosts, set-up.
    Environment,
    /// Who is hit and how.
    Impact,
    /// How to find out more.
    Diagnosis,
    /// What to do, in order.
    Steps,
    /// Why it happens.
    RootCause,
    /// What solved it.
    Resolution,
    /// How to see that it is solved.
    Verification,
    /// Whom to call.
    Escalation,
    /// Internal note.
    WorkNote,
    /// Note that the caller sees.
    Comment,
    /// None of these.
    Other,
}

impl SectionKind {
    /// Every purpose.
    pub const ALL: [Self; 13] = [
        Self::Description,
        Self::Symptom,
        Self::Environment,
        Self::Impact,
        Self::Diagnosis,
        Self::Steps,
        Self::RootCause,
        Self::Resolution,
        Self::Verification,
        Self::Escalation,
        Self::WorkNote,
        Self::Comment,
        Self::Other,
    ];

    /// The name in JSON and in the graph.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Symptom => "symptom",
            Self::Environment => "environment",
            Self::Impact => "impact",
            Self::Diagnosis => "diagnosis",
            Self::Steps => "steps",
            Self::RootCause => "root_cause",
            Self::Resolution => "resolution",
            Self::Verification => "verification",
            Self::Escalation => "escalation",
            Self::WorkNote => "work_note",
            Self::Comment => "comment",
            Self::Other => "other",
        }
    }
}

/// A stretch of a section's text: UTF-8 byte offsets, the end not included, both on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The text it covers, or nothing when it does not fit `text`.
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start as usize..self.end as usize)
    }
}
