//! How do the legs' scores become one? Each leg is scaled to 0…1 within the answer, then they are summed by weight.
//!
//! Min-max scaling (Lee 1997) of the text legs keeps how far apart hits are, which rank fusion throws away. A leg's weight
//! depends on the question: identifiers count as much as they make up of it, the embedder counts little outside its language.

use std::cmp::Ordering;
use std::collections::HashMap;

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
/// Records of a text leg whose scores can be more than nothing.
pub(crate) const COUNTED: usize = SCALED + 1;

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

/// Fuses the legs that ran: the best `limit` records. Sorted by score; ties by the order that `tie` gives.
pub(crate) fn fuse(
    found: &[(Leg, Found)],
    trust: Trust,
    limit: usize,
    tie: impl Fn(u64, u64) -> Ordering,
) -> Vec<Fused> {
    let scale = |leg: Leg, found: &Found| {
        let (low, high) = bounds(leg, found);
        let span = (high - low).max(f64::EPSILON);
        let weight = weight(leg, trust);
        move |raw: f64| LegScore { leg, raw, normalised: ((raw - low) / span).clamp(0.0, 1.0), weight }
    };
    let mut parts: Vec<(u64, f64)> = Vec::new();
    for (leg, found) in found {
        let scaled = scale(*leg, found);
        parts.extend(found.scores.iter().map(|(position, raw)| (*position, share(scaled(*raw)))));
    }
    // Stable, so that each sum is taken in the order of the legs.
    parts.sort_by_key(|(position, _)| *position);
    let records = parts.chunk_by(|(one, _), (other, _)| one == other);
    let mut fused: Vec<Fused> = records
        .map(|parts| {
            let score = parts.iter().map(|(_, share)| share).sum();
            Fused { position: parts[0].0, score, legs: Vec::new() }
        })
        .collect();
    if fused.iter().filter(|fused| fused.score > 0.0).count() >= limit {
        fused.retain(|fused| fused.score > 0.0);
    }
    let in_order =
        |a: &Fused, b: &Fused| b.score.total_cmp(&a.score).then_with(|| tie(a.position, b.position));
    if fused.len() > limit {
        fused.select_nth_unstable_by(limit, in_order);
        fused.truncate(limit);
    }
    fused.sort_by(in_order);
    let places: HashMap<u64, usize> = fused.iter().map(|fused| fused.position).zip(0..).collect();
    for (leg, found) in found {
        let scaled = scale(*leg, found);
        for (position, raw) in &found.scores {
            if let Some(place) = places.get(position) {
                fused[*place].legs.push(scaled(*raw));
            }
        }
    }
    fused
}

/// A score that lies below all that count.
pub(crate) fn unscaled(leg: Leg, raw: f64, trust: Trust) -> LegScore {
    LegScore { leg, raw, normalised: 0.0, weight: weight(leg, trust) }
}

/// What a leg adds to the fused score.
fn share(score: LegScore) -> f64 {
    score.normalised * score.weight
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
        let order: Vec<u64> =
            fuse(&[(Leg::Lexical, lexical), (Leg::Dense, dense)], trust, 10, |a, b| a.cmp(&b))
                .iter()
                .map(|fused| fused.position)
                .collect();
        assert_eq!(order, [2, 1, 4, 3]);
    }

    #[test]
    fn fewer_are_the_first_of_many() {
        let trust = Trust { identifier_share: 0.3, embedder_language: true };
        let found = |seed: u64, count: u64| {
            found(&(0..count).map(|n| (n * seed % 211, (n % 17) as f64 / 3.0)).collect::<Vec<_>>())
        };
        let legs = [
            (Leg::Identifier, found(7, 5)),
            (Leg::Lexical, found(13, 180)),
            (Leg::Dense, found(5, 150)),
            (Leg::Graph, found(3, 9)),
        ];
        let fused = |limit| fuse(&legs, trust, limit, |a, b| b.cmp(&a));
        let all = fused(1_000);
        for limit in [1, 2, 10, 100, 180] {
            assert_eq!(format!("{:?}", fused(limit)), format!("{:?}", &all[..limit]));
        }
        for fused in &all {
            assert_eq!(fused.score, fused.legs.iter().map(|score| share(*score)).sum::<f64>());
        }
        assert!(all.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }

    #[test]
    fn a_question_that_is_an_identifier_follows_it() {
        let first = |share| {
            let lexical = found(&[(1, 9.0), (2, 5.0)]);
            let identifier = found(&[(2, 3.0)]);
            let trust = Trust { identifier_share: share, embedder_language: true };
            fuse(&[(Leg::Lexical, lexical), (Leg::Identifier, identifier)], trust, 1, |a, b| a.cmp(&b))[0]
                .position
        };
        assert_eq!((first(0.0), first(1.0)), (1, 2));
    }
}
