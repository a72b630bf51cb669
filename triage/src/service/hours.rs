//! When is the desk open, and how much of that lies between two moments? Opening hours in a time zone, with holidays.
//!
//! Doors open when the clock on the wall first shows their hour, and close when it first shows the other one. So where clocks are put
//! forward over an hour it is that moment, and where they are put back nothing happens twice.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Days looked at before it is given up that the desk ever opens for long enough: ten years.
const MOST_DAYS: i64 = 3_660;

/// Opening hours.
#[derive(Debug, Clone)]
pub struct Hours {
    zone: TimeZone,
    /// From Monday on; nothing where the desk is open round the clock.
    week: Option<[Vec<Opening>; 7]>,
    holidays: BTreeSet<Date>,
}

/// Minutes of a day, from midnight: the first one, and the one behind the last. At most 1440.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The first minute.
    pub opens: u16,
    /// The one behind the last.
    pub closes: u16,
}

/// When the desk is open between two moments: what is asked of many tickets is worked out once.
#[derive(Debug, Clone)]
pub struct Openings {
    hours: Hours,
    /// Seconds since 1970: from, to, and what of it was open before.
    spans: Vec<(i64, i64, i64)>,
    from: i64,
    to: i64,
}

impl Hours {
    /// Open at some hours of each day of the week, from Monday on, but on holidays.
    pub fn of_week(zone: TimeZone, week: [Vec<Opening>; 7], holidays: BTreeSet<Date>) -> Self {
        Self { zone, week: Some(week), holidays }
    }

    /// Open at all times, on holidays as well.
    pub fn round_the_clock() -> Self {
        Self { zone: TimeZone::UTC, week: None, holidays: BTreeSet::new() }
    }

    /// When the desk is open between two moments.
    pub fn openings(&self, from: Timestamp, to: Timestamp) -> Openings {
        let (first, last) = (from.as_second(), to.as_second().max(from.as_second()));
        let mut found = Openings { hours: self.clone(), spans: Vec::new(), from: first, to: last };
        let Some(week) = &self.week else {
            found.spans.push((first, last, 0));
            return found;
        };
        let mut day = self.zone.to_datetime(from).date().yesterday().ok();
        // A clock that is put back over midnight has shown the next day already.
        let end = self.zone.to_datetime(to).date().saturating_add(1.day());
        let mut before = 0;
        while let Some(date) = day.filter(|date| *date <= end) {
            let openings = &week[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
            for opening in openings.iter().filter(|_| !self.holidays.contains(&date)) {
                let bounds =
                    self.first_shown(date, opening.opens).zip(self.first_shown(date, opening.closes));
                let Some((opens, closes)) = bounds else { continue };
                let (opens, closes) = (opens.max(first), closes.min(last));
                if opens < closes {
                    found.spans.push((opens, closes, before));
                    before += closes - opens;
                }
            }
            day = date.tomorrow().ok();
        }
        found
    }

    /// Seconds between two moments in which the desk was open; none where the second is not behind the first.
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> i64 {
        self.openings(from, to).elapsed(from, to)
    }

    /// The moment at which the desk was open for so many seconds since another; nothing where that is not within ten years.
    pub fn after(&self, from: Timestamp, seconds: i64) -> Option<Timestamp> {
        let mut days = 7 + seconds / 28_800;
        loop {
            let to = from.checked_add(SignedDuration::from_hours(24 * days.min(MOST_DAYS))).ok()?;
            let found = self.openings(from, to).within(from, seconds);
            if found.is_some() || days >= MOST_DAYS {
                return found;
            }
            days *= 4;
        }
    }

    /// When the clock first shows a minute of a day, in seconds since 1970.
    fn first_shown(&self, day: Date, minute: u16) -> Option<i64> {
        let shown = day.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).ok()?;
        let moment = self.zone.to_ambiguous_timestamp(shown);
        let first = match moment.offset() {
            AmbiguousOffset::Gap { .. } => {
                self.zone.following(moment.earlier().ok()?).next().map(|change| change.timestamp())?
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => moment.compatible().ok()?,
        };
        Some(first.as_second())
    }
}

impl Openings {
    /// As [`Hours::elapsed`].
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> i64 {
        if to <= from {
            return 0;
        }
        if from.as_second() < self.from || to.as_second() > self.to {
            return self.hours.elapsed(from, to);
        }
        self.until(to.as_second()) - self.until(from.as_second())
    }

    /// As [`Hours::after`].
    pub fn after(&self, from: Timestamp, seconds: i64) -> Option<Timestamp> {
        let known = if from.as_second() < self.from { None } else { self.within(from, seconds) };
        known.or_else(|| self.hours.after(from, seconds))
    }

    fn within(&self, from: Timestamp, seconds: i64) -> Option<Timestamp> {
        if seconds <= 0 {
            return Some(from);
        }
        let wanted = self.until(from.as_second()) + seconds;
        let at = self.spans.partition_point(|(opens, closes, before)| before + (closes - opens) < wanted);
        let (opens, _, before) = self.spans.get(at)?;
        Timestamp::from_second(opens + (wanted - before)).ok()
    }

    /// Seconds of opening hours up to a second.
    fn until(&self, second: i64) -> i64 {
        let behind = self.spans.partition_point(|(opens, _, _)| *opens <= second);
        let Some((opens, closes, before)) = behind.checked_sub(1).and_then(|at| self.spans.get(at)) else {
            return 0;
        };
        before + second.min(*closes) - opens
    }
}
