//! Which passages are nearest to a query, among those that the caller may see?

use std::sync::Arc;
use std::time::Instant;

use super::delta::Delta;
use super::error::{VectorError, check_unit};
use super::nearest::{Nearest, VectorHit};
use super::part::Part;
use super::probe::Probe;
use super::search::Search;
use super::{PassageKey, VectorSettings};
use crate::visible::Visible;

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
        let dimensions = self.inner.dimensions;
        let sealed = self.inner.parts.iter().find_map(|part| {
            let layout = part.segment.layout();
            let slot = layout.keys.binary_search(&key.0).ok()?;
            let mut vector = vec![0.0; dimensions];
            part.segment.copy_vector(layout.key_rows[slot], &mut vector);
            part.is_live(slot as u32).then_some(vector)
        });
        sealed.or_else(|| self.inner.delta.vector(key, dimensions).map(<[f32]>::to_vec))
    }

    /// For each of some revisions its passage that is nearest to the query, a unit vector of the same embedder. A
    /// revision that has none gives none.
    pub fn nearest_of(&self, query: &[f32], positions: &[u64]) -> Vec<Option<VectorHit>> {
        let probe = Probe::new(query);
        let of = |position: u64| {
            let sealed = self.inner.parts.iter().filter_map(|part| part.nearest_of(query, &probe, position));
            let blocks = self.inner.delta.blocks().iter();
            // Hits are ordered best first.
            sealed.chain(blocks.filter_map(|block| block.nearest_of(query, position))).min()
        };
        positions.iter().map(|&position| of(position)).collect()
    }

    /// The `limit` visible passages nearest to the query, a unit vector.
    ///
    /// Limits up to half of `least_ef` walk the graph in the same way, so that the hits of a smaller limit are the first
    /// of a larger one; above, the width of the walk doubles at each power of two. Whether a scan or a walk is made
    /// does not depend on the limit.
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
        let search = Search::new(query, visible, limit, deadline, &self.inner.settings);
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
