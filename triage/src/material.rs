//! What is an answer made from? The ticket, the evidence, who leads, and the passages at hand.

use models::Redactor;
use ontology::{Record, RecordId, SectionKind};

use crate::evidence::Evidence;
use crate::finding::Neighbour;
use crate::lead::{Lead, SAME_STORY, TOLD_WEIGHT, precedents};
use crate::sources::Passage;
use crate::words;

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
    pub(crate) redactor: &'a Redactor,
    /// Hides what no language model is to see.
    pub(crate) for_model: &'a Redactor,
}

impl<'a> Material<'a> {
    /// Solved tickets that tell the lead's story, best first.
    pub(crate) fn agreeing(&self) -> Vec<&'a Neighbour> {
        let chosen = match self.lead {
            Lead::Nobody => return Vec::new(),
            Lead::Ticket(first) => {
                let story = words::story(&first.record);
                let tells_it = |neighbour: &&Neighbour| {
                    words::overlap(&words::story(&neighbour.record), &story) >= SAME_STORY
                };
                return precedents(self.evidence).filter(tells_it).collect();
            }
            Lead::Page(chosen) => chosen,
        };
        let page_words = words::of_record(&chosen.page.record);
        let names_page = |neighbour: &Neighbour| {
            neighbour.cites.contains(&chosen.page.record.id)
                || neighbour.cites.iter().any(|id| chosen.page.replaces.contains(id))
        };
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
        let solved = self.evidence.neighbours.iter();
        solved
            .filter(|neighbour| neighbour.is_solved() && neighbour.weight >= TOLD_WEIGHT)
            .filter(|neighbour| !names_other(neighbour) && !is_outdated(neighbour))
            .filter(|neighbour| {
                names_page(neighbour)
                    || words::overlap(&words::story(&neighbour.record), &page_words) >= SAME_STORY
            })
            .collect()
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
