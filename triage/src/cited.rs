//! What is an answer? Sentences part by part, each with the handles of its sources, and the sources.

use jiff::Timestamp;
use ontology::{Kind, RecordId, SectionKind, Span};
use serde::{Deserialize, Serialize};

/// An answer made of cited sentences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// `extractive`, or the id of the language model that worded it.
    pub by: String,
    /// What the graph knows of what is hit: open tickets, problems, recent changes.
    pub known: Vec<Claim>,
    /// When the page holds: to be compared with the ticket.
    pub compare: Vec<Claim>,
    /// Why it most likely happens.
    pub likely_cause: Vec<Claim>,
    /// What to look at before anything is changed, in order.
    pub check_first: Vec<Claim>,
    /// What to do, in order.
    pub what_to_do: Vec<Claim>,
    /// How to see that it is solved.
    pub verification: Vec<Claim>,
    /// Whom to call otherwise.
    pub escalation: Vec<Claim>,
    /// What else fits the ticket: a look-alike, a second matter, or the page that tells what the leading ticket tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
    /// What like tickets, their problems and changes tell beside it.
    pub earlier: Vec<Earlier>,
    /// The solved ticket whose cause and solution the answer tells where no page does: names and numbers in it are its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precedent: Option<RecordId>,
    /// What is cited, by handle.
    pub sources: Vec<Source>,
    /// Sentences of a language model that were taken out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
}

impl Answer {
    /// Every claim, in reading order.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.claims);
        [
            &self.known,
            &self.compare,
            &self.likely_cause,
            &self.check_first,
            &self.what_to_do,
            &self.verification,
            &self.escalation,
        ]
        .into_iter()
        .flatten()
        .chain(self.otherwise.iter().flat_map(Otherwise::claims))
        .chain(earlier)
    }
}

/// Another page or solved ticket that fits the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Otherwise {
    /// The record.
    pub record: RecordId,
    /// What it is.
    pub kind: Kind,
    /// Its title, with what is another person's taken out.
    pub title: String,
    /// When it holds: to be compared with the ticket.
    pub compare: Vec<Claim>,
    /// Why it happens then.
    pub likely_cause: Vec<Claim>,
    /// What to do then, in order.
    pub what_to_do: Vec<Claim>,
}

impl Otherwise {
    fn claims(&self) -> impl Iterator<Item = &Claim> {
        [&self.compare, &self.likely_cause, &self.what_to_do].into_iter().flatten()
    }
}

/// What an earlier record tells: how a ticket was solved, what a problem or change is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The record.
    pub record: RecordId,
    /// What it is.
    pub kind: Kind,
    /// Its sentences; names and numbers in them are its own.
    pub claims: Vec<Claim>,
}

/// One sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The sentence.
    pub text: String,
    /// Handles of the sources that say so.
    pub handles: Vec<String>,
    /// Where an extractive sentence stands: byte offsets in the text of its source. What is another person's is a
    /// placeholder in `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// A source of an answer: a passage of a record, or a fact of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// `S1…` for passages, `F1…` for facts.
    pub handle: String,
    /// The bundle that holds it.
    pub bundle: String,
    /// Its handle in that bundle.
    pub bundle_handle: String,
    /// The record.
    pub record: RecordId,
    /// What that is.
    pub kind: Kind,
    /// Its title; of a fact its words.
    pub title: String,
    /// Index of the section in the record; `None` for the title and for facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<u16>,
    /// The section's purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_kind: Option<SectionKind>,
    /// UTF-8 byte offsets in the section's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Position in the log of the revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// When it was last changed, or made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Whether its time has passed.
    pub expired: bool,
    /// Where a person opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A sentence that was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The sentence.
    pub text: String,
    /// Why it is not in the answer.
    pub reason: String,
}
