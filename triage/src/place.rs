//! Which teams worked on earlier tickets in the same place? The desk's precedents, as voices for a team.

use engine::{DeskError, Precedent, PrecedentRequest, Sought, Subject};
use ontology::{Record, RecordId};

use crate::evidence::Gather;

/// The teams of a ticket's precedents.
pub(crate) struct Precedents(Vec<Precedent>);

impl Precedents {
    pub(crate) fn of(gather: &Gather<'_>, ticket: &Record) -> Result<Self, DeskError> {
        let request = PrecedentRequest::new(Subject::Ticket(Box::new(ticket.clone())), Sought::Team);
        gather.desk.precedents(gather.scope, &request).map(|answer| Self(answer.found))
    }

    /// Teams by their titles, and the share of such tickets that they worked on.
    pub(crate) fn teams(&self) -> impl Iterator<Item = (&RecordId, &str, f64)> {
        self.0.iter().filter_map(|precedent| {
            Some((precedent.record.as_ref()?, precedent.name.as_str(), precedent.share))
        })
    }
}
