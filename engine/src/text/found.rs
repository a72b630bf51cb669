//! What did a search find, and by which words?

use std::path::PathBuf;
use std::sync::Arc;

use super::scope::Scope;
use super::search::{self, Candidate, Matched};
use super::view::Segment;
use super::{TermScore, TextError, TextHit};

/// What a search found. The words are read for the hits that somebody asks for, since most hits are never shown.
pub struct TextHits {
    pub(super) folder: Arc<PathBuf>,
    pub(super) segments: Arc<[Segment]>,
    pub(super) scope: Arc<Scope>,
    pub(super) matched: Vec<Matched>,
    pub(super) best: Vec<Candidate>,
}

impl TextHits {
    /// The hits: greatest score first, then lowest position.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TextHit> {
        self.best.iter().map(|candidate| candidate.hit)
    }

    /// What each word of the query gave to the score of a hit, the greatest first; they add up to it, but for rounding.
    /// Nothing for a position that is no hit.
    ///
    /// # Errors
    /// [`TextError::Corrupt`] and [`TextError::Failed`] when the index cannot be read.
    pub fn terms(&self, position: u64) -> Result<Vec<TermScore>, TextError> {
        let Some(hit) = self.best.iter().find(|candidate| candidate.hit.position == position) else {
            return Ok(Vec::new());
        };
        search::explained(&self.segments, &self.scope, &self.matched, hit)
            .map_err(|error| TextError::of(&self.folder, error.into()))
    }
}

impl std::fmt::Debug for TextHits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
