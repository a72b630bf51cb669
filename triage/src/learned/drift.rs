//! Is what the models see and say still what they were measured on, and do people still agree?
//!
//! The population stability index compares shares then and now: Σ (now − then) · ln(now / then) over all bins. By the usual rule of
//! credit scoring, below 0.1 nothing has changed, above 0.25 it is another population.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Desk, Item};
use jiff::Timestamp;
use ontology::{Scope, State};
use serde::Serialize;

use super::train::share;
use super::{LearnedError, Opinion, Reference, Registry, Stage, Task, Version};
use crate::evidence::Gather;
use crate::policy::PersonId;
use crate::result::Triage;
use crate::workflow::TRIAGE;

/// The index above which a population is another one.
const OTHER: f64 = 0.25;
/// A share below which a bin counts as this much, so that an empty one is no infinity.
const FLOOR: f64 = 0.005;
/// Tickets from which a change is told.
const HEARD: usize = 100;
/// Decided tickets from which a precision is told, and how far it may lie below the one that was measured.
const DECIDED: usize = 30;
const PRECISION_GAP: f64 = 0.10;
/// The latest tickets that are looked at.
const LATEST: usize = 1_000;
/// Items that are read together.
const PAGE: u32 = 500;
/// Who acts where nobody does.
const WATCH: &str = "drift-watch";

/// How the models that are heard do now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// One for each version that is heard.
    pub tasks: Vec<TaskDrift>,
}

/// How one version does now, on the latest tickets that it gave an opinion on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskDrift {
    /// What it tells.
    pub task: Task,
    /// Its number.
    pub version: u32,
    /// Tickets it was heard on.
    pub heard: usize,
    /// Stability of what it says: labels, and how sure it is.
    pub labels_psi: f64,
    /// As above.
    pub confidence_psi: f64,
    /// Stability of what it reads: words of a ticket, and where tickets come from.
    pub length_psi: f64,
    /// As above.
    pub sources_psi: f64,
    /// Tickets it was sure of that people have resolved since.
    pub decided: usize,
    /// The share of these on which people decided the same.
    pub precision: f64,
    /// What is wrong, in words; nothing when all is well.
    pub alarms: Vec<String>,
}

impl Registry {
    /// Looks how the versions that are heard do now.
    ///
    /// # Errors
    /// When the desk or its store cannot be read.
    pub fn drift(&self, desk: &Desk, scope: &Scope, now: Timestamp) -> Result<Drift, LearnedError> {
        let is_heard =
            |version: &Version| matches!(version.stage, Stage::Shadow | Stage::Canary | Stage::Active);
        let heard: Vec<Version> = self.versions()?.into_iter().filter(is_heard).collect();
        let mut tasks = Vec::with_capacity(heard.len());
        if heard.is_empty() {
            return Ok(Drift { tasks });
        }
        let latest = latest(desk)?;
        for version in heard {
            tasks.push(look(desk, scope, &version, &latest, now)?);
        }
        Ok(Drift { tasks })
    }

    /// Looks how the versions do, and brings those with an alarm back to shadow: agents then only suggest until people bring a
    /// version of the task further, or roll back.
    ///
    /// # Errors
    /// When the desk or its store cannot be read or written.
    pub fn watch(&self, desk: &Desk, scope: &Scope, now: Timestamp) -> Result<Vec<String>, LearnedError> {
        let mut said = Vec::new();
        for drift in self.drift(desk, scope, now)?.tasks {
            let version = self.version(drift.task, drift.version)?;
            if drift.alarms.is_empty() || version.stage == Stage::Shadow {
                continue;
            }
            let (task, number, why) = (drift.task, drift.version, drift.alarms.join("; "));
            self.fall_back(&version, &PersonId::new(WATCH), now)?;
            said.push(format!("version {number} of {task} counts no more, agents only suggest: {why}"));
        }
        Ok(said)
    }
}

/// The latest opinions, with their tickets.
fn latest(desk: &Desk) -> Result<Vec<Triage>, LearnedError> {
    let store = desk.store();
    let mut latest: BTreeMap<(Timestamp, String), Triage> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let items = store.items(TRIAGE, None, &after, PAGE)?;
        let Some(last) = items.last() else { break };
        after.clone_from(&last.key);
        for Item { key, body, .. } in items {
            // What was purged or written by another version tells nothing.
            let Ok(triage) = serde_json::from_slice::<Triage>(&body) else { continue };
            if !triage.opinions.is_empty() {
                latest.insert((triage.triaged, key), triage);
            }
            if latest.len() > LATEST {
                latest.pop_first();
            }
        }
    }
    Ok(latest.into_values().collect())
}

fn look(
    desk: &Desk,
    scope: &Scope,
    version: &Version,
    latest: &[Triage],
    now: Timestamp,
) -> Result<TaskDrift, LearnedError> {
    let mut gather = Gather::new(desk, scope, now);
    let mut seen = Reference::default();
    let (mut heard, mut decided, mut right) = (0, 0, 0);
    for triage in latest {
        let is_its = |opinion: &&Opinion| opinion.task == version.task && opinion.digest == version.digest;
        let Some(opinion) = triage.opinions.iter().find(is_its) else { continue };
        heard += 1;
        seen.count_read(&opinion.label, opinion.probability, opinion.read, triage.ticket.source());
        if !opinion.is_sure {
            continue;
        }
        let Some(record) = gather.record(&triage.ticket)? else { continue };
        if !record.state.is_some_and(State::is_resolved) {
            continue;
        }
        if let Some(label) = version.task.label_of(&mut gather, &record)? {
            decided += 1;
            right += usize::from(label == opinion.label);
        }
    }
    let (then, seen) = (&version.reference, seen.shares());
    let mut drift = TaskDrift {
        task: version.task,
        version: version.number,
        heard,
        labels_psi: psi(&then.labels, &seen.labels),
        confidence_psi: psi(&then.confidence, &seen.confidence),
        length_psi: psi(&then.length, &seen.length),
        sources_psi: psi(&then.sources, &seen.sources),
        decided,
        precision: share(right, decided),
        alarms: Vec::new(),
    };
    drift.alarms = alarms(&drift, version);
    Ok(drift)
}

fn alarms(drift: &TaskDrift, version: &Version) -> Vec<String> {
    let mut alarms = Vec::new();
    let indexes = [
        ("what it says", drift.labels_psi),
        ("how sure it is", drift.confidence_psi),
        ("how long tickets are", drift.length_psi),
        ("where tickets come from", drift.sources_psi),
    ];
    for (what, psi) in indexes.into_iter().filter(|(_, psi)| drift.heard >= HEARD && *psi > OTHER) {
        alarms.push(format!("{what} has changed (stability index {psi:.2}, alarm above {OTHER})"));
    }
    let wanted = version.sure.precision - PRECISION_GAP;
    if drift.decided >= DECIDED && drift.precision < wanted {
        let (precision, measured) = (drift.precision, version.sure.precision);
        alarms.push(format!(
            "people agreed with {precision:.2} of what it was sure of, {measured:.2} was measured"
        ));
    }
    alarms
}

/// The population stability index; 0 where nothing was seen.
pub(super) fn psi(then: &BTreeMap<String, f64>, now: &BTreeMap<String, f64>) -> f64 {
    if now.is_empty() || then.is_empty() {
        return 0.0;
    }
    let bins: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let at = |shares: &BTreeMap<String, f64>, bin: &String| {
        shares.get(bin).map_or(FLOOR, |share| share.max(FLOOR))
    };
    bins.into_iter().map(|bin| (at(now, bin) - at(then, bin)) * (at(now, bin) / at(then, bin)).ln()).sum()
}
