//! Does what came in since the last look make a burst? Looked at after each turn; what comes of it is written in one transaction.
//!
//! A look takes the tickets behind the log position of the look before, which it moves on in the same transaction: who dies between
//! leaves nothing, and the next look begins there again. Each of these tickets is tested. Where its burst holds a member of one that
//! is known, it joins that one, otherwise it makes a new one; so there is one burst of one matter, however it is cut into turns.

use std::collections::BTreeSet;

use engine::{Batch, Desk, Item};
use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, Record, RecordId, Scope};

use super::cause::explain;
use super::find::{LEAST, find};
use super::ground::Ground;
use super::kept::{Burst, BurstState};
use crate::policy::Policies;
use crate::workflow::{TicketState, TicketStatus, Workflow, WorkflowError, read, written};

/// Tickets that a look without history takes: enough to see whether anything can have come together.
const FRESH: usize = 2_000;
/// Tickets that are told later than this are no burst of now.
const LATE: SignedDuration = SignedDuration::from_hours(24);

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
        let generation = desk.generation();
        let seen = self.looked_until()?;
        if !has_handled && seen == generation {
            return Ok(());
        }
        let live = self.live_bursts()?;
        let bursts = self.looked(desk, scope, live, seen, now)?;
        let mut looked = Vec::new();
        for burst in bursts {
            let lead = desk.record(scope, &burst.lead, None)?.map(|found| found.record);
            looked.extend(lead.map(|lead| Looked { burst, lead }));
        }
        let is_stopped = self.is_stopped()?;
        self.store().write(|batch| {
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

    /// The bursts that tickets may join, with those that join them, and new ones.
    fn looked(
        &self,
        desk: &Desk,
        scope: &Scope,
        mut bursts: Vec<Burst>,
        seen: u64,
        now: Timestamp,
    ) -> Result<Vec<Burst>, WorkflowError> {
        let earliest = now.saturating_sub(LATE).unwrap_or(now);
        let is_fresh = |kind: Kind, at: Timestamp| kind == Kind::Incident && at > earliest;
        let newest = desk.arrivals(scope, FRESH)?;
        let fresh = newest.iter().filter(|one| is_fresh(one.kind, one.at));
        if fresh.clone().count() < LEAST || !fresh.clone().any(|one| one.position > seen) {
            return Ok(bursts);
        }
        let mut ground = Ground::of(desk, scope)?;
        for at in 0..ground.arrivals.len() {
            let one = &ground.arrivals[at];
            if one.position <= seen || !is_fresh(one.kind, one.at) {
                continue;
            }
            let Some(found) = find(&mut ground, at)? else { continue };
            // Only what events told of can be answered and closed here.
            let mut members = BTreeSet::new();
            for member in found.members {
                if self.has_events(&ground.arrivals[member].record)? {
                    members.insert(member);
                }
            }
            let Some(lead) = members.first().filter(|_| members.len() >= LEAST) else { continue };
            let ids = |members: &BTreeSet<usize>| -> BTreeSet<RecordId> {
                members.iter().map(|at| ground.arrivals[*at].record.clone()).collect()
            };
            let (named, last) = (ids(&members), ground.arrivals[at].at);
            let known = bursts.iter().position(|burst| !burst.members.is_disjoint(&named));
            let Some(known) = known else {
                let (lead, first) = (ground.arrivals[*lead].record.clone(), ground.arrivals[*lead].at);
                bursts.push(Burst {
                    id: Burst::id_of(&lead, first),
                    state: BurstState::Watched,
                    lead,
                    members: named,
                    causes: found.causes,
                    found: now,
                    last,
                    chance: found.chance,
                    bar: found.bar,
                    proposal: None,
                    named: BTreeSet::new(),
                });
                continue;
            };
            let burst = &mut bursts[known];
            burst.members.extend(named);
            burst.last = burst.last.max(last);
            let is_member = |at: &usize| burst.members.contains(&ground.arrivals[*at].record);
            let all: BTreeSet<usize> = (0..ground.arrivals.len()).filter(is_member).collect();
            burst.causes = explain(&mut ground, &all, last)?;
        }
        Ok(bursts)
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
        if let Some(kept) = kept {
            (burst.state, burst.proposal, burst.named) = (kept.state, kept.proposal, kept.named);
        }
        let joined: Vec<RecordId> = burst.members.difference(&before).cloned().collect();
        for member in &joined {
            if let Some(mut status) = TicketStatus::find(batch, member)? {
                status.burst = Some(burst.id.clone());
                status.put(batch)?;
            }
        }
        let Some(mut status) = TicketStatus::find(batch, &burst.lead)? else { return Ok(()) };
        match burst.state {
            BurstState::Declared if status.state == TicketState::Closed => burst.state = BurstState::Over,
            BurstState::Declared if !joined.is_empty() => burst.tell_joined(batch, &status, &joined, now)?,
            BurstState::Watched | BurstState::Proposed if status.state != TicketState::Closed => {
                burst.propose(batch, &mut status, &lead, policies, is_stopped, now)?;
                status.put(batch)?;
            }
            _ => {}
        }
        if burst.is_past(now) {
            burst.state = BurstState::Over;
        }
        burst.put(batch)
    }
}
