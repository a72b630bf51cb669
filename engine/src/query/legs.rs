//! How does each leg find records? Identifier, lexical, dense and graph, each over the admitted revisions only.

mod around;
mod dense;
mod graph;
mod identifier;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::text::TextHits;

pub(crate) use around::{Bounds, Edge, around, neighbours};
pub(crate) use dense::{BestPassage, dense, nearest_passages};
pub(crate) use graph::graph;
pub(crate) use identifier::identifier;

/// How many records a leg hands to the fusion. Fixed, so that no rank depends on the limit asked for.
pub(crate) const DEPTH: usize = 1000;

/// What a leg found: record revisions by log position, with the leg's own score, best first, ties by position.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) scores: Vec<(u64, f64)>,
    pub(crate) evidence: Evidence,
}

/// Why a leg found them.
#[derive(Debug, Default)]
pub(crate) enum Evidence {
    #[default]
    None,
    /// What knows the words that matched.
    Terms(TextHits),
    /// The passage that fits best.
    Passages(BTreeMap<u64, BestPassage>),
    /// The step that brought the most: from where, by which relation, against it or not.
    Steps(graph::Arrivals),
}

/// Whether a leg may go on.
///
/// # Errors
/// Why it may not, in the words of [`Degraded`](crate::query::Degraded).
pub(crate) fn in_time(deadline: Option<Instant>) -> Result<(), String> {
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err("the deadline had passed".to_owned()),
        _ => Ok(()),
    }
}

impl Found {
    /// Sorts scores into a leg's result.
    pub(crate) fn ranked(scores: impl IntoIterator<Item = (u64, f64)>, evidence: Evidence) -> Self {
        let mut scores: Vec<(u64, f64)> = scores.into_iter().filter(|(_, score)| *score > 0.0).collect();
        let in_order = |a: &(u64, f64), b: &(u64, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if scores.len() > DEPTH {
            scores.select_nth_unstable_by(DEPTH, in_order);
            scores.truncate(DEPTH);
        }
        scores.sort_unstable_by(in_order);
        Self { scores, evidence }
    }
}
