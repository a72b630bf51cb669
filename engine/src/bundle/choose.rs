//! Which passages of the hits does a bundle show? The best of each record and what leads to action, as far as the budget goes.

use std::collections::BTreeSet;

use ontology::{Record, SectionKind, Span};

use super::{BundleItem, LeftOut, LeftOutReason};
use crate::derive::{self, PassageSpan};
use crate::desk::Desk;
use crate::query::{Hit, Passage, passage};
use crate::table::Revision;

/// Budgets outside this range are brought to its ends.
const BUDGET_TOKENS: std::ops::RangeInclusive<u32> = 200..=100_000;
const PASSAGES_OF_FULL_RECORD: usize = 8;
/// Bytes of a token where no embedder counts them; English prose has about four.
const BYTES_PER_TOKEN: usize = 4;

/// The passages of a hit worth showing, in the order of the record. A good hit shows what leads to action too.
pub(super) fn chosen(hit: &Hit, record: &Record, revision: &Revision, full: bool) -> Vec<PassageSpan> {
    let best = hit.passage.as_ref().map(|passage| (passage.section.unwrap_or(derive::TITLE), passage.span));
    let is_best = |place: &PassageSpan| best == Some((place.section, place.span));
    let acts = |place: &PassageSpan| {
        let kind = record.sections.get(usize::from(place.section)).map(|section| section.kind);
        match kind {
            Some(SectionKind::Resolution | SectionKind::RootCause) => true,
            Some(
                SectionKind::Steps
                | SectionKind::Diagnosis
                | SectionKind::Verification
                | SectionKind::Escalation,
            ) => full,
            Some(SectionKind::WorkNote | SectionKind::Comment) | None => false,
            // A page's warnings and notes stand in sections of any name.
            Some(_) => full && record.kind.is_knowledge(),
        }
    };
    let limit = if full { PASSAGES_OF_FULL_RECORD } else { 2 };
    let wanted: BTreeSet<usize> = {
        let places = revision.passages.iter().enumerate();
        let first = places.clone().filter(|(_, place)| is_best(place));
        first.chain(places.filter(|(_, place)| acts(place))).map(|(index, _)| index).take(limit).collect()
    };
    wanted.into_iter().filter_map(|index| revision.passages.get(index).copied()).collect()
}

/// Items chosen so far, and the tokens they take.
pub(super) struct Selection<'a> {
    desk: &'a Desk,
    pub(super) budget: u32,
    pub(super) tokens: u32,
    pub(super) items: Vec<BundleItem>,
    pub(super) left_out: Vec<LeftOut>,
    texts: BTreeSet<String>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(desk: &'a Desk, budget: u32) -> Self {
        let budget = budget.clamp(*BUDGET_TOKENS.start(), *BUDGET_TOKENS.end());
        Self { desk, budget, tokens: 0, items: Vec::new(), left_out: Vec::new(), texts: BTreeSet::new() }
    }

    pub(super) fn take(&mut self, hit: &Hit, record: &Record, places: &[PassageSpan]) {
        let before = self.items.len();
        let mut reason = LeftOutReason::Budget;
        for place in places {
            let Some(passage) = passage(record, *place) else { continue };
            if !self.texts.insert(passage.text.clone()) {
                reason = LeftOutReason::Duplicate;
                continue;
            }
            let tokens = self.count(&passage.text);
            if self.tokens + tokens > self.budget {
                self.texts.remove(&passage.text);
                continue;
            }
            self.tokens += tokens;
            let handle = format!("S{}", self.items.len() + 1);
            self.items.push(item(handle, hit, record, passage, tokens));
        }
        if self.items.len() == before {
            self.left_out.push(LeftOut { record: hit.record.clone(), title: hit.title.clone(), reason });
        }
    }

    fn count(&self, text: &str) -> u32 {
        let tokens = match &self.desk.embedder {
            Some(embedder) => embedder.count_tokens(text),
            None => text.len().div_ceil(BYTES_PER_TOKEN),
        };
        u32::try_from(tokens).unwrap_or(u32::MAX / 2)
    }
}

fn item(handle: String, hit: &Hit, record: &Record, passage: Passage, tokens: u32) -> BundleItem {
    let steps = passage.section.and_then(|section| record.sections.get(usize::from(section)));
    let inside = |step: &&Span| step.start >= passage.span.start && step.end <= passage.span.end;
    let steps = steps.map_or_else(Vec::new, |section| {
        let shift = passage.span.start;
        let steps = section.steps.iter().filter(inside);
        steps.map(|step| Span { start: step.start - shift, end: step.end - shift }).collect()
    });
    BundleItem {
        handle,
        record: hit.record.clone(),
        kind: hit.kind,
        title: hit.title.clone(),
        section: passage.section,
        section_kind: passage.kind,
        heading: passage.heading,
        span: passage.span,
        text: passage.text,
        steps,
        tokens,
        revision: hit.revision.clone(),
        position: hit.position,
        state: hit.state,
        created: hit.created,
        modified: hit.modified,
        valid_until: hit.valid_until,
        expired: hit.expired,
        score: hit.score,
        legs: hit.legs.clone(),
        path: hit.path.clone(),
        shared: hit.shared.clone(),
        url: record.url.clone(),
    }
}
