//! What do people say to a proposal? Approve, edit or reject it, if the policies let them; what they did is kept as feedback.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::{Batch, Desk};
use jiff::Timestamp;
use ontology::Scope;

use super::{Arguments, Proposal};
use crate::audit;
use crate::burst;
use crate::policy::{
    Action, Deed, PersonId, Policies, Principal, ProposalFacts, Question, Resource, Role, Verdict,
};
use crate::runbook::{self, EXECUTION, Executor, Hit, RunState};
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
    /// The proposal as policies see it.
    fn resource(&self) -> Resource {
        Resource::Proposal(ProposalFacts {
            ticket: self.facts.clone(),
            deed: self.bound.arguments.deed(),
            approved_by: self.approved_by.clone(),
            edited_by: self.edited_by.clone(),
            dry_run_passed: self.dry_run.as_ref().is_some_and(|run| run.state == RunState::Succeeded),
            rollback_named: matches!(&self.bound.arguments, Arguments::Execute(step) if step.has_rollback()),
        })
    }
}

impl Workflow {
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
        let before = self.proposal(id)?;
        let there = There::of(self, desk, scope, &before)?;
        let found = desk.record(scope, &before.bound.ticket, None)?.map(|found| found.record);
        let said = Said::by_source(desk, scope, found.as_ref(), now)?;
        self.store().write(|batch| {
            let missing = || WorkflowError::NoSuchProposal { id: id.to_owned() };
            let item = batch.item(PROPOSAL, id)?.filter(|item| !item.body.is_empty());
            let item = item.ok_or_else(missing)?;
            let mut proposal: Proposal = workflow::read("proposal", &item.body)?;
            runbook::attach(&mut proposal, |id| batch.item(EXECUTION, id))?;
            check_open(&proposal, now)?;
            judgement.check(&policies, &proposal, is_stopped)?;
            let is_stale = there.is_other(&proposal) || proposal.bound.policy != policies.version();
            let ticket = proposal.bound.ticket.clone();
            let kept = TicketStatus::find(batch, &ticket)?;
            let mut status = kept.ok_or(WorkflowError::NoSuchTicket { ticket })?;
            match &judgement.ruling {
                Ruling::Reject => {
                    "rejected".clone_into(&mut proposal.state);
                    burst::refuse(batch, &proposal)?;
                }
                _ if is_stale => return self.stale(batch, proposal, &status, now).map(Err),
                Ruling::Edit(arguments) => {
                    proposal.edit(arguments.clone(), &judgement.by, &there)?;
                    if proposal.bound.arguments.deed() == Deed::Execute {
                        let by = (&*policies, &*there.executor, is_stopped);
                        runbook::try_out(batch, &proposal, &mut status, by, now)?;
                        status.put(batch)?;
                    }
                }
                Ruling::Approve => {
                    proposal.approved_by.insert(judgement.by.clone());
                    if proposal.may_be_done(&policies, is_stopped).is_allowed {
                        "executed".clone_into(&mut proposal.state);
                        proposal.carry_out(batch, &mut status, judgement, now)?;
                    }
                }
            }
            proposal.put(batch)?;
            runbook::attach(&mut proposal, |id| batch.item(EXECUTION, id))?;
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
        workflow::look_again(batch, status, &format!("stale-{}", proposal.id), now)?;
        Ok(WorkflowError::NotOpen {
            id: proposal.id,
            state: "superseded".to_owned(),
            advice: "the ticket or the policies changed since it was made, a new one is on its way",
        })
    }
}

/// What there is now of what a proposal rests on.
struct There {
    ticket: Option<String>,
    runbook: Option<String>,
    executor: Arc<Executor>,
    hit: Hit,
}

impl There {
    fn of(
        workflow: &Workflow,
        desk: &Desk,
        scope: &Scope,
        proposal: &Proposal,
    ) -> Result<Self, WorkflowError> {
        let record = |id| Ok::<_, WorkflowError>(desk.record(scope, id, None)?.map(|found| found.record));
        let ticket = record(&proposal.bound.ticket)?;
        let executor = workflow.policies().executor();
        let Arguments::Execute(step) = &proposal.bound.arguments else {
            let ticket = ticket.as_ref().map(revision);
            return Ok(Self { ticket, runbook: None, executor, hit: Hit::default() });
        };
        let runbook = record(&step.runbook)?.as_ref().map(revision);
        let hit = ticket.as_ref().map(|ticket| runbook::hit(desk, scope, ticket)).transpose()?;
        let ticket = ticket.as_ref().map(revision);
        Ok(Self { ticket, runbook, executor, hit: hit.unwrap_or_default() })
    }

    fn is_other(&self, proposal: &Proposal) -> bool {
        let is_outdated = match &proposal.bound.arguments {
            Arguments::Execute(step) => step.is_outdated(self.runbook.as_deref(), &self.executor).is_some(),
            _ => false,
        };
        is_outdated || self.ticket.as_ref() != Some(&proposal.bound.revision)
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
    fn edit(&mut self, arguments: Arguments, by: &PersonId, there: &There) -> Result<(), WorkflowError> {
        if arguments.deed() != self.bound.arguments.deed() {
            return Err(WorkflowError::Arguments { reason: "another deed is another proposal" });
        }
        if let (Arguments::Declare(new), Arguments::Declare(own)) = (&arguments, &self.bound.arguments)
            && new.burst != own.burst
        {
            return Err(WorkflowError::Arguments { reason: "another burst is another proposal" });
        }
        if let (Arguments::Execute(new), Arguments::Execute(own)) = (&arguments, &self.bound.arguments) {
            own.check_edit(new, &there.executor, &there.hit)?;
        }
        arguments.check()?;
        let before = std::mem::replace(&mut self.bound.arguments, arguments);
        self.first.get_or_insert(before);
        self.binding = self.bound.binding();
        self.edited_by.insert(by.clone());
        self.approved_by.clear();
        Ok(())
    }

    /// Does what people approved; a step of a runbook is done by the executor.
    fn carry_out(
        &self,
        batch: &mut Batch<'_>,
        status: &mut TicketStatus,
        judgement: &Judgement,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        match &self.bound.arguments {
            Arguments::Execute(_) => {
                let people: Vec<&str> = self.approved_by.iter().map(PersonId::as_str).collect();
                runbook::put_up(batch, self, status, false, &people.join(", "), now)
            }
            arguments => execute(batch, status, arguments, &judgement.name(), now),
        }
    }

    /// Whether the policies want no further approval.
    pub(crate) fn may_be_done(&self, policies: &Policies, is_stopped: bool) -> Verdict {
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
        // A step is carried out when the executor has said so.
        if self.state == "executed" && !matches!(self.bound.arguments, Arguments::Execute(_)) {
            account::by_agent(batch, audit::Action::Execution, self.agent, status, &said, now)?;
        }
        Ok(())
    }
}
