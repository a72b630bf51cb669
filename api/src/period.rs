//! Which period is meant? Two moments or days, the last four weeks where nothing is said.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use triage::service::Period;

/// How long a period is where nothing else is said.
const LENGTH: SignedDuration = SignedDuration::from_hours(28 * 24);
/// The longest period: more is a slip of the pen.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// The period between two moments or days (their beginnings, in UTC); up to now at most.
///
/// # Errors
/// In words, where one of them is none, or the second is not behind the first.
pub(crate) fn period(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Period, String> {
    let to = to.map(moment).transpose()?.unwrap_or(now).min(now);
    let from = match from {
        Some(from) => moment(from)?,
        None => to.checked_sub(LENGTH).unwrap_or(Timestamp::MIN),
    };
    if from >= to {
        return Err("the period is empty: `from` must lie before `to`, and before now".to_owned());
    }
    if from.duration_until(to) > LONGEST {
        return Err("the period is longer than ten years: take a shorter one".to_owned());
    }
    Ok(Period { from, to })
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day = text.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    day.map(|day| day.timestamp())
        .ok_or_else(|| format!("{text:?} is no moment: write 2026-11-01 or 2026-11-01T08:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_two_moments_or_the_last_four_weeks() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let check = |from: Option<&str>, to: Option<&str>, expected: &str| {
            let found = match period(from, to, now) {
                Ok(found) => format!("{} {}", found.from, found.to),
                Err(error) => error,
            };
            assert!(found.contains(expected), "{from:?} to {to:?}: {found}");
        };
        check(None, None, "2026-10-26T12:00:00Z 2026-11-23T12:00:00Z");
        check(Some("2026-11-01"), None, "2026-11-01T00:00:00Z 2026-11-23T12:00:00Z");
        check(None, Some("2026-11-01T06:00:00+01:00"), "2026-10-04T05:00:00Z 2026-11-01T05:00:00Z");
        check(Some("2026-11-01"), Some("2027-01-01"), "2026-11-01T00:00:00Z 2026-11-23T12:00:00Z");
        check(Some("2026-11-24"), None, "empty");
        check(Some("2016-01-01"), None, "ten years");
        check(Some("yesterday"), None, "\"yesterday\" is no moment");
    }
}
