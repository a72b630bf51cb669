//! Which vectors do tests and benchmarks use?

/// A small generator with a fixed sequence per seed (splitmix64, Steele et al. 2014).
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit as u64) as usize
    }

    /// A number drawn from the normal distribution (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f32 {
        let unit = |bits: u64| ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        let (u, v) = (unit(self.bits()), unit(self.bits()));
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    }
}

/// `count` unit vectors in `clusters` clusters, as embeddings of texts on that many subjects lie.
pub(crate) fn clustered(count: usize, clusters: usize, dimensions: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed);
    let mut draw = |spread: f32, centre: Option<&Vec<f32>>| {
        let scale = spread / (dimensions as f32).sqrt();
        let mut vector: Vec<f32> = (0..dimensions)
            .map(|part| random.normal() * scale + centre.map_or(0.0, |centre| centre[part]))
            .collect();
        let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|part| *part /= length);
        vector
    };
    let centres: Vec<Vec<f32>> = (0..clusters).map(|_| draw(1.0, None)).collect();
    let mut pick = Random::new(seed ^ 0x5eed);
    (0..count).map(|_| draw(0.8, Some(&centres[pick.below(clusters)]))).collect()
}
