//! In which order did the desk come to know things, and how did a ticket look when it came in?

use engine::{Desk, DeskError};
use jiff::Timestamp;
use ontology::{Kind, Record, Relation, Scope, SectionKind, State};

/// Attributes that a ticket has from the start; others, such as how it was closed, are given later.
const GIVEN: [&str; 2] = ["caller_group", "location"];

/// What happens at a moment.
pub(super) enum Step {
    /// The desk learns of a record.
    Known(Box<Record>),
    /// A ticket comes in and is triaged.
    Asked(Box<Record>),
}

/// Everything that the scope sees, in the order in which it came to be, with the latest tickets to be triaged; and the position of
/// the log that was read.
pub(super) fn timeline(
    desk: &Desk,
    scope: &Scope,
    latest: usize,
) -> Result<(Vec<(Timestamp, Step)>, u64), DeskError> {
    let mut records = Vec::new();
    let generation = desk.current(scope, &Kind::ALL, &mut |observation| records.push(observation.record))?;
    let (mut incoming, others): (Vec<Record>, Vec<Record>) = records.into_iter().partition(is_asked);
    incoming.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    let first = incoming.len().saturating_sub(latest);
    let mut steps: Vec<(Timestamp, Step)> = Vec::with_capacity(2 * incoming.len() + others.len());
    for (at, record) in incoming.into_iter().enumerate() {
        let came = record.created.unwrap_or(Timestamp::MIN);
        let new = Box::new(as_it_came(&record));
        steps.push((came, if at >= first { Step::Asked(new) } else { Step::Known(new) }));
        if let Some(solved) = solved(&record) {
            steps.push((solved.max(came), Step::Known(Box::new(record))));
        }
    }
    for record in others {
        let came = if record.kind.is_knowledge() || record.kind.is_ticket() { record.created } else { None };
        steps.push((came.unwrap_or(Timestamp::MIN), Step::Known(Box::new(record))));
    }
    // The sort is stable: a ticket that was solved at once comes first and is solved then.
    steps.sort_by_key(|(moment, step)| (*moment, matches!(step, Step::Known(_)) && *moment > Timestamp::MIN));
    Ok((steps, generation))
}

/// A ticket of the first line that came at a known moment.
fn is_asked(record: &Record) -> bool {
    matches!(record.kind, Kind::Incident | Kind::ServiceRequest) && record.created.is_some()
}

fn solved(record: &Record) -> Option<Timestamp> {
    let is_solved = record.state.is_some_and(State::is_resolved);
    is_solved.then(|| record.resolved.or(record.modified)).flatten()
}

/// A ticket as its caller told it: nothing that people wrote or decided later. Impact and urgency count as told, though people may
/// have corrected them.
pub(super) fn as_it_came(record: &Record) -> Record {
    let is_told =
        |kind| matches!(kind, SectionKind::Description | SectionKind::Symptom | SectionKind::Environment);
    let is_given = |relation| matches!(relation, Relation::Affects | Relation::ReportedBy);
    let mut new = record.clone();
    new.sections.retain(|section| is_told(section.kind));
    new.links.retain(|link| is_given(link.relation));
    new.attributes.retain(|name, _| GIVEN.contains(&name.as_str()));
    new.category.clear();
    (new.priority, new.resolved, new.modified) = (None, None, None);
    new.state = Some(State::Open);
    new
}
