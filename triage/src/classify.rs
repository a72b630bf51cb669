//! What category, priority and team does a ticket get? Votes of its neighbours, of the graph, and the ITIL matrix.

use std::collections::BTreeMap;

use engine::{DeskError, FactKind};
use ontology::{Kind, Record, RecordId, Relation};

use crate::evidence::{Evidence, Gather};
use crate::finding::Neighbour;
use crate::learned::{Opinion, Task, settle};
use crate::page::Chosen;
use crate::result::{Affected, Decision};

/// Weight of doubt in every vote: one near neighbour alone is 60 % sure, three that agree are 80 %.
const DOUBT: f64 = 0.6;
/// Below this a vote says nothing.
const LEAST_CONFIDENCE: f64 = 0.2;
/// Voices for the team, beside 1 for the nearest solved ticket. The owner of what is hit is a voice among several: who
/// runs a database is not who fixes the application that holds its locks.
const OWNER_OF_ITEM: f64 = 0.5;
const OWNER_OF_PAGE: f64 = 0.8;
const NAMED_ALERT: f64 = 1.5;
/// All teams together that worked on earlier tickets in the same place (`triage_figures`: 176 of 200 without, 179 with).
const SAME_PLACE: f64 = 0.8;

/// A vote: weights by value, with who spoke for it.
#[derive(Default)]
struct Vote<T> {
    voices: BTreeMap<T, Vec<Voice>>,
}

struct Voice {
    weight: f64,
    why: &'static str,
    /// How people call what speaks.
    name: String,
    record: RecordId,
}

impl<T: Ord + Clone> Vote<T> {
    fn add(&mut self, value: T, weight: f64, why: &'static str, record: &RecordId) {
        self.add_named(value, weight, why, record, record.external());
    }

    fn add_named(&mut self, value: T, weight: f64, why: &'static str, record: &RecordId, name: &str) {
        let voice = Voice { weight, why, name: name.to_owned(), record: record.clone() };
        self.voices.entry(value).or_default().push(voice);
    }

    /// The value with the greatest weight; its share, with doubt as a voice against all.
    fn decide(self, nobody: &str) -> Decision<T> {
        let sum = |voices: &[Voice]| voices.iter().map(|voice| voice.weight).sum::<f64>();
        let all: f64 = self.voices.values().map(|voices| sum(voices)).sum();
        let best = self
            .voices
            .into_iter()
            .max_by(|a, b| sum(&a.1).total_cmp(&sum(&b.1)).then_with(|| b.0.cmp(&a.0)));
        let Some((value, mut voices)) = best else { return Decision::none(nobody) };
        let confidence = sum(&voices) / (all + DOUBT);
        if confidence < LEAST_CONFIDENCE {
            return Decision::none(nobody);
        }
        voices.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.record.cmp(&b.record)));
        let why = reasons(&voices);
        let evidence = voices.into_iter().map(|voice| voice.record).collect();
        Decision { value: Some(value), confidence, why, evidence }
    }
}

/// Equal reasons in one line, with the names of what gives them.
fn reasons(voices: &[Voice]) -> Vec<String> {
    const SHOWN: usize = 4;
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for voice in voices {
        match lines.iter_mut().find(|(line, _)| *line == voice.why) {
            Some((_, names)) => names.push(&voice.name),
            None => lines.push((voice.why, vec![&voice.name])),
        }
    }
    let line = |(why, names): (&str, Vec<&str>)| {
        let more = names.len().saturating_sub(SHOWN);
        let shown = names[..names.len() - more].join(", ");
        if more > 0 { format!("{why}: {shown} and {more} more") } else { format!("{why}: {shown}") }
    };
    lines.into_iter().map(line).collect()
}

/// Category and sub-category, by vote or by a model that counts; a path that begins with the model's category agrees with it.
pub(crate) fn category(ticket: &Record, evidence: &Evidence, opinions: &[Opinion]) -> Decision<Vec<String>> {
    let voted = voted_category(ticket, evidence);
    let begins = |path: &Vec<String>, label: &str| path.first().is_some_and(|first| first == label);
    settle(voted, Task::Category, opinions, |label| Some(vec![label.to_owned()]), begins)
}

/// Priority by impact × urgency where both are known, else by vote, or by a model that counts.
pub(crate) fn priority(ticket: &Record, evidence: &Evidence, opinions: &[Opinion]) -> Decision<u8> {
    let (decided, is_given) = voted_priority(ticket, evidence);
    if is_given {
        return decided;
    }
    settle(
        decided,
        Task::Priority,
        opinions,
        |label| label.parse().ok(),
        |own, label| own.to_string() == label,
    )
}

/// A team by vote, or by a model that counts.
pub(crate) fn heard(team: Decision<String>, opinions: &[Opinion]) -> Decision<String> {
    settle(team, Task::Team, opinions, |label| Some(label.to_owned()), |team, label| team == label)
}

/// Category and sub-category, by the solved tickets of the ticket's own system.
fn voted_category(ticket: &Record, evidence: &Evidence) -> Decision<Vec<String>> {
    let voters: Vec<&Neighbour> = evidence
        .neighbours
        .iter()
        .filter(|neighbour| neighbour.record.kind == Kind::Incident || neighbour.record.kind == ticket.kind)
        .filter(|neighbour| !neighbour.record.category.is_empty())
        .collect();
    let source = vocabulary(ticket, &voters);
    let mut top = Vote::default();
    let mut sub: BTreeMap<String, Vote<Vec<String>>> = BTreeMap::new();
    for neighbour in voters.iter().filter(|neighbour| Some(neighbour.id().source()) == source) {
        let Some(first) = neighbour.record.category.first() else { continue };
        let why = "category of like tickets";
        top.add(first.clone(), neighbour.weight, why, neighbour.id());
        let path = neighbour.record.category.clone();
        sub.entry(first.clone()).or_default().add(path, neighbour.weight, why, neighbour.id());
    }
    let top = top.decide("no earlier ticket is near enough to tell a category");
    let Some(first) = &top.value else { return top_of(top) };
    let Some(sub) = sub.remove(first) else { return top_of(top) };
    // The sub-category is decided among those of the winning category; how sure the category is holds for both.
    let sub = sub.decide("no sub-category");
    if sub.value.is_none() { top_of(top) } else { Decision { confidence: top.confidence, ..sub } }
}

fn top_of(top: Decision<String>) -> Decision<Vec<String>> {
    Decision {
        value: top.value.map(|value| vec![value]),
        confidence: top.confidence,
        why: top.why,
        evidence: top.evidence,
    }
}

/// Systems name categories in their own way: the ticket's system decides, else the one with the most weight.
fn vocabulary<'a>(ticket: &'a Record, voters: &[&'a Neighbour]) -> Option<&'a str> {
    let own = ticket.id.source();
    if voters.iter().any(|neighbour| neighbour.id().source() == own) {
        return Some(own);
    }
    let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
    for neighbour in voters {
        *weights.entry(neighbour.id().source()).or_default() += neighbour.weight;
    }
    weights
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(a.0)))
        .map(|(source, _)| source)
}

/// Priority by impact × urgency (ITIL's matrix: impact 1 and urgency 1 give 1, each step down gives one more), else by neighbours;
/// and whether impact and urgency gave it.
fn voted_priority(ticket: &Record, evidence: &Evidence) -> (Decision<u8>, bool) {
    if let (Some(impact), Some(urgency)) = (ticket.impact, ticket.urgency) {
        let priority = (impact + urgency).saturating_sub(1).clamp(1, 5);
        let why = vec![format!("impact {impact} and urgency {urgency} give priority {priority}")];
        let evidence = vec![ticket.id.clone()];
        return (Decision { value: Some(priority), confidence: 1.0, why, evidence }, true);
    }
    let mut vote = Vote::default();
    for neighbour in &evidence.neighbours {
        if let (Some(priority), Kind::Incident) = (neighbour.record.priority, neighbour.record.kind) {
            vote.add(priority, neighbour.weight, "priority of like tickets", neighbour.id());
        }
    }
    let mut decision = vote.decide("neither impact and urgency nor like tickets tell a priority");
    if decision.value.is_some() {
        decision.why.push("impact or urgency is missing: set them to be sure".to_owned());
    }
    (decision, false)
}

/// Who worked on like tickets, who owns what is hit and the page, and whom the alert calls.
pub(crate) fn team(
    gather: &mut Gather<'_>,
    evidence: &Evidence,
    page: Option<&Chosen<'_>>,
    affected: &[Affected],
) -> Result<Decision<String>, DeskError> {
    let mut vote = Vote::default();
    for neighbour in &evidence.neighbours {
        if let Some(team) = gather.team(&neighbour.record, Relation::AssignedTo)? {
            vote.add(team, neighbour.weight, "worked on like tickets", neighbour.id());
        }
    }
    for (id, name, share) in evidence.precedents.teams() {
        vote.add_named(name.to_owned(), SAME_PLACE * share, "worked on what is hit", id, name);
    }
    for item in affected {
        if let Some(owner) = &item.owner {
            let share = OWNER_OF_ITEM / affected.len() as f64;
            vote.add_named(owner.clone(), share, "owns what is hit", &item.record, &item.name);
        }
    }
    if let Some(chosen) = page
        && let Some(owner) = gather.team(&chosen.page.record, Relation::OwnedBy)?
    {
        let weight = OWNER_OF_PAGE * chosen.confidence();
        vote.add(owner, weight, "owns the page", &chosen.page.record.id);
    }
    for alert in evidence.alerts.iter().filter(|alert| alert.is_named) {
        if let Some(team) = gather.team(&alert.record, Relation::AssignedTo)? {
            let (id, title) = (&alert.record.id, &alert.record.title);
            vote.add_named(team, NAMED_ALERT, "is called by the alert", id, title);
        }
    }
    Ok(vote.decide("nobody worked on a ticket like this, and nothing that is hit has an owner"))
}

/// What is hit, with its owner, from the graph.
pub(crate) fn affected(gather: &Gather<'_>, evidence: &Evidence) -> Result<Vec<Affected>, DeskError> {
    let facts = &evidence.tickets.facts;
    let mut affected = Vec::new();
    for fact in facts.iter().filter(|fact| fact.kind == FactKind::Affected) {
        let owner = facts.iter().find(|owner| owner.kind == FactKind::Owner && owner.subject == fact.object);
        let owner =
            owner.map(|owner| gather.record(&owner.object)).transpose()?.flatten().map(|team| team.title);
        // What it may not read, it does not know of.
        let Some(item) = gather.record(&fact.object)? else { continue };
        affected.push(Affected { record: fact.object.clone(), name: item.title, owner });
    }
    Ok(affected)
}
