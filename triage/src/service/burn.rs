//! Are promises kept often enough, and how fast is the budget of misses used up?
//!
//! After the SRE workbook (Alerting on SLOs, multi-window, multi-burn-rate): the burn rate is the share of misses in a window over the share
//! that the objective allows; at 1 the budget of four weeks lasts four weeks. A rate counts where a long window and one of a twelfth of its
//! length are both above the threshold: it matters, and it goes on. The windows are longer than the workbook's, since a desk
//! decides targets by the day and not by the second.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::levels::Target;
use super::metrics::Period;
use super::standing::{Kept, Standing};

/// Days for which the budget of misses is meant to last.
const BUDGET_DAYS: f64 = 28.0;
/// Hours of the long windows, and the share of the budget that may go in one.
const WINDOWS: [(i64, f64); 3] = [(6, 0.05), (24, 0.10), (168, 0.25)];

/// How often a target of a priority was kept, of those that were decided in the period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attainment {
    /// Which.
    pub target: Target,
    /// Of which priority.
    pub priority: u8,
    /// Tickets that kept it.
    pub met: u64,
    /// Tickets that kept it or did not.
    pub decided: u64,
    /// The share; nothing where none was decided.
    pub value: Option<f64>,
}

/// How fast the budget of misses is used up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Burn {
    /// Hours of the long window, up to the end of the period.
    pub hours: f64,
    /// Its burn rate; nothing where nothing was decided in it.
    pub rate: Option<f64>,
    /// Targets that were decided in it.
    pub decided: u64,
    /// Hours of the short window.
    pub short_hours: f64,
    /// Its burn rate.
    pub short_rate: Option<f64>,
    /// Targets that were decided in it.
    pub short_decided: u64,
    /// The rate from which somebody should act.
    pub threshold: f64,
    /// Whether both are at least that.
    pub is_burning: bool,
}

/// How often each target was kept.
pub(super) fn attainments(standings: &[Standing], period: Period) -> Vec<Attainment> {
    let mut found = std::collections::BTreeMap::new();
    for standing in standings {
        let decided = standing.decided.is_some_and(|moment| period.has(moment));
        let (met, all): &mut (u64, u64) = found.entry((standing.target, standing.priority)).or_default();
        *met += u64::from(decided && standing.state == Kept::Met);
        *all += u64::from(decided && matches!(standing.state, Kept::Met | Kept::Missed));
    }
    let attainment = |((target, priority), (met, decided)): ((Target, u8), (u64, u64))| {
        let value = (decided > 0).then(|| met as f64 / decided as f64);
        Attainment { target, priority, met, decided, value }
    };
    found.into_iter().map(attainment).collect()
}

/// The burn rates at a moment.
pub(super) fn burns(standings: &[Standing], objective: f64, now: Timestamp) -> Vec<Burn> {
    let rate = |hours: f64| {
        let length = SignedDuration::from_secs((hours * 3600.0) as i64);
        let from = now.checked_sub(length).unwrap_or(Timestamp::MIN);
        let decided = standings.iter().filter(|one| one.decided.is_some_and(|at| from <= at && at <= now));
        let (missed, all) = decided.fold((0_u64, 0_u64), |(missed, all), one| match one.state {
            Kept::Missed => (missed + 1, all + 1),
            Kept::Met => (missed, all + 1),
            Kept::Running | Kept::Paused | Kept::Void => (missed, all),
        });
        ((all > 0).then(|| missed as f64 / all as f64 / (1.0 - objective)), all)
    };
    let burn = |(hours, budget): (i64, f64)| {
        let hours = hours as f64;
        let threshold = budget * BUDGET_DAYS * 24.0 / hours;
        let short_hours = hours / 12.0;
        let ((long, decided), (short, short_decided)) = (rate(hours), rate(short_hours));
        let is_over = |rate: Option<f64>| rate.is_some_and(|rate| rate >= threshold);
        Burn {
            hours,
            rate: long,
            decided,
            short_hours,
            short_rate: short,
            short_decided,
            threshold,
            is_burning: is_over(long) && is_over(short),
        }
    };
    WINDOWS.into_iter().map(burn).collect()
}
