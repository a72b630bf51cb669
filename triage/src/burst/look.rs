//! Which bursts do the tickets behind a log position make or join? A reading of the desk that writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Arrival, Desk};
use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, RecordId, Scope};

use super::cause::explain;
use super::find::{Found, LEAST, find};
use super::ground::Ground;
use super::kept::{Burst, BurstState};
use crate::workflow::WorkflowError;

/// Tickets that a look without history takes: enough to see whether anything can have come together.
const FRESH: usize = 2_000;
/// Tickets that are told later than this are no burst of now.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// What the store knows of tickets, asked once each.
pub(super) struct Told<'a> {
    /// Whether events told of a ticket, and it is not closed: only such a one can be answered and closed here.
    pub(super) is_told: &'a dyn Fn(&RecordId) -> Result<bool, WorkflowError>,
    known: BTreeMap<RecordId, bool>,
}

impl<'a> Told<'a> {
    pub(super) fn by(is_told: &'a dyn Fn(&RecordId) -> Result<bool, WorkflowError>) -> Self {
        Self { is_told, known: BTreeMap::new() }
    }

    fn has(&mut self, ticket: &RecordId) -> Result<bool, WorkflowError> {
        if let Some(known) = self.known.get(ticket) {
            return Ok(*known);
        }
        let told = (self.is_told)(ticket)?;
        self.known.insert(ticket.clone(), told);
        Ok(told)
    }
}

/// The bursts that tickets may join, with those behind a log position that join them, and new ones.
pub(super) fn look(
    desk: &Desk,
    scope: &Scope,
    mut bursts: Vec<Burst>,
    seen: u64,
    told: &mut Told<'_>,
    now: Timestamp,
) -> Result<Vec<Burst>, WorkflowError> {
    let earliest = now.saturating_sub(LATE).unwrap_or(now);
    let is_fresh = |one: &Arrival| one.kind == Kind::Incident && one.at > earliest;
    let newest = desk.arrivals(scope, FRESH)?;
    let fresh = newest.iter().filter(|one| is_fresh(one));
    if fresh.clone().count() < LEAST || !fresh.clone().any(|one| one.position > seen) {
        return Ok(bursts);
    }
    let mut ground = Ground::of(desk, scope)?;
    let mut touched: BTreeMap<usize, Timestamp> = BTreeMap::new();
    for at in 0..ground.arrivals.len() {
        if ground.arrivals[at].position <= seen || !is_fresh(&ground.arrivals[at]) {
            continue;
        }
        let Some(found) = find(&mut ground, at)? else { continue };
        let moment = ground.arrivals[at].at;
        if let Some(number) = join(&ground, &mut bursts, found, told, (moment, now))? {
            touched.insert(number, moment);
        }
    }
    for (number, last) in touched {
        let burst = &mut bursts[number];
        let is_member = |at: &usize| burst.members.contains(&ground.arrivals[*at].record);
        let members: BTreeSet<usize> = (0..ground.arrivals.len()).filter(is_member).collect();
        burst.causes = explain(&mut ground, &members, last)?;
    }
    Ok(bursts)
}

/// Puts what was found into the burst that it belongs to, or makes a new one; the number of that.
fn join(
    ground: &Ground<'_>,
    bursts: &mut Vec<Burst>,
    found: Found,
    told: &mut Told<'_>,
    (moment, now): (Timestamp, Timestamp),
) -> Result<Option<usize>, WorkflowError> {
    let arrivals = &ground.arrivals;
    let is_of = |burst: &Burst| found.members.iter().any(|at| burst.members.contains(&arrivals[*at].record));
    if let Some(number) = bursts.iter().position(is_of) {
        for at in found.members {
            let member = &arrivals[at].record;
            // Who is in another one stays there: a ticket belongs to one burst.
            let is_in = bursts.iter().any(|burst| burst.members.contains(member))
                || bursts[number].taken_out.contains(member);
            if !is_in && told.has(member)? {
                bursts[number].members.insert(member.clone());
            }
        }
        bursts[number].last = bursts[number].last.max(moment);
        return Ok(Some(number));
    }
    let mut members: Vec<usize> = Vec::new();
    for at in found.members {
        if told.has(&arrivals[at].record)? {
            members.push(at);
        }
    }
    let Some(lead) = members.first().filter(|_| members.len() >= LEAST) else { return Ok(None) };
    let lead = &arrivals[*lead];
    bursts.push(Burst {
        id: Burst::id_of(&lead.record, lead.at),
        state: BurstState::Watched,
        lead: lead.record.clone(),
        members: members.iter().map(|at| arrivals[*at].record.clone()).collect(),
        causes: Vec::new(),
        found: now,
        last: moment,
        chance: found.chance,
        bar: found.bar,
        proposal: None,
        named: BTreeSet::new(),
        taken_out: BTreeSet::new(),
    });
    Ok(Some(bursts.len() - 1))
}
