//! What does an event say of its ticket, where in a trace is the work on it, and would a later try do better with one that failed?

use engine::Desk;
use ontology::{Record, Scope, State};
use tracing::Span;

use super::WorkflowError;
use crate::event::{Event, EventKind};

/// The ticket as the event says it is: the record it carries, or what the desk has, in another state; nothing where it says nothing new.
pub(super) fn observed(desk: &Desk, scope: &Scope, event: &Event) -> Result<Option<Record>, WorkflowError> {
    if event.record.is_some() {
        return Ok(event.record.clone());
    }
    let state = match event.kind {
        EventKind::Closed => State::Closed,
        EventKind::AlertResolved => State::Resolved,
        EventKind::Reopened | EventKind::AlertFiring => State::InProgress,
        EventKind::Created | EventKind::Updated | EventKind::Feedback => return Ok(None),
    };
    let kept = desk.record(scope, &event.ticket, None)?;
    Ok(kept.map(|kept| Record { state: Some(state), ..kept.record }))
}

impl Event {
    /// The span of the work on it.
    pub(super) fn span(&self) -> Span {
        tracing::info_span!(
            "ticket",
            ticket = %self.ticket,
            correlation = self.correlation,
            event = self.kind.as_str(),
            traceparent = self.traceparent,
            "error.type" = tracing::field::Empty,
        )
    }

    /// Whether no later try would do better: what people tell of what is not there.
    pub(super) fn is_hopeless(&self, error: &WorkflowError) -> bool {
        use WorkflowError::{Event, NoSuchProposal, NoSuchTicket};
        self.told.is_some() && matches!(error, Event { .. } | NoSuchProposal { .. } | NoSuchTicket { .. })
    }
}
