//! Which element-wise steps stand between two matrix products, and how are they done in one sweep each?
//!
//! Widths are multiples of 64 (as those of the model that the catalog has), so no step has a tail on any instruction set.

use rten_simd::ops::{BitOps, FloatOps, NarrowSaturate, NumOps, ToFloat};
use rten_simd::{Isa, Simd, SimdOp, SimdUnaryOp};
use rten_vecmath::Gelu;

use super::linear::{Columns, ROW_BYTE};
use super::weights::Norm;

/// `row = norm(row + added)`: residual and layer norm of a layer's half.
pub(super) fn add_norm(row: &mut [f32], added: &[f32], norm: &Norm, epsilon: f32) {
    AddNorm { row, added, norm, epsilon }.dispatch();
}

/// `gelu` of each number.
pub(super) fn gelu(row: &mut [f32]) {
    GeluRow { row }.dispatch();
}

/// Rounds a row to bytes: `row = scale × (byte - zero)`, as near as may be. Gives the scale and the zero.
pub(super) fn round_row(row: &[f32], bytes: &mut [u8]) -> (f32, f32) {
    RoundRow { row, bytes }.dispatch()
}

/// A row of a product in whole numbers, as numbers: `(sum - zero × column's sum) × both scales + bias`.
pub(super) fn scale_whole(
    row: &mut [f32],
    sums: &[i32],
    (scale, zero): (f32, f32),
    columns: &Columns,
    bias: &[f32],
) {
    ScaleWhole { row, sums, scale, zero, columns, bias }.dispatch();
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

struct RoundRow<'a> {
    row: &'a [f32],
    bytes: &'a mut [u8],
}

impl SimdOp for RoundRow<'_> {
    type Output = (f32, f32);

    /// Without closures: the compiler leaves them out of line here, which costs more than the work itself.
    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) -> (f32, f32) {
        let (ops, whole) = (isa.f32(), isa.i32());
        let lanes = ops.len();
        let (mut low, mut high) = (ops.zero(), ops.zero());
        for values in self.row.chunks_exact(lanes) {
            let values = ops.load(values);
            low = ops.min(low, values);
            high = ops.max(high, values);
        }
        let low = low.to_array().as_ref().iter().copied().fold(0.0, f32::min);
        let high = high.to_array().as_ref().iter().copied().fold(0.0, f32::max);
        let scale = ((high - low) / ROW_BYTE).max(f32::MIN_POSITIVE);
        let zero = (-low / scale).round_ties_even();
        let (inverse, shift) = (ops.splat(1.0 / scale), whole.splat(zero as i32));
        for (values, bytes) in self.row.chunks_exact(4 * lanes).zip(self.bytes.chunks_exact_mut(4 * lanes)) {
            let first = ops.to_int_round(ops.mul(ops.load(values), inverse));
            let second = ops.to_int_round(ops.mul(ops.load(&values[lanes..]), inverse));
            let third = ops.to_int_round(ops.mul(ops.load(&values[2 * lanes..]), inverse));
            let fourth = ops.to_int_round(ops.mul(ops.load(&values[3 * lanes..]), inverse));
            let left = whole.narrow_saturate(whole.add(first, shift), whole.add(second, shift));
            let right = whole.narrow_saturate(whole.add(third, shift), whole.add(fourth, shift));
            isa.u8().store(isa.i16().narrow_saturate(left, right), bytes);
        }
        (scale, zero)
    }
}

struct ScaleWhole<'a> {
    row: &'a mut [f32],
    sums: &'a [i32],
    scale: f32,
    zero: f32,
    columns: &'a Columns,
    bias: &'a [f32],
}

impl SimdOp for ScaleWhole<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        let lanes = ops.len();
        let (scale, minus_zero) = (ops.splat(self.scale), ops.splat(-self.zero));
        let columns = self.columns.scales.chunks_exact(lanes).zip(self.columns.sums.chunks_exact(lanes));
        let columns = columns.zip(self.bias.chunks_exact(lanes));
        let rows = self.row.chunks_exact_mut(lanes).zip(self.sums.chunks_exact(lanes));
        for ((values, sums), ((scales, column_sums), bias)) in rows.zip(columns) {
            let sum = isa.i32().to_float(isa.i32().load(sums));
            let sum = ops.mul_add(minus_zero, ops.load(column_sums), sum);
            ops.store(ops.mul_add(sum, ops.mul(scale, ops.load(scales)), ops.load(bias)), values);
        }
    }
}

struct GeluRow<'a> {
    row: &'a mut [f32],
}

impl SimdOp for GeluRow<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        for values in self.row.chunks_exact_mut(ops.len()) {
            ops.store(Gelu {}.eval(isa, ops.load(values)), values);
        }
    }
}

struct AddNorm<'a> {
    row: &'a mut [f32],
    added: &'a [f32],
    norm: &'a Norm,
    epsilon: f32,
}

impl SimdOp for AddNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        let lanes = ops.len();
        let width = self.row.len() as f32;
        let mut sum = ops.zero();
        for (values, added) in self.row.chunks_exact_mut(lanes).zip(self.added.chunks_exact(lanes)) {
            let total = ops.add(ops.load(values), ops.load(added));
            sum = ops.add(sum, total);
            ops.store(total, values);
        }
        let mean = ops.splat(ops.sum(sum) / width);
        let mut squares = ops.zero();
        for values in self.row.chunks_exact(lanes) {
            let off = ops.sub(ops.load(values), mean);
            squares = ops.mul_add(off, off, squares);
        }
        let variance = ops.sum(squares) / width;
        let factor = ops.splat(1.0 / (variance + self.epsilon).sqrt());
        let learned = self.norm.scale.chunks_exact(lanes).zip(self.norm.shift.chunks_exact(lanes));
        for (values, (scale, shift)) in self.row.chunks_exact_mut(lanes).zip(learned) {
            let unit = ops.mul(ops.sub(ops.load(values), mean), factor);
            ops.store(ops.mul_add(unit, ops.load(scale), ops.load(shift)), values);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::weights::Norm;
    use super::{add_norm, gelu, mean_unit, round_row};

    /// Numbers without a pattern, in [-4, 4).
    pub(in crate::encoder) fn noise(seed: u32, count: usize) -> Vec<f32> {
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
    fn gelu_is_the_plain_formula() {
        let before = noise(2, 48 * 5);
        let mut row = before.clone();
        gelu(&mut row);
        for (x, got) in before.iter().map(|x| f64::from(*x)).zip(&row) {
            let expected = 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt()));
            assert!((f64::from(*got) - expected).abs() < 3e-6, "gelu({x}) is {expected}, not {got}");
        }
    }

    #[test]
    fn add_norm_is_the_plain_formula() {
        let width = 32;
        let (added, before) = (noise(4, width), noise(5, width));
        let norm = Norm { scale: noise(6, width), shift: noise(7, width) };
        let mut row = before.clone();
        add_norm(&mut row, &added, &norm, 1e-12);
        let sums: Vec<f64> = (0..width).map(|i| f64::from(before[i]) + f64::from(added[i])).collect();
        let mean = sums.iter().sum::<f64>() / width as f64;
        let variance = sums.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        for i in 0..width {
            let unit = (sums[i] - mean) / variance.sqrt();
            let expected = unit * f64::from(norm.scale[i]) + f64::from(norm.shift[i]);
            assert!((f64::from(row[i]) - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn rounding_is_the_plain_formula() {
        for factor in [1.0, 1e-3, 0.0] {
            let row: Vec<f32> = noise(8, 128).iter().map(|x| x * factor + 1.5 * factor).collect();
            let mut bytes = vec![0; 128];
            let (scale, zero) = round_row(&row, &mut bytes);
            for (x, byte) in row.iter().zip(&bytes) {
                let back = scale * (f32::from(*byte) - zero);
                assert!((x - back).abs() <= scale * 1.01, "{x} became {back}");
            }
        }
    }

    #[test]
    fn mean_unit_has_length_one() {
        let vector = mean_unit(&[3.0, 0.0, 3.0, 8.0], 2);
        assert_eq!(vector, [0.6, 0.8]);
    }
}
