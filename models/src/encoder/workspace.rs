//! How does one chunk of packed sequences go through the layers?

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, GemmResult};
use rten_simd::SimdOp;
use rten_tensor::NdTensorView;
use rten_vecmath::Softmax;

use super::kernels::{add_norm, bias_gelu, mean_unit};
use super::weights::{Linear, Weights};

/// The buffers of one pass; they grow to the largest chunk seen and stay.
#[derive(Default)]
pub(super) struct Workspace {
    /// tokens × hidden: what a layer gets and gives.
    hidden: Vec<f32>,
    /// tokens × 3 hidden: queries, keys, values.
    attention: Vec<f32>,
    /// tokens × hidden: what attention gathered.
    context: Vec<f32>,
    /// tokens × hidden: a product before it is added to `hidden`.
    change: Vec<f32>,
    /// tokens × inner.
    wide: Vec<f32>,
    /// tokens of one sequence, squared: one head's attention.
    scores: Vec<f32>,
    /// tokens of one sequence × head width: what one head gathered.
    gathered: Vec<f32>,
}

impl Workspace {
    /// The unit vector of each sequence; none of them is empty.
    pub(super) fn forward(&mut self, weights: &Weights, sequences: &[&[u32]]) -> GemmResult<Vec<Vec<f32>>> {
        let kernels = GemmExecutor::<f32>::new();
        let tokens = sequences.iter().map(|sequence| sequence.len()).sum();
        self.fit(weights, tokens);
        self.look_up(weights, sequences);
        for layer in &weights.layers {
            product(&kernels, &mut self.attention, &self.hidden, &layer.attention, true)?;
            let mut first = 0;
            for sequence in sequences {
                self.attend(&kernels, weights, first, sequence.len())?;
                first += sequence.len();
            }
            product(&kernels, &mut self.change, &self.context, &layer.attention_out, false)?;
            let bias = &layer.attention_out.bias;
            add_norm(&mut self.hidden, &self.change, bias, &layer.attention_norm, weights.epsilon);
            product(&kernels, &mut self.wide, &self.hidden, &layer.widen, false)?;
            bias_gelu(&mut self.wide, &layer.widen.bias);
            product(&kernels, &mut self.change, &self.wide, &layer.narrow, false)?;
            add_norm(&mut self.hidden, &self.change, &layer.narrow.bias, &layer.out_norm, weights.epsilon);
        }
        let mut rest = self.hidden.as_slice();
        let mut vectors = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            let (rows, behind) = rest.split_at(sequence.len() * weights.hidden);
            vectors.push(mean_unit(rows, weights.hidden));
            rest = behind;
        }
        Ok(vectors)
    }

    /// The last layer's rows of the sequences that went through last.
    pub(super) fn rows(&self) -> &[f32] {
        &self.hidden
    }

    fn fit(&mut self, weights: &Weights, tokens: usize) {
        self.hidden.resize(tokens * weights.hidden, 0.0);
        self.attention.resize(tokens * weights.hidden * 3, 0.0);
        self.context.resize(tokens * weights.hidden, 0.0);
        self.change.resize(tokens * weights.hidden, 0.0);
        self.wide.resize(tokens * weights.inner, 0.0);
    }

    /// Word and position embeddings, normed.
    fn look_up(&mut self, weights: &Weights, sequences: &[&[u32]]) {
        let width = weights.hidden;
        let places = sequences.iter().flat_map(|sequence| sequence.iter().enumerate());
        let rows = self.hidden.chunks_exact_mut(width).zip(self.change.chunks_exact_mut(width));
        for ((position, word), (row, added)) in places.zip(rows) {
            let word = *word as usize;
            row.copy_from_slice(&weights.words[word * width..][..width]);
            added.copy_from_slice(&weights.positions[position * width..][..width]);
        }
        let no_bias = vec![0.0; width];
        add_norm(&mut self.hidden, &self.change, &no_bias, &weights.embedding_norm, weights.epsilon);
    }

    /// Multi-head attention within the sequence of `length` tokens that starts at row `first`.
    fn attend(
        &mut self,
        kernels: &GemmExecutor,
        weights: &Weights,
        first: usize,
        length: usize,
    ) -> GemmResult {
        let (hidden, heads) = (weights.hidden, weights.heads);
        let width = hidden / heads;
        let scale = 1.0 / (width as f32).sqrt();
        let rows = &self.attention[first * hidden * 3..][..length * hidden * 3];
        let rows = NdTensorView::<f32, 2>::from_data([length, hidden * 3], rows);
        self.scores.resize(length * length, 0.0);
        self.gathered.resize(length * width, 0.0);
        for head in 0..heads {
            let columns = |part: usize| {
                let start = part * hidden + head * width;
                rows.slice((.., start..start + width))
            };
            kernels.gemm(
                &mut self.scores,
                GemmInputA::Unpacked(columns(0)),
                GemmInputB::Unpacked(columns(1).transposed()),
                GemmOptions { alpha: scale, ..GemmOptions::default() },
            )?;
            for row in self.scores.chunks_exact_mut(length) {
                Softmax::new_mut(row).dispatch();
            }
            kernels.gemm(
                &mut self.gathered,
                GemmInputA::Unpacked(NdTensorView::from_data([length, length], self.scores.as_slice())),
                GemmInputB::Unpacked(columns(2)),
                GemmOptions::default(),
            )?;
            let targets = self.context[first * hidden..].chunks_exact_mut(hidden);
            for (target, gathered) in targets.zip(self.gathered.chunks_exact(width)) {
                target[head * width..][..width].copy_from_slice(gathered);
            }
        }
        Ok(())
    }
}

/// `output = input × matrix`, with the bias added if asked for.
fn product(
    kernels: &GemmExecutor,
    output: &mut [f32],
    input: &[f32],
    step: &Linear,
    with_bias: bool,
) -> GemmResult {
    let depth = step.matrix.rows();
    kernels.gemm(
        output,
        GemmInputA::Unpacked(NdTensorView::from_data([input.len() / depth, depth], input)),
        GemmInputB::Packed(&step.matrix),
        GemmOptions { bias: with_bias.then_some(BiasVector::Row(&step.bias)), ..GemmOptions::default() },
    )
}
