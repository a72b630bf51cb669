//! What does the desk learn from its resolved tickets, and who lets it decide?
//!
//! [`train`] makes a classifier for one [`Task`] of the tickets that people resolved, and a [`Version`] that says of what and how
//! good it is. The [`Registry`] keeps every version for good; people bring one from candidate to shadow (it is heard and
//! recorded), to canary (it counts for a share of the tickets) and in force, each step only where its measured gates hold, and
//! roll back at once. The language model with its prompt goes the same way ([`Wordings`]), and embedder and rules of redaction are listed with
//! their digests ([`Listed`]). [`Learned`] is what the agent asks: an [`Opinion`] for each task, which counts where the model is sure.
//!
//! | collection | key | states |
//! | --- | --- | --- |
//! | `model` | task and number | `candidate`, `shadow`, `canary`, `active`, `retired` |
//! | `classifier` | digest | `kept` |
//! | `wording`, `listed` | see `wording.rs`, `listed.rs` | |
//! | `fallen_back` | task | `on`, `off` |

mod drift;
mod gates;
mod hearing;
mod lesson;
mod listed;
mod opinion;
mod registry;
mod train;
mod worded;
mod wording;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use models::Metrics;
use serde::{Deserialize, Serialize};

use crate::policy::PersonId;

pub use drift::{Drift, TaskDrift};
pub use hearing::Hearing;
pub use lesson::{Query, Task};
pub use listed::{Listed, ListedSort};
pub(crate) use opinion::settle;
pub use opinion::{Learned, Opinion};
pub use registry::Registry;
pub use train::{Trained, train};
pub(crate) use worded::made_by;
pub use worded::{WordingCategory, WordingFigures};
pub use wording::{WordingVersion, Wordings};

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody hears it.
    Candidate,
    /// It is asked, and what it says is recorded; it never counts.
    Shadow,
    /// It counts for a share of the tickets, and is recorded for the others.
    Canary,
    /// It counts.
    Active,
    /// It counted, or was heard, and does so no more.
    Retired,
}

impl Stage {
    /// The name in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One classifier, what it was made of, and how good it is. Never changed but for its stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// What it tells.
    pub task: Task,
    /// Its number among the versions of its task, from 1.
    pub number: u32,
    /// SHA-256 of its bytes, in hex.
    pub digest: String,
    /// When it was made.
    pub trained: Timestamp,
    /// The embedder whose vectors it reads; another one makes it silent.
    pub embedder: Option<String>,
    /// The position of the log that was read.
    pub generation: u64,
    /// Which tickets of it.
    pub query: Query,
    /// How many tickets it learnt from.
    pub tickets: usize,
    /// Of how many of them people ruled here what is right.
    #[serde(default)]
    pub ruled: usize,
    /// How good a model of the earlier tickets was on the latest ones, which it had not seen. The version itself learnt from all.
    pub held_out: Metrics,
    /// The share that is right when the commonest label is told each time.
    pub commonest: f64,
    /// The share of the held-out tickets on which it was sure, and how often it was right then.
    pub sure: Sure,
    /// The share that was right by group of callers, where the tickets name one.
    pub groups: BTreeMap<String, Group>,
    /// What it said of the held-out tickets, to see later whether that changes.
    pub reference: Reference,
    /// Where it is.
    pub stage: Stage,
    /// The percentage of tickets for which a canary counts.
    pub share: u8,
    /// Whether it was taken back: no roll-back brings it up again.
    pub is_taken_back: bool,
    /// When and by whom it was brought there.
    pub since: Timestamp,
    /// By whom.
    pub by: PersonId,
}

/// How often a model is sure, and right then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sure {
    /// The share of tickets.
    pub share: f64,
    /// The share of these that was right.
    pub precision: f64,
}

/// How good a model is for one group of callers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Held-out tickets of the group.
    pub count: usize,
    /// The share that was right.
    pub accuracy: f64,
}

/// How often each answer and each sort of ticket was seen in training: shares that sum to one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// By label that was told.
    pub labels: BTreeMap<String, f64>,
    /// By tenth of the probability, from `0` to `9`.
    pub confidence: BTreeMap<String, f64>,
    /// By words of the ticket, doubling: `0` for one word, `10` for a thousand.
    pub length: BTreeMap<String, f64>,
    /// By source.
    pub sources: BTreeMap<String, f64>,
}

/// Why nothing was learnt, or a version is not brought further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnedError {
    /// The desk.
    #[error(transparent)]
    Desk(#[from] engine::DeskError),
    /// The store.
    #[error(transparent)]
    Store(#[from] engine::LogError),
    /// The classifier.
    #[error(transparent)]
    Classifier(#[from] models::ClassifierError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] crate::audit::AuditError),
    /// Too little to learn from.
    #[error(
        "{found} resolved tickets with a {task} are too few to learn from and to measure on: {least} at least"
    )]
    TooFew {
        /// What was to be learnt.
        task: Task,
        /// How many there are.
        found: usize,
        /// How many there should be.
        least: usize,
    },
    /// No such version.
    #[error("there is no version {number} of {task}: `triagraph models versions` lists them")]
    NoSuchVersion {
        /// The task.
        task: Task,
        /// The number.
        number: u32,
    },
    /// A version that may not go further.
    #[error("version {number} of {task} is not brought to {stage}: {}", reasons.join("; "))]
    Gate {
        /// The task.
        task: Task,
        /// The number.
        number: u32,
        /// Where it was to go.
        stage: Stage,
        /// Which gates do not hold.
        reasons: Vec<String>,
    },
    /// Nothing to go back to.
    #[error("no version of {task} counts, so there is nothing to roll back")]
    NothingToRollBack {
        /// The task.
        task: Task,
    },
    /// No such version of what words answers.
    #[error("there is no wording {number}: `triagraph models registry` lists them")]
    NoSuchWording {
        /// The number.
        number: u32,
    },
    /// A language model that may not go further.
    #[error("wording {number} is not brought to {stage}: {}", reasons.join("; "))]
    WordingGate {
        /// The number.
        number: u32,
        /// Where it was to go.
        stage: Stage,
        /// Which gates do not hold.
        reasons: Vec<String>,
    },
    /// No language model to take back.
    #[error("no language model counts, so there is nothing to roll back")]
    NoWording,
    /// A card that cannot be read.
    #[error(
        "what is kept of model {key} cannot be read ({reason}): another version of this program wrote it"
    )]
    Unreadable {
        /// Its key.
        key: String,
        /// Why.
        reason: String,
    },
}

impl LearnedError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Desk(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Classifier(error) => error.code(),
            Self::Audit(error) => error.code(),
            Self::TooFew { .. } => "too-few-tickets",
            Self::NoSuchVersion { .. } => "no-such-model-version",
            Self::Gate { .. } => "model-gate",
            Self::NothingToRollBack { .. } => "nothing-to-roll-back",
            Self::NoSuchWording { .. } => "no-such-model-version",
            Self::WordingGate { .. } => "model-gate",
            Self::NoWording => "nothing-to-roll-back",
            Self::Unreadable { .. } => "store-unreadable",
        }
    }
}
