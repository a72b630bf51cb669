//! Which records are a short way off in the graph? Personalised PageRank, cut after three steps, from the records that the
//! question names and from the first hits of the text legs.

use std::collections::BTreeMap;

use ontology::{Kind, Relation};

use super::{Evidence, Found, is_found};
use crate::table::{Revision, Table};
use crate::visible::Visible;

/// Steps from a seed; further away a path explains nothing to a person.
const STEPS: usize = 3;
/// Share of a node's mass that moves on (PageRank's damping factor, as in Page et al. 1999).
const DAMPING: f64 = 0.85;
/// Edges walked at most, newest records first, so that a hub cannot stall a query.
const EDGE_BUDGET: usize = 20_000;
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
pub(crate) fn graph(
    table: &Table,
    seeds: &BTreeMap<u64, f64>,
    visible: &Visible,
    admitted: &Visible,
) -> Found {
    let total: f64 = seeds.values().sum();
    if total <= 0.0 {
        return Found::default();
    }
    let mut front: BTreeMap<u64, f64> =
        seeds.iter().map(|(position, weight)| (*position, weight / total)).collect();
    let mut arrived: BTreeMap<u64, f64> = BTreeMap::new();
    let mut arrivals: BTreeMap<u64, Arrival> = BTreeMap::new();
    let mut budget = EDGE_BUDGET;
    for _ in 0..STEPS {
        let mut next: BTreeMap<u64, f64> = BTreeMap::new();
        for (position, mass) in &front {
            if *mass < FAINT || budget == 0 {
                continue;
            }
            let edges = neighbours(table, *position, visible, budget);
            budget -= edges.len().min(budget);
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
    Found::ranked(scores, Evidence::Steps(arrivals))
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

/// The visible neighbours of a record, at most `limit`: those it refers to, then the newest of those that refer to it.
/// A relationship record is no stop of its own: the edge goes through it.
pub(crate) fn neighbours(table: &Table, position: u64, visible: &Visible, limit: usize) -> Vec<Edge> {
    let Some(revision) = table.revision(position) else { return Vec::new() };
    let mut edges = Vec::new();
    outgoing(table, revision, visible, &mut edges);
    for name in &revision.names {
        if table.resolve(*name, visible).is_empty() {
            continue;
        }
        for referrer in table.referrers(*name).iter().rev().filter(|referrer| visible.contains(**referrer)) {
            if edges.len() >= limit {
                return distinct(edges, position);
            }
            if let Some(other) = table.revision(*referrer) {
                incoming(table, other, revision, visible, &mut edges);
            }
        }
    }
    distinct(edges, position)
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
