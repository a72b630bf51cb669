//! What of the past do forecasts count? Incidents and service requests with their service, category, priority and moments.

use std::collections::BTreeMap;

use engine::{Desk, DeskError, Thing};
use jiff::Timestamp;
use ontology::{Kind, RecordId, Scope};
use serde::{Deserialize, Serialize};

/// What tickets are counted together by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", content = "name", rename_all = "snake_case")]
pub enum Group {
    /// All of the desk.
    All,
    /// A service that they hit.
    Service(String),
    /// Their category.
    Category(String),
}

/// A ticket of the past, or one that is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Past {
    pub(super) ticket: RecordId,
    pub(super) title: String,
    pub(super) at: Timestamp,
    /// When it was solved, where it is.
    pub(super) resolved: Option<Timestamp>,
    /// Whether somebody still has to solve it.
    pub(super) is_open: bool,
    pub(super) priority: Option<u8>,
    pub(super) services: Vec<String>,
    pub(super) category: Option<String>,
    pub(super) things: Vec<Thing>,
}

impl Past {
    /// What it is counted by.
    pub(super) fn groups(&self) -> Vec<Group> {
        let services = self.services.iter().cloned().map(Group::Service);
        let category = self.category.iter().cloned().map(Group::Category);
        services.chain(category).chain([Group::All]).collect()
    }
}

/// The tickets that a scope sees up to a moment, the earliest first.
pub(super) fn past(desk: &Desk, scope: &Scope, now: Timestamp) -> Result<Vec<Past>, DeskError> {
    let mut services: BTreeMap<Thing, Option<String>> = BTreeMap::new();
    let mut past = Vec::new();
    for arrival in desk.arrivals(scope, usize::MAX)? {
        if !matches!(arrival.kind, Kind::Incident | Kind::ServiceRequest) || arrival.at > now {
            continue;
        }
        let Some(seen) = desk.record(scope, &arrival.record, None)? else { continue };
        let mut hit = Vec::new();
        for thing in &arrival.things {
            if !services.contains_key(thing) {
                services.insert(thing.clone(), service(desk, scope, thing)?);
            }
            hit.extend(services.get(thing).cloned().flatten());
        }
        let solved = arrival.state.is_some_and(ontology::State::is_resolved);
        // Closed without a date of its own, it was solved when it last changed.
        let resolved = arrival.resolved.or(arrival.modified.filter(|_| solved));
        past.push(Past {
            ticket: arrival.record,
            title: seen.record.title,
            at: arrival.at,
            resolved: resolved.filter(|resolved| *resolved <= now && *resolved >= arrival.at),
            is_open: resolved.is_some_and(|resolved| resolved > now)
                || arrival.state.is_none_or(|state| !solved && state != ontology::State::Cancelled),
            priority: seen.record.priority,
            services: hit,
            category: seen.record.category.first().cloned(),
            things: arrival.things,
        });
    }
    Ok(past)
}

/// What a service is called; nothing of other things.
fn service(desk: &Desk, scope: &Scope, thing: &Thing) -> Result<Option<String>, DeskError> {
    let Thing::Known(id) = thing else { return Ok(None) };
    let record = desk.record(scope, id, None)?.map(|seen| seen.record);
    Ok(record.filter(|record| record.kind == Kind::Service).map(|record| record.title))
}
