//! What is the executor told, and how far is it? Dry runs and steps that wait, are on their way, or have ended.

use engine::{Batch, Item};
use jiff::Timestamp;
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use super::Step;
use super::actions::Executor;
use crate::policy::{Action, Agent, Policies, Principal, Question, Resource};
use crate::proposal::{Arguments, Proposal};
use crate::workflow::account;
use crate::workflow::{self, Decided, TicketStatus, WorkflowError};

/// The collection of what the executor is told.
pub(crate) const EXECUTION: &str = "execution";

/// How far something that the executor was told is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What it is told by, each time: an executor does it once.
    pub id: String,
    /// Where it is.
    pub state: RunState,
    /// How often it was told.
    pub tries: u32,
    /// What the executor said in the end, or why it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Since when it waits.
    pub made: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It waits to be told, for the first time or again.
    Waiting,
    /// It is being told.
    Sending,
    /// It was done.
    Succeeded,
    /// The executor tried, and failed.
    Failed,
    /// The executor did not take it.
    Refused,
    /// It may have been done: no answer of the executor ever said.
    Unknown,
    /// The executor was never reached.
    Undelivered,
    /// It was not done, since what was approved holds no more.
    Cancelled,
}

impl RunState {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Undelivered => "undelivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it has not ended.
    pub fn is_on_its_way(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending)
    }
}

/// A run with all that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Execution {
    pub(super) run: Run,
    pub(super) is_dry: bool,
    pub(super) ticket: RecordId,
    pub(super) proposal: String,
    pub(super) binding: String,
    pub(super) step: Step,
    /// Who lets it be done.
    pub(super) by: String,
    /// How often the ticket had come back by then: a step may be done once in each of its lives.
    pub(super) reopened: u32,
    /// Whether the executor may have begun, though it has not said so.
    pub(super) may_have_run: bool,
}

impl Execution {
    pub(super) fn put(&self, batch: &mut Batch<'_>, due: Option<Timestamp>) -> Result<(), WorkflowError> {
        Ok(batch.put(&Item {
            collection: EXECUTION.to_owned(),
            key: self.run.id.clone(),
            state: self.run.state.as_str().to_owned(),
            due,
            record: Some(self.ticket.clone()),
            body: workflow::written(self)?,
        })?)
    }

    pub(super) fn find(batch: &Batch<'_>, id: &str) -> Result<Option<Self>, WorkflowError> {
        let item = batch.item(EXECUTION, id)?.filter(|item| !item.body.is_empty());
        item.map(|item| workflow::read("a step's run", &item.body)).transpose()
    }

    /// What was done, or is, for a ticket: dry runs left out.
    pub(super) fn of_ticket(batch: &Batch<'_>, ticket: &RecordId) -> Result<Vec<Self>, WorkflowError> {
        let items = batch.items_about(EXECUTION, ticket)?;
        let whole = items.iter().filter(|item| !item.body.is_empty());
        let all: Vec<Self> =
            whole.map(|item| workflow::read("a step's run", &item.body)).collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|execution| !execution.is_dry).collect())
    }
}

/// The id under which a deed is told: one for its dry run, one for itself, and others once its arguments are others.
fn id_of(binding: &str, is_dry: bool) -> String {
    let kind = if is_dry { "dry" } else { "run" };
    format!("{kind}_{}", &binding[..binding.len().min(32)])
}

/// Shows a proposal how far its dry run and its run are.
pub(crate) fn attach(
    proposal: &mut Proposal,
    find: impl Fn(&str) -> Result<Option<Item>, engine::LogError>,
) -> Result<(), WorkflowError> {
    if !matches!(proposal.bound.arguments, Arguments::Execute(_)) {
        return Ok(());
    }
    let read = |is_dry| -> Result<Option<Run>, WorkflowError> {
        let item = find(&id_of(&proposal.binding, is_dry))?.filter(|item| !item.body.is_empty());
        let execution: Option<Execution> =
            item.map(|item| workflow::read("a step's run", &item.body)).transpose()?;
        Ok(execution.map(|execution| execution.run))
    };
    (proposal.dry_run, proposal.run) = (read(true)?, read(false)?);
    Ok(())
}

/// Puts a proposed step up for a dry run, where its action has one and the policies let it.
pub(crate) fn try_out(
    batch: &mut Batch<'_>,
    proposal: &Proposal,
    status: &mut TicketStatus,
    (policies, executor, is_stopped): (&Policies, &Executor, bool),
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let Arguments::Execute(step) = &proposal.bound.arguments else { return Ok(()) };
    let action = executor.actions().get(&step.call.action);
    if !action.is_some_and(|action| action.has_dry_run) {
        return Ok(());
    }
    let (principal, resource) = (Principal::Agent(Agent::Guidance), Resource::Ticket(proposal.facts.clone()));
    let verdict = policies.decide(&Question { principal, action: Action::DryRun, resource, is_stopped });
    let decided = Decided { agent: Agent::Guidance, action: Action::DryRun, verdict };
    account::decided(batch, status, &decided, now)?;
    let is_allowed = decided.verdict.is_allowed;
    status.decisions.retain(|earlier| earlier.action != Action::DryRun);
    status.decisions.push(decided);
    if !is_allowed {
        return Ok(());
    }
    put_up(batch, proposal, status, true, "the policies", now)
}

/// Puts a step up to be told to the executor, once.
pub(crate) fn put_up(
    batch: &mut Batch<'_>,
    proposal: &Proposal,
    status: &TicketStatus,
    is_dry: bool,
    by: &str,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let Arguments::Execute(step) = &proposal.bound.arguments else { return Ok(()) };
    let id = id_of(&proposal.binding, is_dry);
    // One that holds no more may be proposed again just as it was; what went to the executor never goes again.
    let before = Execution::find(batch, &id)?;
    if before.is_some_and(|before| before.run.state != RunState::Cancelled) {
        return Ok(());
    }
    let execution = Execution {
        run: Run { id, state: RunState::Waiting, tries: 0, said: None, made: now, ended: None },
        is_dry,
        ticket: proposal.bound.ticket.clone(),
        proposal: proposal.id.clone(),
        binding: proposal.binding.clone(),
        step: Step::clone(step),
        by: by.to_owned(),
        reopened: status.reopened,
        may_have_run: false,
    };
    execution.put(batch, Some(now))
}

/// The action of a step that people approved and that has not ended.
pub(crate) fn is_running(batch: &Batch<'_>, ticket: &RecordId) -> Result<Option<String>, WorkflowError> {
    let all = Execution::of_ticket(batch, ticket)?;
    let running = all.into_iter().find(|execution| execution.run.state.is_on_its_way());
    Ok(running.map(|execution| execution.step.call.action))
}

/// Has told again, under its own id, what a dead process was telling.
pub(super) fn recover(batch: &mut Batch<'_>, left: Vec<Item>, now: Timestamp) -> Result<(), WorkflowError> {
    for item in left {
        if item.body.is_empty() {
            batch.put(&Item { state: RunState::Cancelled.as_str().to_owned(), due: None, ..item })?;
            continue;
        }
        let mut execution: Execution = workflow::read("a step's run", &item.body)?;
        execution.may_have_run = true;
        execution.run.state = RunState::Waiting;
        execution.put(batch, Some(now))?;
    }
    Ok(())
}
