//! Which passages are nearest to a query, among those that the caller may see?

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::delta::{Block, Delta, Dropped};
use super::dot::dot;
use super::error::{VectorError, check_unit};
use super::nearest::{Nearest, VectorHit};
use super::segment::{Layout, Segment};
use super::walk::{Reach, walk};
use super::{PassageKey, VectorSettings};
use crate::visible::Visible;

/// Rows that one thread scans before it looks at the clock.
const ROWS_PER_TASK: usize = 4_096;
/// Below this many rows, waking other threads costs more than it gives.
const PARALLEL_ROWS: usize = 16_384;
/// Rows looked at to tell how large a part of a segment is visible.
const SAMPLED_ROWS: usize = 4_096;
/// Fewest rows that a walk keeps; recall on clustered vectors is above .99 from here.
const LEAST_EF: usize = 128;

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
        for (slot, &key) in slots.iter().enumerate() {
            live[slot / 64] |= u64::from(keys.binary_search(&PassageKey(key)).is_ok()) << (slot % 64);
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
        let sealed = self.inner.parts.iter().find_map(|part| {
            let layout = part.segment.layout();
            let slot = layout.keys.binary_search(&key.0).ok()?;
            part.is_live(slot as u32).then(|| layout.vector(layout.key_rows[slot]).to_vec())
        });
        sealed.or_else(|| self.inner.delta.vector(key, self.inner.dimensions).map(<[f32]>::to_vec))
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
        let search = Search { query, visible, limit, deadline, settings: &self.inner.settings };
        let mut hits = VectorHits { hits: Vec::new(), exact: true };
        if limit == 0 {
            return Ok(hits);
        }
        let mut nearest = Nearest::new(limit);
        for block in self.inner.delta.blocks() {
            nearest = nearest.merge(search.scan_block(block, self.inner.dimensions)?);
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
        let ef = (4 * self.limit).next_power_of_two().max(LEAST_EF);
        let reach = Reach { ef, budget, deadline: self.deadline };
        let found = walk(&layout, self.query, &reach, |row| self.shows(part, &layout, row))?;
        Ok(found.map(|found| {
            let mut nearest = Nearest::new(self.limit);
            found.into_iter().for_each(|near| self.offer(part, &layout, near.row, near.cosine, &mut nearest));
            nearest
        }))
    }

    fn scan_part(&self, part: &Part) -> Result<Nearest, VectorError> {
        let layout = part.segment.layout();
        self.scan(layout.rows(), |row, nearest| {
            if self.shows(part, &layout, row as u32) {
                let cosine = dot(self.query, layout.vector(row as u32));
                self.offer(part, &layout, row as u32, cosine, nearest);
            }
        })
    }

    fn scan_block(&self, block: &Block, dimensions: usize) -> Result<Nearest, VectorError> {
        self.scan(block.keys.len(), |row, nearest| {
            let key = block.keys[row];
            if self.visible.contains(key.position()) {
                let vector = &block.vectors[row * dimensions..(row + 1) * dimensions];
                nearest.offer(VectorHit { key, cosine: dot(self.query, vector) });
            }
        })
    }

    /// Looks at all rows, on all threads when there are many. The order of hits is total, so the result does not
    /// depend on who finds what first.
    fn scan(&self, rows: usize, look: impl Fn(usize, &mut Nearest) + Sync) -> Result<Nearest, VectorError> {
        let task = |task: usize| {
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(VectorError::Deadline);
            }
            let mut nearest = Nearest::new(self.limit);
            let from = task * ROWS_PER_TASK;
            (from..rows.min(from + ROWS_PER_TASK)).for_each(|row| look(row, &mut nearest));
            Ok(nearest)
        };
        let (none, merge) = (|| Nearest::new(self.limit), |a: Nearest, b| Ok(a.merge(b)));
        let tasks = 0..rows.div_ceil(ROWS_PER_TASK);
        if rows < PARALLEL_ROWS {
            tasks.map(task).try_fold(none(), |all, next| merge(all, next?))
        } else {
            tasks.into_par_iter().map(task).try_reduce(none, merge)
        }
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
