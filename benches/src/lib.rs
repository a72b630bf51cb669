//! What is measured on? A desk over a bounded number of real records.
//!
//! `TRIAGRAPH_SOURCES` may name files and folders that `triagraph ingest` reads, separated as in `PATH`; without it they are those
//! of the demo desk. Vectors are of hashed words, so that no model is needed: what a model costs is measured by `embed`.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::Desk;
use ingest::{Item, Request};
use jiff::Timestamp;
use models::{Embedder, HashEmbedder};
use ontology::{Observation, Scope, TenantId};
use tempfile::TempDir;

/// Records that are written at a time, as `ingest` does.
const BATCH: usize = 512;
/// Numbers of a vector, as many as all-MiniLM-L6-v2 gives.
const DIMENSIONS: usize = 384;

/// The first records of the sources, `limit` at most.
///
/// # Panics
/// When the sources cannot be read.
#[must_use]
pub fn records(limit: usize) -> Vec<Observation> {
    let paths: Vec<PathBuf> = match env::var_os("TRIAGRAPH_SOURCES") {
        Some(sources) => env::split_paths(&sources).collect(),
        None => {
            let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/demo");
            ["cmdb", "knowledge", "alerts", "tickets"].map(|folder| demo.join(folder)).into()
        }
    };
    let (source, mapping, audience) = (None, None, Vec::new());
    let request = Request { paths, source, mapping, observed: Timestamp::UNIX_EPOCH, audience };
    let items = ingest::open(&request).expect("readable sources");
    let records = items.filter_map(|item| match item {
        Item::Observation(observation) => Some(*observation),
        _ => None,
    });
    records.take(limit).collect()
}

/// The embedder of the desks that have one.
#[must_use]
pub fn embedder() -> Arc<dyn Embedder> {
    Arc::new(HashEmbedder::new(DIMENSIONS))
}

/// Sees everything.
///
/// # Panics
/// Never.
#[must_use]
pub fn operator() -> Scope {
    Scope::operator(TenantId::new("bench").expect("a name"))
}

/// A desk in a folder of its own.
pub struct Bench {
    /// Stands before the folder, so that it is closed before the folder goes.
    pub desk: Desk,
    folder: TempDir,
}

impl Bench {
    /// An empty desk.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self::open(tempfile::tempdir().expect("a temporary folder"), embedder)
    }

    /// The same desk, closed and opened again.
    #[must_use]
    pub fn reopened(self) -> Self {
        let embedder = self.desk.embedder().cloned();
        let Self { desk, folder } = self;
        drop(desk);
        Self::open(folder, embedder)
    }

    fn open(folder: TempDir, embedder: Option<Arc<dyn Embedder>>) -> Self {
        let desk = Desk::open(folder.path(), &operator().tenant, embedder).expect("a desk");
        Self { desk, folder }
    }

    /// Takes records in as `ingest` does.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn fill(&self, records: &[Observation]) {
        for batch in records.chunks(BATCH) {
            self.desk.apply(batch.to_vec()).expect("a written batch");
        }
        self.desk.seal().expect("a sealed desk");
    }
}
