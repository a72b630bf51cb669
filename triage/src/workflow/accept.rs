//! How does an event come in? Kept once in its ticket's journal, with the ticket put up for work, before anybody is told so.

use engine::{Batch, Item};
use jiff::Timestamp;
use ontology::RecordId;
use serde::Serialize;

use super::lease::{WORK, Work};
use super::status::TicketStatus;
use super::{Workflow, WorkflowError, written};
use crate::event::{Event, EventKind};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// Its ticket.
    pub ticket: RecordId,
    /// Its place among the events of its ticket; that of the first where it came before.
    pub sequence: u64,
    /// Whether it came before.
    pub is_duplicate: bool,
}

/// The journal of what came in for a ticket.
pub(crate) fn events_of(ticket: &RecordId) -> String {
    format!("event/{ticket}")
}

impl Workflow {
    /// Takes events in, all or none, in their order. Durable when it returns.
    ///
    /// # Errors
    /// [`WorkflowError::Event`] for an event that no desk could take, and when the store cannot be written.
    pub fn accept(&self, events: &[Event], now: Timestamp) -> Result<Vec<Accepted>, WorkflowError> {
        events.iter().try_for_each(check)?;
        self.store.write(|batch| {
            let mut accepted = Vec::with_capacity(events.len());
            for event in events {
                accepted.push(take_in(batch, event, now)?);
            }
            Ok(accepted)
        })
    }

    /// A ticket as it stands; one whose first event waits, or is worked on, has been received.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchTicket`], and when the store cannot be read.
    pub fn ticket_or_waiting(&self, ticket: &RecordId) -> Result<TicketStatus, WorkflowError> {
        let missing = match self.ticket(ticket) {
            Err(missing @ WorkflowError::NoSuchTicket { .. }) => missing,
            found => return found,
        };
        let first =
            self.store.journal(&events_of(ticket), 0, 1)?.pop().filter(|entry| !entry.body.is_empty());
        let Some(first) = first else { return Err(missing) };
        let event: Event = super::read("event", &first.body)?;
        // Feedback alone brings no ticket.
        if event.told.is_some() {
            return Err(missing);
        }
        let mut status = TicketStatus::new(ticket, &event.correlation, first.at);
        "its first event waits for an agent".clone_into(&mut status.reason);
        status.title = event.record.map(|record| record.title).unwrap_or_default();
        Ok(status)
    }

    /// How many tickets wait or are worked on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn waiting(&self) -> Result<u64, WorkflowError> {
        let states = self.store.count(WORK)?;
        Ok(["ready", "leased"].iter().filter_map(|state| states.get(*state)).sum())
    }
}

/// Keeps one event, unless it came before.
fn take_in(batch: &mut Batch<'_>, event: &Event, now: Timestamp) -> Result<Accepted, WorkflowError> {
    // No source and no id has this character.
    let key = format!("{}\u{1f}{}", event.source, event.id);
    let before = batch.item("seen", &key)?;
    let sequence = match &before {
        Some(before) => super::read("event", &before.body)?,
        None => {
            let (stream, body) = (events_of(&event.ticket), written(event)?);
            let sequence = batch.append(&stream, event.kind.as_str(), Some(&event.ticket), &body, now)?;
            batch.put(&Item {
                collection: "seen".to_owned(),
                key,
                state: "seen".to_owned(),
                due: None,
                record: None,
                body: written(&sequence)?,
            })?;
            Work::put_up(batch, &event.ticket, now)?;
            sequence
        }
    };
    let (id, ticket) = (event.id.clone(), event.ticket.clone());
    Ok(Accepted { id, ticket, sequence, is_duplicate: before.is_some() })
}

/// Has a ticket looked at again, once for an id.
pub(crate) fn look_again(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    id: &str,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let again = Event {
        id: id.to_owned(),
        source: "triagraph".to_owned(),
        kind: EventKind::Updated,
        at: now,
        correlation: status.correlation.clone(),
        traceparent: None,
        ticket: status.ticket.clone(),
        record: None,
        told: None,
    };
    take_in(batch, &again, now).map(drop)
}

/// Refuses what could never be handled, so that the sender hears of it.
fn check(event: &Event) -> Result<(), WorkflowError> {
    let refuse = |reason: &str| {
        let (id, source_name) = (event.id.clone(), event.source.clone());
        Err(WorkflowError::Event { id, source_name, reason: reason.to_owned() })
    };
    let is_plain = |text: &str| !text.is_empty() && text.len() <= 1024 && !text.chars().any(char::is_control);
    if !is_plain(&event.id) || !is_plain(&event.source) {
        return refuse("id and source must be 1 to 1,024 bytes without control characters");
    }
    match (&event.told, event.kind) {
        (Some(told), EventKind::Feedback) => told.check().or_else(refuse)?,
        (None, EventKind::Feedback) => return refuse("feedback tells what people did"),
        (Some(_), _) => return refuse("only feedback tells what people did"),
        (None, _) => {}
    }
    match &event.record {
        Some(record) if record.id != event.ticket => refuse("its subject is another ticket than its data"),
        Some(record) if !record.kind.is_ticket() => {
            refuse("its data is no ticket: give an incident, service_request, problem or change")
        }
        _ => Ok(()),
    }
}
