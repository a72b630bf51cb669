//! Where are the triples kept? One named graph a record in an oxigraph store, with the log position in the same transaction.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use ontology::RecordId;
use ontology::vocabulary::dcterms;
use oxigraph::model::{NamedNode, NamedOrBlankNode, Triple};
use oxigraph::store::{StorageError, Store, Transaction};

use super::check::{Damage, check};
use super::content::{GraphChange, GraphDigest, digest};
use super::error::GraphError;
use super::meta::{FORMAT, read_format, read_position, start_over, write_position};
use super::names::{META, is_dataset_graph, provenance_graph, record_graph};
use crate::desk::take_away;

/// Memory that a copy of the store takes, roughly.
const COPY_MEGABYTES: usize = 256;
/// Quads that are flushed when the store is closed; fewer are replayed at the next opening in a fraction of a second.
pub(crate) const FLUSH_AT_CLOSE: u64 = 10_000;

/// The graph of one tenant. Rebuildable from the log, never the only copy.
///
/// Many readers, one writer at a time. What is deleted leaves its literals in the dictionary below:
/// [`compact`](GraphStore::compact) erases them.
pub(crate) struct GraphStore {
    folder: PathBuf,
    /// Held for reading by whoever uses the store, for writing while its folder is replaced.
    store: RwLock<Store>,
    position: AtomicU64,
    /// Quads written since the last flush.
    unflushed: AtomicU64,
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
        let found = read_format(&transaction).map_err(failed)?;
        if found != FORMAT {
            return Err(GraphError::Format { folder: folder.to_owned(), found });
        }
        let position = AtomicU64::new(read_position(&transaction).map_err(failed)?);
        drop(transaction);
        let (store, unflushed) = (RwLock::new(store), AtomicU64::new(0));
        Ok(Self { folder: folder.to_owned(), store, position, unflushed, writer: Mutex::new(()) })
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
        let _phase = tracing::debug_span!("commit-graph").entered();
        let store = self.store();
        let mut transaction = store.start_transaction().map_err(|source| self.storage(source))?;
        let mut written = 0;
        for change in changes {
            written += replace(&mut transaction, change).map_err(|source| self.storage(source))?;
        }
        write_position(&mut transaction, position).map_err(|source| self.storage(source))?;
        transaction.commit().map_err(|source| self.storage(source))?;
        self.position.store(position, Ordering::Release);
        self.unflushed.fetch_add(written, Ordering::Relaxed);
        Ok(())
    }

    /// Moves what only the store's own log holds into its tables, when that is `least` quads or more: whoever opens the store
    /// next replays the rest, about 25 µs a quad.
    ///
    /// # Errors
    /// [`GraphError::Storage`].
    pub(crate) fn flush(&self, least: u64) -> Result<(), GraphError> {
        if self.unflushed.load(Ordering::Relaxed) < least {
            return Ok(());
        }
        self.unflushed.store(0, Ordering::Relaxed);
        self.store().flush().map_err(|source| self.storage(source))
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
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| GraphError::Folder { path, source }
        };
        let fresh = self.folder.with_extension("new");
        take_away(&fresh).map_err(failed(&fresh))?;
        let copied = self.copy_to(&fresh);
        if copied.is_err() {
            take_away(&fresh).map_err(failed(&fresh))?;
        }
        copied.map_err(|source| self.storage(source))?;
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        // The old store closes here: RocksDB opens files by name for as long as it lives.
        *store = Store::new().map_err(|source| self.storage(source))?;
        take_away(&self.folder)
            .and_then(|()| std::fs::rename(&fresh, &self.folder))
            .map_err(failed(&self.folder))?;
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
    /// [`GraphError::Storage`] or [`GraphError::Differs`], which say what is not.
    pub(crate) fn check(&self) -> Result<(), GraphError> {
        check(&self.store()).map_err(|damage| match damage {
            Damage::Unreadable(source) => self.storage(source),
            Damage::Differs { order, expected, found } => GraphError::Differs { order, expected, found },
        })
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

impl Drop for GraphStore {
    fn drop(&mut self) {
        let _ = self.flush(FLUSH_AT_CLOSE).inspect_err(|error| tracing::warn!("{error}"));
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

/// Brings a record's graphs to what the change says. Returns how many quads differed.
fn replace(transaction: &mut Transaction<'_>, change: &GraphChange) -> Result<u64, StorageError> {
    let graphs = change.content.as_ref().map(|content| content.graphs(&change.record)).unwrap_or_default();
    for gone in existing_graphs(transaction, &change.record)? {
        if !graphs.contains_key(&gone) {
            transaction.remove_named_graph(&gone)?;
        }
    }
    graphs.iter().map(|(name, triples)| write_graph(transaction, name, triples)).sum()
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
) -> Result<u64, StorageError> {
    let mut old = HashSet::new();
    if transaction.contains_named_graph(name)? {
        for quad in transaction.quads_for_pattern(None, None, None, Some(name.as_ref().into())) {
            old.insert(Triple::from(quad?));
        }
    }
    let mut written = 0;
    for triple in old.difference(triples) {
        transaction.remove(triple.as_ref().in_graph(name));
        written += 1;
    }
    for triple in triples.difference(&old) {
        transaction.insert(triple.as_ref().in_graph(name));
        written += 1;
    }
    Ok(written)
}
