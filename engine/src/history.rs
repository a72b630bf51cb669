//! What was a ticket at each point of its life? Its revisions in their order, and the pages that it went by.

use jiff::Timestamp;
use ontology::{Observation, Record, RecordId, Relation, Scope, State};
use serde::{Deserialize, Serialize};

use crate::database::LogError;
use crate::desk::{Desk, DeskError};
use crate::knowledge::PageRef;
use crate::table::{KeyId, Table};
use crate::visible::Visible;

/// A ticket with all that the log has of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Its revisions, the first one first; never empty. Those that were purged are left out.
    pub revisions: Vec<Told>,
    /// Articles and runbooks by which it was solved: those that its source links, or else those that a solved ticket names.
    pub pages: Vec<PageRef>,
}

/// One revision, and when this desk learnt of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub observed: Timestamp,
    /// The record as it was.
    pub record: Record,
}

impl Desk {
    /// Hands the history of every ticket that the scope sees to `each`, by id. Readers and writers go on meanwhile.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn histories(&self, scope: &Scope, mut each: impl FnMut(History)) -> Result<(), DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let current = snapshot.table.glance(&visible).filter(|revision| revision.kind.is_ticket());
        let mut tickets: Vec<(RecordId, u64)> =
            current.map(|revision| (revision.id.clone(), revision.position)).collect();
        tickets.sort();
        for (id, position) in tickets {
            let revisions = self.told(&id, scope)?;
            if !revisions.is_empty() {
                each(History { revisions, pages: pages(&snapshot.table, position, &visible) });
            }
        }
        Ok(())
    }

    /// The history of one ticket; nothing where the scope does not see it or it is no ticket.
    ///
    /// # Errors
    /// As [`Desk::histories`].
    pub fn history(&self, scope: &Scope, id: &RecordId) -> Result<Option<History>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let Some(position) = snapshot.table.shown(id, &visible) else { return Ok(None) };
        let is_ticket = snapshot.table.revision(position).is_some_and(|revision| revision.kind.is_ticket());
        let revisions = if is_ticket { self.told(id, scope)? } else { Vec::new() };
        let pages = pages(&snapshot.table, position, &visible);
        Ok((!revisions.is_empty()).then_some(History { revisions, pages }))
    }

    /// The revisions of a record since it was deleted last, as far as the scope may see them.
    fn told(&self, id: &RecordId, scope: &Scope) -> Result<Vec<Told>, LogError> {
        let reader = self.database.reader();
        let mut statement = reader.prepare_cached(
            "SELECT position, observed, payload FROM log WHERE record = ?1 AND payload IS NOT NULL
             AND position > (SELECT ifnull(max(position), 0) FROM log WHERE record = ?1 AND operation <> 'upsert')
             ORDER BY position",
        )?;
        let mut rows = statement.query([id.as_str()])?;
        let mut told = Vec::new();
        while let Some(row) = rows.next()? {
            let position = row.get::<_, i64>(0)?.cast_unsigned();
            let damaged = |reason: String| LogError::Damaged { position, reason };
            let observed =
                Timestamp::from_microsecond(row.get(1)?).map_err(|error| damaged(error.to_string()))?;
            let payload: Vec<u8> = row.get(2)?;
            let read: Observation =
                serde_json::from_slice(&payload).map_err(|error| damaged(error.to_string()))?;
            if scope.allows(&read.record.audience) && scope.shows(read.record.kind) {
                told.push(Told { observed, record: read.record });
            }
        }
        Ok(told)
    }
}

fn pages(table: &Table, position: u64, visible: &Visible) -> Vec<PageRef> {
    let Some(ticket) = table.revision(position) else { return Vec::new() };
    let known = |owners: Vec<u64>| {
        let owners = owners.into_iter().filter_map(|at| table.revision(at));
        let pages = owners.filter(|owner| owner.kind.is_knowledge());
        pages
            .map(|page| PageRef { record: page.id.clone(), title: page.title.to_string() })
            .collect::<Vec<_>>()
    };
    let by_source = ticket.links.iter().filter(|link| link.relation == Relation::ResolvedBy);
    let resolve = |keys: &[KeyId]| table.resolve_first(keys, ticket.id.source(), visible);
    let mut pages: Vec<PageRef> = by_source.flat_map(|link| known(resolve(&link.keys))).collect();
    if pages.is_empty() && ticket.state.is_some_and(State::is_resolved) {
        let named = ticket.mentions.iter();
        pages = named.flat_map(|mention| known(table.resolve(mention.key, visible))).collect();
    }
    pages.sort();
    pages.dedup();
    pages
}
