//! Which page, or which team, solved what stood in the same place? Counts over earlier tickets on what is hit, without a word of text.
//!
//! A ticket stands in several **places**: its category, what lies around what it hits, each thing that it hits, and that
//! thing with the same impact and urgency. What solved the tickets of each place is counted, and the counts are blended
//! from the general place to the special one ([`blend`]), so that a place with few tickets leans on the wider one.

mod blend;
mod gather;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use ontology::{RecordId, Scope};
use serde::{Deserialize, Serialize};

use crate::bundle::Subject;
use crate::desk::{Desk, DeskError};
use crate::query::HITS_LIMIT;

use blend::{Tally, blend};
use gather::{Gather, Outcome};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sought {
    /// The article or runbook that solved them.
    Page,
    /// The team that worked on them.
    Team,
}

/// What precedents are asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrecedentRequest {
    /// The ticket. Of a text, the items and services that it names are all that counts.
    pub about: Subject,
    /// What is looked for.
    pub sought: Sought,
    /// How many, 1 to [`HITS_LIMIT`].
    pub limit: usize,
    /// As of what was known at a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

impl PrecedentRequest {
    /// The ten likeliest.
    pub fn new(about: Subject, sought: Sought) -> Self {
        Self { about, sought, limit: 10, as_of: None }
    }
}

/// What solved earlier tickets in the same place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Precedents {
    /// Likeliest first; ties by name. The first k are the same whatever limit was asked for.
    pub found: Vec<Precedent>,
    /// Position of the log that was read.
    pub generation: u64,
}

/// A page or team that solved earlier tickets in the same place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Precedent {
    /// The record; none where tickets name what the desk, or this scope, has no record of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// Its title, or what the tickets call it.
    pub name: String,
    /// Estimated share of such tickets that it solves, 0 to 1; the sum of its grounds' shares. What is missing to 1 over all
    /// precedents is left for what never came before.
    pub share: f64,
    /// The places that speak for it, the one that says most first.
    pub because: Vec<Ground>,
}

/// What one place says for a precedent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    /// The place.
    pub place: Place,
    /// What this place adds to the share.
    pub share: f64,
    /// Tickets of the place that went by it.
    pub tickets: u64,
    /// Tickets of the place that tell what they went by; of each place the newest are counted.
    pub of: u64,
}

/// Where tickets stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Place {
    /// No tickets, but the word of a source: a page documents what is hit, a team owns it. It counts as one ticket.
    Told,
    /// The same category and sub-category.
    Category,
    /// What is hit needs it, or is needed by it, or is part of it.
    Around,
    /// The same item or service.
    Hit {
        /// What it is called.
        item: String,
    },
    /// The same item or service, and the same category.
    HitInCategory {
        /// What it is called.
        item: String,
    },
    /// The same item or service, impact and urgency.
    HitAsBadly {
        /// What it is called.
        item: String,
    },
}

impl Desk {
    /// Finds what solved earlier tickets in the place of a ticket, which need not be in the desk. Only what the scope sees
    /// is counted, and what a place costs is bounded however many tickets stand there.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope, an unknown record or a damaged log.
    pub fn precedents(&self, scope: &Scope, request: &PrecedentRequest) -> Result<Precedents, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, request.as_of);
        let asked = self.asked(&snapshot, scope, &request.about, request.as_of)?;
        let record = match &request.about {
            Subject::Text(_) => None,
            Subject::Ticket(ticket) => Some((**ticket).clone()),
            Subject::Record(id) => self.record(scope, id, request.as_of)?.map(|seen| seen.record),
        };
        let gather = Gather {
            table: &snapshot.table,
            visible: &visible,
            sought: request.sought,
            itself: record.as_ref().map(|record| &record.id),
        };
        let counted = gather.counted(record.as_ref(), &asked.about);
        let (places, tallies): (Vec<Place>, Vec<Tally<Outcome>>) = counted.into_iter().unzip();
        let share = |parts: &[f64]| parts.iter().sum::<f64>();
        let mut found: Vec<(Outcome, Vec<f64>)> = blend(&tallies).into_iter().collect();
        found.sort_by(|a, b| {
            let by_name = || gather.order(&a.0).cmp(&gather.order(&b.0));
            share(&b.1).total_cmp(&share(&a.1)).then_with(by_name)
        });
        found.truncate(request.limit.clamp(1, HITS_LIMIT));
        let precedent = |(outcome, parts): (Outcome, Vec<f64>)| {
            let (record, name) = gather.shown(&outcome);
            let grounds = parts.iter().zip(&places).zip(&tallies).filter(|((part, _), _)| **part > 0.0);
            let mut because: Vec<Ground> = grounds
                .map(|((share, place), tally)| Ground {
                    place: place.clone(),
                    share: *share,
                    tickets: tally.tickets(&outcome),
                    of: tally.all(),
                })
                .collect();
            because.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.place.cmp(&b.place)));
            Precedent { record, name, share: share(&parts), because }
        };
        let found = found.into_iter().map(precedent).collect();
        Ok(Precedents { found, generation: snapshot.generation() })
    }
}
