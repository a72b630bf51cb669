//! On what ground does a burst stand out? The incidents of the past by thing and hour, and what rests on what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::{Arrival, Desk, DeskError, Thing, Way};
use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, RecordId, Scope};

use super::profile::Profile;
use crate::counting::Rate;

/// Incidents and changes that are looked at, those that came last: a look stays bounded on a large desk.
const NEWEST: usize = 20_000;
/// How far back traffic is compared with.
const PAST: SignedDuration = SignedDuration::from_hours(24 * 90);
/// What is believed of a cone that nothing is known of: half a ticket in a week.
const UNKNOWN_HOURS: f64 = 168.0;
/// A rate is never known better than from so many tickets: days differ more than Poisson says.
const SUREST: f64 = 20.0;

/// What rests on a thing, itself included.
type Cone = Arc<BTreeSet<Thing>>;

/// The incidents of a desk, and its map of things.
pub(super) struct Ground<'a> {
    desk: &'a Desk,
    scope: &'a Scope,
    /// The earliest first.
    pub(super) arrivals: Vec<Arrival>,
    changes: Vec<Arrival>,
    profile: Profile,
    by_thing: BTreeMap<Thing, Vec<usize>>,
    by_name: BTreeMap<Thing, Vec<usize>>,
    needs: BTreeMap<Thing, Arc<Vec<(Thing, u8)>>>,
    cones: BTreeMap<Thing, Cone>,
}

impl<'a> Ground<'a> {
    pub(super) fn of(desk: &'a Desk, scope: &'a Scope) -> Result<Self, DeskError> {
        let all = desk.arrivals(scope, NEWEST)?;
        Ok(Self::from(desk, scope, all))
    }

    /// The ground that some arrivals make, the earliest first.
    pub(super) fn from(desk: &'a Desk, scope: &'a Scope, all: Vec<Arrival>) -> Self {
        let (changes, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.kind == Kind::Change);
        let mut arrivals: Vec<Arrival> =
            others.into_iter().filter(|one| one.kind == Kind::Incident).collect();
        let (mut by_thing, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for (at, arrival) in arrivals.iter_mut().enumerate() {
            if arrival.things.is_empty() && !arrival.category.is_empty() {
                // Those that hit nothing meet by what they are filed under.
                arrival.things = vec![Thing::Named(arrival.category.join(" / "))];
            }
            for thing in &arrival.things {
                by_thing.entry(thing.clone()).or_insert_with(Vec::new).push(at);
            }
            for thing in &arrival.named {
                by_name.entry(thing.clone()).or_insert_with(Vec::new).push(at);
            }
        }
        let profile = Profile::of(arrivals.iter().map(|arrival| arrival.at));
        let (needs, cones) = (BTreeMap::new(), BTreeMap::new());
        Self { desk, scope, arrivals, changes, profile, by_thing, by_name, needs, cones }
    }

    /// The same ground under other arrivals, the earliest first.
    pub(super) fn with(&self, all: Vec<Arrival>) -> Self {
        let (needs, cones) = (self.needs.clone(), self.cones.clone());
        Self { needs, cones, ..Self::from(self.desk, self.scope, all) }
    }

    /// What could be behind an arrival: what it hits, and what that needs; the nearest first.
    pub(super) fn behind(&mut self, at: usize) -> Result<Vec<Thing>, DeskError> {
        let mut behind: BTreeMap<Thing, u8> = BTreeMap::new();
        for thing in self.arrivals[at].things.clone() {
            for (cause, step) in self.needs(&thing)?.iter() {
                let nearest = behind.entry(cause.clone()).or_insert(*step);
                *nearest = (*nearest).min(*step);
            }
        }
        let mut behind: Vec<(u8, Thing)> = behind.into_iter().map(|(thing, step)| (step, thing)).collect();
        behind.sort();
        Ok(behind.into_iter().map(|(_, thing)| thing).collect())
    }

    fn needs(&mut self, thing: &Thing) -> Result<Arc<Vec<(Thing, u8)>>, DeskError> {
        if let Some(known) = self.needs.get(thing) {
            return Ok(Arc::clone(known));
        }
        let found = match thing {
            Thing::Named(_) => vec![(thing.clone(), 0)],
            Thing::Known(id) => self.walk(id, Way::Needs)?,
        };
        let found = Arc::new(found);
        self.needs.insert(thing.clone(), Arc::clone(&found));
        Ok(found)
    }

    /// All that rests on a thing.
    pub(super) fn cone(&mut self, thing: &Thing) -> Result<Cone, DeskError> {
        if let Some(known) = self.cones.get(thing) {
            return Ok(Arc::clone(known));
        }
        let found: BTreeSet<Thing> = match thing {
            Thing::Named(_) => [thing.clone()].into(),
            Thing::Known(id) => self.walk(id, Way::NeededBy)?.into_iter().map(|(one, _)| one).collect(),
        };
        let found = Arc::new(found);
        self.cones.insert(thing.clone(), Arc::clone(&found));
        Ok(found)
    }

    fn walk(&self, id: &RecordId, way: Way) -> Result<Vec<(Thing, u8)>, DeskError> {
        let found = self.desk.reach(self.scope, id, way)?;
        Ok(found.into_iter().map(|(one, step)| (Thing::Known(one), step)).collect())
    }

    /// The arrivals that hit a cone in a span: behind its beginning, up to its end; the earliest first.
    pub(super) fn inside(&self, cone: &Cone, after: Timestamp, until: Timestamp) -> Vec<usize> {
        let hits = cone.iter().filter_map(|thing| self.by_thing.get(thing));
        self.within(hits, after, until).into_iter().collect()
    }

    /// How many arrivals of a span hit the cone of a thing, or name the thing itself.
    pub(super) fn touching(
        &self,
        thing: &Thing,
        cone: &Cone,
        (after, until): (Timestamp, Timestamp),
    ) -> usize {
        let hits = cone.iter().filter_map(|thing| self.by_thing.get(thing));
        self.within(hits.chain(self.by_name.get(thing)), after, until).len()
    }

    fn within<'b>(
        &self,
        hits: impl Iterator<Item = &'b Vec<usize>>,
        after: Timestamp,
        until: Timestamp,
    ) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for hits in hits {
            let from = hits.partition_point(|at| self.arrivals[*at].at <= after);
            found.extend(hits[from..].iter().take_while(|at| self.arrivals[**at].at <= until));
        }
        found
    }

    /// The time before a moment that traffic is compared with.
    pub(super) fn past(&self, before: Timestamp) -> (Timestamp, Timestamp) {
        let first = self.arrivals.first().map_or(before, |first| first.at).min(before);
        (before.saturating_sub(PAST).unwrap_or(first).max(first), before)
    }

    /// The rate of so many tickets of a span, in tickets of an average hour.
    pub(super) fn rate(&self, count: usize, (from, until): (Timestamp, Timestamp)) -> Rate {
        let hours = self.profile.exposure(from, until) + UNKNOWN_HOURS;
        Rate::of(count as f64, hours).no_surer_than(SUREST)
    }

    /// The traffic of a span, in average hours.
    pub(super) fn exposure(&self, from: Timestamp, until: Timestamp) -> f64 {
        self.profile.exposure(from, until)
    }

    /// Incidents of the desk in an average week of a span.
    pub(super) fn weekly(&self, (from, until): (Timestamp, Timestamp)) -> f64 {
        let first = self.arrivals.partition_point(|one| one.at <= from);
        let last = self.arrivals.partition_point(|one| one.at <= until);
        let weeks = until.duration_since(from).as_secs_f64() / 604_800.0;
        (last - first) as f64 / weeks.max(1.0)
    }

    /// Which of some arrivals tell much the same as one of them.
    pub(super) fn alike(&self, one: usize, others: &[usize]) -> Result<Vec<usize>, DeskError> {
        let ids: Vec<RecordId> = others.iter().map(|at| self.arrivals[*at].record.clone()).collect();
        let cosines = self.desk.cosines(self.scope, &self.arrivals[one].record, &ids)?;
        let near =
            others.iter().zip(cosines).filter(|(_, cosine)| cosine.is_some_and(|it| it >= super::ALIKE));
        Ok(near.map(|(at, _)| *at).collect())
    }

    /// Changes of a thing itself in a span.
    pub(super) fn changes(&self, thing: &Thing, after: Timestamp, until: Timestamp) -> Vec<&Arrival> {
        let hits = self.changes.iter().filter(|change| change.things.contains(thing));
        hits.filter(|change| change.done().is_some_and(|done| done > after && done <= until)).collect()
    }
}
