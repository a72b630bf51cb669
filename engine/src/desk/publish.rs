//! How do readers come to see a write? The graphs of what changed are rendered and committed, and the snapshot is swapped.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};

use ontology::{Kind, Link, Record, RecordId, Reference, Relation};

use super::write::{Indexes, Touched};
use super::{Desk, DeskError};
use crate::derive;
use crate::graph::{GraphChange, GraphContent, provenance, triples};
use crate::table::{KeyId, Table};
use crate::visible::Visible;

impl Desk {
    /// Whether this process still writes: a write that failed half-way ends that until the desk is opened again. Never waits.
    pub fn is_writing(&self) -> bool {
        let is_torn = match self.writer.try_lock() {
            Ok(indexes) => indexes.is_torn,
            Err(TryLockError::Poisoned(indexes)) => indexes.get_ref().is_torn,
            // A writer is at work; what an earlier one left is known already, or when this one ends.
            Err(TryLockError::WouldBlock) => false,
        };
        !self.is_stopped.fetch_or(is_torn, Ordering::AcqRel) && !is_torn
    }

    /// Keeps writers out for as long as the guard lives.
    pub(crate) fn pause_writer(&self) -> MutexGuard<'_, Indexes> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits the graph and swaps the snapshot under one short lock.
    pub(super) fn publish(&self, indexes: &Indexes, touched: &Touched) -> Result<(), DeskError> {
        let changes = self.graph_changes(&indexes.table, touched)?;
        let snapshot = Arc::new(indexes.snapshot()?);
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = changes {
            self.graph.apply(&changes, indexes.table.position())?;
        }
        *published = snapshot;
        Ok(())
    }

    /// Commits the graph alone, while no reader has the desk yet.
    pub(super) fn write_graph(&self, indexes: &Indexes, touched: &Touched) -> Result<(), DeskError> {
        match self.graph_changes(&indexes.table, touched)? {
            Some(changes) => Ok(self.graph.apply(&changes, indexes.table.position())?),
            None => Ok(()),
        }
    }

    /// Shows readers the indexes as they are now.
    pub(super) fn show(&self, indexes: &Indexes) -> Result<(), DeskError> {
        let snapshot = Arc::new(indexes.snapshot()?);
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        Ok(())
    }

    /// The graphs of the records that changed, and of those whose links now lead elsewhere. Nothing, and no work, when the
    /// graph shows the table's position already.
    fn graph_changes(&self, table: &Table, touched: &Touched) -> Result<Option<Vec<GraphChange>>, DeskError> {
        if table.position() <= self.graph.position() {
            return Ok(None);
        }
        let mut records = touched.records.clone();
        let referrers = touched.keys.iter().flat_map(|key| table.referrers(*key));
        records.extend(referrers.filter_map(|position| table.revision(*position)).map(|r| r.id.clone()));
        let visible = table.visible(&self.everything(), None);
        records
            .into_iter()
            .map(|id| self.graph_change(table, &visible, id))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// What the graph should say of a record, as the table knows the world.
    pub(crate) fn graph_change(
        &self,
        table: &Table,
        visible: &Visible,
        id: RecordId,
    ) -> Result<GraphChange, DeskError> {
        let current = table.current(&id).and_then(|position| table.revision(position));
        let observation = match current {
            Some(revision) => self.log.observation(revision.position)?,
            None => None,
        };
        let (Some(revision), Some(observation)) = (current, observation) else {
            return Ok(GraphChange { record: id, content: None });
        };
        let mut record = observation.record.clone();
        let mentioned = revision.mentions.iter().flat_map(|mention| table.resolve(mention.key, visible));
        let mentioned: BTreeSet<&RecordId> =
            mentioned.filter_map(|position| Some(&table.revision(position)?.id)).collect();
        record.links.extend(mentioned.into_iter().map(|id| Link::to(Relation::Mentions, id.clone())));
        let resolve = |reference: &Reference| resolve(table, visible, &revision.id, reference);
        let content = GraphContent {
            triples: triples(&record, &resolve),
            provenance: provenance(&observation),
            dataset: quads_of(&record)?,
        };
        Ok(GraphChange { record: id, content: Some(content) })
    }
}

/// The quads of RDF that was ingested as it is.
pub(super) fn quads_of(record: &Record) -> Result<Vec<oxigraph::model::Quad>, DeskError> {
    if record.kind != Kind::Dataset {
        return Ok(Vec::new());
    }
    let texts = record.sections.iter().map(|section| section.text.as_str());
    let quads = texts.flat_map(|text| {
        oxigraph::io::RdfParser::from_format(oxigraph::io::RdfFormat::NQuads).for_slice(text.as_bytes())
    });
    quads
        .collect::<Result<_, _>>()
        .map_err(|source| DeskError::Dataset { record: record.id.clone(), reason: source.to_string() })
}

/// The records that a link leads to now.
pub(crate) fn resolve(
    table: &Table,
    visible: &Visible,
    from: &RecordId,
    reference: &Reference,
) -> Vec<RecordId> {
    let texts = match reference {
        Reference::Record(id) => vec![id.as_str().to_lowercase()],
        Reference::Name(name) => derive::reference_keys(name),
    };
    let keys: Vec<KeyId> = texts.iter().filter_map(|text| table.key(text)).collect();
    let positions = table.resolve_first(&keys, from.source(), visible);
    positions.iter().filter_map(|position| Some(table.revision(*position)?.id.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Trial, id, record};

    #[test]
    fn graphs_are_rendered_only_when_the_graph_is_behind() {
        let trial = Trial::new();
        trial.apply([record("s:1", Kind::Incident, "mail is down", &[])]);
        let indexes = trial.desk.pause_writer();
        let touched = Touched { records: BTreeSet::from([id("s:1")]), ..Touched::default() };
        let changes =
            |table: &Table| trial.desk.graph_changes(table, &touched).unwrap().map(|changes| changes.len());
        assert_eq!(changes(&indexes.table), None);
        let mut ahead = indexes.table.clone();
        ahead.push_empty();
        assert_eq!(changes(&ahead), Some(1));
    }
}
