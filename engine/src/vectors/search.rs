//! How are the nearest of many rows found?

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::VectorSettings;
use super::codes::{Codes, Probe, fetch};
use super::delta::Block;
use super::dot::dot;
use super::error::VectorError;
use super::layout::Layout;
use super::nearest::{Nearest, VectorHit};
use super::part::Part;
use super::walk::{Near, Reach, Walk, descend};
use crate::visible::Visible;

/// Rows that one thread scans before it looks at the clock.
const ROWS_PER_TASK: usize = 4_096;
/// Below this many rows, waking other threads costs more than it gives.
const PARALLEL_ROWS: usize = 32_768;
/// Rows looked at to tell how large a part of a segment is visible.
const SAMPLED_ROWS: usize = 512;

/// One search, for as many rows as there are.
pub(super) struct Search<'a> {
    query: &'a [f32],
    probe: Probe<'a>,
    visible: &'a Visible,
    limit: usize,
    deadline: Option<Instant>,
    settings: &'a VectorSettings,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        query: &'a [f32],
        visible: &'a Visible,
        limit: usize,
        deadline: Option<Instant>,
        settings: &'a VectorSettings,
    ) -> Self {
        Self { query, probe: Probe::new(query), visible, limit, deadline, settings }
    }

    /// Rows that a walk may compare; none when a scan is expected to be faster.
    pub(super) fn budget(&self, part: &Part) -> Option<usize> {
        let layout = part.segment.layout();
        let sampled = (0..layout.rows() as u32).step_by(layout.rows().div_ceil(SAMPLED_ROWS));
        let (count, shown) =
            (sampled.len(), sampled.filter(|&row| part.shows(&layout, row, self.visible)).count());
        let visible_rows = layout.rows() * shown / count;
        // The walk takes `walk_cost * count / shown`, the scan `visible_rows`. A query far from all that is visible
        // walks longer than that, and stops when a scan would have been over.
        (visible_rows * shown > self.settings.walk_cost * count).then_some(visible_rows)
    }

    /// The nearest passages that a walk finds; none when it has compared more rows than `budget`.
    pub(super) fn walk(&self, part: &Part, budget: usize) -> Result<Option<Nearest>, VectorError> {
        let layout = part.segment.layout();
        match layout.codes {
            Some(codes) => self.walk_by(part, &layout, budget, |rows, scores| {
                codes.alike_all(&self.probe.code, rows, scores);
            }),
            None => self.walk_by(part, &layout, budget, |rows, scores| {
                scores.clear();
                for (at, &row) in rows.iter().enumerate() {
                    if let Some(&next) = rows.get(at + 1) {
                        fetch(layout.vector(next));
                    }
                    scores.push(dot(self.query, layout.vector(row)));
                }
            }),
        }
    }

    fn walk_by(
        &self,
        part: &Part,
        layout: &Layout<'_>,
        budget: usize,
        score: impl Fn(&[u32], &mut Vec<f32>),
    ) -> Result<Option<Nearest>, VectorError> {
        let asked = self.limit.saturating_mul(self.settings.ef_per_hit).next_power_of_two();
        let ef = asked.max(self.settings.least_ef);
        let reach = Reach { ef, budget, deadline: self.deadline };
        let mut first = Vec::new();
        score(&[0], &mut first);
        let entry = (1..layout.layers()).rev().fold(Near::new(first[0], 0), |entry, layer| {
            descend(entry, |row| layout.links(layer, row), &score)
        });
        let mut walk = Walk::default();
        let links = |row| layout.links(0, row);
        let found = walk.nearest(layout.rows(), entry, &reach, links, &score, |row| {
            part.shows(layout, row, self.visible)
        })?;
        Ok(found.map(|found| {
            let mut found: Vec<Near> = found.collect();
            if let Some(codes) = layout.codes {
                found =
                    found.into_iter().map(|near| self.at_least(codes, near.score(), near.row())).collect();
                self.keep_possible(codes, &mut found);
            }
            let mut nearest = Nearest::new(self.limit);
            for (at, near) in found.iter().enumerate() {
                if let Some(next) = found.get(at + 1) {
                    fetch(layout.vector(next.row()));
                }
                let cosine = dot(self.query, layout.vector(near.row()));
                self.offer(part, layout, near.row(), cosine, &mut nearest);
            }
            nearest
        }))
    }

    pub(super) fn scan_part(&self, part: &Part) -> Result<Nearest, VectorError> {
        let layout = part.segment.layout();
        let vector = |row| layout.vector(row);
        let shows = |row| part.shows(&layout, row, self.visible);
        self.scan(layout.rows(), layout.codes, vector, shows, |row, cosine, nearest| {
            self.offer(part, &layout, row, cosine, nearest);
        })
    }

    pub(super) fn scan_block(&self, block: &Block) -> Result<Nearest, VectorError> {
        let dimensions = self.query.len();
        let vector = |row: u32| &block.vectors[row as usize * dimensions..(row as usize + 1) * dimensions];
        let shows = |row: u32| self.visible.contains(block.keys[row as usize].position());
        self.scan(block.keys.len(), Some(block.codes()), vector, shows, |row, cosine, nearest| {
            nearest.offer(VectorHit { key: block.keys[row as usize], cosine });
        })
    }

    /// Compares the query with all rows that are shown. By codes first, if there are: then only those vectors are read
    /// that may be among the nearest for all that their codes say, and the hits are the same.
    fn scan<'v>(
        &self,
        rows: usize,
        codes: Option<Codes<'_>>,
        vector: impl Fn(u32) -> &'v [f32] + Sync,
        shows: impl Fn(u32) -> bool + Sync,
        offer: impl Fn(u32, f32, &mut Nearest) + Sync,
    ) -> Result<Nearest, VectorError> {
        let possible: Option<Vec<u32>> = codes.map(|codes| self.possible(rows, codes, &shows)).transpose()?;
        let compare = |row: u32, nearest: &mut Nearest| offer(row, dot(self.query, vector(row)), nearest);
        let task = |task: Range<usize>| {
            let mut nearest = Nearest::new(self.limit);
            match &possible {
                Some(possible) => possible[task].iter().for_each(|&row| compare(row, &mut nearest)),
                None => (task.start as u32..task.end as u32)
                    .filter(|&row| shows(row))
                    .for_each(|row| compare(row, &mut nearest)),
            }
            nearest
        };
        let found = self.in_tasks(possible.as_ref().map_or(rows, Vec::len), task)?;
        Ok(found.into_iter().fold(Nearest::new(self.limit), Nearest::merge))
    }

    /// The shown rows that can be among the `limit` nearest, for all that their codes say.
    fn possible(
        &self,
        rows: usize,
        codes: Codes<'_>,
        shows: impl Fn(u32) -> bool + Sync,
    ) -> Result<Vec<u32>, VectorError> {
        let mut least: Vec<Near> = self
            .in_tasks(rows, |task| {
                let shown: Vec<u32> =
                    (task.start as u32..task.end as u32).filter(|&row| shows(row)).collect();
                let mut scores = Vec::new();
                codes.alike_all(&self.probe.code, &shown, &mut scores);
                let scored = scores.iter().zip(&shown);
                scored.map(|(&score, &row)| self.at_least(codes, score, row)).collect::<Vec<Near>>()
            })?
            .concat();
        self.keep_possible(codes, &mut least);
        Ok(least.into_iter().map(Near::row).collect())
    }

    /// A row with the least cosine that it can have, from its likeness by codes.
    fn at_least(&self, codes: Codes<'_>, alike: f32, row: u32) -> Near {
        Near::new(self.probe.cosine(alike) - self.probe.error(codes.scales[row as usize]), row)
    }

    /// Of rows with their least cosine, keeps those that can be among the `limit` nearest.
    fn keep_possible(&self, codes: Codes<'_>, least: &mut Vec<Near>) {
        if least.len() > self.limit {
            let (_, last, _) = least.select_nth_unstable_by(self.limit - 1, |a, b| b.cmp(a));
            let last = last.score();
            let most = |near: &Near| near.score() + 2.0 * self.probe.error(codes.scales[near.row() as usize]);
            least.retain(|near| most(near) >= last);
        }
    }

    /// Does some tasks of consecutive rows, on all threads when there are many, and returns what they give in order.
    fn in_tasks<T: Send>(
        &self,
        rows: usize,
        task: impl Fn(Range<usize>) -> T + Sync,
    ) -> Result<Vec<T>, VectorError> {
        let task = |at: usize| {
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(VectorError::Deadline);
            }
            Ok(task(at * ROWS_PER_TASK..rows.min((at + 1) * ROWS_PER_TASK)))
        };
        let tasks = 0..rows.div_ceil(ROWS_PER_TASK);
        if rows < PARALLEL_ROWS {
            tasks.map(task).collect()
        } else {
            tasks.into_par_iter().map(task).collect()
        }
    }

    /// Offers the passages of a row; they ascend, so the first `limit` of them suffice.
    fn offer(&self, part: &Part, layout: &Layout<'_>, row: u32, cosine: f32, nearest: &mut Nearest) {
        if nearest.admits(cosine) {
            let shown = part.shown(layout, row, self.visible);
            shown.take(self.limit).for_each(|key| nearest.offer(VectorHit { key, cosine }));
        }
    }
}
