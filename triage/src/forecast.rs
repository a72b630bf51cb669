//! What is coming? Tickets of the next week, what comes again after it was solved, and which open tickets will miss their target.
//!
//! Each forecast is tried on the desk's own past beside it: it is made at many earlier moments, from what was known then, and held
//! against what came, next to the naive one that it has to beat.

mod breach;
mod gather;
mod recurrence;
mod survival;
mod volume;

use engine::{Desk, DeskError};
use jiff::{SignedDuration, Timestamp};
use ontology::Scope;
use serde::{Deserialize, Serialize};

pub use breach::Breach;
pub use gather::Group;
pub use recurrence::Recurrence;
pub use volume::{Volume, VolumeTest};

/// What is coming, and how far that can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The moment that it was made for.
    pub made: Timestamp,
    /// Incidents and service requests of the next seven days: all, then by service, then by category, the most first.
    pub volume: Vec<Volume>,
    /// What of the past comes again within 30 days after it was solved, the likeliest first.
    pub recurrence: Vec<Recurrence>,
    /// How that did on the past: Brier score, beside that of the share of all.
    pub recurrence_test: Scored,
    /// Open tickets that may miss their target, the likeliest first.
    pub breach: Vec<Breach>,
    /// How that did on the past: Brier score, beside that of the share of like priority.
    pub breach_test: Scored,
}

/// Chances held against what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Chances that were given.
    pub given: usize,
    /// Share of what happened.
    pub happened: f64,
    /// Mean squared difference of chance and outcome; 0 is best.
    pub brier: f64,
    /// The same of the naive chance.
    pub naive_brier: f64,
}

/// Time until a ticket of each priority is to be solved, from 1 to 5, and of one without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    /// By priority, 1 first.
    pub by_priority: [SignedDuration; 5],
    /// Where nobody gave one.
    pub otherwise: SignedDuration,
}

impl Default for Targets {
    /// 4, 8, 24, 72 and 120 hours by the clock; 72 without a priority.
    fn default() -> Self {
        let hours = SignedDuration::from_hours;
        Self { by_priority: [4, 8, 24, 72, 120].map(hours), otherwise: hours(72) }
    }
}

impl Targets {
    /// The target of a priority.
    pub fn of(&self, priority: Option<u8>) -> SignedDuration {
        let at = priority.and_then(|priority| usize::from(priority).checked_sub(1));
        at.and_then(|at| self.by_priority.get(at)).copied().unwrap_or(self.otherwise)
    }
}

impl Scored {
    /// Scores pairs of chance, naive chance and outcome.
    fn of(pairs: &[(f64, f64, bool)]) -> Self {
        let all = pairs.len().max(1) as f64;
        let outcome = |happened: bool| f64::from(u8::from(happened));
        let mean = |score: &dyn Fn(&(f64, f64, bool)) -> f64| pairs.iter().map(score).sum::<f64>() / all;
        Self {
            given: pairs.len(),
            happened: mean(&|pair| outcome(pair.2)),
            brier: mean(&|pair| (pair.0 - outcome(pair.2)).powi(2)),
            naive_brier: mean(&|pair| (pair.1 - outcome(pair.2)).powi(2)),
        }
    }
}

/// Forecasts from what a scope sees of a desk.
///
/// # Errors
/// [`DeskError`] for another tenant's scope, or a damaged log.
pub fn forecast(
    desk: &Desk,
    scope: &Scope,
    targets: &Targets,
    now: Timestamp,
) -> Result<Forecast, DeskError> {
    let past = gather::past(desk, scope, now)?;
    let (recurrence, recurrence_test) = recurrence::recurrences(&past, now);
    let (breach, breach_test) = breach::breaches(&past, targets, now);
    Ok(Forecast {
        made: now,
        volume: volume::volumes(&past, now),
        recurrence,
        recurrence_test,
        breach,
        breach_test,
    })
}

#[cfg(test)]
mod tests {
    use super::Scored;

    #[test]
    fn a_brier_score_is_the_mean_squared_difference() {
        let scored = Scored::of(&[(0.8, 0.5, true), (0.4, 0.5, false)]);
        assert!((scored.brier - (0.04 + 0.16) / 2.0).abs() < 1e-12);
        assert!((scored.naive_brier - 0.25).abs() < 1e-12 && (scored.happened - 0.5).abs() < 1e-12);
        assert_eq!(Scored::of(&[]), Scored::default());
    }
}
