//! What do people say to a proposal? Approve, edit or reject it, if the policies let them; what they did is kept as feedback.

use std::collections::BTreeSet;

use engine::{Batch, Desk, Item};
use jiff::Timestamp;
use ontology::{RecordId, Scope};

use super::{Arguments, Proposal};
use crate::audit;
use crate::burst;
use crate::event::{Event, EventKind};
use crate::policy::{
    Action, PersonId, Policies, Principal, ProposalFacts, Question, Resource, Role, Verdict,
};
use crate::workflow::account::{self, word};
use crate::workflow::{
    self, PROPOSAL, Said, TicketStatus, Workflow, WorkflowError, execute, revision, settle,
};

/// What somebody says to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Who.
    pub by: PersonId,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// What they say.
    pub ruling: Ruling,
    /// Why.
    pub reason: String,
}

/// Yes, no, or otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Do it.
    Approve,
    /// Do it with these arguments, once somebody approves them.
    Edit(Arguments),
    /// Do not.
    Reject,
}

impl Proposal {
    pub(crate) fn put(&self, batch: &mut Batch<'_>) -> Result<(), WorkflowError> {
        Ok(batch.put(&Item {
            collection: PROPOSAL.to_owned(),
            key: self.id.clone(),
            state: self.state.clone(),
            due: (self.state == "open").then_some(self.expires),
            record: Some(self.bound.ticket.clone()),
            body: workflow::written(self)?,
        })?)
    }

    /// The proposal as policies see it.
    fn resource(&self) -> Resource {
        Resource::Proposal(ProposalFacts {
            ticket: self.facts.clone(),
            deed: self.bound.arguments.deed(),
            approved_by: self.approved_by.clone(),
            edited_by: self.edited_by.clone(),
            dry_run_passed: false,
            rollback_named: false,
        })
    }
}

impl Workflow {
    /// A proposal.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchProposal`], and when the store cannot be read.
    pub fn proposal(&self, id: &str) -> Result<Proposal, WorkflowError> {
        let missing = || WorkflowError::NoSuchProposal { id: id.to_owned() };
        let item = self.store().item(PROPOSAL, id)?.filter(|item| !item.body.is_empty());
        workflow::read("proposal", &item.ok_or_else(missing)?.body)
    }

    /// Proposals by id, behind one of them; those in a state where one is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proposals(
        &self,
        state: Option<&str>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Proposal>, WorkflowError> {
        let items = self.store().items(PROPOSAL, state, after, limit)?;
        let whole = items.iter().filter(|item| !item.body.is_empty());
        whole.map(|item| workflow::read("proposal", &item.body)).collect()
    }

    /// The proposals of a ticket, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proposals_of(&self, ticket: &RecordId) -> Result<Vec<Proposal>, WorkflowError> {
        let items = self.store().items_about(PROPOSAL, ticket)?;
        let whole = items.iter().filter(|item| !item.body.is_empty());
        whole.map(|item| workflow::read("proposal", &item.body)).collect()
    }

    /// Takes what somebody says to a proposal; one that has all the approvals that the policies want is carried out.
    ///
    /// # Errors
    /// [`WorkflowError::NotOpen`] where it was ruled on before, has expired, or the ticket or the policies have changed since it was
    /// made; [`WorkflowError::Denied`] where the policies do not let this person; and when the store cannot be written.
    pub fn judge(
        &self,
        desk: &Desk,
        scope: &Scope,
        id: &str,
        judgement: &Judgement,
        now: Timestamp,
    ) -> Result<Proposal, WorkflowError> {
        let policies = self.policies().current();
        let is_stopped = self.is_stopped()?;
        let ticket = self.proposal(id)?.bound.ticket;
        let found = desk.record(scope, &ticket, None)?.map(|found| found.record);
        let said = Said::by_source(desk, scope, found.as_ref(), now)?;
        let current = found.as_ref().map(revision);
        self.store().write(|batch| {
            let missing = || WorkflowError::NoSuchProposal { id: id.to_owned() };
            let item = batch.item(PROPOSAL, id)?.filter(|item| !item.body.is_empty());
            let item = item.ok_or_else(missing)?;
            let mut proposal: Proposal = workflow::read("proposal", &item.body)?;
            check_open(&proposal, now)?;
            judgement.check(&policies, &proposal, is_stopped)?;
            let is_stale = current.as_ref() != Some(&proposal.bound.revision)
                || proposal.bound.policy != policies.version();
            let kept = TicketStatus::find(batch, &proposal.bound.ticket)?;
            let mut status = kept.ok_or_else(|| WorkflowError::NoSuchTicket { ticket: ticket.clone() })?;
            match &judgement.ruling {
                Ruling::Reject => {
                    "rejected".clone_into(&mut proposal.state);
                    burst::refuse(batch, &proposal)?;
                }
                _ if is_stale => return self.stale(batch, proposal, &status, now).map(Err),
                Ruling::Edit(arguments) => proposal.edit(arguments.clone(), &judgement.by)?,
                Ruling::Approve => {
                    proposal.approved_by.insert(judgement.by.clone());
                    if proposal.may_be_done(&policies, is_stopped).is_allowed {
                        "executed".clone_into(&mut proposal.state);
                        execute(batch, &mut status, &proposal.bound.arguments, &judgement.name(), now)?;
                    }
                }
            }
            proposal.put(batch)?;
            proposal.keep_feedback(batch, judgement, &said, now)?;
            proposal.account(batch, judgement, &status, now)?;
            if proposal.state != "open" {
                let why = format!("{} by {}: {}", judgement.action(), judgement.name(), judgement.reason);
                settle(batch, &mut status, (&proposal.id, &why), now)?;
                status.put(batch)?;
            }
            Ok(Ok(proposal))
        })?
    }

    /// Ends a proposal that holds no more, and has the ticket looked at again.
    fn stale(
        &self,
        batch: &mut Batch<'_>,
        mut proposal: Proposal,
        status: &TicketStatus,
        now: Timestamp,
    ) -> Result<WorkflowError, WorkflowError> {
        "superseded".clone_into(&mut proposal.state);
        proposal.put(batch)?;
        let again = Event {
            id: format!("stale-{}", proposal.id),
            source: "triagraph".to_owned(),
            kind: EventKind::Updated,
            at: now,
            correlation: status.correlation.clone(),
            traceparent: None,
            ticket: proposal.bound.ticket.clone(),
            record: None,
            told: None,
        };
        workflow::take_in(batch, &again, now)?;
        Ok(WorkflowError::NotOpen {
            id: proposal.id,
            state: "superseded".to_owned(),
            advice: "the ticket or the policies changed since it was made, a new one is on its way",
        })
    }
}

fn check_open(proposal: &Proposal, now: Timestamp) -> Result<(), WorkflowError> {
    let not_open = |state: &str, advice| {
        Err(WorkflowError::NotOpen { id: proposal.id.clone(), state: state.to_owned(), advice })
    };
    if proposal.state != "open" {
        return not_open(&proposal.state, "there is nothing to rule on any more");
    }
    if proposal.expires <= now {
        return not_open("expired", "a person has to look at the ticket itself");
    }
    Ok(())
}

impl Judgement {
    pub(super) fn action(&self) -> Action {
        match self.ruling {
            Ruling::Approve => Action::Approve,
            Ruling::Edit(_) => Action::Edit,
            Ruling::Reject => Action::Reject,
        }
    }

    fn name(&self) -> String {
        self.by.as_str().to_owned()
    }

    fn check(
        &self,
        policies: &Policies,
        proposal: &Proposal,
        is_stopped: bool,
    ) -> Result<Verdict, WorkflowError> {
        let principal = Principal::Person { id: self.by.clone(), roles: self.roles.clone() };
        let question =
            Question { principal, action: self.action(), resource: proposal.resource(), is_stopped };
        let verdict = policies.decide(&question);
        if verdict.is_allowed {
            return Ok(verdict);
        }
        let (who, action) = (self.name(), self.action().to_string());
        Err(WorkflowError::Denied { who, action, reasons: verdict.reasons })
    }
}

impl Proposal {
    /// Puts other arguments in the place of these; who approved these did not approve those.
    fn edit(&mut self, arguments: Arguments, by: &PersonId) -> Result<(), WorkflowError> {
        if arguments.deed() != self.bound.arguments.deed() {
            return Err(WorkflowError::Arguments { reason: "another deed is another proposal" });
        }
        if let (Arguments::Declare(new), Arguments::Declare(own)) = (&arguments, &self.bound.arguments)
            && new.burst != own.burst
        {
            return Err(WorkflowError::Arguments { reason: "another burst is another proposal" });
        }
        arguments.check()?;
        let before = std::mem::replace(&mut self.bound.arguments, arguments);
        self.first.get_or_insert(before);
        self.binding = self.bound.binding();
        self.edited_by.insert(by.clone());
        self.approved_by.clear();
        Ok(())
    }

    /// Whether the policies want no further approval.
    fn may_be_done(&self, policies: &Policies, is_stopped: bool) -> Verdict {
        let principal = Principal::Agent(self.agent);
        let action = self.bound.arguments.action();
        policies.decide(&Question { principal, action, resource: self.resource(), is_stopped })
    }

    /// Tells the audit log who said what to exactly which deed, and whether it was carried out.
    fn account(
        &self,
        batch: &mut Batch<'_>,
        judgement: &Judgement,
        status: &TicketStatus,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let said = [
            ("ruling", word(judgement.action().as_str())),
            ("deed", word(self.bound.arguments.deed().as_str())),
            ("proposal", word(&self.id)),
            ("binding", word(&self.binding)),
            ("state", word(&self.state)),
        ];
        account::by_person(batch, audit::Action::Approval, &judgement.by, Some(status), &said, now)?;
        if self.state == "executed" {
            account::by_agent(batch, audit::Action::Execution, self.agent, status, &said, now)?;
        }
        Ok(())
    }
}
