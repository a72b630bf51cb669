//! Which steps of the runbook that leads a triage can a machine do? Its lines in their order, up to the first that cannot be done here, with why.

use std::collections::BTreeSet;

use engine::{Desk, DeskError};
use ontology::{Kind, Record, RecordId, Reference, Relation, Scope, SectionKind, Span};

use super::actions::{Executor, Hit};
use super::line::{self, Line};
use super::{Call, Step};
use crate::page::LIKELY;
use crate::result::{StepTrace, Triage};
use crate::workflow::revision;

/// What of a runbook a machine can do for a ticket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// The steps, in order.
    pub(crate) steps: Vec<Step>,
    /// What the ticket's own fields say is hit.
    pub(crate) hit: Hit,
}

/// Looks through the runbook that leads a triage, and tells the triage what it found.
///
/// Only a runbook counts that leads an answer, is no guess, and whose time has not passed: never an article, an earlier ticket, or the ticket itself.
///
/// # Errors
/// When the desk cannot be read.
pub(crate) fn find(
    desk: &Desk,
    scope: &Scope,
    executor: &Executor,
    ticket: Option<&Record>,
    triage: Option<&mut Triage>,
) -> Result<Found, DeskError> {
    let (Some(ticket), Some(triage), false) = (ticket, triage, executor.is_empty()) else {
        return Ok(Found::default());
    };
    let hit = hit(desk, scope, ticket)?;
    let leads = triage.answer.as_ref().is_some_and(|answer| answer.precedent.is_none());
    let page = triage.page.as_ref().filter(|page| leads && page.kind == Kind::Runbook && !page.expired);
    let is_guess = page.is_some_and(|page| page.confidence < LIKELY);
    let runbook = page.map(|page| desk.record(scope, &page.record, None)).transpose()?.flatten();
    let is_good = |record: &Record| record.kind == Kind::Runbook && !record.is_expired(triage.triaged);
    let Some(runbook) = runbook.map(|seen| seen.record).filter(is_good) else {
        return Ok(Found { hit, ..Found::default() });
    };
    let (mut steps, mut why) = steps_of(&runbook, executor, &hit);
    if is_guess && why.is_some() {
        // People compare first; where they go by it, they do so by hand.
        steps.clear();
        why = Some("its lines for a machine are for people: that this runbook fits is a guess".to_owned());
    }
    if let Some(why) = why {
        let used = runbook.id.as_str().to_owned();
        triage.steps.push(StepTrace { step: "runbook".to_owned(), used, why });
    }
    Ok(Found { steps, hit })
}

/// What a ticket's own fields say is hit: by links that its source gave, by the names that the graph has, and by nothing that a text mentions.
///
/// # Errors
/// When the desk cannot be read.
pub(crate) fn hit(desk: &Desk, scope: &Scope, ticket: &Record) -> Result<Hit, DeskError> {
    let mut targets: BTreeSet<RecordId> = BTreeSet::new();
    for link in ticket.links.iter().filter(|link| link.relation == Relation::Affects) {
        match &link.target {
            Reference::Record(id) => {
                targets.insert(id.clone());
            }
            Reference::Name(name) => targets.extend(desk.find(scope, name)?),
        }
    }
    let mut hit = Hit { ticket: ticket.id.external().to_owned(), ..Hit::default() };
    for id in targets {
        let Some(thing) = desk.record(scope, &id, None)?.map(|seen| seen.record) else { continue };
        match thing.kind {
            Kind::ConfigurationItem => hit.items.insert(thing.title),
            Kind::Service => hit.services.insert(thing.title),
            _ => false,
        };
    }
    Ok(hit)
}

/// The steps that can be done, and what to tell where the runbook has any.
fn steps_of(runbook: &Record, executor: &Executor, hit: &Hit) -> (Vec<Step>, Option<String>) {
    let lines = lines(runbook);
    if lines.is_empty() {
        return (Vec::new(), None);
    }
    let (revision, of) = (revision(runbook), lines.len() as u32);
    let mut steps = Vec::new();
    for ((section, span, line), number) in lines.into_iter().zip(1..) {
        let step = line.and_then(|line| {
            let call = checked(&line.call.fill(hit)?, executor, hit)?;
            let undo = line.undo.map(|undo| checked(&undo.fill(hit)?, executor, hit)).transpose()?;
            Ok(Step {
                runbook: runbook.id.clone(),
                runbook_revision: revision.clone(),
                section,
                span,
                number,
                of,
                call,
                undo,
                undoes: None,
                executor: executor.version.clone(),
            })
        });
        match step {
            Ok(step) => steps.push(step),
            Err(problem) => {
                // Those behind it rest on it.
                return (
                    steps,
                    Some(format!("line {number} of {of} for a machine is for people: {problem}")),
                );
            }
        }
    }
    (steps, Some(format!("{of} of its lines can be done by the executor, once people approve")))
}

fn checked(call: &Call, executor: &Executor, hit: &Hit) -> Result<Call, String> {
    executor.check(call, hit).map(|_| call.clone())
}

/// The lines for a machine in a runbook's steps, with their places; not in what somebody has remarked on it.
fn lines(runbook: &Record) -> Vec<(u16, Span, Result<Line, String>)> {
    let mut found = Vec::new();
    for (index, section) in (0_u16..).zip(&runbook.sections) {
        if section.kind != SectionKind::Steps || section.author.is_some() {
            continue;
        }
        let mut start = 0;
        for whole in section.text.split_inclusive('\n') {
            let end = start + whole.trim_end().len();
            if let Some(line) = line::read(whole) {
                let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
                found.push((index, Span { start: place(start), end: place(end) }, line));
            }
            start += whole.len();
        }
    }
    found
}
