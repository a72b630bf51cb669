//! Where are a problem and a change in lives of their own, and what hangs on them?
//!
//! A problem gathers the incidents that go back to it and says whether it is a known error, and what helps until it is solved. A change
//! knows what it touches, when and at what risk, and which incidents came soon after it.

use std::collections::BTreeSet;

use engine::{Desk, DeskError, Way};
use jiff::Timestamp;
use ontology::{Kind, Record, RecordId, Relation, Scope, SectionKind, State};
use serde::{Deserialize, Serialize};

use crate::changed::NOTICED;

/// Relations around a record that are looked at.
const AROUND: usize = 2_000;
/// Tickets among which those after a change are looked for.
const NEWEST: usize = 20_000;

/// The course of a problem or a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "course", rename_all = "snake_case")]
pub enum Course {
    /// Of a problem.
    Problem(ProblemCourse),
    /// Of a change.
    Change(ChangeCourse),
}

/// A problem, and what it gathers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemCourse {
    /// Where it is.
    pub stage: ProblemStage,
    /// What is known of its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What helps until it is solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workaround: Option<String>,
    /// Incidents that go back to it.
    pub incidents: Vec<RecordId>,
    /// Of them those that nobody has solved yet.
    pub open: Vec<RecordId>,
    /// Changes that caused it or solve it.
    pub changes: Vec<RecordId>,
}

/// Where a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemStage {
    /// Nobody knows the cause.
    Investigated,
    /// The cause or a workaround is known; it is not solved.
    KnownError,
    /// It is solved.
    Solved,
    /// It is given up.
    GivenUp,
}

/// A change, and what it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeCourse {
    /// Where it is.
    pub stage: ChangeStage,
    /// What it changes.
    pub things: Vec<RecordId>,
    /// When it begins: as done, or as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Timestamp>,
    /// When it ends: as done, or as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// How risky, in its source's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// Incidents that a source says it caused.
    pub caused: Vec<RecordId>,
    /// Other incidents within three days after it, on what it changed or what rests on that.
    pub after: Vec<RecordId>,
}

/// Where a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStage {
    /// Its window has not begun.
    Planned,
    /// It is in its window.
    Underway,
    /// It is done.
    Done,
    /// It was given up.
    GivenUp,
}

/// The course of a ticket; nothing where it is no problem and no change.
///
/// # Errors
/// [`DeskError`] for another tenant's scope, or a damaged log.
pub fn course(
    desk: &Desk,
    scope: &Scope,
    ticket: &Record,
    now: Timestamp,
) -> Result<Option<Course>, DeskError> {
    match ticket.kind {
        Kind::Problem => problem(desk, scope, ticket).map(Course::Problem).map(Some),
        Kind::Change => change(desk, scope, ticket, now).map(Course::Change).map(Some),
        _ => Ok(None),
    }
}

/// Records of a kind that stand around a ticket by one of some relations, given by a source.
fn around(
    desk: &Desk,
    scope: &Scope,
    ticket: &Record,
    kinds: &[Kind],
) -> Result<Vec<(Record, Relation, bool)>, DeskError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for edge in desk.neighbours(scope, &ticket.id, AROUND)?.edges {
        let says =
            !matches!(edge.relation, Relation::Mentions | Relation::Affects) || kinds[0] != Kind::Incident;
        let edge_says = (edge.to.clone(), edge.relation, edge.reversed);
        if says && edge.relation != Relation::Mentions && !seen.contains(&edge_says) {
            let other = desk.record(scope, &edge.to, None)?.map(|seen| seen.record);
            if let Some(other) = other.filter(|other| kinds.contains(&other.kind)) {
                seen.insert(edge_says);
                found.push((other, edge.relation, edge.reversed));
            }
        }
    }
    found.sort_by(|a, b| a.0.id.cmp(&b.0.id));
    Ok(found)
}

fn problem(desk: &Desk, scope: &Scope, ticket: &Record) -> Result<ProblemCourse, DeskError> {
    let mut incidents = around(desk, scope, ticket, &[Kind::Incident, Kind::ServiceRequest])?;
    let mut changes = around(desk, scope, ticket, &[Kind::Change])?;
    for found in [&mut incidents, &mut changes] {
        found.dedup_by(|a, b| a.0.id == b.0.id);
    }
    let is_open =
        |record: &Record| matches!(record.state, Some(State::Open | State::InProgress | State::OnHold));
    let heading = |text: &str| text.to_lowercase().contains("workaround");
    let workaround = ticket.sections.iter().find(|section| heading(&section.heading));
    let cause = ticket.section(SectionKind::RootCause).map(|section| section.text.clone());
    let said = ticket.attributes.get("known_error").is_some_and(|said| said == "true" || said == "1");
    let stage = match ticket.state {
        Some(State::Resolved | State::Closed) => ProblemStage::Solved,
        Some(State::Cancelled) => ProblemStage::GivenUp,
        _ if said || (cause.is_some() && workaround.is_some()) => ProblemStage::KnownError,
        _ => ProblemStage::Investigated,
    };
    Ok(ProblemCourse {
        stage,
        cause,
        workaround: workaround.map(|section| section.text.clone()),
        open: incidents.iter().filter(|one| is_open(&one.0)).map(|one| one.0.id.clone()).collect(),
        incidents: incidents.into_iter().map(|one| one.0.id).collect(),
        changes: changes.into_iter().map(|one| one.0.id).collect(),
    })
}

fn change(desk: &Desk, scope: &Scope, ticket: &Record, now: Timestamp) -> Result<ChangeCourse, DeskError> {
    let moment = |names: [&str; 2]| {
        let said = names.iter().find_map(|name| ticket.attributes.get(*name));
        said.and_then(|text| read_moment(text))
    };
    let (begins, ends) = (moment(["work_start", "planned_start"]), moment(["work_end", "planned_end"]));
    let ends = ends.or(ticket.resolved);
    let stage = match ticket.state {
        Some(State::Cancelled) => ChangeStage::GivenUp,
        Some(State::Resolved | State::Closed) => ChangeStage::Done,
        _ if ends.is_some_and(|ends| ends <= now) => ChangeStage::Done,
        _ if begins.is_some_and(|begins| begins <= now) => ChangeStage::Underway,
        _ => ChangeStage::Planned,
    };
    let touched = around(desk, scope, ticket, &[Kind::ConfigurationItem, Kind::Service])?;
    let touched = touched.into_iter().filter(|one| one.1 == Relation::Affects && !one.2);
    let things: Vec<RecordId> = touched.map(|one| one.0.id).collect();
    let caused = around(desk, scope, ticket, &[Kind::Incident])?;
    let caused = caused.into_iter().filter(|one| one.2 && one.1 == Relation::CausedBy);
    let caused: Vec<RecordId> = caused.map(|one| one.0.id).collect();
    let after = match ends.or(begins).filter(|_| stage == ChangeStage::Done || stage == ChangeStage::Underway)
    {
        Some(done) => incidents_after(desk, scope, &things, done)?,
        None => Vec::new(),
    };
    Ok(ChangeCourse {
        stage,
        things,
        begins,
        ends,
        risk: ticket.attributes.get("risk").cloned(),
        after: after.into_iter().filter(|id| !caused.contains(id)).collect(),
        caused,
    })
}

fn incidents_after(
    desk: &Desk,
    scope: &Scope,
    things: &[RecordId],
    done: Timestamp,
) -> Result<Vec<RecordId>, DeskError> {
    let mut cone = BTreeSet::new();
    for thing in things {
        cone.extend(
            desk.reach(scope, thing, Way::NeededBy)?.into_iter().map(|(one, _)| engine::Thing::Known(one)),
        );
    }
    let until = done.saturating_add(NOTICED).unwrap_or(done);
    let arrivals = desk.arrivals(scope, NEWEST)?;
    let soon = arrivals.iter().filter(|one| one.kind == Kind::Incident && one.at > done && one.at <= until);
    Ok(soon
        .filter(|one| one.things.iter().any(|thing| cone.contains(thing)))
        .map(|one| one.record.clone())
        .collect())
}

/// A moment as sources write it: with a zone, or in UTC without one.
fn read_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
}
