//! How is the graph asked? SPARQL, export and neighbours, each inside the caller's scope.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, PoisonError};

use ontology::{RecordId, Scope};
use serde::{Deserialize, Serialize};

use super::{Desk, DeskError};
use crate::graph::{
    ExportFormat, GraphError, GraphSnapshot, SparqlError, SparqlFormat, SparqlLimits, SparqlOutcome,
    text_triples,
};
use crate::query::{PathStep, neighbours};
use crate::snapshot::Snapshot;

/// What stands around a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// The record in the middle.
    pub record: RecordId,
    /// Each relation to or from it.
    pub edges: Vec<PathStep>,
    /// Position of the log that was read.
    pub generation: u64,
    /// Whether there are more.
    pub truncated: bool,
}

impl Desk {
    /// Answers a SPARQL 1.1 query, seeing only the graphs of records that the scope sees.
    ///
    /// # Errors
    /// [`SparqlError`] for a query that is wrong, takes too long, or wants to write or leave the desk.
    pub fn sparql(
        &self,
        scope: &Scope,
        query: &str,
        formats: &[SparqlFormat],
        limits: SparqlLimits,
        out: &mut (impl Write + Send),
    ) -> Result<SparqlOutcome, SparqlError> {
        self.at_one_position(|snapshot, graph| match self.hidden_graphs(snapshot, scope) {
            None => graph.sparql(query, formats, limits, None, out),
            Some(shown) => graph.sparql(query, formats, limits, Some(&|iri| shown.contains(iri)), out),
        })
    }

    /// Writes every quad that the scope sees, texts and passages included. Returns how many.
    ///
    /// # Errors
    /// [`DeskError`] when a part cannot be read or `out` not be written.
    pub fn export(&self, scope: &Scope, format: ExportFormat, out: impl Write) -> Result<u64, DeskError> {
        self.check_tenant(scope)?;
        self.at_one_position(|snapshot, graph| self.export_snapshot(snapshot, &graph, scope, format, out))
    }

    fn export_snapshot(
        &self,
        snapshot: &Snapshot,
        graph: &GraphSnapshot<'_>,
        scope: &Scope,
        format: ExportFormat,
        out: impl Write,
    ) -> Result<u64, DeskError> {
        let visible = snapshot.visible(scope, None);
        let shown = self.hidden_graphs(snapshot, scope);
        let texts = snapshot.table.current_among(&visible);
        let texts = texts.filter_map(|revision| {
            let record = self.read(revision.position).ok().flatten()?;
            let passages = revision.passages.iter().map(|place| (usize::from(place.section), place.span));
            let passages: Vec<_> = passages.filter(|(section, _)| *section < record.sections.len()).collect();
            Some((revision.id.clone(), text_triples(&record, &passages)))
        });
        let (quads, _) = match &shown {
            None => self.graph.export(graph, format, None, texts, out)?,
            Some(shown) => self.graph.export(graph, format, Some(&|iri| shown.contains(iri)), texts, out)?,
        };
        Ok(quads)
    }

    /// Asks table and graph at the same position of the log. Otherwise what a caller may see and what the graph says could be
    /// of two: a record whose audience was narrowed in between would be shown.
    ///
    /// A writer publishes both under one lock, so they are taken under it; table before graph, as the writer does.
    fn at_one_position<T, E: From<GraphError>>(
        &self,
        ask: impl FnOnce(&Snapshot, GraphSnapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let published = self.published.read().unwrap_or_else(PoisonError::into_inner);
        let store = self.graph.store();
        let graph = self.graph.snapshot(&store)?;
        let snapshot = Arc::clone(&published);
        drop(published);
        ask(&snapshot, graph)
    }

    /// The records around a record, at most `limit` edges.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope, or a record that is not there for the scope.
    pub fn neighbours(&self, scope: &Scope, id: &RecordId, limit: usize) -> Result<Neighbours, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let Some(position) = snapshot.table.shown(id, &visible) else {
            return Err(DeskError::NoSuchRecord { id: id.clone() });
        };
        let found = neighbours(&snapshot.table, position, &visible, limit.saturating_add(1));
        let truncated = found.len() > limit;
        let edges = found.into_iter().take(limit).filter_map(|edge| {
            let to = snapshot.table.revision(edge.to)?.id.clone();
            Some(PathStep { from: id.clone(), relation: edge.relation, reversed: edge.reversed, to })
        });
        Ok(Neighbours {
            record: id.clone(),
            edges: edges.collect(),
            generation: snapshot.generation(),
            truncated,
        })
    }

    /// The IRIs of the records that a scope sees; `None` when it sees all.
    fn hidden_graphs(&self, snapshot: &Snapshot, scope: &Scope) -> Option<BTreeSet<String>> {
        if scope.tenant == self.tenant && scope.is_whole() {
            return None;
        }
        if scope.tenant != self.tenant {
            return Some(BTreeSet::new());
        }
        let visible = snapshot.visible(scope, None);
        let shown = snapshot.table.current_among(&visible);
        Some(shown.map(|revision| revision.id.iri()).collect())
    }
}
