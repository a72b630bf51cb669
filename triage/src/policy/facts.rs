//! What goes into a decision? Who asks, what for and of what: numbers, flags and names of categories, never text.

use std::collections::BTreeSet;
use std::fmt;

use ontology::Kind;
use serde::{Deserialize, Serialize};

use super::autonomy::Autonomy;
use super::vocabulary::{Action, Agent, Deed, Level, Role, TicketKind};

/// May this one do that?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Who.
    pub principal: Principal,
    /// What.
    pub action: Action,
    /// Of what.
    pub resource: Resource,
    /// Whether the kill switch was thrown.
    pub is_stopped: bool,
}

/// Who wants to do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// One of the desk's agents.
    Agent(Agent),
    /// Somebody, with the roles that were checked when they came in.
    Person {
        /// Who.
        id: PersonId,
        /// What they are.
        roles: BTreeSet<Role>,
    },
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(agent) => write!(formatter, "the {agent} agent"),
            Self::Person { id, .. } => formatter.write_str(id.as_str()),
        }
    }
}

/// A person's account, as the desk knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(String);

impl PersonId {
    /// The account of that name.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What it would be done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A ticket; what an agent does to it, it does alone.
    Ticket(TicketFacts),
    /// A proposal; what an agent does to it, people have approved.
    Proposal(ProposalFacts),
    /// A level for a category.
    Setting(SettingFacts),
    /// All records of a kind.
    Records(Kind),
    /// The desk as a whole.
    Desk,
}

/// A ticket as the agents see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketFacts {
    /// What it is.
    pub kind: TicketKind,
    /// Category and sub-categories, by name; empty when nobody knows.
    pub categories: Vec<String>,
    /// 1 is highest, 5 lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// How far agents may go alone in its category.
    pub level: Level,
    /// Whether the roll-out of the level covers it.
    pub in_share: bool,
    /// Whether there is a cited answer.
    pub has_answer: bool,
    /// How good the evidence for the answer is.
    pub strength: PerMille,
    /// How sure the category is.
    pub category_confidence: PerMille,
    /// How sure the team is.
    pub team_confidence: PerMille,
    /// Whether it is, or belongs to, a major incident.
    pub is_major: bool,
    /// Whether the answer rests on a source whose time has passed.
    pub has_expired_sources: bool,
    /// Whether a part of the search was not there.
    pub is_degraded: bool,
    /// How many configuration items and services are hit.
    pub affected: u32,
    /// How many warnings the agents gave.
    pub warnings: u32,
}

impl TicketFacts {
    /// A ticket that nothing more is known of yet: no answer, and no confidence in anything.
    pub fn new(kind: TicketKind, autonomy: Autonomy) -> Self {
        Self {
            kind,
            categories: Vec::new(),
            priority: None,
            level: autonomy.level,
            in_share: autonomy.in_share,
            has_answer: false,
            strength: PerMille::default(),
            category_confidence: PerMille::default(),
            team_confidence: PerMille::default(),
            is_major: false,
            has_expired_sources: false,
            is_degraded: false,
            affected: 0,
            warnings: 0,
        }
    }
}

/// Something that an agent wants to do and that people judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalFacts {
    /// The ticket as it is now, not as it was when the proposal was made.
    pub ticket: TicketFacts,
    /// What is to be done.
    pub deed: Deed,
    /// Who approved what is to be done as it stands now.
    pub approved_by: BTreeSet<PersonId>,
    /// Who changed it.
    pub edited_by: BTreeSet<PersonId>,
    /// Of a runbook's step: whether it was tried without effect.
    pub dry_run_passed: bool,
    /// Of a runbook's step: whether it says how to undo it.
    pub rollback_named: bool,
}

/// A level that somebody wants to give to a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingFacts {
    /// The level.
    pub level: Level,
    /// Whether a replay of past tickets at this level is attached.
    pub has_replay_report: bool,
}

/// A share or confidence in thousandths, 0 to 1000. Cedar computes with whole numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct PerMille(u16);

impl PerMille {
    /// From 0 to 1, rounded down, so that 0.6999 is not yet 0.7. What is no number is 0.
    pub fn of(share: f64) -> Self {
        // 0.57 × 1000 is 569.99… in binary: what is closer than a millionth is meant to be whole.
        Self((share.clamp(0.0, 1.0) * 1000.0 + 1e-6) as u16)
    }

    /// The thousandths.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for PerMille {
    type Error = String;

    fn try_from(thousandths: u16) -> Result<Self, String> {
        match thousandths {
            0..=1000 => Ok(Self(thousandths)),
            _ => Err(format!("{thousandths} is more than 1000: write thousandths, 600 for 0.6")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_rounded_down() {
        for whole in 0..=1000_u16 {
            assert_eq!(PerMille::of(f64::from(whole) / 1000.0).get(), whole);
        }
        assert_eq!(PerMille::of(0.6999).get(), 699);
        assert_eq!(PerMille::of(0.69999).get(), 699);
        assert_eq!(PerMille::of(-1.0).get(), 0);
        assert_eq!(PerMille::of(7.0).get(), 1000);
        assert_eq!(PerMille::of(f64::NAN).get(), 0);
    }
}
