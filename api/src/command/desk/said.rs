//! How is a figure said to people? Shares as percent, times in days, hours and minutes, and what it was before.

use triage::service::{Burn, DeskMetrics, Figure, Target, Unit};

use crate::output::moment;

/// What stands where there is not enough data.
pub(super) const NOTHING: &str = "–";

/// A value in its unit.
pub(super) fn value(unit: Unit, value: Option<f64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    match unit {
        Unit::Count => format!("{value:.0}"),
        Unit::Seconds => time(value),
        Unit::Share => share(Some(value)),
        Unit::Difference => format!("{:+.0} points", value * 100.0),
    }
}

/// A share as percent; not 100 where something is missing.
pub(super) fn share(share: Option<f64>) -> String {
    let Some(share) = share else { return NOTHING.to_owned() };
    let percent = share * 100.0;
    let is_nearly = (99.5..100.0).contains(&percent) || (percent > 0.0 && percent < 0.5);
    if is_nearly { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// Seconds in the two largest units that say something.
pub(super) fn time(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as i64;
    match (minutes / 1440, minutes % 1440 / 60, minutes % 60) {
        (0, 0, 0) => format!("{seconds:.0} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes:02} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// What was counted over what, where that says more.
pub(super) fn counted(unit: Unit, numerator: f64, denominator: u64) -> String {
    match unit {
        Unit::Share => format!("{numerator:.0} of {denominator}"),
        Unit::Seconds => format!("{denominator} {}", if denominator == 1 { "ticket" } else { "tickets" }),
        Unit::Count | Unit::Difference => String::new(),
    }
}

/// What was counted, or why there is nothing.
pub(super) fn ground(figure: &Figure) -> String {
    let counted = || counted(figure.unit, figure.numerator, figure.denominator);
    figure.note.clone().unwrap_or_else(counted)
}

/// The period in days.
pub(super) fn period(metrics: &DeskMetrics) -> String {
    let days = metrics.period.from.duration_until(metrics.period.to).as_secs_f64() / 86_400.0;
    let (from, to) = (moment(metrics.period.from), moment(metrics.period.to));
    format!("{from} to {to} UTC ({days:.0} days)")
}

/// A target by name.
pub(super) fn target(target: Target) -> &'static str {
    match target {
        Target::Response => "first answer",
        Target::Resolution => "solution",
    }
}

/// The length of a window.
pub(super) fn window(hours: f64) -> String {
    if hours < 1.0 {
        format!("{:.0} min", hours * 60.0)
    } else if hours < 48.0 {
        format!("{hours:.0} h")
    } else {
        format!("{:.0} days", hours / 24.0)
    }
}

/// A burn rate with what it rests on.
pub(super) fn burn(burn: &Burn) -> String {
    let rate = |rate: Option<f64>| rate.map_or_else(|| NOTHING.to_owned(), |rate| format!("{rate:.1}"));
    let (long, short) = (rate(burn.rate), rate(burn.short_rate));
    let (hours, short_hours) = (window(burn.hours), window(burn.short_hours));
    format!("{hours} {long}, {short_hours} {short}; act from {:.1} in both", burn.threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_said_as_people_say_them() {
        let check = |unit, given: f64, expected: &str| assert_eq!(value(unit, Some(given)), expected);
        check(Unit::Seconds, 42.0, "1 min");
        check(Unit::Seconds, 12.0, "12 s");
        check(Unit::Seconds, 3_900.0, "1 h 05 min");
        check(Unit::Seconds, 2.0 * 86_400.0 + 7_200.0, "2 d 2 h");
        check(Unit::Share, 0.125, "12 %");
        check(Unit::Share, 0.999, "99.9 %");
        check(Unit::Share, 1.0, "100 %");
        check(Unit::Difference, -0.04, "-4 points");
        check(Unit::Count, 17.0, "17");
        assert_eq!(value(Unit::Share, None), "–");
    }
}
