//! How good is one ranking, and how good are they on average?

use serde::Serialize;

use super::judgements::Grades;

/// Measures of one ranking, or their means.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Measures {
    pub(super) ndcg_at_10: f64,
    pub(super) hit_at_1: f64,
    pub(super) recall_at_10: f64,
    pub(super) recall_at_100: f64,
    pub(super) mrr_at_10: f64,
}

impl Measures {
    /// Of one ranking. nDCG after Järvelin and Kekäläinen (2002) with linear gain, as BEIR measures it.
    pub(super) fn of(ranked: &[&str], grades: &Grades) -> Self {
        let gain = |id: &&str| grades.get(*id).copied().unwrap_or(0.0).max(0.0);
        let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
        let dcg: f64 = ranked.iter().take(10).enumerate().map(|(place, id)| gain(id) * discount(place)).sum();
        let mut ideal: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let best: f64 = ideal.iter().take(10).enumerate().map(|(place, grade)| grade * discount(place)).sum();
        let right = ideal.len().max(1) as f64;
        let found = |depth: usize| ranked.iter().take(depth).filter(|id| gain(id) > 0.0).count() as f64;
        let first = ranked.iter().take(10).position(|id| gain(id) > 0.0);
        Self {
            ndcg_at_10: if best > 0.0 { dcg / best } else { 0.0 },
            hit_at_1: found(1),
            recall_at_10: found(10) / right,
            recall_at_100: found(100) / right,
            mrr_at_10: first.map_or(0.0, |place| 1.0 / (place + 1) as f64),
        }
    }

    /// Means over queries.
    pub(super) fn mean<'a>(all: impl ExactSizeIterator<Item = &'a Self> + Clone) -> Self {
        let count = all.len().max(1) as f64;
        let mean = |of: fn(&Self) -> f64| all.clone().map(of).sum::<f64>() / count;
        Self {
            ndcg_at_10: mean(|m| m.ndcg_at_10),
            hit_at_1: mean(|m| m.hit_at_1),
            recall_at_10: mean(|m| m.recall_at_10),
            recall_at_100: mean(|m| m.recall_at_100),
            mrr_at_10: mean(|m| m.mrr_at_10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_of_the_formulas() {
        let grades = Grades::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.0)]);
        let one = Measures::of(&["x", "a", "y", "b"], &grades);
        let ideal = 1.0 + 1.0 / 3f64.log2();
        let expected = (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / ideal;
        assert!((one.ndcg_at_10 - expected).abs() < 1e-12);
        assert_eq!((one.hit_at_1, one.recall_at_10, one.mrr_at_10), (0.0, 1.0, 0.5));
        let none = Measures::of(&["x"], &grades);
        assert_eq!(Measures::mean([one, none].iter()).mrr_at_10, 0.25);
    }
}
