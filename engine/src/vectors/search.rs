//! How are the nearest of many rows found?

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::VectorSettings;
use super::codes::{Codes, fetch};
use super::delta::Block;
use super::dot::dot;
use super::error::VectorError;
use super::layout::Layout;
use super::nearest::{Nearest, VectorHit};
use super::part::Part;
use super::probe::Probe;
use super::walk::{Near, Reach, Walk, descend};
use crate::visible::Visible;

/// Rows that one thread scans before it looks at the clock.
const ROWS_PER_TASK: usize = 4_096;
/// Below this many rows, waking other threads costs more than it gives.
const PARALLEL_ROWS: usize = 32_768;
/// So many hits are few.
const FEW: usize = 32;
/// Rows looked at to tell how large a part of a segment is visible.
const SAMPLED_ROWS: usize = 512;

/// One search, for as many rows as there are.
pub(super) struct Search<'a> {
    query: &'a [f32],
    probe: Probe,
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
                codes.alike_all(&self.probe.coarse, rows, scores);
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
        let asked = (self.limit.min(layout.rows()) * self.settings.ef_per_hit).next_power_of_two();
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
        let Some(found) = found else { return Ok(None) };
        let rows = match layout.codes {
            Some(codes) => self.probe.possible(codes, self.limit, found.collect()),
            None => found.map(Near::row).collect(),
        };
        let mut nearest = Nearest::new(self.limit);
        let mut room = self.copies(layout).then(Vec::new);
        for row in rows {
            let cosine = part.cosine(self.query, layout, row, room.as_mut());
            self.offer(part, layout, row, cosine, &mut nearest);
        }
        Ok(Some(nearest))
    }

    pub(super) fn scan_part(&self, part: &Part) -> Result<Nearest, VectorError> {
        let layout = part.segment.layout();
        let shows = |row| part.shows(&layout, row, self.visible);
        let copies = self.copies(&layout);
        self.scan(layout.rows(), layout.codes, shows, |row, room, nearest| {
            let cosine = part.cosine(self.query, &layout, row, copies.then_some(room));
            self.offer(part, &layout, row, cosine, nearest);
        })
    }

    pub(super) fn scan_block(&self, block: &Block) -> Result<Nearest, VectorError> {
        let shows = |row: u32| self.visible.contains(block.keys[row as usize].position());
        self.scan(block.keys.len(), Some(block.codes()), shows, |row, _, nearest| {
            let (key, cosine) = (block.keys[row as usize], dot(self.query, block.row(row)));
            nearest.offer(VectorHit { key, cosine });
        })
    }

    /// Compares the query with all rows that are shown. By codes first, if there are: then `compare` is called for
    /// those rows only that may be among the nearest for all that their codes say, and the hits are the same.
    fn scan(
        &self,
        rows: usize,
        codes: Option<Codes<'_>>,
        shows: impl Fn(u32) -> bool + Sync,
        compare: impl Fn(u32, &mut Vec<f32>, &mut Nearest) + Sync,
    ) -> Result<Nearest, VectorError> {
        let shown = |task: Range<usize>| (task.start as u32..task.end as u32).filter(|&row| shows(row));
        let possible = codes.map(|codes| {
            let scored = self.in_tasks(rows, |task| {
                let (shown, mut scores) = (shown(task).collect::<Vec<u32>>(), Vec::new());
                codes.alike_all(&self.probe.coarse, &shown, &mut scores);
                let scored = scores.iter().zip(&shown).map(|(&score, &row)| Near::new(score, row));
                scored.collect::<Vec<Near>>()
            })?;
            Ok::<_, VectorError>(self.probe.possible(codes, self.limit, scored.concat()))
        });
        let possible = possible.transpose()?;
        let found = self.in_tasks(possible.as_ref().map_or(rows, Vec::len), |task| {
            let mut nearest = Nearest::new(self.limit);
            let mut room = Vec::new();
            match &possible {
                Some(rows) => rows[task].iter().for_each(|&row| compare(row, &mut room, &mut nearest)),
                None => shown(task).for_each(|row| compare(row, &mut room, &mut nearest)),
            }
            nearest
        })?;
        Ok(found.into_iter().fold(Nearest::new(self.limit), Nearest::merge))
    }

    /// Whether vectors are copied out of the file instead of read through the map.
    fn copies(&self, layout: &Layout<'_>) -> bool {
        self.limit > FEW && layout.codes.is_some()
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
