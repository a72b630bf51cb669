//! What comes back from search and from a look at records? Hits and their explanations, neighbours, lineage, counts, reports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::{Kind, Leg, Record, Relation, SectionKind, Span, State};

/// The answer to a search.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Hits {
    /// Best first; ties by record id.
    hits: Vec<Hit>,
    /// How likely the first one is right; nothing where a text leg did not run, or fewer than 20 records were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
    /// Position of the log that all indexes showed.
    generation: u64,
    /// Identifiers and known names found in the question.
    entities: Vec<Entity>,
    /// ISO 639 code of the question's language, where it could be told.
    language: Option<String>,
    /// Legs that did not take part, and why.
    degraded: Vec<Degraded>,
    /// What the caller should know about this answer.
    warnings: Vec<String>,
}

/// What speaks for the first hit, and the chance that it is right.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Confidence {
    /// The chance that the first hit answers the question, 0 to 1.
    chance: f64,
    /// How far the first hit's scaled text scores lie above those of the second.
    over_second: f64,
    /// The same, above the fifth.
    over_fifth: f64,
    /// BM25 of the record that is nearest in meaning, as a share of the best.
    agreement: f64,
    /// The best BM25 as a share of what a record with all words that the desk knows could have.
    words: f64,
    /// The best cosine.
    cosine: f64,
}

/// A leg that did not take part in an answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Degraded {
    leg: Leg,
    reason: String,
}

/// An identifier or a known name in the question.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Entity {
    /// As it stands in the question.
    text: String,
    /// What it looks like: `ticket_number`, `host`, `error_code`, `name`, …
    scheme: String,
    /// The records that are called so.
    records: Vec<String>,
}

/// One record that answers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Hit {
    record: String,
    kind: Kind,
    title: String,
    /// Fused score, comparable within one answer only.
    score: f64,
    /// What each leg said of it.
    legs: Vec<LegScore>,
    /// How the graph leg came to it.
    #[serde(default)]
    path: Vec<PathStep>,
    /// The question's words found in it, strongest first.
    #[serde(default)]
    terms: Vec<String>,
    /// Identifiers and names that it shares with the question.
    #[serde(default)]
    shared: Vec<String>,
    /// The stretch of its text that fits best.
    passage: Option<Passage>,
    revision: String,
    /// Position in the log of the revision shown.
    position: u64,
    state: Option<State>,
    #[schema(format = DateTime)]
    created: Option<String>,
    #[schema(format = DateTime)]
    modified: Option<String>,
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    expired: bool,
    url: Option<String>,
}

/// What one leg said of a record.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LegScore {
    leg: Leg,
    /// The leg's own score.
    raw: f64,
    /// The same between 0 and 1 within this answer.
    normalised: f64,
    /// How much the leg counted.
    weight: f64,
}

/// One step through the graph.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PathStep {
    from: String,
    relation: Relation,
    /// Whether it was walked against its direction.
    reversed: bool,
    to: String,
}

/// A stretch of a record's section: what is cited.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Passage {
    /// Index of the section in the record; null is the title.
    section: Option<u16>,
    kind: SectionKind,
    #[serde(default)]
    heading: String,
    span: Span,
    text: String,
}

/// Related tickets.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Related {
    /// Best first.
    tickets: Vec<RelatedTicket>,
    generation: u64,
    degraded: Vec<Degraded>,
    warnings: Vec<String>,
}

/// One related ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RelatedTicket {
    #[serde(flatten)]
    hit: Hit,
    /// Why it is related, strongest first.
    reasons: Vec<Reason>,
}

/// Why a ticket is related.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub(crate) enum Reason {
    /// A source says so.
    Linked { relation: Relation },
    /// Both concern the same configuration items or services.
    SharedItem { items: Vec<String> },
    /// Both carry the same identifiers.
    SharedIdentifier { identifiers: Vec<String> },
    /// The texts mean much the same.
    SimilarSymptom { cosine: f64 },
    /// Both were solved by, or belong to, the same records.
    SameResolution { records: Vec<String> },
}

/// What stands around a record.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Neighbours {
    record: String,
    /// Each relation to or from it.
    edges: Vec<PathStep>,
    generation: u64,
    /// Whether there are more.
    truncated: bool,
}

/// A record with its revision and where it came from.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Observation {
    record: Record,
    revision: String,
    lineage: Lineage,
}

/// From which file or call a revision came.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Lineage {
    origin: String,
    place: Option<Place>,
    mapping: String,
    #[schema(format = DateTime)]
    observed: String,
}

/// A place inside an origin, counted from 1.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Line(u64),
    Row(u64),
    Item(u64),
}

/// What is in a desk.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Status {
    tenant: String,
    /// Position of the log that readers saw when this was counted.
    generation: u64,
    /// Whether every index showed the end of the log.
    ready: bool,
    /// Records by kind.
    records: BTreeMap<String, u64>,
    passages: u64,
    quads: u64,
    /// Links that lead to no record yet.
    pending_links: u64,
    quarantined: u64,
    /// The embedder of the index; `none` without one.
    embedder: String,
}

/// What a verification found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Verification {
    generation: u64,
    revisions: u64,
    passages: u64,
    graphs: u64,
    /// What is wrong; empty when all is well.
    problems: Vec<Finding>,
}

/// Something that is not as the log says.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Finding {
    /// `log`, `text`, `vectors` or `graph`.
    part: String,
    detail: String,
    remedy: String,
}

/// What a knowledge manager should look at.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct KnowledgeReport {
    /// Articles and runbooks looked at.
    pages: u64,
    stale: Vec<StalePage>,
    never_cited: Vec<PageRef>,
    near_duplicates: Vec<PagePair>,
    contradictions: Vec<PagePair>,
    alerts_without_runbook: Vec<PageRef>,
    warnings: Vec<String>,
}

/// A record by id and title.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PageRef {
    record: String,
    title: String,
}

/// A page whose time is over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StalePage {
    #[serde(flatten)]
    page: PageRef,
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    #[schema(format = DateTime)]
    modified: Option<String>,
}

/// Two pages and how they hang together.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PagePair {
    first: PageRef,
    second: PageRef,
    /// `near-duplicate`, `supersedes` or `contradicts`.
    relation: String,
    /// Share of passages alike, for near-duplicates.
    share: Option<f64>,
}
