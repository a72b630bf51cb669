//! Where are the triples kept? One named graph a record in an oxigraph store, with the log position in the same transaction.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use ontology::RecordId;
use ontology::vocabulary::dcterms;
use oxigraph::model::{
    GraphName, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, QuadRef, Term, TermRef, Triple,
};
use oxigraph::store::{StorageError, Store, Transaction};
use sha2::{Digest, Sha256};

use super::names::{
    META, canonical, dataset_graph, is_dataset_graph, own_subject, own_term, provenance_graph, record_graph,
};

/// The layout of graphs that this code reads and writes.
const FORMAT: &str = "1";
/// Memory that a copy of the store takes, roughly.
const COPY_MEGABYTES: usize = 256;
const FORMAT_PROPERTY: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:meta#format");
const POSITION_PROPERTY: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:meta#position");

/// Why the graph cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The store below failed: disk, lock, corruption.
    #[error(
        "the graph at {folder} cannot be read or written ({source}): see that the disk has room, or run `triagraph reindex`"
    )]
    Storage {
        /// Where the store is.
        folder: PathBuf,
        /// What it said.
        #[source]
        source: StorageError,
    },
    /// The folder has quads in a layout that this version does not read.
    #[error("graph at {folder} has format {found:?}, this version reads {FORMAT:?}: run `triagraph reindex`")]
    Format {
        /// Where the store is.
        folder: PathBuf,
        /// The format it names, or nothing.
        found: String,
    },
    /// Its folder cannot be replaced.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// An export could not be written.
    #[error("the export cannot be written: {0}")]
    Write(#[source] std::io::Error),
}

impl GraphError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "graph-storage",
            Self::Format { .. } => "graph-format",
            Self::Folder { .. } => "graph-folder",
            Self::Write(_) => "graph-export",
        }
    }
}

/// What becomes of one record's graphs.
pub(crate) struct GraphChange {
    /// Whose graphs.
    pub(crate) record: RecordId,
    /// What they hold from now on; nothing when the record is deleted.
    pub(crate) content: Option<GraphContent>,
}

/// All that the graphs of one record hold.
#[derive(Default)]
pub(crate) struct GraphContent {
    /// What the record says: [`triples`](super::render::triples).
    pub(crate) triples: Vec<Triple>,
    /// Where it came from: [`provenance`](super::render::provenance).
    pub(crate) provenance: Vec<Triple>,
    /// RDF ingested as it is. Blank nodes must keep their labels from one reading of the file to the next.
    pub(crate) dataset: Vec<Quad>,
}

impl GraphContent {
    /// The graphs as they are kept, by name, each as a set; empty graphs are left out.
    ///
    /// A graph of `dataset` goes to a graph of the record's own, see [`names`](super::names); the record's graph tells
    /// which graphs these are and what they were called.
    pub(crate) fn graphs(&self, record: &RecordId) -> BTreeMap<NamedNode, HashSet<Triple>> {
        let own = record_graph(record);
        let mut graphs: BTreeMap<NamedNode, HashSet<Triple>> = BTreeMap::new();
        for (name, triples) in [(&own, &self.triples), (&provenance_graph(record), &self.provenance)] {
            if !triples.is_empty() {
                let kept = triples
                    .iter()
                    .map(|triple| Triple { object: canonical(triple.object.clone()), ..triple.clone() });
                graphs.entry(name.clone()).or_default().extend(kept);
            }
        }
        for quad in &self.dataset {
            let name = dataset_graph(record, &quad.graph_name);
            if !graphs.contains_key(&name) {
                let listed = graphs.entry(own.clone()).or_default();
                listed.insert(Triple::new(name.clone(), dcterms::IS_PART_OF, own.clone()));
                if let GraphName::NamedNode(called) = &quad.graph_name {
                    listed.insert(Triple::new(name.clone(), dcterms::SOURCE, called.clone()));
                }
            }
            graphs.entry(name).or_default().insert(Triple::new(
                own_subject(record, quad.subject.clone()),
                quad.predicate.clone(),
                own_term(record, quad.object.clone()),
            ));
        }
        graphs
    }
}

/// The graph of one tenant. Rebuildable from the log, never the only copy.
///
/// Many readers, one writer at a time. What is deleted leaves its literals in the dictionary below:
/// [`compact`](GraphStore::compact) erases them.
pub(crate) struct GraphStore {
    folder: PathBuf,
    /// Held for reading by whoever uses the store, for writing while its folder is replaced.
    store: RwLock<Store>,
    position: AtomicU64,
    writer: Mutex<()>,
}

impl GraphStore {
    /// Opens the store in `folder`, or makes one there at position 0.
    ///
    /// # Errors
    /// [`GraphError`] when the folder cannot be used, another process holds it, or it has another format.
    pub(crate) fn open(folder: &Path) -> Result<Self, GraphError> {
        let failed = |source| GraphError::Storage { folder: folder.to_owned(), source };
        let store = Store::open(folder).map_err(failed)?;
        if store.is_empty().map_err(failed)? {
            start_over(&store).map_err(failed)?;
        }
        let transaction = store.start_transaction().map_err(failed)?;
        let found = meta(&transaction, FORMAT_PROPERTY).map_err(failed)?.unwrap_or_default();
        if found != FORMAT {
            return Err(GraphError::Format { folder: folder.to_owned(), found });
        }
        let position = AtomicU64::new(read_position(&transaction).map_err(failed)?);
        drop(transaction);
        Ok(Self { folder: folder.to_owned(), store: RwLock::new(store), position, writer: Mutex::new(()) })
    }

    /// The log position that the graphs show.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Brings the graphs of the changed records and the position forward, all or nothing.
    ///
    /// Of a graph that exists only the difference is written. Applying the same changes again changes nothing, so a log may
    /// be replayed from any earlier position.
    ///
    /// # Errors
    /// [`GraphError::Storage`]; then nothing of it was written.
    pub(crate) fn apply(&self, changes: &[GraphChange], position: u64) -> Result<(), GraphError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let store = self.store();
        let mut transaction = store.start_transaction().map_err(|source| self.storage(source))?;
        for change in changes {
            replace(&mut transaction, change).map_err(|source| self.storage(source))?;
        }
        set_meta(&mut transaction, POSITION_PROPERTY, &position.to_string())
            .map_err(|source| self.storage(source))?;
        transaction.commit().map_err(|source| self.storage(source))?;
        self.position.store(position, Ordering::Release);
        Ok(())
    }

    /// Drops every graph and goes back to position 0, for a rebuild.
    ///
    /// # Errors
    /// [`GraphError::Storage`].
    pub(crate) fn clear(&self) -> Result<(), GraphError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let store = self.store();
        store.clear().and_then(|()| start_over(&store)).map_err(|source| self.storage(source))?;
        self.position.store(0, Ordering::Release);
        Ok(())
    }

    /// Copies what is there into a new folder and puts that in the place of the old one, so that nothing deleted is left on
    /// disk. Readers go on meanwhile; only for the exchange they wait.
    ///
    /// # Errors
    /// [`GraphError`]; after a failed exchange the graph is empty, and rebuilt when it is opened again.
    pub(crate) fn compact(&self) -> Result<(), GraphError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = self.folder.with_extension("new");
        remove(&fresh)?;
        let copied = self.copy_to(&fresh);
        if copied.is_err() {
            remove(&fresh)?;
        }
        copied.map_err(|source| self.storage(source))?;
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        // The old store closes here: RocksDB opens files by name for as long as it lives.
        *store = Store::new().map_err(|source| self.storage(source))?;
        remove(&self.folder)?;
        std::fs::rename(&fresh, &self.folder)
            .map_err(|source| GraphError::Folder { path: self.folder.clone(), source })?;
        *store = Store::open(&self.folder).map_err(|source| self.storage(source))?;
        Ok(())
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StorageError> {
        let copy = Store::open(folder)?;
        let mut loader = copy.bulk_loader().with_max_memory_size_in_megabytes(COPY_MEGABYTES);
        loader.load_ok_quads::<StorageError, StorageError>(self.store().iter())?;
        loader.commit()?;
        copy.flush()
    }

    /// Whether what is written is readable and the same in every order that the store keeps.
    ///
    /// # Errors
    /// [`GraphError::Storage`] that says what is not.
    pub(crate) fn check(&self) -> Result<(), GraphError> {
        self.store().validate().map_err(|source| self.storage(source))
    }

    /// How many quads there are, those of the store's own bookkeeping aside.
    ///
    /// # Errors
    /// [`GraphError::Storage`].
    pub(crate) fn len(&self) -> Result<usize, GraphError> {
        let store = self.store();
        let own = store.quads_for_pattern(None, None, None, Some(META.into())).count();
        Ok(store.len().map_err(|source| self.storage(source))?.saturating_sub(own))
    }

    /// Every graph with the digest of its triples, to be held against [`digest`] of what the log says.
    ///
    /// # Errors
    /// [`GraphError::Storage`], in place of an item.
    pub(crate) fn digests(&self) -> impl Iterator<Item = Result<(String, GraphDigest), GraphError>> + '_ {
        let store = self.store();
        store.named_graphs().filter_map(move |name| {
            let name = match name {
                Ok(NamedOrBlankNode::NamedNode(name)) if name.as_ref() != META => name,
                Ok(_) => return None,
                Err(source) => return Some(Err(self.storage(source))),
            };
            let triples = store
                .quads_for_pattern(None, None, None, Some(name.as_ref().into()))
                .map(|quad| quad.map(Triple::from))
                .collect::<Result<Vec<_>, _>>();
            Some(match triples {
                Ok(triples) => Ok((name.into_string(), digest(&triples))),
                Err(source) => Err(self.storage(source)),
            })
        })
    }

    /// The store, kept in its place for as long as the guard lives: taken once in a way, never twice.
    pub(crate) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a store holds now, unchanged by later writes for as long as it is kept.
    ///
    /// # Errors
    /// [`GraphError::Storage`].
    pub(crate) fn snapshot<'a>(&self, store: &'a Store) -> Result<Snapshot<'a>, GraphError> {
        let read = || {
            let transaction = store.start_transaction()?;
            Ok(Snapshot { position: read_position(&transaction)?, transaction })
        };
        read().map_err(|source| self.storage(source))
    }

    /// An error of the store below, with its folder.
    pub(crate) fn storage(&self, source: StorageError) -> GraphError {
        GraphError::Storage { folder: self.folder.clone(), source }
    }
}

/// Notes in an empty store its format and position 0.
fn start_over(store: &Store) -> Result<(), StorageError> {
    let mut transaction = store.start_transaction()?;
    set_meta(&mut transaction, FORMAT_PROPERTY, FORMAT)?;
    set_meta(&mut transaction, POSITION_PROPERTY, "0")?;
    transaction.commit()
}

/// Takes a folder away, if it is there.
fn remove(folder: &Path) -> Result<(), GraphError> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(GraphError::Folder { path: folder.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// The store at one position: a transaction that is never committed.
pub(crate) struct Snapshot<'a> {
    pub(super) transaction: Transaction<'a>,
    position: u64,
}

impl Snapshot<'_> {
    /// The log position that it shows.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

/// A digest of a set of triples, whatever their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GraphDigest(u128);

/// The sum over the hashes of the triples, which must be all different: equal sets, equal digest.
pub(crate) fn digest<'a>(triples: impl IntoIterator<Item = &'a Triple>) -> GraphDigest {
    let sum = triples.into_iter().fold(0_u128, |sum, triple| {
        let hash = Sha256::digest(triple.to_string());
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        sum.wrapping_add(u128::from_be_bytes(half))
    });
    GraphDigest(sum)
}

fn replace(transaction: &mut Transaction<'_>, change: &GraphChange) -> Result<(), StorageError> {
    let graphs = change.content.as_ref().map(|content| content.graphs(&change.record)).unwrap_or_default();
    for gone in existing_graphs(transaction, &change.record)? {
        if !graphs.contains_key(&gone) {
            transaction.remove_named_graph(&gone)?;
        }
    }
    for (name, triples) in &graphs {
        write_graph(transaction, name, triples)?;
    }
    Ok(())
}

/// The graphs that a record has in the store: its own, its provenance, and those that its own graph lists.
fn existing_graphs(transaction: &Transaction<'_>, record: &RecordId) -> Result<Vec<NamedNode>, StorageError> {
    let own = record_graph(record);
    let mut found = Vec::new();
    let listed = transaction.quads_for_pattern(
        None,
        Some(dcterms::IS_PART_OF),
        Some(own.as_ref().into()),
        Some(own.as_ref().into()),
    );
    for quad in listed {
        match quad?.subject {
            NamedOrBlankNode::NamedNode(name) if is_dataset_graph(name.as_str(), &own) => found.push(name),
            _ => {}
        }
    }
    for name in [provenance_graph(record), own] {
        if transaction.contains_named_graph(&name)? {
            found.push(name);
        }
    }
    Ok(found)
}

fn write_graph(
    transaction: &mut Transaction<'_>,
    name: &NamedNode,
    triples: &HashSet<Triple>,
) -> Result<(), StorageError> {
    let mut old = HashSet::new();
    if transaction.contains_named_graph(name)? {
        for quad in transaction.quads_for_pattern(None, None, None, Some(name.as_ref().into())) {
            old.insert(Triple::from(quad?));
        }
    }
    for triple in old.difference(triples) {
        transaction.remove(triple.as_ref().in_graph(name));
    }
    for triple in triples.difference(&old) {
        transaction.insert(triple.as_ref().in_graph(name));
    }
    Ok(())
}

fn read_position(transaction: &Transaction<'_>) -> Result<u64, StorageError> {
    let position = meta(transaction, POSITION_PROPERTY)?;
    Ok(position.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn meta(transaction: &Transaction<'_>, property: NamedNodeRef<'_>) -> Result<Option<String>, StorageError> {
    let mut found = transaction.quads_for_pattern(Some(META.into()), Some(property), None, Some(META.into()));
    Ok(found.next().transpose()?.and_then(|quad| match quad.object {
        Term::Literal(literal) => Some(literal.value().to_owned()),
        _ => None,
    }))
}

fn set_meta(
    transaction: &mut Transaction<'_>,
    property: NamedNodeRef<'_>,
    value: &str,
) -> Result<(), StorageError> {
    if let Some(old) = meta(transaction, property)? {
        let old = Literal::new_simple_literal(old);
        transaction.remove(QuadRef::new(META, property, TermRef::from(old.as_ref()), META));
    }
    let value = Literal::new_simple_literal(value);
    transaction.insert(QuadRef::new(META, property, TermRef::from(value.as_ref()), META));
    Ok(())
}
