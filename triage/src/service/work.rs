//! What did the desk's agents do about a ticket, and what did people make of it? Read from proposals, the outbox and the tickets as they stand.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ontology::RecordId;
use serde::Serialize;

use crate::feedback::{self, Feedback, Ruled};
use crate::learned::Task;
use crate::policy::Deed;
use crate::proposal::{Arguments, Proposal, Route};
use crate::workflow::{ALONE, OUTBOX, Order, PROPOSAL, Workflow, WorkflowError, read};

/// Items and entries that are read at a time, so that nobody waits for the store.
const PAGE: u32 = 500;

/// What agents did about a ticket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentWork {
    /// When its first event came.
    pub received: Timestamp,
    /// When its caller first got an answer, or a team the ticket.
    pub acknowledged: Option<Timestamp>,
    /// The priority that agents, or people over a proposal, gave it.
    pub priority: Option<u8>,
    /// What agents did alone, or proposed, in the order of time.
    pub deeds: Vec<AgentDeed>,
    /// What people decided of it here, or told: the latest of each.
    pub decided: BTreeMap<Task, String>,
    /// When somebody said that an answer helped, or did not.
    pub helped: Vec<(Timestamp, bool)>,
}

/// One thing that an agent did or wanted to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentDeed {
    /// When it was done, or proposed.
    pub at: Timestamp,
    /// What.
    pub deed: Deed,
    /// What became of it.
    pub fate: Fate,
    /// Category, priority and team, as the agent meant them.
    pub route: Option<Route>,
    /// How sure it was of the category, 0 to 1; nothing for what it did alone.
    pub confidence: Option<f64>,
    /// The pages and tickets that an answer cites.
    pub cited: Vec<RecordId>,
    /// The proposal; empty for what it did alone.
    pub proposal: String,
    /// Whether people said afterwards that it was wrong: they overrode it, or told that it was refused, changed or no help.
    pub is_put_right: bool,
    /// The share of its words that people changed, where they said what they did with it.
    pub edited_share: Option<f64>,
}

/// What became of something that an agent did or wanted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It did it alone.
    Alone,
    /// People let it be done as it was.
    Approved,
    /// People changed it, and it was done.
    Changed,
    /// People said no.
    Rejected,
    /// Nobody has ruled on it, or it was overtaken.
    Unruled,
}

impl Workflow {
    /// What agents did, by ticket.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn agent_work(&self) -> Result<BTreeMap<RecordId, AgentWork>, WorkflowError> {
        let mut work = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.tickets(None, &after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.ticket.as_str().to_owned();
            for status in page {
                let (received, acknowledged) = (status.received, status.acknowledged);
                let priority = status.route.and_then(|route| route.priority);
                let done = AgentWork { received, acknowledged, priority, ..AgentWork::of(received) };
                work.insert(status.ticket, done);
            }
        }
        self.add_proposals(&mut work)?;
        self.add_alone(&mut work)?;
        feedback::each(self.store(), &mut |_, feedback| {
            if let Some(work) = work.get_mut(&feedback.ticket) {
                work.hear(&feedback);
            }
        })?;
        for work in work.values_mut() {
            work.deeds.sort_by_key(|deed| deed.at);
        }
        Ok(work)
    }

    fn add_proposals(&self, work: &mut BTreeMap<RecordId, AgentWork>) -> Result<(), WorkflowError> {
        let mut after = String::new();
        loop {
            let page = self.store().items(PROPOSAL, None, &after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.key);
            for item in page.iter().filter(|item| !item.body.is_empty()) {
                let proposal: Proposal = read("proposal", &item.body)?;
                let fate = match (proposal.state.as_str(), proposal.first.is_some()) {
                    ("executed", false) => Fate::Approved,
                    ("executed", true) => Fate::Changed,
                    ("rejected", _) => Fate::Rejected,
                    _ => Fate::Unruled,
                };
                let meant = proposal.first.as_ref().unwrap_or(&proposal.bound.arguments);
                let confidence = f64::from(proposal.facts.category_confidence.get()) / 1000.0;
                let mut deed = AgentDeed::of(proposal.made, meant, fate, Some(confidence));
                deed.proposal.clone_from(&proposal.id);
                if let Some(work) = work.get_mut(&proposal.bound.ticket) {
                    work.deeds.push(deed);
                }
            }
        }
    }

    fn add_alone(&self, work: &mut BTreeMap<RecordId, AgentWork>) -> Result<(), WorkflowError> {
        let mut after = 0;
        loop {
            let page = self.store().journal(OUTBOX, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.sequence;
            for entry in page.iter().filter(|entry| !entry.body.is_empty()) {
                let order: Order = read("order", &entry.body)?;
                if order.by != ALONE {
                    continue;
                }
                if let Some(work) = work.get_mut(&order.ticket) {
                    work.deeds.push(AgentDeed::of(entry.at, &order.arguments, Fate::Alone, None));
                }
            }
        }
    }
}

impl AgentWork {
    /// A ticket of which nothing else is known.
    pub(super) fn of(received: Timestamp) -> Self {
        let (decided, helped, deeds) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { received, acknowledged: None, priority: None, deeds, decided, helped }
    }

    /// Takes over what people did with a deed, and what they decided.
    fn hear(&mut self, feedback: &Feedback) {
        self.decided.extend(feedback.settled.iter().map(|one| (one.task, one.person.clone())));
        match feedback.ruling {
            Ruled::Helpful => self.helped.push((feedback.at, true)),
            Ruled::Unhelpful => self.helped.push((feedback.at, false)),
            _ => {}
        }
        let is_meant = |deed: &&mut AgentDeed| match feedback.proposal.as_str() {
            "" => deed.deed == feedback.deed && deed.at <= feedback.at,
            id => deed.proposal == id,
        };
        if let Some(deed) = self.deeds.iter_mut().filter(is_meant).max_by_key(|deed| deed.at) {
            deed.hear(feedback);
        }
    }
}

impl AgentDeed {
    fn hear(&mut self, feedback: &Feedback) {
        let is_done = self.is_done();
        let is_other = feedback.deed != Deed::Route || feedback.disagrees();
        match feedback.ruling {
            // What was done here says its proposal.
            Ruled::Approve | Ruled::Edit => self.edited_share = Some(feedback.edited_share),
            Ruled::Reject | Ruled::Helpful => {}
            Ruled::Unhelpful => self.is_put_right |= is_done,
            Ruled::Override | Ruled::Rejected | Ruled::Edited | Ruled::Corrected if is_done => {
                self.is_put_right |= is_other;
            }
            Ruled::Override | Ruled::Rejected if is_other => self.fate = Fate::Rejected,
            Ruled::Override | Ruled::Rejected => self.fate = Fate::Approved,
            Ruled::Used | Ruled::Edited | Ruled::Corrected => {
                if !is_done {
                    let is_changed = feedback.ruling != Ruled::Used && is_other;
                    self.fate = if is_changed { Fate::Changed } else { Fate::Approved };
                }
                self.edited_share = Some(feedback.edited_share);
            }
        }
    }

    fn of(at: Timestamp, arguments: &Arguments, fate: Fate, confidence: Option<f64>) -> Self {
        let (route, cited) = match arguments {
            Arguments::Route(route) => (Some(route.clone()), Vec::new()),
            Arguments::Reply(reply) => {
                (None, reply.citations.iter().map(|cited| cited.record.clone()).collect())
            }
            Arguments::Declare(_) | Arguments::Execute(_) => (None, Vec::new()),
        };
        let (deed, proposal) = (arguments.deed(), String::new());
        Self { at, deed, fate, route, confidence, cited, proposal, is_put_right: false, edited_share: None }
    }

    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        matches!(self.fate, Fate::Alone | Fate::Approved | Fate::Changed)
    }
}
