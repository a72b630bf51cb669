//! Which tickets come near the end of what their callers were promised? People are warned of each target once, and once it is missed the ticket
//! goes to them, where the policies let it.
//!
//! An item for each ticket says when it has to be looked at again; it is put up whenever the ticket moves, and all are when the
//! service levels change. What is looked at is worked out anew from the ticket's life, so a moment that has passed while nobody was there is
//! made up for, and what was told stands in the item: nothing is told twice, whoever dies.

mod look;

use std::collections::BTreeSet;

use engine::{Batch, Desk, Item};
use jiff::Timestamp;
use ontology::{RecordId, Scope};
use serde::{Deserialize, Serialize};

use super::status::{TicketState, TicketStatus};
use super::turn::{Turn, Warning};
use super::{Workflow, WorkflowError, read, written};
use crate::policy::Policies;
use crate::service::{Clocks, Kept, ServiceLevels, Standing, Target, TicketLife, life};
use look::{Look, note, said};

/// The collection of moments at which a ticket's targets are looked at.
const PROMISE: &str = "promise";
/// Tickets that are looked at in one turn.
const TICKETS: u32 = 512;

/// What people were told about a ticket's targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Promised {
    warned: BTreeSet<Target>,
    missed: BTreeSet<Target>,
}

/// That a target comes to its end, or is missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When people were told.
    pub at: Timestamp,
    /// `warning` or `breach`.
    pub kind: String,
    /// How the ticket stood.
    pub standing: Standing,
    /// In words, with what was done about it.
    pub why: String,
    /// Whether the ticket went to people because of it.
    pub is_escalated: bool,
    /// What belongs together across systems.
    pub correlation: String,
}

/// The journal of what people were told about the targets of a ticket.
fn notices_of(ticket: &RecordId) -> String {
    format!("service/{ticket}")
}

/// Has the targets of a ticket looked at in the next turn.
pub(super) fn put_up(batch: &mut Batch<'_>, status: &TicketStatus) -> Result<(), WorkflowError> {
    let key = status.ticket.as_str().to_owned();
    let kept = batch.item(PROMISE, &key)?.map(|item| item.body).filter(|body| !body.is_empty());
    let body = kept.map_or_else(|| written(&Promised::default()), Ok)?;
    let (due, record) = (Some(status.since), Some(status.ticket.clone()));
    Ok(batch.put(&Item {
        collection: PROMISE.to_owned(),
        key,
        state: "ready".to_owned(),
        due,
        record,
        body,
    })?)
}

impl Workflow {
    /// How a ticket stands towards what its caller was promised; empty where it was promised nothing.
    ///
    /// # Errors
    /// When log or store cannot be read.
    pub fn standings(
        &self,
        desk: &Desk,
        scope: &Scope,
        status: &TicketStatus,
        now: Timestamp,
    ) -> Result<Vec<Standing>, WorkflowError> {
        let levels = self.policies.levels();
        let life = life(desk, scope, &status.ticket, Some(status))?;
        Ok(life.map(|life| standings(&levels, &life, now)).unwrap_or_default())
    }

    /// What people were told about the targets of a ticket, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn notices(&self, ticket: &RecordId) -> Result<Vec<Notice>, WorkflowError> {
        let entries = self.store.journal(&notices_of(ticket), 0, u32::MAX)?;
        let whole = entries.iter().filter(|entry| !entry.body.is_empty());
        whole.map(|entry| read("a notice", &entry.body)).collect()
    }

    /// Looks at the targets that are due.
    pub(super) fn keep_promises(
        &self,
        desk: &Desk,
        scope: &Scope,
        policies: &Policies,
        turn: &mut Turn,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        if let Err(error) = self.policies.reload_levels_if_changed() {
            turn.warnings.push(Warning { correlation: None, text: error.to_string() });
        }
        let levels = self.policies.levels();
        self.take_up(&levels, now)?;
        if self.store.next_due(PROMISE, "ready")?.is_none_or(|due| due > now) {
            return Ok(());
        }
        let is_stopped = self.is_stopped()?;
        let due = self.store.write(|batch| batch.due(PROMISE, "ready", now, TICKETS))?;
        for item in due {
            let Ok(ticket) = RecordId::new(&item.key) else { continue };
            let status = match self.ticket(&ticket) {
                Ok(status) => Some(status),
                Err(WorkflowError::NoSuchTicket { .. }) => None,
                // One that cannot be read must not keep the others waiting.
                Err(WorkflowError::Unreadable { what, reason }) => {
                    let text =
                        format!("{ticket}: {what} cannot be read ({reason}): its targets are not watched");
                    turn.warnings.push(Warning { correlation: None, text });
                    None
                }
                Err(error) => return Err(error),
            };
            let life =
                status.as_ref().map(|status| life(desk, scope, &ticket, Some(status))).transpose()?.flatten();
            let Some((status, life)) = status.zip(life) else {
                // It was purged or deleted.
                self.store.write(|batch| batch.put(&Item { state: "idle".to_owned(), due: None, ..item }))?;
                continue;
            };
            let look =
                Look { policies, is_stopped, life: &life, standings: standings(&levels, &life, now), now };
            self.look(item, status, &look, turn)?;
        }
        Ok(())
    }

    /// Has all targets looked at once the service levels have changed.
    fn take_up(&self, levels: &ServiceLevels, now: Timestamp) -> Result<(), WorkflowError> {
        if self.store.item("setting", "levels")?.is_some_and(|item| item.state == levels.version) {
            return Ok(());
        }
        let all = self.tickets(None, "", u32::MAX)?;
        self.store.write(|batch| {
            let open = all.iter().filter(|status| status.state != TicketState::Closed);
            open.clone().try_for_each(|status| put_up(batch, status))?;
            Ok(batch.put(&Item {
                collection: "setting".to_owned(),
                key: "levels".to_owned(),
                state: levels.version.clone(),
                due: None,
                record: None,
                body: written(&now)?,
            })?)
        })
    }

    /// Tells what is to be told of one ticket, and says when to look again.
    fn look(
        &self,
        item: Item,
        read_before: TicketStatus,
        look: &Look<'_>,
        turn: &mut Turn,
    ) -> Result<(), WorkflowError> {
        let has_missed = look.standings.iter().any(|standing| standing.state == Kept::Missed);
        let triage = if has_missed { self.triage_of(&read_before.ticket)? } else { None };
        let told = self.store.write(|batch| {
            // Whatever happened to it meanwhile has put it up again.
            if batch.item(PROMISE, &item.key)?.as_ref() != Some(&item) {
                return Ok::<_, WorkflowError>((0, 0));
            }
            let mut promised: Promised = match item.body.is_empty() {
                true => Promised::default(),
                false => read("promise", &item.body)?,
            };
            let Some(mut status) = TicketStatus::find(batch, &read_before.ticket)? else { return Ok((0, 0)) };
            let (mut warned, mut missed) = (0, 0);
            for standing in &look.standings {
                if standing.state == Kept::Missed && promised.missed.insert(standing.target) {
                    promised.warned.insert(standing.target);
                    missed += 1;
                    look.miss(batch, &mut status, standing, triage.as_ref())?;
                } else if look.is_near(standing) && promised.warned.insert(standing.target) {
                    warned += 1;
                    let why = format!("{} come to their end", said(standing));
                    note(batch, &status, "warning", standing, (&why, false), look.now)?;
                }
            }
            let due = look.next(&promised);
            let state = if due.is_some() { "ready" } else { "idle" };
            let body = written(&promised)?;
            batch.put(&Item { state: state.to_owned(), due, body, ..item })?;
            Ok((warned, missed))
        })?;
        turn.warned += told.0;
        turn.missed += told.1;
        Ok(())
    }
}

fn standings(levels: &ServiceLevels, life: &TicketLife, now: Timestamp) -> Vec<Standing> {
    Clocks::new(levels, life.created, now).standings(life, now)
}
