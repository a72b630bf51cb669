//! Whose deed is it, what are the policies asked for it, and could a connector deliver it?

use super::Arguments;
use crate::policy::{Action, Agent};
use crate::workflow::WorkflowError;

impl Arguments {
    /// Whose deed it is.
    pub(crate) fn agent(&self) -> Agent {
        match self {
            Self::Route(_) => Agent::Triage,
            Self::Reply(_) => Agent::Guidance,
            Self::Declare(_) => Agent::Escalation,
            Self::Execute(_) => Agent::Guidance,
        }
    }

    /// Refuses what no connector could deliver.
    pub(crate) fn check(&self) -> Result<(), WorkflowError> {
        let refuse = |reason| Err(WorkflowError::Arguments { reason });
        match self {
            Self::Route(route) if route.priority.is_some_and(|priority| !(1..=5).contains(&priority)) => {
                refuse("a priority is 1 to 5")
            }
            Self::Reply(reply) if reply.text.trim().is_empty() => refuse("a reply has a text"),
            Self::Declare(declare) if declare.members.is_empty() => refuse("a major incident has members"),
            _ => Ok(()),
        }
    }

    /// What the policies are asked for it.
    pub(super) fn action(&self) -> Action {
        match self {
            Self::Route(_) => Action::Route,
            Self::Reply(_) => Action::Reply,
            Self::Declare(_) => Action::Declare,
            Self::Execute(_) => Action::Execute,
        }
    }
}
