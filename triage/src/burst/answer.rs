//! What is done to all members of a major incident at once? It is declared, and what its lead is answered, each of them is answered.

use std::collections::BTreeSet;

use engine::Batch;
use jiff::Timestamp;
use ontology::RecordId;

use super::kept::{BURST, Burst, BurstState};
use super::propose::Declare;
use crate::audit;
use crate::policy::{Action, PersonId, Principal, Question, Resource, Role};
use crate::proposal::{Arguments, Proposal, Reply};
use crate::workflow::account::{self, word};
use crate::workflow::{
    self, TicketState, TicketStatus, Workflow, WorkflowError, latest_triage, order, settle,
};

/// The journal of what all members of a burst were answered.
fn answers_of(burst: &str) -> String {
    format!("burst/{burst}")
}

/// Makes the ticket of an approved deed a major incident. Gives the deed with all members that it has by now.
pub(crate) fn declare(batch: &mut Batch<'_>, declare: &Declare) -> Result<Declare, WorkflowError> {
    let missing = || WorkflowError::NoSuchBurst { id: declare.burst.clone() };
    let mut burst = Burst::find(batch, &declare.burst)?.ok_or_else(missing)?;
    let wanted: BTreeSet<RecordId> = declare.members.iter().cloned().collect();
    // People may have taken members out, or put others in.
    for out in burst.named.difference(&wanted).filter(|out| **out != burst.lead) {
        burst.members.remove(out);
        burst.taken_out.insert(out.clone());
        if let Some(mut status) = TicketStatus::find(batch, out)? {
            status.burst = None;
            status.put(batch)?;
        }
    }
    for put_in in wanted.difference(&burst.named) {
        if let Some(mut status) = TicketStatus::find(batch, put_in)? {
            status.burst = Some(burst.id.clone());
            status.put(batch)?;
            burst.members.insert(put_in.clone());
        }
    }
    burst.state = BurstState::Declared;
    burst.put(batch)?;
    Ok(Declare { members: burst.members.into_iter().collect(), ..declare.clone() })
}

/// Notes that people ruled against a burst.
pub(crate) fn refuse(batch: &mut Batch<'_>, proposal: &Proposal) -> Result<(), WorkflowError> {
    let Arguments::Declare(declare) = &proposal.bound.arguments else { return Ok(()) };
    if let Some(mut burst) = Burst::find(batch, &declare.burst)? {
        burst.state = BurstState::Refused;
        burst.put(batch)?;
    }
    Ok(())
}

/// Whether a ticket belongs to a major incident that people declared.
pub(crate) fn is_major(batch: &Batch<'_>, status: &TicketStatus) -> Result<bool, WorkflowError> {
    let Some(id) = &status.burst else { return Ok(false) };
    Ok(batch.item(BURST, id)?.is_some_and(|item| item.state == BurstState::Declared.as_str()))
}

/// Orders the answer to the lead of a major incident for all its other members that are not closed.
pub(crate) fn pass_on(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    reply: &Reply,
    by: &str,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let burst = status.burst.as_ref().map(|id| Burst::find(batch, id)).transpose()?.flatten();
    let Some(burst) = burst.filter(|it| it.state == BurstState::Declared && it.lead == status.ticket) else {
        return Ok(());
    };
    let body = workflow::written(&(reply, by))?;
    batch.append(&answers_of(&burst.id), "answer", Some(&burst.lead), &body, now)?;
    let others: Vec<RecordId> = burst.members.iter().filter(|one| **one != burst.lead).cloned().collect();
    answer_members(batch, &burst, &others, reply, by, now)
}

fn answer_members(
    batch: &mut Batch<'_>,
    burst: &Burst,
    members: &[RecordId],
    reply: &Reply,
    by: &str,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let by = format!("{by}, for all of major incident {}", burst.lead);
    for member in members {
        let kept = TicketStatus::find(batch, member)?;
        let Some(mut status) = kept.filter(|status| status.state != TicketState::Closed) else { continue };
        order(batch, &status, Arguments::Reply(reply.clone()), (&by, Some(&burst.lead)), now)?;
        status.is_answered = true;
        settle(batch, &mut status, (&burst.id, &by), now)?;
        status.put(batch)?;
    }
    Ok(())
}

impl Burst {
    /// Tells connectors of those that join a declared major incident, of them only, and gives them the last answer.
    pub(super) fn tell_joined(
        &self,
        batch: &mut Batch<'_>,
        status: &TicketStatus,
        joined: &[RecordId],
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let declare = Declare {
            burst: self.id.clone(),
            members: joined.to_vec(),
            cause: self.causes.first().map(|cause| cause.thing.to_string()),
            because: Vec::new(),
        };
        order(batch, status, Arguments::Declare(declare), ("the search for bursts", None), now)?;
        let stream = answers_of(&self.id);
        let last = batch.length(&stream)?;
        let entry = batch.journal(&stream, last.saturating_sub(1), 1)?.pop();
        if let Some(entry) = entry.filter(|entry| !entry.body.is_empty()) {
            let (reply, by): (Reply, String) = workflow::read("the answer to all", &entry.body)?;
            answer_members(batch, self, joined, &reply, &by, now)?;
        }
        Ok(())
    }
}

impl Workflow {
    /// Answers all members of a major incident, its lead among them.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchBurst`]; [`WorkflowError::NotDeclared`] where people have not made it a major incident;
    /// [`WorkflowError::Denied`] where the policies do not let this person; and when the store cannot be written.
    pub fn answer_burst(
        &self,
        desk: &engine::Desk,
        scope: &ontology::Scope,
        id: &str,
        text: &str,
        (by, roles): (&PersonId, &BTreeSet<Role>),
        now: Timestamp,
    ) -> Result<Burst, WorkflowError> {
        let policies = self.policies().current();
        let is_stopped = self.is_stopped()?;
        let lead = self.burst(id)?.lead;
        let record = desk.record(scope, &lead, None)?.map(|found| found.record);
        let record = record.ok_or(WorkflowError::NoSuchTicket { ticket: lead.clone() })?;
        let reply = Reply { text: text.to_owned(), citations: Vec::new() };
        self.store().write(|batch| {
            let burst = Burst::find(batch, id)?.ok_or(WorkflowError::NoSuchBurst { id: id.to_owned() })?;
            if burst.state != BurstState::Declared {
                return Err(WorkflowError::NotDeclared { id: id.to_owned(), state: burst.state.as_str() });
            }
            let principal = Principal::Person { id: by.clone(), roles: roles.clone() };
            let resource = Resource::Ticket(latest_triage(batch, &record, &policies)?);
            let verdict =
                policies.decide(&Question { principal, action: Action::AnswerAll, resource, is_stopped });
            if !verdict.is_allowed {
                let (who, action) = (by.as_str().to_owned(), Action::AnswerAll.to_string());
                return Err(WorkflowError::Denied { who, action, reasons: verdict.reasons });
            }
            let missing = || WorkflowError::NoSuchTicket { ticket: lead.clone() };
            let mut status = TicketStatus::find(batch, &lead)?.ok_or_else(missing)?;
            let arguments = Arguments::Reply(reply);
            arguments.check()?;
            workflow::execute(batch, &mut status, &arguments, by.as_str(), now)?;
            let said = [("deed", word("reply")), ("members", word(&burst.members.len().to_string()))];
            account::by_person(batch, audit::Action::Execution, by, Some(&status), &said, now)?;
            settle(batch, &mut status, (&burst.id, "all members were answered"), now)?;
            status.put(batch)?;
            Ok(burst)
        })
    }
}
