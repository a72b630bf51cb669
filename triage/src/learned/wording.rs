//! Which language model words answers, asked by which prompt, and how far is it heard?
//!
//! A version is a model with its prompt: another model, other instructions or another limit make another one, under the next number. Who
//! names a model to the server has chosen it, so the first one counts at once; one that comes while another is in force is asked and
//! checked, and what it says is recorded (shadow), until people bring it further where its gates hold.
//!
//! | collection | key | states |
//! | --- | --- | --- |
//! | `wording` | number | those of a [`Stage`] |

use engine::{Batch, Item, Store};
use jiff::Timestamp;
use models::Limits;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Hearing, LearnedError, Stage, WordingFigures};
use crate::audit::{Action, Actor, Entry, Label, note};
use crate::draft;
use crate::policy::PersonId;
use crate::proposal::hex;
use crate::workflow::account::word;

/// The collection of the store.
const WORDING: &str = "wording";
/// Questions below which a figure is chance, and answers of which people told what they did with them.
const CALLS: u64 = 30;
const TOLD: u64 = 10;
/// The share of questions that may fail, of sentences that their sources bear out, and of words that people may change.
const FAILED: f64 = 0.10;
const KEPT: f64 = 0.60;
const EDITED: f64 = 0.35;

/// A language model with the prompt that it is asked by. Never changed but for its stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WordingVersion {
    /// Its number, from 1.
    pub number: u32,
    /// SHA-256 over model, instructions and limit, in hex.
    pub digest: String,
    /// The model, by its id.
    pub model: String,
    /// The prompt, by the digest that each call names.
    pub prompt: String,
    /// The instructions themselves.
    pub instructions: String,
    /// Tokens of one answer at most.
    pub max_tokens: usize,
    /// When it was first named.
    pub registered: Timestamp,
    /// How far it is heard.
    pub stage: Stage,
    /// The percentage of tickets for which a canary counts.
    pub share: u8,
    /// Whether it ever was in force.
    pub was_active: bool,
    /// Whether it was taken back: it is not asked until people bring it further again.
    pub is_taken_back: bool,
    /// When and by whom it was brought there.
    pub since: Timestamp,
    /// By whom.
    pub by: PersonId,
}

impl WordingVersion {
    /// How far it is heard.
    pub fn hearing(&self) -> Hearing {
        Hearing::new(self.stage, self.share)
    }

    /// Why it may not go to a stage by what was measured; nothing where it may.
    fn reasons(&self, stage: Stage, measured: &WordingFigures) -> Vec<String> {
        let mut reasons = Vec::new();
        if !matches!(stage, Stage::Canary | Stage::Active) {
            return reasons;
        }
        if measured.calls < CALLS {
            reasons.push(format!(
                "it was asked {} times, {CALLS} are wanted: keep it in shadow",
                measured.calls
            ));
        }
        if measured.failed > FAILED {
            let share = measured.failed;
            reasons.push(format!("{share:.2} of the questions failed, at most {FAILED:.2} is wanted"));
        }
        if measured.kept < KEPT {
            let share = measured.kept;
            reasons.push(format!("{share:.2} of its sentences stand in their sources, {KEPT:.2} is wanted"));
        }
        if stage == Stage::Active {
            reasons.extend(unproven(measured));
        }
        reasons
    }
}

/// What it has still to show among people.
fn unproven(measured: &WordingFigures) -> Option<String> {
    if measured.told < TOLD {
        return Some(format!(
            "people told what they did with {} of its answers, {TOLD} are wanted: keep it in canary",
            measured.told
        ));
    }
    let words = measured.edited_words;
    (words > EDITED).then(|| format!("people changed {words:.2} of its words, at most {EDITED:.2} is wanted"))
}

/// All versions of what words answers, in a desk's store.
pub struct Wordings {
    store: Store,
}

impl Wordings {
    /// The registry of a desk.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// All versions, by number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn versions(&self) -> Result<Vec<WordingVersion>, LearnedError> {
        self.store.items(WORDING, None, "", u32::MAX)?.iter().map(read).collect()
    }

    /// The version of a model that a server was given: the one that is known, or a new one. Where another is in force it begins in shadow,
    /// else it counts, since somebody has named it. One that was taken back stays so.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn configured(
        &self,
        model: &str,
        limits: &Limits,
        by: &PersonId,
        now: Timestamp,
    ) -> Result<WordingVersion, LearnedError> {
        let versions = self.versions()?;
        let (instructions, prompt) = (draft::INSTRUCTIONS.to_owned(), draft::prompt_id(limits));
        let digest = digest(&[model, &prompt, &instructions]);
        let known = versions.iter().find(|version| version.digest == digest);
        let counts = |version: &&WordingVersion| matches!(version.stage, Stage::Active | Stage::Canary);
        let is_taken = versions.iter().filter(|version| version.digest != digest).any(|one| counts(&one));
        let begins = if is_taken { Stage::Shadow } else { Stage::Active };
        match known {
            Some(known) if known.is_taken_back || known.hearing().is_asked() => Ok(known.clone()),
            // It made room for another one, and is named again.
            Some(known) => self.store.write(|batch| moved(batch, known, (begins, 0), by, now)),
            None => {
                let number = versions.iter().map(|version| version.number).max().unwrap_or(0) + 1;
                let version = WordingVersion {
                    number,
                    digest,
                    model: model.to_owned(),
                    prompt,
                    instructions,
                    max_tokens: limits.max_tokens,
                    registered: now,
                    stage: Stage::Candidate,
                    share: 0,
                    was_active: false,
                    is_taken_back: false,
                    since: now,
                    by: by.clone(),
                };
                self.store.write(|batch| moved(batch, &version, (begins, 0), by, now))
            }
        }
    }

    /// Brings a version to a stage, where its gates hold. What counted before is retired.
    ///
    /// # Errors
    /// [`LearnedError::WordingGate`] with the reasons, [`LearnedError::NoSuchWording`], and when the store cannot be read or written.
    pub fn promote(
        &self,
        number: u32,
        (stage, share): (Stage, u8),
        by: &PersonId,
        now: Timestamp,
    ) -> Result<WordingVersion, LearnedError> {
        let versions = self.versions()?;
        let missing = LearnedError::NoSuchWording { number };
        let version = versions.iter().find(|version| version.number == number).ok_or(missing)?;
        let reasons = version.reasons(stage, &WordingFigures::of(&self.store, version)?);
        if !reasons.is_empty() {
            return Err(LearnedError::WordingGate { number, stage, reasons });
        }
        let is_displaced = |other: &&WordingVersion| {
            other.number != number
                && match stage {
                    Stage::Active => matches!(other.stage, Stage::Active | Stage::Canary),
                    Stage::Shadow | Stage::Canary => matches!(other.stage, Stage::Shadow | Stage::Canary),
                    Stage::Candidate | Stage::Retired => false,
                }
        };
        self.store.write(|batch| {
            for other in versions.iter().filter(is_displaced) {
                moved(batch, other, (Stage::Retired, 0), by, now)?;
            }
            let version = WordingVersion { is_taken_back: false, ..version.clone() };
            moved(batch, &version, (stage, share), by, now)
        })
    }

    /// Takes the version that counts back at once: a canary first. The one that was in force before is in force again, or none.
    ///
    /// # Errors
    /// [`LearnedError::NoWording`] where none counts, and when the store cannot be written.
    pub fn roll_back(&self, by: &PersonId, now: Timestamp) -> Result<Option<WordingVersion>, LearnedError> {
        let versions = self.versions()?;
        let of = |stage: Stage| versions.iter().find(move |version| version.stage == stage);
        let latest = of(Stage::Canary).or_else(|| of(Stage::Active)).ok_or(LearnedError::NoWording)?;
        let retired = versions.iter().filter(|version| {
            version.stage == Stage::Retired && version.was_active && !version.is_taken_back
        });
        let before = retired.max_by_key(|version| version.since).filter(|_| latest.stage == Stage::Active);
        let taken_back = WordingVersion { is_taken_back: true, ..latest.clone() };
        self.store.write(|batch| {
            moved(batch, &taken_back, (Stage::Retired, 0), by, now)?;
            before.map(|before| moved(batch, before, (Stage::Active, 0), by, now)).transpose()
        })
    }
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex(&digest.finalize())
}

fn read(item: &Item) -> Result<WordingVersion, LearnedError> {
    let unreadable =
        |reason: String| LearnedError::Unreadable { key: format!("wording {}", item.key), reason };
    serde_json::from_slice(&item.body).map_err(|error| unreadable(error.to_string()))
}

/// Writes a version where it stands, and notes it in the audit log.
fn moved(
    batch: &mut Batch<'_>,
    version: &WordingVersion,
    (stage, share): (Stage, u8),
    by: &PersonId,
    now: Timestamp,
) -> Result<WordingVersion, LearnedError> {
    let was_active = version.was_active || stage == Stage::Active;
    let version = WordingVersion { stage, share, was_active, since: now, by: by.clone(), ..version.clone() };
    let key = format!("{:06}", version.number);
    let unreadable = |reason: String| LearnedError::Unreadable { key: format!("wording {key}"), reason };
    let body = serde_json::to_vec(&version).map_err(|error| unreadable(error.to_string()))?;
    let mut entry = Entry::new(Action::ModelChanged, Actor::Person(Label::of(by.as_str())));
    let name = format!("wording/{key}");
    entry.details = [
        ("model", word(&name)),
        ("language-model", word(&version.model)),
        ("prompt", word(&version.prompt)),
        ("digest", word(&version.digest)),
        ("stage", word(stage.as_str())),
    ]
    .into_iter()
    .map(|(name, detail)| (Label::of(name), detail))
    .collect();
    note(batch, &entry, now)?;
    let state = stage.as_str().to_owned();
    batch.put(&Item { collection: WORDING.to_owned(), key, state, due: None, record: None, body })?;
    Ok(version)
}
