//! What was the life of a ticket? When it came, when somebody first answered, in which states it was, and when it was solved, told by its
//! revisions and by what the workflow did.

#[cfg(test)]
mod tests;

use engine::{History, PageRef, Told};
use jiff::Timestamp;
use ontology::{Kind, Record, RecordId, Reference, Relation, SectionKind, State};
use serde::Serialize;

use super::work::AgentWork;

/// A ticket's life, as far as the desk knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketLife {
    /// The ticket.
    pub ticket: RecordId,
    /// What it is.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// What people made of it in the end: its category.
    pub category: Vec<String>,
    /// 1 is highest, 5 lowest; where its source gives none, the one that agents or people gave it here.
    pub priority: Option<u8>,
    /// Who has or had it.
    pub team: Option<String>,
    /// When it came.
    pub created: Timestamp,
    /// The first sign that somebody works on it: a note by another than its reporter, a state that is not open any more, an answer or a team
    /// that agents gave it.
    pub responded: Option<Timestamp>,
    /// Its states in their order, the first since `created`.
    pub states: Vec<Spell>,
    /// How often it came back after it was solved.
    pub reopened: u32,
    /// How often it was handed on to another team or person; nothing where nobody can tell.
    pub handed_on: Option<u32>,
    /// Articles and runbooks that it was solved by.
    pub pages: Vec<PageRef>,
    /// What the desk's agents did about it; nothing where the workflow never had it.
    pub work: Option<AgentWork>,
}

/// A stretch of a ticket's life in one state, up to the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spell {
    /// From when.
    pub since: Timestamp,
    /// In which state.
    pub state: State,
    /// What its source calls the state.
    pub word: Option<String>,
}

impl TicketLife {
    /// The life of a ticket: its history, what agents did, and when they did the first thing that its caller sees.
    pub fn of(history: History, work: Option<AgentWork>) -> Option<Self> {
        let (first, last) = (history.revisions.first()?, history.revisions.last()?);
        let created = first.record.created.unwrap_or(first.observed);
        let states = states(&history.revisions, created);
        let back =
            states.windows(2).filter(|pair| pair[0].state.is_resolved() && !pair[1].state.is_resolved());
        let counted = number(&last.record, "reopen_count").unwrap_or(0);
        let reopened = counted.max(back.count() as u32);
        let responded = responded(&history.revisions, &states, created);
        let acknowledged = work.as_ref().and_then(|work| work.acknowledged);
        Some(Self {
            ticket: last.record.id.clone(),
            kind: last.record.kind,
            title: last.record.title.clone(),
            category: last.record.category.clone(),
            priority: last.record.priority.or(work.as_ref().and_then(|work| work.priority)),
            team: team(&last.record).map(str::to_owned),
            created,
            responded: responded.into_iter().chain(acknowledged).min().map(|moment| moment.max(created)),
            reopened,
            handed_on: handed_on(&history.revisions),
            states,
            pages: history.pages,
            work,
        })
    }

    /// The same as it was known at a moment; nothing where it had not come yet.
    pub fn as_of(&self, moment: Timestamp) -> Option<Self> {
        if self.created > moment {
            return None;
        }
        let mut life = self.clone();
        let came_back = |pair: &&[Spell]| {
            pair[0].state.is_resolved() && !pair[1].state.is_resolved() && pair[1].since > moment
        };
        let later = self.states.windows(2).filter(came_back).count();
        life.reopened = life.reopened.saturating_sub(later as u32);
        life.states.retain(|spell| spell.since <= moment);
        life.responded = life.responded.filter(|responded| *responded <= moment);
        if let Some(work) = &mut life.work {
            work.deeds.retain(|deed| deed.at <= moment);
        }
        life.work = life.work.filter(|work| work.received <= moment);
        Some(life)
    }

    /// Whether it was there just before a moment, and neither solved nor given up.
    pub fn is_open(&self, moment: Timestamp) -> bool {
        let spell = self.states.iter().rev().find(|spell| spell.since < moment);
        self.created < moment && spell.is_some_and(|spell| !spell.is_over())
    }

    /// When it was solved; nothing while it is not, or not any more.
    pub fn resolved(&self) -> Option<Timestamp> {
        let solved = self.states.iter().rev().take_while(|spell| spell.state.is_resolved());
        solved.last().map(|spell| spell.since)
    }

    /// When there was nothing left to do: solved or given up.
    pub fn ended(&self) -> Option<Timestamp> {
        self.states.iter().rev().take_while(|spell| spell.is_over()).last().map(|spell| spell.since)
    }
}

impl Spell {
    /// Whether nothing is left to do in it: solved or given up.
    pub fn is_over(&self) -> bool {
        self.state.is_resolved() || self.state == State::Cancelled
    }
}

fn states(revisions: &[Told], created: Timestamp) -> Vec<Spell> {
    let mut states: Vec<Spell> = vec![Spell { since: created, state: State::Open, word: None }];
    let mut before: Option<&Record> = None;
    for told in revisions {
        let record = &told.record;
        let word = record.attributes.get("state").cloned();
        let state = record.state.unwrap_or(State::Open);
        let last = states.last().map_or((created, State::Open), |spell| (spell.since, spell.state));
        let is_same = last.1 == state;
        if is_same
            && let Some(spell) = states.last_mut().filter(|spell| spell.word == word || before.is_none())
        {
            spell.word = word;
        } else {
            let is_new = |of: fn(&Record) -> Option<Timestamp>| {
                of(record).filter(|moment| before.and_then(of) != Some(*moment))
            };
            let solved =
                is_new(|record| record.resolved).filter(|_| state.is_resolved() && !last.1.is_resolved());
            let moment = solved.or(is_new(|record| record.modified)).unwrap_or(told.observed);
            // A source that tells of what was before the last thing it told is not believed.
            let since = if moment < last.0 { told.observed.max(last.0) } else { moment };
            states.push(Spell { since, state, word });
        }
        before = Some(record);
    }
    states
}

/// The first note by another than its reporter, or the first moment in which it was not open any more. To give a ticket up is no answer.
fn responded(revisions: &[Told], states: &[Spell], created: Timestamp) -> Option<Timestamp> {
    let left_open = states
        .iter()
        .find(|spell| !matches!(spell.state, State::Open | State::Cancelled))
        .map(|spell| spell.since);
    let notes = revisions.iter().flat_map(|told| {
        let reporter = linked(&told.record, Relation::ReportedBy);
        let is_note = |kind| matches!(kind, SectionKind::WorkNote | SectionKind::Comment);
        let notes = told.record.sections.iter().filter(move |section| is_note(section.kind));
        let by_others = notes.filter(move |note| note.author.is_some() && note.author.as_deref() != reporter);
        by_others.filter_map(|note| note.written).filter(|written| *written >= created)
    });
    left_open.into_iter().chain(notes).min()
}

/// As the source counts it, or by the teams of its revisions where the desk saw it before it was solved.
fn handed_on(revisions: &[Told]) -> Option<u32> {
    let last = revisions.last()?;
    if let Some(counted) = number(&last.record, "reassignment_count") {
        return Some(counted);
    }
    let is_followed = revisions.first()?.record.state.is_none_or(|state| !state.is_resolved());
    let mut teams: Vec<&str> = revisions.iter().filter_map(|told| team(&told.record)).collect();
    teams.dedup();
    is_followed.then(|| teams.len().saturating_sub(1) as u32)
}

fn number(record: &Record, attribute: &str) -> Option<u32> {
    record.attributes.get(attribute)?.trim().parse().ok()
}

fn team(record: &Record) -> Option<&str> {
    linked(record, Relation::AssignedTo)
}

fn linked(record: &Record, relation: Relation) -> Option<&str> {
    let link = record.links.iter().find(|link| link.relation == relation)?;
    Some(match &link.target {
        Reference::Record(id) => id.as_str(),
        Reference::Name(name) => name,
    })
}
