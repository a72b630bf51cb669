//! What do tests of a whole desk try things on? A folder of its own that goes away, and records in a line each.

use std::sync::Arc;

use jiff::Timestamp;
use models::{Embedder, HashEmbedder};
use ontology::{Kind, Lineage, Link, Observation, Record, RecordId, Relation, Scope, TenantId};

use crate::desk::Desk;

pub(crate) struct Trial {
    /// Before the folder, so that it is closed before the folder goes.
    pub(crate) desk: Desk,
    pub(crate) folder: tempfile::TempDir,
}

impl Trial {
    pub(crate) fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), None)
    }

    pub(crate) fn with_embedder() -> Self {
        Self::open(tempfile::tempdir().unwrap(), Some(Arc::new(HashEmbedder::new(64))))
    }

    fn open(folder: tempfile::TempDir, embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self { desk: Desk::open(folder.path(), &tenant(), embedder).unwrap(), folder }
    }

    /// Closes the desk and opens it again.
    pub(crate) fn reopened(self) -> Self {
        let Self { desk, folder } = self;
        let embedder = desk.embedder().cloned();
        drop(desk);
        Self::open(folder, embedder)
    }

    /// Closes the desk, and opens it again with indexes that are built anew from its log.
    pub(crate) fn rebuilt(self) -> Self {
        let Self { desk, folder } = self;
        let embedder = desk.embedder().cloned();
        drop(desk);
        Desk::drop_indexes(folder.path(), &tenant()).unwrap();
        Self::open(folder, embedder)
    }

    pub(crate) fn apply(&self, records: impl IntoIterator<Item = Record>) -> crate::Applied {
        let applied = self.desk.apply(records.into_iter().map(observation).collect()).unwrap();
        assert_eq!(applied.rejected, []);
        applied
    }
}

fn tenant() -> TenantId {
    TenantId::new("main").unwrap()
}

/// Sees everything.
pub(crate) fn operator() -> Scope {
    Scope::operator(tenant())
}

pub(crate) fn id(id: &str) -> RecordId {
    RecordId::new(id).unwrap()
}

pub(crate) fn record(id: &str, kind: Kind, title: &str, links: &[(Relation, &str)]) -> Record {
    let mut record = Record::new(self::id(id), kind, title);
    record.names = vec![record.id.external().to_owned()];
    record.links = links.iter().map(|(relation, name)| Link::by_name(*relation, *name)).collect();
    record
}

/// Observed at second 0.
pub(crate) fn observation(record: Record) -> Observation {
    let observed = Timestamp::UNIX_EPOCH;
    let lineage = Lineage { origin: "test".into(), place: None, mapping: "generic".into(), observed };
    Observation::unversioned(record, lineage)
}
