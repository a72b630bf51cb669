//! What is in a context bundle, and in the difference of two?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Degraded, LegScore, PathStep};
use super::record::{Kind, Relation, SectionKind, Span, State};

/// Context for one question or ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Bundle {
    /// Version of this JSON: `triagraph.bundle/1`.
    schema: String,
    /// Hash of what was asked and found.
    id: String,
    /// The question as it was searched for.
    question: String,
    /// Who may see it.
    audiences: Audiences,
    /// Kinds of records that its maker did not see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<Kind>,
    #[schema(format = DateTime)]
    as_of: Option<String>,
    /// Position of the log that all indexes showed.
    generation: u64,
    /// The embedder that took part.
    embedder: Option<String>,
    budget_tokens: u32,
    /// Tokens taken by the items' text.
    tokens: u32,
    /// The passages, best record first, handles `S1…Sn`.
    items: Vec<BundleItem>,
    /// What the graph knows, handles `F1…Fn`.
    facts: Vec<Fact>,
    /// What was found but is not here.
    left_out: Vec<LeftOut>,
    degraded: Vec<Degraded>,
    warnings: Vec<String>,
    language: Option<String>,
}

/// The audiences of the caller for whom a bundle was made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Audiences {
    /// Every record: the operator.
    All,
    /// Records with at least one of these audiences.
    Only(Vec<String>),
}

/// One cited passage.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BundleItem {
    handle: String,
    record: String,
    kind: Kind,
    title: String,
    /// Index of the section; null is the title.
    section: Option<u16>,
    section_kind: SectionKind,
    #[serde(default)]
    heading: String,
    span: Span,
    text: String,
    /// The ordered steps, as byte offsets in `text`.
    #[serde(default)]
    steps: Vec<Span>,
    tokens: u32,
    revision: String,
    position: u64,
    state: Option<State>,
    #[schema(format = DateTime)]
    created: Option<String>,
    #[schema(format = DateTime)]
    modified: Option<String>,
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    expired: bool,
    score: f64,
    legs: Vec<LegScore>,
    #[serde(default)]
    path: Vec<PathStep>,
    #[serde(default)]
    shared: Vec<String>,
    url: Option<String>,
}

/// Something the graph knows about the subject.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Fact {
    handle: String,
    kind: FactKind,
    subject: String,
    relation: Relation,
    object: String,
    text: String,
}

/// What sort of fact.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FactKind {
    Affected,
    Owner,
    DependsOn,
    NeededBy,
    RecentChange,
    OpenTicket,
    Problem,
}

/// A record that was found and is not in the bundle.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LeftOut {
    record: String,
    title: String,
    reason: LeftOutReason,
}

/// Why it is not.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeftOutReason {
    /// The token budget was used up.
    Budget,
    /// It says the same as an item word for word.
    Duplicate,
}

/// How two bundles differ.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BundleDifference {
    before: String,
    after: String,
    before_generation: u64,
    after_generation: u64,
    /// Whether the same passages of the same revisions stand in the same order.
    same: bool,
    /// Records only in the second.
    added: Vec<String>,
    /// Records only in the first.
    removed: Vec<String>,
    /// Records in both whose passages or revision changed.
    changed: Vec<Changed>,
}

/// A record that stands in both bundles, differently.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Changed {
    record: String,
    before: String,
    after: String,
}
