//! What does a worker do? Lease what waits, apply the next event of each ticket, triage on all its threads, and write what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;

use engine::{Desk, JournalEntry};
use jiff::Timestamp;
use ontology::{Lineage, Observation, Scope};
use tracing::Span;

use super::accept::events_of;
use super::conclude::{Handled, PROPOSAL, end_proposal};
use super::held::Said;
use super::lease::Lease;
use super::observed::observed;
use super::rest::settle;
use super::status::TicketStatus;
use super::{Workflow, WorkflowError, read};
use crate::agent::{TriageOptions, triage_within};
use crate::event::{Event, EventKind};
use crate::policy::Policies;
use crate::result::ModelCall;
use crate::runbook;

/// Events of a ticket that are looked at ahead: whether all but the first tell of feedback only.
const NEXT: u32 = 64;

/// How a worker works.
pub struct TurnOptions<'a> {
    /// What the agents see.
    pub scope: &'a Scope,
    /// How they triage.
    pub triage: TriageOptions<'a>,
    /// Tickets that are triaged at the same time.
    pub threads: usize,
    /// Tickets in one turn.
    pub tickets: u32,
}

/// What a turn did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// Events that were handled.
    pub handled: u64,
    /// Events that failed and will be tried again.
    pub failed: u64,
    /// Events that were set aside.
    pub dead: u64,
    /// Targets that people were warned of.
    pub warned: u64,
    /// Targets that were missed.
    pub missed: u64,
    /// Questions to a language model.
    pub calls: Vec<ModelCall>,
    /// What somebody should know.
    pub warnings: Vec<Warning>,
}

/// What somebody should know of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What ties it to requests and traces, where it is about one ticket.
    pub correlation: Option<String>,
    /// In words.
    pub text: String,
}

/// A leased ticket with its next event.
struct Taken {
    lease: Lease,
    event: Event,
    /// Whether no further event waits that says something of the ticket itself.
    is_last: bool,
    /// From the lease to the end, below the span that the event came from.
    span: Span,
}

impl Workflow {
    /// Handles what is due. [`Workflow::next_due`] says when to come again.
    ///
    /// # Errors
    /// When the store or the desk cannot be written: the tickets wait as before.
    pub fn turn(
        &self,
        desk: &Desk,
        options: &TurnOptions<'_>,
        now: Timestamp,
    ) -> Result<Turn, WorkflowError> {
        let mut turn = Turn::default();
        let reloaded = [self.policies.reload_if_changed(), self.policies.reload_executor_if_changed()];
        for error in reloaded.into_iter().filter_map(Result::err) {
            turn.warnings.push(Warning { correlation: None, text: error.to_string() });
        }
        let policies = self.policies.current();
        self.expire(&policies, now)?;
        let leases = self.lease(options.tickets, now)?;
        let mut taken = Vec::with_capacity(leases.len());
        for lease in leases {
            self.take(lease, &mut taken, &mut turn, now)?;
        }
        let refused = match self.apply(desk, options.scope, &taken, now) {
            Ok(refused) => refused,
            Err(error) => {
                self.store
                    .write(|batch| taken.iter().try_for_each(|taken| taken.lease.give_back(batch, now)))?;
                return Err(error);
            }
        };
        let waiting = Mutex::new(taken.into_iter().zip(refused));
        let done = Mutex::new(&mut turn);
        let worker = || {
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((taken, refusal)) = next() {
                let outcome = match refusal {
                    Some(reason) => Err((reason, true)),
                    None => self.handle_caught(desk, options, &policies, &taken, now),
                };
                let mut turn = done.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok(calls) => {
                        turn.handled += 1;
                        turn.calls.extend(calls);
                    }
                    Err((reason, is_final)) => self.fail(&taken, &reason, is_final, &mut turn, now)?,
                }
            }
            Ok::<(), WorkflowError>(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(worker)).collect();
            let ended = workers.into_iter().map(|worker| worker.join().unwrap_or(Ok(())));
            ended.fold(Ok(()), Result::and)
        })?;
        let has_handled = turn.handled > 0;
        if let Err(error) = self.watch_bursts(desk, options.scope, &policies, has_handled, now) {
            let text = format!("the search for bursts failed, the next turn tries again: {error}");
            turn.warnings.push(Warning { correlation: None, text });
        }
        self.keep_promises(desk, options.scope, &policies, &mut turn, now)?;
        Ok(turn)
    }

    /// Reads the next event of a leased ticket. One that was purged is as good as handled; one that cannot be read is set aside.
    fn take(
        &self,
        lease: Lease,
        taken: &mut Vec<Taken>,
        turn: &mut Turn,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let next = self.store.journal(&events_of(&lease.ticket), lease.work.done, NEXT)?;
        let read_event = |entry: &JournalEntry| read::<Event>("event", &entry.body);
        match next.first().filter(|entry| !entry.body.is_empty()).map(read_event) {
            Some(Ok(event)) => {
                let span = event.span();
                let is_last = next.iter().skip(1).all(|later| later.kind == EventKind::Feedback.as_str());
                taken.push(Taken { lease, event, is_last, span });
            }
            Some(Err(error)) => {
                turn.dead += 1;
                let text = format!("{}: {error}", lease.ticket);
                turn.warnings.push(Warning { correlation: None, text });
                self.store.write(|batch| lease.fail(batch, &error.to_string(), true, now).map(drop))?;
            }
            None => {
                turn.handled += 1;
                self.store.write(|batch| lease.end(batch, now).map(drop))?;
            }
        }
        Ok(())
    }

    /// Puts what the events say of their tickets into the desk; why the shapes refuse one, for each.
    fn apply(
        &self,
        desk: &Desk,
        scope: &Scope,
        taken: &[Taken],
        now: Timestamp,
    ) -> Result<Vec<Option<String>>, WorkflowError> {
        // All are applied at once: each ticket waits that long.
        let applied = |taken: &Taken| tracing::info_span!(parent: &taken.span, "apply");
        let _applied: Vec<Span> = taken.iter().map(applied).collect();
        let mut observations = Vec::with_capacity(taken.len());
        for taken in taken {
            let Some(record) = observed(desk, scope, &taken.event)? else { continue };
            let origin = taken.event.source.clone();
            let lineage = Lineage { origin, place: None, mapping: "event".to_owned(), observed: now };
            observations.push(Observation::unversioned(record, lineage));
        }
        let applied = desk.apply(observations)?;
        let refusal = |taken: &Taken| {
            let ticket = Some(&taken.event.ticket);
            applied
                .rejected
                .iter()
                .find(|rejected| rejected.record.as_ref() == ticket)
                .map(|rejected| rejected.reason.clone())
        };
        Ok(taken.iter().map(refusal).collect())
    }

    /// Handles one event, and gives what a language model was asked for it; a panic is a failure of this ticket only.
    fn handle_caught(
        &self,
        desk: &Desk,
        options: &TurnOptions<'_>,
        policies: &Policies,
        taken: &Taken,
        now: Timestamp,
    ) -> Result<Vec<ModelCall>, (String, bool)> {
        let _entered = taken.span.enter();
        let handled = catch_unwind(AssertUnwindSafe(|| self.handle(desk, options, policies, taken, now)));
        match handled {
            Ok(outcome) => outcome.map_err(|error| (error.to_string(), taken.event.is_hopeless(&error))),
            Err(_) => Err(("an agent broke on this ticket: please report it".to_owned(), false)),
        }
    }

    fn handle(
        &self,
        desk: &Desk,
        options: &TurnOptions<'_>,
        policies: &Policies,
        taken: &Taken,
        now: Timestamp,
    ) -> Result<Vec<ModelCall>, WorkflowError> {
        let ticket = desk.record(options.scope, &taken.event.ticket, None)?.map(|found| found.record);
        let is_triaged = taken.is_last && !taken.event.kind.is_end() && taken.event.told.is_none();
        let mut made = match &ticket {
            Some(ticket) if is_triaged => {
                let boundaries = policies.boundaries();
                Some(triage_within(desk, options.scope, ticket, &options.triage, boundaries, now)?)
            }
            None if is_triaged => {
                return Err(WorkflowError::NoSuchTicket { ticket: taken.event.ticket.clone() });
            }
            _ => None,
        };
        let executor = self.policies.executor();
        let found = runbook::find(desk, options.scope, &executor, ticket.as_ref(), made.as_mut())?;
        let said = Said::by_source(desk, options.scope, ticket.as_ref(), now)?;
        let (event, ticket, triage) = (&taken.event, ticket.as_ref(), made.as_ref());
        let handled = Handled { event, ticket, said: &said, triage, found };
        tracing::info_span!("conclude").in_scope(|| self.conclude(&taken.lease, policies, &handled, now))?;
        Ok(made.map(|made| made.calls).unwrap_or_default())
    }

    /// Notes a failure; a ticket whose event is set aside goes to people.
    fn fail(
        &self,
        taken: &Taken,
        reason: &str,
        is_final: bool,
        turn: &mut Turn,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        taken.span.record("error.type", if is_final { "event-refused" } else { "event-failed" });
        let correlation = Some(taken.event.correlation.clone());
        let text = format!("{}: {reason}", taken.event.ticket);
        turn.warnings.push(Warning { correlation, text });
        let is_dead = self.store.write(|batch| {
            if !taken.lease.fail(batch, reason, is_final, now)? {
                return Ok::<_, WorkflowError>(false);
            }
            let ticket = &taken.event.ticket;
            if taken.event.told.is_some() {
                // The ticket itself is as it was.
                return Ok(true);
            }
            let kept = TicketStatus::find(batch, ticket)?;
            let mut status = kept.unwrap_or_else(|| TicketStatus::new(ticket, &taken.event.correlation, now));
            settle(batch, &mut status, ("dead letter", reason), now)?;
            status.put(batch)?;
            Ok(true)
        })?;
        let counted = if is_dead { &mut turn.dead } else { &mut turn.failed };
        *counted += 1;
        Ok(())
    }

    /// Ends proposals on which nobody ruled in time: a person has to look.
    fn expire(&self, policies: &Policies, now: Timestamp) -> Result<(), WorkflowError> {
        self.store.write(|batch| {
            for item in batch.due(PROPOSAL, "open", now, u32::MAX)? {
                let ticket = item.record.clone();
                end_proposal(batch, item, "expired")?;
                let kept = ticket.map(|ticket| TicketStatus::find(batch, &ticket)).transpose()?;
                if let Some(mut status) = kept.flatten() {
                    let why = "nobody ruled on the proposal in time";
                    settle(batch, &mut status, (policies.version(), why), now)?;
                    status.put(batch)?;
                }
            }
            Ok(())
        })
    }
}
