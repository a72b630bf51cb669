//! Which element-wise steps stand between two matrix products, and how are they done in one sweep each?
//!
//! Widths are multiples of 16 (checked when a model opens), so no step has a tail on any instruction set.

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp, SimdUnaryOp};
use rten_vecmath::Gelu;

use super::weights::Norm;

/// `row = gelu(row + bias)` for every row.
pub(super) fn bias_gelu(rows: &mut [f32], bias: &[f32]) {
    BiasGelu { rows, bias }.dispatch();
}

/// `rows = norm(rows + added + bias)`: bias, residual and layer norm of a layer's half.
pub(super) fn add_norm(rows: &mut [f32], added: &[f32], bias: &[f32], norm: &Norm, epsilon: f32) {
    AddNorm { rows, added, bias, norm, epsilon }.dispatch();
}

/// The mean of the rows, scaled to unit length.
pub(super) fn mean_unit(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for row in rows.chunks_exact(width) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    // The number of rows cancels out.
    let length = sum.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    sum.iter().map(|value| (f64::from(*value) / length) as f32).collect()
}

struct BiasGelu<'a> {
    rows: &'a mut [f32],
    bias: &'a [f32],
}

impl SimdOp for BiasGelu<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        let lanes = ops.len();
        for row in self.rows.chunks_exact_mut(self.bias.len()) {
            for (values, bias) in row.chunks_exact_mut(lanes).zip(self.bias.chunks_exact(lanes)) {
                let sum = ops.add(ops.load(values), ops.load(bias));
                ops.store(Gelu {}.eval(isa, sum), values);
            }
        }
    }
}

struct AddNorm<'a> {
    rows: &'a mut [f32],
    added: &'a [f32],
    bias: &'a [f32],
    norm: &'a Norm,
    epsilon: f32,
}

impl SimdOp for AddNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        let lanes = ops.len();
        let width = self.bias.len();
        for (row, added) in self.rows.chunks_exact_mut(width).zip(self.added.chunks_exact(width)) {
            let mut sum = ops.zero();
            let inputs = added.chunks_exact(lanes).zip(self.bias.chunks_exact(lanes));
            for (values, (added, bias)) in row.chunks_exact_mut(lanes).zip(inputs) {
                let total = ops.add(ops.load(values), ops.add(ops.load(added), ops.load(bias)));
                sum = ops.add(sum, total);
                ops.store(total, values);
            }
            let mean = ops.splat(ops.sum(sum) / width as f32);
            let mut squares = ops.zero();
            for values in row.chunks_exact(lanes) {
                let off = ops.sub(ops.load(values), mean);
                squares = ops.mul_add(off, off, squares);
            }
            let variance = ops.sum(squares) / width as f32;
            let factor = ops.splat(1.0 / (variance + self.epsilon).sqrt());
            let learned = self.norm.scale.chunks_exact(lanes).zip(self.norm.shift.chunks_exact(lanes));
            for (values, (scale, shift)) in row.chunks_exact_mut(lanes).zip(learned) {
                let unit = ops.mul(ops.sub(ops.load(values), mean), factor);
                ops.store(ops.mul_add(unit, ops.load(scale), ops.load(shift)), values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::weights::Norm;
    use super::{add_norm, bias_gelu, mean_unit};

    /// Numbers without a pattern, in [-4, 4).
    fn noise(seed: u32, count: usize) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 21) as f32 - 4.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// Abramowitz and Stegun 7.1.5: the series of erf, exact enough in f64 for the range used here.
    fn erf(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..80 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn bias_gelu_is_the_plain_formula() {
        let (bias, before) = (noise(1, 48), noise(2, 48 * 5));
        let mut rows = before.clone();
        bias_gelu(&mut rows, &bias);
        for (at, got) in rows.iter().enumerate() {
            let x = f64::from(before[at] + bias[at % 48]).clamp(-5.0, 5.0);
            let expected = 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt()));
            if x.abs() < 5.0 {
                assert!((f64::from(*got) - expected).abs() < 3e-6, "gelu({x}) is {expected}, not {got}");
            }
        }
    }

    #[test]
    fn add_norm_is_the_plain_formula() {
        let width = 32;
        let (bias, added, before) = (noise(3, width), noise(4, width * 3), noise(5, width * 3));
        let norm = Norm { scale: noise(6, width), shift: noise(7, width) };
        let mut rows = before.clone();
        add_norm(&mut rows, &added, &bias, &norm, 1e-12);
        for row in 0..3 {
            let at = row * width;
            let sums: Vec<f64> = (0..width)
                .map(|i| f64::from(before[at + i]) + f64::from(added[at + i]) + f64::from(bias[i]))
                .collect();
            let mean = sums.iter().sum::<f64>() / width as f64;
            let variance = sums.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
            for i in 0..width {
                let unit = (sums[i] - mean) / variance.sqrt();
                let expected = unit * f64::from(norm.scale[i]) + f64::from(norm.shift[i]);
                assert!((f64::from(rows[at + i]) - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn mean_unit_has_length_one() {
        let vector = mean_unit(&[3.0, 0.0, 3.0, 8.0], 2);
        assert_eq!(vector, [0.6, 0.8]);
    }
}
