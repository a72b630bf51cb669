//! How is a desk copied and brought back? The record log is copied while others write; indexes are rebuilt from it.

use std::path::{Path, PathBuf};

use ontology::TenantId;

use crate::database::{Database, LogError, copy_file};
use crate::desk::{Folder, FolderError};

/// Why a desk was not copied or brought back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The record log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// There is something already.
    #[error("{path} is there already: name another place, or move it away first")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The copy is damaged.
    #[error("{path} is damaged ({reason}): use another copy")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

impl BackupError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log(error) => error.code(),
            Self::Folder(error) => error.code(),
            Self::Io { .. } => "backup-io",
            Self::Exists { .. } => "backup-exists",
            Self::Damaged { .. } => "backup-damaged",
        }
    }
}

/// Copies the desk of a tenant to a file, as of one moment, also while another process serves and writes it.
///
/// # Errors
/// [`BackupError`] when there is no such desk, the target exists, or the disk is full; no half-written copy is left.
pub fn backup(data: &Path, tenant: &TenantId, target: &Path) -> Result<(), BackupError> {
    let from = data.join(tenant.as_str()).join("desk.db");
    place(&from, target)
}

/// Brings a copied desk back as the desk of a tenant that is not there yet. Its indexes are built when it is opened; those
/// that another desk left in the folder are taken away.
///
/// # Errors
/// [`BackupError`] when the copy is damaged, or the tenant has a desk already; nothing is left of a desk then.
pub fn restore(copy: &Path, data: &Path, tenant: &TenantId) -> Result<(), BackupError> {
    let folder = data.join(tenant.as_str());
    let target = folder.join("desk.db");
    if target.exists() {
        return Err(BackupError::Exists { path: target });
    }
    let is_new = !folder.exists();
    std::fs::create_dir_all(&folder).map_err(|source| BackupError::Io { path: folder.clone(), source })?;
    // A journal that outlived its database would be played into the copy.
    for journal in ["desk.db-wal", "desk.db-shm"] {
        let _ = std::fs::remove_file(folder.join(journal));
    }
    let restored =
        Folder::drop_index(data, tenant).map_err(BackupError::from).and_then(|()| place(copy, &target));
    if restored.is_err() && is_new {
        let _ = std::fs::remove_dir_all(&folder);
    }
    restored
}

/// Copies one database to where there is none, checks the copy, and only then gives it its name.
fn place(from: &Path, target: &Path) -> Result<(), BackupError> {
    if target.exists() {
        return Err(BackupError::Exists { path: target.to_owned() });
    }
    let temporary = target.with_extension("partial");
    let _ = std::fs::remove_file(&temporary);
    let copied = copy_file(from, &temporary).map_err(BackupError::from).and_then(|()| {
        let problems = Database::open(&temporary)?.check()?;
        match problems.into_iter().next() {
            Some(reason) => Err(BackupError::Damaged { path: from.to_owned(), reason }),
            None => Ok(()),
        }
    });
    let named = copied.and_then(|()| {
        std::fs::rename(&temporary, target)
            .map_err(|source| BackupError::Io { path: target.to_owned(), source })
    });
    if named.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    for left in ["partial-wal", "partial-shm"] {
        let _ = std::fs::remove_file(target.with_extension(left));
    }
    named
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::{Kind, Lineage, Observation, Record, RecordId, Scope};

    use super::*;
    use crate::desk::Desk;
    use crate::query::Query;

    fn observation(title: &str) -> Observation {
        let lineage = Lineage {
            origin: "test".into(),
            place: None,
            mapping: "generic".into(),
            observed: Timestamp::UNIX_EPOCH,
        };
        Observation::unversioned(Record::new(RecordId::new("s:1").unwrap(), Kind::Incident, title), lineage)
    }

    fn titles(data: &Path, tenant: &TenantId, words: &str) -> Vec<String> {
        let desk = Desk::open(data, tenant, None).unwrap();
        assert!(desk.verify().unwrap().is_sound());
        let hits = desk.search(&Scope::operator(tenant.clone()), &Query::new(words, Timestamp::UNIX_EPOCH));
        hits.unwrap().hits.into_iter().map(|hit| hit.title).collect()
    }

    #[test]
    fn a_desk_that_comes_back_has_its_own_indexes_and_a_damaged_copy_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let copy = data.path().join("copy.db");
        let [first, second, third] = ["first", "second", "third"].map(|name| TenantId::new(name).unwrap());
        let desk = Desk::open(data.path(), &first, None).unwrap();
        desk.apply(vec![observation("printer burns")]).unwrap();
        backup(data.path(), &first, &copy).unwrap();
        assert!(matches!(backup(data.path(), &first, &copy), Err(BackupError::Exists { .. })));
        drop(desk);
        assert!(matches!(restore(&copy, data.path(), &first), Err(BackupError::Exists { .. })));

        let other = Desk::open(data.path(), &second, None).unwrap();
        other.apply(vec![observation("scanner sleeps")]).unwrap();
        drop(other);
        std::fs::remove_file(data.path().join("second").join("desk.db")).unwrap();
        std::fs::write(data.path().join("second").join("desk.db-wal"), "left behind").unwrap();
        restore(&copy, data.path(), &second).unwrap();
        for journal in ["copy.db-wal", "copy.db-shm"] {
            assert!(!data.path().join(journal).exists(), "{journal} is left beside the copy");
        }
        assert_eq!(titles(data.path(), &second, "scanner printer"), ["printer burns"]);

        std::fs::write(&copy, "no database at all").unwrap();
        assert!(restore(&copy, data.path(), &third).is_err());
        assert!(!data.path().join("third").exists());
    }
}
