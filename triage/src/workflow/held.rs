//! What did a person decide of a ticket, and how long does it stand? Until a person decides otherwise, or the ticket's source itself does:
//! agents see the person's word in the place of their own, and do not set it back.
//!
//! The source's word is what counts, not that an event came: a value is given up when the source names another one than it did when the
//! person decided, unless it is the person's. A reply stands until what the caller tells is another text, or the ticket is reopened.

use engine::{Desk, DeskError};
use jiff::Timestamp;
use ontology::{Record, Relation, Scope, SectionKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::evidence::Gather;
use crate::feedback::is_same;
use crate::learned::Task;
use crate::policy::PersonId;
use crate::proposal::{Route, hex};
use crate::result::{Decision, Triage};

/// What a ticket's source says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said(Route);

/// What people decided of a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Category, then sub-categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<HeldValue<Vec<String>>>,
    /// 1 is highest, 5 lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<HeldValue<u8>>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<HeldValue<String>>,
    /// Hashes of what the caller had told when a person answered, and of that answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<HeldReply>,
}

/// A value that a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldValue<T> {
    /// The value.
    pub value: T,
    /// What the source said when it was last heard.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub source: Option<T>,
    /// Who decided.
    pub by: PersonId,
}

/// A reply that a person gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldReply {
    told: String,
    sent: String,
}

fn none<T>() -> Option<T> {
    None
}

impl Said {
    /// What the source says, with the team by its name.
    ///
    /// # Errors
    /// When the desk cannot be read.
    pub(crate) fn by_source(
        desk: &Desk,
        scope: &Scope,
        record: Option<&Record>,
        now: Timestamp,
    ) -> Result<Self, DeskError> {
        let Some(record) = record else { return Ok(Self::default()) };
        let team = Gather::new(desk, scope, now).team(record, Relation::AssignedTo)?;
        Ok(Self(Route { category: record.category.clone(), priority: record.priority, team }))
    }

    /// The value of a task.
    pub(crate) fn of(&self, task: Task) -> Option<String> {
        self.0.value_of(task)
    }
}

impl<T: Clone + PartialEq> HeldValue<T> {
    fn new(value: T, source: Option<T>, by: &PersonId) -> Self {
        Self { value, source, by: by.clone() }
    }

    /// Whether it still stands by what the source says now.
    fn hear(&mut self, said: Option<T>, is_same: impl Fn(&T, &T) -> bool) -> bool {
        if said.is_none() || said == self.source {
            return true;
        }
        let agrees = said.as_ref().is_some_and(|said| is_same(said, &self.value));
        self.source = said;
        agrees
    }

    fn decided(&self) -> Decision<T> {
        Decision {
            value: Some(self.value.clone()),
            confidence: 1.0,
            why: vec![format!("{} decided so", self.by.as_str())],
            evidence: Vec::new(),
        }
    }
}

impl Held {
    /// Whether nobody decided anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Keeps what a person decided.
    pub(crate) fn keep(&mut self, route: &Route, said: &Said, by: &PersonId) {
        let Said(said) = said;
        if !route.category.is_empty() {
            let source = (!said.category.is_empty()).then(|| said.category.clone());
            self.category = Some(HeldValue::new(route.category.clone(), source, by));
        }
        if let Some(priority) = route.priority {
            self.priority = Some(HeldValue::new(priority, said.priority, by));
        }
        if let Some(team) = &route.team {
            self.team = Some(HeldValue::new(team.clone(), said.team.clone(), by));
        }
    }

    /// Keeps that a person answered.
    pub(crate) fn replied(&mut self, ticket: &Record, sent: &str) {
        let sent = hash([sent.trim()]);
        self.reply = Some(HeldReply { told: told(ticket, &sent), sent });
    }

    /// Gives up what the source decided otherwise since.
    pub(super) fn hear(&mut self, said: &Said) {
        let Said(said) = said;
        let category = (!said.category.is_empty()).then(|| said.category.clone());
        let is_path = |one: &Vec<String>, other: &Vec<String>| is_same(&one.join("/"), &other.join("/"));
        self.category.take_if(|held| !held.hear(category.clone(), is_path));
        self.priority.take_if(|held| !held.hear(said.priority, u8::eq));
        self.team.take_if(|held| !held.hear(said.team.clone(), |one, other| is_same(one, other)));
    }

    /// Whether a person's answer is still one to what the caller tells.
    pub(super) fn still_answers(&self, ticket: &Record) -> bool {
        self.reply.as_ref().is_some_and(|reply| told(ticket, &reply.sent) == reply.told)
    }

    /// The triage with what people decided in the place of what agents think.
    pub(super) fn over(&self, triage: &Triage) -> Triage {
        let mut triage = triage.clone();
        if let Some(held) = &self.category {
            triage.category = held.decided();
        }
        if let Some(held) = &self.priority {
            triage.priority = held.decided();
        }
        if let Some(held) = &self.team {
            triage.team = held.decided();
        }
        triage
    }

    /// What agents had of a route, without what was a person's already.
    pub(super) fn without(&self, route: Option<Route>) -> Option<Route> {
        let mut route = route?;
        if self.category.is_some() {
            route.category.clear();
        }
        route.priority = route.priority.filter(|_| self.priority.is_none());
        route.team = route.team.filter(|_| self.team.is_none());
        Some(route)
    }
}

/// Hash of what a caller tells; the answer that comes back as a comment of its source is not the caller's.
fn told(ticket: &Record, sent: &str) -> String {
    let is_told = |section: &&ontology::Section| match section.kind {
        SectionKind::Description | SectionKind::Symptom | SectionKind::Environment | SectionKind::Impact => {
            true
        }
        SectionKind::Comment => hash([section.text.trim()]) != sent,
        _ => false,
    };
    let sections = ticket.sections.iter().filter(is_told).map(|section| section.text.trim());
    hash(std::iter::once(ticket.title.trim()).chain(sections))
}

fn hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    }
    hex(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ontology::{Kind, RecordId, Section};

    fn said(category: &str, team: &str) -> Said {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Said(Route { category: named(category).into_iter().collect(), priority: None, team: named(team) })
    }

    #[test]
    fn a_value_stands_until_its_source_names_another() {
        let mut held = Held::default();
        let mine = Route {
            category: vec!["Mail".to_owned()],
            priority: Some(1),
            team: Some("Messaging".to_owned()),
        };
        held.keep(&mine, &said("Network", ""), &PersonId::new("ada"));
        let all = held.clone();
        held.hear(&said("Network", ""));
        assert_eq!(held, all, "the source says what it said");
        held.hear(&said("mail", ""));
        assert!(held.category.is_some(), "the source took it over");
        held.hear(&said("Printing", ""));
        assert!(held.category.is_none() && held.team.is_some() && held.priority.is_some());
        held.hear(&said("", "Workplace"));
        assert!(held.team.is_none());
    }

    #[test]
    fn an_answer_stands_until_the_caller_tells_something_else() {
        let mut ticket = Record::new(RecordId::new("a:1").unwrap(), Kind::Incident, "Mail is late");
        ticket.sections = vec![Section::new(SectionKind::Description, "since nine")];
        let mut held = Held::default();
        held.replied(&ticket, "Restart it.");
        ticket.priority = Some(2);
        ticket.sections.push(Section::new(SectionKind::Comment, "Restart it. "));
        assert!(held.still_answers(&ticket), "its own echo is nothing new");
        ticket.sections.push(Section::new(SectionKind::Comment, "It does not help."));
        assert!(!held.still_answers(&ticket));
    }
}
