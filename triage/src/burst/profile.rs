//! When do people call? How much traffic each hour has, of working days and of weekends, so that a Monday morning is no burst.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// Tickets of an average hour that each hour is believed to have had, before anything was counted.
const SMOOTHING: f64 = 4.0;

/// The share of traffic by hour; 1 is the average hour of the week.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    working: [f64; 24],
    weekend: [f64; 24],
}

impl Profile {
    /// What the moments of tickets tell.
    pub(super) fn of(moments: impl Iterator<Item = Timestamp>) -> Self {
        let mut counts = [[0.0_f64; 24]; 2];
        let mut all = 0.0;
        for moment in moments {
            let (is_weekend, hour) = place(moment);
            counts[usize::from(is_weekend)][hour] += 1.0;
            all += 1.0;
        }
        // Of the hours that were watched, 5 of 168 are this hour of a working day and 2 this one of a weekend.
        let weigh = |counts: [f64; 24], days: f64| {
            let average = all * days / 168.0;
            counts.map(|count| (count + SMOOTHING) / (average + SMOOTHING))
        };
        Self { working: weigh(counts[0], 5.0), weekend: weigh(counts[1], 2.0) }
    }

    /// The traffic of a span, in average hours.
    pub(super) fn exposure(&self, from: Timestamp, until: Timestamp) -> f64 {
        let seconds = until.duration_since(from).as_secs_f64();
        if seconds <= 0.0 {
            return 0.0;
        }
        let weeks = (seconds / 604_800.0).floor();
        let week: f64 = self.working.iter().sum::<f64>() * 5.0 + self.weekend.iter().sum::<f64>() * 2.0;
        let whole = SignedDuration::from_secs(604_800 * weeks as i64);
        let mut at = from.saturating_add(whole).unwrap_or(until);
        let mut sum = weeks * week;
        while at < until {
            let next = next_hour(at).min(until);
            let (is_weekend, hour) = place(at);
            let share = if is_weekend { self.weekend[hour] } else { self.working[hour] };
            sum += share * next.duration_since(at).as_secs_f64() / 3600.0;
            at = next;
        }
        sum
    }
}

fn place(moment: Timestamp) -> (bool, usize) {
    let zoned: Zoned = moment.to_zoned(TimeZone::UTC);
    let is_weekend = matches!(zoned.weekday(), Weekday::Saturday | Weekday::Sunday);
    (is_weekend, usize::try_from(zoned.hour()).unwrap_or(0))
}

fn next_hour(moment: Timestamp) -> Timestamp {
    let next = moment.as_second().div_euclid(3600) * 3600 + 3600;
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_hour_counts_for_more_and_a_week_for_a_week() {
        let monday: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let hour = |n: i64| monday.saturating_add(SignedDuration::from_hours(n)).unwrap();
        // Eighty tickets, all at nine on working days; an average hour of working days would have 80 × 5/168.
        let nine = (0..80).map(|n| hour(9 + 24 * (n % 5)));
        let profile = Profile::of(nine);
        let busy = 84.0 / (80.0 * 5.0 / 168.0 + 4.0);
        assert!((profile.exposure(hour(9), hour(10)) - busy).abs() < 1e-9);
        let half = Timestamp::from_second(hour(9).as_second() + 1800).unwrap();
        assert!((profile.exposure(half, hour(10)) - busy / 2.0).abs() < 1e-9);
        assert!(profile.exposure(hour(3), hour(4)) < 0.7);
        let weeks = profile.exposure(hour(5), hour(5 + 168 * 3));
        let one: f64 = (0..168).map(|n| profile.exposure(hour(n), hour(n + 1))).sum();
        assert!((weeks - 3.0 * one).abs() < 1e-6);
        assert!(profile.exposure(hour(2), hour(1)).abs() < f64::EPSILON);
    }
}
