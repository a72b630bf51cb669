//! How do revisions get into the index, and how far along the log is it?

use std::fs;
use std::path::{Path, PathBuf};

use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::tokenizer::RawTokenizer;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyError, Term};

use super::analysis::{ANALYSIS_NAME, Analyzer};
use super::schema::Fields;
use super::{TextDocument, TextError, TextView};

/// The memory that the one writing thread fills before it writes a segment: more than a batch of the log needs, and little to
/// clear for a commit of one ticket.
const WRITER_HEAP_BYTES: usize = 16 << 20;
/// So many segments of like size become one. Each search looks every term up in every segment.
const MERGED_SEGMENTS: usize = 4;

/// The one writer of the text index.
///
/// What was added or removed is seen, and survives a crash, from the next [`TextIndex::commit`] on.
pub struct TextIndex {
    folder: PathBuf,
    fields: Fields,
    analyzer: Analyzer,
    writer: IndexWriter,
    reader: IndexReader,
    position: u64,
    view: TextView,
}

impl TextIndex {
    /// Opens the index in `folder`, which is made when it does not exist.
    ///
    /// # Errors
    /// [`TextError::InUse`] when another process has it open; [`TextError::OtherFormat`] and [`TextError::Corrupt`]
    /// when it has to be rebuilt.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, TextError> {
        let folder = folder.as_ref();
        let fields = Fields::new();
        let open = || -> Result<_, TantivyError> {
            fs::create_dir_all(folder)?;
            let directory = MmapDirectory::open(folder)?;
            let index = if Index::exists(&directory)? {
                Index::open(directory)?
            } else {
                // No text is kept beside the terms: no thread is needed to compress it.
                let settings =
                    IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
                Index::create(directory, fields.schema.clone(), settings)?
            };
            // Documents come split into terms; tantivy only asks that the name of the schema be known.
            index.tokenizers().register(ANALYSIS_NAME, RawTokenizer::default());
            Ok((index.load_metas()?.payload, index))
        };
        let (payload, index) = open().map_err(|error| TextError::of(folder, error))?;
        let position = payload.map_or(Ok(0), |payload| payload.parse());
        let (true, Ok(position)) = (index.schema() == fields.schema, position) else {
            return Err(TextError::OtherFormat { folder: folder.to_path_buf() });
        };
        let readers = || -> Result<_, TantivyError> {
            let options = IndexWriterOptions::builder()
                .memory_budget_per_thread(WRITER_HEAP_BYTES)
                .num_merge_threads(1);
            let writer = index.writer_with_options(options.build())?;
            let mut merging = LogMergePolicy::default();
            merging.set_min_num_segments(MERGED_SEGMENTS);
            writer.set_merge_policy(Box::new(merging));
            // A process that was killed before its commit left files whose names the next commit wants.
            writer.garbage_collect_files().wait()?;
            let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
            let view = TextView::new(folder, &fields, reader.searcher(), None)?;
            Ok((writer, reader, view))
        };
        let (writer, reader, view) = readers().map_err(|error| TextError::of(folder, error))?;
        let analyzer = Analyzer::new();
        Ok(Self { folder: folder.to_path_buf(), fields, analyzer, writer, reader, position, view })
    }

    /// The log position of the last commit; 0 when the index is new or was cleared.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The index as of the last commit.
    pub fn view(&self) -> TextView {
        self.view.clone()
    }

    /// Adds a revision, whose position the index must not hold yet.
    ///
    /// # Errors
    /// [`TextError::Failed`] when the writing thread could not write; [`TextIndex::rollback`] starts a new one.
    pub fn add(&mut self, document: &TextDocument<'_>) -> Result<(), TextError> {
        let document = self.fields.document(&mut self.analyzer, document);
        self.writer.add_document(document).map_err(|error| TextError::of(&self.folder, error))?;
        Ok(())
    }

    /// Removes the revision at `position`, if it is there. [`TextIndex::compact`] erases its words as well.
    pub fn remove(&mut self, position: u64) {
        self.writer.delete_term(Term::from_field_u64(self.fields.position, position));
    }

    /// Makes what was added and removed durable together with `log_position`, and gives the view that shows it.
    ///
    /// # Errors
    /// [`TextError::Failed`] when it could not be written; the index is then as of the commit before.
    pub fn commit(&mut self, log_position: u64) -> Result<TextView, TextError> {
        self.try_commit(log_position).map_err(|error| TextError::of(&self.folder, error))
    }

    /// Forgets what was added and removed since the last commit.
    ///
    /// # Errors
    /// [`TextError::Failed`] when the index could not be opened again.
    pub fn rollback(&mut self) -> Result<(), TextError> {
        self.writer.rollback().map_err(|error| TextError::of(&self.folder, error))?;
        Ok(())
    }

    /// Empties the index for a rebuild from the start of the log, and commits that.
    ///
    /// # Errors
    /// [`TextError::Failed`] when it could not be written.
    pub fn clear(&mut self) -> Result<TextView, TextError> {
        self.rollback()?;
        self.writer.delete_all_documents().map_err(|error| TextError::of(&self.folder, error))?;
        self.commit(0)
    }

    /// Erases the words of removed revisions from the files, which a commit alone does not. Forgets, like
    /// [`TextIndex::rollback`], what is not committed. A file lives on until the last view that reads it is dropped.
    ///
    /// # Errors
    /// [`TextError::Failed`] when it could not be written.
    pub fn compact(&mut self) -> Result<TextView, TextError> {
        // The rollback also ends the merges under way, which would hold some of the segments.
        self.rollback()?;
        self.try_compact().map_err(|error| TextError::of(&self.folder, error))
    }

    fn try_commit(&mut self, log_position: u64) -> Result<TextView, TantivyError> {
        let _phase = tracing::debug_span!("commit-text").entered();
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&log_position.to_string());
        prepared.commit()?;
        self.position = log_position;
        self.reload()
    }

    fn try_compact(&mut self) -> Result<TextView, TantivyError> {
        for segment in self.writer.index().searchable_segment_metas()? {
            if segment.has_deletes() {
                self.writer.merge(&[segment.id()]).wait()?;
            }
        }
        let view = self.reload()?;
        self.writer.garbage_collect_files().wait()?;
        Ok(view)
    }

    fn reload(&mut self) -> Result<TextView, TantivyError> {
        self.reader.reload()?;
        self.view = TextView::new(&self.folder, &self.fields, self.reader.searcher(), Some(&self.view))?;
        Ok(self.view())
    }
}

#[cfg(test)]
impl TextIndex {
    /// Merges all segments into one, as a merge in the background may at any time.
    pub(crate) fn merge_all(&mut self) -> TextView {
        // Ends the merges under way, which would hold some of the segments; one that is just ending may still do.
        for _ in 0..100 {
            self.rollback().unwrap();
            let segments = self.writer.index().searchable_segment_ids().unwrap();
            if self.writer.merge(&segments).wait().is_ok() {
                return self.reload().unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("a merge holds a segment for two seconds")
    }
}
