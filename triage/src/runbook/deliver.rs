//! What is the executor told next? What is due, if all that was approved still holds in that moment, under the id that it always has.

use engine::{Batch, Desk};
use jiff::{SignedDuration, Timestamp};
use ontology::{RecordId, Scope};
use serde::Serialize;

use super::actions::Executor;
use super::execution::{self, EXECUTION, Execution, RunState};
use crate::audit;
use crate::policy::{Agent, Policies};
use crate::proposal::Proposal;
use crate::workflow::account::{self, word};
use crate::workflow::{self, PROPOSAL, TicketState, TicketStatus, Workflow, WorkflowError, revision};

/// What the executor is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The same each time that this is told.
    pub id: String,
    /// Where the executor is.
    pub url: String,
    /// JSON, the same each time.
    pub body: Vec<u8>,
    /// How long it has.
    pub timeout_seconds: u32,
    /// How often it was told, with this time.
    pub tries: u32,
    /// Whether it is to have no effect.
    pub is_dry: bool,
    /// What ties it to requests, logs and traces.
    pub correlation: String,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    dry_run: bool,
    action: &'a str,
    arguments: &'a std::collections::BTreeMap<String, String>,
    ticket: &'a RecordId,
    runbook: &'a RecordId,
    proposal: &'a str,
    binding: &'a str,
    /// The run that this one undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    undoes: Option<&'a str>,
}

/// What is there now of what was approved.
struct Now<'a> {
    ticket: Option<String>,
    runbook: Option<String>,
    policies: &'a Policies,
    executor: &'a Executor,
}

impl Workflow {
    /// When something is due to be told next; nothing where there is nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_run_due(&self) -> Result<Option<Timestamp>, WorkflowError> {
        Ok(self.store().next_due(EXECUTION, RunState::Waiting.as_str())?)
    }

    /// How many dry runs and steps are in each state.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn runs(&self) -> Result<std::collections::BTreeMap<String, u64>, WorkflowError> {
        Ok(self.store().count(EXECUTION)?)
    }

    /// What to tell the executor now, noted as told; nothing where nothing is due or the agents are stopped. What holds no more is
    /// cancelled. Whoever was told this says how it went with [`Workflow::delivered`].
    ///
    /// # Errors
    /// When desk or store cannot be read or written.
    pub fn next_run(
        &self,
        desk: &Desk,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Option<Delivery>, WorkflowError> {
        let (policies, executor) = (self.policies().current(), self.policies().executor());
        loop {
            if self.is_stopped()? {
                return Ok(None);
            }
            let due = |batch: &mut Batch<'_>| batch.due(EXECUTION, RunState::Waiting.as_str(), now, 1);
            let Some(item) = self.store().write(due)?.pop() else { return Ok(None) };
            if item.body.is_empty() {
                let purged =
                    engine::Item { state: RunState::Cancelled.as_str().to_owned(), due: None, ..item };
                self.store().write(|batch| Ok::<_, WorkflowError>(batch.put(&purged)?))?;
                continue;
            }
            let waiting: Execution = workflow::read("a step's run", &item.body)?;
            // The desk is read before, since it may want the one writer too.
            let kept = |id: &RecordId| {
                let seen = desk.record(scope, id, None)?;
                Ok::<_, WorkflowError>(seen.map(|seen| revision(&seen.record)))
            };
            let (ticket, runbook) = (kept(&waiting.ticket)?, kept(&waiting.step.runbook)?);
            let there = Now { ticket, runbook, policies: &policies, executor: &executor };
            let taken = self.store().write(|batch| self.take_run(batch, &waiting.run.id, &there, now))?;
            if taken.is_some() {
                return Ok(taken);
            }
        }
    }

    /// Notes that a run is being told, or cancels it.
    fn take_run(
        &self,
        batch: &mut Batch<'_>,
        id: &str,
        there: &Now<'_>,
        now: Timestamp,
    ) -> Result<Option<Delivery>, WorkflowError> {
        let found = Execution::find(batch, id)?.filter(|found| found.run.state == RunState::Waiting);
        let Some(mut execution) = found else { return Ok(None) };
        let Some(mut status) = TicketStatus::find(batch, &execution.ticket)? else {
            execution.run.state = RunState::Cancelled;
            execution.put(batch, None)?;
            return Ok(None);
        };
        let proposal = batch.item(PROPOSAL, &execution.proposal)?.filter(|item| !item.body.is_empty());
        let proposal: Option<Proposal> =
            proposal.map(|item| workflow::read("proposal", &item.body)).transpose()?;
        if let Err(why) = holds(batch, &execution, proposal, there, now)? {
            self.cancel(batch, execution, &mut status, why, now)?;
            return Ok(None);
        }
        let action = there.executor.actions().get(&execution.step.call.action);
        let (Some(action), Some(url)) = (action, &there.executor.url) else {
            self.cancel(batch, execution, &mut status, "executor.toml lists its action no more", now)?;
            return Ok(None);
        };
        execution.run.tries += 1;
        execution.run.state = RunState::Sending;
        execution.put(batch, None)?;
        let said = [("tells", word(id)), ("try", audit::Detail::Number(execution.run.tries.into()))];
        account::by_agent(batch, audit::Action::AgentAction, Agent::Guidance, &status, &said, now)?;
        Ok(Some(Delivery {
            id: id.to_owned(),
            url: url.clone(),
            body: execution.body()?,
            timeout_seconds: action.timeout_seconds,
            tries: execution.run.tries,
            is_dry: execution.is_dry,
            correlation: status.correlation,
        }))
    }

    /// Ends a run of which something holds no more.
    fn cancel(
        &self,
        batch: &mut Batch<'_>,
        execution: Execution,
        status: &mut TicketStatus,
        why: &'static str,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let (id, is_dry) = (execution.proposal.clone(), execution.is_dry);
        // What may have been done cannot be called off any more.
        let state = if execution.may_have_run { RunState::Unknown } else { RunState::Cancelled };
        self.end_run(batch, execution, status, (state, why), now)?;
        let item = batch.item(PROPOSAL, &id)?.filter(|item| !item.body.is_empty());
        let is_over =
            |item: &engine::Item| !is_dry && state == RunState::Cancelled && item.state == "executed";
        if let Some(item) = item.filter(is_over) {
            workflow::end_proposal(batch, item, "superseded")?;
            if status.state != TicketState::Closed {
                workflow::look_again(batch, status, &format!("stale-{id}"), now)?;
            }
        }
        Ok(())
    }

    /// Frees what a dead process was telling; the one that opens the desk tells it again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn recover_runs(&self, now: Timestamp) -> Result<(), WorkflowError> {
        let left = self.store().items(EXECUTION, Some(RunState::Sending.as_str()), "", u32::MAX)?;
        if left.is_empty() {
            return Ok(());
        }
        self.store().write(|batch| execution::recover(batch, left, now))
    }
}

/// Whether all that was approved, or may be tried, is as it was; else what is not.
fn holds(
    batch: &Batch<'_>,
    execution: &Execution,
    proposal: Option<Proposal>,
    there: &Now<'_>,
    now: Timestamp,
) -> Result<Result<(), &'static str>, WorkflowError> {
    let Some(mut proposal) = proposal else { return Ok(Err("its proposal is gone")) };
    execution::attach(&mut proposal, |id| batch.item(EXECUTION, id))?;
    let state = if execution.is_dry { "open" } else { "executed" };
    if proposal.state != state || proposal.binding != execution.binding {
        return Ok(Err("its proposal was changed or has ended"));
    }
    if proposal.expires.saturating_add(LATE).is_ok_and(|latest| latest <= now) {
        return Ok(Err("it could not be told in time"));
    }
    if there.ticket.as_ref() != Some(&proposal.bound.revision) {
        return Ok(Err("the ticket has changed since"));
    }
    if let Some(why) = execution.step.is_outdated(there.runbook.as_deref(), there.executor) {
        return Ok(Err(why));
    }
    if proposal.bound.policy != there.policies.version() {
        return Ok(Err("the policies have changed since"));
    }
    if !execution.is_dry && !proposal.may_be_done(there.policies, false).is_allowed {
        return Ok(Err("the policies do not let it be done"));
    }
    Ok(Ok(()))
}

/// How long after the end of its proposal a step may still be told: approved in the last moment, it is not lost to a pause of the executor.
const LATE: SignedDuration = SignedDuration::from_hours(1);

impl Execution {
    fn body(&self) -> Result<Vec<u8>, WorkflowError> {
        workflow::written(&Body {
            r#type: if self.is_dry { "triagraph.step.dry_run" } else { "triagraph.step.run" },
            timestamp: self.run.made,
            data: Data {
                dry_run: self.is_dry,
                action: &self.step.call.action,
                arguments: &self.step.call.arguments,
                ticket: &self.ticket,
                runbook: &self.step.runbook,
                proposal: &self.proposal,
                binding: &self.binding,
                undoes: self.step.undoes.as_deref(),
            },
        })
    }
}
