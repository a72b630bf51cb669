//! What do connectors hear? Each deed that is done, and how each step of a runbook ended, in the outbox.

use engine::Batch;
use jiff::Timestamp;

use super::status::TicketStatus;
use super::{WorkflowError, written};
use crate::proposal::Arguments;
use crate::runbook::Run;

/// The journal of what connectors have to deliver.
pub(crate) const OUTBOX: &str = "outbox";

/// What a connector has to deliver.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    /// The ticket.
    pub ticket: ontology::RecordId,
    /// Content hash of the revision that it was made for, in hex.
    pub revision: String,
    /// What is done.
    #[serde(flatten)]
    pub arguments: Arguments,
    /// Who lets it be done: policies, or people.
    pub by: String,
    /// The major incident that this was made for, where the ticket gets what its lead got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<ontology::RecordId>,
    /// Of a step of a runbook: how it ended. The desk's executor did it; a connector only tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// Tells connectors of a deed.
pub(crate) fn order(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    arguments: Arguments,
    (by, major): (&str, Option<&ontology::RecordId>),
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let (ticket, revision) = (status.ticket.clone(), status.revision.clone());
    let order = Order { ticket, revision, arguments, by: by.to_owned(), major: major.cloned(), run: None };
    order.put(batch, now)
}

/// Tells connectors how a step of a runbook ended.
pub(crate) fn order_run(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    arguments: Arguments,
    (by, run): (&str, Run),
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let (ticket, revision) = (status.ticket.clone(), status.revision.clone());
    let order = Order { ticket, revision, arguments, by: by.to_owned(), major: None, run: Some(run) };
    order.put(batch, now)
}

impl Order {
    fn put(&self, batch: &mut Batch<'_>, now: Timestamp) -> Result<(), WorkflowError> {
        let deed = self.arguments.deed();
        batch.append(OUTBOX, deed.as_str(), Some(&self.ticket), &written(self)?, now)?;
        Ok(())
    }
}
