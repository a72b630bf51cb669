//! What is probably behind a burst? The thing that most of its tickets rest on, and on which so many are the greatest surprise.
//!
//! What a ticket names in its text may be behind it too, though no dependency says so. Each thing is scored by the log-likelihood ratio of Kulldorff's scan statistic (1997): with `n` tickets of the burst on all that
//! rests on it, where `e` were to be expected, `n ln(n/e) - (n - e)` for `n > e`, else 0. It grows with what a thing covers, and falls
//! with what else rests on it: a gateway that explains all members beats the storage below it, on which the whole house stands.
//! A change of the thing itself shortly before adds the surprise of such a change by chance, `-ln P`.

use std::collections::{BTreeMap, BTreeSet};

use engine::{DeskError, Thing};
use jiff::{SignedDuration, Timestamp};
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use super::ground::Ground;
use crate::changed::NOTICED;
use crate::counting::Rate;

/// How far back changes are counted.
const CHANGES: SignedDuration = SignedDuration::from_hours(24 * 180);
/// Causes that are told.
const TOLD: usize = 3;

/// Something that explains a burst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The thing.
    pub thing: Thing,
    /// Log-likelihood ratio, in nats; changes before included.
    pub score: f64,
    /// Share of the members that rest on it or name it, 0 to 1.
    pub coverage: f64,
    /// Tickets on all that rests on it, or naming it, that were to be expected in this time.
    pub expected: f64,
    /// Share of the things resting on it that the members hit, 0 to 1.
    pub hit: f64,
    /// Changes of the thing itself in the three days before the first member, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<RecordId>,
}

/// What explains some arrivals, the likeliest first.
pub(super) fn explain(
    ground: &mut Ground<'_>,
    members: &BTreeSet<usize>,
    moment: Timestamp,
) -> Result<Vec<Cause>, DeskError> {
    let first = members.first().map_or(moment, |at| ground.arrivals[*at].at);
    let begin = first.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(first);
    let past = ground.past(begin);
    let exposure = ground.exposure(begin, moment).max(ground.exposure(super::find::window(moment).0, moment));
    let mut covered: BTreeMap<Thing, usize> = BTreeMap::new();
    for at in members {
        let named = ground.arrivals[*at].named.clone();
        let candidates: BTreeSet<Thing> = ground.behind(*at)?.into_iter().chain(named).collect();
        for thing in candidates {
            *covered.entry(thing).or_default() += 1;
        }
    }
    let mut causes = Vec::new();
    for (thing, count) in covered {
        if count < 2 && members.len() > 1 {
            continue;
        }
        let cone = ground.cone(&thing)?;
        let before = ground.touching(&thing, &cone, past);
        let expected = ground.rate(before, past).expected(exposure);
        let things = members.iter().flat_map(|at| ground.arrivals[*at].things.iter());
        let hit: BTreeSet<&Thing> = things.filter(|thing| cone.contains(*thing)).collect();
        let hit = hit.len() as f64 / cone.len().max(1) as f64;
        let (surprise, changes) = changed(ground, &thing, first);
        let score = ratio(count as f64, expected) + surprise;
        let coverage = count as f64 / members.len() as f64;
        causes.push(Cause { thing, score, coverage, expected, hit, changes });
    }
    causes.sort_by(|a, b| {
        let by_hit = || b.hit.total_cmp(&a.hit);
        b.score.total_cmp(&a.score).then_with(by_hit).then_with(|| a.thing.cmp(&b.thing))
    });
    causes.truncate(TOLD);
    Ok(causes)
}

/// How much likelier `found` tickets are where something is behind them than by chance, as a logarithm.
fn ratio(found: f64, expected: f64) -> f64 {
    if found <= expected { 0.0 } else { found * (found / expected).ln() - (found - expected) }
}

/// The surprise of the changes shortly before, and which they are.
fn changed(ground: &Ground<'_>, thing: &Thing, first: Timestamp) -> (f64, Vec<RecordId>) {
    let since = first.saturating_sub(NOTICED).unwrap_or(first);
    let recent = ground.changes(thing, since, first);
    if recent.is_empty() {
        return (0.0, Vec::new());
    }
    let begin = first.saturating_sub(CHANGES).unwrap_or(first);
    let earlier = ground.changes(thing, begin, since).len();
    let days = |span: SignedDuration| span.as_secs_f64() / 86_400.0;
    let rate = Rate::of(earlier as f64, days(CHANGES) - days(NOTICED));
    let surprise = -rate.at_least(recent.len() as u64, days(NOTICED)).ln();
    (surprise, recent.iter().rev().map(|change| change.record.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn the_ratio_is_that_of_the_scan_statistic_by_hand() {
        // 6 where 2 were to be expected: 6 ln 3 - 4.
        assert!((ratio(6.0, 2.0) - (6.0 * 3.0_f64.ln() - 4.0)).abs() < 1e-12);
        assert!(ratio(2.0, 2.0).abs() < f64::EPSILON && ratio(1.0, 2.0).abs() < f64::EPSILON);
        // The same six tickets are explained better by what had fewer of them, and by what covers more of them.
        assert!(ratio(6.0, 0.5) > ratio(6.0, 2.0) && ratio(6.0, 0.5) > ratio(4.0, 0.5));
    }
}
