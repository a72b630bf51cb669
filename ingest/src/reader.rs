//! What comes out of the files? One item after the other, each with its lineage, none lost.

mod repeats;

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ontology::{Audience, Lineage, Observation, Place, Rejected, Retry, SourceId};
use oxrdf::Quad;
use serde_json::Value;

use crate::mapping::{Given, Outcome};
use crate::plan::{FilePlan, Plan, Request, file_name, folder_name, stem};
use crate::raw::{RAW_KEPT_BYTES, Raw, RawItems, kept};
use crate::{Format, IngestError};
use repeats::Seen;

/// One thing that a run gives.
#[derive(Debug)]
pub enum Item {
    /// A revision of a record.
    Observation(Box<Observation>),
    /// What no record could be made of; to be kept.
    Rejected(Box<Rejected>),
    /// What is no record on purpose.
    Skipped(Skipped),
    /// Statements as they are.
    Quads(QuadBlock),
}

/// What is no record, and why: a file of no known format, an item that its mapping leaves aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// File, as the user named it.
    pub origin: String,
    /// Where inside.
    pub place: Option<Place>,
    /// Why.
    pub reason: String,
}

/// Statements of an RDF file, as they are.
#[derive(Debug)]
pub struct QuadBlock {
    /// The source that they belong to.
    pub source: SourceId,
    /// The file.
    pub lineage: Lineage,
    /// The statements, 10,000 at most.
    pub quads: Vec<Quad>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files in all.
    pub files: usize,
    /// Files that are read to the end.
    pub files_done: usize,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that are read; a little ahead of the items, since reading is buffered.
    pub bytes_read: u64,
}

/// Plans a run and begins it.
///
/// ```
/// let request = ingest::Request {
///     paths: vec!["tests/fixtures/markdown".into()],
///     source: None,
///     mapping: None,
///     observed: jiff::Timestamp::UNIX_EPOCH,
///     audience: Vec::new(),
/// };
/// let records = ingest::open(&request)?.filter(|item| matches!(item, ingest::Item::Observation(_)));
/// assert_eq!(records.count(), 2);
/// # Ok::<(), ingest::IngestError>(())
/// ```
///
/// # Errors
/// [`IngestError`] when a path is not there, nothing can be read at all, or the mapping is wrong. What is wrong with a single file
/// or item comes out of the [`Reader`] as [`Item::Rejected`].
pub fn open(request: &Request) -> Result<Reader, IngestError> {
    Ok(Reader::new(Plan::of(request)?, request))
}

/// The items of all files of a run, in order.
#[derive(Debug)]
pub struct Reader {
    plan: Plan,
    observed: Timestamp,
    audience: Vec<Audience>,
    bytes_read: Arc<AtomicU64>,
    next_file: usize,
    current: Option<Current>,
    pending: VecDeque<(Option<Value>, Item)>,
}

/// A file that is being read.
struct Current {
    items: RawItems,
    /// Items so far.
    ordinal: u64,
    seen: Seen,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("ordinal", &self.ordinal).finish_non_exhaustive()
    }
}

impl Reader {
    pub(crate) fn new(mut plan: Plan, request: &Request) -> Self {
        let skipped = std::mem::take(&mut plan.skipped).into_iter().map(Item::Skipped);
        let rejected =
            std::mem::take(&mut plan.rejected).into_iter().map(|one| Item::Rejected(Box::new(one)));
        Self {
            pending: skipped.chain(rejected).map(|item| (None, item)).collect(),
            plan,
            observed: request.observed,
            audience: request.audience.clone(),
            bytes_read: Arc::default(),
            next_file: 0,
            current: None,
        }
    }

    /// The files that are read, in this order.
    pub fn files(&self) -> &[FilePlan] {
        &self.plan.files
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        let bytes = self.plan.bytes();
        Progress {
            files: self.plan.files.len(),
            files_done: self.next_file.saturating_sub(usize::from(self.current.is_some())),
            bytes,
            bytes_read: self.bytes_read.load(Ordering::Relaxed).min(bytes),
        }
    }

    /// The next item, with the fields it was made of.
    pub(crate) fn next_with_fields(&mut self) -> Option<(Option<Value>, Item)> {
        loop {
            if let Some(found) = self.pending.pop_front() {
                return Some(found);
            }
            let Some(mut current) = self.current.take() else {
                self.open_next()?;
                continue;
            };
            let Some(raw) = current.items.next() else {
                if current.ordinal == 0 {
                    let file = &self.plan.files[self.next_file - 1];
                    let skipped = Skipped {
                        origin: origin(file),
                        place: None,
                        reason: "the file holds no items".to_owned(),
                    };
                    self.pending.push_back((None, Item::Skipped(skipped)));
                }
                continue;
            };
            self.take(raw, &mut current);
            self.current = Some(current);
        }
    }

    fn open_next(&mut self) -> Option<()> {
        let file = self.plan.files.get(self.next_file)?;
        self.next_file += 1;
        match file.open() {
            Ok(bytes) => {
                let counted = Counted { inner: bytes, count: Arc::clone(&self.bytes_read) };
                self.current = Some(Current {
                    items: file.format.read(Box::new(counted)),
                    ordinal: 0,
                    seen: Seen::default(),
                });
            }
            Err(error) => {
                let lineage = lineage(file, None, self.observed);
                let reason = format!("cannot be read: {error}");
                self.pending.push_back((None, unreadable(file, lineage, reason, String::new())));
            }
        }
        Some(())
    }

    /// Turns what a format gave into items.
    fn take(&mut self, raw: Raw, current: &mut Current) {
        let file = &self.plan.files[self.next_file - 1];
        match raw {
            Raw::Quads(quads) => {
                current.ordinal += 1;
                let lineage = lineage(file, None, self.observed);
                let block = QuadBlock { source: file.source.clone(), lineage, quads };
                self.pending.push_back((None, Item::Quads(block)));
            }
            Raw::Bad { place, reason, text } => {
                current.ordinal += 1;
                let lineage = lineage(file, place, self.observed);
                self.pending.push_back((None, unreadable(file, lineage, reason, text)));
            }
            Raw::Item { place, value } => {
                let Some(mapping) = &file.mapping else { return };
                let values = match mapping.items(value) {
                    Ok(values) => values,
                    Err(reason) => {
                        current.ordinal += 1;
                        let lineage = lineage(file, place, self.observed);
                        self.pending.push_back((None, unreadable(file, lineage, reason, String::new())));
                        return;
                    }
                };
                let counts_items = values.len() > 1 || file.format == Format::Yaml;
                for mut value in values {
                    current.ordinal += 1;
                    let place = if counts_items { Some(Place::Item(current.ordinal)) } else { place };
                    add_origin(&mut value, file, current.ordinal);
                    let lineage = lineage(file, place, self.observed);
                    let fallback_id = match file.format {
                        Format::Markdown => file.relative.clone(),
                        _ => format!("{}#{}", file.relative, current.ordinal),
                    };
                    let given = Given {
                        source: &file.source,
                        lineage: &lineage,
                        audience: &self.audience,
                        fallback_id: &fallback_id,
                    };
                    let outcome = mapping.apply(&value, &given);
                    let item = item(outcome, &value, &given, current);
                    self.pending.push_back((Some(value), item));
                }
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        self.next_with_fields().map(|(_, item)| item)
    }
}

fn item(outcome: Outcome, value: &Value, given: &Given<'_>, current: &mut Current) -> Item {
    let Lineage { origin, place, .. } = given.lineage;
    let skipped = |reason| Item::Skipped(Skipped { origin: origin.clone(), place: *place, reason });
    match outcome {
        Outcome::Record { observation, repeats } => match current.seen.take(observation, repeats) {
            Ok(observation) => Item::Observation(observation),
            Err(reason) => skipped(reason),
        },
        Outcome::Skipped { reason } => skipped(reason),
        Outcome::Rejected { record, reason } => {
            let raw = value.to_string();
            let retry = (raw.len() <= RAW_KEPT_BYTES).then(|| Retry::Fields {
                audience: given.audience.to_vec(),
                fallback_id: given.fallback_id.to_owned(),
            });
            let (source, lineage) = (given.source.clone(), given.lineage.clone());
            let raw = kept(&raw).to_owned();
            Item::Rejected(Box::new(Rejected { source, lineage, record, reason, raw, retry }))
        }
    }
}

/// What is not even fields; it cannot be tried again without its file.
fn unreadable(file: &FilePlan, lineage: Lineage, reason: String, raw: String) -> Item {
    let source = file.source.clone();
    Item::Rejected(Box::new(Rejected { source, lineage, record: None, reason, raw, retry: None }))
}

/// Adds to an item where it comes from, for mappings: `$path`, `$file`, `$stem`, `$folder`, `$ordinal`, `$format`.
fn add_origin(value: &mut Value, file: &FilePlan, ordinal: u64) {
    let Value::Object(fields) = value else { return };
    let name = file_name(&file.path);
    let mut add = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    add("$stem", stem(&name).into());
    add("$file", name.into());
    add("$path", file.relative.as_str().into());
    add("$folder", folder_name(&file.path).into());
    add("$ordinal", ordinal.into());
    add("$format", file.format.as_str().into());
}

fn origin(file: &FilePlan) -> String {
    file.path.display().to_string()
}

fn lineage(file: &FilePlan, place: Option<Place>, observed: Timestamp) -> Lineage {
    Lineage { origin: origin(file), place, mapping: file.mapping_name().to_owned(), observed }
}

/// Counts the bytes that go through.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
