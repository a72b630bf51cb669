//! How does each token of a sequence gather from all others?
//!
//! One head at a time, a few queries at a time: their scores, the softmax and what they gather stay in the
//! first-level cache, and nothing as large as the square of the sequence is ever written.

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};
use rten_vecmath::Softmax;

/// Queries that are computed together: with two vectors each, their sums fill the registers.
const QUERIES: usize = 6;

/// Buffers of one sequence.
#[derive(Default)]
pub(super) struct Buffers {
    /// head width × tokens: keys of one head, side by side, scaled.
    keys: Vec<f32>,
    /// tokens × head width.
    values: Vec<f32>,
    /// head width × queries.
    queries: Vec<f32>,
    /// queries × tokens.
    scores: Vec<f32>,
}

/// Multi-head attention of one sequence: `rows` has queries, keys and values side by side, `context` takes what each
/// token gathered. A head's width is a multiple of 32, so no step has a tail on any instruction set.
pub(super) fn attend(rows: &[f32], context: &mut [f32], hidden: usize, heads: usize, buffers: &mut Buffers) {
    for head in 0..heads {
        Head { rows, context: &mut *context, hidden, width: hidden / heads, head, buffers: &mut *buffers }
            .dispatch();
    }
}

struct Head<'a> {
    rows: &'a [f32],
    context: &'a mut [f32],
    hidden: usize,
    width: usize,
    head: usize,
    buffers: &'a mut Buffers,
}

impl SimdOp for Head<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(mut self, isa: I) {
        let length = self.context.len() / self.hidden;
        let padded = length.next_multiple_of(2 * isa.f32().len());
        self.gather(length, padded);
        let mut first = 0;
        while first < length {
            match length - first {
                1 => self.queries::<I, 1>(isa, first, padded),
                2 => self.queries::<I, 2>(isa, first, padded),
                3 => self.queries::<I, 3>(isa, first, padded),
                4 => self.queries::<I, 4>(isa, first, padded),
                5 => self.queries::<I, 5>(isa, first, padded),
                _ => self.queries::<I, QUERIES>(isa, first, padded),
            }
            first += QUERIES;
        }
    }
}

impl Head<'_> {
    /// Copies keys and values of this head to where they are read in order.
    fn gather(&mut self, length: usize, padded: usize) {
        let (hidden, width) = (self.hidden, self.width);
        let scale = 1.0 / (width as f32).sqrt();
        let Buffers { keys, values, scores, queries } = &mut *self.buffers;
        keys.clear();
        keys.resize(width * padded, 0.0);
        scores.resize(QUERIES * padded, 0.0);
        queries.resize(QUERIES * width, 0.0);
        values.clear();
        for (at, row) in self.rows.chunks_exact(hidden * 3).enumerate() {
            let key = &row[hidden + self.head * width..][..width];
            let slots = keys[at..].iter_mut().step_by(padded);
            slots.zip(key).for_each(|(slot, number)| *slot = number * scale);
            values.extend_from_slice(&row[hidden * 2 + self.head * width..][..width]);
        }
        debug_assert_eq!(values.len(), length * width);
    }

    /// What the queries from `first` on gather.
    #[inline(always)]
    fn queries<I: Isa, const COUNT: usize>(&mut self, isa: I, first: usize, padded: usize) {
        let (hidden, width) = (self.hidden, self.width);
        let ops = isa.f32();
        let (lanes, length) = (ops.len(), self.context.len() / hidden);
        let Buffers { keys, values, queries, scores } = &mut *self.buffers;
        for (at, row) in self.rows.chunks_exact(hidden * 3).skip(first).take(COUNT).enumerate() {
            let slots = queries[at..].iter_mut().step_by(COUNT);
            slots.zip(&row[self.head * width..][..width]).for_each(|(slot, number)| *slot = *number);
        }
        let queries = &queries.as_chunks::<COUNT>().0[..width];
        for column in (0..padded).step_by(2 * lanes) {
            let mut sums = [[ops.zero(); 2]; COUNT];
            for (key, query) in keys.chunks_exact(padded).zip(queries) {
                let key = &key[column..][..2 * lanes];
                let key = [ops.load(key), ops.load(&key[lanes..])];
                for (sums, query) in sums.iter_mut().zip(query) {
                    let query = ops.splat(*query);
                    sums[0] = ops.mul_add(query, key[0], sums[0]);
                    sums[1] = ops.mul_add(query, key[1], sums[1]);
                }
            }
            for (at, sums) in sums.into_iter().enumerate() {
                let score = &mut scores[at * padded + column..][..2 * lanes];
                ops.store(sums[0], score);
                ops.store(sums[1], &mut score[lanes..]);
            }
        }
        for row in scores.chunks_exact_mut(padded).take(COUNT) {
            Softmax::new_mut(&mut row[..length]).eval(isa);
        }
        let scores = scores.as_slice();
        let scores: [&[f32]; COUNT] = std::array::from_fn(|at| &scores[at * padded..][..length]);
        for column in (0..width).step_by(2 * lanes) {
            let mut sums = [[ops.zero(); 2]; COUNT];
            for (at, value) in values.chunks_exact(width).enumerate() {
                let value = &value[column..][..2 * lanes];
                let value = [ops.load(value), ops.load(&value[lanes..])];
                for (sums, scores) in sums.iter_mut().zip(&scores) {
                    let score = ops.splat(scores[at]);
                    sums[0] = ops.mul_add(score, value[0], sums[0]);
                    sums[1] = ops.mul_add(score, value[1], sums[1]);
                }
            }
            let rows = self.context.chunks_exact_mut(hidden).skip(first);
            for (row, sums) in rows.zip(sums) {
                let target = &mut row[self.head * width + column..][..2 * lanes];
                ops.store(sums[0], target);
                ops.store(sums[1], &mut target[lanes..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernels::tests::noise;
    use super::{Buffers, attend};

    #[test]
    fn attention_is_the_plain_formula() {
        let (hidden, heads, width) = (64, 2, 32);
        let mut buffers = Buffers::default();
        for length in [40, 1, 6, 7, 33] {
            let rows = noise(9, length * hidden * 3);
            let mut context = vec![0.0; length * hidden];
            attend(&rows, &mut context, hidden, heads, &mut buffers);
            for head in 0..heads {
                let part = |token: usize, part: usize| {
                    let row = &rows[token * hidden * 3 + part * hidden + head * width..][..width];
                    row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()
                };
                for token in 0..length {
                    let query = part(token, 0);
                    let score = |other: usize| {
                        let products = query.iter().zip(part(other, 1)).map(|(q, k)| q * k);
                        (products.sum::<f64>() / (width as f64).sqrt()).exp()
                    };
                    let scores: Vec<f64> = (0..length).map(score).collect();
                    let total: f64 = scores.iter().sum();
                    for at in 0..width {
                        let gathered = (0..length).map(|other| scores[other] * part(other, 2)[at]);
                        let expected = gathered.sum::<f64>() / total;
                        let got = context[token * hidden + head * width + at];
                        assert!((f64::from(got) - expected).abs() < 1e-4, "{got} instead of {expected}");
                    }
                }
            }
        }
    }
}
