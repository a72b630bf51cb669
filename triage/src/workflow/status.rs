//! Where is a ticket, and how did it come there?

use engine::{Batch, Item};
use jiff::Timestamp;
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use super::decide::Decided;
use super::held::Held;
use super::promise::put_up;
use super::{Workflow, WorkflowError, read, written};
use crate::proposal::Arguments;
use crate::result::Triage;

/// The collection of tickets.
pub(super) const TICKET: &str = "ticket";
/// The collection of the latest triage of each ticket.
pub(crate) const TRIAGE: &str = "triage";

/// Where a ticket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// It came in.
    Received,
    /// What must not reach a language model is known.
    Redacted,
    /// What is hit, who owns it, what changed is known.
    Enriched,
    /// Category, priority and team are known.
    Classified,
    /// What the answer rests on is chosen.
    Context,
    /// An answer is made.
    Drafted,
    /// Its sentences were held against their sources.
    Checked,
    /// The caller has an answer.
    Answered,
    /// People have to rule on a proposal.
    Proposed,
    /// A team has it.
    Routed,
    /// A step of a runbook that people approved is being done.
    Executing,
    /// A person has to look, with the reason.
    Escalated,
    /// It is done.
    Closed,
}

impl TicketState {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Redacted => "redacted",
            Self::Enriched => "enriched",
            Self::Classified => "classified",
            Self::Context => "context",
            Self::Drafted => "drafted",
            Self::Checked => "checked",
            Self::Answered => "answered",
            Self::Proposed => "proposed",
            Self::Routed => "routed",
            Self::Executing => "executing",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }

    /// The state that a step of the triage brings a ticket to, where it is one.
    pub(super) fn of_step(step: &str) -> Option<Self> {
        let all =
            [Self::Redacted, Self::Enriched, Self::Classified, Self::Context, Self::Drafted, Self::Checked];
        all.into_iter().find(|state| state.as_str() == step)
    }
}

/// A ticket as the workflow sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketStatus {
    /// The ticket.
    pub ticket: RecordId,
    /// Its title.
    pub title: String,
    /// Where it is.
    pub state: TicketState,
    /// Since when.
    pub since: Timestamp,
    /// Why it is there, in words.
    pub reason: String,
    /// When its first event came.
    pub received: Timestamp,
    /// When people or agents first did something about it that its caller sees: an answer, a route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// How often it came back.
    pub reopened: u32,
    /// Content hash of the revision that was looked at last, in hex.
    pub revision: String,
    /// Category, priority and team, where somebody or an agent has set them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<crate::proposal::Route>,
    /// Whether its caller has an answer to this revision of it.
    #[serde(default)]
    pub is_answered: bool,
    /// The burst that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<String>,
    /// What people decided, which agents do not set back.
    #[serde(default, skip_serializing_if = "Held::is_empty")]
    pub held: Held,
    /// What agents wanted to do, and what the policies said.
    pub decisions: Vec<Decided>,
    /// What belongs together across systems.
    pub correlation: String,
}

/// One move of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at: Timestamp,
    /// From where; nothing at the start.
    pub from: Option<TicketState>,
    /// To where.
    pub to: TicketState,
    /// What was used: bundle, model, policy, who.
    pub used: String,
    /// Why, in words.
    pub why: String,
    /// What belongs together across systems.
    pub correlation: String,
}

/// The journal of how a ticket moved.
pub(crate) fn moves_of(ticket: &RecordId) -> String {
    format!("ticket/{ticket}")
}

/// Moves a ticket, and says so in its journal.
pub(crate) fn change_state(
    batch: &mut Batch<'_>,
    status: &mut TicketStatus,
    to: TicketState,
    (used, why): (&str, &str),
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let is_first = batch.length(&moves_of(&status.ticket))? == 0;
    let transition = Transition {
        at: now,
        from: (!is_first).then_some(status.state),
        to,
        used: used.to_owned(),
        why: why.to_owned(),
        correlation: status.correlation.clone(),
    };
    let body = written(&transition)?;
    batch.append(&moves_of(&status.ticket), to.as_str(), Some(&status.ticket), &body, now)?;
    if matches!(to, TicketState::Answered | TicketState::Routed) {
        status.acknowledged.get_or_insert(now);
    }
    status.state = to;
    status.since = now;
    why.clone_into(&mut status.reason);
    Ok(())
}

impl TicketStatus {
    /// A ticket that comes in.
    pub(crate) fn new(ticket: &RecordId, correlation: &str, now: Timestamp) -> Self {
        Self {
            ticket: ticket.clone(),
            title: String::new(),
            state: TicketState::Received,
            since: now,
            reason: String::new(),
            received: now,
            acknowledged: None,
            closed: None,
            reopened: 0,
            revision: String::new(),
            route: None,
            is_answered: false,
            burst: None,
            held: Held::default(),
            decisions: Vec::new(),
            correlation: correlation.to_owned(),
        }
    }

    /// Whether a deed was done for this revision already.
    pub(super) fn has(&self, arguments: &Arguments) -> bool {
        match arguments {
            Arguments::Route(route) => self.route.as_ref() == Some(route),
            Arguments::Reply(_) => self.is_answered,
            Arguments::Declare(declare) => self.burst.as_ref() == Some(&declare.burst),
            // What is done is not looked for again: see `runbook::next`.
            Arguments::Execute(_) => false,
        }
    }

    /// The status that is kept of a ticket, if there is one that can be read.
    pub(crate) fn find(batch: &Batch<'_>, ticket: &RecordId) -> Result<Option<Self>, WorkflowError> {
        let item = batch.item(TICKET, ticket.as_str())?.filter(|item| !item.body.is_empty());
        item.map(|item| read("ticket", &item.body)).transpose()
    }

    pub(crate) fn put(&self, batch: &mut Batch<'_>) -> Result<(), WorkflowError> {
        put_up(batch, self)?;
        Ok(batch.put(&Item {
            collection: TICKET.to_owned(),
            key: self.ticket.as_str().to_owned(),
            state: self.state.as_str().to_owned(),
            due: None,
            record: Some(self.ticket.clone()),
            body: written(self)?,
        })?)
    }
}

impl Workflow {
    /// A ticket as it stands.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchTicket`], and when the store cannot be read.
    pub fn ticket(&self, ticket: &RecordId) -> Result<TicketStatus, WorkflowError> {
        let missing = || WorkflowError::NoSuchTicket { ticket: ticket.clone() };
        let item = self.store.item(TICKET, ticket.as_str())?;
        let item = item.filter(|item| !item.body.is_empty()).ok_or_else(missing)?;
        read("ticket", &item.body)
    }

    /// How a ticket moved, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn moves(&self, ticket: &RecordId) -> Result<Vec<Transition>, WorkflowError> {
        let entries = self.store.journal(&moves_of(ticket), 0, u32::MAX)?;
        entries
            .iter()
            .filter(|entry| !entry.body.is_empty())
            .map(|entry| read("a move of the ticket", &entry.body))
            .collect()
    }

    /// What the agents made of a ticket the last time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn triage_of(&self, ticket: &RecordId) -> Result<Option<Triage>, WorkflowError> {
        let item = self.store.item(TRIAGE, ticket.as_str())?.filter(|item| !item.body.is_empty());
        item.map(|item| read("triage", &item.body)).transpose()
    }

    /// Tickets by id, behind one of them; those in a state where one is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn tickets(
        &self,
        state: Option<TicketState>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<TicketStatus>, WorkflowError> {
        let items = self.store.items(TICKET, state.map(TicketState::as_str), after, limit)?;
        items.iter().filter(|item| !item.body.is_empty()).map(|item| read("ticket", &item.body)).collect()
    }
}
