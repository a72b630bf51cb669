//! How long do callers wait? Until somebody answers, and until it is solved, by the calendar and in opening hours.

use super::{Definition, Figure, Tally, Unit, View, by_priority};

const ACKNOWLEDGE: Definition = Definition {
    name: "time_to_acknowledge_seconds",
    title: "Time to acknowledge (MTTA)",
    definition: "Mean time from a ticket's creation to the first sign that somebody works on it (a note by another than its reporter, a state \
                 other than open, an answer or a team that agents gave it), of the tickets acknowledged in the period, by the calendar.",
    unit: Unit::Seconds,
};
const ACKNOWLEDGE_OPEN: Definition = Definition {
    name: "time_to_acknowledge_business_seconds",
    title: "Time to acknowledge, in opening hours",
    definition: "As time_to_acknowledge_seconds, counting only the opening hours of the ticket's priority.",
    unit: Unit::Seconds,
};
const RESOLVE: Definition = Definition {
    name: "time_to_resolve_seconds",
    title: "Time to resolve (MTTR)",
    definition: "Mean time from a ticket's creation to its solution, of the tickets solved in the period, by the calendar; of one that came back, to \
                 its last solution.",
    unit: Unit::Seconds,
};
const RESOLVE_OPEN: Definition = Definition {
    name: "time_to_resolve_business_seconds",
    title: "Time to resolve, in opening hours",
    definition: "As time_to_resolve_seconds, counting only the opening hours of the ticket's priority, without pauses and without the time in \
                 which it was taken for solved.",
    unit: Unit::Seconds,
};

/// The four times, of tickets that are promised something.
pub(super) fn times(view: &View<'_>) -> [Figure; 4] {
    let mut tallies: [Tally; 4] = Default::default();
    let [acknowledge, acknowledge_open, resolve, resolve_open] = &mut tallies;
    for life in view.lives.iter().filter(|life| view.levels.has(life.kind)) {
        let part = by_priority(view, life);
        if let Some(responded) = life.responded.filter(|moment| view.period.has(*moment)) {
            acknowledge.add(part.clone(), life.created.duration_until(responded).as_secs_f64());
            if let Some(open) = view.clocks.between(life, life.created, responded) {
                acknowledge_open.add(part.clone(), open as f64);
            }
        }
        if let Some(resolved) = life.resolved().filter(|moment| view.period.has(*moment)) {
            resolve.add(part.clone(), life.created.duration_until(resolved).as_secs_f64());
            if let Some(open) = view.clocks.worked(life, view.period.to) {
                resolve_open.add(part, open as f64);
            }
        }
    }
    let [first, second, third, fourth] = tallies;
    [
        first.figure(&ACKNOWLEDGE),
        second.figure(&ACKNOWLEDGE_OPEN),
        third.figure(&RESOLVE),
        fourth.figure(&RESOLVE_OPEN),
    ]
}
