//! Have the policies changed? A holder that takes up new ones without a restart, and keeps the old where the new are broken.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::decide::Policies;
use super::error::PolicyError;
use super::texts::Texts;
use crate::runbook::Executor;
use crate::service::ServiceLevels;

/// The policies in force, and service levels and the executor's actions beside them, from a folder that people change while the desk runs.
#[derive(Debug)]
pub struct Watched {
    folder: Option<PathBuf>,
    current: RwLock<Arc<Policies>>,
    levels: RwLock<Arc<ServiceLevels>>,
    executor: RwLock<Arc<Executor>>,
}

impl Watched {
    /// The built-in policies, which never change.
    ///
    /// # Errors
    /// As [`Policies::built_in`].
    pub fn built_in() -> Result<Self, PolicyError> {
        let levels = RwLock::new(Arc::new(levels(None)?));
        let current = RwLock::new(Arc::new(Policies::built_in()?));
        Ok(Self { folder: None, current, levels, executor: RwLock::default() })
    }

    /// The policies of a folder.
    ///
    /// # Errors
    /// As [`Policies::read`].
    pub fn open(folder: &Path) -> Result<Self, PolicyError> {
        let policies = Policies::read(folder)?;
        let levels = RwLock::new(Arc::new(levels(Some(folder))?));
        let executor = RwLock::new(Arc::new(executor(folder)?));
        let current = RwLock::new(Arc::new(policies));
        Ok(Self { folder: Some(folder.to_owned()), current, levels, executor })
    }

    /// The policies in force. Who holds them decides by one version to the end.
    pub fn current(&self) -> Arc<Policies> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The service levels in force.
    pub fn levels(&self) -> Arc<ServiceLevels> {
        Arc::clone(&self.levels.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the executor may be told to do.
    pub fn executor(&self) -> Arc<Executor> {
        Arc::clone(&self.executor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the folder's `executor.toml` and, where it differs from the one in force, puts it in force. Says whether it did.
    ///
    /// # Errors
    /// [`PolicyError::Executor`], each time until it is mended; the one in force stays as it is.
    pub fn reload_executor_if_changed(&self) -> Result<bool, PolicyError> {
        let Some(folder) = &self.folder else { return Ok(false) };
        let read = executor(folder)?;
        if read.version == self.executor().version {
            return Ok(false);
        }
        *self.executor.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        Ok(true)
    }

    /// Reads the folder's service levels and, where they differ from those in force, puts them in force. Says whether it did.
    ///
    /// # Errors
    /// [`PolicyError::Service`], each time until they are mended; those in force stay as they are.
    pub fn reload_levels_if_changed(&self) -> Result<bool, PolicyError> {
        let Some(folder) = &self.folder else { return Ok(false) };
        let read = levels(Some(folder))?;
        if read.version == self.levels().version {
            return Ok(false);
        }
        *self.levels.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        Ok(true)
    }

    /// Reads the folder and, where its texts differ from those in force, puts the new ones in force. Says whether it did.
    ///
    /// # Errors
    /// As [`Policies::read`], each time until the folder is mended; the policies in force stay as they are.
    pub fn reload_if_changed(&self) -> Result<bool, PolicyError> {
        let Some(folder) = &self.folder else { return Ok(false) };
        let texts = Texts::read(folder)?;
        if texts.version() == self.current().version() {
            return Ok(false);
        }
        let policies = Arc::new(Policies::from_texts(&texts)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = policies;
        Ok(true)
    }
}

fn executor(folder: &Path) -> Result<Executor, PolicyError> {
    let text = Texts::executor(folder)?;
    text.map_or_else(|| Ok(Executor::default()), |text| Executor::parse(&text.file, &text.text))
}

fn levels(folder: Option<&Path>) -> Result<ServiceLevels, PolicyError> {
    let text = Texts::service(folder)?;
    ServiceLevels::parse(&text.file, &text.text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const OURS: &str =
        "@id(\"ours\") @reason(\"because\") forbid (principal, action == Action::\"stop\", resource);";

    #[test]
    fn new_policies_are_taken_up_and_broken_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let watched = Watched::open(folder.path()).unwrap();
        let built_in = Policies::built_in().unwrap();
        assert_eq!(watched.current().version(), built_in.version(), "an empty folder changes nothing");
        assert!(!watched.reload_if_changed().unwrap());

        fs::write(folder.path().join("ours.cedar"), OURS).unwrap();
        assert!(watched.reload_if_changed().unwrap());
        assert!(!watched.reload_if_changed().unwrap(), "the same texts are no change");
        let ours = watched.current();
        assert_eq!(ours.written().len(), built_in.written().len() + 1);
        assert_ne!(ours.version(), built_in.version());

        fs::write(folder.path().join("ours.cedar"), OURS.replace("\"stop\"", "\"halt\"")).unwrap();
        for _ in 0..2 {
            let error = watched.reload_if_changed().unwrap_err();
            assert_eq!(error.code(), "policy-invalid");
            assert!(error.to_string().contains("ours.cedar, line 1: "), "{error}");
            assert!(Arc::ptr_eq(&watched.current(), &ours), "the old ones stay in force");
        }

        fs::write(folder.path().join("ours.cedar"), OURS).unwrap();
        fs::write(folder.path().join("autonomy.toml"), "level = \"off\"\nshare = 0").unwrap();
        assert!(watched.reload_if_changed().unwrap());
        assert_eq!(watched.current().autonomy("INC1", &[]).level, super::super::Level::Off);

        folder.close().unwrap();
        assert_eq!(watched.reload_if_changed().unwrap_err().code(), "policy-unreadable");
        assert_eq!(watched.current().autonomy("INC1", &[]).level, super::super::Level::Off);
    }

    #[test]
    fn actions_of_the_executor_are_taken_up_apart_from_the_policies() {
        let folder = tempfile::tempdir().unwrap();
        let watched = Watched::open(folder.path()).unwrap();
        assert!(watched.executor().is_empty() && !watched.reload_executor_if_changed().unwrap());
        let file = folder.path().join("executor.toml");
        let ours = "[webhook]\nurl = \"https://a.example\"\n[[action]]\nname = \"reboot\"";
        fs::write(&file, ours).unwrap();
        let version = watched.current().version().to_owned();
        assert!(watched.reload_executor_if_changed().unwrap() && !watched.reload_if_changed().unwrap());
        assert_eq!((watched.executor().actions().len(), watched.current().version()), (1, version.as_str()));

        fs::write(&file, ours.replace("https", "http")).unwrap();
        let error = watched.reload_executor_if_changed().unwrap_err();
        assert!(
            error.code() == "executor-invalid" && error.to_string().contains("executor.toml, line 2"),
            "{error}"
        );
        assert_eq!(watched.executor().actions().len(), 1, "those in force stay");
        assert!(Watched::open(folder.path()).is_err(), "nor does a desk begin with it");
        fs::remove_file(&file).unwrap();
        assert!(watched.reload_executor_if_changed().unwrap() && watched.executor().is_empty());
    }

    #[test]
    fn a_folder_replaces_the_default_but_not_the_guards() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("default.cedar"), OURS).unwrap();
        fs::write(folder.path().join(".#draft.cedar"), "what an editor leaves").unwrap();
        let policies = Policies::read(folder.path()).unwrap();
        let files: Vec<&str> = policies.written().iter().map(|policy| policy.file.as_str()).collect();
        assert_eq!(files.iter().filter(|file| **file == "default.cedar").count(), 1);
        assert!(files.iter().filter(|file| **file == "guards.cedar").count() > 5);
        fs::write(folder.path().join("guards.cedar"), OURS).unwrap();
        let error = Policies::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("guards.cedar, line 1: the guards are part of the program"), "{error}");
        fs::remove_file(folder.path().join("guards.cedar")).unwrap();
        fs::write(folder.path().join("large.cedar"), " ".repeat((1 << 20) + 1)).unwrap();
        let error = Policies::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("large.cedar, line 1: more than 1 MiB"), "{error}");
        let missing = Policies::read(&folder.path().join("none")).unwrap_err();
        assert_eq!(missing.code(), "policy-unreadable");
    }
}
