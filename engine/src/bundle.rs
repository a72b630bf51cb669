//! What does an agent need to know? A context bundle: cited passages and facts about a question or ticket, cut to a budget.
//!
//! A bundle's id hashes what was asked and what was found, not when: the same request on the same generation gives the
//! same id. `get` returns the stored bytes, `replay` asks again now and shows the difference.

mod choose;
mod facts;
mod identity;
mod make;
mod render;
mod replay;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ontology::{Audiences, Kind, Record, RecordId, Relation, SectionKind, Span, State};
use serde::{Deserialize, Serialize};

use crate::query::{Degraded, Filters, LegScore, PathStep};

pub(crate) use make::Asked;
pub use replay::{BundleDifference, Changed};

/// Version of the bundle's JSON. Fields are added within a version, never changed or taken away.
pub const BUNDLE_SCHEMA: &str = "triagraph.bundle/1";

/// What a bundle is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleRequest {
    /// What it is about.
    pub about: Subject,
    /// Which records may be in it.
    #[serde(default)]
    pub filters: Filters,
    /// Tokens that its passages may take together, 200 to 100,000.
    #[serde(default = "default_budget")]
    pub budget_tokens: u32,
    /// Records looked at, at most.
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// As of what was known at a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Milliseconds from the start; legs that are not ready by then are left out and named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_millis: Option<u64>,
    /// The log position that the answer must show at least; an older desk refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_generation: Option<u64>,
}

fn default_budget() -> u32 {
    3000
}

fn default_limit() -> usize {
    12
}

impl BundleRequest {
    /// A request with the usual budget.
    pub fn new(about: Subject) -> Self {
        Self {
            about,
            filters: Filters::default(),
            budget_tokens: default_budget(),
            limit: default_limit(),
            as_of: None,
            deadline_millis: None,
            minimum_generation: None,
        }
    }
}

/// What a bundle is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A question in words.
    Text(String),
    /// A record of the desk.
    Record(RecordId),
    /// A ticket that need not be in the desk.
    Ticket(Box<Record>),
}

impl Subject {
    /// The record that it is about, in the desk or not.
    pub(crate) fn record(&self) -> Option<&RecordId> {
        match self {
            Self::Text(_) => None,
            Self::Record(id) => Some(id),
            Self::Ticket(ticket) => Some(&ticket.id),
        }
    }
}

/// Context for one question or ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// [`BUNDLE_SCHEMA`].
    pub schema: String,
    /// Hash of what was asked and found.
    pub id: String,
    /// The question as it was searched for.
    pub question: String,
    /// Who may see it.
    pub audiences: Audiences,
    /// Kinds of records that its maker did not see.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<Kind>,
    /// As of which moment, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Position of the log that all indexes showed when this bundle was first made.
    pub generation: u64,
    /// The embedder that took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedder: Option<String>,
    /// Tokens allowed.
    pub budget_tokens: u32,
    /// Tokens taken by the items' text.
    pub tokens: u32,
    /// The passages, best record first, handles `S1…Sn`.
    pub items: Vec<BundleItem>,
    /// What the graph knows, handles `F1…Fn`.
    pub facts: Vec<Fact>,
    /// What was found but is not here.
    pub left_out: Vec<LeftOut>,
    /// Legs that did not take part.
    pub degraded: Vec<Degraded>,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// Language of the question, where it could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// One cited passage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleItem {
    /// `S1`, `S2`, …
    pub handle: String,
    /// The record it is from.
    pub record: RecordId,
    /// What that is.
    pub kind: Kind,
    /// The record's title.
    pub title: String,
    /// Index of the section; `None` is the title.
    pub section: Option<u16>,
    /// The section's purpose.
    pub section_kind: SectionKind,
    /// The section's heading.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heading: String,
    /// UTF-8 byte offsets in the section's text.
    pub span: Span,
    /// The text of the span.
    pub text: String,
    /// The ordered steps in it, as byte offsets in `text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Span>,
    /// Tokens of the text.
    pub tokens: u32,
    /// Revision by the source's own count.
    pub revision: String,
    /// Position in the log of that revision.
    pub position: u64,
    /// A ticket's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Whether that has passed; never the only evidence of an answer.
    pub expired: bool,
    /// Fused score of the record.
    pub score: f64,
    /// What each leg said of the record.
    pub legs: Vec<LegScore>,
    /// How the graph leg came to the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
    /// Identifiers and names shared with the question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
    /// Where a person opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Something the graph knows about the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// `F1`, `F2`, …
    pub handle: String,
    /// What sort of fact.
    pub kind: FactKind,
    /// The record it is about.
    pub subject: RecordId,
    /// How they hang together.
    pub relation: Relation,
    /// The other record.
    pub object: RecordId,
    /// The fact in words.
    pub text: String,
}

/// What sort of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// What is hit.
    Affected,
    /// Who answers for it.
    Owner,
    /// What it needs.
    DependsOn,
    /// What needs it.
    NeededBy,
    /// What was altered on it lately.
    RecentChange,
    /// What else is open on it.
    OpenTicket,
    /// The problem behind it.
    Problem,
}

/// A record that was found and is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The record.
    pub record: RecordId,
    /// Its title.
    pub title: String,
    /// Why it is not here.
    pub reason: LeftOutReason,
}

/// Why a record that was found is not in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// The token budget was used up.
    Budget,
    /// It says the same as an item word for word.
    Duplicate,
}

impl Bundle {
    /// Takes the text of a record out.
    pub(crate) fn erase(&mut self, id: &RecordId, instead: &str) {
        for item in self.items.iter_mut().filter(|item| item.record == *id) {
            instead.clone_into(&mut item.text);
            instead.clone_into(&mut item.title);
            item.heading.clear();
            item.steps.clear();
            item.shared.clear();
        }
        for left in self.left_out.iter_mut().filter(|left| left.record == *id) {
            instead.clone_into(&mut left.title);
        }
        for fact in self.facts.iter_mut().filter(|fact| fact.subject == *id || fact.object == *id) {
            instead.clone_into(&mut fact.text);
        }
    }
}
