//! What is an earlier ticket, a page, an alert to the agent? The record, with what speaks for it.

use std::collections::BTreeSet;

use engine::RelatedTicket;
use ontology::{Record, RecordId};

use crate::fit::Fit;

/// An earlier ticket.
pub(crate) struct Neighbour {
    pub(crate) ticket: RelatedTicket,
    pub(crate) record: Record,
    /// Its vote, 0 to 1.
    pub(crate) weight: f64,
    /// How well it tells what the ticket tells.
    pub(crate) fit: Fit,
    /// Pages that it was solved with, by its links and by what its notes name.
    pub(crate) cites: BTreeSet<RecordId>,
    /// Where it names none: the page that tells its cause and solution.
    pub(crate) told_by: Option<RecordId>,
    /// Problems, changes and tickets that its source ties it to.
    pub(crate) tied: BTreeSet<RecordId>,
}

impl Neighbour {
    pub(crate) fn id(&self) -> &RecordId {
        &self.record.id
    }

    /// The pages that solve it, named or not.
    pub(crate) fn solved_with(&self) -> impl Iterator<Item = &RecordId> {
        self.cites.iter().chain(&self.told_by)
    }

    pub(crate) fn is_solved(&self) -> bool {
        self.record.state.is_some_and(ontology::State::is_resolved)
    }
}

/// A runbook or article.
pub(crate) struct Page {
    pub(crate) record: Record,
    /// Fused score beside the best page's, 0 to 1.
    pub(crate) score: f64,
    pub(crate) cosine: Option<f64>,
    /// How well it tells what the ticket tells.
    pub(crate) fit: Fit,
    pub(crate) expired: bool,
    /// Services, items and alerts that it is about.
    pub(crate) documents: BTreeSet<RecordId>,
    /// Pages that it replaces.
    pub(crate) replaces: BTreeSet<RecordId>,
    /// Pages that it contradicts, by its own word or theirs.
    pub(crate) contradicts: BTreeSet<RecordId>,
}

/// An alert that the ticket names or describes.
pub(crate) struct Alert {
    pub(crate) record: Record,
    /// Whether the ticket gives its name.
    pub(crate) is_named: bool,
    /// Pages that it leads to.
    pub(crate) leads_to: BTreeSet<RecordId>,
}
