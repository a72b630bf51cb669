//! How is a vector compared without reading all of it?
//!
//! Each number of a vector becomes a byte, in steps of a 127th of the vector's greatest one. The dot product of
//! codes is a whole number, the same on every machine, and orders rows nearly as the vectors do.

use super::walk::Near;

/// Bytes that are compared at a time. Codes end in zeros up to a multiple of it.
pub(super) const LINE: usize = 64;
/// Rows ahead of the one compared whose codes are fetched.
const AHEAD: usize = 4;

/// The square of the greatest length that passes for one.
const LENGTH: f32 = 1.002_5;
/// What the arithmetic itself may add to an error.
const ROUNDING: f32 = 1e-5;

/// A part of a code.
pub(super) type Line = [i8; LINE];

/// Lines of a vector with so many dimensions.
pub(super) fn lines_of(dimensions: usize) -> usize {
    dimensions.div_ceil(LINE)
}

/// What a code is multiplied with, and the length of what it leaves out of its vector.
pub(super) type Scale = [f32; 2];

/// Writes the code of a vector.
pub(super) fn encode(vector: &[f32], code: &mut [Line]) -> Scale {
    let greatest = vector.iter().fold(0.0f32, |greatest, part| greatest.max(part.abs()));
    let (step, steps) = if greatest > 0.0 { (greatest / 127.0, 127.0 / greatest) } else { (0.0, 0.0) };
    code.fill([0; LINE]);
    let mut rest = 0.0;
    for (byte, part) in code.as_flattened_mut().iter_mut().zip(vector) {
        // The cast cuts off, so halves go away from zero.
        *byte = (part * steps + 0.5f32.copysign(*part)) as i8;
        let left = part - step * f32::from(*byte);
        rest += left * left;
    }
    [step, rest.sqrt()]
}

/// The codes of many vectors, row after row.
#[derive(Clone, Copy)]
pub(super) struct Codes<'a> {
    /// Lines of a row.
    pub(super) width: usize,
    pub(super) lines: &'a [Line],
    pub(super) scales: &'a [Scale],
}

impl<'a> Codes<'a> {
    /// The code of a row.
    pub(super) fn row(&self, row: u32) -> &'a [Line] {
        let from = row as usize * self.width;
        &self.lines[from..from + self.width]
    }

    /// What the code of a row is multiplied with.
    pub(super) fn step(&self, row: u32) -> f32 {
        self.scales[row as usize][0]
    }

    /// The dot product of a code and a row, in the code's own unit.
    pub(super) fn alike(&self, code: &[Line], row: u32) -> f32 {
        dot(self.row(row), code) as f32 * self.step(row)
    }

    /// The dot products of a code with many rows, in the code's own unit.
    pub(super) fn alike_all(&self, code: &[Line], rows: &[u32], scores: &mut Vec<f32>) {
        scores.clear();
        #[cfg(target_arch = "x86_64")]
        if has_vnni() {
            #[expect(unsafe_code, reason = "calling a function compiled for AVX-512 VNNI")]
            // SAFETY: `alike_all_vnni` needs the features that the line above has found.
            return unsafe { self.alike_all_vnni(code, rows, scores) };
        }
        self.in_turn(rows, |row| dot(row, code), scores);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn alike_all_vnni(&self, code: &[Line], rows: &[u32], scores: &mut Vec<f32>) {
        self.in_turn(rows, |row| dot_vnni(row, code), scores);
    }

    #[inline(always)]
    fn in_turn(&self, rows: &[u32], dot: impl Fn(&[Line]) -> i32, scores: &mut Vec<f32>) {
        rows.iter().take(AHEAD).for_each(|&row| fetch(self.row(row).as_flattened()));
        for (at, &row) in rows.iter().enumerate() {
            if let Some(&next) = rows.get(at + AHEAD) {
                fetch(self.row(next).as_flattened());
            }
            scores.push(dot(self.row(row)) as f32 * self.step(row));
        }
    }
}

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

#[cfg(target_arch = "x86_64")]
fn has_vnni() -> bool {
    std::arch::is_x86_feature_detected!("avx512vnni") && std::arch::is_x86_feature_detected!("avx512bw")
}

/// The dot product of two codes.
fn dot(a: &[Line], b: &[Line]) -> i32 {
    #[cfg(target_arch = "x86_64")]
    {
        if has_vnni() {
            #[expect(
                unsafe_code,
                reason = "calling a function compiled for AVX-512 VNNI; ten times the plain one"
            )]
            // SAFETY: `dot_vnni` needs the features that the line above has found.
            return unsafe { dot_vnni(a, b) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "calling a function compiled for AVX2")]
            // SAFETY: `dot_avx2` needs only that the processor has AVX2, which the line above has found out.
            return unsafe { dot_avx2(a, b) };
        }
    }
    dot_plain(a, b)
}

#[inline(always)]
fn dot_plain(a: &[Line], b: &[Line]) -> i32 {
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        for at in 0..LINE {
            sum += i32::from(a[at]) * i32::from(b[at]);
        }
    }
    sum
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[Line], b: &[Line]) -> i32 {
    dot_plain(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_vnni(a: &[Line], b: &[Line]) -> i32 {
    use std::arch::x86_64::{
        __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_set1_epi8,
        _mm512_setzero_si512, _mm512_sub_epi32, _mm512_xor_si512,
    };
    #[expect(unsafe_code, reason = "there is no other way to read a register of 64 bytes")]
    // SAFETY: a line is 64 bytes long, and the load needs no alignment.
    let load = |line: &Line| -> __m512i { unsafe { _mm512_loadu_si512(line.as_ptr().cast()) } };
    // The instruction takes bytes without a sign on one side: 128 is added there, and what that adds is taken off.
    let high = _mm512_set1_epi8(-128);
    let (mut raised, mut added) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (a, b) in a.iter().zip(b) {
        let b = load(b);
        raised = _mm512_dpbusd_epi32(raised, _mm512_xor_si512(load(a), high), b);
        added = _mm512_dpbusd_epi32(added, high, b);
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(raised, added))
}

/// Asks the processor for numbers that will be needed soon.
#[inline(always)]
pub(super) fn fetch<T>(numbers: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(LINE / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "rows lie at random places, and waiting for them is half of a walk")]
        // SAFETY: a prefetch only hints, and the address is that of a number.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::sample::{Random, clustered};

    #[test]
    fn every_instruction_set_gives_the_plain_sum() {
        let mut random = Random::new(5);
        for lines in [1, 2, 6, 7, 1024] {
            let mut code = |extreme: bool| -> Vec<Line> {
                let byte =
                    |bits: u64| if extreme { if bits & 1 == 0 { -127 } else { 127 } } else { bits as i8 };
                (0..lines).map(|_| std::array::from_fn(|_| byte(random.bits() >> 32))).collect()
            };
            for extreme in [false, true] {
                let (a, b) = (code(extreme), code(extreme));
                assert_eq!(dot(&a, &b), dot_plain(&a, &b), "{lines} lines");
                #[cfg(target_arch = "x86_64")]
                if std::arch::is_x86_feature_detected!("avx2") {
                    #[expect(unsafe_code, reason = "calling a function compiled for AVX2")]
                    // SAFETY: the line above has found out that the processor has AVX2.
                    let avx2 = unsafe { dot_avx2(&a, &b) };
                    assert_eq!(avx2, dot_plain(&a, &b), "{lines} lines");
                }
            }
        }
    }

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
                        error <= bound && bound < 0.02,
                        "{dimensions} dimensions: {error}, at most {bound}"
                    );
                    assert!(probe.error(scales[row as usize], 1) < 0.6 * bound, "the fine code tells more");
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
        assert_eq!(encode(&[0.0, 0.0], &mut [[1; LINE]]), [0.0, 0.0]);
    }
}
