//! Where does a ticket rest until something happens to it? With people who rule on proposals, with its caller, with a team, or with whoever
//! has to look.

use engine::Batch;
use jiff::Timestamp;

use super::WorkflowError;
use super::conclude::PROPOSAL;
use super::status::{TicketState, TicketStatus, change_state};
use crate::runbook;

/// Brings a ticket to the state in which it rests until something happens to it.
pub(crate) fn settle(
    batch: &mut Batch<'_>,
    status: &mut TicketStatus,
    (used, reason): (&str, &str),
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let (state, why) = rest_of(batch, status, reason)?;
    change_state(batch, status, state, (used, &why), now)
}

/// The state in which a ticket rests, and why.
pub(super) fn rest_of(
    batch: &Batch<'_>,
    status: &TicketStatus,
    reason: &str,
) -> Result<(TicketState, String), WorkflowError> {
    let open =
        batch.items_about(PROPOSAL, &status.ticket)?.into_iter().filter(|item| item.state == "open").count();
    Ok(if let Some(action) = runbook::is_running(batch, &status.ticket)? {
        (TicketState::Executing, format!("the step {action} is being done: {reason}"))
    } else if open > 0 {
        let wait = if open == 1 { "a proposal waits".to_owned() } else { format!("{open} proposals wait") };
        (TicketState::Proposed, format!("{wait} for people"))
    } else if status.is_answered {
        (TicketState::Answered, "the caller has an answer".to_owned())
    } else if let Some(team) = status.route.as_ref().and_then(|route| route.team.as_ref()) {
        (TicketState::Routed, format!("{team} has it: {reason}"))
    } else {
        (TicketState::Escalated, reason.to_owned())
    })
}
