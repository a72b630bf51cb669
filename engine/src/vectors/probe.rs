//! Which rows may be the nearest for all that their codes say, and how sure is that?

use super::codes::{Codes, LINE, Line, Scale, encode, lines_of};
use super::walk::Near;

/// The square of the greatest length that passes for one.
const LENGTH: f32 = 1.002_5;
/// What the arithmetic itself may add to an error.
const ROUNDING: f32 = 1e-5;

/// A vector that rows are compared with: its code, and that of what the code leaves out.
pub(super) struct Probe {
    pub(super) coarse: Vec<Line>,
    fine: Vec<Line>,
    scales: [Scale; 2],
}

impl Probe {
    /// Codes a vector of unit length.
    pub(super) fn new(vector: &[f32]) -> Self {
        let [mut coarse, mut fine] = [0, 1].map(|_| vec![[0; LINE]; lines_of(vector.len())]);
        let scale = encode(vector, &mut coarse);
        let left = vector.iter().zip(coarse.as_flattened());
        let left: Vec<f32> = left.map(|(part, &byte)| part - scale[0] * f32::from(byte)).collect();
        let scales = [scale, encode(&left, &mut fine)];
        Self { coarse, fine, scales }
    }

    /// The rows that can be among the `limit` nearest for all that their codes say, of rows with what
    /// `Codes::alike_all` says about the coarse code.
    pub(super) fn possible(&self, codes: Codes<'_>, limit: usize, scored: Vec<Near>) -> Vec<u32> {
        let cosine = |near: &Near| near.score() * self.scales[0][0];
        let coarse = scored.iter().map(|near| (near.row(), cosine(near))).collect();
        let coarse = self.keep(codes, limit, coarse, 0);
        let rows: Vec<u32> = coarse.iter().map(|(row, _)| *row).collect();
        let mut rest = Vec::new();
        codes.alike_all(&self.fine, &rows, &mut rest);
        let fine =
            coarse.iter().zip(&rest).map(|((row, cosine), rest)| (*row, cosine + rest * self.scales[1][0]));
        self.keep(codes, limit, fine.collect(), 1).into_iter().map(|(row, _)| row).collect()
    }

    /// Leaves out the rows of which even the most that their cosine can be is less than the least that `limit` others
    /// have for sure.
    fn keep(
        &self,
        codes: Codes<'_>,
        limit: usize,
        mut rows: Vec<(u32, f32)>,
        code: usize,
    ) -> Vec<(u32, f32)> {
        let error = |row: u32| self.error(codes.scales[row as usize], code);
        if rows.len() > limit {
            let mut least: Vec<f32> = rows.iter().map(|(row, cosine)| cosine - error(*row)).collect();
            let (_, last, _) = least.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a));
            let last = *last;
            rows.retain(|(row, cosine)| cosine + error(*row) >= last);
        }
        rows
    }

    /// How far a cosine may be from that of the vectors.
    ///
    /// With `q = q' + e` and `x = x' + f`, where `'` is what codes say, `qx - q'x' = qf + ex'`.
    fn error(&self, row: Scale, code: usize) -> f32 {
        (row[1] + self.scales[code][1] * (1.0 + row[1])) * LENGTH + ROUNDING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::sample::clustered;

    #[test]
    fn codes_are_as_alike_as_their_vectors() {
        for dimensions in [3, 64, 100, 384] {
            let vectors = clustered(50, 5, dimensions, 6);
            let width = lines_of(dimensions);
            let mut lines = vec![[0; LINE]; 50 * width];
            let scales: Vec<Scale> = vectors
                .iter()
                .zip(lines.chunks_mut(width))
                .map(|(vector, code)| encode(vector, code))
                .collect();
            let codes = Codes { width, lines: &lines, scales: &scales };
            let rows: Vec<u32> = (0..50).collect();
            let mut scores = Vec::new();
            for vector in &vectors {
                let probe = Probe::new(vector);
                let exact =
                    |row: u32| -> f32 { vectors[row as usize].iter().zip(vector).map(|(a, b)| a * b).sum() };
                codes.alike_all(&probe.coarse, &rows, &mut scores);
                for (&row, &score) in rows.iter().zip(&scores) {
                    let error = (score * probe.scales[0][0] - exact(row)).abs();
                    let bound = probe.error(scales[row as usize], 0);
                    assert!(
                        error <= bound && bound < 0.03,
                        "{dimensions} dimensions: {error}, at most {bound}"
                    );
                    assert!(probe.error(scales[row as usize], 1) < bound, "the fine code tells more");
                }
                let scored: Vec<Near> =
                    rows.iter().zip(&scores).map(|(&row, &score)| Near::new(score, row)).collect();
                let possible = probe.possible(codes, 5, scored);
                let mut nearest = rows.clone();
                nearest.sort_by(|a, b| exact(*b).total_cmp(&exact(*a)));
                assert!(nearest[..5].iter().all(|row| possible.contains(row)), "{dimensions} dimensions");
                assert!(dimensions < 100 || possible.len() < 30, "{} of 50 are possible", possible.len());
            }
        }
    }
}
