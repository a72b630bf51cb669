//! How well does an earlier text tell of the same thing? Each statement of the ticket is held against each of the text's.
//!
//! One vector of a whole ticket blurs two matters into one, and a page's vector is as long as its section. Statement by
//! statement the detail counts by which two look-alikes differ.

use std::sync::Arc;

use engine::{Desk, DeskError};
use ontology::{Record, SectionKind};

use crate::words;

/// Statements of one text that are looked at.
const STATEMENTS: usize = 16;
/// Content words below which a statement says too little to be compared.
const LEAST_WORDS: usize = 2;

/// How well a text tells what the ticket tells: the share of each of the ticket's statements, in their order.
#[derive(Clone, Default)]
pub(crate) struct Fit {
    shares: Vec<f64>,
}

impl Fit {
    /// All statements together, 0 to 1; 0 without an embedder.
    pub(crate) fn whole(&self) -> f64 {
        self.shares.iter().sum()
    }

    /// How much of the ticket this tells and the other does not, 0 to 1.
    pub(crate) fn gain_over(&self, other: &Self) -> f64 {
        self.shares.iter().zip(&other.shares).map(|(mine, its)| (mine - its).max(0.0)).sum()
    }
}

/// How well each candidate tells what the ticket tells, in the order of the candidates; not at all without an embedder.
pub(crate) fn fits(desk: &Desk, ticket: &Record, candidates: &[&Record]) -> Result<Vec<Fit>, DeskError> {
    let asked = statements(ticket);
    let told: Vec<Vec<String>> = candidates.iter().map(|record| statements(record)).collect();
    let texts: Vec<&str> = asked.iter().chain(told.iter().flatten()).map(String::as_str).collect();
    if asked.is_empty() {
        return Ok(vec![Fit::default(); candidates.len()]);
    }
    let Some(vectors) = desk.vectors_of(&texts)? else {
        return Ok(vec![Fit::default(); candidates.len()]);
    };
    let (of_ticket, mut rest) = vectors.split_at(asked.len());
    let weights: Vec<f64> =
        asked.iter().map(|text| (words::content_words(text).len() as f64).sqrt()).collect();
    let all: f64 = weights.iter().sum();
    let mut fits = Vec::with_capacity(told.len());
    for statements in &told {
        let (its, others) = rest.split_at(statements.len());
        rest = others;
        let best = |vector: &[f32]| its.iter().map(|other| cosine(vector, other)).fold(0.0, f64::max);
        let share = |(vector, weight): (&Arc<[f32]>, &f64)| weight * best(vector) / all;
        fits.push(Fit { shares: of_ticket.iter().zip(&weights).map(share).collect() });
    }
    Ok(fits)
}

/// What a record tells of its matter: the title, and the sentences of what was seen and where.
fn statements(record: &Record) -> Vec<String> {
    let tells = |kind| {
        matches!(
            kind,
            SectionKind::Description | SectionKind::Symptom | SectionKind::Environment | SectionKind::Other
        )
    };
    let sections = record.sections.iter().filter(|section| tells(section.kind));
    let sentences = sections.flat_map(|section| {
        words::sentences(&section.text).into_iter().filter_map(|span| span.of(&section.text))
    });
    std::iter::once(record.title.as_str())
        .chain(sentences)
        .filter(|text| words::content_words(text).len() >= LEAST_WORDS)
        .take(STATEMENTS)
        .map(str::to_owned)
        .collect()
}

pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
