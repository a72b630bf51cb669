//! What came of a replay, all together and by category?

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Replayed;
use crate::proposal::hex;
use crate::workflow::TicketState;

/// Version of the report's JSON. Fields are added within a version, never changed or taken away.
pub const REPLAY_SCHEMA: &str = "triagraph.replay/1";

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// [`REPLAY_SCHEMA`].
    pub schema: String,
    /// When it was made.
    pub made: Timestamp,
    /// The version of the policies.
    pub policy: String,
    /// The position of the log that was replayed.
    pub generation: u64,
    /// All tickets.
    pub all: Totals,
    /// By category, as people decided it; empty where they did not.
    pub by_category: BTreeMap<String, Totals>,
    /// Ticket by ticket, in the order in which they came.
    pub tickets: Vec<Replayed>,
}

/// Right ones among those that can be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Agents did what people did.
    pub right: usize,
    /// Tickets for which people decided it.
    pub asked: usize,
}

/// What came of some tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many.
    pub tickets: usize,
    /// How many rest in each state.
    pub states: BTreeMap<String, usize>,
    /// Category.
    pub category: Tally,
    /// Priority.
    pub priority: Tally,
    /// Team: the routing accuracy.
    pub team: Tally,
    /// The page that people solved it with.
    pub page: Tally,
    /// Tickets with an answer.
    pub answered: usize,
    /// Tickets that agents routed alone.
    pub routed_alone: usize,
    /// Tickets that agents replied to alone.
    pub replied_alone: usize,
    /// Tickets with which agents did something alone, routed or replied.
    pub alone: usize,
    /// Tickets with which agents did something alone that people did otherwise.
    pub false_positives: usize,
    /// Answers on a page that was changed after the ticket came.
    pub on_changed_page: usize,
    /// Decisions and sentences without a reason or a source.
    pub unexplained: usize,
    /// Tickets that came to rest nowhere.
    pub adrift: usize,
}

impl Tally {
    /// The share that was right; nothing where nobody decided.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.asked > 0).then(|| self.right as f64 / self.asked as f64)
    }

    fn add(&mut self, right: Option<bool>) {
        self.asked += usize::from(right.is_some());
        self.right += usize::from(right == Some(true));
    }
}

impl Totals {
    /// The share of tickets with which agents did something alone.
    #[must_use]
    pub fn automation_rate(&self) -> f64 {
        self.alone as f64 / self.tickets.max(1) as f64
    }

    fn add(&mut self, ticket: &Replayed) {
        self.tickets += 1;
        *self.states.entry(ticket.state.as_str().to_owned()).or_default() += 1;
        self.category.add(ticket.category_is_right);
        self.priority.add(ticket.priority_is_right);
        self.team.add(ticket.team_is_right);
        self.page.add(ticket.page_is_right);
        self.answered += usize::from(ticket.is_answered);
        self.routed_alone += usize::from(ticket.is_routed_alone);
        self.replied_alone += usize::from(ticket.is_replied_alone);
        self.alone += usize::from(ticket.is_routed_alone || ticket.is_replied_alone);
        self.false_positives += usize::from(ticket.is_false_positive);
        self.on_changed_page += usize::from(ticket.is_on_changed_page);
        self.unexplained += ticket.unexplained;
        self.adrift += usize::from(!rests(ticket.state));
    }
}

impl Replay {
    pub(super) fn new(policy: &str, generation: u64, tickets: Vec<Replayed>, made: Timestamp) -> Self {
        let mut all = Totals::default();
        let mut by_category: BTreeMap<String, Totals> = BTreeMap::new();
        for ticket in &tickets {
            all.add(ticket);
            by_category.entry(ticket.category.clone()).or_default().add(ticket);
        }
        let schema = REPLAY_SCHEMA.to_owned();
        Self { schema, made, policy: policy.to_owned(), generation, all, by_category, tickets }
    }

    /// SHA-256 of what it says, whenever it was made: the same tickets under the same policies give the same digest.
    #[must_use]
    pub fn digest(&self) -> String {
        let said = serde_json::json!([self.schema, self.policy, self.generation, self.tickets]);
        hex(&Sha256::digest(said.to_string().as_bytes()))
    }
}

/// Whether a ticket in a state waits for people, or for nothing.
fn rests(state: TicketState) -> bool {
    matches!(
        state,
        TicketState::Answered
            | TicketState::Proposed
            | TicketState::Routed
            | TicketState::Escalated
            | TicketState::Closed
    )
}
