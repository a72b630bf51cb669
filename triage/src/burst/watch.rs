//! Does what came in since the last look make a burst? Looked at after each turn; what comes of it is written in one transaction.
//!
//! A look takes the tickets behind the log position of the look before, which it moves on in the same transaction: who dies between
//! leaves nothing, and the next look begins there again. Each of these tickets is tested. Where its burst holds a member of one that
//! is known, it joins that one, otherwise it makes a new one; so there is one burst of one matter, however it is cut into turns.

use std::collections::BTreeSet;

use engine::{Batch, Desk, Item};
use jiff::Timestamp;
use ontology::{Record, RecordId, Scope};

use super::kept::{Burst, BurstState};
use super::look::{Told, look};
use crate::policy::{Agent, Policies};
use crate::workflow::{TicketState, TicketStatus, Workflow, WorkflowError, read, written};

/// A burst as a look made it, and the record of its lead as it is now.
pub(super) struct Looked {
    pub(super) burst: Burst,
    pub(super) lead: Record,
}

impl Workflow {
    /// Looks for bursts in what came in since the last look.
    pub(crate) fn watch_bursts(
        &self,
        desk: &Desk,
        scope: &Scope,
        policies: &Policies,
        has_handled: bool,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let scope = &policies.boundaries().scope(Agent::Escalation, scope);
        let generation = desk.generation();
        let seen = self.looked_until()?;
        if !has_handled && seen == generation {
            return Ok(());
        }
        // What goes on without its lead is found anew, with another one.
        let (mut live, mut gone) = (Vec::new(), Vec::new());
        for burst in self.live_bursts()? {
            let is_there = desk.record(scope, &burst.lead, None)?.is_some();
            if is_there { live.push(burst) } else { gone.push(burst.id) }
        }
        let is_told = |ticket: &RecordId| self.has_events(ticket);
        let bursts = look(desk, scope, live, seen, &mut Told::by(&is_told), now)?;
        let mut looked = Vec::new();
        for burst in bursts {
            let lead = desk.record(scope, &burst.lead, None)?.map(|found| found.record);
            looked.extend(lead.map(|lead| Looked { burst, lead }));
        }
        let is_stopped = self.is_stopped()?;
        self.store().write(|batch| {
            for id in gone {
                if let Some(burst) = Burst::find(batch, &id)? {
                    Burst { state: BurstState::Over, ..burst }.put(batch)?;
                }
            }
            for one in looked {
                self.keep_burst(batch, one, policies, is_stopped, now)?;
            }
            Ok(batch.put(&Item {
                collection: "setting".to_owned(),
                key: "looked-for-bursts".to_owned(),
                state: "until".to_owned(),
                due: None,
                record: None,
                body: written(&generation)?,
            })?)
        })
    }

    /// The log position of the last look.
    fn looked_until(&self) -> Result<u64, WorkflowError> {
        let item = self.store().item("setting", "looked-for-bursts")?;
        item.map_or(Ok(0), |item| read("the last look for bursts", &item.body))
    }

    fn has_events(&self, ticket: &RecordId) -> Result<bool, WorkflowError> {
        match self.ticket(ticket) {
            Ok(status) => Ok(status.state != TicketState::Closed),
            Err(WorkflowError::NoSuchTicket { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a burst as a look made it over what is kept of it, which people may have ruled on since.
    fn keep_burst(
        &self,
        batch: &mut Batch<'_>,
        Looked { mut burst, lead }: Looked,
        policies: &Policies,
        is_stopped: bool,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let kept = Burst::find(batch, &burst.id)?;
        let before = kept.as_ref().map_or_else(BTreeSet::new, |kept| kept.members.clone());
        if let Some(kept) = kept.clone() {
            (burst.state, burst.proposal, burst.named) = (kept.state, kept.proposal, kept.named);
            // People may have put members in meanwhile, and taken others out.
            burst.members.extend(kept.members);
            burst.members.retain(|member| !kept.taken_out.contains(member));
            burst.taken_out = kept.taken_out;
        }
        let joined: Vec<RecordId> = burst.members.difference(&before).cloned().collect();
        for member in &joined {
            if let Some(mut status) = TicketStatus::find(batch, member)? {
                status.burst = Some(burst.id.clone());
                status.put(batch)?;
            }
        }
        let Some(mut status) = TicketStatus::find(batch, &burst.lead)? else {
            return Burst { state: BurstState::Over, ..burst }.put(batch);
        };
        let lead_before = status.clone();
        match burst.state {
            BurstState::Watched | BurstState::Proposed | BurstState::Declared
                if status.state == TicketState::Closed =>
            {
                burst.state = BurstState::Over;
            }
            BurstState::Declared if !joined.is_empty() => burst.tell_joined(batch, &status, &joined, now)?,
            BurstState::Watched | BurstState::Proposed => {
                burst.propose(batch, &mut status, &lead, policies, is_stopped, now)?;
                if status != lead_before {
                    status.put(batch)?;
                }
            }
            _ => {}
        }
        if burst.is_past(now) {
            burst.state = BurstState::Over;
        }
        if kept.as_ref() == Some(&burst) { Ok(()) } else { burst.put(batch) }
    }
}
