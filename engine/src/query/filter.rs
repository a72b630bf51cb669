//! Which records may answer? The visible ones, narrowed by the query's filters before anything is scored.

use std::collections::BTreeSet;

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
    let near_service = filters.service.as_deref().map(|name| near(table, name, visible));
    let near_item = filters.configuration_item.as_deref().map(|name| near(table, name, visible));
    let mut admitted = Visible::none(table.position());
    for revision in table.kept_revisions() {
        let position = revision.position;
        let named = |near: &Option<BTreeSet<u64>>| near.as_ref().is_none_or(|near| near.contains(&position));
        if visible.contains(position)
            && !query.exclude.contains(&revision.id)
            && passes(filters, revision)
            && named(&near_service)
            && named(&near_item)
        {
            admitted.insert(position);
        }
    }
    Some(admitted)
}

fn passes(filters: &Filters, revision: &Revision) -> bool {
    let one_of_records = filters.records.is_empty() || filters.records.contains(&revision.id);
    let one_of_kinds = filters.kinds.is_empty() || filters.kinds.contains(&revision.kind);
    let one_of_states =
        filters.states.is_empty() || revision.state.is_some_and(|state| filters.states.contains(&state));
    let created_from = filters.created_from.is_none_or(|from| revision.created.is_some_and(|at| at >= from));
    let created_until =
        filters.created_until.is_none_or(|until| revision.created.is_some_and(|at| at < until));
    let solved = !filters.resolved_only
        || !revision.kind.is_ticket()
        || revision.state.is_some_and(ontology::State::is_resolved);
    one_of_records && one_of_kinds && one_of_states && created_from && created_until && solved
}

/// The visible revisions that own a name or refer to a record that does.
fn near(table: &Table, name: &str, visible: &Visible) -> BTreeSet<u64> {
    let keys = derive::reference_keys(name).into_iter().filter_map(|key| table.key(&key));
    let mut near = BTreeSet::new();
    for key in keys {
        for owner in table.resolve(key, visible) {
            near.insert(owner);
            if let Some(revision) = table.revision(owner) {
                near.extend(revision.names.iter().flat_map(|name| table.referrers(*name)));
            }
        }
        near.extend(table.referrers(key));
    }
    near
}
