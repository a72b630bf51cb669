//! How many tickets come and go, and how well are they handled?

use super::super::levels::Target;
use super::super::standing::Kept;
use super::{Definition, Figure, Tally, Unit, View, by_priority};

const RECEIVED: Definition = Definition {
    name: "tickets_received",
    title: "Tickets received",
    definition: "Tickets that were created in the period.",
    unit: Unit::Count,
};
const RESOLVED: Definition = Definition {
    name: "tickets_resolved",
    title: "Tickets resolved",
    definition: "Tickets that were solved in the period and not reopened by its end.",
    unit: Unit::Count,
};
const OPEN: Definition = Definition {
    name: "tickets_open",
    title: "Tickets open",
    definition: "Tickets that were neither solved nor given up at the end of the period.",
    unit: Unit::Count,
};
const ATTAINED: Definition = Definition {
    name: "slo_attainment",
    title: "Targets kept",
    definition: "Of the response and resolution targets that were decided in the period, the share that was kept. A target is decided when it \
                 is kept, or at the moment when its time is over; one whose ticket was given up in time is not counted.",
    unit: Unit::Share,
};
const FIRST_CONTACT: Definition = Definition {
    name: "first_contact_resolution",
    title: "Solved at first contact",
    definition: "Of the tickets solved in the period of which it is known who had them, the share that was never handed on and never reopened.",
    unit: Unit::Share,
};
const ESCALATION: Definition = Definition {
    name: "escalation_accuracy",
    title: "Handed on rightly",
    definition: "Of the tickets solved in the period that were handed on, the share that was handed on once only: to whoever solved them.",
    unit: Unit::Share,
};
const REOPENED: Definition = Definition {
    name: "reopen_rate",
    title: "Reopened",
    definition: "Of the tickets solved in the period, the share that had come back at least once.",
    unit: Unit::Share,
};

/// How many come and go.
pub(super) fn flow(view: &View<'_>) -> Vec<Figure> {
    let (mut received, mut resolved, mut open) = (Tally::default(), Tally::default(), Tally::default());
    for life in view.lives {
        let kind = Some(life.kind.as_str().to_owned());
        if view.period.has(life.created) {
            received.add(kind.clone(), 1.0);
        }
        if life.resolved().is_some_and(|moment| view.period.has(moment)) {
            resolved.add(kind.clone(), 1.0);
        }
        if life.is_open(view.period.to) {
            open.add(kind, 1.0);
        }
    }
    let counted = |tally: Tally, definition: &Definition| {
        let mut figure = tally.figure(definition);
        figure.value = Some(figure.numerator);
        figure.note = None;
        for part in &mut figure.parts {
            part.value = part.numerator;
        }
        figure
    };
    vec![counted(received, &RECEIVED), counted(resolved, &RESOLVED), counted(open, &OPEN)]
}

/// How many targets were kept.
pub(super) fn attained(view: &View<'_>) -> Figure {
    let mut tally = Tally::default();
    for life in view.lives {
        for target in Target::ALL {
            let standing = view.clocks.standing(life, target, view.period.to);
            let decided = standing.filter(|one| one.decided.is_some_and(|moment| view.period.has(moment)));
            let Some(standing) = decided.filter(|one| one.state != Kept::Void) else { continue };
            let part = format!("{} of priority {}", target.as_str(), standing.priority);
            tally.ask(Some(part), standing.state == Kept::Met);
        }
    }
    tally.figure(&ATTAINED)
}

/// How well they are handled.
pub(super) fn quality(view: &View<'_>) -> Vec<Figure> {
    let (mut first, mut escalated, mut reopened) = (Tally::default(), Tally::default(), Tally::default());
    let solved =
        view.lives.iter().filter(|life| life.resolved().is_some_and(|moment| view.period.has(moment)));
    for life in solved.filter(|life| view.levels.has(life.kind)) {
        let part = by_priority(view, life);
        reopened.ask(part.clone(), life.reopened > 0);
        if let Some(handed_on) = life.handed_on {
            first.ask(part.clone(), handed_on == 0 && life.reopened == 0);
            if handed_on > 0 {
                escalated.ask(part, handed_on == 1);
            }
        }
    }
    vec![first.figure(&FIRST_CONTACT), escalated.figure(&ESCALATION), reopened.figure(&REOPENED)]
}
