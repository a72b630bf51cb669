//! Which versions of the desk's own models are there, which of them counts, and who said so?

use engine::{Batch, Item, Store};
use jiff::Timestamp;
use models::Classifier;

use super::{Drift, LearnedError, Stage, Task, Trained, Version, gates};
use crate::audit::{Action, Actor, Entry, Label, note};
use crate::policy::PersonId;
use crate::workflow::account::word;

/// The collections of the store.
const MODEL: &str = "model";
const CLASSIFIER: &str = "classifier";
/// Tasks whose model fell back by itself, each an item of this collection.
const FALLEN_BACK: &str = "fallen_back";

/// All versions of a desk's own models, in its store.
pub struct Registry {
    store: Store,
}

impl Registry {
    /// The registry of a desk.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a version as a candidate, under the next number of its task. The same bytes again are the same version.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn register(&self, trained: Trained, now: Timestamp) -> Result<Version, LearnedError> {
        let known = self.versions()?;
        let of_task = known.iter().filter(|version| version.task == trained.version.task);
        if let Some(same) = of_task.clone().find(|version| version.digest == trained.version.digest) {
            return Ok(same.clone());
        }
        let number = of_task.map(|version| version.number).max().unwrap_or(0) + 1;
        let version = Version { number, ..trained.version };
        self.store.write(|batch| {
            batch.put(&Item {
                collection: CLASSIFIER.to_owned(),
                key: version.digest.clone(),
                state: "kept".to_owned(),
                due: None,
                record: None,
                body: trained.classifier.to_bytes(),
            })?;
            put(batch, &version, now)?;
            Ok(version)
        })
    }

    /// All versions, by task and number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn versions(&self) -> Result<Vec<Version>, LearnedError> {
        let items = self.store.items(MODEL, None, "", u32::MAX)?;
        items.iter().map(read).collect()
    }

    /// One version.
    ///
    /// # Errors
    /// [`LearnedError::NoSuchVersion`], and when the store cannot be read.
    pub fn version(&self, task: Task, number: u32) -> Result<Version, LearnedError> {
        let item = self.store.item(MODEL, &key(task, number))?;
        read(&item.ok_or(LearnedError::NoSuchVersion { task, number })?)
    }

    /// The classifier of a version.
    ///
    /// # Errors
    /// When the store cannot be read, or the classifier is damaged.
    pub fn classifier(&self, version: &Version) -> Result<Classifier, LearnedError> {
        let missing = || LearnedError::NoSuchVersion { task: version.task, number: version.number };
        let item = self.store.item(CLASSIFIER, &version.digest)?.ok_or_else(missing)?;
        Ok(Classifier::from_bytes(&item.body)?)
    }

    /// Brings a version to a stage, where its gates hold. What was there before it is retired.
    ///
    /// # Errors
    /// [`LearnedError::Gate`] with the reasons, [`LearnedError::NoSuchVersion`], and when the store cannot be written.
    pub fn promote(
        &self,
        (task, number): (Task, u32),
        (stage, share): (Stage, u8),
        drift: Option<&Drift>,
        by: &PersonId,
        now: Timestamp,
    ) -> Result<Version, LearnedError> {
        let version = self.version(task, number)?;
        let versions = self.versions()?;
        let of_task = || versions.iter().filter(|other| other.task == task && other.number != number);
        let active = of_task().find(|other| other.stage == Stage::Active);
        let reasons = gates::reasons(&version, stage, active, drift);
        if !reasons.is_empty() {
            return Err(LearnedError::Gate { task, number, stage, reasons });
        }
        let is_displaced = |other: &&Version| match stage {
            Stage::Active => matches!(other.stage, Stage::Active | Stage::Canary),
            Stage::Shadow | Stage::Canary => matches!(other.stage, Stage::Shadow | Stage::Canary),
            Stage::Candidate | Stage::Retired => false,
        };
        self.store.write(|batch| {
            for other in of_task().filter(is_displaced) {
                moved(batch, other, (Stage::Retired, 0), by, now)?;
            }
            set_fallen_back(batch, task, false)?;
            moved(batch, &Version { is_taken_back: false, ..version }, (stage, share), by, now)
        })
    }

    /// Takes the version that counts back, at once: the one that was in force before it is in force again, or none.
    ///
    /// # Errors
    /// [`LearnedError::NothingToRollBack`], and when the store cannot be written.
    pub fn roll_back(
        &self,
        task: Task,
        by: &PersonId,
        now: Timestamp,
    ) -> Result<Option<Version>, LearnedError> {
        let versions = self.versions()?;
        let fell = self.store.item(FALLEN_BACK, task.as_str())?.is_some_and(|item| item.state == "on");
        let counts = |version: &&Version| match version.stage {
            Stage::Active | Stage::Canary => true,
            // What fell back by itself counted until then.
            Stage::Shadow => fell,
            Stage::Candidate | Stage::Retired => false,
        };
        let of_task = || versions.iter().filter(|version| version.task == task);
        // A canary goes first; the version in force is then untouched.
        let latest = of_task()
            .filter(counts)
            .max_by_key(|version| (version.stage != Stage::Active, version.since))
            .ok_or(LearnedError::NothingToRollBack { task })?;
        let is_left = |other: &Version| other.stage == Stage::Active && other.number != latest.number;
        let mut before = None;
        if self.was_active(latest)? && !of_task().any(is_left) {
            let mut retired: Vec<&Version> =
                of_task().filter(|other| other.stage == Stage::Retired && !other.is_taken_back).collect();
            retired.sort_by_key(|version| std::cmp::Reverse(version.since));
            for version in retired {
                if before.is_none() && self.was_active(version)? {
                    before = Some(version);
                }
            }
        }
        let taken_back = Version { is_taken_back: true, ..latest.clone() };
        self.store.write(|batch| {
            set_fallen_back(batch, task, false)?;
            moved(batch, &taken_back, (Stage::Retired, 0), by, now)?;
            before.map(|before| moved(batch, before, (Stage::Active, 0), by, now)).transpose()
        })
    }

    /// Whether a model fell back by itself and people have said nothing since: agents then only suggest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_fallen_back(&self) -> Result<bool, LearnedError> {
        Ok(self.store.count(FALLEN_BACK)?.get("on").is_some_and(|count| *count > 0))
    }

    /// Lets a version be heard, and no more.
    pub(super) fn fall_back(
        &self,
        version: &Version,
        by: &PersonId,
        now: Timestamp,
    ) -> Result<(), LearnedError> {
        self.store.write(|batch| {
            set_fallen_back(batch, version.task, true)?;
            moved(batch, version, (Stage::Shadow, 0), by, now).map(drop)
        })
    }

    /// Whether a version was ever in force.
    fn was_active(&self, version: &Version) -> Result<bool, LearnedError> {
        let moves = self.store.journal(&stream(version), 0, u32::MAX)?;
        Ok(moves.iter().any(|entry| entry.kind == Stage::Active.as_str()))
    }
}

fn key(task: Task, number: u32) -> String {
    format!("{task}/{number:06}")
}

fn stream(version: &Version) -> String {
    format!("model/{}", key(version.task, version.number))
}

fn read(item: &Item) -> Result<Version, LearnedError> {
    serde_json::from_slice(&item.body)
        .map_err(|error| LearnedError::Unreadable { key: item.key.clone(), reason: error.to_string() })
}

fn set_fallen_back(batch: &mut Batch<'_>, task: Task, is_on: bool) -> Result<(), LearnedError> {
    let state = if is_on { "on" } else { "off" }.to_owned();
    let (collection, key) = (FALLEN_BACK.to_owned(), task.as_str().to_owned());
    Ok(batch.put(&Item { collection, key, state, due: None, record: None, body: b"{}".to_vec() })?)
}

fn moved(
    batch: &mut Batch<'_>,
    version: &Version,
    (stage, share): (Stage, u8),
    by: &PersonId,
    now: Timestamp,
) -> Result<Version, LearnedError> {
    let version = Version { stage, share, since: now, by: by.clone(), ..version.clone() };
    put(batch, &version, now)?;
    Ok(version)
}

/// Writes a version where it stands, tells its journal, and notes it in the audit log.
fn put(batch: &mut Batch<'_>, version: &Version, now: Timestamp) -> Result<(), LearnedError> {
    let key = key(version.task, version.number);
    let body = serde_json::to_vec(version)
        .map_err(|error| LearnedError::Unreadable { key: key.clone(), reason: error.to_string() })?;
    batch.append(&stream(version), version.stage.as_str(), None, b"{}", now)?;
    let mut entry = Entry::new(Action::ModelChanged, Actor::Person(Label::of(version.by.as_str())));
    entry.details = [
        ("model", word(&key)),
        ("digest", word(&version.digest)),
        ("stage", word(version.stage.as_str())),
        ("generation", crate::audit::Detail::Number(version.generation.into())),
    ]
    .into_iter()
    .map(|(name, detail)| (Label::of(name), detail))
    .collect();
    note(batch, &entry, now)?;
    let state = version.stage.as_str().to_owned();
    batch.put(&Item { collection: MODEL.to_owned(), key, state, due: None, record: None, body })?;
    Ok(())
}
