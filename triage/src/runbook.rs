//! Which steps of a runbook can a machine do, who lets it, and what came of them?
//!
//! A line of a runbook's steps that begins with `Run:` names an action and its undoing ([`line`]). Only actions that the desk's operator lists
//! in `policy/executor.toml` exist, with what each of their arguments may be ([`Executor`]). The next such line of the runbook that leads a
//! triage becomes a proposal ([`find`], [`next`]): a dry run goes out at once where the policies let it ([`try_out`]), the step itself once people
//! have approved it. [`deliver`] says what an executor outside of this program is told, once under one id for as long as it takes, and what
//! its answer means. No text of a ticket is ever read for a step, and nothing here starts a process.
//!
//! | collection | key | states |
//! | --- | --- | --- |
//! | `execution` | `dry_` or `run_` and half of the proposal's binding: the id that the executor is told | those of [`RunState`] |

mod actions;
mod deliver;
mod execution;
mod find;
mod line;
mod next;
mod told;

use std::collections::BTreeMap;

use ontology::{RecordId, Span};
use serde::{Deserialize, Serialize};

use crate::workflow::WorkflowError;

pub use actions::{Action, Executor};
pub use deliver::Delivery;
pub use execution::{Run, RunState};
pub use told::RunAnswer;

pub(crate) use actions::Hit;
pub(crate) use execution::{EXECUTION, attach, is_running, put_up, try_out};
pub(crate) use find::{Found, find, hit};
pub(crate) use next::next;

/// A step of a runbook that a machine can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The runbook that says so.
    pub runbook: RecordId,
    /// Content hash of its revision, in hex.
    pub runbook_revision: String,
    /// Index of the section.
    pub section: u16,
    /// Where the line stands in the section's text.
    pub span: Span,
    /// Its place among the runbook's lines that a machine can do, from 1.
    pub number: u32,
    /// How many such lines the runbook has.
    pub of: u32,
    /// What is done.
    pub call: Call,
    /// How it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Call>,
    /// The run that this step undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Hash of the `executor.toml` that it was held against.
    pub executor: String,
}

/// An action with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The name of the action in `executor.toml`.
    pub action: String,
    /// Its arguments by name.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
}

impl Step {
    /// Whether it can be taken back: by its undoing, or since it is one.
    pub(crate) fn has_rollback(&self) -> bool {
        self.undo.is_some() || self.undoes.is_some()
    }

    /// What it rests on that is not as it was, if anything. Undoing rests on what was done, whatever the runbook says by now.
    pub(crate) fn is_outdated(&self, runbook: Option<&str>, executor: &Executor) -> Option<&'static str> {
        if self.executor != executor.version {
            return Some("executor.toml has changed since");
        }
        let is_same = self.undoes.is_some() || runbook == Some(self.runbook_revision.as_str());
        (!is_same).then_some("the runbook has changed since")
    }

    /// Refuses an edit that makes another step of it, or one that the executor does not know.
    pub(crate) fn check_edit(
        &self,
        edited: &Self,
        executor: &Executor,
        hit: &Hit,
    ) -> Result<(), WorkflowError> {
        let refuse = |reason| Err(WorkflowError::Arguments { reason });
        let of_line = |step: &Self| {
            let action = (step.call.action.clone(), step.undo.as_ref().map(|undo| undo.action.clone()));
            let place = (step.runbook.clone(), step.runbook_revision.clone(), step.section, step.span);
            (action, place, (step.number, step.of), step.undoes.clone(), step.executor.clone())
        };
        if of_line(self) != of_line(edited) {
            return refuse("another step is another proposal: change its arguments only");
        }
        let calls = [Some(&edited.call), edited.undo.as_ref()];
        if calls.into_iter().flatten().any(|call| executor.check(call, hit).is_err()) {
            return refuse("an argument is not what executor.toml lets it be");
        }
        Ok(())
    }
}
