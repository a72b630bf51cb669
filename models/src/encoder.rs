//! How does a batch of token sequences become vectors as fast as two cores allow?
//!
//! Sequences are packed one behind the other, with no padding: every matrix product, activation and layer norm runs
//! over rows that belong to some text, and only attention looks at one sequence at a time. Buffers are reused and
//! weights are packed once, when the model opens. Each row of each step depends on that row alone (attention: on its
//! sequence alone), and a product's sum runs in the same order whatever the row block, so a text's vector is the
//! same, bit for bit, in every batch.

mod attention;
mod kernels;
mod linear;
mod weights;
mod workspace;

use std::sync::{Mutex, PoisonError};

use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::embedder::EmbedError;
use crate::minilm::ModelFolder;
use linear::{Arithmetic, Kernels};
use weights::Weights;
use workspace::Workspace;

/// Threads of the encoder's own pool.
const THREADS: usize = 2;
/// Tokens that go through the layers together: enough rows to make good use of weights that come from memory,
/// few enough that the activations between two products stay in the second-level cache.
const CHUNK_TOKENS: usize = 384;

/// A BERT encoder with mean pooling, its weights packed for the kernels.
pub(crate) struct Encoder {
    arithmetic: Arithmetic,
    weights: Weights,
    /// The kernels split a product over the pool they run in; this one keeps them out of the process-wide pool.
    pool: ThreadPool,
    /// Buffers not in use; a pass takes one and gives it back.
    idle: Mutex<Vec<Workspace>>,
}

impl Encoder {
    /// In whole numbers of 8 bits, with the fastest kernels of this machine.
    pub(crate) fn rounded(folder: ModelFolder) -> Result<Self, EmbedError> {
        Self::new(folder, Arithmetic::Rounded)
    }

    /// In f32.
    pub(crate) fn exact(folder: ModelFolder) -> Result<Self, EmbedError> {
        Self::new(folder, Arithmetic::Exact)
    }

    /// As [`rounded`](Self::rounded), with kernels that every machine has.
    #[cfg(test)]
    pub(crate) fn portable(folder: ModelFolder) -> Result<Self, EmbedError> {
        Self::new(folder, Arithmetic::Portable)
    }

    fn new(folder: ModelFolder, arithmetic: Arithmetic) -> Result<Self, EmbedError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(THREADS)
            .thread_name(|index| format!("encoder-{index}"))
            .build()
            .map_err(|error| EmbedError::Compute { reason: error.to_string() })?;
        let weights = pool.install(|| Weights::load(folder, &Kernels::new(arithmetic)))?;
        Ok(Self { arithmetic, weights, pool, idle: Mutex::default() })
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.weights.hidden
    }

    /// The unit vector of each text, in order; `tokenize` gives a text's token numbers.
    pub(crate) fn embed(
        &self,
        texts: &[&str],
        tokenize: impl Fn(&str) -> Result<Vec<u32>, EmbedError> + Sync,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.pool.install(|| {
            let sequences: Vec<Vec<u32>> =
                texts.par_iter().map(|text| tokenize(text)).collect::<Result<_, _>>()?;
            let mut vectors = vec![Vec::new(); texts.len()];
            let passes: Result<Vec<_>, EmbedError> = chunks(&sequences)
                .into_par_iter()
                .map(|chunk| self.pass(&sequences, chunk, |_| {}))
                .collect();
            for (place, vector) in passes?.into_iter().flatten() {
                vectors[place] = vector;
            }
            Ok(vectors)
        })
    }

    /// The last layer's row of each token.
    pub(crate) fn rows(&self, tokens: Vec<u32>) -> Result<Vec<f32>, EmbedError> {
        self.pool.install(|| {
            let mut rows = Vec::new();
            self.pass(&[tokens], vec![0], |workspace| rows = workspace.rows().to_vec())?;
            Ok(rows)
        })
    }

    /// Runs one chunk through the layers.
    fn pass(
        &self,
        sequences: &[Vec<u32>],
        chunk: Vec<usize>,
        seen: impl FnOnce(&Workspace),
    ) -> Result<Vec<(usize, Vec<f32>)>, EmbedError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut workspace = idle().pop().unwrap_or_default();
        let chosen: Vec<&[u32]> = chunk.iter().map(|place| sequences[*place].as_slice()).collect();
        let vectors = workspace
            .forward(&Kernels::new(self.arithmetic), &self.weights, &chosen)
            .map_err(|error| EmbedError::Compute { reason: error.to_string() })?;
        seen(&workspace);
        idle().push(workspace);
        Ok(chunk.into_iter().zip(vectors).collect())
    }
}

/// Groups sequences, longest first, into chunks of at most [`CHUNK_TOKENS`], evenly filled.
fn chunks(sequences: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(sequences[*place].len()));
    let total: usize = sequences.iter().map(Vec::len).sum();
    let wanted = total.div_ceil(CHUNK_TOKENS).max(1);
    let fill = total.div_ceil(wanted);
    let mut chunks = Vec::with_capacity(wanted);
    let (mut chunk, mut tokens) = (Vec::new(), 0);
    for place in order {
        chunk.push(place);
        tokens += sequences[place].len();
        if tokens >= fill {
            chunks.push(std::mem::take(&mut chunk));
            tokens = 0;
        }
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_TOKENS, chunks};

    #[test]
    fn every_sequence_is_in_exactly_one_chunk() {
        let check = |lengths: &[usize]| {
            let sequences: Vec<Vec<u32>> = lengths.iter().map(|length| vec![7; *length]).collect();
            let chunks = chunks(&sequences);
            let mut seen: Vec<usize> = chunks.iter().flatten().copied().collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for chunk in &chunks {
                let tokens: usize = chunk.iter().map(|place| lengths[*place]).sum();
                assert!(!chunk.is_empty() && tokens < CHUNK_TOKENS + 256, "{tokens}");
            }
        };
        check(&[]);
        check(&[2]);
        check(&[256; 40]);
        check(&(2..=256).collect::<Vec<_>>());
        check(&[2; 5000]);
    }
}
