//! Which terms does a query look for, and where?

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::analysis::Analyzer;
use super::schema::{PARTS, TEXT};

/// What the parts of identifiers weigh beside words; chosen together with k1 and b.
const PARTS_WEIGHT: f32 = 0.3;

/// How much of a query is read.
pub(super) const MAX_QUERY_BYTES: usize = 64 << 10;

/// A term to look for, with the piece of the query that it stands for.
pub(super) struct QueryTerm<'q> {
    /// In which field (`TERM_FIELDS`).
    pub(super) field: usize,
    pub(super) term: String,
    pub(super) surface: &'q str,
    /// How often the query has it, times the weight of the field.
    pub(super) weight: f32,
}

/// The distinct terms of `query`, in the order of their first appearance.
///
/// Words are looked for among the parts of identifiers too, and the other way round.
pub(super) fn query_terms<'q>(analyzer: &mut Analyzer, query: &'q str) -> Vec<QueryTerm<'q>> {
    let query = &query[..query.floor_char_boundary(MAX_QUERY_BYTES)];
    let mut terms: Vec<QueryTerm<'q>> = Vec::new();
    let mut known = HashMap::<_, usize>::new();
    let mut add = |field, weight, term: &str, surface| match known.entry((field, term.to_owned())) {
        Entry::Occupied(known) => terms[*known.get()].weight += weight,
        Entry::Vacant(new) => {
            new.insert(terms.len());
            terms.push(QueryTerm { field, term: term.to_owned(), surface, weight });
        }
    };
    analyzer.words(query, &mut |term, surface| add(TEXT, 1.0, term, surface));
    analyzer.compounds(query, &mut |term, surface| add(TEXT, 1.0, term, surface));
    analyzer.words(query, &mut |term, surface| add(PARTS, PARTS_WEIGHT, term, surface));
    analyzer.parts(query, &mut |term, surface| add(PARTS, PARTS_WEIGHT, term, surface));
    terms
}
