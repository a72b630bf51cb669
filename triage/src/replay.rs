//! What would the desk, as it is configured, have done with the tickets of the past? They come again in their order into an empty
//! desk, each sees only what was known then, and what agents do is held against what people did.
//!
//! Configuration items, services, teams, alerts and people are there from the start. A page comes when it was created, with the text
//! that it has now: how often it was changed after the ticket is told. A ticket comes as it came in, without what people wrote or
//! decided later, and as it is now at the moment when it was resolved. The desk's own models are not asked: they learnt from these
//! very tickets.

mod compare;
mod report;
mod timeline;

use engine::Desk;
use jiff::Timestamp;
use ontology::{Lineage, Observation, Record, RecordId, Scope};

use crate::agent::TriageOptions;
use crate::event::{Event, EventKind};
use crate::workflow::{TurnOptions, Workflow, WorkflowError};

use compare::Past;
use timeline::{Step, timeline};

pub use compare::Replayed;
pub use report::{REPLAY_SCHEMA, Replay, Tally, Totals};

/// Which tickets come again.
#[derive(Debug, Clone, Copy)]
pub struct ReplayOptions {
    /// The latest so many; earlier ones are what they can be held against.
    pub latest: usize,
}

/// Has the tickets of `past` come again into `fresh`, an empty desk of the same tenant whose workflow this is.
///
/// `tell` hears of each ticket, with how many there are.
///
/// # Errors
/// When a desk cannot be read or written.
pub fn replay(
    past: (&Desk, &Scope),
    fresh: &Desk,
    workflow: &Workflow,
    options: ReplayOptions,
    now: Timestamp,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Replay, WorkflowError> {
    let (desk, scope) = past;
    let (steps, generation) = timeline(desk, scope, options.latest)?;
    let count = steps.iter().filter(|(_, step)| matches!(step, Step::Asked(_))).count();
    let fresh_scope = Scope::operator(fresh.tenant().clone());
    let options =
        TurnOptions { scope: &fresh_scope, triage: TriageOptions::default(), threads: 1, tickets: 1 };
    let mut past = Past::new(desk, scope, now);
    let mut waiting: Vec<Observation> = Vec::new();
    let mut replayed = Vec::with_capacity(count);
    for (moment, step) in steps {
        let ticket = match step {
            Step::Known(record) => {
                waiting.push(observation(*record, moment));
                continue;
            }
            Step::Asked(ticket) => *ticket,
        };
        fresh.apply(std::mem::take(&mut waiting))?;
        let id = ticket.id.clone();
        workflow.accept(&[event(ticket, moment)], moment)?;
        let turn = workflow.turn(fresh, &options, moment)?;
        let warnings = turn.warnings.into_iter().map(|warning| warning.text).collect();
        replayed.push(past.compare(workflow, &id, moment, warnings)?);
        tell(replayed.len(), count);
    }
    Ok(Replay::new(workflow.policies().current().version(), generation, replayed, now))
}

fn observation(record: Record, observed: Timestamp) -> Observation {
    let lineage =
        Lineage { origin: "replay".to_owned(), place: None, mapping: "replay".to_owned(), observed };
    Observation::unversioned(record, lineage)
}

fn event(ticket: Record, at: Timestamp) -> Event {
    Event {
        id: ticket.id.as_str().to_owned(),
        source: "replay".to_owned(),
        kind: EventKind::Created,
        at,
        correlation: format!("replay-{}", ticket.id),
        traceparent: None,
        ticket: RecordId::clone(&ticket.id),
        record: Some(ticket),
        told: None,
    }
}
