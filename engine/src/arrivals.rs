//! Which tickets came when, what do they hit, and what does that rest on? Tickets as points in time and place, without their text.
//!
//! What looks for bursts and what forecasts counts tickets by thing and hour, over thousands of them: so this reads the table only.

mod changed;
mod reach;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use ontology::{Kind, RecordId, Relation, Scope, State};
use serde::{Deserialize, Serialize};

use crate::desk::{Desk, DeskError};
use crate::snapshot::Snapshot;
use crate::table::Revision;
use crate::vectors::PassageKey;
use crate::visible::Visible;

pub use changed::EarlierChange;
pub use reach::{REACH, Way};

/// Passages of a ticket that are held against others: what it tells stands first.
const PASSAGES: u16 = 2;

/// A ticket, as a point in time and place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Position in the log of its current revision: what came after another look stands behind it.
    pub position: u64,
    /// The ticket.
    pub record: RecordId,
    /// What it is.
    pub kind: Kind,
    /// When its source made it, or where it does not say so, when the desk first saw it.
    pub at: Timestamp,
    /// Where it is in its life.
    pub state: Option<State>,
    /// When it was solved.
    pub resolved: Option<Timestamp>,
    /// When its source last changed it.
    pub modified: Option<Timestamp>,
    /// What it hits, each once: what it links, or where it links nothing, what its text names.
    pub things: Vec<Thing>,
    /// What its text names, whether it hits that or not; each once.
    pub named: Vec<Thing>,
    /// Its category and sub-categories, in small letters, as tickets meet by them.
    pub category: Vec<String>,
}

impl Arrival {
    /// When a change was done; nothing for one that is planned, stopped or given up.
    pub fn done(&self) -> Option<Timestamp> {
        crate::table::done(self.state, [self.resolved, self.modified, Some(self.at)])
    }
}

/// Something that a ticket hits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A configuration item or service of the desk.
    Known(RecordId),
    /// What tickets link by a name that nothing on the desk has.
    Named(String),
}

impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(id) => formatter.write_str(id.as_str()),
            Self::Named(name) => formatter.write_str(name),
        }
    }
}

impl Desk {
    /// The tickets that a scope sees, the earliest first: of those that came into the desk last, `newest` at most, so that a look
    /// at a large desk costs no more than at a small one.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn arrivals(&self, scope: &Scope, newest: usize) -> Result<Vec<Arrival>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let positions = (1..=snapshot.table.position()).rev();
        let tickets = positions.filter(|at| snapshot.table.is_ticket(*at) && visible.contains(*at));
        let seen = tickets.take(newest).filter_map(|at| snapshot.table.revision(at));
        let mut arrivals: Vec<Arrival> =
            seen.map(|revision| arrival(&snapshot, &visible, revision)).collect();
        arrivals.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.record.cmp(&b.record)));
        Ok(arrivals)
    }

    /// How near each of some records is to one of them by what it tells: the cosine of the nearest passages. Nothing where one of
    /// both was never embedded.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn cosines(
        &self,
        scope: &Scope,
        of: &RecordId,
        with: &[RecordId],
    ) -> Result<Vec<Option<f64>>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let mut nearest = vec![None; with.len()];
        let (Some(vectors), Some(position)) = (&snapshot.vectors, snapshot.table.shown(of, &visible)) else {
            return Ok(nearest);
        };
        let shown: Vec<Option<u64>> = with.iter().map(|id| snapshot.table.shown(id, &visible)).collect();
        // No record is at position 0.
        let positions: Vec<u64> = shown.iter().map(|at| at.unwrap_or(0)).collect();
        let passages = (0..PASSAGES).filter_map(|n| vectors.vector(PassageKey::new(position, n)));
        for passage in passages {
            for (best, hit) in nearest.iter_mut().zip(vectors.nearest_of(&passage, &positions)) {
                let cosine = hit.map(|hit| f64::from(hit.cosine));
                *best = [*best, cosine].into_iter().flatten().reduce(f64::max);
            }
        }
        Ok(nearest)
    }
}

fn arrival(snapshot: &Snapshot, visible: &Visible, revision: &Revision) -> Arrival {
    let table = &snapshot.table;
    let first_seen = || {
        let first = table.positions_of(&revision.id).first().and_then(|at| table.revision(*at));
        first.map_or(revision.observed, |first| first.observed)
    };
    let (things, named) = things(snapshot, visible, revision);
    let category = revision.filed.map(|key| table.key_text(key));
    let category = category.map(|text| text.split('\u{1}').skip(1).map(str::to_owned).collect());
    Arrival {
        position: revision.position,
        record: revision.id.clone(),
        kind: revision.kind,
        at: revision.created.unwrap_or_else(first_seen),
        state: revision.state,
        resolved: revision.resolved,
        modified: revision.modified,
        things,
        named,
        category: category.unwrap_or_default(),
    }
}

/// What a ticket hits, and what its text names.
fn things(snapshot: &Snapshot, visible: &Visible, revision: &Revision) -> (Vec<Thing>, Vec<Thing>) {
    let table = &snapshot.table;
    let is_thing = |at: &u64| {
        let kind = table.revision(*at).map(|thing| thing.kind);
        matches!(kind, Some(Kind::ConfigurationItem | Kind::Service))
    };
    let known = |at: u64| Some(Thing::Known(table.revision(at)?.id.clone()));
    let mut things = BTreeSet::new();
    for link in revision.links.iter().filter(|link| link.relation == Relation::Affects) {
        let owners = table.resolve_first(&link.keys, revision.id.source(), visible);
        if owners.is_empty() {
            things.insert(Thing::Named(link.label.to_lowercase()));
        }
        things.extend(owners.into_iter().filter_map(known));
    }
    let owners = revision.mentions.iter().flat_map(|mention| table.resolve(mention.key, visible));
    let named: BTreeSet<Thing> = owners.filter(is_thing).filter_map(known).collect();
    if things.is_empty() {
        things.clone_from(&named);
    }
    (things.into_iter().collect(), named.into_iter().collect())
}
