//! When was it? Dates as systems write them, to moments.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime::BrokenDownTime};
use jiff::tz::TimeZone;

/// Reads a date: one of the formats, else RFC 3339, ISO 8601, RFC 2822, or seconds or milliseconds since 1970, from 1990 to 2100;
/// what says no offset is taken in the zone.
pub(crate) fn parse(text: &str, formats: &[String], zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let in_zone = |time: DateTime| time.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
    for format in formats {
        let Ok(parts) = BrokenDownTime::parse(format, text) else { continue };
        if let Ok(moment) = parts.to_timestamp() {
            return Some(moment);
        }
        if let Some(moment) = parts.to_datetime().ok().or_else(|| Some(parts.to_date().ok()?.at(0, 0, 0, 0)))
        {
            return in_zone(moment);
        }
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Some(moment) = since_1970(text) {
        return Some(moment);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return in_zone(time);
    }
    if let Ok(date) = text.parse::<Date>() {
        return in_zone(date.at(0, 0, 0, 0));
    }
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// Seconds from 1990 to 2100; other numbers are no moments.
const SECONDS: Range<i64> = 631_152_000..4_102_444_800;

fn since_1970(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    if SECONDS.contains(&number) {
        Timestamp::from_second(number).ok()
    } else if SECONDS.contains(&(number / 1_000)) {
        Timestamp::from_millisecond(number).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_of_systems_are_read() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let formats = ["%d/%b/%y %H:%M".to_owned(), "%d.%m.%Y".to_owned(), "%m/%d/%Y %I:%M %p".to_owned()];
        let check = |text: &str, expected: &str| {
            let read = parse(text, &formats, &zone).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        };
        check("2024-05-01 10:22:33", "2024-05-01T08:22:33Z");
        check("2024-05-01T10:22", "2024-05-01T08:22:00Z");
        check("2024-05-01", "2024-04-30T22:00:00Z");
        check("30/Sep/21 17:20", "2021-09-30T15:20:00Z");
        check("2021-09-30T17:20:11.000+0200", "2021-09-30T15:20:11Z");
        check("2021-09-30T17:20:11Z", "2021-09-30T17:20:11Z");
        check("1714551753", "2024-05-01T08:22:33Z");
        check("1714551753000", "2024-05-01T08:22:33Z");
        check("Wed, 01 May 2024 10:22:33 +0200", "2024-05-01T08:22:33Z");
        check("24.12.2023", "2023-12-23T23:00:00Z");
        check("05/01/2024 10:22 AM", "2024-05-01T08:22:00Z");
        for text in ["yesterday", "20240501102233", "123456789", "99999999999"] {
            assert_eq!(parse(text, &formats, &zone), None, "{text}");
        }
        let formats = ["%Y%m%d%H%M%S".to_owned()];
        let read = parse("20240501102233", &formats, &zone).unwrap();
        assert_eq!(read.to_string(), "2024-05-01T08:22:33Z");
    }
}
