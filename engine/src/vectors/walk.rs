//! Which rows of a graph are nearest to a query, without looking at all?

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::codes::fetch;
use super::error::VectorError;

/// Rows expanded between two looks at the clock.
const EXPANSIONS_PER_CLOCK: usize = 64;

/// A row and how alike it is to the query; greater is nearer, and of two equally near the lower row.
///
/// One number holds both, since comparing such is most of what a heap does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Near(u64);

impl Near {
    pub(super) fn new(score: f32, row: u32) -> Self {
        // Turns the order of floating-point numbers into that of whole ones: a negative one has all bits flipped,
        // others the sign.
        let bits = score.to_bits();
        let ordered = bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 };
        Self(u64::from(ordered) << 32 | u64::from(!row))
    }

    pub(super) fn score(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        f32::from_bits(ordered ^ if ordered >> 31 == 1 { 1 << 31 } else { u32::MAX })
    }

    pub(super) fn row(self) -> u32 {
        !(self.0 as u32)
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

/// What a walk needs to remember; the next one can use it again.
#[derive(Default)]
pub(super) struct Walk {
    /// One bit for each row.
    visited: Vec<u64>,
    /// The rows whose bits are set.
    trail: Vec<u32>,
    open: BinaryHeap<Near>,
    found: BinaryHeap<Reverse<Near>>,
    fresh: Vec<u32>,
    scores: Vec<f32>,
}

impl Walk {
    /// Looks for the `ef` nearest accepted rows among `rows`, from `entry` along `links`, and returns them in no
    /// order; none when the budget was used up first. `score` tells how alike the query and each of some rows are.
    ///
    /// Rows that are not accepted are walked through but not returned.
    pub(super) fn nearest<'l>(
        &mut self,
        rows: usize,
        entry: Near,
        reach: &Reach,
        links: impl Fn(u32) -> &'l [u32],
        score: impl Fn(&[u32], &mut Vec<f32>),
        accept: impl Fn(u32) -> bool,
    ) -> Result<Option<impl Iterator<Item = Near>>, VectorError> {
        self.begin(rows);
        self.visit(&[entry.row()]);
        self.open.push(entry);
        if accept(entry.row()) {
            self.found.push(Reverse(entry));
        }
        let (mut compared, mut expanded) = (0, 0usize);
        while let Some(nearest) = self.open.pop() {
            let full = self.found.len() >= reach.ef;
            if full && self.found.peek().is_some_and(|worst| nearest < worst.0) {
                break;
            }
            expanded += 1;
            if expanded.is_multiple_of(EXPANSIONS_PER_CLOCK)
                && reach.deadline.is_some_and(|at| Instant::now() >= at)
            {
                return Err(VectorError::Deadline);
            }
            self.visit(links(nearest.row()));
            compared += self.fresh.len();
            if compared > reach.budget {
                return Ok(None);
            }
            if let Some(next) = self.open.peek() {
                fetch(links(next.row()));
            }
            score(&self.fresh, &mut self.scores);
            for (&row, &score) in self.fresh.iter().zip(&self.scores) {
                let near = Near::new(score, row);
                if self.found.len() < reach.ef {
                    self.open.push(near);
                    if accept(row) {
                        self.found.push(Reverse(near));
                    }
                } else if let Some(mut worst) = self.found.peek_mut()
                    && near > worst.0
                {
                    self.open.push(near);
                    if accept(row) {
                        *worst = Reverse(near);
                    }
                }
            }
        }
        Ok(Some(self.found.drain().map(|near| near.0)))
    }

    /// Forgets the walk before.
    fn begin(&mut self, rows: usize) {
        for row in self.trail.drain(..) {
            self.visited[row as usize / 64] = 0;
        }
        self.visited.resize(rows.div_ceil(64), 0);
        self.open.clear();
        self.found.clear();
    }

    /// Puts those rows into `fresh` that the walk has not met before.
    fn visit(&mut self, rows: &[u32]) {
        self.fresh.clear();
        for &row in rows {
            let (word, bit) = (&mut self.visited[row as usize / 64], 1u64 << (row % 64));
            if *word & bit == 0 {
                *word |= bit;
                self.fresh.push(row);
            }
        }
        self.trail.extend(&self.fresh);
    }
}

/// Follows the links of one layer from `from` to a row that none of its neighbours is nearer than.
pub(super) fn descend<'l>(
    from: Near,
    links: impl Fn(u32) -> &'l [u32],
    score: impl Fn(&[u32], &mut Vec<f32>),
) -> Near {
    let (mut best, mut scores) = (from, Vec::new());
    loop {
        let neighbours = links(best.row());
        score(neighbours, &mut scores);
        let nearest = scores.iter().zip(neighbours).map(|(&score, &row)| Near::new(score, row)).max();
        match nearest {
            Some(nearest) if nearest > best => best = nearest,
            _ => return best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_number_its_score_and_its_place() {
        let scores = [-1.0, -0.5, -1e-30, -0.0, 0.0, 1e-30, 0.25, 1.0, 6_193_536.0];
        for (at, score) in scores.into_iter().enumerate() {
            for row in [0, 1, 77, u32::MAX] {
                let near = Near::new(score, row);
                assert_eq!((near.score().to_bits(), near.row()), (score.to_bits(), row));
                assert!(scores[..at].iter().all(|&lower| Near::new(lower, 5) < near));
            }
            assert!(Near::new(score, 3) > Near::new(score, 4), "the lower row is the nearer");
        }
    }
}
