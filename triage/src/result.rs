//! What comes out of a triage? The decisions, the answer and its sources, and the trace of how they came about.

use engine::{Degraded, Reason};
use jiff::Timestamp;
use ontology::{Kind, RecordId, State};
use serde::{Deserialize, Serialize};

use crate::changed::ChangeBefore;
use crate::cited::Answer;
use crate::learned::Opinion;
use crate::vault::Withheld;

/// Version of the triage's JSON. Fields are added within a version, never changed or taken away.
pub const TRIAGE_SCHEMA: &str = "triagraph.triage/1";

/// What the agent makes of a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Triage {
    /// [`TRIAGE_SCHEMA`].
    pub schema: String,
    /// The ticket.
    pub ticket: RecordId,
    /// Its title.
    pub title: String,
    /// When it was triaged.
    pub triaged: Timestamp,
    /// Whether there is an answer.
    pub outcome: Outcome,
    /// Category, then sub-category.
    pub category: Decision<Vec<String>>,
    /// 1 is highest, 5 lowest.
    pub priority: Decision<u8>,
    /// Who should work on it.
    pub team: Decision<String>,
    /// The page to work by.
    pub page: Option<PageChoice>,
    /// Earlier tickets like this one, best first.
    pub related: Vec<RelatedLine>,
    /// What is hit.
    pub affected: Vec<Affected>,
    /// What was changed shortly before, on what is hit or what that rests on, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeBefore>,
    /// The cited answer; nothing when the ticket is handed over.
    pub answer: Option<Answer>,
    /// How good the evidence is, and by which features that was told.
    pub strength: Strength,
    /// The bundles that were read: tickets and facts first, then knowledge.
    pub bundles: Vec<BundleRef>,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// Legs of the search that did not take part.
    pub degraded: Vec<Degraded>,
    /// What the desk's own models say, whether or not it counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<Opinion>,
    /// How a language model did, where one was asked: no reason to beware, and nothing that a policy counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Each question to a language model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ModelCall>,
    /// What was done, in order, each with what it used and why.
    pub steps: Vec<StepTrace>,
    /// What stands behind the placeholders in all of this. It goes into the vault, and into no JSON.
    #[serde(skip)]
    pub withheld: Withheld,
}

/// One question to a language model: names and numbers, and no word of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCall {
    /// The model.
    pub model: String,
    /// What the prompt was made by: instructions and limits, as a digest.
    pub prompt: String,
    /// `answered`, or the code of the error.
    pub outcome: String,
    /// How long it took.
    pub millis: u64,
    /// Tokens of the prompt, where the model says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, where the model says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Sentences of it that their sources bear out.
    pub kept: u32,
    /// Sentences that were taken out.
    pub dropped: u32,
}

/// Whether there is an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// There is one.
    Answered,
    /// A person has to look.
    HandedOver {
        /// Why.
        reason: String,
    },
}

/// One decision, with how sure it is and what spoke for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision<T> {
    /// The value; nothing when the evidence gives none.
    pub value: Option<T>,
    /// 0 to 1.
    pub confidence: f64,
    /// What spoke for it, in words, strongest first.
    pub why: Vec<String>,
    /// The records that spoke for it.
    pub evidence: Vec<RecordId>,
}

impl<T> Decision<T> {
    pub(crate) fn none(why: impl Into<String>) -> Self {
        Self { value: None, confidence: 0.0, why: vec![why.into()], evidence: Vec::new() }
    }
}

/// A runbook or article, and why that one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageChoice {
    /// The page.
    pub record: RecordId,
    /// Article or runbook.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// 0 to 1.
    pub confidence: f64,
    /// What spoke for it, in words.
    pub why: Vec<String>,
    /// Whether its time has passed.
    pub expired: bool,
    /// Where a person opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// An earlier ticket like this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelatedLine {
    /// The ticket.
    pub record: RecordId,
    /// What it is.
    pub kind: Kind,
    /// Its title, with what is another person's taken out.
    pub title: String,
    /// Where it is in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Its weight in the votes, 0 to 1.
    pub weight: f64,
    /// Why it is related.
    pub reasons: Vec<Reason>,
}

/// A configuration item or service that is hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The item.
    pub record: RecordId,
    /// Its name.
    pub name: String,
    /// Who answers for it, where the graph knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// How good the evidence is. Each feature is between 0 and 1; see [`crate::triage`] for how they are used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Cosine of the nearest passage of any ticket or page; nothing without an embedder.
    pub cosine: Option<f64>,
    /// Share of the ticket's words, rare ones counting more, that the chosen page and the nearest tickets have.
    pub coverage: f64,
    /// Weight of solved tickets that stand behind the chosen page or behind one another.
    pub agreement: f64,
    /// How far the best page is ahead of the next.
    pub margin: f64,
    /// All in one, 0 to 1.
    pub score: f64,
}

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleRef {
    /// Its id.
    pub id: String,
    /// Position of the log that it shows.
    pub generation: u64,
}

/// One step of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTrace {
    /// `received`, `redacted`, `enriched`, `limited` (what an agent may not read), `classified`, `context`, `drafted`, `checked`, `answered`,
    /// `handed_over`; `runbook` where the leading one has steps for a machine.
    pub step: String,
    /// What it used: bundle, model, policy.
    pub used: String,
    /// What it found, or why it went that way.
    pub why: String,
}
