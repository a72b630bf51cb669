//! What does the index hold as of one commit?

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::{DocId, Opstamp, Searcher, SegmentReader, TantivyError};

use crate::visible::Visible;

use super::analysis::Analyzer;
use super::query::query_terms;
use super::schema::{DIGEST, Fields, LENGTHS, POSITION, TERM_FIELDS};
use super::scope::Scope;
use super::{TextError, TextHits, search};

/// Sets of visible revisions whose statistics one view keeps at hand.
const CACHED_SCOPES: usize = 8;

/// The statistics of what was searched last, the latest at the end.
type Scopes = Vec<(Visible, Arc<Scope>)>;

/// The index as of one commit; a clone is cheap, and later commits do not change it.
#[derive(Clone)]
pub struct TextView {
    folder: Arc<PathBuf>,
    analyzer: Analyzer,
    fields: Fields,
    searcher: Searcher,
    segments: Arc<[Segment]>,
    scopes: Arc<Mutex<Scopes>>,
}

/// One segment, opened for scoring.
pub(super) struct Segment {
    key: (SegmentId, Option<Opstamp>),
    /// The number of documents in the segments before this one.
    pub(super) base: DocId,
    pub(super) columns: Arc<Columns>,
    pub(super) terms: [Arc<InvertedIndexReader>; TERM_FIELDS],
}

/// The fast fields that every search reads, decoded once for each segment.
pub(super) struct Columns {
    /// Log positions by document; 0, which no log position is, for a removed one.
    pub(super) positions: Vec<u64>,
    /// The number of terms by document, for each field.
    pub(super) lengths: [Vec<u32>; TERM_FIELDS],
}

impl TextView {
    /// The view that `searcher` gives; what `before` has decoded of the same segments is used again.
    pub(super) fn new(
        folder: &Path,
        fields: &Fields,
        searcher: Searcher,
        before: Option<&TextView>,
    ) -> Result<Self, TantivyError> {
        let known = before.map_or(&[][..], |view| &view.segments);
        let mut base = 0;
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let key = (reader.segment_id(), reader.delete_opstamp());
            let columns = match known.iter().find(|segment| segment.key == key) {
                Some(segment) => Arc::clone(&segment.columns),
                None => Arc::new(Columns::read(reader)?),
            };
            let [text, parts] = fields.terms;
            let terms = [reader.inverted_index(text)?, reader.inverted_index(parts)?];
            segments.push(Segment { key, base, columns, terms });
            base += reader.max_doc();
        }
        Ok(Self {
            folder: Arc::new(folder.to_path_buf()),
            analyzer: Analyzer::new(),
            fields: fields.clone(),
            searcher,
            segments: segments.into(),
            scopes: Arc::default(),
        })
    }

    /// The `limit` best hits for `query` among the `visible` revisions: greatest score first, then lowest position.
    ///
    /// The query is plain text, nothing in it is syntax. Of a very long one the first 64 KiB count, and of those the
    /// 1,000 rarest terms.
    ///
    /// # Errors
    /// [`TextError::DeadlineExceeded`] when `deadline` passes before the end; [`TextError::Corrupt`] and
    /// [`TextError::Failed`] when the index cannot be read.
    pub fn search(
        &self,
        query: &str,
        visible: &Visible,
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<TextHits, TextError> {
        let terms = query_terms(&mut self.analyzer.clone(), query);
        let scope = self.scope(visible);
        let found = search::search(&self.segments, &self.fields, terms, &scope, limit, deadline);
        let (best, matched) = found.map_err(|stop| match stop {
            search::Stop::Deadline => TextError::DeadlineExceeded,
            search::Stop::Failed(error) => TextError::of(&self.folder, error.into()),
        })?;
        let (folder, segments) = (Arc::clone(&self.folder), Arc::clone(&self.segments));
        Ok(TextHits { folder, segments, analyzer: self.analyzer.clone(), scope, matched, best })
    }

    /// What the statistics of a search among the `visible` revisions count. One search after the other sees the same.
    fn scope(&self, visible: &Visible) -> Arc<Scope> {
        let cached = || self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut scopes = cached();
            if let Some(index) = scopes.iter().position(|(known, _)| known == visible) {
                let known = scopes.remove(index);
                let scope = Arc::clone(&known.1);
                scopes.push(known);
                return scope;
            }
        }
        let scope = Arc::new(Scope::new(&self.segments, visible));
        let mut scopes = cached();
        if scopes.len() >= CACHED_SCOPES {
            scopes.remove(0);
        }
        scopes.push((visible.clone(), Arc::clone(&scope)));
        scope
    }

    /// The position and the content hash of every revision in the index, by position.
    ///
    /// # Errors
    /// [`TextError::Corrupt`] and [`TextError::Failed`] when the index cannot be read.
    pub fn documents(&self) -> Result<impl Iterator<Item = (u64, u64)> + use<>, TextError> {
        let mut documents = Vec::new();
        for (segment, reader) in self.segments.iter().zip(self.searcher.segment_readers()) {
            let digests = reader
                .fast_fields()
                .column_first_or_default::<u64>(DIGEST)
                .map_err(|error| TextError::of(&self.folder, error))?;
            documents.extend(
                segment
                    .columns
                    .positions
                    .iter()
                    .zip(digests.iter())
                    .map(|(&position, digest)| (position, digest)),
            );
        }
        documents.retain(|(position, _)| *position != 0);
        documents.sort_unstable();
        Ok(documents.into_iter())
    }

    /// Reads every file of the last commit and compares it with its checksum. To be run while nobody commits.
    ///
    /// # Errors
    /// [`TextError::Corrupt`] names the first damaged file.
    pub fn check(&self) -> Result<(), TextError> {
        let damaged =
            self.searcher.index().validate_checksum().map_err(|error| TextError::of(&self.folder, error))?;
        match damaged.into_iter().min() {
            None => Ok(()),
            Some(file) => Err(TextError::Corrupt {
                file: self.folder.join(file),
                reason: "its checksum differs".to_owned(),
            }),
        }
    }
}

impl Columns {
    fn read(reader: &SegmentReader) -> Result<Self, TantivyError> {
        let column = |name| reader.fast_fields().column_first_or_default::<u64>(name);
        let positions = column(POSITION)?;
        let positions = (0..reader.max_doc())
            .map(|document| if reader.is_deleted(document) { 0 } else { positions.get_val(document) })
            .collect();
        let [text, parts] = LENGTHS;
        let lengths = [column(text)?, column(parts)?]
            .map(|lengths| lengths.iter().map(|length| u32::try_from(length).unwrap_or(u32::MAX)).collect());
        Ok(Self { positions, lengths })
    }
}

#[cfg(test)]
impl TextView {
    /// Whether the files of the view have `word` in a dictionary, even if only removed documents hold it.
    pub(super) fn holds_word(&self, word: &str) -> bool {
        let [text, _] = self.fields.terms;
        let word = tantivy::Term::from_field_text(text, word);
        self.segments.iter().any(|segment| segment.terms[0].get_term_info(&word).unwrap().is_some())
    }
}
