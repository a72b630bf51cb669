//! Did agents do what people did with a ticket?

use std::collections::BTreeSet;

use engine::Desk;
use jiff::Timestamp;
use ontology::{Record, RecordId, Relation, Scope};
use serde::{Deserialize, Serialize};

use crate::evidence::Gather;
use crate::result::Triage;
use crate::workflow::{Decided, TicketState, TicketStatus, Workflow, WorkflowError};

/// What agents did with one ticket, beside what people did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// The ticket.
    pub ticket: RecordId,
    /// When it came.
    pub came: Timestamp,
    /// Its category as people decided, the first of the path; empty where they did not.
    pub category: String,
    /// Where agents brought it.
    pub state: TicketState,
    /// Whether the category was right; nothing where people decided none.
    pub category_is_right: Option<bool>,
    /// Whether the priority was right.
    pub priority_is_right: Option<bool>,
    /// Whether the team was right.
    pub team_is_right: Option<bool>,
    /// Whether the answer rests on a page that people solved it with; nothing where they named none, or it was not there yet.
    pub page_is_right: Option<bool>,
    /// Whether there was an answer.
    pub is_answered: bool,
    /// Whether agents routed it alone.
    pub is_routed_alone: bool,
    /// Whether agents replied alone.
    pub is_replied_alone: bool,
    /// Whether agents did something alone that people did otherwise.
    pub is_false_positive: bool,
    /// Whether the answer rests on a page that was changed after the ticket came: what it said then is not known.
    pub is_on_changed_page: bool,
    /// Decisions of policies that name no policy, and sentences of the answer without a source: there should be none.
    pub unexplained: usize,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The desk of the past.
pub(super) struct Past<'a> {
    gather: Gather<'a>,
}

impl<'a> Past<'a> {
    pub(super) fn new(desk: &'a Desk, scope: &'a Scope, now: Timestamp) -> Self {
        Self { gather: Gather::new(desk, scope, now) }
    }

    /// Holds what the agents did against what the record says of what people did.
    pub(super) fn compare(
        &mut self,
        workflow: &Workflow,
        id: &RecordId,
        came: Timestamp,
        warnings: Vec<String>,
    ) -> Result<Replayed, WorkflowError> {
        let status = workflow.ticket(id)?;
        let triage = workflow.triage_of(id)?;
        let record = self.gather.record(id)?;
        let mut replayed = Replayed {
            ticket: id.clone(),
            came,
            category: String::new(),
            state: status.state,
            category_is_right: None,
            priority_is_right: None,
            team_is_right: None,
            page_is_right: None,
            is_answered: triage.as_ref().is_some_and(|triage| triage.answer.is_some()),
            is_routed_alone: status.route.is_some(),
            is_replied_alone: status.is_answered,
            is_false_positive: false,
            is_on_changed_page: false,
            unexplained: unexplained(&status, triage.as_ref()),
            warnings,
        };
        if let (Some(record), Some(triage)) = (record, triage) {
            self.hold(&mut replayed, &record, &triage)?;
        }
        Ok(replayed)
    }

    fn hold(
        &mut self,
        replayed: &mut Replayed,
        record: &Record,
        triage: &Triage,
    ) -> Result<(), WorkflowError> {
        let told = triage.category.value.as_deref().unwrap_or_default();
        if let Some(category) = record.category.first() {
            replayed.category.clone_from(category);
            replayed.category_is_right = Some(told.first() == Some(category));
        }
        replayed.priority_is_right = record.priority.map(|people| triage.priority.value == Some(people));
        let team = self.gather.team(record, Relation::AssignedTo)?;
        replayed.team_is_right = team.map(|team| triage.team.value == Some(team));
        let mut known = BTreeSet::new();
        for page in self.gather.cites(record)? {
            let is_there = |page: &Record| page.created.is_none_or(|created| created <= replayed.came);
            if self.gather.record(&page)?.as_ref().is_some_and(is_there) {
                known.insert(page);
            }
        }
        let page = triage.page.as_ref().map(|page| &page.record);
        if !known.is_empty() {
            replayed.page_is_right = Some(page.is_some_and(|page| known.contains(page)));
        }
        if let Some(page) = page.map(|page| self.gather.record(page)).transpose()?.flatten() {
            replayed.is_on_changed_page = page.modified.is_some_and(|modified| modified > replayed.came);
        }
        let is_wrong = |right: Option<bool>| right == Some(false);
        let routed_wrong = is_wrong(replayed.category_is_right)
            || is_wrong(replayed.team_is_right)
            || is_wrong(replayed.priority_is_right);
        replayed.is_false_positive = (replayed.is_routed_alone && routed_wrong)
            || (replayed.is_replied_alone && is_wrong(replayed.page_is_right));
        Ok(())
    }
}

/// Decisions that give no reason, and sentences whose sources are not there.
fn unexplained(status: &TicketStatus, triage: Option<&Triage>) -> usize {
    let gives_none = |decided: &&Decided| {
        decided.verdict.version.is_empty()
            || (decided.verdict.policies.is_empty() && decided.verdict.reasons.is_empty())
    };
    let silent = status.decisions.iter().filter(gives_none).count();
    let Some(answer) = triage.and_then(|triage| triage.answer.as_ref()) else { return silent };
    let is_there = |handle: &String| answer.sources.iter().any(|source| source.handle == *handle);
    let is_bare = |handles: &[String]| handles.is_empty() || !handles.iter().all(is_there);
    silent + answer.claims().filter(|claim| is_bare(&claim.handles)).count()
}
