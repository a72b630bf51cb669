//! What does a thing rest on, and what rests on it? A walk along dependencies, a few steps far.

use std::collections::{BTreeMap, VecDeque};

use ontology::{Kind, RecordId, Relation, Scope};

use crate::desk::{Desk, DeskError};
use crate::query::{Bounds, Edge, around};
use crate::table::Revision;

/// Steps of the walk. Beyond, in most desks, everything rests on everything.
pub const REACH: u8 = 3;
/// Things that a walk ends after: what holds up more than this explains nothing.
const THINGS: usize = 1_000;
/// References of one thing that are looked at.
const LOOKED_AT: usize = 2_000;

/// Which way a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To what a thing needs: what it depends on and runs on, and its own parts.
    Needs,
    /// To what needs a thing.
    NeededBy,
}

impl Desk {
    /// The thing itself, at 0 steps, and what stands along the way of its dependencies, the nearest first, up to [`REACH`] steps.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn reach(&self, scope: &Scope, thing: &RecordId, way: Way) -> Result<Vec<(RecordId, u8)>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let table = &snapshot.table;
        let Some(start) = table.shown(thing, &visible) else { return Ok(vec![(thing.clone(), 0)]) };
        let wanted = |other: &Revision| is_thing(other.kind) || other.kind == Kind::Relationship;
        let bounds = Bounds { edges: usize::MAX, looked_at: LOOKED_AT, tickets: false, wanted: &wanted };
        let mut steps = BTreeMap::from([(start, 0_u8)]);
        let mut found = vec![(start, 0)];
        let mut next = VecDeque::from([start]);
        while let Some(here) = next.pop_front() {
            let step = steps.get(&here).map_or(0, |step| step + 1);
            if step > REACH || found.len() >= THINGS {
                break;
            }
            for edge in around(table, here, &visible, &bounds).0 {
                let kind = table.revision(edge.to).map(|other| other.kind);
                if way.takes(edge) && kind.is_some_and(is_thing) && !steps.contains_key(&edge.to) {
                    steps.insert(edge.to, step);
                    found.push((edge.to, step));
                    next.push_back(edge.to);
                }
            }
        }
        let named = found.into_iter().filter_map(|(at, step)| Some((table.revision(at)?.id.clone(), step)));
        let mut named: Vec<(RecordId, u8)> = named.collect();
        named.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        Ok(named)
    }
}

impl Way {
    fn takes(self, edge: Edge) -> bool {
        let needs = match edge.relation {
            Relation::DependsOn | Relation::RunsOn => !edge.reversed,
            // A whole does not work without its parts.
            Relation::PartOf => edge.reversed,
            _ => return false,
        };
        needs == (self == Self::Needs)
    }
}

fn is_thing(kind: Kind) -> bool {
    matches!(kind, Kind::ConfigurationItem | Kind::Service)
}
