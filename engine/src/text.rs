//! Which revisions contain the words of a question, and how well do they fit?
//!
//! One tantivy document for each revision of a record, found by its log position. tantivy keeps the postings; the
//! scoring is ours, so that only the documents that a search may see count in its statistics: a merge, a superseded
//! revision or a document of another audience changes no score.

mod analysis;
mod error;
mod found;
mod index;
mod query;
mod schema;
mod scope;
mod search;
mod view;

#[cfg(test)]
mod tests;

pub use error::TextError;
pub use found::TextHits;
pub use index::TextIndex;
pub use view::TextView;

/// One revision of a record, as it is indexed.
#[derive(Debug, Clone, Copy)]
pub struct TextDocument<'a> {
    /// The log position of the revision, from 1; each position is added at most once.
    pub position: u64,
    /// The record's title; its words count twice.
    pub title: &'a str,
    /// All other text of the record.
    pub body: &'a str,
    /// Aliases and identifiers of the record, separated by white space.
    pub names: &'a str,
    /// A hash of the content, given back by [`TextView::documents`] to verify the index against the log.
    pub digest: u64,
}

/// A revision that a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextHit {
    /// The log position of the revision.
    pub position: u64,
    /// BM25 over the visible documents; greater fits better, always above 0.
    pub score: f32,
}

/// What one word of the query gave to the score of a hit.
#[derive(Debug, Clone, PartialEq)]
pub struct TermScore {
    /// The word, or the part of an identifier, as the query first wrote it.
    pub term: String,
    /// Its share of the score.
    pub score: f32,
}
