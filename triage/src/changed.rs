//! Did somebody change something shortly before? Changes on what an incident hits, or on what that rests on, with the way there.

use engine::{Desk, DeskError, EarlierChange};
use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, Record, RecordId, Scope};
use serde::{Deserialize, Serialize};

use crate::result::Affected;

/// How long after a change what it broke is noticed.
pub(crate) const NOTICED: SignedDuration = SignedDuration::from_hours(72);
/// Steps between what is hit and what was changed. Further away, something was always changed.
const STEPS: u8 = 2;
/// Changes that are told.
const TOLD: usize = 3;

/// A change that was done shortly before an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeBefore {
    /// The change, and the way to it from what the incident hits.
    #[serde(flatten)]
    pub earlier: EarlierChange,
    /// Minutes between the change and the incident.
    pub minutes: i64,
}

/// The changes before an incident, the nearest thing first, then the latest.
pub(crate) fn changes_before(
    desk: &Desk,
    scope: &Scope,
    ticket: &Record,
    affected: &[Affected],
    now: Timestamp,
) -> Result<Vec<ChangeBefore>, DeskError> {
    if ticket.kind != Kind::Incident || affected.is_empty() {
        return Ok(Vec::new());
    }
    let moment = ticket.created.unwrap_or(now).min(now);
    let things: Vec<RecordId> = affected.iter().map(|one| one.record.clone()).collect();
    let changed = desk.changed_before(scope, &things, moment, NOTICED)?;
    let near = changed.into_iter().filter(|one| one.steps <= STEPS).take(TOLD);
    let told = |earlier: EarlierChange| {
        let minutes = moment.duration_since(earlier.done).as_mins();
        ChangeBefore { earlier, minutes }
    };
    Ok(near.map(told).collect())
}

impl ChangeBefore {
    /// What people are told, of a thing by its name.
    pub(crate) fn warning(&self, affected: &[Affected]) -> String {
        let EarlierChange { change, title, thing_title, from, steps, .. } = &self.earlier;
        let number = change.external();
        let hit = affected.iter().find(|one| one.record == *from);
        let way = match (steps, hit) {
            (0, _) | (_, None) => String::new(),
            (_, Some(hit)) => format!(", on which {} rests", hit.name),
        };
        let before = match self.minutes {
            minutes if minutes < 120 => format!("{minutes} minutes"),
            minutes => format!("{} hours", minutes / 60),
        };
        format!("{number} ({title}) changed {thing_title}{way}, {before} before: see whether it is the cause")
    }
}
