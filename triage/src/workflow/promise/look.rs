//! What is done about one ticket whose target comes to its end, or is missed?

use engine::Batch;
use jiff::Timestamp;

use super::super::WorkflowError;
use super::super::account::{self, word};
use super::super::decide::{Decided, kind};
use super::super::status::{TicketState, TicketStatus, change_state};
use super::super::written;
use super::{Notice, Promised, notices_of};
use crate::audit;
use crate::policy::{Action, Agent, Policies, Principal, Question, Resource, TicketFacts};
use crate::service::{Kept, Standing, Target, TicketLife};

/// What one look at a ticket knows.
pub(super) struct Look<'a> {
    pub(super) policies: &'a Policies,
    pub(super) is_stopped: bool,
    pub(super) life: &'a TicketLife,
    pub(super) standings: Vec<Standing>,
    pub(super) now: Timestamp,
}

impl Look<'_> {
    /// Whether people are to be warned of a target.
    pub(super) fn is_near(&self, standing: &Standing) -> bool {
        standing.state == Kept::Running && standing.warns.is_some_and(|warns| warns <= self.now)
    }

    /// When something is to be told next, if nothing happens to the ticket.
    pub(super) fn next(&self, promised: &Promised) -> Option<Timestamp> {
        let running = self.standings.iter().filter(|standing| standing.state == Kept::Running);
        let moments =
            running.filter_map(|one| if promised.warned.contains(&one.target) { one.due } else { one.warns });
        moments.min()
    }

    /// Tells of a target that was missed, and gives the ticket to people where it is still open and the policies allow it.
    pub(super) fn miss(
        &self,
        batch: &mut Batch<'_>,
        status: &mut TicketStatus,
        standing: &Standing,
        triage: Option<&crate::Triage>,
    ) -> Result<(), WorkflowError> {
        let is_over = status.state == TicketState::Closed || self.life.ended().is_some();
        let missed = format!("{} are over", said(standing));
        if is_over {
            return note(batch, status, "breach", standing, (&missed, false), self.now);
        }
        let question = Question {
            principal: Principal::Agent(Agent::Escalation),
            action: Action::Escalate,
            resource: Resource::Ticket(self.facts(triage)),
            is_stopped: self.is_stopped,
        };
        let verdict = self.policies.decide(&question);
        let is_allowed = verdict.is_allowed;
        let why = if is_allowed { missed } else { format!("{missed}; {}", verdict.reasons.join("; ")) };
        let decided = Decided { agent: Agent::Escalation, action: Action::Escalate, verdict };
        account::decided(batch, status, &decided, self.now)?;
        status.decisions.push(decided);
        if is_allowed {
            let used = (self.policies.version(), why.as_str());
            change_state(batch, status, TicketState::Escalated, used, self.now)?;
            let said = [("missed", word(standing.target.as_str()))];
            account::by_agent(batch, audit::Action::AgentAction, Agent::Escalation, status, &said, self.now)?;
        }
        status.put(batch)?;
        note(batch, status, "breach", standing, (&why, is_allowed), self.now)
    }

    /// The ticket as policies see it: as the agents saw it last, or what little is known.
    fn facts(&self, triage: Option<&crate::Triage>) -> TicketFacts {
        let category = triage.and_then(|triage| triage.category.value.clone());
        let category = category.unwrap_or_else(|| self.life.category.clone());
        let autonomy = self.policies.autonomy(self.life.ticket.as_str(), &category);
        TicketFacts {
            categories: category,
            priority: self.life.priority,
            ..TicketFacts::new(kind(self.life.kind), autonomy)
        }
    }
}

/// A target in words.
pub(super) fn said(standing: &Standing) -> String {
    let what = match standing.target {
        Target::Response => "first answer",
        Target::Resolution => "solution",
    };
    let (hours, minutes) = (standing.goal_seconds / 3600, standing.goal_seconds % 3600 / 60);
    let time = match (hours, minutes) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    };
    format!("the {time} of priority {} for the {what}", standing.priority)
}

/// Tells people, once: on the stream, and in the ticket.
pub(super) fn note(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    kind: &str,
    standing: &Standing,
    (why, is_escalated): (&str, bool),
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let notice = Notice {
        at: now,
        kind: kind.to_owned(),
        standing: standing.clone(),
        why: why.to_owned(),
        is_escalated,
        correlation: status.correlation.clone(),
    };
    let stream = notices_of(&status.ticket);
    batch.append(&stream, kind, Some(&status.ticket), &written(&notice)?, now)?;
    Ok(())
}
