//! What of a runbook is proposed now? The first step that was not done yet, once the one before went well; after one that failed, its undoing.

use engine::Batch;

use super::Step;
use super::actions::Executor;
use super::execution::{Execution, RunState};
use super::find::Found;
use crate::workflow::{TicketStatus, WorkflowError};

/// The next step for a ticket, if there is one.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn next(
    batch: &Batch<'_>,
    status: &TicketStatus,
    found: &Found,
    executor: &Executor,
) -> Result<Option<Step>, WorkflowError> {
    let mut done = Execution::of_ticket(batch, &status.ticket)?;
    done.retain(|one| one.reopened == status.reopened && one.run.state != RunState::Cancelled);
    if done.iter().any(|one| one.run.state.is_on_its_way()) {
        return Ok(None);
    }
    let is_undone = |run: &str| done.iter().any(|one| one.step.undoes.as_deref() == Some(run));
    if let Some(broken) = done.iter().find(|one| one.wants_undoing() && !is_undone(&one.run.id)) {
        let undo = broken.step.undo.clone().filter(|undo| executor.check(undo, &found.hit).is_ok());
        return Ok(undo.map(|undo| Step {
            call: undo,
            undo: None,
            undoes: Some(broken.run.id.clone()),
            executor: executor.version.clone(),
            ..broken.step.clone()
        }));
    }
    // What went wrong is for people, whether or not it was undone.
    if done.iter().any(|one| one.run.state != RunState::Succeeded || one.step.undoes.is_some()) {
        return Ok(None);
    }
    // People may have changed its arguments.
    let place = |step: &Step| (step.runbook.clone(), step.number, step.call.action.clone());
    let is_done = |step: &Step| done.iter().any(|one| place(&one.step) == place(step));
    Ok(found.steps.iter().find(|step| !is_done(step)).cloned())
}

impl Execution {
    /// Whether it left something behind, or may have.
    pub(super) fn wants_undoing(&self) -> bool {
        let has_begun = matches!(self.run.state, RunState::Failed | RunState::Unknown);
        has_begun && self.step.undo.is_some()
    }
}
