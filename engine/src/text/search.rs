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

use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Term};

use crate::visible::Visible;

use super::query::QueryTerm;
use super::schema::{Fields, TERM_FIELDS};
use super::view::Segment;
use super::{TermScore, TextHit};

/// How late repetition of a term saturates. Chosen with the example `bm25_beir` on six sets of alerts, tickets,
/// questions and abstracts: k1 0.9 and b 0.4, with 0.2 for the parts of identifiers, score lower on five of them.
pub(super) const K1: f32 = 1.5;
/// How much the length of a document counts.
pub(super) const B: f32 = 0.6;

/// How many terms of a query are searched; of more, those that the fewest visible documents hold.
pub(super) const MAX_QUERY_TERMS: usize = 1_000;

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

/// The `limit` best documents among the visible ones.
pub(super) fn search(
    segments: &[Segment],
    fields: &Fields,
    terms: Vec<QueryTerm<'_>>,
    visible: &Visible,
    limit: usize,
    deadline: Option<Instant>,
) -> Result<Vec<TextHit>, Stop> {
    let search = Search { segments, fields, scope: Scope::new(segments, visible), deadline };
    if limit == 0 || search.scope.documents == 0 {
        return Ok(Vec::new());
    }
    let terms = search.rarest(terms)?;
    let (scores, factors) = search.scores(&terms)?;
    let best = search.best(&scores, limit);
    search.explained(best, &terms, &factors)
}

/// The visible documents of all segments, and what BM25 needs to know of them.
struct Scope {
    /// One bit for each document of all segments.
    bits: Vec<u64>,
    documents: u64,
    saturations: [Saturation; TERM_FIELDS],
}

/// `k1 · (1 − b + b · length / mean)` as a line over the length.
#[derive(Clone, Copy)]
struct Saturation {
    base: f32,
    slope: f32,
}

impl Saturation {
    fn new(total_length: u64, documents: u64) -> Self {
        let slope = match total_length {
            0 => 0.0,
            total => f64::from(K1 * B) * documents as f64 / total as f64,
        };
        Self { base: K1 * (1.0 - B), slope: slope as f32 }
    }

    #[inline]
    fn of(self, frequency: u32, length: u32) -> f32 {
        let frequency = frequency as f32;
        frequency / (frequency + self.base + self.slope * length as f32)
    }
}

impl Scope {
    fn new(segments: &[Segment], visible: &Visible) -> Self {
        let size: usize = segments.iter().map(|segment| segment.columns.positions.len()).sum();
        let mut bits = vec![0_u64; size.div_ceil(64)];
        let mut documents = 0;
        let mut lengths = [0_u64; TERM_FIELDS];
        for segment in segments {
            let columns = &segment.columns;
            for (document, &position) in columns.positions.iter().enumerate() {
                if visible.contains(position) && position != 0 {
                    let bit = segment.base as usize + document;
                    bits[bit / 64] |= 1 << (bit % 64);
                    documents += 1;
                    for (total, lengths) in lengths.iter_mut().zip(&columns.lengths) {
                        *total += u64::from(lengths[document]);
                    }
                }
            }
        }
        Self { bits, documents, saturations: lengths.map(|total| Saturation::new(total, documents)) }
    }

    #[inline]
    fn contains(&self, document: DocId) -> bool {
        self.bits[document as usize / 64] >> (document % 64) & 1 == 1
    }

    fn idf(&self, document_frequency: usize) -> f32 {
        let (documents, frequency) = (self.documents as f64, document_frequency as f64);
        (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln() as f32
    }
}

/// A document that may be among the best.
#[derive(Clone, Copy)]
struct Candidate {
    score: f32,
    position: u64,
    segment: usize,
    document: DocId,
}

/// The visible documents that hold a term and how often they do, one segment after the other.
#[derive(Default)]
struct Postings {
    entries: Vec<(DocId, u32)>,
    /// Where the entries of each segment end.
    ends: Vec<usize>,
}

impl Postings {
    fn count(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

struct Search<'a> {
    segments: &'a [Segment],
    fields: &'a Fields,
    scope: Scope,
    deadline: Option<Instant>,
}

impl Search<'_> {
    /// Those of `terms` to search when there are too many.
    fn rarest<'q>(&self, mut terms: Vec<QueryTerm<'q>>) -> Result<Vec<QueryTerm<'q>>, Stop> {
        if terms.len() <= MAX_QUERY_TERMS {
            return Ok(terms);
        }
        let mut ranked = Vec::with_capacity(terms.len());
        let mut postings = Postings::default();
        for (index, term) in terms.iter().enumerate() {
            self.read(term, &mut postings)?;
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

    /// The score of every document, and what each term's saturation is multiplied with.
    fn scores(&self, terms: &[QueryTerm<'_>]) -> Result<(Vec<f32>, Vec<f32>), Stop> {
        let size: usize = self.segments.iter().map(|segment| segment.columns.positions.len()).sum();
        let mut scores = vec![0.0; size];
        let mut factors = Vec::with_capacity(terms.len());
        let mut postings = Postings::default();
        for term in terms {
            self.read(term, &mut postings)?;
            let factor = term.weight * self.scope.idf(postings.count());
            factors.push(factor);
            let saturation = self.scope.saturations[term.field];
            let mut start = 0;
            for (segment, &end) in self.segments.iter().zip(&postings.ends) {
                let lengths = &segment.columns.lengths[term.field];
                let scores = &mut scores[segment.base as usize..];
                for &(document, frequency) in &postings.entries[start..end] {
                    let document = document as usize;
                    scores[document] += factor * saturation.of(frequency, lengths[document]);
                }
                start = end;
            }
        }
        Ok((scores, factors))
    }

    /// Reads the visible documents that hold `term`.
    fn read(&self, term: &QueryTerm<'_>, postings: &mut Postings) -> Result<(), Stop> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stop::Deadline);
        }
        postings.ends.clear();
        let mut count = 0;
        for segment in self.segments {
            if let Some(mut block) = self.postings(term, segment)? {
                let room = count + block.doc_freq() as usize;
                if postings.entries.len() < room {
                    postings.entries.resize(room, (0, 0));
                }
                while !block.docs().is_empty() {
                    for (&document, &frequency) in block.docs().iter().zip(block.freqs()) {
                        // Without a branch: an entry that is not visible is written over by the next.
                        postings.entries[count] = (document, frequency);
                        count += usize::from(self.scope.contains(segment.base + document));
                    }
                    block.advance();
                }
            }
            postings.ends.push(count);
        }
        Ok(())
    }

    fn postings(&self, term: &QueryTerm<'_>, segment: &Segment) -> io::Result<Option<BlockSegmentPostings>> {
        let key = Term::from_field_text(self.fields.terms[term.field], &term.term);
        segment.terms[term.field].read_block_postings(&key, IndexRecordOption::WithFreqs)
    }

    /// The `limit` documents with the greatest scores above 0, of equal ones those with the lowest position.
    fn best(&self, scores: &[f32], limit: usize) -> Vec<Candidate> {
        let in_order =
            |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score).then(a.position.cmp(&b.position));
        let mut best = Vec::new();
        let mut least = f32::MIN_POSITIVE;
        for (index, segment) in self.segments.iter().enumerate() {
            let scores = &scores[segment.base as usize..];
            for ((document, &position), &score) in (0..).zip(&segment.columns.positions).zip(scores) {
                if score < least {
                    continue;
                }
                best.push(Candidate { score, position, segment: index, document });
                if best.len() >= limit.saturating_mul(2).max(1024) {
                    let (_, last, _) = best.select_nth_unstable_by(limit - 1, in_order);
                    least = last.score;
                    best.truncate(limit);
                }
            }
        }
        best.sort_unstable_by(in_order);
        best.truncate(limit);
        best
    }

    /// The hits, each with what every term gave to it.
    fn explained(
        &self,
        best: Vec<Candidate>,
        terms: &[QueryTerm<'_>],
        factors: &[f32],
    ) -> Result<Vec<TextHit>, Stop> {
        let mut hits: Vec<TextHit> = best
            .iter()
            .map(|hit| TextHit { position: hit.position, score: hit.score, terms: Vec::new() })
            .collect();
        // Postings are read forwards only.
        let mut ranks: Vec<usize> = (0..best.len()).collect();
        ranks.sort_unstable_by_key(|&rank| (best[rank].segment, best[rank].document));
        for (term, factor) in terms.iter().zip(factors) {
            for ranks in ranks.chunk_by(|&a, &b| best[a].segment == best[b].segment) {
                let segment = &self.segments[best[ranks[0]].segment];
                let Some(mut block) = self.postings(term, segment)? else { continue };
                for &rank in ranks {
                    let document = best[rank].document;
                    let at = block.seek(document);
                    if block.doc(at) == document {
                        let length = segment.columns.lengths[term.field][document as usize];
                        let score = factor * self.scope.saturations[term.field].of(block.freq(at), length);
                        add_term(&mut hits[rank].terms, term.surface, score);
                    }
                }
            }
        }
        for hit in &mut hits {
            hit.terms.sort_by(|a, b| b.score.total_cmp(&a.score));
        }
        Ok(hits)
    }
}

/// A word and the same word as part of identifiers are one to the reader.
fn add_term(terms: &mut Vec<TermScore>, surface: &str, score: f32) {
    match terms.iter_mut().find(|known| known.term == surface) {
        Some(known) => known.score += score,
        None => terms.push(TermScore { term: surface.to_owned(), score }),
    }
}
