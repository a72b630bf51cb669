//! What did people do, one by one? A line for each, with its texts redacted: a set to measure agents and models by.

use engine::{Desk, DeskError};
use jiff::Timestamp;
use models::{KnownName, NameKind, RedactionPolicy, Redactor};
use ontology::{RecordId, Scope};
use serde::{Deserialize, Serialize};

use super::{FEEDBACK, Feedback, Ruled, Settled};
use crate::policy::{Deed, PersonId};

/// Items that are read together.
const PAGE: u32 = 500;

/// One feedback, as it may leave the desk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedbackLine {
    /// Its key, by which lines are in order.
    pub key: String,
    /// The ticket.
    pub ticket: RecordId,
    /// The proposal, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// What was to be done.
    pub deed: Deed,
    /// What people did.
    pub ruling: Ruled,
    /// Share of the words that they changed, 0 to 1.
    pub edited_share: f64,
    /// Why, redacted.
    pub reason: String,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The system that told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The ticket's category, as the agent saw it.
    pub category: Vec<String>,
    /// How strong the agent's evidence was, in thousandths.
    pub strength: u16,
    /// Models that counted, or who worded the answer.
    pub made_by: Vec<String>,
    /// What people decided, against what the agents had.
    pub settled: Vec<Settled>,
    /// A reply as the agents worded it, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// As it was sent, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
}

impl FeedbackLine {
    /// Lines behind a key, in order, as many as `limit` at most. Who is hidden beside what the rules find: everybody the scope's records name.
    ///
    /// # Errors
    /// When the desk or its store cannot be read.
    pub fn read(desk: &Desk, scope: &Scope, after: &str, limit: u32) -> Result<Vec<Self>, DeskError> {
        let items = desk.store().items(FEEDBACK, None, after, limit)?;
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let people = desk.people(scope)?.into_iter().map(|name| KnownName { name, kind: NameKind::Person });
        let policy = RedactionPolicy { people: true, ..RedactionPolicy::default() };
        let redactor = Redactor::new(&policy, &people.collect::<Vec<_>>());
        let read = |item: &engine::Item| {
            let feedback = serde_json::from_slice(&item.body).ok()?;
            Some(Self::of(item.key.clone(), feedback, &redactor))
        };
        Ok(items.iter().filter_map(read).collect())
    }

    /// All lines, one after the other; how many.
    ///
    /// # Errors
    /// When the desk or its store cannot be read, or `look` says so.
    pub fn each<E: From<DeskError>>(
        desk: &Desk,
        scope: &Scope,
        look: &mut dyn FnMut(&Self) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (mut after, mut count) = (String::new(), 0);
        loop {
            // Also a page of purged lines only has a last key.
            let items = desk.store().items(FEEDBACK, None, &after, PAGE).map_err(DeskError::from)?;
            let Some(last) = items.last() else { return Ok(count) };
            for line in Self::read(desk, scope, &after, PAGE)? {
                look(&line)?;
                count += 1;
            }
            after.clone_from(&last.key);
        }
    }

    fn of(key: String, feedback: Feedback, redactor: &Redactor) -> Self {
        let hidden = |text: String| redactor.redact(&text).text().to_owned();
        let filled = |text: String| (!text.is_empty()).then_some(text);
        Self {
            key,
            ticket: feedback.ticket,
            proposal: filled(feedback.proposal),
            deed: feedback.deed,
            ruling: feedback.ruling,
            edited_share: feedback.edited_share,
            reason: hidden(feedback.reason),
            by: feedback.by,
            at: feedback.at,
            source: filled(feedback.source),
            category: feedback.category,
            strength: feedback.strength,
            made_by: feedback.made_by,
            settled: feedback.settled,
            draft: feedback.draft.map(hidden),
            sent: feedback.sent.map(hidden),
        }
    }
}
