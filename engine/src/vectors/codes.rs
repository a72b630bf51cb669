//! How is a vector compared without reading all of it?
//!
//! Each number of a vector becomes a byte, in steps of a 127th of the vector's greatest one. The dot product of
//! codes is a whole number, the same on every machine, and orders rows nearly as the vectors do.

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

/// Writes the code of a vector and returns what it must be multiplied with to give the vector.
pub(super) fn encode(vector: &[f32], code: &mut [Line]) -> f32 {
    let greatest = vector.iter().fold(0.0f32, |greatest, part| greatest.max(part.abs()));
    let steps = if greatest > 0.0 { 127.0 / greatest } else { 0.0 };
    code.fill([0; LINE]);
    for (byte, part) in code.as_flattened_mut().iter_mut().zip(vector) {
        // The cast cuts off, so halves go away from zero.
        *byte = (part * steps + 0.5f32.copysign(*part)) as i8;
    }
    greatest / 127.0
}

/// The codes of many vectors, row after row.
#[derive(Clone, Copy)]
pub(super) struct Codes<'a> {
    /// Lines of a row.
    pub(super) width: usize,
    pub(super) lines: &'a [Line],
    /// What the code of a row is multiplied with.
    pub(super) scales: &'a [f32],
}

impl<'a> Codes<'a> {
    /// The code of a row.
    pub(super) fn row(&self, row: u32) -> &'a [Line] {
        let from = row as usize * self.width;
        &self.lines[from..from + self.width]
    }

    /// The dot product of a code and a row, in the code's own unit.
    pub(super) fn alike(&self, code: &[Line], row: u32) -> f32 {
        dot(self.row(row), code) as f32 * self.scales[row as usize]
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
            scores.push(dot(self.row(row)) as f32 * self.scales[row as usize]);
        }
    }
}

/// A vector that rows are compared with.
pub(super) struct Probe<'a> {
    vector: &'a [f32],
    pub(super) code: Vec<Line>,
    scale: f32,
    /// Length of what the code leaves out.
    rest: f32,
}

impl<'a> Probe<'a> {
    /// Codes a vector of unit length.
    pub(super) fn new(vector: &'a [f32]) -> Self {
        let mut code = vec![[0; LINE]; lines_of(vector.len())];
        let scale = encode(vector, &mut code);
        let left = vector.iter().zip(code.as_flattened()).map(|(part, &byte)| part - scale * f32::from(byte));
        let rest = left.map(|part| part * part).sum::<f32>().sqrt();
        Self { vector, code, scale, rest }
    }

    /// The cosine of this vector and a row, from `Codes::alike`, as the codes tell it.
    pub(super) fn cosine(&self, alike: f32) -> f32 {
        alike * self.scale
    }

    /// How far that may be from the cosine of the vectors at most, by the scale of the row.
    ///
    /// With `q = q' + e` and `x = x' + f`, where `'` is what codes say, `qx - q'x' = qf + ex'`. Each number of `f` is
    /// half a step at most.
    pub(super) fn error(&self, row_scale: f32) -> f32 {
        let row_rest = 0.5 * row_scale * (self.vector.len() as f32).sqrt();
        (row_rest + self.rest * (1.0 + row_rest)) * LENGTH + ROUNDING
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
            let scales: Vec<f32> = vectors
                .iter()
                .zip(lines.chunks_mut(width))
                .map(|(vector, code)| encode(vector, code))
                .collect();
            let codes = Codes { width, lines: &lines, scales: &scales };
            let rows: Vec<u32> = (0..50).collect();
            let mut scores = Vec::new();
            for vector in &vectors {
                let probe = Probe::new(vector);
                codes.alike_all(&probe.code, &rows, &mut scores);
                for ((other, &score), &scale) in vectors.iter().zip(&scores).zip(&scales) {
                    let exact: f32 = other.iter().zip(vector).map(|(a, b)| a * b).sum();
                    let error = (probe.cosine(score) - exact).abs();
                    assert!(error <= probe.error(scale), "{dimensions} dimensions: {error}");
                    assert!(probe.error(scale) < 0.03, "a bound that is too wide helps nobody");
                }
            }
        }
        assert_eq!(encode(&[0.0, 0.0], &mut [[1; LINE]]), 0.0);
    }
}
