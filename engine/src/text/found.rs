//! What did a search find, and by which words?

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::analysis::Analyzer;
use super::scope::Scope;
use super::search::{self, Candidate, MAX_QUERY_TERMS, Matched};
use super::view::Segment;
use super::{TermScore, TextError, TextHit};

/// What a word counts at least, beside words that are rarer (the idf of a word in a third of the documents).
const LEAST_RARITY: f32 = 1.0;

/// What a search found. The words are read for the hits that somebody asks for, since most hits are never shown.
pub struct TextHits {
    pub(super) folder: Arc<PathBuf>,
    pub(super) segments: Arc<[Segment]>,
    pub(super) analyzer: Analyzer,
    pub(super) scope: Arc<Scope>,
    pub(super) matched: Vec<Matched>,
    pub(super) best: Vec<Candidate>,
}

impl TextHits {
    /// The hits: greatest score first, then lowest position.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TextHit> {
        self.best.iter().map(|candidate| candidate.hit)
    }

    /// The score of a document that has every known term of the query, however often.
    pub fn possible(&self) -> f32 {
        self.matched.iter().map(|term| term.factor).sum()
    }

    /// How much each word of the query tells records apart: its idf among the visible documents. What is no term, such as
    /// `the` or a comma, counts as little as the most frequent words do.
    pub fn rarity(&self) -> impl Fn(&str) -> f32 + use<> {
        // The first of equal terms is the word itself, those of the parts of identifiers come behind.
        let mut known: HashMap<String, f32> = HashMap::with_capacity(self.matched.len());
        for matched in &self.matched {
            known.entry(matched.term.clone()).or_insert(matched.idf);
        }
        let unseen = if self.matched.len() < MAX_QUERY_TERMS { self.scope.idf(0) } else { LEAST_RARITY };
        let analyzer = self.analyzer.clone();
        move |word| {
            let mut rarest: f32 = LEAST_RARITY;
            analyzer.clone().words(word, &mut |term, _| {
                rarest = rarest.max(known.get(term).copied().unwrap_or(unseen));
            });
            rarest
        }
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
