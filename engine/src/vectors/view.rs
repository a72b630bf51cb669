//! Which passages are nearest to a query, among those that the caller may see?

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::codes::{Codes, Probe};
use super::delta::{Block, Delta, Dropped};
use super::dot::dot;
use super::error::{VectorError, check_unit};
use super::nearest::{Nearest, VectorHit};
use super::segment::{Layout, Segment};
use super::walk::{Near, Reach, Walk, descend};
use super::{PassageKey, VectorSettings};
use crate::visible::Visible;

/// Rows that one thread scans before it looks at the clock.
const ROWS_PER_TASK: usize = 4_096;
/// Below this many rows, waking other threads costs more than it gives.
const PARALLEL_ROWS: usize = 32_768;
/// Rows looked at to tell how large a part of a segment is visible.
const SAMPLED_ROWS: usize = 512;

/// How a search looks at sealed passages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchMode {
    /// The faster of both for what is visible.
    Auto,
    /// Every visible passage.
    Exact,
    /// The graph, whatever is visible.
    Hnsw,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorHits {
    /// Best first: higher cosine, then lower key.
    pub hits: Vec<VectorHit>,
    /// Whether every visible passage was compared.
    pub exact: bool,
}

/// A segment, and which of its slots still hold a passage.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) segment: Arc<Segment>,
    live: Arc<Vec<u64>>,
    pub(super) live_keys: usize,
}

impl Part {
    /// A segment of which the passages in `keys`, ascending, are alive.
    pub(super) fn new(number: u32, segment: Segment, keys: &[PassageKey]) -> Self {
        let slots = segment.layout().keys;
        let mut live = vec![0u64; slots.len().div_ceil(64)];
        let mut keys = keys.iter().peekable();
        for (slot, &key) in slots.iter().enumerate() {
            while keys.next_if(|alive| alive.0 < key).is_some() {}
            live[slot / 64] |= u64::from(keys.next_if(|alive| alive.0 == key).is_some()) << (slot % 64);
        }
        let live_keys = live.iter().map(|word| word.count_ones() as usize).sum();
        Self { number, segment: Arc::new(segment), live: Arc::new(live), live_keys }
    }

    /// The passages that are alive, ascending.
    pub(super) fn keys(&self) -> impl Iterator<Item = PassageKey> {
        let keys = self.segment.layout().keys.iter().zip(0u32..);
        keys.filter(|(_, slot)| self.is_live(*slot)).map(|(key, _)| PassageKey(*key))
    }

    pub(super) fn is_live(&self, slot: u32) -> bool {
        self.live[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// Marks what a commit has dropped.
    pub(super) fn drop_keys(&mut self, dropped: &Dropped) {
        let keys = self.segment.layout().keys;
        for (slot, _) in keys.iter().enumerate().filter(|(_, key)| dropped.contains(PassageKey(**key))) {
            if self.is_live(slot as u32) {
                Arc::make_mut(&mut self.live)[slot / 64] &= !(1 << (slot % 64));
                self.live_keys -= 1;
            }
        }
    }

    fn shows(&self, layout: &Layout<'_>, slot: u32, visible: &Visible) -> bool {
        self.is_live(slot) && visible.contains(PassageKey(layout.keys[slot as usize]).position())
    }
}

/// The index at one log position; cheap to clone, never changes.
#[derive(Clone)]
pub struct VectorView {
    pub(super) inner: Arc<Shown>,
}

pub(super) struct Shown {
    pub(super) position: u64,
    pub(super) dimensions: usize,
    pub(super) settings: VectorSettings,
    pub(super) parts: Vec<Part>,
    pub(super) delta: Delta,
}

impl VectorView {
    /// The log position that the view shows.
    pub fn position(&self) -> u64 {
        self.inner.position
    }

    /// How many passages there are, visible or not.
    pub fn len(&self) -> usize {
        self.inner.delta.len() + self.inner.parts.iter().map(|part| part.live_keys).sum::<usize>()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The vector of a passage.
    pub fn vector(&self, key: PassageKey) -> Option<Vec<f32>> {
        self.stored(key).map(<[f32]>::to_vec)
    }

    fn stored(&self, key: PassageKey) -> Option<&[f32]> {
        let sealed = self.inner.parts.iter().find_map(|part| {
            let layout = part.segment.layout();
            let slot = layout.keys.binary_search(&key.0).ok()?;
            part.is_live(slot as u32).then(|| layout.vector(layout.key_rows[slot]))
        });
        sealed.or_else(|| self.inner.delta.vector(key, self.inner.dimensions))
    }

    /// The cosine of a passage and a query, a unit vector of the same embedder.
    pub fn cosine(&self, query: &[f32], key: PassageKey) -> Option<f32> {
        self.stored(key).filter(|vector| vector.len() == query.len()).map(|vector| dot(query, vector))
    }

    /// The `limit` visible passages nearest to the query, a unit vector.
    ///
    /// Limits up to 32 walk the graph in the same way, so that the hits of a smaller limit are the first of a larger
    /// one; above, the width of the walk doubles at each power of two. Whether a scan or a walk is made does not
    /// depend on the limit.
    ///
    /// # Errors
    /// `Deadline` when it passes before the end; `Dimensions` or `NotUnit` for a query of another embedder.
    pub fn search(
        &self,
        query: &[f32],
        visible: &Visible,
        limit: usize,
        mode: SearchMode,
        deadline: Option<Instant>,
    ) -> Result<VectorHits, VectorError> {
        check_unit(query, self.inner.dimensions)?;
        let probe = Probe::new(query);
        let search = Search { query, probe, visible, limit, deadline, settings: &self.inner.settings };
        let mut hits = VectorHits { hits: Vec::new(), exact: true };
        if limit == 0 {
            return Ok(hits);
        }
        let mut nearest = Nearest::new(limit);
        for block in self.inner.delta.blocks() {
            nearest = nearest.merge(search.scan_block(block)?);
        }
        for part in &self.inner.parts {
            let walked = match mode {
                SearchMode::Exact => None,
                SearchMode::Hnsw => search.walk(part, usize::MAX)?,
                SearchMode::Auto => match search.budget(part) {
                    Some(budget) => search.walk(part, budget)?,
                    None => None,
                },
            };
            hits.exact &= walked.is_none();
            nearest = nearest.merge(match walked {
                Some(walked) => walked,
                None => search.scan_part(part)?,
            });
        }
        hits.hits = nearest.into_hits();
        Ok(hits)
    }
}

struct Search<'a> {
    query: &'a [f32],
    probe: Probe<'a>,
    visible: &'a Visible,
    limit: usize,
    deadline: Option<Instant>,
    settings: &'a VectorSettings,
}

impl Search<'_> {
    /// Rows that a walk may compare; none when a scan is expected to be faster.
    fn budget(&self, part: &Part) -> Option<usize> {
        let layout = part.segment.layout();
        let sampled = (0..layout.rows() as u32).step_by(layout.rows().div_ceil(SAMPLED_ROWS));
        let (count, shown) = (sampled.len(), sampled.filter(|&row| self.shows(part, &layout, row)).count());
        let visible_rows = layout.rows() * shown / count;
        // The walk takes `walk_cost * count / shown`, the scan `visible_rows`. A query far from all that is visible
        // walks longer than that, and stops when a scan would have been over.
        (visible_rows * shown > self.settings.walk_cost * count).then_some(visible_rows)
    }

    fn walk(&self, part: &Part, budget: usize) -> Result<Option<Nearest>, VectorError> {
        let layout = part.segment.layout();
        match layout.codes {
            Some(codes) => self.walk_by(part, &layout, budget, |rows, scores| {
                codes.alike_all(&self.probe.code, rows, scores);
            }),
            None => self.walk_by(part, &layout, budget, |rows, scores| {
                scores.clear();
                scores.extend(rows.iter().map(|&row| dot(self.query, layout.vector(row))));
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
        let found = walk.nearest(layout.rows(), entry, &reach, links, &score, |row| self.shows(part, layout, row))?;
        Ok(found.map(|found| {
            let mut nearest = Nearest::new(self.limit);
            for near in found {
                let cosine = dot(self.query, layout.vector(near.row()));
                self.offer(part, layout, near.row(), cosine, &mut nearest);
            }
            nearest
        }))
    }

    fn scan_part(&self, part: &Part) -> Result<Nearest, VectorError> {
        let layout = part.segment.layout();
        let vector = |row| layout.vector(row);
        let shows = |row| self.shows(part, &layout, row);
        self.scan(layout.rows(), layout.codes, vector, shows, |row, cosine, nearest| {
            self.offer(part, &layout, row, cosine, nearest);
        })
    }

    fn scan_block(&self, block: &Block) -> Result<Nearest, VectorError> {
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
        let error = |row: u32| self.probe.error(codes.scales[row as usize]);
        let mut least: Vec<Near> = self
            .in_tasks(rows, |task| {
                let shown: Vec<u32> = (task.start as u32..task.end as u32).filter(|&row| shows(row)).collect();
                let mut scores = Vec::new();
                codes.alike_all(&self.probe.code, &shown, &mut scores);
                let least = |(&score, &row)| Near::new(self.probe.cosine(score) - error(row), row);
                scores.iter().zip(&shown).map(least).collect::<Vec<Near>>()
            })?
            .concat();
        if least.len() > self.limit {
            let (_, last, _) = least.select_nth_unstable_by(self.limit - 1, |a, b| b.cmp(a));
            let last = last.score();
            least.retain(|near| near.score() + 2.0 * error(near.row()) >= last);
        }
        Ok(least.into_iter().map(Near::row).collect())
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
        if rows < PARALLEL_ROWS { tasks.map(task).collect() } else { tasks.into_par_iter().map(task).collect() }
    }

    fn shows(&self, part: &Part, layout: &Layout<'_>, row: u32) -> bool {
        layout.slots(row).iter().any(|&slot| part.shows(layout, slot, self.visible))
    }

    /// Offers the passages of a row; slots ascend as keys do, so the first `limit` of them suffice.
    fn offer(&self, part: &Part, layout: &Layout<'_>, row: u32, cosine: f32, nearest: &mut Nearest) {
        if nearest.admits(cosine) {
            let shown = layout.slots(row).iter().filter(|&&slot| part.shows(layout, slot, self.visible));
            for &slot in shown.take(self.limit) {
                nearest.offer(VectorHit { key: PassageKey(layout.keys[slot as usize]), cosine });
            }
        }
    }
}
