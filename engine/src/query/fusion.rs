//! How do the legs' scores become one? Each leg is scaled to 0…1 within the answer, then they are summed by weight.
//!
//! Min-max scaling (Lee 1997) of the text legs keeps how far apart hits are, which rank fusion throws away. A leg's weight
//! depends on the question: identifiers count as much as they make up of it, the embedder counts little outside its language.

use std::collections::BTreeMap;

use crate::query::legs::Found;
use crate::query::{Leg, LegScore};

/// A record with its fused score.
#[derive(Debug)]
pub(crate) struct Fused {
    pub(crate) position: u64,
    pub(crate) score: f64,
    pub(crate) legs: Vec<LegScore>,
}

impl Fused {
    /// What no leg found and is shown all the same.
    pub(crate) fn unfound(position: u64) -> Self {
        Self { position, score: 0.0, legs: Vec::new() }
    }
}

/// What the question says about how far each leg is to be trusted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust {
    /// Share of the question that is identifiers, 0 to 1.
    pub(crate) identifier_share: f64,
    /// Whether the question is in the embedder's language.
    pub(crate) embedder_language: bool,
}

/// The text legs' scores are scaled over this many hits: further down, cosines differ by nothing but noise, and a wider
/// range would flatten the differences at the top.
const SCALED: usize = 99;

/// How much a leg counts for a question. The text legs are the scale: they sum to one in English.
fn weight(leg: Leg, trust: Trust) -> f64 {
    match leg {
        Leg::Lexical => 0.5,
        Leg::Dense if trust.embedder_language => 0.5,
        Leg::Dense => 0.15,
        Leg::Identifier => 0.05 + 0.95 * trust.identifier_share,
        Leg::Graph => 0.05,
    }
}

/// Fuses the legs that ran. Sorted by score; ties by the order that `tie` gives.
pub(crate) fn fuse(
    found: &[(Leg, Found)],
    trust: Trust,
    tie: impl Fn(u64, u64) -> std::cmp::Ordering,
) -> Vec<Fused> {
    let mut fused: BTreeMap<u64, Vec<LegScore>> = BTreeMap::new();
    for (leg, found) in found {
        let (low, high) = bounds(*leg, found);
        let span = (high - low).max(f64::EPSILON);
        for (position, raw) in &found.scores {
            let normalised = ((raw - low) / span).clamp(0.0, 1.0);
            let score = LegScore { leg: *leg, raw: *raw, normalised, weight: weight(*leg, trust) };
            fused.entry(*position).or_default().push(score);
        }
    }
    let mut fused: Vec<Fused> = fused
        .into_iter()
        .map(|(position, legs)| {
            let score = legs.iter().map(|leg| leg.normalised * leg.weight).sum();
            Fused { position, score, legs }
        })
        .collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| tie(a.position, b.position)));
    fused
}

/// What counts as 0 and as 1: a text leg's hundredth and best score; nothing and the best for the others.
fn bounds(leg: Leg, found: &Found) -> (f64, f64) {
    let score = |place: usize| found.scores.get(place).map(|(_, score)| *score);
    let high = score(0).unwrap_or(1.0);
    let low = score(SCALED).or_else(|| found.scores.last().map(|(_, score)| *score)).unwrap_or(0.0);
    match leg {
        Leg::Lexical | Leg::Dense if low < high => (low, high),
        _ => (0.0, high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::legs::Evidence;

    fn found(scores: &[(u64, f64)]) -> Found {
        Found::ranked(scores.iter().copied(), Evidence::None)
    }

    #[test]
    fn agreement_of_the_text_legs_beats_one_of_them() {
        let trust = Trust { identifier_share: 0.0, embedder_language: true };
        let lexical = found(&[(1, 9.0), (2, 8.0), (3, 1.0)]);
        let dense = found(&[(4, 0.9), (2, 0.8), (3, 0.2)]);
        let order: Vec<u64> = fuse(&[(Leg::Lexical, lexical), (Leg::Dense, dense)], trust, |a, b| a.cmp(&b))
            .iter()
            .map(|fused| fused.position)
            .collect();
        assert_eq!(order, [2, 1, 4, 3]);
    }

    #[test]
    fn a_question_that_is_an_identifier_follows_it() {
        let first = |share| {
            let lexical = found(&[(1, 9.0), (2, 5.0)]);
            let identifier = found(&[(2, 3.0)]);
            let trust = Trust { identifier_share: share, embedder_language: true };
            fuse(&[(Leg::Lexical, lexical), (Leg::Identifier, identifier)], trust, |a, b| a.cmp(&b))[0]
                .position
        };
        assert_eq!((first(0.0), first(1.0)), (1, 2));
    }
}
