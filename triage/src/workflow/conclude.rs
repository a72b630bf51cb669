//! What comes of an event? The moves of its ticket, the deeds that agents do alone, the proposals, and the state it rests in, all in
//! the transaction that marks the event as handled.

use engine::{Batch, Item};
use jiff::Timestamp;
use ontology::{Observation, Record};

use super::account::{self, word};
use super::decide::{Plan, facts, plan};
use super::held::Said;
use super::lease::Lease;
use super::order::order;
use super::rest::settle;
use super::status::{TRIAGE, TicketState, TicketStatus, change_state};
use super::{Workflow, WorkflowError, read, written};
use crate::audit::Action;
use crate::burst;
use crate::event::{Event, EventKind};
use crate::feedback;
use crate::learned::Registry;
use crate::policy::{Agent, Level, Policies, TicketFacts};
use crate::proposal::{Arguments, Bound, Proposal, hex};
use crate::result::{Outcome, Triage};
use crate::runbook::{self, Found};

/// The collection of proposals.
pub(crate) const PROPOSAL: &str = "proposal";
/// Who lets a deed be done that an agent does alone.
pub(crate) const ALONE: &str = "the policies";

/// What a turn made of an event.
pub(super) struct Handled<'a> {
    pub(super) event: &'a Event,
    /// The ticket as the desk has it now; nothing where it never had it.
    pub(super) ticket: Option<&'a Record>,
    /// What its source says of it.
    pub(super) said: &'a Said,
    /// Nothing where the ticket is closed, or another event of it waits.
    pub(super) triage: Option<&'a Triage>,
    /// What of the runbook that leads a machine can do.
    pub(super) found: Found,
}

impl Workflow {
    /// Writes what came of an event, once: without a trace where the lease was lost.
    pub(super) fn conclude(
        &self,
        lease: &Lease,
        policies: &Policies,
        handled: &Handled<'_>,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let is_stopped = self.is_stopped()?;
        let has_fallen_back = Registry::new(self.store.clone()).has_fallen_back()?;
        self.store.write(|batch| {
            if !lease.end(batch, now)? {
                return Ok(());
            }
            let event = handled.event;
            if let Some(told) = &event.told {
                let Handled { ticket, said, .. } = *handled;
                return feedback::take(batch, &feedback::Taken { event, told, ticket, said }, now);
            }
            let kept = TicketStatus::find(batch, &lease.ticket)?;
            let mut status =
                kept.unwrap_or_else(|| TicketStatus::new(&lease.ticket, &event.correlation, now));
            take_over(&mut status, handled);
            let came = format!("event {} of {}", event.id, event.source);
            change_state(batch, &mut status, TicketState::Received, (&came, event.kind.as_str()), now)?;
            if event.kind.is_end() {
                close_proposals(batch, &status, "withdrawn", None)?;
                let said = [("event", word(event.kind.as_str()))];
                account::by_agent(batch, Action::AgentAction, Agent::Intake, &status, &said, now)?;
                status.closed = Some(now);
                change_state(batch, &mut status, TicketState::Closed, (&came, "its source closed it"), now)?;
            } else if let (Some(ticket), Some(triage)) = (handled.ticket, handled.triage) {
                let triage = &status.held.over(triage);
                let mut facts = facts(policies, ticket, triage, has_fallen_back);
                facts.is_major |= burst::is_major(batch, &status)?;
                let executor = self.policies.executor();
                let step = runbook::next(batch, &status, &handled.found, &executor)?;
                let plan = plan(policies, &facts, triage, step, is_stopped);
                let made = act(batch, &mut status, &facts, plan, triage, policies, now)?;
                for proposal in made {
                    let by = (policies, &*executor, is_stopped);
                    runbook::try_out(batch, &proposal, &mut status, by, now)?;
                }
                // Where agents are switched off no triage is kept either.
                if let Some(vault) = self.vault.as_ref().filter(|_| facts.level != Level::Off) {
                    vault.seal(batch, &status.ticket, &triage.withheld)?;
                }
            }
            status.put(batch)
        })
    }
}

fn take_over(status: &mut TicketStatus, handled: &Handled<'_>) {
    status.correlation.clone_from(&handled.event.correlation);
    status.held.hear(handled.said);
    if let Some(ticket) = handled.ticket {
        let revision = revision(ticket);
        if status.revision != revision && !status.held.still_answers(ticket) {
            status.is_answered = false;
        }
        status.revision = revision;
        status.title.clone_from(&ticket.title);
    }
    if handled.event.kind == EventKind::Reopened {
        status.reopened += 1;
        status.is_answered = false;
        status.held.reply = None;
    }
    if !handled.event.kind.is_end() {
        status.closed = None;
    }
}

/// Content hash of a record, in hex.
pub(crate) fn revision(record: &Record) -> String {
    hex(&Observation::content_hash(record))
}

/// Walks the steps of the triage, and does what was planned. Gives the proposals that are new.
fn act(
    batch: &mut Batch<'_>,
    status: &mut TicketStatus,
    facts: &TicketFacts,
    plan: Plan,
    triage: &Triage,
    policies: &Policies,
    now: Timestamp,
) -> Result<Vec<Proposal>, WorkflowError> {
    let mut proposals = Vec::new();
    for arguments in plan.proposed.into_iter().filter(|arguments| !status.has(arguments)) {
        proposals.push(propose(status, facts, arguments, triage, policies, now));
    }
    close_proposals(batch, status, "superseded", Some(&proposals))?;
    status.decisions = plan.decisions;
    account::triaged(batch, status, triage, now)?;
    for decided in &status.decisions {
        account::decided(batch, status, decided, now)?;
    }
    if facts.level == Level::Off {
        settle(batch, status, (policies.version(), &plan.reason), now)?;
        return Ok(Vec::new());
    }
    for step in &triage.steps {
        if let Some(state) = TicketState::of_step(&step.step) {
            change_state(batch, status, state, (&step.used, &step.why), now)?;
        }
    }
    let outcome = if triage.outcome == Outcome::Answered { "answered" } else { "handed_over" };
    batch.put(&Item {
        collection: TRIAGE.to_owned(),
        key: status.ticket.as_str().to_owned(),
        state: outcome.to_owned(),
        due: None,
        record: Some(status.ticket.clone()),
        body: written(triage)?,
    })?;
    for arguments in plan.alone {
        // What its source tells again is not done again.
        if status.has(&arguments) {
            continue;
        }
        let arguments = &arguments;
        execute(batch, status, arguments, ALONE, now)?;
        let said = [("deed", word(arguments.deed().as_str())), ("by", word("policies"))];
        account::by_agent(batch, Action::Execution, arguments.agent(), status, &said, now)?;
    }
    let mut made = Vec::new();
    for proposal in proposals {
        // The same proposal again keeps what people did with it, and nobody is asked twice.
        let is_known = |item: &Item| ["open", "rejected"].contains(&item.state.as_str());
        if !batch.item(PROPOSAL, &proposal.id)?.as_ref().is_some_and(is_known) {
            proposal.put(batch)?;
            account::proposed(batch, status, &proposal, now)?;
            made.push(proposal);
        }
    }
    settle(batch, status, (policies.version(), &plan.reason), now)?;
    Ok(made)
}

fn propose(
    status: &TicketStatus,
    facts: &TicketFacts,
    arguments: Arguments,
    triage: &Triage,
    policies: &Policies,
    now: Timestamp,
) -> Proposal {
    let bound = Bound {
        ticket: status.ticket.clone(),
        revision: status.revision.clone(),
        bundles: triage.bundles.clone(),
        policy: policies.version().to_owned(),
        arguments,
    };
    Proposal::new(bound, facts.clone(), &status.correlation, now)
}

/// Ends the open proposals of a ticket but for those that are made again.
fn close_proposals(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    state: &str,
    again: Option<&[Proposal]>,
) -> Result<(), WorkflowError> {
    for item in batch.items_about(PROPOSAL, &status.ticket)? {
        // What the search for bursts proposed, it makes anew itself where the ticket has changed.
        let is_declare = || {
            let open: Option<Proposal> = read("proposal", &item.body).ok();
            open.is_some_and(|open| matches!(open.bound.arguments, Arguments::Declare(_)))
        };
        let is_again = again.is_some_and(|again| again.iter().any(|one| one.id == item.key) || is_declare());
        if item.state != "open" || is_again {
            continue;
        }
        end_proposal(batch, item, state)?;
    }
    Ok(())
}

/// Ends a proposal, also one whose text was purged.
pub(crate) fn end_proposal(batch: &mut Batch<'_>, item: Item, state: &str) -> Result<(), WorkflowError> {
    if item.body.is_empty() {
        return Ok(batch.put(&Item { state: state.to_owned(), due: None, ..item })?);
    }
    let mut proposal: Proposal = read("proposal", &item.body)?;
    state.clone_into(&mut proposal.state);
    proposal.put(batch)
}

/// Does a deed: connectors find it in the outbox.
pub(crate) fn execute(
    batch: &mut Batch<'_>,
    status: &mut TicketStatus,
    arguments: &Arguments,
    by: &str,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let done = match arguments {
        Arguments::Declare(declare) => Arguments::Declare(burst::declare(batch, declare)?),
        other => other.clone(),
    };
    order(batch, status, done, (by, None), now)?;
    match arguments {
        Arguments::Route(route) => status.route = Some(route.clone()),
        Arguments::Reply(reply) => {
            status.is_answered = true;
            burst::pass_on(batch, status, reply, by, now)?;
        }
        Arguments::Declare(_) | Arguments::Execute(_) => {}
    }
    Ok(())
}
