//! What was the life of every ticket of a desk? Its revisions in the log, with what the workflow did about it.

use engine::Desk;
use ontology::{RecordId, Scope};

use super::life::TicketLife;
use super::work::AgentWork;
use crate::workflow::{TicketStatus, Workflow, WorkflowError};

/// The life of every ticket that the scope sees, by id.
///
/// # Errors
/// When log or store cannot be read.
pub fn lives(desk: &Desk, scope: &Scope, workflow: &Workflow) -> Result<Vec<TicketLife>, WorkflowError> {
    let mut work = workflow.agent_work()?;
    let mut lives = Vec::new();
    desk.histories(scope, |history| {
        let done = history.revisions.last().and_then(|told| work.remove(&told.record.id));
        lives.extend(TicketLife::of(history, done));
    })?;
    Ok(lives)
}

/// The life of one ticket, as far as its targets need it; nothing where the scope does not see it.
///
/// # Errors
/// When log or store cannot be read.
pub fn life(
    desk: &Desk,
    scope: &Scope,
    ticket: &RecordId,
    status: Option<&TicketStatus>,
) -> Result<Option<TicketLife>, WorkflowError> {
    let work = status.map(|status| AgentWork {
        acknowledged: status.acknowledged,
        priority: status.route.as_ref().and_then(|route| route.priority),
        ..AgentWork::of(status.received)
    });
    let history = desk.history(scope, ticket)?;
    Ok(history.and_then(|history| TicketLife::of(history, work)))
}
