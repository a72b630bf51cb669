//! What would a run read? The files under some paths, each with its format, mapping and size.

mod choice;
mod names;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ontology::{Audience, Lineage, Rejected, SourceId};
use serde_json::Value;

use crate::format::{self, Bytes, Format};
use crate::raw::Raw;
use crate::reader::{Counted, Skipped};
use crate::{IngestError, Mapping};
pub use choice::MappingChoice;
pub(crate) use names::{file_name, folder_name, stem};
use names::{not_records, safe};

/// What is to be read.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files and folders; folders are walked, in the order of names.
    pub paths: Vec<PathBuf>,
    /// The name of the source; without it a mapping's own, else that of the folder.
    pub source: Option<SourceId>,
    /// The mapping; without it each file's own is found out.
    pub mapping: Option<MappingChoice>,
    /// The time to write into lineage.
    pub observed: Timestamp,
    /// Who may see records of which the mapping says nothing; `staff` when empty.
    pub audience: Vec<Audience>,
}

/// A file that is to be read.
#[derive(Debug, Clone)]
pub struct FilePlan {
    /// Where it lies, as the user named it.
    pub path: PathBuf,
    /// Its path below the folder that was named; part of ids of records that have none.
    pub relative: String,
    /// How it is written.
    pub format: Format,
    /// Where its records come from.
    pub source: SourceId,
    /// Its size, unpacked.
    pub bytes: u64,
    /// About how many items it holds; exact for small files.
    pub estimated_items: u64,
    /// What its fields mean; statements of RDF need nothing.
    pub(crate) mapping: Option<Arc<Mapping>>,
    is_zip: bool,
}

impl FilePlan {
    /// The mapping's name; `as-is` for RDF.
    pub fn mapping_name(&self) -> &str {
        self.mapping.as_deref().map_or("as-is", Mapping::name)
    }

    /// Opens the file for reading.
    pub(crate) fn open(&self) -> std::io::Result<Bytes> {
        open(&self.path, self.is_zip)
    }
}

/// What a run would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files that are read, in this order.
    pub files: Vec<FilePlan>,
    /// Files that are not, and why.
    pub skipped: Vec<Skipped>,
    /// Files that should be and cannot.
    pub rejected: Vec<Rejected>,
}

impl Plan {
    /// Looks at all files of a request, without reading more than the beginning of each.
    ///
    /// # Errors
    /// [`IngestError`] when a path is not there, nothing can be read at all, or the mapping is wrong.
    pub fn of(request: &Request) -> Result<Self, IngestError> {
        let mut planner = Planner {
            request,
            chosen: request.mapping.as_ref().map(MappingChoice::load).transpose()?.map(Arc::new),
            builtin: Mapping::builtin_names()
                .map(|name| Mapping::builtin(name).map(Arc::new))
                .collect::<Result<_, _>>()?,
            seen: BTreeSet::new(),
            roots: Vec::new(),
            plan: Self::default(),
        };
        for root in &request.paths {
            planner.root(root)?;
        }
        planner.tell_apart()?;
        let plan = planner.plan;
        if plan.files.is_empty() && plan.rejected.is_empty() {
            let paths: Vec<_> = request.paths.iter().map(|path| path.display().to_string()).collect();
            return Err(IngestError::NothingToRead { paths: paths.join(", ") });
        }
        Ok(plan)
    }

    /// Bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Items that are looked at to know a file.
const SAMPLE_ITEMS: usize = 50;
/// Items that are counted to estimate how many there are.
const ESTIMATE_ITEMS: usize = 2_000;
/// Bytes that are read for both: a few items may be as long as many.
const SAMPLE_BYTES: u64 = 32 << 20;
/// Bytes that are looked at to know a format.
const HEAD_BYTES: u64 = 64 << 10;
/// About the length of a statement, for estimates.
const QUAD_BYTES: u64 = 120;

struct Planner<'r> {
    request: &'r Request,
    chosen: Option<Arc<Mapping>>,
    builtin: Vec<Arc<Mapping>>,
    /// Files that are planned already, by their real paths.
    seen: BTreeSet<(SourceId, PathBuf)>,
    /// The path that led to each file of the plan.
    roots: Vec<PathBuf>,
    plan: Plan,
}

/// Why a file is not read: left aside, or rejected.
enum No {
    Skip(String),
    Reject(String),
}

impl Planner<'_> {
    fn root(&mut self, root: &Path) -> Result<(), IngestError> {
        let unreadable = |source| IngestError::Unreadable { path: root.to_owned(), source };
        let is_folder = std::fs::metadata(root).map_err(unreadable)?.is_dir();
        let mut files = Vec::new();
        if is_folder {
            self.walk(root, &mut files).map_err(unreadable)?;
        } else {
            files.push(root.to_owned());
        }
        for path in files {
            let relative = path.strip_prefix(root).ok().filter(|_| is_folder).map_or_else(
                || file_name(&path),
                |inside| {
                    inside
                        .components()
                        .map(|part| part.as_os_str().to_string_lossy())
                        .collect::<Vec<_>>()
                        .join("/")
                },
            );
            match self.file(root, &path, &relative, is_folder)? {
                Ok(file) => {
                    self.plan.files.push(file);
                    self.roots.push(root.to_owned());
                }
                Err(No::Skip(reason)) => self.skip(&path, reason),
                Err(No::Reject(reason)) => self.reject(root, &path, reason)?,
            }
        }
        Ok(())
    }

    /// All files below a folder, in the order of names; hidden ones aside. Links to folders are not followed.
    fn walk(&mut self, folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
        let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                self.skip(&path, "hidden".to_owned());
            } else if entry.file_type()?.is_dir() {
                self.walk(&path, files)?;
            } else {
                files.push(path);
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        root: &Path,
        path: &Path,
        relative: &str,
        is_walked: bool,
    ) -> Result<Result<FilePlan, No>, IngestError> {
        let known = match self.look(path, relative, is_walked) {
            Ok(known) => known,
            Err(no) => return Ok(Err(no)),
        };
        let source = self.source(root, path, known.mapping.as_deref())?;
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert((source.clone(), real)) {
            return Ok(Err(No::Skip("the same file as one before, by another path".to_owned())));
        }
        Ok(Ok(FilePlan {
            path: path.to_owned(),
            relative: relative.to_owned(),
            format: known.format,
            source,
            bytes: known.bytes,
            estimated_items: known.estimated_items,
            mapping: known.mapping,
            is_zip: known.is_zip,
        }))
    }

    fn look(&self, path: &Path, relative: &str, is_walked: bool) -> Result<Known, No> {
        if let Some(reason) = not_records(path).filter(|_| is_walked) {
            return Err(No::Skip(reason.to_owned()));
        }
        let unreadable = |error: std::io::Error| No::Reject(format!("cannot be read: {error}"));
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(No::Skip(
                "a link to a folder, which is not followed: name the folder itself".to_owned(),
            ));
        }
        if !metadata.is_file() {
            return Err(No::Reject("no regular file: a pipe or a device may never end".to_owned()));
        }
        let is_zip = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        let (name, bytes) = if is_zip {
            format::zip_member(path).map_err(No::Reject)?
        } else {
            (file_name(path), metadata.len())
        };
        let by_name = Format::of_name(&name);
        if by_name.is_none() && is_walked && name.contains('.') {
            return Err(No::Skip(format!("no format that is known: {}", Format::KNOWN)));
        }
        let mut head = Vec::new();
        open(path, is_zip)
            .and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head))
            .map_err(unreadable)?;
        let Some(format) = by_name.or_else(|| Format::of_content(&String::from_utf8_lossy(&head))) else {
            let reason = format!("no format that is known: {}", Format::KNOWN);
            return Err(if is_walked { No::Skip(reason) } else { No::Reject(reason) });
        };
        if head.trim_ascii().is_empty() {
            return Err(No::Reject("the file is empty".to_owned()));
        }
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            return Err(No::Reject("the file is UTF-16: save it as UTF-8".to_owned()));
        }
        if let Some(at) = head.iter().position(|byte| *byte == 0) {
            return Err(No::Reject(format!("byte {} is NUL: the file is no text, or damaged", at + 1)));
        }
        let (mapping, estimated_items) = match format {
            Format::Rdf(_) => (None, bytes.div_ceil(QUAD_BYTES)),
            _ => self.mapping(path, relative, format, bytes, is_zip, is_walked).map_err(|no| match no {
                No::Skip(reason) if !is_walked => No::Reject(reason),
                no => no,
            })?,
        };
        Ok(Known { format, bytes, mapping, is_zip, estimated_items })
    }

    /// The mapping of a file, and about how many items it holds.
    fn mapping(
        &self,
        path: &Path,
        relative: &str,
        format: Format,
        bytes: u64,
        is_zip: bool,
        is_walked: bool,
    ) -> Result<(Option<Arc<Mapping>>, u64), No> {
        let file = open(path, is_zip).map_err(|error| No::Reject(format!("cannot be read: {error}")))?;
        let read = Arc::new(AtomicU64::new(0));
        let items = format.read(Box::new(Counted { inner: file, count: Arc::clone(&read) }));
        let mut sample: Vec<Value> = Vec::new();
        let mut sampled = 0_u64;
        for raw in items.take(ESTIMATE_ITEMS) {
            sampled += 1;
            match raw {
                Raw::Item { value, .. } if sample.len() < SAMPLE_ITEMS => sample.push(value),
                _ => {}
            }
            if read.load(Ordering::Relaxed) >= SAMPLE_BYTES {
                break;
            }
        }
        let detects = |mapping: &&Arc<Mapping>| mapping.detects(format, relative, &sample);
        let chosen = self.chosen.iter().find(|mapping| !mapping.has_detection() || detects(mapping));
        if let (Some(mapping), None, false) = (&self.chosen, chosen, is_walked) {
            let reason = "none of its [[detect]] fits it: choose another, or none";
            return Err(No::Reject(format!("mapping {} does not know this file: {reason}", mapping.name())));
        }
        let known = chosen.or_else(|| self.builtin.iter().find(detects));
        let mapping = match known {
            Some(mapping) => mapping,
            None if format == Format::Yaml && !sample.is_empty() => {
                return Err(No::Skip(
                    "no built-in mapping knows the fields of this YAML: give a mapping".to_owned(),
                ));
            }
            None => self.builtin.last().ok_or_else(|| No::Reject("there is no mapping".to_owned()))?,
        };
        // The rows of a table all have the fields of its header: what one lacks, all lack.
        if let (Format::Csv, Some(reason)) = (format, sample.first().and_then(|row| mapping.lack(row))) {
            return Err(No::Reject(reason));
        }
        let inner: u64 = sample.iter().map(|value| mapping.count_items(value) as u64).sum();
        let items = (sampled * inner.max(1)).div_ceil((sample.len() as u64).max(1));
        let read = read.load(Ordering::Relaxed).clamp(1, bytes.max(1));
        let estimate = if read >= bytes { items } else { (items * bytes).div_ceil(read) };
        Ok((Some(Arc::clone(mapping)), estimate))
    }

    fn source(&self, root: &Path, path: &Path, mapping: Option<&Mapping>) -> Result<SourceId, IngestError> {
        if let Some(source) = &self.request.source {
            return Ok(source.clone());
        }
        let named = |name: &str, path: &Path| {
            SourceId::new(name).map_err(|source| IngestError::SourceName { path: path.to_owned(), source })
        };
        match mapping.and_then(Mapping::source) {
            Some("$folder") => named(&safe(&folder_name(path)), path),
            Some(name) => named(name, path),
            None if root == path => named(&safe(stem(&file_name(path))), root),
            None => named(&safe(&file_name(root)), root),
        }
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.plan.skipped.push(Skipped { origin: path.display().to_string(), place: None, reason });
    }

    /// Sees to it that no two files of a source have the same path in it, whatever the order of the roots.
    fn tell_apart(&mut self) -> Result<(), IngestError> {
        names::tell_apart(&mut self.plan.files, &self.roots);
        let mut taken = BTreeSet::new();
        let mut equal = Vec::new();
        let mut roots = self.roots.iter();
        self.plan.files.retain(|file| {
            let root = roots.next();
            let is_new = taken.insert((file.source.clone(), file.relative.clone()));
            equal.extend(root.filter(|_| !is_new).map(|root| (root.clone(), file.path.clone())));
            is_new
        });
        for (root, path) in equal {
            let reason = "another file has the same path in the same source: rename one of them";
            self.reject(&root, &path, reason.to_owned())?;
        }
        Ok(())
    }

    fn reject(&mut self, root: &Path, path: &Path, reason: String) -> Result<(), IngestError> {
        let lineage = Lineage {
            origin: path.display().to_string(),
            place: None,
            mapping: "none".to_owned(),
            observed: self.request.observed,
        };
        let source = self.source(root, path, None)?;
        self.plan.rejected.push(Rejected {
            source,
            lineage,
            record: None,
            reason,
            raw: String::new(),
            retry: None,
        });
        Ok(())
    }
}

struct Known {
    format: Format,
    bytes: u64,
    mapping: Option<Arc<Mapping>>,
    is_zip: bool,
    estimated_items: u64,
}

fn open(path: &Path, is_zip: bool) -> std::io::Result<Bytes> {
    Ok(if is_zip { Box::new(format::open_zip(path)?) } else { Box::new(File::open(path)?) })
}
