//! What lies in a desk's folder, and who may open it? Paths, the manifest, and the lock that keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use models::Embedder;
use ontology::TenantId;
use serde::{Deserialize, Serialize};

use crate::disk::{DISK_FULL, is_full};

/// Version of the index folder's layout. Another version is rebuilt from the log.
const INDEX_FORMAT: u32 = 1;

/// Name of the index folder when no embedder was ever at hand.
const NO_EMBEDDER: &str = "none";

/// Why a folder cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("{path} is in use by process {process}: stop it, or ask it over HTTP if it is `triagraph serve`")]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Its number, where it could be read.
        process: String,
    },
    /// The index was made with another embedder.
    #[error(
        "the index was made with embedder {found}, this one is {given}: run `triagraph reindex`, or use {found}"
    )]
    OtherEmbedder {
        /// The embedder of the index.
        found: String,
        /// The embedder at hand.
        given: String,
    },
    /// The manifest is no manifest.
    #[error(
        "{path} is damaged ({reason}): run `triagraph reindex` to build the index anew from the record log"
    )]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl FolderError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if is_full(source) => DISK_FULL,
            Self::Io { .. } => "folder-io",
            Self::InUse { .. } => "folder-in-use",
            Self::OtherEmbedder { .. } => "other-embedder",
            Self::Manifest { .. } => "manifest-damaged",
        }
    }
}

/// Which index a folder has. Written when the index is made, replaced atomically.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) embedder: String,
}

/// A tenant's folder, locked for this process.
pub(crate) struct Folder {
    root: PathBuf,
    manifest: Manifest,
    _lock: File,
}

impl Folder {
    pub(crate) fn open(
        data: &Path,
        tenant: &TenantId,
        embedder: Option<&dyn Embedder>,
    ) -> Result<Self, FolderError> {
        let root = data.join(tenant.as_str());
        create(&root)?;
        let lock = lock(&root)?;
        let given = embedder.map(|embedder| embedder.id().as_str().to_owned());
        let manifest = match read_manifest(&root)? {
            Some(found) if found.format != INDEX_FORMAT => fresh(&root, given)?,
            Some(found) if found.embedder == NO_EMBEDDER && given.is_some() => fresh(&root, given)?,
            Some(found) => match given {
                Some(given) if given != found.embedder => {
                    return Err(FolderError::OtherEmbedder { found: found.embedder, given });
                }
                _ => found,
            },
            None => fresh(&root, given)?,
        };
        let folder = Self { root, manifest, _lock: lock };
        if folder.purge_mark().exists() {
            // A purge was cut off: what it may have left in these is gone with them, and they are built anew.
            for part in [folder.graph(), folder.graph().with_extension("new"), folder.text()] {
                remove(&part)?;
            }
            folder.remove_table()?;
        }
        for part in [folder.graph(), folder.text(), folder.vectors()] {
            create(&part)?;
        }
        // A process that was killed while it wrote one left it.
        remove(&folder.table().with_extension("new"))?;
        Ok(folder)
    }

    /// Whether a folder holds a desk.
    pub(crate) fn exists(data: &Path, tenant: &TenantId) -> bool {
        data.join(tenant.as_str()).join("desk.db").is_file()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("desk.db")
    }

    pub(crate) fn graph(&self) -> PathBuf {
        self.index().join("graph")
    }

    pub(crate) fn text(&self) -> PathBuf {
        self.index().join("text")
    }

    pub(crate) fn vectors(&self) -> PathBuf {
        self.index().join("vectors")
    }

    /// The kept table's file.
    pub(crate) fn table(&self) -> PathBuf {
        self.index().join("table")
    }

    pub(crate) fn embedder(&self) -> &str {
        &self.manifest.embedder
    }

    fn index(&self) -> PathBuf {
        index(&self.root, &self.manifest)
    }

    /// The folder of one index of a desk that is not open.
    pub(crate) fn part(data: &Path, tenant: &TenantId, name: &str) -> Result<PathBuf, FolderError> {
        let root = data.join(tenant.as_str());
        let manifest = read_manifest(&root)?;
        Ok(manifest.map_or_else(|| root.join("index"), |manifest| index(&root, &manifest).join(name)))
    }

    /// Takes one index away; the next opening builds it anew from the log.
    pub(crate) fn drop_part(data: &Path, tenant: &TenantId, name: &str) -> Result<(), FolderError> {
        let _lock = lock(&data.join(tenant.as_str()))?;
        remove(&Self::part(data, tenant, name)?)
    }

    /// Takes the files of the vector index away.
    pub(crate) fn empty_vectors(&self) -> Result<(), FolderError> {
        remove(&self.vectors())?;
        create(&self.vectors())
    }

    /// Takes the kept table away, and one that is being written.
    fn remove_table(&self) -> Result<(), FolderError> {
        remove(&self.table())?;
        remove(&self.table().with_extension("new"))
    }

    /// Notes that a purge has begun. The kept table holds what is to be purged.
    pub(crate) fn begin_purge(&self) -> Result<(), FolderError> {
        let path = self.purge_mark();
        let written = File::create(&path).and_then(|file| file.sync_all());
        written.map_err(|source| FolderError::Io { path, source })?;
        self.remove_table()
    }

    /// Notes that no index holds anything any more of what was purged.
    pub(crate) fn end_purge(&self) -> Result<(), FolderError> {
        remove(&self.purge_mark())
    }

    fn purge_mark(&self) -> PathBuf {
        self.root.join("purging")
    }

    /// Takes the indexes of a folder away; the log is untouched and the next opening rebuilds them.
    pub(crate) fn drop_index(data: &Path, tenant: &TenantId) -> Result<(), FolderError> {
        let root = data.join(tenant.as_str());
        let _lock = lock(&root)?;
        remove(&manifest_path(&root))?;
        remove(&root.join("index"))
    }
}

fn index(root: &Path, manifest: &Manifest) -> PathBuf {
    root.join("index").join(format!("{}-{}", manifest.format, manifest.embedder))
}

fn manifest_path(root: &Path) -> PathBuf {
    root.join("manifest.json")
}

fn read_manifest(root: &Path) -> Result<Option<Manifest>, FolderError> {
    let path = manifest_path(root);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FolderError::Io { path, source }),
    };
    match serde_json::from_str(&text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => Err(FolderError::Manifest { path, reason: error.to_string() }),
    }
}

/// Starts a new index folder; whatever an older index left there is taken away, it can be rebuilt.
fn fresh(root: &Path, embedder: Option<String>) -> Result<Manifest, FolderError> {
    let manifest =
        Manifest { format: INDEX_FORMAT, embedder: embedder.unwrap_or_else(|| NO_EMBEDDER.to_owned()) };
    let index = root.join("index");
    remove(&index)?;
    let path = manifest_path(root);
    let temporary = path.with_extension("json.new");
    let json = serde_json::to_string_pretty(&manifest)
        .map_err(|error| FolderError::Manifest { path: path.clone(), reason: error.to_string() })?;
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(json.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, &path));
    written.map_err(|source| FolderError::Io { path, source })?;
    Ok(manifest)
}

fn create(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), FolderError> {
    take_away(path).map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

/// Takes a file or a folder away, if it is there.
pub(crate) fn take_away(path: &Path) -> std::io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn lock(root: &Path) -> Result<File, FolderError> {
    let path = root.join("lock");
    let io = |source| FolderError::Io { path: path.clone(), source };
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(io)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            let process = if process.is_empty() { "?".to_owned() } else { process };
            Err(FolderError::InUse { path: root.to_owned(), process })
        }
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}
