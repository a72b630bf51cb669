//! Which records are a short way off in the graph? Personalised PageRank, cut after three steps, from the records that the
//! question names and from the first hits of the text legs.

use std::collections::BTreeMap;
use std::time::Instant;

use ontology::{Kind, Relation};

use super::{Evidence, Found, in_time, is_found};
use crate::table::{Revision, Table};
use crate::visible::Visible;

/// Steps from a seed; further away a path explains nothing to a person.
const STEPS: usize = 3;
/// Share of a node's mass that moves on (PageRank's damping factor, as in Page et al. 1999).
const DAMPING: f64 = 0.85;
/// References looked at, at most, so that a hub cannot stall a query.
const BUDGET: usize = 20_000;
/// Mass below which a node is not walked on from.
const FAINT: f64 = 1e-4;

/// The step that brought a record the most mass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) from: u64,
    pub(crate) relation: Relation,
    pub(crate) reversed: bool,
    mass: f64,
}

/// One way out of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) relation: Relation,
    /// Walked against its direction.
    pub(crate) reversed: bool,
    pub(crate) to: u64,
}

/// Spreads the seeds' mass; `seeds` are positions with weights. Walks visible records, answers with admitted ones.
///
/// # Errors
/// The reason when the deadline passes before the end.
pub(crate) fn graph(
    table: &Table,
    seeds: &BTreeMap<u64, f64>,
    visible: &Visible,
    admitted: &Visible,
    deadline: Option<Instant>,
) -> Result<Found, String> {
    let total: f64 = seeds.values().sum();
    if total <= 0.0 {
        return Ok(Found::default());
    }
    let mut front: BTreeMap<u64, f64> =
        seeds.iter().map(|(position, weight)| (*position, weight / total)).collect();
    let mut arrived: BTreeMap<u64, f64> = BTreeMap::new();
    let mut arrivals: BTreeMap<u64, Arrival> = BTreeMap::new();
    let mut budget = BUDGET;
    for _ in 0..STEPS {
        let mut next: BTreeMap<u64, f64> = BTreeMap::new();
        for (position, mass) in &front {
            if *mass < FAINT || budget == 0 {
                continue;
            }
            in_time(deadline)?;
            let bounds = Bounds { edges: usize::MAX, looked_at: budget, wanted: &|_| true };
            let (edges, looked_at) = around(table, *position, visible, &bounds);
            budget -= looked_at.min(budget);
            let weight: f64 = edges.iter().map(|edge| relation_weight(edge.relation)).sum();
            for edge in &edges {
                let share = DAMPING * mass * relation_weight(edge.relation) / weight;
                *next.entry(edge.to).or_default() += share;
                let arrival = Arrival {
                    from: *position,
                    relation: edge.relation,
                    reversed: edge.reversed,
                    mass: share,
                };
                let best = arrivals.entry(edge.to).or_insert(arrival);
                if share > best.mass {
                    *best = arrival;
                }
            }
        }
        for (position, mass) in &next {
            *arrived.entry(*position).or_default() += mass;
        }
        front = next;
    }
    let scores = arrived
        .into_iter()
        .filter(|(position, _)| admitted.contains(*position) && is_found(table, *position));
    Ok(Found::ranked(scores, Evidence::Steps(arrivals)))
}

/// Typed links say more than a name in a text.
fn relation_weight(relation: Relation) -> f64 {
    match relation {
        Relation::DuplicateOf | Relation::ResolvedBy | Relation::CausedBy | Relation::Documents => 2.0,
        Relation::Affects | Relation::DependsOn | Relation::RunsOn | Relation::PartOf => 1.0,
        Relation::AssignedTo | Relation::OwnedBy | Relation::MemberOf | Relation::ReportedBy => 0.3,
        _ => 0.5,
    }
}

/// The visible neighbours of a record, at most `limit`: those it refers to, then those that refer to it; of these, tickets
/// last, and the newest first. A relationship record is no stop of its own: the edge goes through it.
pub(crate) fn neighbours(table: &Table, position: u64, visible: &Visible, limit: usize) -> Vec<Edge> {
    around(table, position, visible, &Bounds { edges: limit, looked_at: usize::MAX, wanted: &|_| true }).0
}

/// How far a look around a record goes.
pub(crate) struct Bounds<'a> {
    /// After so many edges no further referrer is looked at.
    pub(crate) edges: usize,
    /// References looked at, whether they turn out to be edges or not.
    pub(crate) looked_at: usize,
    /// Which referrers are looked at; the others cost next to nothing.
    pub(crate) wanted: &'a dyn Fn(&Revision) -> bool,
}

/// Like [`neighbours`], within bounds. Returns also how many references were looked at.
pub(crate) fn around(
    table: &Table,
    position: u64,
    visible: &Visible,
    bounds: &Bounds<'_>,
) -> (Vec<Edge>, usize) {
    let Some(revision) = table.revision(position) else { return (Vec::new(), 0) };
    let mut edges = Vec::new();
    outgoing(table, revision, visible, &mut edges);
    let mut looked_at = edges.len();
    let names: Vec<_> =
        revision.names.iter().filter(|name| !table.resolve(**name, visible).is_empty()).collect();
    // A thing's place among things is not to drown in the tickets about it.
    for tickets in [false, true] {
        let referrers = names.iter().flat_map(|name| table.referrers(**name).iter().rev());
        let referrers = referrers.filter(|referrer| visible.contains(**referrer));
        let referrers = referrers.filter_map(|referrer| table.revision(*referrer));
        for other in referrers.filter(|other| other.kind.is_ticket() == tickets && (bounds.wanted)(other)) {
            if edges.len() >= bounds.edges || looked_at >= bounds.looked_at {
                return (distinct(edges, position), looked_at);
            }
            looked_at += 1;
            incoming(table, other, revision, visible, &mut edges);
        }
    }
    (distinct(edges, position), looked_at)
}

fn outgoing(table: &Table, revision: &Revision, visible: &Visible, edges: &mut Vec<Edge>) {
    for link in &revision.links {
        let targets = table.resolve_first(&link.keys, revision.id.source(), visible);
        edges.extend(targets.into_iter().map(|to| Edge { relation: link.relation, reversed: false, to }));
    }
    for mention in &revision.mentions {
        let targets = table.resolve(mention.key, visible);
        edges.extend(targets.into_iter().map(|to| Edge {
            relation: Relation::Mentions,
            reversed: false,
            to,
        }));
    }
}

/// The edges that `other`, which refers to `here`, brings to `here`.
fn incoming(table: &Table, other: &Revision, here: &Revision, visible: &Visible, edges: &mut Vec<Edge>) {
    let refers = |keys: &[crate::table::KeyId]| {
        table.resolve_first(keys, other.id.source(), visible).contains(&here.position)
    };
    if other.kind == Kind::Relationship {
        for link in &other.links {
            if refers(&other.subject) {
                let targets = table.resolve_first(&link.keys, other.id.source(), visible);
                edges.extend(targets.into_iter().map(|to| Edge {
                    relation: link.relation,
                    reversed: false,
                    to,
                }));
            } else if refers(&link.keys) {
                let subjects = table.resolve_first(&other.subject, other.id.source(), visible);
                edges.extend(subjects.into_iter().map(|to| Edge {
                    relation: link.relation,
                    reversed: true,
                    to,
                }));
            }
        }
        return;
    }
    let linked = other.links.iter().filter(|link| refers(&link.keys)).map(|link| link.relation);
    let relations: Vec<Relation> = linked.collect();
    let mentioned = other.mentions.iter().any(|mention| here.names.contains(&mention.key));
    let relations = if relations.is_empty() && mentioned { vec![Relation::Mentions] } else { relations };
    edges.extend(relations.into_iter().map(|relation| Edge { relation, reversed: true, to: other.position }));
}

/// One edge for each relation, direction and neighbour; none to the record itself.
fn distinct(mut edges: Vec<Edge>, here: u64) -> Vec<Edge> {
    edges.retain(|edge| edge.to != here);
    edges.sort_by_key(|edge| (edge.to, edge.relation, edge.reversed));
    edges.dedup();
    edges
}

#[cfg(test)]
mod tests {
    use ontology::State;

    use super::*;
    use crate::trial::{Trial, id, operator, record};

    #[test]
    fn things_come_before_tickets_and_every_look_counts() {
        let trial = Trial::new();
        let affects = [(Relation::Affects, "wms-db")];
        trial.apply([
            record("cmdb:wms-db", Kind::ConfigurationItem, "wms-db", &[]),
            record("cmdb:wms-app", Kind::Service, "wms-app", &[(Relation::DependsOn, "wms-db")]),
        ]);
        trial.apply((0..20).map(|n| {
            let mut ticket = record(&format!("s:INC-{n}"), Kind::Incident, "slow", &affects);
            ticket.state = Some(State::Closed);
            ticket
        }));
        let snapshot = trial.desk.snapshot();
        let table = &snapshot.table;
        let visible = snapshot.visible(&operator(), None);
        let position = |name: &str| table.current(&id(name)).unwrap();
        let look = |limit| {
            let bounds = Bounds { edges: usize::MAX, looked_at: limit, wanted: &|_| true };
            let (edges, looked_at) = around(table, position("cmdb:wms-db"), &visible, &bounds);
            (edges.iter().map(|edge| edge.to).collect::<Vec<_>>(), looked_at)
        };
        let (app, newest) = (position("cmdb:wms-app"), position("s:INC-19"));
        assert_eq!(look(1), (vec![app], 1));
        assert_eq!(look(2), (vec![app, newest], 2));
        assert_eq!(look(100).1, 21);
    }
}
