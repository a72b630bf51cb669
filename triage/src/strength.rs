//! Is the evidence good enough for an answer? Several features in one score, and the line below which a person has to look.

use std::collections::BTreeSet;

use engine::Leg;
use ontology::{Record, SectionKind};

use crate::evidence::Evidence;
use crate::page::Chosen;
use crate::result::Strength;
use crate::words;

/// Cosine range over which meaning turns from none to full. MiniLM gives unrelated English texts up to about 0.3, and tickets of
/// one cause 0.6 and more.
const NO_COSINE: f64 = 0.30;
const FULL_COSINE: f64 = 0.70;
/// Share of the ticket's words in the evidence: ordinary words alone give the first, tickets of one cause the second.
const NO_COVERAGE: f64 = 0.15;
const FULL_COVERAGE: f64 = 0.50;
/// How much each feature counts. They sum to one.
const BY_COSINE: f64 = 0.35;
const BY_COVERAGE: f64 = 0.30;
const BY_AGREEMENT: f64 = 0.20;
const BY_MARGIN: f64 = 0.15;
/// Solved tickets looked at for coverage and agreement.
const NEAREST: usize = 3;

/// Measures the evidence.
pub(crate) fn strength(ticket: &Record, evidence: &Evidence, page: Option<&Chosen<'_>>) -> Strength {
    let cosine = nearest_cosine(evidence);
    let coverage = coverage(ticket, evidence, page);
    let agreement = page.map_or(0.0, |page| page.votes).max(family(evidence));
    let margin = page.map_or(0.0, |page| page.margin);
    let meaning = cosine.map_or(0.5, |cosine| scaled(cosine, NO_COSINE, FULL_COSINE));
    let score = BY_COSINE * meaning
        + BY_COVERAGE * scaled(coverage, NO_COVERAGE, FULL_COVERAGE)
        + BY_AGREEMENT * agreement
        + BY_MARGIN * margin;
    Strength { cosine, coverage, agreement, margin, score }
}

fn scaled(value: f64, none: f64, full: f64) -> f64 {
    ((value - none) / (full - none)).clamp(0.0, 1.0)
}

fn nearest_cosine(evidence: &Evidence) -> Option<f64> {
    let tickets = evidence.neighbours.iter().filter_map(|neighbour| {
        neighbour.ticket.hit.legs.iter().find(|leg| leg.leg == Leg::Dense).map(|leg| leg.raw)
    });
    tickets.chain(evidence.pages.iter().filter_map(|page| page.cosine)).reduce(f64::max)
}

/// Share of the ticket's words that the page and the nearest solved tickets have.
fn coverage(ticket: &Record, evidence: &Evidence, page: Option<&Chosen<'_>>) -> f64 {
    let mut asked = words::content_words(&ticket.title);
    let told = |section: &&ontology::Section| {
        matches!(section.kind, SectionKind::Description | SectionKind::Symptom | SectionKind::Environment)
    };
    asked.extend(ticket.sections.iter().filter(told).flat_map(|section| words::content_words(&section.text)));
    let nearest = evidence.neighbours.iter().filter(|neighbour| neighbour.is_solved()).take(NEAREST);
    let records = nearest.map(|neighbour| &neighbour.record).chain(page.map(|page| &page.page.record));
    let known: BTreeSet<String> = records.flat_map(words::of_record).collect();
    words::overlap(&asked, &known)
}

/// Whether the nearest solved tickets tell one story: share of the words of their causes and solutions that they have in common.
fn family(evidence: &Evidence) -> f64 {
    let stories: Vec<BTreeSet<String>> = evidence
        .neighbours
        .iter()
        .filter(|neighbour| neighbour.is_solved())
        .map(|neighbour| words::story(&neighbour.record))
        .filter(|story| story.len() > 2)
        .take(NEAREST)
        .collect();
    let mut best: f64 = 0.0;
    for (index, one) in stories.iter().enumerate() {
        for other in &stories[index + 1..] {
            best = best.max(words::overlap(one, other).min(words::overlap(other, one)));
        }
    }
    best
}
