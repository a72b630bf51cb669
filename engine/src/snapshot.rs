//! What does a reader see? One position of the log in all indexes, immutable and cheap to share.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use ontology::Scope;

use crate::derive::Names;
use crate::table::Table;
use crate::text::TextView;
use crate::vectors::VectorView;
use crate::visible::Visible;

/// Scopes whose visible sets one snapshot keeps at hand.
const CACHED_SCOPES: usize = 16;

/// One position of the log. Readers clone the `Arc` and keep it as long as they like.
pub(crate) struct Snapshot {
    pub(crate) table: Table,
    pub(crate) text: TextView,
    /// Absent when no embedder is at hand.
    pub(crate) vectors: Option<VectorView>,
    /// The dictionary of configuration items, services, teams and alerts, to find them in text.
    pub(crate) names: Arc<Names>,
    /// Observed moment of the newest entry of the log; what "lately" counts from.
    pub(crate) newest: Option<Timestamp>,
    visible: Mutex<Vec<(Scope, Arc<Visible>)>>,
}

impl Snapshot {
    pub(crate) fn new(
        table: Table,
        text: TextView,
        vectors: Option<VectorView>,
        names: Arc<Names>,
        newest: Option<Timestamp>,
    ) -> Self {
        Self { table, text, vectors, names, newest, visible: Mutex::new(Vec::new()) }
    }

    /// The position of the log that it shows.
    pub(crate) fn generation(&self) -> u64 {
        self.table.position()
    }

    /// The revisions that a scope sees, now or as of a moment.
    pub(crate) fn visible(&self, scope: &Scope, as_of: Option<Timestamp>) -> Arc<Visible> {
        if as_of.is_some() {
            return Arc::new(self.table.visible(scope, as_of));
        }
        let mut cached = self.visible.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, visible)) = cached.iter().find(|(known, _)| known == scope) {
            return Arc::clone(visible);
        }
        let visible = Arc::new(self.table.visible(scope, None));
        if cached.len() == CACHED_SCOPES {
            cached.remove(0);
        }
        cached.push((scope.clone(), Arc::clone(&visible)));
        visible
    }
}
