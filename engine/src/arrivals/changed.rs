//! What was changed shortly before, on a thing or on what it rests on?

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, RecordId, Scope};
use serde::{Deserialize, Serialize};

use super::Way;
use crate::desk::{Desk, DeskError};
use crate::query::{Bounds, around};
use crate::table::Revision;

/// Things that are looked at, the nearest first.
const THINGS: usize = 30;
/// Changes of one thing that are looked at, the newest.
const CHANGES: usize = 50;

/// A change on the way of what a thing rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierChange {
    /// The change.
    pub change: RecordId,
    /// Its title.
    pub title: String,
    /// When it was done.
    pub done: Timestamp,
    /// The thing that was changed.
    pub thing: RecordId,
    /// What it is called.
    pub thing_title: String,
    /// The thing that was asked about and rests on it.
    pub from: RecordId,
    /// Steps between both; 0 where it is the same.
    pub steps: u8,
}

impl Desk {
    /// Changes that were done within a time before a moment, on some things or on what they rest on, the nearest first, then the latest.
    /// Each is told once.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn changed_before(
        &self,
        scope: &Scope,
        things: &[RecordId],
        moment: Timestamp,
        within: SignedDuration,
    ) -> Result<Vec<EarlierChange>, DeskError> {
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let table = &snapshot.table;
        let since = moment.saturating_sub(within).unwrap_or(moment);
        let is_recent = |change: &Revision| change.done().is_some_and(|done| done >= since && done <= moment);
        let wanted = |other: &Revision| other.kind == Kind::Change && is_recent(other);
        let bounds = Bounds { edges: usize::MAX, looked_at: CHANGES, tickets: true, wanted: &wanted };
        let mut reached = Vec::new();
        for from in things {
            let near = self.reach(scope, from, Way::Needs)?;
            reached.extend(near.into_iter().map(|(thing, steps)| (steps, thing, from)));
        }
        reached.sort();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (steps, thing, from) in reached.into_iter().take(THINGS) {
            let Some(here) = table.shown(&thing, &visible).and_then(|at| table.revision(at)) else {
                continue;
            };
            let (edges, _) = around(table, here.position, &visible, &bounds);
            for change in edges.iter().filter(|edge| edge.reversed).filter_map(|edge| table.revision(edge.to))
            {
                let Some(done) = change.done().filter(|_| wanted(change)) else { continue };
                if seen.insert(change.id.clone()) {
                    let (title, thing_title) = (change.title.to_string(), here.title.to_string());
                    let (change, thing, from) = (change.id.clone(), thing.clone(), from.clone());
                    found.push(EarlierChange { change, title, done, thing, thing_title, from, steps });
                }
            }
        }
        found.sort_by(|a, b| {
            a.steps.cmp(&b.steps).then_with(|| b.done.cmp(&a.done)).then_with(|| a.change.cmp(&b.change))
        });
        Ok(found)
    }
}
