//! What can be asked, and what comes back? Queries, hits and their explanations.
//!
//! The way of a query: [`analyse`] (identifiers, known names, language) → four [`legs`] → [`fusion`] → [`explain`].

mod analyse;
mod confidence;
mod cosines;
mod explain;
mod filter;
mod fusion;
mod legs;
mod search;

use std::time::Instant;

use jiff::Timestamp;
use ontology::{Kind, RecordId, Relation, SectionKind, Span, State};
use serde::{Deserialize, Serialize};

pub use confidence::Confidence;
pub(crate) use explain::passage;
pub(crate) use fusion::Fused;
pub(crate) use legs::{Bounds, Edge, around, neighbours};
pub(crate) use search::{Answer, rank, search};

/// Most hits that one query may ask for.
pub const HITS_LIMIT: usize = 1000;

/// Longest query text in bytes; longer text is cut there and the result says so.
pub const QUERY_LIMIT_BYTES: usize = 64 * 1024;

/// One question.
#[derive(Debug, Clone)]
pub struct Query {
    /// Plain text: a few words, an error message, a whole ticket. Never query syntax.
    pub text: String,
    /// Which records may answer.
    pub filters: Filters,
    /// How many hits, 1 to [`HITS_LIMIT`].
    pub limit: usize,
    /// Which legs run; all by default.
    pub legs: Vec<Leg>,
    /// Records the question is about (a ticket's configuration item, its service): seeds of the graph leg.
    pub about: Vec<RecordId>,
    /// Records that are left out, such as the ticket itself.
    pub exclude: Vec<RecordId>,
    /// Answer as of what was known at a moment.
    pub as_of: Option<Timestamp>,
    /// Legs that are not ready by then are left out and named in [`Hits::degraded`].
    pub deadline: Option<Instant>,
    /// The current time, to mark what is expired.
    pub now: Timestamp,
}

impl Query {
    /// Ten hits of any kind for a text, by all legs.
    pub fn new(text: impl Into<String>, now: Timestamp) -> Self {
        Self {
            text: text.into(),
            filters: Filters::default(),
            limit: 10,
            legs: Leg::ALL.to_vec(),
            about: Vec::new(),
            exclude: Vec::new(),
            as_of: None,
            deadline: None,
            now,
        }
    }

    /// The moment that the answer is of.
    pub(crate) fn moment(&self) -> Timestamp {
        self.as_of.unwrap_or(self.now)
    }
}

/// Which records may answer. Empty lists and `None` admit everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filters {
    /// One of these records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordId>,
    /// One of these kinds.
    pub kinds: Vec<Kind>,
    /// One of these states.
    pub states: Vec<State>,
    /// Linked to, or named like, this service.
    pub service: Option<String>,
    /// Linked to, or named like, this configuration item.
    pub configuration_item: Option<String>,
    /// Created at or after this moment.
    pub created_from: Option<Timestamp>,
    /// Created before this moment.
    pub created_until: Option<Timestamp>,
    /// Only tickets with a solution (and records that are no tickets, unless `kinds` says otherwise).
    pub resolved_only: bool,
}

/// One way of finding records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// The same ticket number, error code, host or other identifier.
    Identifier,
    /// The same words (BM25).
    Lexical,
    /// A similar meaning (embeddings).
    Dense,
    /// A short way through the graph.
    Graph,
}

impl Leg {
    /// Every leg.
    pub const ALL: [Self; 4] = [Self::Identifier, Self::Lexical, Self::Dense, Self::Graph];

    /// The name in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Lexical => "lexical",
            Self::Dense => "dense",
            Self::Graph => "graph",
        }
    }
}

/// The answer to a [`Query`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hits {
    /// Best first; ties by record id. The first k are the same whatever limit was asked for.
    pub hits: Vec<Hit>,
    /// How likely the first one is right; nothing where a text leg did not run, or fewer than 20 records were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Position of the log that all indexes showed.
    pub generation: u64,
    /// Identifiers and known names found in the question.
    pub entities: Vec<Entity>,
    /// ISO 639 code of the question's language, where it could be told.
    pub language: Option<String>,
    /// Legs that did not take part, and why.
    pub degraded: Vec<Degraded>,
    /// What the caller should know about this answer.
    pub warnings: Vec<String>,
}

/// A leg that did not take part in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// Which one.
    pub leg: Leg,
    /// Why.
    pub reason: String,
}

/// An identifier or a known name in the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// As it stands in the question.
    pub text: String,
    /// What it looks like: `ticket_number`, `host`, `error_code`, `name`, …
    pub scheme: String,
    /// The records that are called so.
    pub records: Vec<RecordId>,
}

/// One record that answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The record.
    pub record: RecordId,
    /// What it is.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// Fused score, comparable within one answer only.
    pub score: f64,
    /// What each leg said of it.
    pub legs: Vec<LegScore>,
    /// How the graph leg came to it, from a seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
    /// The query's words found in it, strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
    /// Identifiers and names that it shares with the question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
    /// The stretch of its text that fits best.
    pub passage: Option<Passage>,
    /// Revision by the source's own count.
    pub revision: String,
    /// Position in the log of the revision shown.
    pub position: u64,
    /// A ticket's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// When the source made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When the source last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Whether that has passed.
    pub expired: bool,
    /// Where a person opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What one leg said of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LegScore {
    /// Which leg.
    pub leg: Leg,
    /// The leg's own score: BM25, cosine, summed rarity of identifiers, graph mass.
    pub raw: f64,
    /// The same between 0 and 1 within this answer.
    pub normalised: f64,
    /// How much the leg counted; the fused score is the sum of `normalised × weight`.
    pub weight: f64,
}

/// One step through the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStep {
    /// Where the step starts.
    pub from: RecordId,
    /// The relation walked.
    pub relation: Relation,
    /// Whether it was walked against its direction.
    pub reversed: bool,
    /// Where it ends.
    pub to: RecordId,
}

/// A stretch of a record's section: what is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Index of the section in the record; `None` is the title.
    pub section: Option<u16>,
    /// The section's purpose.
    pub kind: SectionKind,
    /// Its heading, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heading: String,
    /// UTF-8 byte offsets in the section's text.
    pub span: Span,
    /// The text of the span.
    pub text: String,
}
