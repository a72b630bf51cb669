//! May a person put something else in the place of what agents decided? At any time, where the policies let them: it is ordered at once,
//! proposals that it contradicts end, and it stands (`held.rs`).

use std::collections::BTreeSet;

use engine::{Batch, Desk};
use jiff::Timestamp;
use ontology::{Record, RecordId, Scope};

use super::account::{self, word};
use super::conclude::{PROPOSAL, end_proposal, execute};
use super::held::Said;
use super::rest::rest_of;
use super::status::{TRIAGE, TicketState, TicketStatus, change_state};
use super::{Workflow, WorkflowError, latest_triage, look_again, read};
use crate::audit::{self, Detail};
use crate::burst;
use crate::feedback::{Feedback, Ruled, Settled, made_by};
use crate::policy::{Action, Deed, PersonId, Policies, Principal, Question, Resource, Role, TicketFacts};
use crate::proposal::{Arguments, Proposal, Reply, Route, edited_share};
use crate::result::Triage;

/// What somebody puts in the place of what agents decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Who.
    pub by: PersonId,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// Category, priority and team, as far as they are to be others.
    pub route: Route,
    /// What the caller is told instead.
    pub reply: Option<Reply>,
    /// Why.
    pub reason: String,
}

/// What the agents had.
struct Had {
    route: Option<Route>,
    reply: Option<String>,
    facts: TicketFacts,
    triage: Option<Triage>,
}

impl Workflow {
    /// Puts what a person decided in the place of what agents did, wherever the ticket is.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchTicket`], [`WorkflowError::Arguments`] for one that says nothing, [`WorkflowError::Denied`] where the
    /// policies do not let this person, and when the desk or its store cannot be read or written.
    pub fn override_ticket(
        &self,
        desk: &Desk,
        scope: &Scope,
        ticket: &RecordId,
        wanted: &Override,
        now: Timestamp,
    ) -> Result<TicketStatus, WorkflowError> {
        wanted.check()?;
        let policies = self.policies().current();
        let is_stopped = self.is_stopped()?;
        let missing = || WorkflowError::NoSuchTicket { ticket: ticket.clone() };
        let record = desk.record(scope, ticket, None)?.map(|found| found.record).ok_or_else(missing)?;
        let said = Said::by_source(desk, scope, Some(&record), now)?;
        self.store().write(|batch| {
            let mut status = TicketStatus::find(batch, ticket)?.ok_or_else(missing)?;
            let had = Had::find(batch, &record, &status, &policies)?;
            wanted.ask(&policies, &had.facts, is_stopped)?;
            let ended = end_open(batch, ticket, "superseded", |open| wanted.contradicts(open))?;
            wanted.keep_feedback(batch, &status, &had, &ended, &said, now)?;
            wanted.carry_out(batch, &mut status, &record, &said, now)?;
            wanted.account(batch, &status, &ended, now)?;
            let is_asked_again = ended.iter().any(|proposal| proposal.bound.arguments.deed() != Deed::Route)
                && wanted.reply.is_none();
            if is_asked_again && status.state != TicketState::Closed {
                look_again(
                    batch,
                    &status,
                    &format!("overridden-{}-{}", status.ticket, now.as_microsecond()),
                    now,
                )?;
            }
            status.put(batch)?;
            Ok(status)
        })
    }
}

/// Ends open proposals of a ticket that are meant; gives them as they were.
pub(crate) fn end_open(
    batch: &mut Batch<'_>,
    ticket: &RecordId,
    state: &str,
    is_meant: impl Fn(&Proposal) -> bool,
) -> Result<Vec<Proposal>, WorkflowError> {
    let mut ended = Vec::new();
    for item in batch.items_about(PROPOSAL, ticket)? {
        let Ok(proposal) = read::<Proposal>("proposal", &item.body) else { continue };
        if item.state == "open" && is_meant(&proposal) {
            end_proposal(batch, item, state)?;
            ended.push(proposal);
        }
    }
    Ok(ended)
}

impl Had {
    fn find(
        batch: &Batch<'_>,
        record: &Record,
        status: &TicketStatus,
        policies: &Policies,
    ) -> Result<Self, WorkflowError> {
        let item = batch.item(TRIAGE, status.ticket.as_str())?.filter(|item| !item.body.is_empty());
        let triage: Option<Triage> = item.map(|item| read("triage", &item.body)).transpose()?;
        let mut facts = latest_triage(batch, record, policies)?;
        facts.is_major |= burst::is_major(batch, status)?;
        let route = status.route.clone().or_else(|| triage.as_ref().and_then(Route::of));
        let answer = triage.as_ref().and_then(|triage| triage.answer.as_ref());
        let reply = answer.filter(|_| status.held.reply.is_none()).map(|answer| Reply::of(answer).text);
        Ok(Self { route: status.held.without(route), reply, facts, triage })
    }
}

impl Override {
    fn check(&self) -> Result<(), WorkflowError> {
        if self.route.is_empty() && self.reply.is_none() {
            let reason = "give a category, a priority, a team or a reply";
            return Err(WorkflowError::Arguments { reason });
        }
        if self.reason.trim().is_empty() {
            return Err(WorkflowError::Arguments { reason: "say why: the agents learn from it" });
        }
        self.deeds().try_for_each(|arguments| arguments.check())
    }

    fn deeds(&self) -> impl Iterator<Item = Arguments> {
        let route = (!self.route.is_empty()).then(|| Arguments::Route(self.route.clone()));
        route.into_iter().chain(self.reply.clone().map(Arguments::Reply))
    }

    fn ask(&self, policies: &Policies, facts: &TicketFacts, is_stopped: bool) -> Result<(), WorkflowError> {
        let principal = Principal::Person { id: self.by.clone(), roles: self.roles.clone() };
        let resource = Resource::Ticket(facts.clone());
        let verdict =
            policies.decide(&Question { principal, action: Action::Override, resource, is_stopped });
        if verdict.is_allowed {
            return Ok(());
        }
        let (who, action) = (self.by.as_str().to_owned(), Action::Override.to_string());
        Err(WorkflowError::Denied { who, action, reasons: verdict.reasons })
    }

    /// Whether a proposal is another thing than this, or rests on another category or priority.
    fn contradicts(&self, proposal: &Proposal) -> bool {
        let facts = &proposal.facts;
        let is_other_case = (!self.route.category.is_empty() && self.route.category != facts.categories)
            || (self.route.priority.is_some() && self.route.priority != facts.priority);
        match proposal.bound.arguments.deed() {
            Deed::Route => !self.route.is_empty(),
            Deed::Reply => self.reply.is_some() || is_other_case,
            // A major incident is one whatever is said of its first ticket.
            Deed::Declare => false,
            Deed::Execute => is_other_case,
        }
    }

    fn carry_out(
        &self,
        batch: &mut Batch<'_>,
        status: &mut TicketStatus,
        record: &Record,
        said: &Said,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let by = self.by.as_str();
        if !self.route.is_empty() {
            let route = self.route.over(status.route.as_ref());
            execute(batch, status, &Arguments::Route(route), by, now)?;
            status.held.keep(&self.route, said, &self.by);
        }
        if let Some(reply) = &self.reply {
            execute(batch, status, &Arguments::Reply(reply.clone()), by, now)?;
            status.held.replied(record, &reply.text);
        }
        let why = format!("override by {by}: {}", self.reason);
        let state = match status.state {
            TicketState::Closed => TicketState::Closed,
            _ => rest_of(batch, status, &why)?.0,
        };
        change_state(batch, status, state, (by, &why), now)
    }

    fn keep_feedback(
        &self,
        batch: &mut Batch<'_>,
        status: &TicketStatus,
        had: &Had,
        ended: &[Proposal],
        said: &Said,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        for arguments in self.deeds() {
            let deed = arguments.deed();
            let of_deed = |proposal: &&Proposal| proposal.bound.arguments.deed() == deed;
            let (person, sent) = (arguments.as_route(), arguments.as_reply());
            let agent = had.route.as_ref().filter(|_| person.is_some());
            let draft = had.reply.clone().filter(|_| sent.is_some());
            let changed = match (person, sent) {
                (Some(person), _) => agent.map(|agent| {
                    let words = |route: Route| Arguments::Route(route).words();
                    edited_share(&words(agent.clone()), &words(person.over(Some(agent))))
                }),
                (_, sent) => draft.as_ref().zip(sent).map(|(draft, sent)| edited_share(draft, &sent.text)),
            };
            let feedback = Feedback {
                proposal: ended.iter().find(of_deed).map(|proposal| proposal.id.clone()).unwrap_or_default(),
                ticket: status.ticket.clone(),
                deed,
                ruling: Ruled::Override,
                edited_share: changed.unwrap_or(1.0),
                reason: self.reason.clone(),
                by: self.by.clone(),
                at: now,
                category: had.facts.categories.clone(),
                strength: had.facts.strength.get(),
                source: String::new(),
                made_by: made_by(had.triage.as_ref(), deed),
                settled: person.map(|person| Settled::of(agent, person, said)).unwrap_or_default(),
                draft,
                sent: sent.map(|reply| reply.text.clone()),
            };
            feedback.put(batch)?;
        }
        Ok(())
    }

    /// Tells the audit log who put what in the place of how much; of a value its sort only.
    fn account(
        &self,
        batch: &mut Batch<'_>,
        status: &TicketStatus,
        ended: &[Proposal],
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let route = &self.route;
        let given = [
            (!route.category.is_empty(), "category"),
            (route.priority.is_some(), "priority"),
            (route.team.is_some(), "team"),
            (self.reply.is_some(), "reply"),
        ];
        let given = given.into_iter().filter(|(is_given, _)| *is_given);
        let said = [
            ("overrides", Detail::Labels(given.map(|(_, name)| audit::Label::of(name)).collect())),
            ("superseded", Detail::Labels(ended.iter().map(|ended| audit::Label::of(&ended.id)).collect())),
            ("revision", word(&status.revision)),
            ("state", word(status.state.as_str())),
        ];
        account::by_person(batch, audit::Action::Override, &self.by, Some(status), &said, now)
    }
}
