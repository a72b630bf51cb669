//! How does a sentence-transformers BERT in a folder become an embedder?

pub(crate) mod files;
pub(crate) mod reference;
mod tokens;

use std::path::Path;

use crate::embedder::reading::Reading;
use crate::embedder::{EmbedError, Embedder, EmbedderId, TextRole};
use crate::encoder::Encoder;
pub(crate) use files::ModelFolder;
use tokens::WordPieces;

/// all-MiniLM-L6-v2: mean pooling over all tokens, then unit length.
///
/// Runs on the packed encoder (see ARCHITECTURE.md); [`ReferenceMiniLm`](crate::ReferenceMiniLm) is the same
/// model as candle computes it, for differential tests and to measure against.
pub struct MiniLm {
    id: EmbedderId,
    words: WordPieces,
    encoder: Encoder,
}

impl MiniLm {
    /// The name of the default embedder in the catalog, also the usual name of its folder.
    pub const NAME: &'static str = "all-MiniLM-L6-v2";

    /// Opens the default embedder from its folder, after checking every file against the catalog.
    ///
    /// # Errors
    /// When a file is missing or differs from the catalog by as much as one byte.
    pub fn open(folder: &Path) -> Result<Self, EmbedError> {
        let folder = ModelFolder::read_known(folder, Self::NAME)?;
        let words = WordPieces::new(&folder)?;
        let id = folder.id.clone();
        let encoder = Encoder::new(folder)?;
        Ok(Self { id, words, encoder })
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
        let (tokens, words) = self.words.encode_words(question)?;
        let rows = self.encoder.rows(tokens)?;
        Ok(Reading::new(question, words, rows, self.encoder.dimensions()))
    }
}

#[cfg(test)]
mod tests;
