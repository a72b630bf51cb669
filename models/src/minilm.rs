//! How does a sentence-transformers BERT in a folder become an embedder?

pub(crate) mod files;
pub(crate) mod reference;
mod tokens;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::embedder::reading::Reading;
use crate::embedder::{EmbedError, Embedder, EmbedderId, TextRole};
use crate::encoder::Encoder;
pub(crate) use files::ModelFolder;
use tokens::WordPieces;

/// Ends the id of vectors that were computed in 8 bits; changes whenever they change.
const ROUNDED: &str = "int8";
/// Questions that are remembered; each takes 1.5 kB a token.
const LATELY: usize = 8;

/// all-MiniLM-L6-v2: mean pooling over all tokens, then unit length.
///
/// Runs on the packed encoder, in whole numbers of 8 bits; [`ReferenceMiniLm`](crate::ReferenceMiniLm) is the same
/// model as candle computes it, for differential tests and to measure against.
pub struct MiniLm {
    id: EmbedderId,
    words: WordPieces,
    encoder: Encoder,
    /// The questions read last, newest last: one ticket is asked about in several searches.
    lately: Mutex<VecDeque<Reading>>,
}

impl MiniLm {
    /// The name of the default embedder in the catalog, also the usual name of its folder.
    pub const NAME: &'static str = "all-MiniLM-L6-v2";

    /// Opens the default embedder from its folder, after checking every file against the catalog.
    ///
    /// # Errors
    /// When a file is missing or differs from the catalog by as much as one byte.
    pub fn open(folder: &Path) -> Result<Self, EmbedError> {
        let mut folder = ModelFolder::read_known(folder, Self::NAME)?;
        folder.id = folder.id.variant(ROUNDED);
        Self::new(folder, Encoder::rounded)
    }

    /// The same in f32: slower, to measure what rounding costs.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_exact(folder: &Path) -> Result<Self, EmbedError> {
        Self::new(ModelFolder::read_known(folder, Self::NAME)?, Encoder::exact)
    }

    fn new(
        folder: ModelFolder,
        encoder: fn(ModelFolder) -> Result<Encoder, EmbedError>,
    ) -> Result<Self, EmbedError> {
        let (words, id) = (WordPieces::new(&folder)?, folder.id.clone());
        Ok(Self { id, words, encoder: encoder(folder)?, lately: Mutex::default() })
    }
}

impl Embedder for MiniLm {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.encoder.dimensions()
    }

    fn max_tokens(&self) -> usize {
        self.words.max_tokens()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.words.count(text)
    }

    fn embed(&self, _role: TextRole, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.encoder.embed(texts, |text| self.words.encode(text))
    }

    fn read(&self, question: &str) -> Result<Reading, EmbedError> {
        let lately = || self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lately().iter().find(|reading| reading.text() == question) {
            return Ok(known.clone());
        }
        let (tokens, words) = self.words.encode_words(question)?;
        let rows = self.encoder.rows(tokens)?;
        let reading = Reading::new(question, words, rows, self.encoder.dimensions());
        let mut lately = lately();
        lately.push_back(reading.clone());
        if lately.len() > LATELY {
            lately.pop_front();
        }
        Ok(reading)
    }
}

#[cfg(test)]
mod tests;
