//! How well does each visible document fit the words of a query?
//!
//! BM25 in Lucene's variant: the sum over the terms of `weight · idf · tf / (tf + k1 · (1 − b + b · length / mean))`
//! with `idf = ln(1 + (N − df + ½) / (df + ½))`, where N, df and the mean length count visible documents only, and
//! the weight is how often the query has the term (C. Kamphuis and others, "Which BM25 do you mean?", ECIR 2020).
//!
//! One term after the other is added to one number per document. So each score is a sum in the order of the query's
//! terms, whatever segments its documents lie in.

use std::io;
use std::time::Instant;

use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Term};

use super::query::QueryTerm;
use super::schema::Fields;
use super::scope::{Saturation, Scope};
use super::view::Segment;
use super::{TermScore, TextHit};

/// How late repetition saturates, and how much length counts. Chosen for both text legs on six sets (`benches/README.md`).
pub(super) const K1: f32 = 1.0;
pub(super) const B: f32 = 0.85;

/// How many terms of a query are searched; of more, those that the fewest visible documents hold.
pub(super) const MAX_QUERY_TERMS: usize = 1_000;

/// Documents whose shares are computed side by side; as many as a block of postings has.
const LANES: usize = 128;

/// Why a search gives no hits.
pub(super) enum Stop {
    Deadline,
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A document that is among the best.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) hit: TextHit,
    segment: usize,
    document: DocId,
}

/// A term of the query that the index has.
pub(super) struct Matched {
    surface: String,
    pub(super) term: String,
    field: usize,
    pub(super) idf: f32,
    /// What its saturation is multiplied with: no document's share exceeds it.
    pub(super) factor: f32,
    /// Where each segment has it.
    places: Vec<Option<TermInfo>>,
}

/// The `limit` best documents among the visible ones, and the terms that they were found by.
pub(super) fn search(
    segments: &[Segment],
    fields: &Fields,
    terms: Vec<QueryTerm<'_>>,
    scope: &Scope,
    limit: usize,
    deadline: Option<Instant>,
) -> Result<(Vec<Candidate>, Vec<Matched>), Stop> {
    if limit == 0 || scope.documents == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let search = Search { segments, fields, scope, deadline };
    let (scores, matched) = search.scores(search.rarest(search.places(terms)?)?)?;
    Ok((search.best(&scores, limit), matched))
}

/// What every term gave to one of the best documents, the greatest share first.
pub(super) fn explained(
    segments: &[Segment],
    scope: &Scope,
    matched: &[Matched],
    candidate: &Candidate,
) -> io::Result<Vec<TermScore>> {
    let segment = &segments[candidate.segment];
    let mut shares: Vec<TermScore> = Vec::new();
    for term in matched {
        let Some(place) = &term.places[candidate.segment] else { continue };
        let reader = &segment.terms[term.field];
        let mut block = reader.read_block_postings_from_terminfo(place, IndexRecordOption::WithFreqs)?;
        let at = block.seek(candidate.document);
        if block.doc(at) != candidate.document {
            continue;
        }
        let length = segment.columns.lengths[term.field][candidate.document as usize];
        let score = term.factor * scope.saturations[term.field].of(block.freq(at), length);
        // A word and the same word as part of identifiers are one to the reader.
        match shares.iter_mut().find(|known| known.term == term.surface) {
            Some(known) => known.score += score,
            None => shares.push(TermScore { term: term.surface.clone(), score }),
        }
    }
    shares.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(shares)
}

/// The visible documents that hold a term and how often they do, one segment after the other.
#[derive(Default)]
struct Postings {
    documents: Vec<DocId>,
    frequencies: Vec<u32>,
    /// Where the entries of each segment end.
    ends: Vec<usize>,
}

impl Postings {
    fn count(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

/// A term of the query, and where each segment has it.
type Placed<'q> = (QueryTerm<'q>, Vec<Option<TermInfo>>);

struct Search<'a> {
    segments: &'a [Segment],
    fields: &'a Fields,
    scope: &'a Scope,
    deadline: Option<Instant>,
}

impl Search<'_> {
    /// The terms that the index has.
    fn places<'q>(&self, terms: Vec<QueryTerm<'q>>) -> Result<Vec<Placed<'q>>, Stop> {
        let mut placed = Vec::with_capacity(terms.len());
        for term in terms {
            let key = Term::from_field_text(self.fields.terms[term.field], &term.term);
            let places = self.segments.iter().map(|segment| segment.terms[term.field].get_term_info(&key));
            let places = places.collect::<io::Result<Vec<_>>>()?;
            if places.iter().any(Option::is_some) {
                placed.push((term, places));
            }
        }
        Ok(placed)
    }

    /// Those of `terms` to search when there are too many.
    fn rarest<'q>(&self, mut terms: Vec<Placed<'q>>) -> Result<Vec<Placed<'q>>, Stop> {
        if terms.len() <= MAX_QUERY_TERMS {
            return Ok(terms);
        }
        let mut ranked = Vec::with_capacity(terms.len());
        let mut postings = Postings::default();
        for (index, (term, places)) in terms.iter().enumerate() {
            self.read(term.field, places, &mut postings)?;
            if postings.count() > 0 {
                ranked.push((postings.count(), index));
            }
        }
        ranked.sort_unstable();
        ranked.truncate(MAX_QUERY_TERMS);
        let mut kept = vec![false; terms.len()];
        ranked.iter().for_each(|&(_, index)| kept[index] = true);
        let mut kept = kept.into_iter();
        terms.retain(|_| kept.next() == Some(true));
        Ok(terms)
    }

    /// The score of every document.
    fn scores(&self, terms: Vec<Placed<'_>>) -> Result<(Vec<f32>, Vec<Matched>), Stop> {
        let size: usize = self.segments.iter().map(|segment| segment.columns.positions.len()).sum();
        let mut scores = vec![0.0; size];
        let mut matched = Vec::with_capacity(terms.len());
        let mut postings = Postings::default();
        for (term, places) in terms {
            self.read(term.field, &places, &mut postings)?;
            if postings.count() == 0 {
                continue;
            }
            let idf = self.scope.idf(postings.count());
            let factor = term.weight * idf;
            let saturation = self.scope.saturations[term.field];
            let mut start = 0;
            for (segment, &end) in self.segments.iter().zip(&postings.ends) {
                let lengths = &segment.columns.lengths[term.field];
                let scores = &mut scores[segment.base as usize..];
                let documents = postings.documents[start..end].chunks(LANES);
                for (documents, frequencies) in documents.zip(postings.frequencies[start..end].chunks(LANES))
                {
                    add(scores, lengths, documents, frequencies, factor, saturation);
                }
                start = end;
            }
            let surface = term.surface.to_owned();
            matched.push(Matched { surface, term: term.term, field: term.field, idf, factor, places });
        }
        Ok((scores, matched))
    }

    /// Reads the visible documents that hold a term.
    fn read(&self, field: usize, places: &[Option<TermInfo>], postings: &mut Postings) -> Result<(), Stop> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stop::Deadline);
        }
        let Postings { documents, frequencies, ends } = postings;
        ends.clear();
        let mut count = 0;
        for ((segment, place), is_whole) in self.segments.iter().zip(places).zip(&self.scope.whole) {
            if let Some(place) = place {
                let room = count + place.doc_freq as usize;
                if documents.len() < room {
                    documents.resize(room, 0);
                    frequencies.resize(room, 0);
                }
                let reader = &segment.terms[field];
                let mut block =
                    reader.read_block_postings_from_terminfo(place, IndexRecordOption::WithFreqs)?;
                while !block.docs().is_empty() {
                    let (found, often) = (block.docs(), block.freqs());
                    if *is_whole {
                        documents[count..count + found.len()].copy_from_slice(found);
                        frequencies[count..count + found.len()].copy_from_slice(often);
                        count += found.len();
                    } else {
                        for (&document, &frequency) in found.iter().zip(often) {
                            // Without a branch: an entry that is not visible is written over by the next.
                            (documents[count], frequencies[count]) = (document, frequency);
                            count += usize::from(self.scope.contains((segment.base + document) as usize));
                        }
                    }
                    block.advance();
                }
            }
            ends.push(count);
        }
        Ok(())
    }

    /// The `limit` documents with the greatest scores above 0, of equal ones those with the lowest position.
    fn best(&self, scores: &[f32], limit: usize) -> Vec<Candidate> {
        let in_order = |a: &Candidate, b: &Candidate| {
            b.hit.score.total_cmp(&a.hit.score).then(a.hit.position.cmp(&b.hit.position))
        };
        let mut best = Vec::new();
        let mut least = f32::MIN_POSITIVE;
        for (index, segment) in self.segments.iter().enumerate() {
            let positions = &segment.columns.positions;
            let scores = &scores[segment.base as usize..][..positions.len()];
            for (start, block) in (0..).step_by(LANES).zip(scores.chunks(LANES)) {
                // Most blocks hold none, which is told without a branch for each document.
                if !block.iter().fold(false, |any, score| any | (*score >= least)) {
                    continue;
                }
                for ((document, &position), &score) in (start..).zip(&positions[start as usize..]).zip(block)
                {
                    if score < least {
                        continue;
                    }
                    best.push(Candidate { hit: TextHit { position, score }, segment: index, document });
                    if best.len() >= limit.saturating_mul(2).max(1024) {
                        let (_, last, _) = best.select_nth_unstable_by(limit - 1, in_order);
                        least = last.hit.score;
                        best.truncate(limit);
                    }
                }
            }
        }
        best.sort_unstable_by(in_order);
        best.truncate(limit);
        best
    }
}

/// Adds a term's share to the scores of up to [`LANES`] documents. Look-ups and arithmetic apart, so that the latter is done
/// for several documents at a time.
#[inline]
fn add(
    scores: &mut [f32],
    lengths: &[u32],
    documents: &[DocId],
    frequencies: &[u32],
    factor: f32,
    saturation: Saturation,
) {
    let mut looked_up = [0; LANES];
    for (length, &document) in looked_up.iter_mut().zip(documents) {
        *length = lengths[document as usize];
    }
    let mut shares = [0.0; LANES];
    for ((share, &length), &frequency) in shares.iter_mut().zip(&looked_up).zip(frequencies) {
        *share = factor * saturation.of(frequency, length);
    }
    for (&share, &document) in shares.iter().zip(documents) {
        scores[document as usize] += share;
    }
}
