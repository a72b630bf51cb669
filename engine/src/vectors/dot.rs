//! How alike are two unit vectors?

/// Partial sums kept side by side: enough for four AVX2 registers, or eight SSE ones.
const LANES: usize = 32;

/// Dot product of two vectors of equal length, the cosine when both have unit length.
///
/// Every machine gives the same bits: the order of additions is fixed by `lanes`, and no instruction set
/// may fuse a multiplication with an addition.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "calling a function compiled for AVX2; twice the speed of SSE2")]
        // SAFETY: `dot_avx2` needs only that the processor has AVX2, which the line above has found out.
        return unsafe { dot_avx2(a, b) };
    }
    lanes(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b)
}

#[inline(always)]
fn lanes(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut rest = 0.0;
    for (x, y) in a_chunks.remainder().iter().zip(b_chunks.remainder()) {
        rest += x * y;
    }
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0] + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::sample::Random;

    #[test]
    fn every_instruction_set_gives_the_same_bits_near_the_exact_value() {
        let mut random = Random::new(3);
        for length in [0, 1, 31, 32, 33, 384, 385, 1024] {
            let a: Vec<f32> = (0..length).map(|_| random.normal()).collect();
            let b: Vec<f32> = (0..length).map(|_| random.normal()).collect();
            assert_eq!(dot(&a, &b).to_bits(), lanes(&a, &b).to_bits(), "length {length}");
            let exact: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(dot(&a, &b)) - exact).abs() < 1e-3, "length {length}");
        }
    }
}
