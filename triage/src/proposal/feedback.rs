//! What did people do with a proposal? Kept for each ruling: what agents are measured by, and models learn from.

use engine::{Batch, Item};
use jiff::Timestamp;
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use super::edited::edited_share;
use super::{Arguments, Judgement, Proposal};
use crate::policy::{Action, Deed, PersonId};
use crate::workflow::{self, WorkflowError};

/// What people did with a proposal: what agents are measured by, and models learn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// The proposal.
    pub proposal: String,
    /// Its ticket.
    pub ticket: RecordId,
    /// What was to be done.
    pub deed: Deed,
    /// `approve`, `edit`, `reject`.
    pub ruling: Action,
    /// Share of the words that people changed, 0 to 1.
    pub edited_share: f64,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The ticket's category, as the agent saw it.
    pub category: Vec<String>,
    /// How strong the agent's evidence was, in thousandths.
    pub strength: u16,
}

impl Proposal {
    /// Keeps what somebody did with it.
    pub(super) fn keep_feedback(
        &self,
        batch: &mut Batch<'_>,
        judgement: &Judgement,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let before = batch.items_about("feedback", &self.bound.ticket)?.len();
        let feedback = Feedback {
            proposal: self.id.clone(),
            ticket: self.bound.ticket.clone(),
            deed: self.bound.arguments.deed(),
            ruling: judgement.action(),
            edited_share: self.edited_share(),
            reason: judgement.reason.clone(),
            by: judgement.by.clone(),
            at: now,
            category: self.facts.categories.clone(),
            strength: self.facts.strength.get(),
        };
        Ok(batch.put(&Item {
            collection: "feedback".to_owned(),
            key: format!("{}#{:06}", self.bound.ticket, before + 1),
            state: judgement.action().as_str().to_owned(),
            due: None,
            record: Some(self.bound.ticket.clone()),
            body: workflow::written(&feedback)?,
        })?)
    }

    /// How far people moved it from what the agent made.
    fn edited_share(&self) -> f64 {
        let first = self.first.as_ref().unwrap_or(&self.bound.arguments);
        edited_share(&first.words(), &self.bound.arguments.words())
    }
}

impl Arguments {
    /// The words of it, to see how much was changed.
    fn words(&self) -> String {
        match self {
            Self::Route(route) => {
                let priority = route.priority.map(|priority| priority.to_string());
                let parts = route.category.iter().chain(&priority).chain(&route.team);
                parts.cloned().collect::<Vec<_>>().join(" ")
            }
            Self::Reply(reply) => reply.text.clone(),
            Self::Declare(declare) => {
                let members = declare.members.iter().map(|member| member.as_str().to_owned());
                declare.cause.iter().cloned().chain(members).collect::<Vec<_>>().join(" ")
            }
        }
    }
}
