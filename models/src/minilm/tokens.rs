//! How does a text become the token numbers that the model was trained on?

use std::ops::Range;

use tokenizers::{Encoding, Tokenizer};

use super::files::ModelFolder;
use crate::embedder::EmbedError;

/// sentence-transformers' own limit for all-MiniLM-L6-v2; its tokenizer.json says 128 and pads, which is for training.
const MAX_TOKENS: usize = 256;

/// Of each token, the bytes of its word; none for the model's marks.
pub(super) type WordSpans = Vec<Option<Range<usize>>>;

/// The model's tokenizer with padding and truncation off: texts are cut here, so that counting sees all of them.
pub(super) struct WordPieces {
    tokenizer: Tokenizer,
    max_tokens: usize,
    /// Stands for an empty text where a tokenizer sets no marks of its own.
    blank: u32,
}

impl WordPieces {
    pub(super) fn new(folder: &ModelFolder) -> Result<Self, EmbedError> {
        let unusable = |reason: String| EmbedError::Unusable { path: folder.tokenizer_path.clone(), reason };
        let mut tokenizer =
            Tokenizer::from_bytes(&folder.tokenizer).map_err(|error| unusable(error.to_string()))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            tokenizer,
            max_tokens: MAX_TOKENS.min(folder.config.max_position_embeddings),
            blank: folder.config.pad_token_id as u32,
        })
    }

    pub(super) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    pub(super) fn count(&self, text: &str) -> usize {
        self.tokenizer.encode_fast(text, true).map_or(0, |encoding| encoding.len())
    }

    /// The token numbers of a text with the model's marks around, cut at the limit as sentence-transformers cuts.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, EmbedError> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(failed)?;
        Ok(self.cut(&encoding))
    }

    /// The same, with the words that the tokens are of.
    pub(super) fn encode_words(&self, text: &str) -> Result<(Vec<u32>, WordSpans), EmbedError> {
        let encoding = self.tokenizer.encode(text, true).map_err(failed)?;
        let ids = self.cut(&encoding);
        let mut words: WordSpans = encoding
            .get_word_ids()
            .iter()
            .take(ids.len())
            .map(|word| encoding.word_to_chars((*word)?, 0).map(|(start, end)| start..end))
            .collect();
        words.resize(ids.len(), None);
        // The last one is the model's mark, where the text was cut too.
        words.iter_mut().last().into_iter().for_each(|last| *last = None);
        Ok((ids, words))
    }

    fn cut(&self, encoding: &Encoding) -> Vec<u32> {
        let mut ids = encoding.get_ids().to_vec();
        if ids.len() > self.max_tokens {
            let end = ids[ids.len() - 1];
            ids.truncate(self.max_tokens - 1);
            ids.push(end);
        }
        if ids.is_empty() {
            ids.push(self.blank);
        }
        ids
    }
}

fn failed(error: tokenizers::Error) -> EmbedError {
    EmbedError::Compute { reason: error.to_string() }
}
