//! What is told of a job? What it does, how far it is, and what came of it.

use std::collections::BTreeMap;

use engine::Verification;
use serde::{Deserialize, Serialize};
use triage::learned::{Task, Version};
use utoipa::ToSchema;

use crate::http::problem::ProblemBody;
use crate::http::schema;
use crate::pump::Pumped;

/// A job. Kept in memory: a restart forgets it, but not what it wrote.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Job {
    /// Its number.
    pub(crate) id: u64,
    pub(crate) kind: JobKind,
    pub(crate) state: JobState,
    /// When it was asked for.
    #[schema(format = DateTime)]
    pub(crate) submitted: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) ended: Option<String>,
    pub(crate) counts: JobCounts,
    /// Why items were skipped, and how many for each reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) skipped_for: BTreeMap<String, u64>,
    /// The first records and items that were refused; all of them are in quarantine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused: Vec<Refused>,
    /// What a verification found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Verification>)]
    pub(crate) verification: Option<Verification>,
    /// What is learnt: `category`, `priority` or `team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) task: Option<Task>,
    /// The version that was learnt, a candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ModelVersion>)]
    pub(crate) model: Option<Version>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ProblemBody>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobKind {
    /// Writes records.
    Records,
    /// Writes the records of a file.
    File,
    /// Holds every index against the log.
    Verify,
    /// Learns from the desk's tickets.
    Train,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobState {
    /// Waiting for the jobs before it.
    Queued,
    /// At work.
    Running,
    /// Done; a verification may have found problems.
    Done,
    /// Ended by an error.
    Failed,
    /// The server was stopped before it was done.
    Interrupted,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct JobCounts {
    /// Records sent; until a file is read, about how many items it has.
    pub(crate) total: u64,
    /// Records or items looked at so far.
    pub(crate) done: u64,
    /// Records that were not there before.
    pub(crate) new: u64,
    /// Records with a new revision.
    pub(crate) changed: u64,
    /// Records that were there already, word for word.
    pub(crate) unchanged: u64,
    /// What could not be read or what the shapes refused: it is in quarantine.
    pub(crate) quarantined: u64,
    /// What is no record on purpose.
    pub(crate) skipped: u64,
    /// Passages that had to be embedded.
    pub(crate) embedded: u64,
}

/// A record or item that was refused.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refused {
    /// Its id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    /// Where it stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    /// What is wrong and what to do.
    pub(crate) reason: String,
}

impl Job {
    /// Whether it waits or runs.
    pub(super) fn is_at_work(&self) -> bool {
        matches!(self.state, JobState::Queued | JobState::Running)
    }

    /// Takes over what became of the items by now.
    pub(super) fn tell(&mut self, pumped: &Pumped) {
        let Pumped { items, applied, quarantined, skipped, skipped_for, rejected } = pumped;
        self.counts = JobCounts {
            total: self.counts.total,
            done: *items,
            new: applied.new,
            changed: applied.changed,
            unchanged: applied.unchanged,
            quarantined: *quarantined,
            skipped: *skipped,
            embedded: applied.embedded,
        };
        self.skipped_for.clone_from(skipped_for);
        let refused = rejected.iter().map(|rejected| Refused {
            record: rejected.record.as_ref().map(ToString::to_string),
            place: rejected.lineage.place.map(|place| place.to_string()),
            reason: rejected.reason.clone(),
        });
        self.refused = refused.collect();
    }
}
