//! Who leads the answer? A page that tells what the ticket tells, or the earlier ticket that tells it better.

use std::collections::BTreeSet;

use ontology::{Record, RecordId};

use crate::evidence::Evidence;
use crate::finding::{Neighbour, Page};
use crate::page::Chosen;
use crate::words;

/// Votes below which a neighbour is not told.
pub(crate) const TOLD_WEIGHT: f64 = 0.2;
/// A page that tells less of the ticket than this share of what the nearest solved ticket tells is about something else.
const PAGE_FITS: f64 = 0.8;
/// Share of the neighbours' votes from which people's word stands behind a page.
const VOUCHED: f64 = 0.3;
/// Share of the ticket that another record must tell beyond the lead to be told too.
const TELLS_MORE: f64 = 0.12;
/// Share of a story's words from which two tickets tell one story.
const SAME_STORY: f64 = 0.35;

/// Whose steps the answer gives.
#[derive(Clone, Copy)]
pub(crate) enum Lead<'a> {
    Page(&'a Chosen<'a>),
    Ticket(&'a Neighbour),
    Nobody,
}

impl<'a> Lead<'a> {
    /// `ranked` are the pages, best first.
    pub(crate) fn of(evidence: &'a Evidence, ranked: &'a [Chosen<'a>]) -> Self {
        let page = ranked.first().filter(|page| page.is_enough());
        let Some(nearest) = precedents(evidence).next() else {
            return page.filter(|page| !page.is_guess()).map_or(Self::Nobody, Self::Page);
        };
        if page.is_some_and(|page| !is_better(evidence, nearest, page)) {
            return page.map_or(Self::Nobody, Self::Page);
        }
        let cited =
            ranked.iter().find(|other| !other.page.expired && nearest.cites.contains(&other.page.record.id));
        cited.map_or(Self::Ticket(nearest), Self::Page)
    }

    pub(crate) fn page(self) -> Option<&'a Chosen<'a>> {
        if let Self::Page(page) = self { Some(page) } else { None }
    }

    /// Whether the page is one that the leading page replaces or contradicts.
    fn outdates(self, page: &Page) -> bool {
        let id = &page.record.id;
        self.page().is_some_and(|lead| lead.page.replaces.contains(id) || lead.page.contradicts.contains(id))
    }

    /// Whether a solved ticket tells what the lead tells.
    pub(crate) fn is_told_by(self, ticket: &Neighbour) -> bool {
        match self {
            Self::Page(lead) => {
                let page = &lead.page;
                let known = words::of_record(&page.record);
                ticket.solved_with().any(|id| *id == page.record.id || page.replaces.contains(id))
                    || words::overlap(&words::story(&ticket.record), &known) >= SAME_STORY
            }
            Self::Ticket(lead) => {
                let (one, other) = (words::story(&lead.record), words::story(&ticket.record));
                words::overlap(&one, &other).max(words::overlap(&other, &one)) >= SAME_STORY
            }
            Self::Nobody => false,
        }
    }

    pub(crate) fn record(self) -> Option<&'a Record> {
        match self {
            Self::Page(chosen) => Some(&chosen.page.record),
            Self::Ticket(ticket) => Some(&ticket.record),
            Self::Nobody => None,
        }
    }
}

/// Another page or solved ticket that is told beside the lead: the page that tells the leading ticket's solution, or whatever
/// tells much of the ticket that the lead does not, as a second matter or a look-alike does.
pub(crate) fn second<'a>(evidence: &'a Evidence, lead: Lead<'a>) -> Option<&'a Record> {
    let is_open = |page: &&Page| !page.expired && lead.record().is_none_or(|lead| lead.id != page.record.id);
    let page_of = |ticket: &Neighbour| {
        let solves =
            |page: &&Page| ticket.solved_with().any(|id| *id == page.record.id || page.replaces.contains(id));
        evidence.pages.iter().filter(is_open).find(solves).map(|page| &page.record)
    };
    let fit = match lead {
        Lead::Page(chosen) => &chosen.page.fit,
        Lead::Ticket(ticket) => match page_of(ticket) {
            Some(page) => return Some(page),
            None => &ticket.fit,
        },
        Lead::Nobody => return None,
    };
    if !evidence.is_english() {
        return None;
    }
    let pages = evidence.pages.iter().filter(is_open).filter(|page| !lead.outdates(page));
    let pages = pages.map(|page| (page.fit.gain_over(fit), &page.record));
    let tickets = precedents(evidence).filter(|ticket| !lead.is_told_by(ticket));
    // A page that is not to be followed is not to come back through the tickets of its time.
    let is_barred = |page: &Page| page.expired || lead.outdates(page);
    let barred: BTreeSet<&RecordId> =
        evidence.pages.iter().filter(|page| is_barred(page)).map(|page| &page.record.id).collect();
    let tickets = tickets.filter(|ticket| !ticket.solved_with().any(|id| barred.contains(id)));
    let tickets =
        tickets.map(|ticket| (ticket.fit.gain_over(fit), page_of(ticket).unwrap_or(&ticket.record)));
    let best = pages.chain(tickets).max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.id.cmp(&a.1.id)));
    best.filter(|(gain, _)| *gain >= TELLS_MORE).map(|(_, record)| record)
}

/// Solved tickets with a story to tell, nearest first.
pub(crate) fn precedents(evidence: &Evidence) -> impl Iterator<Item = &Neighbour> {
    let solved = evidence
        .neighbours
        .iter()
        .filter(|neighbour| neighbour.is_solved() && neighbour.weight >= TOLD_WEIGHT);
    solved.filter(|neighbour| !words::story(&neighbour.record).is_empty())
}

/// Whether an earlier ticket is to be followed rather than a page: the page has expired and the ticket was solved after it
/// was written, or the page is about something else.
fn is_better(evidence: &Evidence, ticket: &Neighbour, page: &Chosen<'_>) -> bool {
    let record = &page.page.record;
    if page.page.expired {
        return ticket.record.resolved > record.modified.or(record.created);
    }
    // People's word for a page weighs more than how its text reads.
    let is_vouched_for = page.votes >= VOUCHED || page.by_story || page.by_alert;
    evidence.is_english() && !is_vouched_for && page.page.fit.whole() < PAGE_FITS * ticket.fit.whole()
}

/// The code or alert that the ticket gives where the leading record gives another of the same family: `LL-3307` and
/// `LL-2201` are two matters, however like their tickets read.
pub(crate) fn other_code(ticket: &Record, lead: Lead<'_>, evidence: &Evidence) -> Option<(String, String)> {
    let lead = lead.record()?;
    let asked = codes_of(ticket);
    let known: BTreeSet<String> = codes_of(lead);
    if asked.iter().any(|code| known.contains(code)) {
        return None;
    }
    let others = precedents(evidence).map(|neighbour| &neighbour.record);
    let others =
        others.chain(evidence.pages.iter().map(|page| &page.record)).filter(|other| other.id != lead.id);
    let elsewhere: BTreeSet<String> = others.flat_map(codes_of).collect();
    // What a program reports stands in several records; a number that stands in one is that of a vehicle, an asset, an order.
    let is_fault = |code: &String| words::family(code) == Some(words::ALERT) || elsewhere.contains(code);
    let mut missing = asked.iter().filter(|code| !elsewhere.contains(*code));
    missing.find_map(|code| {
        let same_family = |other: &&String| words::family(other) == words::family(code) && is_fault(other);
        Some((code.clone(), known.iter().find(same_family)?.clone()))
    })
}

fn codes_of(record: &Record) -> BTreeSet<String> {
    let texts = record.sections.iter().map(|section| section.text.as_str()).chain([record.title.as_str()]);
    let names: BTreeSet<&String> = record.names.iter().collect();
    texts.flat_map(words::codes).filter(|code| !names.contains(code)).collect()
}
