//! What comes out of a triage?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Degraded, Reason};
use super::record::{Kind, SectionKind, Span, State};

/// What the agent makes of a ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Triage {
    /// Version of this JSON: `triagraph.triage/1`.
    schema: String,
    /// The ticket's id.
    ticket: String,
    title: String,
    #[schema(format = DateTime)]
    triaged: String,
    outcome: TriageOutcome,
    /// Category, then sub-category.
    category: Decision<Option<Vec<String>>>,
    /// 1 is highest, 5 lowest.
    priority: Decision<Option<u8>>,
    /// Who should work on it.
    team: Decision<Option<String>>,
    page: Option<PageChoice>,
    /// Earlier tickets like this one, best first.
    related: Vec<RelatedLine>,
    /// What is hit.
    affected: Vec<Affected>,
    /// What was changed shortly before, on what is hit or what that rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<super::coming::ChangeBefore>,
    /// Nothing when the ticket is handed over.
    answer: Option<Answer>,
    strength: Strength,
    /// The bundles that were read: tickets and facts first, then knowledge.
    bundles: Vec<BundleRef>,
    warnings: Vec<String>,
    degraded: Vec<Degraded>,
    /// What the desk's own models say, whether or not it counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    opinions: Vec<Opinion>,
    /// How a language model did, where one was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// Each question to a language model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<ModelCall>,
    /// What was done, in order.
    steps: Vec<StepTrace>,
}

/// One question to a language model: names and numbers, and no word of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelCall {
    /// The model.
    model: String,
    /// What the prompt was made by: instructions and limits, as a digest.
    prompt: String,
    /// `answered`, or the code of the error.
    outcome: String,
    /// How long it took.
    millis: u64,
    /// Tokens of the prompt, where the model says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt_tokens: Option<u64>,
    /// Tokens of the answer, where the model says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    completion_tokens: Option<u64>,
    /// Sentences of it that their sources bear out.
    kept: u32,
    /// Sentences that were taken out.
    dropped: u32,
}

/// What one of the desk's own models says of a ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Opinion {
    /// `category`, `priority` or `team`.
    task: String,
    version: u32,
    /// SHA-256 of the model, in hex.
    digest: String,
    label: String,
    /// 0 to 1.
    probability: f64,
    is_sure: bool,
    /// Whether it may decide: in force, or a canary that this ticket falls to, and sure.
    counts: bool,
    /// The words of the ticket that spoke for it, strongest first.
    words: Vec<String>,
    /// How many tickets it learnt from.
    tickets: u64,
    /// Words of the ticket that it read.
    read: u64,
}

/// Whether there is an answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum TriageOutcome {
    /// There is one.
    Answered,
    /// A person has to look.
    HandedOver { reason: String },
}

/// One decision, with how sure it is and what spoke for it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Decision<T> {
    /// Nothing when the evidence gives none.
    value: T,
    /// 0 to 1.
    confidence: f64,
    /// What spoke for it, in words, strongest first.
    why: Vec<String>,
    /// The records that spoke for it.
    evidence: Vec<String>,
}

/// The runbook or article to work by.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PageChoice {
    record: String,
    kind: Kind,
    title: String,
    /// 0 to 1.
    confidence: f64,
    why: Vec<String>,
    expired: bool,
    url: Option<String>,
}

/// An earlier ticket like this one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RelatedLine {
    record: String,
    kind: Kind,
    title: String,
    state: Option<State>,
    #[schema(format = DateTime)]
    created: Option<String>,
    /// Its weight in the votes, 0 to 1.
    weight: f64,
    reasons: Vec<Reason>,
}

/// A configuration item or service that is hit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Affected {
    record: String,
    name: String,
    /// Who answers for it.
    owner: Option<String>,
}

/// An answer made of cited sentences.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Answer {
    /// `extractive`, or the language model that worded it.
    by: String,
    known: Vec<Claim>,
    likely_cause: Vec<Claim>,
    /// In order.
    check_first: Vec<Claim>,
    /// In order.
    what_to_do: Vec<Claim>,
    verification: Vec<Claim>,
    escalation: Vec<Claim>,
    /// When the page holds: to be compared with the ticket.
    compare: Vec<Claim>,
    /// What else fits the ticket: a look-alike, a second matter, or the page that tells what the leading ticket tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<Otherwise>,
    /// What like tickets, their problems and changes tell beside it.
    earlier: Vec<Earlier>,
    /// The solved ticket whose cause and solution the answer tells where no page does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    precedent: Option<String>,
    /// What is cited, by handle.
    sources: Vec<Source>,
    /// Sentences of a language model that were taken out.
    #[serde(default)]
    dropped: Vec<Dropped>,
}

/// Another page or solved ticket that fits the ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Otherwise {
    record: String,
    kind: Kind,
    title: String,
    /// When it holds: to be compared with the ticket.
    compare: Vec<Claim>,
    likely_cause: Vec<Claim>,
    /// In order.
    what_to_do: Vec<Claim>,
}

/// What an earlier record tells; names and numbers in it are its own.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Earlier {
    record: String,
    kind: Kind,
    claims: Vec<Claim>,
}

/// One sentence of an answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Claim {
    text: String,
    /// Handles of the sources that say so.
    handles: Vec<String>,
    /// Where it stands in the text of its source, when it was taken from there.
    span: Option<Span>,
}

/// A passage of a record, or a fact of the graph.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Source {
    /// `S1…` for passages, `F1…` for facts.
    handle: String,
    /// The bundle that holds it, and its handle there.
    bundle: String,
    bundle_handle: String,
    record: String,
    kind: Kind,
    title: String,
    section: Option<u16>,
    section_kind: Option<SectionKind>,
    span: Option<Span>,
    position: Option<u64>,
    #[schema(format = DateTime)]
    date: Option<String>,
    expired: bool,
    url: Option<String>,
}

/// A sentence that was taken out, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Dropped {
    text: String,
    reason: String,
}

/// How good the evidence is; each number is between 0 and 1.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Strength {
    /// Cosine of the nearest passage.
    cosine: Option<f64>,
    /// Share of the ticket's words that page and tickets have.
    coverage: f64,
    agreement: f64,
    margin: f64,
    /// All in one.
    score: f64,
}

/// A bundle that was read, and the log position that it shows.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BundleRef {
    id: String,
    generation: u64,
}

/// One step of the agent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StepTrace {
    /// `received`, `redacted`, `enriched`, `classified`, `context`, `answered`, `handed_over`.
    step: String,
    /// What it used.
    used: String,
    /// What it found, or why it went that way.
    why: String,
}
