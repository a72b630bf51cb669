//! Are service levels read as they are meant, and does each fault say what to write instead?

use super::*;

const BUILT_IN: &str = include_str!("../../../policy/service.toml");

#[test]
fn the_built_in_levels_are_what_they_say() {
    let levels = ServiceLevels::parse("service.toml", BUILT_IN).unwrap();
    let (priority, first) = levels.promise(Kind::Incident, Some(1)).unwrap();
    assert_eq!((priority, first.response, first.resolution), (1, Some(900), Some(14_400)));
    assert_eq!(levels.promise(Kind::Incident, None).unwrap().0, 4, "a ticket without a priority");
    assert!(levels.promise(Kind::Change, Some(1)).is_none());
    assert!(levels.is_paused(State::OnHold, None) && !levels.is_paused(State::Open, Some("On Hold")));
    assert_eq!((levels.warn_at, levels.objective), (0.75, 0.95));
    let words =
        BUILT_IN.replace("words = []", "words = [\" Awaiting Caller\"]").replace("[\"on_hold\"]", "[]");
    let levels = ServiceLevels::parse("service.toml", &words).unwrap();
    assert!(levels.is_paused(State::InProgress, Some("awaiting caller ")), "the source's own word");
    assert!(!levels.is_paused(State::OnHold, Some("Awaiting Vendor")));
}

#[test]
fn faults_name_their_line_and_what_to_write() {
    let check = |from: &str, to: &str, near: &str, said: &str| {
        assert!(BUILT_IN.contains(from), "{from}");
        let text = BUILT_IN.replacen(from, to, 1);
        let error = ServiceLevels::parse("service.toml", &text).unwrap_err();
        assert_eq!(error.code(), "service-invalid");
        let line = text[..text.find(near).unwrap()].matches('\n').count() + 1;
        let said = format!("service.toml, line {line}: {said}");
        assert!(error.to_string().contains(&said), "{error} should say {said}");
    };
    check(
        "\"UTC\"",
        "\"Europe/Berlim\"",
        "\"Europe",
        "there is no time zone \"Europe/Berlim\": write one such as",
    );
    check("warn_at = 75", "warn_at = 100", "= 100", "warn_at is a percentage between 0 and 100");
    check("objective = 95", "objective = 0", "= 0", "objective is a percentage between 0 and 100");
    check("unset = 4", "unset = 9", "= 9", "a priority is 1 to 5");
    check("[\"on_hold\"]", "[\"resolved\"]", "\"resolved", "a resolved ticket has no clock to stop");
    check("[\"incident\", ", "[\"runbook\", ", "\"runbook", "no kind of ticket: write incident,");
    check("holidays = []", "holidays = [\"2026-02-30\"]", "\"2026-02", "");
    check("[priority.5]", "[priority.6]", "[priority.6]", "priority 6 is none: write 1 to 5");
    let never = "round_the_clock = false";
    check("round_the_clock = true", never, "[hours.always]", "these hours are never open: name a day");
    let turned = "monday = \"18:00-08:00\"";
    check("monday = \"08:00-18:00\"", turned, "[hours.office]", "\"18:00-08:00\" are no hours: write them");
    let twice = "friday = \"08:00-12:00, 11:00-18:00\"";
    check("friday = \"08:00-18:00\"", twice, "[hours.office]", "the hours of friday overlap");
    check("friday = ", "freitag = ", "[hours.office]", "freitag is no day: write monday,");
    check(
        "hours = \"office\"",
        "hours = \"ofice\"",
        "[priority.3]",
        "there are no hours \"ofice\": write one of always, office",
    );
    check(
        "response = \"15m\"",
        "response = \"1d\"",
        "[priority.1]",
        "\"1d\" is no time: write hours and minutes",
    );
    check("response = \"15m\"", "answer = \"15m\"", "answer =", "unknown field `answer`");
}
