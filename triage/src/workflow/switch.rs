//! May agents do anything at all? The kill switch of the desk, which takes effect with the next ticket.

use std::collections::BTreeSet;

use engine::Item;
use jiff::Timestamp;

use super::account::{self, word};
use super::{Workflow, WorkflowError, written};
use crate::audit;
use crate::policy::{Action, PersonId, Principal, Question, Resource, Role};

impl Workflow {
    /// Whether the kill switch was thrown.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_stopped(&self) -> Result<bool, WorkflowError> {
        Ok(self.store.item("setting", "stopped")?.is_some_and(|item| item.state == "on"))
    }

    /// Throws the kill switch, or releases it.
    ///
    /// # Errors
    /// [`WorkflowError::Denied`] where the policies do not let this person, and when the store cannot be written.
    pub fn set_stopped(
        &self,
        stopped: bool,
        by: &PersonId,
        roles: &BTreeSet<Role>,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let action = if stopped { Action::Stop } else { Action::Resume };
        let principal = Principal::Person { id: by.clone(), roles: roles.clone() };
        let is_stopped = self.is_stopped()?;
        let question = Question { principal, action, resource: Resource::Desk, is_stopped };
        let verdict = self.policies.current().decide(&question);
        if !verdict.is_allowed {
            let (who, action) = (by.as_str().to_owned(), action.to_string());
            return Err(WorkflowError::Denied { who, action, reasons: verdict.reasons });
        }
        self.store.write(|batch| {
            let said = [("agents", word(if stopped { "stopped" } else { "released" }))];
            account::by_person(batch, audit::Action::SettingChanged, by, None, &said, now)?;
            Ok(batch.put(&Item {
                collection: "setting".to_owned(),
                key: "stopped".to_owned(),
                state: if stopped { "on" } else { "off" }.to_owned(),
                due: None,
                record: None,
                body: written(&(by, now))?,
            })?)
        })
    }
}
