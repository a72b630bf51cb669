//! How is a linear step computed, in f32 or in whole numbers of 8 bits?
//!
//! In 8 bits, a row of activations is `scale × (byte - zero)` with a scale and a zero of its own, a column of weights
//! `scale × byte`, and the product of the bytes is summed without error, so it is the same whatever computes it: the
//! byte kernel where the machine has one that cannot saturate (VNNI, Arm's dot product), the f32 kernel elsewhere, whose
//! sums are exact as well, since the weights are rounded so that none can leave the whole numbers that f32 holds.

use rten_gemm::{
    BiasVector, GemmError, GemmExecutor, GemmInT, GemmInputA, GemmInputB, GemmOptions, GemmOutT, GemmResult,
    PackedBMatrix,
};
use rten_tensor::NdTensorView;

use super::kernels::{round_row, scale_whole};

/// Rows that are multiplied at a time, so that what comes out is still in the cache when it is used.
const BLOCK_ROWS: usize = 64;
/// f32 holds every whole number up to this one.
const WHOLE: f32 = 16_777_216.0;
/// The largest byte of a row, and of a column.
pub(super) const ROW_BYTE: f32 = 255.0;
const COLUMN_BYTE: f32 = 127.0;

/// How a model is computed.
#[derive(Clone, Copy)]
pub(super) enum Arithmetic {
    /// f32 throughout.
    Exact,
    /// 8 bits, by the byte kernel if this machine has one that cannot saturate.
    Rounded,
    /// 8 bits, without the byte kernel.
    #[cfg(test)]
    Portable,
}

/// The kernels that a model is computed with.
pub(super) struct Kernels {
    floats: GemmExecutor<f32>,
    bytes: Option<GemmExecutor<u8, i8, i32>>,
    rounds: bool,
}

impl Kernels {
    /// Looks at the machine; they cannot be sent to another thread, so each pass takes its own.
    pub(super) fn new(arithmetic: Arithmetic) -> Self {
        let rounds = !matches!(arithmetic, Arithmetic::Exact);
        let bytes = matches!(arithmetic, Arithmetic::Rounded).then(GemmExecutor::new);
        Self { floats: GemmExecutor::new(), bytes: bytes.filter(|bytes| !bytes.may_saturate()), rounds }
    }
}

/// Activations, row by row, as a product wants them.
#[derive(Default)]
pub(super) struct Rows {
    count: usize,
    floats: Vec<f32>,
    bytes: Vec<u8>,
    /// Scale and zero of each row.
    scales: Vec<(f32, f32)>,
}

impl Rows {
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.floats.clear();
        self.bytes.clear();
        self.scales.clear();
    }

    /// Adds a row.
    pub(super) fn push(&mut self, kernels: &Kernels, row: &[f32]) {
        self.count += 1;
        if !kernels.rounds {
            self.floats.extend_from_slice(row);
            return;
        }
        if kernels.bytes.is_none() {
            self.bytes.clear();
        }
        let first = self.bytes.len();
        self.bytes.resize(first + row.len(), 0);
        self.scales.push(round_row(row, &mut self.bytes[first..]));
        if kernels.bytes.is_none() {
            self.floats.extend(self.bytes.iter().map(|byte| f32::from(*byte)));
        }
    }
}

/// Where a product is written before it is used.
#[derive(Default)]
pub(super) struct Product {
    floats: Vec<f32>,
    whole: Vec<i32>,
    row: Vec<f32>,
}

/// A linear step: the matrix packed as the right side of a product, and its bias.
pub(super) struct Linear {
    depth: usize,
    matrix: Matrix,
    bias: Vec<f32>,
}

enum Matrix {
    Exact(PackedBMatrix<f32>),
    Bytes(PackedBMatrix<i8>, Columns),
    /// The same bytes as f32.
    Whole(PackedBMatrix<f32>, Columns),
}

/// What makes numbers again of whole ones, for each column.
pub(super) struct Columns {
    pub(super) scales: Vec<f32>,
    /// Sum of the weights: what a row's zero takes away.
    pub(super) sums: Vec<f32>,
}

impl Linear {
    /// Packs a matrix that is stored as one row for each output.
    pub(super) fn new(kernels: &Kernels, stored: &[f32], bias: Vec<f32>) -> Self {
        let depth = stored.len() / bias.len();
        let shape = [bias.len(), depth];
        let floats =
            |values: &[f32]| kernels.floats.prepack_b(NdTensorView::from_data(shape, values).transposed());
        let matrix = if kernels.rounds {
            let (bytes, columns) = round(stored, depth);
            if let Some(kernel) = &kernels.bytes {
                let bytes = NdTensorView::from_data(shape, bytes.as_slice());
                Matrix::Bytes(kernel.prepack_b(bytes.transposed()), columns)
            } else {
                let whole: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte)).collect();
                Matrix::Whole(floats(&whole), columns)
            }
        } else {
            Matrix::Exact(floats(stored))
        };
        Self { depth, matrix, bias }
    }

    /// Multiplies, adds the bias, and hands over each row of the result with its number.
    pub(super) fn apply(
        &self,
        kernels: &Kernels,
        input: &Rows,
        product: &mut Product,
        mut take: impl FnMut(usize, &mut [f32]),
    ) -> GemmResult {
        let width = self.bias.len();
        product.row.resize(width, 0.0);
        for first in (0..input.count).step_by(BLOCK_ROWS) {
            let count = BLOCK_ROWS.min(input.count - first);
            let span = first * self.depth..(first + count) * self.depth;
            let Product { floats, whole, row } = product;
            let length = count * width;
            floats.resize(floats.len().max(length), 0.0);
            whole.resize(whole.len().max(length), 0);
            let (floats, whole) = (&mut floats[..length], &mut whole[..length]);
            let columns = match (&self.matrix, &kernels.bytes) {
                (Matrix::Exact(matrix), _) => {
                    multiply(&kernels.floats, floats, &input.floats[span], matrix, Some(&self.bias))?;
                    floats.chunks_exact_mut(width).enumerate().for_each(|(at, row)| take(first + at, row));
                    continue;
                }
                (Matrix::Bytes(matrix, columns), Some(kernel)) => {
                    multiply(kernel, whole, &input.bytes[span], matrix, None)?;
                    columns
                }
                (Matrix::Whole(matrix, columns), _) => {
                    multiply(&kernels.floats, floats, &input.floats[span], matrix, None)?;
                    whole.iter_mut().zip(&*floats).for_each(|(whole, value)| *whole = *value as i32);
                    columns
                }
                (Matrix::Bytes(..), None) => return Err(GemmError::PackedDataKernelMismatch),
            };
            for (at, sums) in whole.chunks_exact(width).enumerate() {
                scale_whole(row, sums, input.scales[first + at], columns, &self.bias);
                take(first + at, row);
            }
        }
        Ok(())
    }
}

fn multiply<L: GemmInT, R: GemmInT, O: GemmOutT>(
    kernel: &GemmExecutor<L, R, O>,
    output: &mut [O],
    rows: &[L],
    matrix: &PackedBMatrix<R>,
    bias: Option<&[O]>,
) -> GemmResult {
    let depth = matrix.rows();
    let rows = NdTensorView::from_data([rows.len() / depth, depth], rows);
    let options = GemmOptions { bias: bias.map(BiasVector::Row), ..GemmOptions::default() };
    kernel.gemm(output, GemmInputA::Unpacked(rows), GemmInputB::Packed(matrix), options)
}

/// Rounds each column (stored as a row) to bytes.
fn round(stored: &[f32], depth: usize) -> (Vec<i8>, Columns) {
    let mut bytes = Vec::with_capacity(stored.len());
    let mut columns = Columns { scales: Vec::new(), sums: Vec::new() };
    for column in stored.chunks_exact(depth) {
        let largest = column.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let total: f32 = column.iter().map(|weight| weight.abs()).sum();
        // Rounding adds half a unit to each weight at most.
        let room = WHOLE / ROW_BYTE - depth as f32;
        let scale = (largest / COLUMN_BYTE).max(total / room).max(f32::MIN_POSITIVE);
        let first = bytes.len();
        bytes.extend(column.iter().map(|weight| (weight / scale).round_ties_even() as i8));
        columns.sums.push(bytes[first..].iter().map(|byte| f32::from(*byte)).sum());
        columns.scales.push(scale);
    }
    (bytes, columns)
}

#[cfg(test)]
mod tests {
    use super::super::kernels::tests::noise;
    use super::{Arithmetic, Kernels, Linear, Product, Rows};

    fn apply(arithmetic: Arithmetic, rows: &[f32], stored: &[f32], bias: &[f32]) -> Vec<f32> {
        let kernels = Kernels::new(arithmetic);
        let step = Linear::new(&kernels, stored, bias.to_vec());
        let mut input = Rows::default();
        rows.chunks_exact(stored.len() / bias.len()).for_each(|row| input.push(&kernels, row));
        let mut output = Vec::new();
        let take = |at: usize, row: &mut [f32]| {
            assert_eq!(output.len(), at * bias.len());
            output.extend_from_slice(row);
        };
        step.apply(&kernels, &input, &mut Product::default(), take).unwrap();
        output
    }

    #[test]
    fn each_arithmetic_gives_the_product() {
        let (depth, width) = (1536, 64);
        let (stored, bias) = (noise(1, depth * width), noise(2, width));
        for count in [1, 14, 64, 70] {
            let rows = noise(3, depth * count);
            let exact = apply(Arithmetic::Exact, &rows, &stored, &bias);
            let rounded = apply(Arithmetic::Rounded, &rows, &stored, &bias);
            for (at, (exact, rounded)) in exact.iter().zip(&rounded).enumerate() {
                let pairs = rows[at / width * depth..].iter().zip(&stored[at % width * depth..][..depth]);
                let plain = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
                let plain = plain + f64::from(bias[at % width]);
                assert!((plain - f64::from(*exact)).abs() < 0.01, "{exact} instead of {plain}");
                // Each pair is off by 0.03 or so, whichever way; the depth adds 1,536 of them.
                assert!((plain - f64::from(*rounded)).abs() < 9.0, "{rounded} instead of {plain}");
            }
            assert!(rounded == apply(Arithmetic::Portable, &rows, &stored, &bias));
        }
    }

    #[test]
    fn extreme_numbers_do_not_leave_the_range() {
        let depth = 1536;
        let (stored, bias) = (vec![2.0; depth * 32], vec![0.0; 32]);
        for row in [vec![3.0; depth], vec![-3.0; depth], vec![0.0; depth]] {
            let expected = row[0] * 2.0 * depth as f32;
            for arithmetic in [Arithmetic::Rounded, Arithmetic::Portable] {
                for got in apply(arithmetic, &row, &stored, &bias) {
                    assert!((got - expected).abs() <= expected.abs() * 0.02, "{got} instead of {expected}");
                }
            }
        }
    }
}
