//! How many tickets come next week? A rate that is smoothed over the past and swings with the days of the week.
//!
//! Daily counts are Poisson with a rate times the weight of the weekday; the rate is learnt from the past, where each day counts for less
//! the longer it is ago (exponential smoothing of a gamma-Poisson rate, Harvey and Fernandes 1989). What comes is then negative
//! binomial, which gives the range. How fast the past fades is chosen by what would have told the past weeks best.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gather::{Group, Past};
use crate::counting::Rate;

/// Days after which a count has half its weight, of which one is chosen.
const HALF_LIVES: [f64; 4] = [14.0, 28.0, 56.0, 112.0];
/// Weeks from which the first forecast of the past is made.
const LEARNING_WEEKS: usize = 6;
/// Groups with fewer tickets a week tell nothing.
const LEAST_A_WEEK: f64 = 0.5;
/// The range holds the outcome with a chance of 80 %.
const RANGE: (f64, f64) = (0.1, 0.9);
/// Tickets that each weekday is believed to have had like any other, before anything was counted.
const SMOOTHING: f64 = 7.0;

/// Tickets of the next seven days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// Which tickets.
    pub group: Group,
    /// How many are to be expected.
    pub expected: f64,
    /// With 80 % chance not fewer.
    pub low: u64,
    /// With 80 % chance not more.
    pub high: u64,
    /// By day, the first is today, of which nothing is counted yet.
    pub days: Vec<f64>,
    /// Those of the last seven days.
    pub last_week: u64,
    /// How such forecasts did on the past; nothing before there are two months of it.
    pub test: Option<VolumeTest>,
}

/// Forecasts of a week, made at the end of each past week.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VolumeTest {
    /// Weeks that were forecast.
    pub weeks: usize,
    /// Mean absolute error of a day, over that of "as on this weekday last week" on the past that was known (MASE): below 1 is better.
    pub mase: f64,
    /// The same of "as on this weekday last week", on the same days.
    pub naive_mase: f64,
    /// Share of the weeks whose sum was inside the range; 0.8 is wanted.
    pub coverage: f64,
}

/// Forecasts of all groups that tell something.
pub(super) fn volumes(past: &[Past], now: Timestamp) -> Vec<Volume> {
    let Some(first) = past.first().map(|first| day_of(first.at)) else { return Vec::new() };
    // Today is not over.
    let today = day_of(now);
    let length = usize::try_from(today - first).unwrap_or(0);
    if length == 0 {
        return Vec::new();
    }
    let mut series: BTreeMap<Group, Vec<u64>> = BTreeMap::new();
    for one in past {
        let Ok(day) = usize::try_from(day_of(one.at) - first) else { continue };
        for group in one.groups() {
            let counts = series.entry(group).or_insert_with(|| vec![0; length]);
            if let Some(count) = counts.get_mut(day) {
                *count += 1;
            }
        }
    }
    let weekday = usize::try_from((first + 3).rem_euclid(7)).unwrap_or(0);
    let told = |counts: &[u64]| {
        let weeks = (length as f64 / 7.0).max(1.0);
        counts.iter().sum::<u64>() as f64 / weeks >= LEAST_A_WEEK
    };
    let series = series.into_iter().filter(|(group, counts)| *group == Group::All || told(counts));
    let mut volumes: Vec<Volume> = series.map(|(group, counts)| volume(group, &counts, weekday)).collect();
    let kind = |volume: &Volume| match volume.group {
        Group::All => 0,
        Group::Service(_) => 1,
        Group::Category(_) => 2,
    };
    volumes.sort_by(|a, b| kind(a).cmp(&kind(b)).then_with(|| b.expected.total_cmp(&a.expected)));
    volumes
}

/// Days since 1970.
fn day_of(moment: Timestamp) -> i64 {
    moment.as_second().div_euclid(86_400)
}

/// The forecast of daily counts, of which the first is of a weekday, Monday being 0.
fn volume(group: Group, counts: &[u64], weekday: usize) -> Volume {
    let next = week_ahead(counts, weekday);
    let all: f64 = next.weights.iter().sum();
    let last_week = counts.iter().rev().take(7).sum();
    Volume {
        group,
        expected: next.rate.expected(all),
        low: next.rate.quantile(RANGE.0, all),
        high: next.rate.quantile(RANGE.1, all),
        days: next.weights.iter().map(|weight| next.rate.expected(*weight)).collect(),
        last_week,
        test: tried(counts, weekday),
    }
}

/// What is known of the next seven days.
struct Ahead {
    rate: Rate,
    /// Their weights as weekdays; 1 is an average day.
    weights: [f64; 7],
}

fn week_ahead(counts: &[u64], weekday: usize) -> Ahead {
    let season = season(counts, weekday);
    let weight = |day: usize| season[(weekday + day) % 7];
    let rates = HALF_LIVES.map(|half_life| {
        let keep = 0.5_f64.powf(1.0 / half_life);
        let (mut count, mut exposure, mut told) = (0.0, 0.0, 0.0);
        for (day, today) in counts.iter().enumerate() {
            // Each week is told at its beginning, and what it was is the score of this half-life.
            if day % 7 == 0 && day >= 28 && day + 7 <= counts.len() {
                let week = counts[day..day + 7].iter().sum();
                let ahead = (day..day + 7).map(weight).sum();
                told += Rate::of(count, exposure).log_chance(week, ahead);
            }
            count = count * keep + *today as f64;
            exposure = exposure * keep + weight(day);
        }
        (told, Rate::of(count, exposure))
    });
    let best = rates.into_iter().reduce(|best, other| if other.0 > best.0 { other } else { best });
    let rate = best.map_or(Rate::of(0.0, 1.0), |(_, rate)| rate);
    let mut weights = [0.0; 7];
    for (ahead, into) in weights.iter_mut().enumerate() {
        *into = weight(counts.len() + ahead);
    }
    Ahead { rate, weights }
}

/// The weight of each weekday; 1 is an average day.
fn season(counts: &[u64], weekday: usize) -> [f64; 7] {
    let (mut sums, mut days) = ([0.0; 7], [0.0; 7]);
    for (day, count) in counts.iter().enumerate() {
        let at = (weekday + day) % 7;
        sums[at] += *count as f64;
        days[at] += 1.0;
    }
    let average = sums.iter().sum::<f64>() / (counts.len() as f64).max(1.0);
    let mut weights = [1.0; 7];
    for (at, weight) in weights.iter_mut().enumerate() {
        *weight = (sums[at] + SMOOTHING) / (average * days[at] + SMOOTHING);
    }
    let all: f64 = weights.iter().sum();
    weights.map(|weight| weight * 7.0 / all)
}

/// Forecasts at the end of each past week, from what was known then.
fn tried(counts: &[u64], weekday: usize) -> Option<VolumeTest> {
    let (mut weeks, mut error, mut naive, mut inside) = (0, 0.0, 0.0, 0);
    let apart = |a: f64, b: u64| (a - b as f64).abs();
    for origin in (LEARNING_WEEKS * 7..counts.len()).step_by(7) {
        let Some(came) = counts.get(origin..origin + 7) else { break };
        let known = &counts[..origin];
        let scale: f64 = (7..origin).map(|day| apart(known[day - 7] as f64, known[day])).sum();
        let scale = scale / (origin - 7) as f64;
        if scale <= 0.0 {
            continue;
        }
        let ahead = week_ahead(known, weekday);
        for (day, count) in came.iter().enumerate() {
            error += apart(ahead.rate.expected(ahead.weights[day]), *count) / scale / 7.0;
            naive += apart(known[origin - 7 + day] as f64, *count) / scale / 7.0;
        }
        let all: f64 = ahead.weights.iter().sum();
        let (low, high) = (ahead.rate.quantile(RANGE.0, all), ahead.rate.quantile(RANGE.1, all));
        inside += usize::from((low..=high).contains(&came.iter().sum()));
        weeks += 1;
    }
    let share = weeks as f64;
    (weeks >= 2).then(|| VolumeTest {
        weeks,
        mase: error / share,
        naive_mase: naive / share,
        coverage: inside as f64 / share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Poisson counts by Knuth's product of chances, seeded.
    fn series(days: usize, rate: impl Fn(usize) -> f64) -> Vec<u64> {
        let mut state = 7_u64;
        let mut chance = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut one = |rate: f64| {
            let (limit, mut product, mut count) = ((-rate).exp(), chance(), 0);
            while product > limit {
                product *= chance();
                count += 1;
            }
            count
        };
        (0..days).map(|day| one(rate(day))).collect()
    }

    #[test]
    fn a_known_season_is_found_and_beats_last_week() {
        // Monday twice as busy as other days, weekends quiet.
        let known = [20.0, 10.0, 10.0, 10.0, 10.0, 1.0, 1.0];
        let counts = series(7 * 40, |day| known[day % 7]);
        let volume = volume(Group::All, &counts, 0);
        let test = volume.test.unwrap();
        assert_eq!(test.weeks, 34);
        assert!(test.mase < 0.85 * test.naive_mase, "{test:?}");
        assert!((0.6..=1.0).contains(&test.coverage), "{test:?}");
        assert!((volume.expected - 62.0).abs() < 8.0, "{volume:?}");
        assert!(volume.low < 62 && volume.high > 62 && volume.high - volume.low < 40, "{volume:?}");
        assert!(volume.days[0] > 1.6 * volume.days[1] && volume.days[5] < 3.0, "{volume:?}");
    }

    #[test]
    fn a_desk_of_today_has_no_day_to_count() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let one = Past {
            ticket: ontology::RecordId::new("sn:INC1").unwrap(),
            title: "Mail is slow".to_owned(),
            at: now,
            resolved: None,
            is_open: true,
            priority: None,
            services: Vec::new(),
            category: None,
            things: Vec::new(),
        };
        assert_eq!(volumes(&[one], now), []);
    }

    #[test]
    fn a_level_that_moved_is_followed() {
        let counts = series(7 * 30, |day| if day < 7 * 20 { 3.0 } else { 12.0 });
        let volume = volume(Group::All, &counts, 0);
        assert!((volume.expected - 84.0).abs() < 15.0, "{volume:?}");
    }

    #[test]
    fn a_rate_is_the_faded_mean_by_hand() {
        // Too short to choose: the first half-life of 14 days, with a flat week as all weekdays had the same.
        let ahead = week_ahead(&[2; 14], 3);
        let keep = 0.5_f64.powf(1.0 / 14.0);
        let weight: f64 = (0..14).map(|age| keep.powi(age)).sum();
        let rate = (2.0 * weight + 0.5) / weight;
        assert!((ahead.rate.expected(7.0) - 7.0 * rate).abs() < 1e-9);
        assert!(ahead.weights.iter().all(|weight| (weight - 1.0).abs() < 1e-12));
        assert!(tried(&[2; 14], 0).is_none());
    }
}
