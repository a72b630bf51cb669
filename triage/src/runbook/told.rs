//! What does the executor's answer mean? A step is done, was not, or is told again after a pause that grows; what ends is told to all who wait.

use engine::Batch;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::deliver::Delivery;
use super::execution::{Execution, RunState};
use crate::audit;
use crate::policy::Agent;
use crate::proposal::Arguments;
use crate::workflow::account::{self, word};
use crate::workflow::{self, TicketState, TicketStatus, Workflow, WorkflowError, change_state, settle};

/// How often something is told before people hear that it could not be.
const TRIES: u32 = 6;
/// Pause after the first failure; four times as long after each further one, up to the longest.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Characters that are kept of what an executor says.
const SAID: usize = 500;

/// What became of telling the executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAnswer {
    /// It was done, or could be, where it was a dry run.
    Succeeded {
        /// What the executor says of it.
        summary: String,
    },
    /// It was tried and did not go well.
    Failed {
        /// What the executor says of it.
        summary: String,
    },
    /// The executor does not take this, and will not.
    Refused {
        /// Why.
        reason: String,
    },
    /// There was no answer: it is told again.
    Again {
        /// What there was instead.
        reason: String,
        /// Whether the executor may have begun.
        may_have_run: bool,
        /// How long the executor wants to be left alone.
        after: Option<SignedDuration>,
    },
}

impl Workflow {
    /// Notes how it went to tell the executor something.
    ///
    /// # Errors
    /// When the store cannot be written: then [`Workflow::recover_runs`] has it told again.
    pub fn delivered(
        &self,
        delivery: &Delivery,
        answer: RunAnswer,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        self.store().write(|batch| {
            let told =
                |found: &Execution| found.run.state == RunState::Sending && found.run.tries == delivery.tries;
            let Some(mut execution) = Execution::find(batch, &delivery.id)?.filter(told) else {
                return Ok(());
            };
            let (state, said) = match answer {
                RunAnswer::Succeeded { summary } => (RunState::Succeeded, summary),
                RunAnswer::Failed { summary } => (RunState::Failed, summary),
                RunAnswer::Refused { reason } if execution.may_have_run => (RunState::Unknown, reason),
                RunAnswer::Refused { reason } => (RunState::Refused, reason),
                RunAnswer::Again { reason, may_have_run, after } => {
                    execution.may_have_run |= may_have_run;
                    if execution.run.tries < TRIES {
                        let pause = pause(&execution).max(after.unwrap_or_default().min(LONGEST_PAUSE));
                        execution.run.state = RunState::Waiting;
                        execution.run.said = Some(short(&reason));
                        return execution.put(batch, now.saturating_add(pause).ok());
                    }
                    let state =
                        if execution.may_have_run { RunState::Unknown } else { RunState::Undelivered };
                    (state, format!("given up after {TRIES} tries: {reason}"))
                }
            };
            let Some(mut status) = TicketStatus::find(batch, &execution.ticket)? else {
                execution.run.state = state;
                return execution.put(batch, None);
            };
            self.end_run(batch, execution, &mut status, (state, &said), now)
        })
    }

    /// Ends a run: the ticket moves, people, connectors and the audit log hear of it, and what follows from it is looked for.
    pub(super) fn end_run(
        &self,
        batch: &mut Batch<'_>,
        mut execution: Execution,
        status: &mut TicketStatus,
        (state, said): (RunState, &str),
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        execution.run.state = state;
        execution.run.said = Some(short(said));
        execution.run.ended = Some(now);
        execution.put(batch, None)?;
        execution.account(batch, status, now)?;
        let why = execution.why();
        let used = execution.run.id.clone();
        if execution.is_dry {
            // Who rules on the proposal sees it there; the ticket stays where it is.
            if status.state == TicketState::Proposed && state != RunState::Cancelled {
                change_state(batch, status, TicketState::Proposed, (&used, &why), now)?;
            }
            return status.put(batch);
        }
        if state != RunState::Cancelled {
            let arguments = Arguments::Execute(Box::new(execution.step.clone()));
            workflow::order_run(batch, status, arguments, (&execution.by, execution.run.clone()), now)?;
        }
        let is_well = matches!(state, RunState::Succeeded | RunState::Cancelled);
        if status.state == TicketState::Closed && is_well {
            change_state(batch, status, TicketState::Closed, (&used, &why), now)?;
        } else {
            // What comes of it may be another state at once; how it ended is told all the same.
            change_state(batch, status, TicketState::Executing, (&used, &why), now)?;
            settle(batch, status, (&used, &why), now)?;
        }
        status.put(batch)?;
        let has_next = execution.step.number < execution.step.of && execution.step.undoes.is_none();
        let goes_on = (state == RunState::Succeeded && has_next) || execution.wants_undoing();
        if goes_on && status.closed.is_none() {
            workflow::look_again(batch, status, &format!("ended-{used}"), now)?;
        }
        Ok(())
    }
}

impl Execution {
    /// What happened, in words.
    fn why(&self) -> String {
        let what = if self.is_dry { "the dry run of" } else { "the step" };
        let how = match self.run.state {
            RunState::Succeeded => "went well",
            RunState::Failed => "failed",
            RunState::Refused => "was refused by the executor",
            RunState::Unknown => "may have been done: see whether it was",
            RunState::Undelivered => "could not be told to the executor",
            RunState::Cancelled => "was called off",
            RunState::Waiting | RunState::Sending => "is on its way",
        };
        let said = self.run.said.as_deref().filter(|said| !said.is_empty());
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        format!("{what} {} {how}{said}", self.step.call.action)
    }

    /// Tells the audit log how it ended: ids, hashes and numbers.
    fn account(
        &self,
        batch: &mut Batch<'_>,
        status: &TicketStatus,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let said = [
            ("deed", word("execute")),
            ("action", word(&self.step.call.action)),
            ("run", word(&self.run.id)),
            ("proposal", word(&self.proposal)),
            ("binding", word(&self.binding)),
            ("state", word(self.run.state.as_str())),
            ("dry-run", word(if self.is_dry { "yes" } else { "no" })),
            ("tries", audit::Detail::Number(self.run.tries.into())),
        ];
        account::by_agent(batch, audit::Action::Execution, Agent::Guidance, status, &said, now)
    }
}

/// How long to wait after a failure: longer each time, and not the same for all that failed together.
fn pause(execution: &Execution) -> SignedDuration {
    let (id, tries) = (&execution.run.id, execution.run.tries);
    let drawn = Sha256::digest(format!("{id}#{tries}").as_bytes())[0];
    let longer = PAUSE * 4_i32.pow(tries.saturating_sub(1).min(6));
    longer.mul_f64(0.5 + f64::from(drawn) / 255.0).min(LONGEST_PAUSE)
}

/// As much as is kept of what others say, on one line.
fn short(said: &str) -> String {
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID).collect()
}
