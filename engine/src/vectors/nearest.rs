//! Which passages are nearest so far, in an order that nothing but the vectors decides?

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::PassageKey;

/// A passage found, with its cosine to the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VectorHit {
    /// The passage.
    pub key: PassageKey,
    /// Cosine of query and passage, -1 to 1.
    pub cosine: f32,
}

impl Eq for VectorHit {}

/// Best first: higher cosine, then lower key.
impl Ord for VectorHit {
    fn cmp(&self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for VectorHit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The best `limit` hits of those offered, whatever order they come in.
pub(super) struct Nearest {
    limit: usize,
    worst_on_top: BinaryHeap<VectorHit>,
}

impl Nearest {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, worst_on_top: BinaryHeap::new() }
    }

    /// Whether a hit with this cosine could still enter.
    pub(super) fn admits(&self, cosine: f32) -> bool {
        self.worst_on_top.len() < self.limit
            || self.worst_on_top.peek().is_some_and(|worst| cosine.total_cmp(&worst.cosine).is_ge())
    }

    /// Takes the hit when it is among the best.
    pub(super) fn offer(&mut self, hit: VectorHit) {
        if self.worst_on_top.len() < self.limit {
            self.worst_on_top.push(hit);
        } else if let Some(mut worst) = self.worst_on_top.peek_mut()
            && hit < *worst
        {
            *worst = hit;
        }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        other.worst_on_top.into_iter().for_each(|hit| self.offer(hit));
        self
    }

    /// Best first.
    pub(super) fn into_hits(self) -> Vec<VectorHit> {
        self.worst_on_top.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_remain_and_ties_go_to_the_lower_key() {
        let hit = |key, cosine| VectorHit { key: PassageKey(key), cosine };
        let offered = [hit(9, 0.5), hit(4, 0.5), hit(7, 0.9), hit(5, 0.5), hit(1, -0.2), hit(2, 0.1)];
        for turn in 0..offered.len() {
            let (mut left, mut right) = (Nearest::new(3), Nearest::new(3));
            for (place, hit) in offered.iter().cycle().skip(turn).take(offered.len()).enumerate() {
                if place % 2 == 0 { left.offer(*hit) } else { right.offer(*hit) }
            }
            assert_eq!(left.merge(right).into_hits(), [hit(7, 0.9), hit(4, 0.5), hit(5, 0.5)]);
        }
        let mut none = Nearest::new(0);
        none.offer(hit(1, 1.0));
        assert!(none.into_hits().is_empty());
    }
}
