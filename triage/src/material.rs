//! What is an answer made from? The ticket, the evidence, who leads, and the passages at hand.

use models::RedactionSession;
use ontology::{Record, RecordId, SectionKind};

use crate::evidence::Evidence;
use crate::finding::Neighbour;
use crate::lead::{Lead, precedents};
use crate::sources::Passage;

/// What an answer is made from.
pub(crate) struct Material<'a> {
    pub(crate) ticket: &'a Record,
    pub(crate) evidence: &'a Evidence,
    pub(crate) lead: Lead<'a>,
    /// The leading record's passages, in its order.
    pub(crate) lead_passages: Vec<Passage<'a>>,
    /// The passages of what else fits, in its order.
    pub(crate) second_passages: Vec<Passage<'a>>,
    /// Hides what is another person's from whoever reads the answer.
    pub(crate) redactor: &'a RedactionSession<'a>,
    /// Hides what no language model is to see, under the same placeholders.
    pub(crate) for_model: &'a RedactionSession<'a>,
}

impl<'a> Material<'a> {
    /// Solved tickets that tell the lead's story, best first.
    pub(crate) fn agreeing(&self) -> Vec<&'a Neighbour> {
        let telling = precedents(self.evidence).filter(|neighbour| self.lead.is_told_by(neighbour));
        let Lead::Page(chosen) = self.lead else { return telling.collect() };
        // A page of another word on the matter, or one that was replaced, is not to come back through the tickets of its time.
        let is_outdated = |neighbour: &Neighbour| {
            !chosen.page.replaces.is_empty() && neighbour.record.resolved < chosen.page.record.modified
        };
        let names_other = |neighbour: &Neighbour| {
            neighbour
                .cites
                .iter()
                .any(|id| chosen.page.contradicts.contains(id) || chosen.page.replaces.contains(id))
        };
        telling.filter(|neighbour| !names_other(neighbour) && !is_outdated(neighbour)).collect()
    }

    pub(crate) fn passages_of(&self, id: &RecordId, kinds: &[SectionKind]) -> Vec<Passage<'a>> {
        let bundle = &self.evidence.tickets;
        let items =
            bundle.items.iter().filter(|item| item.record == *id && kinds.contains(&item.section_kind));
        items.map(|item| Passage { bundle, item }).collect()
    }

    pub(crate) fn lead_parts(&self, kinds: &[SectionKind]) -> Vec<Passage<'a>> {
        of_kinds(&self.lead_passages, kinds)
    }
}

pub(crate) fn of_kinds<'a>(passages: &[Passage<'a>], kinds: &[SectionKind]) -> Vec<Passage<'a>> {
    passages.iter().filter(|passage| kinds.contains(&passage.item.section_kind)).copied().collect()
}
