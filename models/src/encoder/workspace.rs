//! How does one chunk of packed sequences go through the layers?

use rten_gemm::GemmResult;

use super::attention::{Buffers, attend};
use super::kernels::{add_norm, gelu, mean_unit};
use super::linear::{Kernels, Product, Rows};
use super::weights::Weights;

/// The buffers of one pass; they grow to the largest chunk seen and stay.
#[derive(Default)]
pub(super) struct Workspace {
    /// tokens × hidden: what a layer gets and gives.
    hidden: Vec<f32>,
    /// tokens × 3 hidden: queries, keys, values.
    attention: Vec<f32>,
    /// tokens × hidden: what attention gathered.
    context: Vec<f32>,
    /// What the next linear step multiplies, and what the last one gave.
    input: Rows,
    wide: Rows,
    product: Product,
    buffers: Buffers,
}

impl Workspace {
    /// The unit vector of each sequence; none of them is empty.
    pub(super) fn forward(
        &mut self,
        kernels: &Kernels,
        weights: &Weights,
        sequences: &[&[u32]],
    ) -> GemmResult<Vec<Vec<f32>>> {
        let width = weights.hidden;
        self.look_up(kernels, weights, sequences);
        for layer in &weights.layers {
            let Self { hidden, attention, context, input, wide, product, buffers } = self;
            layer.attention.apply(kernels, input, product, |at, row| {
                attention[at * row.len()..][..row.len()].copy_from_slice(row);
            })?;
            let (mut rows, mut gathered) = (attention.as_slice(), context.as_mut_slice());
            for sequence in sequences {
                let (these, behind) = rows.split_at(sequence.len() * width * 3);
                let (context, rest) = std::mem::take(&mut gathered).split_at_mut(sequence.len() * width);
                attend(these, context, width, weights.heads, buffers);
                (rows, gathered) = (behind, rest);
            }
            wide.clear();
            context.chunks_exact(width).for_each(|row| wide.push(kernels, row));
            input.clear();
            layer.attention_out.apply(kernels, wide, product, |at, change| {
                let row = &mut hidden[at * width..][..width];
                add_norm(row, change, &layer.attention_norm, weights.epsilon);
                input.push(kernels, row);
            })?;
            wide.clear();
            layer.widen.apply(kernels, input, product, |_, row| {
                gelu(row);
                wide.push(kernels, row);
            })?;
            input.clear();
            layer.narrow.apply(kernels, wide, product, |at, change| {
                let row = &mut hidden[at * width..][..width];
                add_norm(row, change, &layer.out_norm, weights.epsilon);
                input.push(kernels, row);
            })?;
        }
        let mut rest = self.hidden.as_slice();
        let mut vectors = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            let (rows, behind) = rest.split_at(sequence.len() * width);
            vectors.push(mean_unit(rows, width));
            rest = behind;
        }
        Ok(vectors)
    }

    /// The last layer's rows of the sequences that went through last.
    pub(super) fn rows(&self) -> &[f32] {
        &self.hidden
    }

    /// Word and position embeddings, normed; the buffers fit afterwards.
    fn look_up(&mut self, kernels: &Kernels, weights: &Weights, sequences: &[&[u32]]) {
        let width = weights.hidden;
        let tokens: usize = sequences.iter().map(|sequence| sequence.len()).sum();
        self.hidden.resize(tokens * width, 0.0);
        self.context.resize(tokens * width, 0.0);
        self.attention.resize(tokens * width * 3, 0.0);
        self.input.clear();
        let places = sequences.iter().flat_map(|sequence| sequence.iter().enumerate());
        for ((position, word), row) in places.zip(self.hidden.chunks_exact_mut(width)) {
            row.copy_from_slice(&weights.words[*word as usize * width..][..width]);
            let position = &weights.positions[position * width..][..width];
            add_norm(row, position, &weights.embedding_norm, weights.epsilon);
            self.input.push(kernels, row);
        }
    }
}
