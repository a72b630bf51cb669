//! Which rows of a segment are nearest to a query, without looking at all?

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

use super::dot::dot;
use super::error::VectorError;
use super::segment::Layout;

/// Rows expanded between two looks at the clock.
const EXPANSIONS_PER_CLOCK: usize = 64;

/// A row and its cosine to the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Near {
    pub(super) cosine: f32,
    pub(super) row: u32,
}

impl Eq for Near {}

/// Greater is nearer; of two equally near the lower row.
impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cosine.total_cmp(&other.cosine).then(other.row.cmp(&self.row))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How far a walk may go.
pub(super) struct Reach {
    /// Accepted rows kept while walking; more find more of the true neighbours.
    pub(super) ef: usize,
    /// Rows compared before the walk gives up.
    pub(super) budget: usize,
    pub(super) deadline: Option<Instant>,
}

/// The `ef` nearest accepted rows, in no order; none when the budget was used up first.
///
/// Rows that are not accepted are walked through but not returned.
pub(super) fn walk(
    layout: &Layout<'_>,
    query: &[f32],
    reach: &Reach,
    accept: impl Fn(u32) -> bool,
) -> Result<Option<Vec<Near>>, VectorError> {
    let entry = descend(layout, query);
    let mut visited = vec![0u64; layout.rows().div_ceil(64)];
    let mut first_visit = |row: u32| {
        let (word, bit) = (&mut visited[row as usize / 64], 1u64 << (row % 64));
        let first = *word & bit == 0;
        *word |= bit;
        first
    };
    first_visit(entry.row);
    let mut open = BinaryHeap::from([entry]);
    let mut found: BinaryHeap<Reverse<Near>> = BinaryHeap::with_capacity(reach.ef + 1);
    if accept(entry.row) {
        found.push(Reverse(entry));
    }
    let (mut compared, mut expanded) = (0, 0usize);
    let mut fresh: Vec<u32> = Vec::new();
    while let Some(nearest) = open.pop() {
        let full = found.len() >= reach.ef;
        if full && found.peek().is_some_and(|worst| nearest.cosine < worst.0.cosine) {
            break;
        }
        expanded += 1;
        if expanded.is_multiple_of(EXPANSIONS_PER_CLOCK)
            && reach.deadline.is_some_and(|at| Instant::now() >= at)
        {
            return Err(VectorError::Deadline);
        }
        fresh.clear();
        fresh.extend(layout.links(0, nearest.row).iter().copied().filter(|&row| first_visit(row)));
        compared += fresh.len();
        if compared > reach.budget {
            return Ok(None);
        }
        for &row in &fresh {
            let near = Near { cosine: dot(query, layout.vector(row)), row };
            let full = found.len() >= reach.ef;
            if full && found.peek().is_some_and(|worst| near <= worst.0) {
                continue;
            }
            open.push(near);
            if accept(row) {
                found.push(Reverse(near));
                if full {
                    found.pop();
                }
            }
        }
    }
    Ok(Some(found.into_iter().map(|near| near.0).collect()))
}

/// Walks the upper layers to the row where the search of the base layer starts.
fn descend(layout: &Layout<'_>, query: &[f32]) -> Near {
    let mut best = Near { cosine: dot(query, layout.vector(0)), row: 0 };
    for layer in (1..layout.layers()).rev() {
        loop {
            let from = best.row;
            for &row in layout.links(layer, from) {
                best = best.max(Near { cosine: dot(query, layout.vector(row)), row });
            }
            if best.row == from {
                break;
            }
        }
    }
    best
}
