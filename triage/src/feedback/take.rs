//! What becomes of what another system tells? It is kept as feedback, ends proposals that people have done with, and what they decided stands.

use engine::Batch;
use jiff::Timestamp;
use ontology::Record;

use super::{Did, Feedback, Ruled, Settled, Told, made_by};
use crate::audit::{self, Detail};
use crate::event::Event;
use crate::policy::{Deed, PersonId};
use crate::proposal::{Arguments, Proposal, Reply, Route, edited_share};
use crate::result::Triage;
use crate::workflow::account::{self, word};
use crate::workflow::{
    PROPOSAL, Said, TRIAGE, TicketState, TicketStatus, WorkflowError, change_state, end_open, read, settle,
};

/// What is told, and of which ticket.
pub(crate) struct Taken<'a> {
    pub(crate) event: &'a Event,
    pub(crate) told: &'a Told,
    /// The ticket as the desk has it; nothing where it never had it.
    pub(crate) ticket: Option<&'a Record>,
    /// What the ticket's source says of it.
    pub(crate) said: &'a Said,
}

/// What the agents made of the ticket.
struct Made {
    deed: Deed,
    proposal: Option<Proposal>,
    triage: Option<Triage>,
}

/// Takes in what people did. An error is final: no later try would know more.
pub(crate) fn take(batch: &mut Batch<'_>, taken: &Taken<'_>, now: Timestamp) -> Result<(), WorkflowError> {
    let Taken { event, told, ticket, .. } = taken;
    let kept = TicketStatus::find(batch, &event.ticket)?;
    if kept.is_none() && ticket.is_none() {
        return Err(WorkflowError::NoSuchTicket { ticket: event.ticket.clone() });
    }
    let made = Made::find(batch, event, told)?;
    let meant = made.meant();
    if meant.is_none() && told.verdict != Did::Corrected {
        let reason =
            format!("the agents made no {} for this ticket: what was {:?}?", made.deed, told.verdict);
        return Err(refused(event, &reason));
    }
    let feedback = made.feedback(taken, meant.as_ref(), now);
    feedback.put(batch)?;
    let of = kept.clone().unwrap_or_else(|| TicketStatus::new(&event.ticket, &event.correlation, now));
    note(batch, &feedback, &of, now)?;
    let Some(mut status) = kept else { return Ok(()) };
    if made.moves(batch, taken, meant.as_ref(), &feedback, &mut status)? {
        let by = feedback.by.as_str();
        let why = format!("{} by {by}, as {} tells: {}", feedback.ruling.as_str(), event.source, told.reason);
        match (status.state, told.verdict) {
            // What is done with stays so.
            (TicketState::Closed, _) => {}
            (_, Did::Unhelpful) => {
                let state = TicketState::Escalated;
                change_state(batch, &mut status, state, (&event.source, &why), now)?;
            }
            _ => settle(batch, &mut status, (&event.source, &why), now)?,
        }
    }
    status.put(batch)
}

fn refused(event: &Event, reason: &str) -> WorkflowError {
    let (id, source_name) = (event.id.clone(), event.source.clone());
    WorkflowError::Event { id, source_name, reason: reason.to_owned() }
}

fn note(
    batch: &mut Batch<'_>,
    feedback: &Feedback,
    status: &TicketStatus,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let mut said = vec![
        ("ruling", word(feedback.ruling.as_str())),
        ("deed", word(feedback.deed.as_str())),
        ("source", word(&feedback.source)),
        ("edited-per-mille", Detail::Number(((feedback.edited_share * 1000.0) as u64).into())),
    ];
    if !feedback.proposal.is_empty() {
        said.push(("proposal", word(&feedback.proposal)));
    }
    let is_correction = !feedback.settled.is_empty() && feedback.ruling != Ruled::Used;
    let action = if is_correction { audit::Action::Override } else { audit::Action::Approval };
    account::by_person(batch, action, &feedback.by, Some(status), &said, now)
}

impl Made {
    /// The work that is told of: the named proposal, else the latest of its sort on the ticket, and the latest triage.
    fn find(batch: &Batch<'_>, event: &Event, told: &Told) -> Result<Self, WorkflowError> {
        let triage = batch.item(TRIAGE, event.ticket.as_str())?.filter(|item| !item.body.is_empty());
        let triage: Option<Triage> = triage.map(|item| read("triage", &item.body)).transpose()?;
        let Some(id) = &told.proposal else {
            let deed = told.about().unwrap_or(Deed::Reply);
            let mut latest: Option<Proposal> = None;
            for item in batch.items_about(PROPOSAL, &event.ticket)? {
                let Ok(proposal) = read::<Proposal>("proposal", &item.body) else { continue };
                let is_later = latest.as_ref().is_none_or(|latest| latest.made < proposal.made);
                if proposal.bound.arguments.deed() == deed && is_later {
                    latest = Some(proposal);
                }
            }
            return Ok(Self { deed, proposal: latest, triage });
        };
        let item = batch.item(PROPOSAL, id)?.filter(|item| !item.body.is_empty());
        let item = item.ok_or_else(|| WorkflowError::NoSuchProposal { id: id.clone() })?;
        let proposal: Proposal = read("proposal", &item.body)?;
        let deed = proposal.bound.arguments.deed();
        if proposal.bound.ticket != event.ticket {
            return Err(refused(event, &format!("proposal {id} is of another ticket")));
        }
        if told.about().is_some_and(|about| about != deed) || !matches!(deed, Deed::Route | Deed::Reply) {
            return Err(refused(event, &format!("proposal {id} is a {deed}")));
        }
        Ok(Self { deed, proposal: Some(proposal), triage })
    }

    /// What the agents meant, before people changed it.
    fn meant(&self) -> Option<Arguments> {
        if let Some(proposal) = &self.proposal {
            return Some(proposal.first.as_ref().unwrap_or(&proposal.bound.arguments).clone());
        }
        let triage = self.triage.as_ref()?;
        match self.deed {
            Deed::Route => Route::of(triage).map(Arguments::Route),
            _ => triage.answer.as_ref().map(|answer| Arguments::Reply(Reply::of(answer))),
        }
    }

    fn feedback(&self, taken: &Taken<'_>, meant: Option<&Arguments>, now: Timestamp) -> Feedback {
        let Taken { event, told, said, .. } = taken;
        let agent = meant.and_then(Arguments::as_route);
        let person = match (told.verdict, agent) {
            (Did::Used, Some(agent)) => agent.clone(),
            _ => told.route(),
        };
        let draft = meant.and_then(Arguments::as_reply).map(|reply| reply.text.clone());
        let changed = if let (Some(draft), Some(sent)) = (&draft, &told.text) {
            edited_share(draft, sent)
        } else {
            let of = |route: &Route| Arguments::Route(route.clone()).words();
            let over = (!told.route().is_empty()).then(|| told.route().over(agent));
            over.zip(agent).map_or(0.0, |(over, agent)| edited_share(&of(agent), &of(&over)))
        };
        let facts = self.proposal.as_ref().map(|proposal| &proposal.facts);
        let of_triage = self.triage.as_ref();
        let category = facts.map(|facts| facts.categories.clone());
        let strength = facts.map(|facts| facts.strength.get());
        Feedback {
            proposal: self.proposal.as_ref().map(|proposal| proposal.id.clone()).unwrap_or_default(),
            ticket: event.ticket.clone(),
            deed: self.deed,
            ruling: told.verdict.into(),
            edited_share: changed,
            reason: told.reason.clone(),
            by: PersonId::new(told.by.as_ref().unwrap_or(&event.source)),
            at: now,
            category: category
                .or_else(|| of_triage.and_then(|triage| triage.category.value.clone()))
                .unwrap_or_default(),
            strength: strength
                .or_else(|| of_triage.map(|triage| (triage.strength.score * 1000.0) as u16))
                .unwrap_or(0),
            source: event.source.clone(),
            made_by: made_by(of_triage, self.deed),
            settled: Settled::of(agent, &person, said),
            sent: told.text.clone(),
            draft: draft.filter(|_| told.text.is_some()),
        }
    }

    /// Lets it take effect here; whether anything has.
    fn moves(
        &self,
        batch: &mut Batch<'_>,
        taken: &Taken<'_>,
        meant: Option<&Arguments>,
        feedback: &Feedback,
        status: &mut TicketStatus,
    ) -> Result<bool, WorkflowError> {
        let (told, own) = (taken.told, self.proposal.as_ref().map(|own| own.id.as_str()));
        let corrected = told.route();
        let is_own = |proposal: &Proposal| Some(proposal.id.as_str()) == own;
        match told.verdict {
            Did::Helpful => return Ok(false),
            Did::Unhelpful => return Ok(status.state == TicketState::Answered),
            Did::Rejected => return Ok(!end_open(batch, &status.ticket, "rejected", is_own)?.is_empty()),
            Did::Used | Did::Edited if corrected.is_empty() => {
                end_open(batch, &status.ticket, "superseded", is_own)?;
                match meant {
                    Some(Arguments::Route(route)) => status.route = Some(route.clone()),
                    _ => status.is_answered = true,
                }
            }
            _ => {
                let is_route = |proposal: &Proposal| proposal.bound.arguments.deed() == Deed::Route;
                end_open(batch, &status.ticket, "superseded", is_route)?;
                status.route = Some(corrected.over(status.route.as_ref()));
                status.held.keep(&corrected, taken.said, &feedback.by);
            }
        }
        if let (Some(sent), Some(ticket)) = (&told.text, taken.ticket) {
            status.held.replied(ticket, sent);
        }
        Ok(true)
    }
}
