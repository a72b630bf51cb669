//! How often would bursts have been called on a desk's own past, and would one that is put into it be found?

use std::collections::{BTreeMap, BTreeSet};

use engine::{Arrival, Desk, DeskError, Thing};
use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, RecordId, Reference, Relation, Scope};
use serde::{Deserialize, Serialize};

use super::cause::{Cause, explain};
use super::find::{WINDOW, find};
use super::ground::Ground;

/// Sizes of bursts that are put into the past.
const SIZES: [usize; 4] = [4, 6, 10, 20];
/// Bursts of each size.
const TRIES: usize = 60;
/// The first weeks are what later ones are compared with.
const LEARNING: SignedDuration = SignedDuration::from_hours(24 * 28);

/// What the search for bursts makes of a desk's own past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BurstTest {
    /// Incidents that were looked at, each knowing only those before it.
    pub incidents: usize,
    /// Over how many weeks, without the first four.
    pub weeks: f64,
    /// What was called a burst, in order.
    pub alarms: Vec<Alarm>,
    /// Of them those of which sources say nothing, a week.
    pub false_alarms_per_week: f64,
    /// Called where it was shuffled which ticket hit what, so that nothing belongs together, a week: false by construction.
    pub shuffled_per_week: f64,
    /// Bursts that were put in, by size.
    pub injected: Vec<Injected>,
}

/// A burst of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// When it was called: the moment of the ticket that made it one.
    pub at: Timestamp,
    /// Its tickets, the earliest first.
    pub members: Vec<RecordId>,
    /// The likeliest cause.
    pub cause: Option<Cause>,
    /// The chance of it, in an hour like that.
    pub chance: f64,
    /// Whether sources say that half of its tickets or more belong together: one parent, problem, change or original.
    pub is_told: bool,
}

/// Bursts of one size, put in at random: tickets that tell nothing alike, spread over an hour and over what rests on one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Injected {
    /// Tickets.
    pub size: usize,
    /// How many were put in.
    pub tried: usize,
    /// How many were called.
    pub found: usize,
    /// In how many of the called the thing was the likeliest cause.
    pub cause_first: usize,
    /// In how many of the called it was among those that are told.
    pub cause_told: usize,
    /// Tickets that were in when it was called, in the middle of all that were called.
    pub members_when_called: usize,
}

/// Goes through the past of a desk ticket by ticket, and puts bursts into it.
///
/// # Errors
/// [`DeskError`] for another tenant's scope, or a damaged log.
pub fn burst_test(desk: &Desk, scope: &Scope) -> Result<BurstTest, DeskError> {
    let all = desk.arrivals(scope, usize::MAX)?;
    let mut ground = Ground::from(desk, scope, all.clone());
    let span = |ground: &Ground<'_>| Some((ground.arrivals.first()?.at, ground.arrivals.last()?.at));
    let Some((first, last)) = span(&ground) else {
        let (alarms, injected) = (Vec::new(), Vec::new());
        let (weeks, false_alarms_per_week, shuffled_per_week) = (0.0, 0.0, 0.0);
        return Ok(BurstTest {
            incidents: 0,
            weeks,
            alarms,
            false_alarms_per_week,
            shuffled_per_week,
            injected,
        });
    };
    let begin = first.saturating_add(LEARNING).unwrap_or(last).min(last);
    let from = ground.arrivals.partition_point(|one| one.at < begin);
    let alarms = past_alarms(&mut ground, desk, scope, from)?;
    let shuffled = called(&mut ground.with(shuffled(&all)), from)?.len();
    let weeks = last.duration_since(begin).as_secs_f64() / 604_800.0;
    let untold = alarms.iter().filter(|alarm| !alarm.is_told).count();
    let a_week = |count: usize| if weeks > 0.0 { count as f64 / weeks } else { 0.0 };
    let (false_alarms_per_week, shuffled_per_week) = (a_week(untold), a_week(shuffled));
    let mut injected = Vec::new();
    if weeks >= 1.0 {
        for size in SIZES {
            injected.push(inject(&mut ground, &all, size, (begin, last))?);
        }
    }
    let incidents = ground.arrivals.len() - from;
    Ok(BurstTest { incidents, weeks, alarms, false_alarms_per_week, shuffled_per_week, injected })
}

/// The same moments, with what was hit dealt out anew.
fn shuffled(all: &[Arrival]) -> Vec<Arrival> {
    let mut dealt = all.to_vec();
    let incidents: Vec<usize> = (0..all.len()).filter(|at| all[*at].kind == Kind::Incident).collect();
    let (mut cards, mut dice) = (incidents.clone(), Dice(1));
    for end in (1..cards.len()).rev() {
        cards.swap(end, dice.below(end + 1));
    }
    for (at, card) in incidents.into_iter().zip(cards) {
        let Arrival { things, named, category, .. } = all[card].clone();
        (dealt[at].things, dealt[at].named, dealt[at].category) = (things, named, category);
    }
    dealt
}

/// A burst that was called: when, with what chance, and its tickets.
type Called = (Timestamp, f64, BTreeSet<usize>);

/// What is called a burst from an arrival on.
fn called(ground: &mut Ground<'_>, from: usize) -> Result<Vec<Called>, DeskError> {
    let mut bursts: Vec<Called> = Vec::new();
    for at in from..ground.arrivals.len() {
        let Some(found) = find(ground, at)? else { continue };
        let moment = ground.arrivals[at].at;
        match bursts.iter_mut().rev().take(20).find(|burst| !burst.2.is_disjoint(&found.members)) {
            Some(burst) => burst.2.extend(found.members),
            None => bursts.push((moment, found.chance, found.members)),
        }
    }
    Ok(bursts)
}

fn past_alarms(
    ground: &mut Ground<'_>,
    desk: &Desk,
    scope: &Scope,
    from: usize,
) -> Result<Vec<Alarm>, DeskError> {
    let mut alarms = Vec::new();
    for (at, chance, members) in called(ground, from)? {
        let last = members.last().map_or(at, |last| ground.arrivals[*last].at);
        let cause = explain(ground, &members, last)?.into_iter().next();
        let members: Vec<RecordId> =
            members.into_iter().map(|at| ground.arrivals[at].record.clone()).collect();
        let is_told = is_told(desk, scope, &members)?;
        alarms.push(Alarm { at, members, cause, chance, is_told });
    }
    Ok(alarms)
}

/// Whether half of some tickets or more are linked to one other, or are it.
fn is_told(desk: &Desk, scope: &Scope, members: &[RecordId]) -> Result<bool, DeskError> {
    let mut together: BTreeMap<RecordId, usize> = BTreeMap::new();
    for member in members {
        let mut named = BTreeSet::from([member.clone()]);
        let record = desk.record(scope, member, None)?.map(|seen| seen.record);
        for link in record.iter().flat_map(|record| record.links.iter()) {
            use Relation::{CausedBy, DuplicateOf, PartOf, RelatedTo};
            if [CausedBy, DuplicateOf, PartOf, RelatedTo].contains(&link.relation) {
                match &link.target {
                    Reference::Record(id) => _ = named.insert(id.clone()),
                    Reference::Name(name) => named.extend(desk.find(scope, name)?),
                }
            }
        }
        named.into_iter().for_each(|one| *together.entry(one).or_default() += 1);
    }
    Ok(together.values().max().is_some_and(|most| *most >= 2 && 2 * most >= members.len()))
}

fn inject(
    ground: &mut Ground<'_>,
    all: &[Arrival],
    size: usize,
    (begin, last): (Timestamp, Timestamp),
) -> Result<Injected, DeskError> {
    let mut dice = Dice(size as u64);
    let called: Vec<&Arrival> =
        all.iter().filter(|one| one.kind == Kind::Incident && !one.things.is_empty()).collect();
    let mut result =
        Injected { size, tried: 0, found: 0, cause_first: 0, cause_told: 0, members_when_called: 0 };
    let mut when_called = Vec::new();
    for _ in 0..TRIES {
        if called.is_empty() {
            break;
        }
        result.tried += 1;
        let hit = &called[dice.below(called.len())].things;
        let broken = hit[dice.below(hit.len())].clone();
        let resting: Vec<Thing> = ground.cone(&broken)?.iter().cloned().collect();
        let span = last.duration_since(begin).as_secs().max(1) as usize;
        let start = begin.saturating_add(SignedDuration::from_secs(dice.below(span) as i64)).unwrap_or(begin);
        let mut with: Vec<Arrival> = all.to_vec();
        for number in 0..size {
            let later = SignedDuration::from_secs(dice.below(WINDOW.as_secs() as usize) as i64);
            // What is broken is called about itself, and what rests on it is.
            let thing = if number == 0 { broken.clone() } else { resting[dice.below(resting.len())].clone() };
            with.push(Arrival {
                position: 0,
                record: RecordId::new(&format!("injected:{number}"))
                    .unwrap_or_else(|_| all[0].record.clone()),
                kind: Kind::Incident,
                at: start.saturating_add(later).unwrap_or(start),
                state: None,
                resolved: None,
                modified: None,
                things: vec![thing],
                named: Vec::new(),
                category: Vec::new(),
            });
        }
        with.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.record.cmp(&b.record)));
        let mut ground = ground.with(with);
        let put_in = |at: &usize, ground: &Ground<'_>| ground.arrivals[*at].record.source() == "injected";
        for at in 0..ground.arrivals.len() {
            if !put_in(&at, &ground) {
                continue;
            }
            let Some(found) = find(&mut ground, at)? else { continue };
            result.found += 1;
            when_called.push(found.members.iter().filter(|at| put_in(at, &ground)).count());
            let moment = ground.arrivals[at].at;
            let causes = explain(&mut ground, &found.members, moment)?;
            result.cause_first += usize::from(causes.first().is_some_and(|one| one.thing == broken));
            result.cause_told += usize::from(causes.iter().any(|one| one.thing == broken));
            break;
        }
    }
    when_called.sort_unstable();
    result.members_when_called = when_called.get(when_called.len() / 2).copied().unwrap_or(0);
    Ok(result)
}

/// Numbers that are the same at each run: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}
