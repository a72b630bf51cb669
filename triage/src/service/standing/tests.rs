//! Do the clocks of targets run, stand and end as they are promised to?

use ontology::State::{self, Cancelled, Closed, InProgress, OnHold, Open, Resolved};
use ontology::{Kind, RecordId};
use proptest::prelude::*;

use super::*;
use crate::service::life::Spell;

/// In UTC, 8 to 18 from Monday to Friday: 4 hours for a first answer, 24 for a solution; round the clock for priority 2.
const BUILT_IN: &str = include_str!("../../../policy/service.toml");

fn at(text: &str) -> Timestamp {
    format!("2026-06-{text}Z").parse().unwrap()
}

/// 1 June 2026 is a Monday.
fn life(priority: u8, responded: Option<&str>, states: &[(&str, State)]) -> TicketLife {
    let spell = |(since, state): &(&str, State)| Spell { since: at(since), state: *state, word: None };
    TicketLife {
        ticket: RecordId::new("desk:INC1").unwrap(),
        kind: Kind::Incident,
        title: String::new(),
        category: Vec::new(),
        priority: Some(priority),
        team: None,
        created: at(states[0].0),
        responded: responded.map(at),
        states: states.iter().map(spell).collect(),
        reopened: 0,
        handed_on: None,
        pages: Vec::new(),
        work: None,
    }
}

fn standing(life: &TicketLife, target: Target, now: &str) -> Standing {
    let levels = ServiceLevels::parse("service.toml", BUILT_IN).unwrap();
    Clocks::new(&levels, life.created, at(now)).standing(life, target, at(now)).unwrap()
}

fn check(standing: &Standing, state: Kept, used_minutes: i64, due: Option<&str>, decided: Option<&str>) {
    let found = (standing.state, standing.used_seconds, standing.due, standing.decided);
    assert_eq!(found, (state, used_minutes * 60, due.map(at), decided.map(at)), "{standing:?}");
}

#[test]
fn the_clock_runs_in_opening_hours() {
    // Four o'clock on Friday: two hours on that day, two on Monday.
    let friday = life(3, None, &[("05T16:00:00", Open)]);
    let open = standing(&friday, Target::Response, "05T17:00:00");
    check(&open, Kept::Running, 60, Some("08T10:00:00"), None);
    assert_eq!(open.warns, Some(at("08T09:00:00")), "three of the four hours");
    check(&standing(&friday, Target::Response, "08T09:59:00"), Kept::Running, 239, Some("08T10:00:00"), None);
}

#[test]
fn a_target_is_kept_up_to_its_last_second() {
    let answered = |moment| life(3, Some(moment), &[("01T08:00:00", Open), (moment, InProgress)]);
    let kept = standing(&answered("01T12:00:00"), Target::Response, "02T00:00:00");
    check(&kept, Kept::Met, 240, None, Some("01T12:00:00"));
    let late = standing(&answered("01T12:01:00"), Target::Response, "02T00:00:00");
    check(&late, Kept::Missed, 241, Some("01T12:00:00"), Some("01T12:00:00"));
    let still = life(3, None, &[("01T08:00:00", Open)]);
    check(
        &standing(&still, Target::Response, "01T12:00:00"),
        Kept::Missed,
        240,
        Some("01T12:00:00"),
        Some("01T12:00:00"),
    );
}

#[test]
fn pauses_put_the_end_off_and_reopening_goes_on_from_there() {
    // Ten hours on Monday less two on hold; it is solved on Tuesday at ten, comes back on Wednesday at eight.
    let mut states = vec![
        ("01T08:00:00", Open),
        ("01T10:00:00", OnHold),
        ("01T12:00:00", InProgress),
        ("02T10:00:00", Resolved),
        ("03T08:00:00", InProgress),
    ];
    let solved = life(3, Some("01T10:00:00"), &states[..4]);
    check(&standing(&solved, Target::Resolution, "02T20:00:00"), Kept::Met, 600, None, Some("02T10:00:00"));
    let back = life(3, Some("01T10:00:00"), &states);
    // Fourteen hours are left: ten on Wednesday, four on Thursday.
    check(&standing(&back, Target::Resolution, "03T09:00:00"), Kept::Running, 660, Some("04T12:00:00"), None);
    states.push(("03T09:00:00", OnHold));
    let held = life(3, Some("01T10:00:00"), &states);
    check(&standing(&held, Target::Resolution, "09T09:00:00"), Kept::Paused, 660, None, None);
    states.push(("10T08:00:00", Closed));
    let closed = life(3, Some("01T10:00:00"), &states);
    check(&standing(&closed, Target::Resolution, "11T00:00:00"), Kept::Met, 660, None, Some("10T08:00:00"));
}

#[test]
fn who_gives_up_in_time_is_not_counted_and_who_gives_up_too_late_is() {
    let given_up = |moment| life(2, None, &[("06T08:00:00", Open), (moment, Cancelled)]);
    let early = standing(&given_up("06T08:20:00"), Target::Response, "08T00:00:00");
    check(&early, Kept::Void, 20, None, Some("06T08:20:00"));
    let late = standing(&given_up("06T10:00:00"), Target::Response, "08T00:00:00");
    check(&late, Kept::Missed, 120, Some("06T08:30:00"), Some("06T08:30:00"));
    let kept = standing(&given_up("06T10:00:00"), Target::Resolution, "08T00:00:00");
    check(&kept, Kept::Void, 120, None, Some("06T10:00:00"));
}

proptest! {
    #[test]
    fn a_deadline_is_where_the_time_is_used_up(minutes in proptest::collection::vec(1_i64..2_000, 1..8), now in 0_i64..20_000) {
        let states = [Open, InProgress, OnHold, InProgress, Resolved, InProgress, OnHold, Open];
        let mut since = at("01T00:00:00");
        let mut spells = Vec::new();
        for (length, state) in minutes.iter().zip(states) {
            spells.push(Spell { since, state, word: None });
            since += jiff::SignedDuration::from_mins(*length);
        }
        let mut life = life(3, None, &[("01T00:00:00", Open)]);
        life.states = spells;
        let levels = ServiceLevels::parse("service.toml", BUILT_IN).unwrap();
        let now = life.states.last().unwrap().since + jiff::SignedDuration::from_mins(now);
        let clocks = Clocks::new(&levels, life.created, now);
        let standing = clocks.standing(&life, Target::Resolution, now).unwrap();
        if let Some(due) = standing.due {
            // Seen from its deadline, exactly the time that it has is used.
            let then = if due > now { life.clone() } else { life.as_of(due).unwrap() };
            let seen = clocks.standing(&then, Target::Resolution, due).unwrap();
            prop_assert_eq!(seen.used_seconds, standing.goal_seconds);
            prop_assert_eq!(seen.state == Kept::Missed || seen.state == Kept::Met || seen.state == Kept::Paused, true);
            prop_assert_eq!(due <= now, standing.state == Kept::Missed);
        } else {
            prop_assert!(standing.used_seconds <= standing.goal_seconds);
        }
    }
}
