//! What is an open desk? One tenant's folder: the record log, the indexes derived from it, and the snapshot readers share.
//!
//! The way of a record: validate → append to the log → [`prepare`] → table → text and vectors → graph and publish.
//! Opening replays whatever an index has not seen, by the same way.

mod advance;
mod ask_graph;
mod catch_up;
mod folder;
mod mend;
mod mentions;
mod prepare;
mod publish;
mod recall;
mod resume;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use jiff::Timestamp;
use models::Embedder;
use ontology::{Record, RecordId, Rejected, Scope, TenantId};

use crate::database::{Database, LogError};
use crate::graph::{GraphError, GraphStore};
use crate::job::Jobs;
use crate::log::RecordLog;
use crate::quarantine::Quarantine;
use crate::query::{self, Confidence, Hits, Query};
use crate::snapshot::Snapshot;
use crate::text::TextError;
use crate::vectors::VectorError;

pub use ask_graph::Neighbours;
pub use folder::FolderError;
pub(crate) use folder::{Folder, take_away};
pub(crate) use prepare::{digest, is_searchable};
pub(crate) use publish::resolve;
pub(crate) use write::Indexes;

/// Why a desk cannot be opened, written or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The record log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The full-text index.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The vector index.
    #[error(transparent)]
    Vectors(#[from] VectorError),
    /// The graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The embedder.
    #[error(transparent)]
    Embed(#[from] models::EmbedError),
    /// A record that is not there, or that the scope may not see.
    #[error("there is no record {id} here: look for it with `triagraph search`")]
    NoSuchRecord {
        /// The id asked for.
        id: RecordId,
    },
    /// The desk has not come that far.
    #[error("this desk shows log position {generation}, the request asks for {asked}: try again later")]
    Behind {
        /// The position asked for.
        asked: u64,
        /// The position shown.
        generation: u64,
    },
    /// RDF in the log that is none.
    #[error("{record} is no N-Quads ({reason}): ingest its file again")]
    Dataset {
        /// The record.
        record: RecordId,
        /// What the parser said.
        reason: String,
    },
    /// Too many names to look for.
    #[error("the dictionary of known names cannot be built: {source}")]
    Names {
        /// Why.
        #[source]
        source: aho_corasick::BuildError,
    },
    /// An earlier write failed half-way.
    #[error(
        "an earlier write failed, so this process writes no more: start it again, it continues from the record log"
    )]
    Stopped,
    /// A scope of another tenant.
    #[error("this desk belongs to tenant {desk}, the request to tenant {asked}")]
    Tenant {
        /// The desk's tenant.
        desk: TenantId,
        /// The scope's tenant.
        asked: TenantId,
    },
}

impl DeskError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder(error) => error.code(),
            Self::Log(error) => error.code(),
            Self::Text(error) => error.code(),
            Self::Vectors(error) => error.code(),
            Self::Graph(error) => error.code(),
            Self::Embed(error) => error.code(),
            Self::NoSuchRecord { .. } => "no-such-record",
            Self::Behind { .. } => "generation-not-reached",
            Self::Dataset { .. } => "dataset",
            Self::Names { .. } => "names",
            Self::Stopped => "writer-stopped",
            Self::Tenant { .. } => "wrong-tenant",
        }
    }
}

/// What a write did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// Records that were not there before.
    pub new: u64,
    /// Records with a new revision.
    pub changed: u64,
    /// Records that were there already, word for word.
    pub unchanged: u64,
    /// Passages that had to be embedded; the others were known.
    pub embedded: u64,
    /// Records that the shapes refuse; they are in quarantine.
    #[serde(skip)]
    pub rejected: Vec<Rejected>,
}

/// One tenant's open desk. One process has it open at a time; threads share it.
pub struct Desk {
    pub(crate) tenant: TenantId,
    pub(crate) folder: Folder,
    pub(crate) database: Arc<Database>,
    pub(crate) log: RecordLog,
    pub(crate) graph: GraphStore,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    writer: Mutex<Indexes>,
    is_stopped: std::sync::atomic::AtomicBool,
    recall: recall::Recall,
    published: RwLock<Arc<Snapshot>>,
}

impl Desk {
    /// Opens the desk with the indexes that are there, and brings each up to the log.
    fn open_as_it_is(
        data: &Path,
        tenant: &TenantId,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> Result<Self, DeskError> {
        let folder = Folder::open(data, tenant, embedder.as_deref())?;
        let database = Arc::new(Database::open(&folder.database())?);
        let log = RecordLog::new(Arc::clone(&database));
        let graph = GraphStore::open(&folder.graph())?;
        let indexes = Indexes::open(&folder, embedder.as_deref())?;
        let desk = Self {
            tenant: tenant.clone(),
            folder,
            database,
            log,
            graph,
            embedder,
            published: RwLock::new(Arc::new(indexes.snapshot()?)),
            writer: Mutex::new(indexes),
            is_stopped: false.into(),
            recall: recall::Recall::default(),
        };
        desk.jobs().mark_interrupted()?;
        let _phase = tracing::debug_span!("catch-up").entered();
        desk.catch_up()?;
        Ok(desk)
    }

    /// Whether there is a desk of a tenant below `data`.
    pub fn exists(data: &Path, tenant: &TenantId) -> bool {
        Folder::exists(data, tenant)
    }

    /// Takes the indexes of a desk away, so that the next opening builds them anew from the log.
    ///
    /// # Errors
    /// [`FolderError`] when another process has the desk open, or a file cannot be removed.
    pub fn drop_indexes(data: &Path, tenant: &TenantId) -> Result<(), FolderError> {
        Folder::drop_index(data, tenant)
    }

    /// What an Idempotency-Key was answered with before, for the same request.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be read.
    pub fn idempotent(&self, key: &str, request_hash: &[u8]) -> Result<crate::database::Replayed, LogError> {
        self.database.idempotent(key, request_hash)
    }

    /// Keeps the answer to a request with an Idempotency-Key.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn remember(
        &self,
        key: &str,
        request_hash: &[u8],
        response: &[u8],
        now: Timestamp,
    ) -> Result<(), LogError> {
        self.database.remember(key, request_hash, response, now)
    }

    /// Notes which records of a bundle an answer cited.
    ///
    /// # Errors
    /// [`LogError`] when the database cannot be written.
    pub fn cite(&self, bundle: &str, records: &[RecordId], now: Timestamp) -> Result<(), LogError> {
        self.database.cite(bundle, records, now)
    }

    /// Whose desk it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The embedder at hand.
    pub fn embedder(&self) -> Option<&Arc<dyn Embedder>> {
        self.embedder.as_ref()
    }

    /// Position of the log that readers see.
    pub fn generation(&self) -> u64 {
        self.snapshot().generation()
    }

    /// What could not be read.
    pub fn quarantine(&self) -> Quarantine {
        Quarantine::new(Arc::clone(&self.database))
    }

    /// What is or was being done.
    pub fn jobs(&self) -> Jobs {
        Jobs::new(Arc::clone(&self.database))
    }

    /// Finds records.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log. A leg that fails is named in the answer instead.
    pub fn search(&self, scope: &Scope, query: &Query) -> Result<Hits, DeskError> {
        Ok(self.answer(&self.snapshot(), scope, query)?.hits)
    }

    /// Finds records like [`Desk::search`], but gives only their ids, best first, and how likely the first one is right.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope.
    pub fn rank(
        &self,
        scope: &Scope,
        query: &Query,
    ) -> Result<(Vec<RecordId>, Option<Confidence>), DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let ranking = query::rank(&snapshot, self.embedder.as_deref(), scope, query);
        let revisions = ranking.fused.iter().filter_map(|fused| snapshot.table.revision(fused.position));
        Ok((revisions.map(|revision| revision.id.clone()).collect(), ranking.confidence))
    }

    /// A record as the scope may see it: now, or as it was known at a moment.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn record(
        &self,
        scope: &Scope,
        id: &RecordId,
        as_of: Option<Timestamp>,
    ) -> Result<Option<ontology::Observation>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, as_of);
        let position = snapshot.table.shown(id, &visible);
        Ok(position.map(|position| self.log.observation(position)).transpose()?.flatten())
    }

    /// The record that a person or system calls `name`: an id, a ticket number, a host. The first by id when several are.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn find(&self, scope: &Scope, name: &str) -> Result<Vec<RecordId>, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let keys: Vec<_> = crate::derive::reference_keys(name)
            .into_iter()
            .chain([name.to_lowercase()])
            .filter_map(|key| snapshot.table.key(&key))
            .collect();
        let positions = snapshot.table.resolve_first(&keys, "", &visible);
        let mut ids: Vec<RecordId> = positions
            .iter()
            .filter_map(|position| Some(snapshot.table.revision(*position)?.id.clone()))
            .collect();
        ids.sort();
        Ok(ids)
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(crate) fn answer(
        &self,
        snapshot: &Snapshot,
        scope: &Scope,
        query: &Query,
    ) -> Result<query::Answer, DeskError> {
        self.check_tenant(scope)?;
        let read = |position| self.read(position);
        Ok(query::search(snapshot, self.embedder.as_deref(), scope, query, &read)?)
    }

    pub(crate) fn read(&self, position: u64) -> Result<Option<Record>, LogError> {
        Ok(self.log.observation(position)?.map(|observation| observation.record))
    }

    pub(crate) fn check_tenant(&self, scope: &Scope) -> Result<(), DeskError> {
        if scope.tenant == self.tenant {
            return Ok(());
        }
        Err(DeskError::Tenant { desk: self.tenant.clone(), asked: scope.tenant.clone() })
    }
}
