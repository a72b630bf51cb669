//! Who works on which ticket? One worker a ticket at a time, again after a failure, and set aside after too many.

use engine::{Batch, Item};
use jiff::{SignedDuration, Timestamp};
use ontology::RecordId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::accept::events_of;
use super::{Workflow, WorkflowError, read, written};
use crate::event::{Event, EventKind};

/// The collection of tickets with work.
pub(crate) const WORK: &str = "work";
/// The collection of events that could not be handled.
const DEAD: &str = "dead_letter";
/// How long a worker has a ticket for itself.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// Tries of one event before it is set aside.
const TRIES: u32 = 5;
/// Pause after the first failure; four times as long after each further one.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// How far a ticket's events are handled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Sequence of the last event that was handled.
    pub(crate) done: u64,
    /// Failures of the next one.
    pub(crate) failures: u32,
}

/// A ticket that this worker has for itself.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) ticket: RecordId,
    pub(crate) work: Work,
    until: Timestamp,
}

/// An event that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// What to retry it by.
    pub key: String,
    /// Its ticket.
    pub ticket: RecordId,
    /// Its place among the ticket's events.
    pub sequence: u64,
    /// How often it was tried.
    pub tries: u32,
    /// Why it failed the last time.
    pub reason: String,
    /// When it was set aside.
    pub at: Timestamp,
}

impl Work {
    /// Puts a ticket up for work; one that waits or is worked on stays as it is.
    pub(crate) fn put_up(
        batch: &mut Batch<'_>,
        ticket: &RecordId,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let found = batch.item(WORK, ticket.as_str())?;
        let work = match &found {
            Some(item) if item.state != "idle" => return Ok(()),
            Some(item) => read("work", &item.body)?,
            None => Self::default(),
        };
        work.put(batch, ticket, "ready", Some(now))
    }

    fn put(
        &self,
        batch: &mut Batch<'_>,
        ticket: &RecordId,
        state: &str,
        due: Option<Timestamp>,
    ) -> Result<(), WorkflowError> {
        let (collection, key) = (WORK.to_owned(), ticket.as_str().to_owned());
        let body = written(self)?;
        Ok(batch.put(&Item { collection, key, state: state.to_owned(), due, record: None, body })?)
    }
}

impl Lease {
    /// Notes that the next event was handled. False when the lease was lost: then nothing may be written.
    pub(super) fn end(&self, batch: &mut Batch<'_>, now: Timestamp) -> Result<bool, WorkflowError> {
        if !self.is_held(batch)? {
            return Ok(false);
        }
        let events = batch.length(&events_of(&self.ticket))?;
        let work = Work { done: events.min(self.work.done + 1), failures: 0 };
        let has_more = events > work.done;
        let (state, due) = if has_more { ("ready", Some(now)) } else { ("idle", None) };
        work.put(batch, &self.ticket, state, due)?;
        Ok(true)
    }

    /// Notes a failure of the next event: it is tried again later. True when it was set aside instead.
    pub(super) fn fail(
        &self,
        batch: &mut Batch<'_>,
        reason: &str,
        is_final: bool,
        now: Timestamp,
    ) -> Result<bool, WorkflowError> {
        let failures = self.work.failures + 1;
        if !is_final && failures < TRIES {
            if self.is_held(batch)? {
                let due = now.saturating_add(pause(&self.ticket, failures)).unwrap_or(now);
                Work { done: self.work.done, failures }.put(batch, &self.ticket, "ready", Some(due))?;
            }
            return Ok(false);
        }
        if !self.end(batch, now)? {
            return Ok(false);
        }
        let sequence = self.work.done + 1;
        let key = format!("{}#{sequence}", self.ticket);
        let (ticket, reason) = (self.ticket.clone(), reason.to_owned());
        let letter = DeadLetter { key: key.clone(), ticket, sequence, tries: failures, reason, at: now };
        batch.put(&Item {
            collection: DEAD.to_owned(),
            key,
            state: "dead".to_owned(),
            due: None,
            record: Some(self.ticket.clone()),
            body: written(&letter)?,
        })?;
        Ok(true)
    }

    /// Gives the ticket back: it was not its fault.
    pub(super) fn give_back(&self, batch: &mut Batch<'_>, now: Timestamp) -> Result<(), WorkflowError> {
        if self.is_held(batch)? {
            let due = now.saturating_add(PAUSE).unwrap_or(now);
            self.work.put(batch, &self.ticket, "ready", Some(due))?;
        }
        Ok(())
    }

    fn is_held(&self, batch: &Batch<'_>) -> Result<bool, WorkflowError> {
        let found = batch.item(WORK, self.ticket.as_str())?;
        Ok(found.is_some_and(|item| item.state == "leased" && item.due == Some(self.until)))
    }
}

impl Workflow {
    /// Frees what a dead process had leased. For whoever opens the desk, which one process holds at a time.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn recover(&self, now: Timestamp) -> Result<(), WorkflowError> {
        self.recover_runs(now)?;
        let leased = self.store.items(WORK, Some("leased"), "", u32::MAX)?;
        self.store.write(|batch| {
            for item in leased {
                batch.put(&Item { state: "ready".to_owned(), due: Some(now), ..item })?;
            }
            Ok(())
        })
    }

    /// Leases tickets that are due, the longest due first, and those whose lease has run out.
    pub(super) fn lease(&self, limit: u32, now: Timestamp) -> Result<Vec<Lease>, WorkflowError> {
        let until = now.saturating_add(LEASE).unwrap_or(now);
        // As the store keeps it: the lease is known by its moment.
        let until = Timestamp::from_microsecond(until.as_microsecond()).unwrap_or(until);
        self.store.write(|batch| {
            let mut due = batch.due(WORK, "leased", now, limit)?;
            due.extend(batch.due(WORK, "ready", now, limit.saturating_sub(due.len() as u32))?);
            let mut leases = Vec::with_capacity(due.len());
            for item in due {
                let Ok(ticket) = RecordId::new(&item.key) else { continue };
                let work: Work = read("work", &item.body)?;
                work.put(batch, &ticket, "leased", Some(until))?;
                leases.push(Lease { ticket, work, until });
            }
            Ok(leases)
        })
    }

    /// When there is work next; nothing when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, WorkflowError> {
        let moments = [(WORK, "ready"), (WORK, "leased"), ("proposal", "open")]
            .map(|(collection, state)| self.store.next_due(collection, state));
        let mut next: Option<Timestamp> = None;
        for moment in moments {
            next = moment?.into_iter().chain(next).min();
        }
        Ok(next)
    }

    /// Events that could not be handled, by key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn dead_letters(&self, after: &str, limit: u32) -> Result<Vec<DeadLetter>, WorkflowError> {
        let items = self.store.items(DEAD, Some("dead"), after, limit)?;
        items.iter().filter(|item| !item.body.is_empty()).map(|item| read(&item.key, &item.body)).collect()
    }

    /// Has an event that could not be handled tried again, after all that came since.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchDeadLetter`], and when the store cannot be written.
    pub fn retry(&self, key: &str, now: Timestamp) -> Result<DeadLetter, WorkflowError> {
        let missing = || WorkflowError::NoSuchDeadLetter { key: key.to_owned() };
        self.store.write(|batch| {
            let item = batch.item(DEAD, key)?.ok_or_else(missing)?;
            if item.state != "dead" || item.body.is_empty() {
                return Err(missing());
            }
            let letter: DeadLetter = read(key, &item.body)?;
            let stream = events_of(&letter.ticket);
            let event = batch.journal(&stream, letter.sequence - 1, 1)?.pop().ok_or_else(missing)?;
            let mut event: Event = read(key, &event.body)?;
            if batch.length(&stream)? > letter.sequence && !event.kind.is_end() && event.told.is_none() {
                // What came since is newer than what this one says of the ticket.
                event.record = None;
                event.kind = EventKind::Updated;
            }
            batch.append(&stream, event.kind.as_str(), Some(&letter.ticket), &written(&event)?, now)?;
            batch.put(&Item { state: "retried".to_owned(), ..item })?;
            Work::put_up(batch, &letter.ticket, now)?;
            Ok(letter)
        })
    }
}

/// How long to wait after a failure: longer each time, and not the same for all tickets that failed together.
fn pause(ticket: &RecordId, failures: u32) -> SignedDuration {
    let drawn = Sha256::digest(format!("{ticket}#{failures}").as_bytes())[0];
    let longer = PAUSE * 4_i32.pow(failures.saturating_sub(1).min(8));
    longer.mul_f64(0.5 + f64::from(drawn) / 255.0)
}
