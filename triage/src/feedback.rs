//! What did people do with the desk's work? They rule on proposals here, put their own in its place, or another system tells what they did.
//! All of it is kept as feedback: what agents are measured by, and models learn from.
//!
//! | where it comes from | kept by |
//! | --- | --- |
//! | a ruling on a proposal | `proposal/feedback.rs` |
//! | an override of a ticket | `workflow/overrule.rs` |
//! | an event `triagraph.feedback` | `feedback/take.rs` |
//!
//! `learn.rs` gives what people decided to whoever learns from tickets, `shares.rs` how often work was used as it was, changed or refused, and
//! `lines.rs` the single ones, redacted.

mod learn;
mod lines;
mod shares;
mod take;
mod told;

use engine::{Batch, Item};
use jiff::Timestamp;
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use crate::learned::{self, Task};
use crate::policy::{Deed, PersonId};
use crate::proposal::Route;
use crate::result::Triage;
use crate::workflow::{self, Said, WorkflowError};

pub(crate) use learn::{decided, each};
pub use lines::FeedbackLine;
pub use shares::{FeedbackShare, feedback_shares};
pub(crate) use take::{Taken, take};
pub use told::{Did, Told};

/// The collection of what people did.
pub(crate) const FEEDBACK: &str = "feedback";

/// What people did with something that agents made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// The proposal; empty where it is about what agents did alone, or about the ticket.
    pub proposal: String,
    /// Its ticket.
    pub ticket: RecordId,
    /// What was to be done.
    pub deed: Deed,
    /// What they did.
    pub ruling: Ruled,
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
    /// The system that told it; empty where it was done here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What made it: the desk's own models that counted, and who worded the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_by: Vec<String>,
    /// What people decided, against what the agents had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// A reply as the agents worded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// The reply that was sent, where people worded it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
}

/// What people did: the first four here, the others told by another system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruled {
    /// They let it be done.
    Approve,
    /// They changed it.
    Edit,
    /// They refused it.
    Reject,
    /// They put their own in its place.
    Override,
    /// They used it as it was.
    Used,
    /// They used it otherwise than it was.
    Edited,
    /// They did not use it.
    Rejected,
    /// It helped.
    Helpful,
    /// It did not help.
    Unhelpful,
    /// Category, priority or team were others.
    Corrected,
}

/// What people decided of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Of what.
    pub task: Task,
    /// What the agents had; nothing where they had nothing, or a person had decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What the person decided.
    pub person: String,
    /// What the ticket's source said by then: where it says something else later, it is the source's word that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Ruled {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::Override => "override",
            Self::Used => "used",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::Helpful => "helpful",
            Self::Unhelpful => "unhelpful",
            Self::Corrected => "corrected",
        }
    }
}

impl Feedback {
    /// Keeps it, under the next number of its ticket. A purge of the ticket empties it.
    pub(crate) fn put(&self, batch: &mut Batch<'_>) -> Result<(), WorkflowError> {
        let before = batch.items_about(FEEDBACK, &self.ticket)?.len();
        Ok(batch.put(&Item {
            collection: FEEDBACK.to_owned(),
            key: format!("{}#{:06}", self.ticket, before + 1),
            state: self.ruling.as_str().to_owned(),
            due: None,
            record: Some(self.ticket.clone()),
            body: workflow::written(self)?,
        })?)
    }

    /// Whether people decided something else than the agents had.
    pub(crate) fn disagrees(&self) -> bool {
        let differs = |one: &Settled| one.agent.as_ref().is_some_and(|agent| !is_same(agent, &one.person));
        self.settled.iter().any(differs)
    }
}

impl Settled {
    /// What a person decided, value by value.
    pub(crate) fn of(agent: Option<&Route>, person: &Route, said: &Said) -> Vec<Self> {
        let settled = |task: Task| {
            let source = said.of(task);
            Some(Self {
                task,
                agent: agent.and_then(|route| route.value_of(task)),
                person: person.value_of(task)?,
                source,
            })
        };
        Task::ALL.into_iter().filter_map(settled).collect()
    }
}

impl Route {
    /// The value of a task, as models tell it: of the category the first of the path.
    pub(crate) fn value_of(&self, task: Task) -> Option<String> {
        match task {
            Task::Category => self.category.first().cloned(),
            Task::Priority => self.priority.map(|priority| priority.to_string()),
            Task::Team => self.team.clone(),
        }
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.category.is_empty() && self.priority.is_none() && self.team.is_none()
    }

    /// What this one says, and where it says nothing, what another does.
    pub(crate) fn over(&self, other: Option<&Self>) -> Self {
        let other = other.cloned().unwrap_or_default();
        Self {
            category: if self.category.is_empty() { other.category } else { self.category.clone() },
            priority: self.priority.or(other.priority),
            team: self.team.clone().or(other.team),
        }
    }
}

/// What made the agents' work on a ticket, for a deed.
pub(crate) fn made_by(triage: Option<&Triage>, deed: Deed) -> Vec<String> {
    let Some(triage) = triage else { return Vec::new() };
    match deed {
        Deed::Route => {
            let counts = triage.opinions.iter().filter(|opinion| opinion.counts);
            let models: Vec<String> = counts.map(|one| format!("{} {}", one.task, one.version)).collect();
            if models.is_empty() { vec!["votes".to_owned()] } else { models }
        }
        Deed::Reply => {
            let Some(by) = triage.answer.as_ref().map(|answer| answer.by.clone()) else { return Vec::new() };
            let prompt = triage.calls.iter().find(|call| call.model == by);
            let prompt = prompt.map(|call| learned::made_by(&call.prompt));
            std::iter::once(by).chain(prompt).collect()
        }
        Deed::Declare | Deed::Execute => Vec::new(),
    }
}

/// Whether two values are one, however they are spelt.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
