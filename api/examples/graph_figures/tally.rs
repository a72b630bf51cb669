//! How often was it right?

/// How often the right one came first, came among the first five, and how far up among the first ten.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) asked: usize,
    first: usize,
    five: usize,
    ndcg: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, ranked: &[String], right: &[String]) {
        let places: Vec<usize> = ranked
            .iter()
            .take(10)
            .enumerate()
            .filter(|(_, name)| right.contains(name))
            .map(|one| one.0)
            .collect();
        let gain = |place: usize| 1.0 / ((place + 2) as f64).log2();
        self.asked += 1;
        self.first += usize::from(places.first() == Some(&0));
        self.five += usize::from(places.first().is_some_and(|place| *place < 5));
        let best: f64 = (0..right.len().clamp(1, 10)).map(gain).sum();
        self.ndcg += places.into_iter().map(gain).sum::<f64>() / best;
    }

    pub(crate) fn show(&self, name: &str) {
        let share = |count: f64| count / self.asked.max(1) as f64;
        let (first, five) = (share(self.first as f64), share(self.five as f64));
        println!("  {name:<44} hit@1 {first:.3}  hit@5 {five:.3}  nDCG@10 {:.3}", share(self.ndcg));
    }
}
