//! Which records are a short way off in the graph? Personalised PageRank, cut after three steps, from the records that the
//! question names and from the first hits of the text legs.

use std::collections::BTreeMap;
use std::time::Instant;

use ontology::Relation;

use super::around::{Bounds, Edge, around};
use super::{Evidence, Found, in_time};
use crate::table::Table;
use crate::visible::Visible;

/// Steps from a seed; further away a path explains nothing to a person.
const STEPS: usize = 3;
/// Share of a node's mass that moves on (PageRank's damping factor, as in Page et al. 1999).
const DAMPING: f64 = 0.85;
/// References looked at, at most, so that a hub cannot stall a query.
const BUDGET: usize = 5_000;
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

/// By which step each record was reached.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// By position, one more than the place in `reached`; 0 for what was not reached.
    places: Vec<u32>,
    reached: Vec<Reached>,
}

#[derive(Debug)]
struct Reached {
    position: u64,
    /// What it got in the steps that are over.
    mass: f64,
    /// What it got in the step under way.
    fresh: f64,
    arrival: Arrival,
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
    let mut front: Vec<(u64, f64)> =
        seeds.iter().map(|(position, weight)| (*position, weight / total)).collect();
    let mut arrivals = Arrivals { places: vec![0; table.position() as usize + 1], reached: Vec::new() };
    let mut budget = BUDGET;
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for (position, mass) in front {
            if mass < FAINT || budget == 0 {
                continue;
            }
            in_time(deadline)?;
            let bounds = Bounds { edges: usize::MAX, looked_at: budget, tickets: true, wanted: &|_| true };
            let (edges, looked_at) = around(table, position, visible, &bounds);
            budget -= looked_at.min(budget);
            let weight: f64 = edges.iter().map(|edge| relation_weight(edge.relation)).sum();
            for edge in &edges {
                let share = DAMPING * mass * relation_weight(edge.relation) / weight;
                if arrivals.bring(position, edge, share) {
                    next.push(edge.to);
                }
            }
        }
        next.sort_unstable();
        front = next.into_iter().map(|position| (position, arrivals.settle(position))).collect();
    }
    let scores = arrivals.reached.iter().map(|reached| (reached.position, reached.mass));
    let scores: Vec<(u64, f64)> = scores
        .filter(|(position, _)| admitted.contains(*position) && table.is_searchable(*position))
        .collect();
    Ok(Found::ranked(scores, Evidence::Steps(arrivals)))
}

impl Arrivals {
    /// The step that brought a record the most.
    pub(crate) fn get(&self, position: u64) -> Option<&Arrival> {
        let place = self.places.get(usize::try_from(position).ok()?)?.checked_sub(1)?;
        self.reached.get(place as usize).map(|reached| &reached.arrival)
    }

    /// Takes in what a step brings. Returns whether it is the first to that record since the last [`Arrivals::settle`].
    fn bring(&mut self, from: u64, edge: &Edge, share: f64) -> bool {
        let arrival = Arrival { from, relation: edge.relation, reversed: edge.reversed, mass: share };
        let place = &mut self.places[edge.to as usize];
        if *place == 0 {
            self.reached.push(Reached { position: edge.to, mass: 0.0, fresh: share, arrival });
            *place = self.reached.len() as u32;
            return true;
        }
        let reached = &mut self.reached[*place as usize - 1];
        if share > reached.arrival.mass {
            reached.arrival = arrival;
        }
        let is_first = reached.fresh == 0.0;
        reached.fresh += share;
        is_first
    }

    /// Ends the step under way for a record that was reached. Returns what it got in this step.
    fn settle(&mut self, position: u64) -> f64 {
        let reached = &mut self.reached[self.places[position as usize] as usize - 1];
        reached.mass += reached.fresh;
        std::mem::take(&mut reached.fresh)
    }
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
