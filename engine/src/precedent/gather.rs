//! Which tickets stand in the places of a ticket, and what did each go by? A walk from names to those that refer to them.

use std::collections::BTreeSet;

use ontology::{Kind, Record, RecordId, Reference, Relation};

use super::blend::Tally;
use super::{Place, Sought};
use crate::derive;
use crate::query::{Bounds, around};
use crate::table::{KeyId, Revision, Table, category_key};
use crate::visible::Visible;

/// Tickets of one place that are counted, the newest. What solved things long ago says less; and a place costs no more.
const COUNTED: usize = 500;
/// Referrers of one place that are looked at, whether they are tickets that tell something or not.
const LOOKED_AT: usize = 5_000;
/// Things around what is hit that are looked at.
const THINGS: usize = 64;

/// What a ticket went by: a record, or the name of one that is not there to see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Known(RecordId),
    Named(KeyId),
}

/// Reads the table for one ticket.
pub(super) struct Gather<'a> {
    pub(super) table: &'a Table,
    pub(super) visible: &'a Visible,
    pub(super) sought: Sought,
    /// The ticket, which says nothing of itself.
    pub(super) itself: Option<&'a RecordId>,
}

/// Something that is hit.
enum Thing<'a> {
    Known(&'a Revision),
    Named(KeyId),
}

impl Thing<'_> {
    fn number(&self) -> (Option<u64>, Option<KeyId>) {
        match self {
            Self::Known(revision) => (Some(revision.position), None),
            Self::Named(key) => (None, Some(*key)),
        }
    }
}

/// An earlier ticket and what it went by.
struct Told<'a> {
    ticket: &'a Revision,
    outcomes: Vec<Outcome>,
}

impl<'a> Gather<'a> {
    /// The places of a ticket with what solved the tickets there, the most general first. `about` is all that it concerns
    /// by links and words.
    pub(super) fn counted(
        &self,
        record: Option<&Record>,
        about: &[RecordId],
    ) -> Vec<(Place, Tally<Outcome>)> {
        let things = self.things(record, about);
        let ticket = record.filter(|record| record.kind.is_ticket());
        let category = ticket.and_then(|ticket| category_key(&ticket.category));
        let category = category.and_then(|key| self.table.key(&key));
        let mut places = vec![(Place::Told, Tally::new([self.by_source(&things).as_slice()]))];
        let mut add = |place, tickets: &[&Told<'_>]| {
            let newest = tickets.iter().take(COUNTED);
            places.push((place, Tally::new(newest.map(|told| told.outcomes.as_slice()))));
        };
        if let Some(key) = category {
            let filed = self.told(&[key], &|ticket| ticket.filed == Some(key));
            add(Place::Category, &filed.iter().collect::<Vec<_>>());
        }
        let around = self.around(&things);
        if !around.is_empty() {
            add(Place::Around, &self.on(&around).iter().collect::<Vec<_>>());
        }
        let mut most_special = None;
        for thing in &things {
            let item = self.name(thing);
            let on_it = self.on(std::slice::from_ref(thing));
            let within = |wanted: &dyn Fn(&Revision) -> bool| -> Vec<&Told<'_>> {
                on_it.iter().filter(|told| wanted(told.ticket)).collect()
            };
            add(Place::Hit { item: item.clone() }, &within(&|_| true));
            let same = within(&|ticket| category.is_some() && ticket.filed == category);
            // Where all are of one category it would only be counted twice.
            if same.len() < on_it.len() {
                add(Place::HitInCategory { item: item.clone() }, &same);
            }
            let ranks = ticket.map(|ticket| (ticket.impact, ticket.urgency));
            let as_badly = within(&|ticket| ranks == Some((ticket.impact, ticket.urgency)));
            let tallied = Tally::new(as_badly.iter().take(COUNTED).map(|told| told.outcomes.as_slice()));
            most_special = ranks.filter(|ranks| *ranks != (None, None)).map(|_| (item, tallied));
        }
        if let Some((item, tally)) = most_special {
            places.push((Place::HitAsBadly { item }, tally));
        }
        places
    }

    /// What orders outcomes that are equally likely, whichever came first.
    pub(super) fn order<'b>(&self, outcome: &'b Outcome) -> (Option<&'b RecordId>, &'b str)
    where
        'a: 'b,
    {
        match outcome {
            Outcome::Named(key) => (None, self.table.key_text(*key)),
            Outcome::Known(id) => (Some(id), ""),
        }
    }

    /// The record of an outcome, and what people call it: a title, or what the newest ticket wrote.
    pub(super) fn shown(&self, outcome: &Outcome) -> (Option<RecordId>, String) {
        match outcome {
            Outcome::Known(id) => {
                let seen = self.table.shown(id, self.visible).and_then(|at| self.table.revision(at));
                (Some(id.clone()), seen.map_or_else(String::new, |seen| seen.title.to_string()))
            }
            Outcome::Named(key) => {
                let naming = self.table.referrers(*key).iter().rev().filter(|at| self.visible.contains(**at));
                let links = naming.filter_map(|at| self.table.revision(*at)).flat_map(|one| one.links.iter());
                let label =
                    links.filter(|link| link.keys.first() == Some(key)).map(|link| &link.label).next();
                (None, label.map_or_else(|| self.table.key_text(*key).to_owned(), ToString::to_string))
            }
        }
    }

    /// What is hit, the most general first: what only words name, services before items, and of what the source links the
    /// first last, since systems name the item before its service.
    fn things(&self, record: Option<&Record>, about: &[RecordId]) -> Vec<Thing<'a>> {
        let mut linked = Vec::new();
        for link in record.iter().flat_map(|record| record.links.iter().rev()) {
            if link.relation == Relation::Affects {
                let texts = match &link.target {
                    Reference::Record(id) => vec![id.as_str().to_lowercase()],
                    Reference::Name(name) => derive::reference_keys(name),
                };
                let keys: Vec<KeyId> = texts.iter().filter_map(|text| self.table.key(text)).collect();
                let source = self.itself.map_or("", |id| id.source());
                linked.extend(self.thing(&keys, source));
            }
        }
        let is_linked = |id: &RecordId| {
            linked.iter().any(|thing| matches!(thing, Thing::Known(revision) if revision.id == *id))
        };
        let named = about.iter().filter(|id| !is_linked(id));
        let named = named.filter_map(|id| self.table.revision(self.table.shown(id, self.visible)?));
        let named = named.filter(|thing| is_thing(thing.kind)).map(|thing| Thing::Known(thing));
        let mut things: Vec<Thing<'a>> = named.collect();
        things.extend(linked);
        // Linked by number and by name, a thing is one all the same; the special place is the one that its source named first.
        let mut seen = BTreeSet::new();
        things.reverse();
        things.retain(|thing| seen.insert(thing.number()));
        things.reverse();
        things.sort_by_key(|thing| !matches!(thing, Thing::Known(one) if one.kind == Kind::Service));
        things
    }

    fn thing(&self, keys: &[KeyId], source: &str) -> Vec<Thing<'a>> {
        let owners = self.table.resolve_first(keys, source, self.visible);
        if owners.is_empty() {
            return keys.first().map(|key| Thing::Named(*key)).into_iter().collect();
        }
        owners.into_iter().filter_map(|at| self.table.revision(at)).map(|one| Thing::Known(one)).collect()
    }

    fn name(&self, thing: &Thing<'_>) -> String {
        match thing {
            Thing::Known(revision) => revision.title.to_string(),
            Thing::Named(key) => self.table.key_text(*key).to_owned(),
        }
    }

    /// What needs the things that are hit, is needed by them, or holds them together.
    fn around(&self, things: &[Thing<'a>]) -> Vec<Thing<'a>> {
        let wanted = |other: &Revision| is_thing(other.kind) || other.kind == Kind::Relationship;
        let bounds = Bounds { edges: THINGS, looked_at: LOOKED_AT, tickets: false, wanted: &wanted };
        let known = things.iter().filter_map(|thing| match thing {
            Thing::Known(revision) => Some(*revision),
            Thing::Named(_) => None,
        });
        let hit: BTreeSet<u64> = known.clone().map(|revision| revision.position).collect();
        let edges = known.flat_map(|revision| around(self.table, revision.position, self.visible, &bounds).0);
        let ties = edges.filter(|edge| {
            matches!(edge.relation, Relation::DependsOn | Relation::RunsOn | Relation::PartOf)
        });
        let near: BTreeSet<u64> = ties.map(|edge| edge.to).filter(|to| !hit.contains(to)).collect();
        let near = near.into_iter().filter_map(|at| self.table.revision(at));
        near.filter(|thing| is_thing(thing.kind)).map(|thing| Thing::Known(thing)).collect()
    }

    /// What sources say of the things themselves: the pages that document them, the teams that own them.
    fn by_source(&self, things: &[Thing<'a>]) -> Vec<Outcome> {
        let mut told = BTreeSet::new();
        for thing in things {
            let Thing::Known(thing) = thing else { continue };
            let wanted = |other: &Revision| other.kind.is_knowledge();
            let bounds = Bounds { edges: THINGS, looked_at: LOOKED_AT, tickets: false, wanted: &wanted };
            let (edges, _) = around(self.table, thing.position, self.visible, &bounds);
            for edge in edges {
                let Some(other) = self.table.revision(edge.to) else { continue };
                let says = match self.sought {
                    Sought::Page => edge.relation == Relation::Documents && edge.reversed,
                    Sought::Team => edge.relation == Relation::OwnedBy && !edge.reversed,
                };
                if says && self.fits(other.kind) {
                    told.insert(Outcome::Known(other.id.clone()));
                }
            }
        }
        told.into_iter().collect()
    }

    /// Tickets that hit one of some things.
    fn on(&self, things: &[Thing<'a>]) -> Vec<Told<'a>> {
        let mut keys: Vec<KeyId> = Vec::new();
        for thing in things {
            match thing {
                Thing::Named(key) => keys.push(*key),
                Thing::Known(revision) => keys.extend(
                    revision.names.iter().filter(|name| !self.table.resolve(**name, self.visible).is_empty()),
                ),
            }
        }
        let is_one = |keys: &[KeyId], source: &str| {
            let owners = self.table.resolve_first(keys, source, self.visible);
            things.iter().any(|thing| match thing {
                Thing::Known(revision) => owners.contains(&revision.position),
                Thing::Named(key) => owners.is_empty() && keys.first() == Some(key),
            })
        };
        self.told(&keys, &|ticket| {
            let mut hits = ticket.links.iter().filter(|link| link.relation == Relation::Affects);
            hits.any(|link| is_one(&link.keys, ticket.id.source()))
        })
    }

    /// Earlier tickets that refer to one of some keys, pass a test and tell what they went by; the newest first.
    fn told(&self, keys: &[KeyId], wanted: &dyn Fn(&Revision) -> bool) -> Vec<Told<'a>> {
        let mut positions: BTreeSet<u64> = BTreeSet::new();
        for key in keys {
            let newest = self.table.referrers(*key).iter().rev();
            positions.extend(newest.filter(|at| self.visible.contains(**at)).take(LOOKED_AT));
        }
        let seen = positions.into_iter().rev().take(LOOKED_AT);
        let tickets = seen.filter_map(|at| self.table.revision(at)).map(|ticket| &**ticket);
        let earlier = tickets.filter(|ticket| ticket.kind.is_ticket() && Some(&ticket.id) != self.itself);
        let told = earlier.filter(|ticket| wanted(ticket)).filter_map(|ticket| {
            let outcomes = self.outcomes(ticket);
            (!outcomes.is_empty()).then_some(Told { ticket, outcomes })
        });
        told.collect()
    }

    /// What a ticket went by: its links; of a page also its words, where it is solved and links none.
    fn outcomes(&self, ticket: &Revision) -> Vec<Outcome> {
        let (relation, says_in_words) = match self.sought {
            Sought::Page => (Relation::ResolvedBy, ticket.state.is_some_and(ontology::State::is_resolved)),
            Sought::Team => (Relation::AssignedTo, false),
        };
        let mut outcomes = BTreeSet::new();
        for link in ticket.links.iter().filter(|link| link.relation == relation) {
            let owners = self.table.resolve_first(&link.keys, ticket.id.source(), self.visible);
            if owners.is_empty() {
                outcomes.extend(link.keys.first().map(|key| Outcome::Named(*key)));
            }
            outcomes.extend(self.known(owners));
        }
        if outcomes.is_empty() && says_in_words {
            for mention in &ticket.mentions {
                outcomes.extend(self.known(self.table.resolve(mention.key, self.visible)));
            }
        }
        outcomes.into_iter().collect()
    }

    fn known(&self, owners: Vec<u64>) -> Vec<Outcome> {
        let owners = owners.into_iter().filter_map(|at| self.table.revision(at));
        owners.filter(|owner| self.fits(owner.kind)).map(|owner| Outcome::Known(owner.id.clone())).collect()
    }

    fn fits(&self, kind: Kind) -> bool {
        match self.sought {
            Sought::Page => kind.is_knowledge(),
            Sought::Team => kind == Kind::Team,
        }
    }
}

fn is_thing(kind: Kind) -> bool {
    matches!(kind, Kind::ConfigurationItem | Kind::Service)
}
