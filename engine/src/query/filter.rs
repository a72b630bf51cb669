//! Which records may answer? The visible ones, narrowed by the query's filters before anything is scored.

use crate::derive;
use crate::query::{Filters, Query};
use crate::table::{Revision, Table};
use crate::visible::Visible;

/// The revisions that a query admits; `None` when that is all that is visible.
pub(crate) fn admitted(table: &Table, query: &Query, visible: &Visible) -> Option<Visible> {
    let filters = &query.filters;
    if *filters == Filters::default() && query.exclude.is_empty() {
        return None;
    }
    let mut admitted = visible.clone();
    if !filters.records.is_empty() {
        admitted.keep(&set(filters.records.iter().flat_map(|id| table.positions_of(id))));
    }
    if !filters.kinds.is_empty() {
        admitted.keep(&table.of_kinds(&filters.kinds));
    }
    for name in [&filters.service, &filters.configuration_item].into_iter().flatten() {
        admitted.keep(&near(table, name, visible));
    }
    query.exclude.iter().flat_map(|id| table.positions_of(id)).for_each(|position| admitted.remove(position));
    if opens_revisions(filters) {
        let passes = |position| table.revision(position).is_some_and(|revision| passes(filters, revision));
        admitted = set(admitted.iter().filter(|position| passes(*position)));
    }
    Some(admitted)
}

fn set(positions: impl Iterator<Item = u64>) -> Visible {
    let mut set = Visible::default();
    positions.for_each(|position| set.insert(position));
    set
}

/// Whether a revision has to be looked at to say whether the filters admit it.
fn opens_revisions(filters: &Filters) -> bool {
    let has_time = filters.created_from.is_some() || filters.created_until.is_some();
    has_time || filters.resolved_only || !filters.states.is_empty()
}

fn passes(filters: &Filters, revision: &Revision) -> bool {
    let one_of_states =
        filters.states.is_empty() || revision.state.is_some_and(|state| filters.states.contains(&state));
    let created_from = filters.created_from.is_none_or(|from| revision.created.is_some_and(|at| at >= from));
    let created_until =
        filters.created_until.is_none_or(|until| revision.created.is_some_and(|at| at < until));
    let solved = !filters.resolved_only
        || !revision.kind.is_ticket()
        || revision.state.is_some_and(ontology::State::is_resolved);
    one_of_states && created_from && created_until && solved
}

/// The visible revisions that own a name or refer to a record that does.
fn near(table: &Table, name: &str, visible: &Visible) -> Visible {
    let keys = derive::reference_keys(name).into_iter().filter_map(|key| table.key(&key));
    let mut near = Visible::default();
    for key in keys {
        for owner in table.resolve(key, visible) {
            near.insert(owner);
            if let Some(revision) = table.revision(owner) {
                let referrers = revision.names.iter().flat_map(|name| table.referrers(*name));
                referrers.for_each(|referrer| near.insert(*referrer));
            }
        }
        table.referrers(key).iter().for_each(|referrer| near.insert(*referrer));
    }
    near
}
