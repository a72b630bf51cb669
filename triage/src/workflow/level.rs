//! May somebody say how far agents go alone in a category? The policies decide, and the audit log keeps it with the replay it rests on.

use std::collections::BTreeSet;

use engine::Item;
use jiff::Timestamp;

use super::account::{self, word};
use super::{Workflow, WorkflowError, written};
use crate::audit::{self, Detail};
use crate::policy::{Action, Level, PersonId, Principal, Question, Resource, Role, SettingFacts, Share};
use crate::replay::Replay;

/// The collection of replays that levels rest on, by digest.
const REPLAY: &str = "replay";

/// A level for a category, and what it rests on.
pub struct LevelChange<'a> {
    /// The path of the category; empty for all without a level of their own.
    pub category: &'a [String],
    /// How far.
    pub level: Level,
    /// For how many of its tickets.
    pub share: Share,
    /// What agents would have done with past tickets at this level.
    pub replay: Option<&'a Replay>,
}

impl Workflow {
    /// Notes that somebody changes a level, where the policies let them. The caller then writes the settings.
    ///
    /// # Errors
    /// [`WorkflowError::Denied`] with the reasons, and when the store cannot be written.
    pub fn change_level(
        &self,
        change: &LevelChange<'_>,
        by: &PersonId,
        roles: &BTreeSet<Role>,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let LevelChange { category, level, share, replay } = change;
        let setting = SettingFacts { level: *level, has_replay_report: replay.is_some() };
        let question = Question {
            principal: Principal::Person { id: by.clone(), roles: roles.clone() },
            action: Action::ChangeAutonomy,
            resource: Resource::Setting(setting),
            is_stopped: self.is_stopped()?,
        };
        let verdict = self.policies.current().decide(&question);
        if !verdict.is_allowed {
            let (who, action) = (by.as_str().to_owned(), question.action.to_string());
            return Err(WorkflowError::Denied { who, action, reasons: verdict.reasons });
        }
        self.store.write(|batch| {
            let digest = replay.map(Replay::digest);
            let mut said = vec![
                ("category", word(&category.join("/"))),
                ("level", word(level.as_str())),
                ("share", Detail::Number(share.percent().into())),
            ];
            said.extend(digest.as_ref().map(|digest| ("replay", word(digest))));
            account::by_person(batch, audit::Action::SettingChanged, by, None, &said, now)?;
            if let (Some(replay), Some(key)) = (replay, digest) {
                let body = written(replay)?;
                let (collection, state) = (REPLAY.to_owned(), "kept".to_owned());
                batch.put(&Item { collection, key, state, due: None, record: None, body })?;
            }
            Ok(())
        })
    }
}
