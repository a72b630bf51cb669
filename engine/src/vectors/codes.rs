//! How is a vector compared without reading all of it?
//!
//! Each number of a vector becomes a byte, in steps of a 127th of the vector's greatest one. The dot product of
//! codes is a whole number, the same on every machine, and orders rows nearly as the vectors do.

/// Bytes that are compared at a time. Codes end in zeros up to a multiple of it.
pub(super) const LINE: usize = 64;
/// Rows ahead of the one compared whose codes are fetched.
const AHEAD: usize = 4;

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
    use crate::vectors::sample::Random;

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
    fn a_code_is_its_vector_in_steps() {
        let vector = [0.5, -0.25, 0.126, 0.0, -0.5];
        let mut code = [[1; LINE]; 2];
        let [step, rest] = encode(&vector, &mut code);
        let code = code.as_flattened();
        assert_eq!((&code[..5], step), (&[127, -64, 32, 0, -127][..], 0.5 / 127.0));
        assert!(code[5..].iter().all(|&byte| byte == 0));
        let left = vector.iter().zip(code).map(|(part, &byte)| (part - step * f32::from(byte)).powi(2));
        assert!((left.sum::<f32>().sqrt() - rest).abs() < 1e-6);
        assert_eq!(encode(&[0.0, 0.0], &mut [[1; LINE]]), [0.0, 0.0]);
    }
}
