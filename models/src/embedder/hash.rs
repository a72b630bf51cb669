//! What can stand in for a model where no weights are wanted?

use sha2::{Digest, Sha256};

use super::reading::Reading;
use super::{EmbedError, Embedder, EmbedderId, TextRole};
use crate::catalog::hex;

/// Changes whenever the vectors change, since the id is made from it.
const RECIPE: &str = "words 1.0, character trigrams 0.4, fnv-1a 64, signed buckets, version 1";
const MAX_WORDS: usize = 256;
const WORD_WEIGHT: f32 = 1.0;
const TRIGRAM_WEIGHT: f32 = 0.4;

/// An embedder without weights: words and their character trigrams, hashed into signed buckets
/// (feature hashing, Weinberger et al. 2009).
///
/// Texts that share words or parts of words come out close; it knows nothing of meaning. It is for tests
/// and for machines without a model. Its tokens are words.
#[derive(Debug, Clone)]
pub struct HashEmbedder {
    id: EmbedderId,
    dimensions: usize,
}

impl HashEmbedder {
    /// An embedder that gives vectors of this many numbers (at least 1).
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        let dimensions = dimensions.max(1);
        let digest = hex(&Sha256::digest(RECIPE.as_bytes()));
        Self { id: EmbedderId::new(&format!("hash-{dimensions}"), &digest), dimensions }
    }

    fn reading(&self, text: &str) -> Reading {
        let words: Vec<&str> = words(text).take(MAX_WORDS).collect();
        let mut rows = vec![0.0; words.len() * self.dimensions];
        for (word, row) in words.iter().zip(rows.chunks_exact_mut(self.dimensions)) {
            self.word(word, row);
        }
        let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        let spans = words.iter().map(|word| Some(start(word)..start(word) + word.len())).collect();
        Reading::new(text, spans, rows, self.dimensions)
    }

    fn word(&self, word: &str, row: &mut [f32]) {
        let mut marked = String::from('^');
        marked.extend(word.chars().flat_map(char::to_lowercase));
        marked.push('$');
        self.add(row, marked.as_bytes(), WORD_WEIGHT);
        let starts: Vec<usize> = marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
        for window in starts.windows(4) {
            self.add(row, &marked.as_bytes()[window[0]..window[3]], TRIGRAM_WEIGHT);
        }
    }

    fn add(&self, row: &mut [f32], feature: &[u8], weight: f32) {
        let hash = feature.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bucket = (mixed >> 1) % self.dimensions as u64;
        row[bucket as usize] += if mixed & 1 == 0 { weight } else { -weight };
    }
}

impl Embedder for HashEmbedder {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn max_tokens(&self) -> usize {
        MAX_WORDS
    }

    fn count_tokens(&self, text: &str) -> usize {
        words(text).count()
    }

    fn embed(&self, _role: TextRole, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        Ok(texts.iter().map(|text| self.reading(text).vector(|_| 1.0)).collect())
    }

    fn read(&self, question: &str) -> Result<Reading, EmbedError> {
        Ok(self.reading(question))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::HashEmbedder;
    use crate::embedder::conformance::conformance;
    use crate::embedder::{Embedder, TextRole};

    #[test]
    fn keeps_the_contract_in_small_and_large() {
        conformance(&HashEmbedder::new(64));
        conformance(&HashEmbedder::new(384));
    }

    #[test]
    fn its_vectors_never_change_unnoticed() {
        let embedder = HashEmbedder::new(8);
        assert_eq!(embedder.id().as_str(), "hash-8-df6f5786");
        let vector = &embedder.embed(TextRole::Query, &["disk full on web-01"]).unwrap()[0];
        let rounded: Vec<i32> = vector.iter().map(|x| (x * 1000.0).round() as i32).collect();
        assert_eq!(rounded, [199, 398, 0, -796, 199, 299, 199, 0]);
    }
}
