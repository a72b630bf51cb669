//! Are opening hours counted as somebody would who looks at the clock on the wall every minute?

use proptest::prelude::*;

use super::*;

const ZONES: [&str; 6] =
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn office(zone: &str, holidays: &[&str]) -> Hours {
    let day = vec![Opening { opens: 480, closes: 1080 }];
    let week = std::array::from_fn(|weekday| if weekday < 5 { day.clone() } else { Vec::new() });
    let holidays = holidays.iter().map(|day| day.parse().unwrap()).collect();
    Hours::of_week(TimeZone::get(zone).unwrap(), week, holidays)
}

/// Looks at the clock every minute. What counts is the latest that it ever showed, so that a clock put back opens nothing again.
fn watched(hours: &Hours, from: Timestamp, to: Timestamp) -> i64 {
    let mut minute = from.as_second() - 3 * 86_400;
    let mut shown = jiff::civil::DateTime::MIN;
    let mut open = 0;
    while minute < to.as_second() {
        shown = shown.max(hours.zone.to_datetime(Timestamp::from_second(minute).unwrap()));
        let of_day = i32::from(shown.hour()) * 60 + i32::from(shown.minute());
        let openings = &hours.week.as_ref().unwrap()[shown.date().weekday().to_monday_zero_offset() as usize];
        let is_open = !hours.holidays.contains(&shown.date())
            && openings.iter().any(|one| (i32::from(one.opens)..i32::from(one.closes)).contains(&of_day));
        if is_open && minute >= from.as_second() {
            open += 60;
        }
        minute += 60;
    }
    open
}

#[test]
fn an_office_day_is_ten_hours_and_a_weekend_none() {
    let hours = office("Europe/Berlin", &["2026-05-01"]);
    let check = |from: &str, to: &str, minutes: i64| {
        assert_eq!(hours.elapsed(at(from), at(to)), minutes * 60, "{from} to {to}");
    };
    // Summer time: eight in the morning is six in UTC.
    check("2026-06-01T06:00:00Z", "2026-06-01T16:00:00Z", 600);
    check("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", 600);
    // Friday, an hour before it closes, to Monday, an hour after it opened.
    check("2026-06-05T15:00:00Z", "2026-06-08T07:00:00Z", 120);
    // The first of May is a Friday and a holiday; the Thursday before it closes at four in UTC.
    check("2026-04-30T15:30:00Z", "2026-05-04T06:10:00Z", 40);
    // Winter time.
    check("2026-12-01T07:00:00Z", "2026-12-01T07:30:00Z", 30);
    check("2026-12-01T07:30:00Z", "2026-12-01T07:00:00Z", 0);
    assert_eq!(hours.after(at("2026-06-05T15:00:00Z"), 7200), Some(at("2026-06-08T07:00:00Z")));
    assert_eq!(hours.after(at("2026-06-06T15:00:00Z"), 0), Some(at("2026-06-06T15:00:00Z")));
    let never = Hours::of_week(TimeZone::UTC, Default::default(), BTreeSet::new());
    assert_eq!(never.after(at("2026-06-05T15:00:00Z"), 1), None);
    let always = Hours::round_the_clock();
    assert_eq!(always.elapsed(at("2026-06-05T15:00:00Z"), at("2026-06-07T15:00:00Z")), 172_800);
    assert_eq!(always.after(at("2026-06-05T15:00:00Z"), 3600), Some(at("2026-06-05T16:00:00Z")));
}

#[test]
fn doors_open_once_when_clocks_change() {
    let night = |opens, closes| {
        let week = std::array::from_fn(|_| vec![Opening { opens, closes }]);
        Hours::of_week(TimeZone::get("Europe/Berlin").unwrap(), week, BTreeSet::new())
    };
    // Half past two does not come on 29 March 2026: at three, one in UTC, it is past.
    let spring = night(150, 240).openings(at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"));
    assert_eq!(spring.after(at("2026-03-28T12:00:00Z"), 1), Some(at("2026-03-29T01:00:01Z")));
    assert_eq!(spring.elapsed(at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z")), 3600);
    // From two to three comes twice on 25 October: it is open from the first two o'clock to the first three o'clock.
    let autumn = night(120, 180);
    assert_eq!(autumn.elapsed(at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z")), 7200);
}

fn week() -> impl Strategy<Value = [Vec<Opening>; 7]> {
    let day = proptest::collection::btree_set(0..=1440_u16, 0..=4).prop_map(|bounds| {
        let bounds: Vec<u16> = bounds.into_iter().collect();
        bounds.chunks_exact(2).map(|pair| Opening { opens: pair[0], closes: pair[1] }).collect()
    });
    proptest::collection::vec(day, 7).prop_map(|days: Vec<Vec<Opening>>| days.try_into().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn counting_agrees_with_watching_the_clock(
        zone in 0..ZONES.len(),
        week in week(),
        // Around the days on which clocks change, and any other.
        near in prop_oneof![Just(1_774_700_000_i64), Just(1_792_800_000), Just(1_773_000_000), 1_767_225_600..1_798_700_000_i64],
        start in -4_000..4_000_i64,
        length in 0..9_000_i64,
        holidays in proptest::collection::vec(-3..10_i64, 0..3),
        seconds in 1..40_000_i64,
    ) {
        let from = Timestamp::from_second(near / 60 * 60 + start * 60).unwrap();
        let to = Timestamp::from_second(from.as_second() + length * 60).unwrap();
        let zone = TimeZone::get(ZONES[zone]).unwrap();
        let day = zone.to_datetime(from).date();
        let holidays = holidays.iter().map(|days| day.checked_add(days.days()).unwrap()).collect();
        let hours = Hours::of_week(zone, week, holidays);
        let elapsed = hours.elapsed(from, to);
        prop_assert_eq!(elapsed, watched(&hours, from, to));
        let wide = hours.openings(from - SignedDuration::from_hours(72), to + SignedDuration::from_hours(72));
        prop_assert_eq!(wide.elapsed(from, to), elapsed);
        match hours.after(from, seconds) {
            Some(after) => {
                prop_assert_eq!(hours.elapsed(from, after), seconds);
                let earlier = after - SignedDuration::from_secs(1);
                prop_assert_eq!(hours.elapsed(from, earlier), seconds - 1, "the first such moment");
                prop_assert_eq!(wide.after(from, seconds), Some(after));
            }
            None => prop_assert!(hours.week.as_ref().unwrap().iter().all(Vec::is_empty)),
        }
    }
}
