//! `desk bursts`: what would have been called a burst in the desk's own past?

use triage::{Alarm, Cause, Injected};

use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, GOOD, ID, WARN, moment, paint};
use crate::settings::Global;

pub(super) fn run(global: &Global) -> anyhow::Result<Outcome> {
    let desk = global.open()?;
    let test = triage::burst_test(&desk, &global.scope())?;
    if global.json {
        output::json(&test)?;
        return Ok(Outcome::Fine);
    }
    output::line(format!(
        "{} over {:.1} weeks, each knowing only those before it, but for the hours of the week",
        output::count(test.incidents as u64, "incident", "incidents"),
        test.weeks
    ));
    output::line("");
    output::line(format!("{}: {}", paint(BOLD, "Called a burst"), test.alarms.len()));
    for alarm in &test.alarms {
        show(alarm);
    }
    output::line(format!(
        "{} {:.2} a week, counting all of which sources do not say that they belong together",
        paint(BOLD, "False alarms"),
        test.false_alarms_per_week
    ));
    output::line(format!(
        "{} {:.2} a week, where it is shuffled which ticket hit what, so that nothing belongs together",
        paint(BOLD, "By chance"),
        test.shuffled_per_week
    ));
    output::line("");
    output::line(format!(
        "{}  {}",
        paint(BOLD, "Bursts that were put in"),
        paint(DIM, "at random moments and things, spread over an hour, with nothing alike in their texts")
    ));
    for one in &test.injected {
        injected(one);
    }
    Ok(Outcome::Fine)
}

fn show(alarm: &Alarm) {
    let told = if alarm.is_told { paint(GOOD, "told by sources") } else { paint(WARN, "told by none") };
    let members = alarm.members.len();
    output::line(format!(
        "  {}  {}  {members} tickets, {told}, chance {:.0e}",
        moment(alarm.at),
        paint(ID, alarm.members.first().map_or("", |lead| lead.external())),
        alarm.chance
    ));
    if let Some(cause) = &alarm.cause {
        output::line(format!("      {}", paint(DIM, explained(cause))));
    }
}

/// A cause with its reasons.
fn explained(cause: &Cause) -> String {
    let changes: Vec<&str> = cause.changes.iter().map(|change| change.external()).collect();
    let changed =
        if changes.is_empty() { String::new() } else { format!(", changed by {}", changes.join(", ")) };
    format!(
        "probably {}: {:.0} % rest on it, {:.1} were to be expected{changed}",
        cause.thing,
        cause.coverage * 100.0,
        cause.expected
    )
}

fn injected(one: &Injected) {
    let share = |part: usize, of: usize| if of == 0 { 0.0 } else { 100.0 * part as f64 / of as f64 };
    output::line(format!(
        "  {:>2} tickets  {:>3.0} % found, in the middle with {} of them; the cause first in {:.0} %, among three in {:.0} %",
        one.size,
        share(one.found, one.tried),
        one.members_when_called,
        share(one.cause_first, one.found),
        share(one.cause_told, one.found)
    ));
}
