//! What does a table's file hold, and can it be trusted?
//!
//! It is written whole and never changed: a header, then arrays of little-endian numbers and bytes, each at a multiple of 8
//! bytes and covered by a CRC-32 in the header. All of it is checked when it is opened, by reading; after that it is mapped,
//! and a revision is decoded when somebody asks for it.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ontology::{Audience, Kind};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use super::Revision;

/// Version of the file. Any change of [`Revision`], [`Meta`] or a type in them makes another, and any change of what is derived
/// from a record (`derive/`, `desk/prepare.rs`, `desk/mentions.rs`): a kept table would go on with what was derived before.
pub(super) const FORMAT: u32 = 1;
pub(super) const MAGIC: [u8; 8] = *b"trgtable";
/// Bytes of a file that are read at a time to be checked.
const READ_BYTES: usize = 1 << 20;

/// The arrays of the file, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Array {
    /// [`Meta`].
    Meta,
    /// Where each revision ends in `Revisions`, by position; an empty one was deleted.
    RevisionEnds,
    Revisions,
    /// When each revision was superseded: seconds, or [`NEVER`], and nanoseconds.
    Superseded,
    /// The number of each revision's audience list.
    Lists,
    /// Where each key's text, owners and referrers end, by its number.
    TextEnds,
    Texts,
    OwnerEnds,
    Owners,
    ReferrerEnds,
    Referrers,
    /// The keys' numbers in the order of their texts.
    Sorted,
}

pub(super) const ARRAYS: usize = Array::Sorted as usize + 1;
/// Seconds of a revision that nothing superseded.
pub(super) const NEVER: i64 = i64::MIN;

/// At the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    pub(super) format: u32,
    /// Of `arrays`.
    pub(super) checksum: u32,
    pub(super) arrays: [Place; ARRAYS],
}

/// Where an array lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Place {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) checksum: u64,
}

/// What is read as a whole when the file is opened.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Meta {
    /// What else the writer of the desk knows at that position.
    pub(super) beside: Beside,
    pub(super) current: Vec<u64>,
    pub(super) tickets: Vec<u64>,
    pub(super) searchable: Vec<u64>,
    pub(super) kinds: Vec<(Kind, Vec<u64>)>,
    pub(super) audiences: Vec<Box<[Audience]>>,
}

/// What is kept with a table, but is not part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    /// Numbers of the keys that texts are searched for.
    pub(crate) dictionary: Vec<u32>,
    /// When the newest entry of the log was observed.
    pub(crate) newest: Option<Timestamp>,
}

/// Why a table's file cannot be used. It is built again from the record log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoredError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is damaged ({reason})")]
    Damaged { path: PathBuf, reason: String },
}

/// A table's file, mapped and checked.
#[derive(Debug)]
pub(crate) struct Stored {
    map: memmap2::Mmap,
    ranges: [Range<usize>; ARRAYS],
}

impl Stored {
    /// Opens a file; none when there is none, or one of another version.
    pub(super) fn open(path: &Path) -> Result<Option<(Self, Meta)>, StoredError> {
        let io = |source| StoredError::Io { path: path.to_owned(), source };
        let damaged =
            |reason: &str| StoredError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io)?,
        };
        #[expect(unsafe_code, reason = "a memory map is the only way not to hold all revisions on the heap")]
        // SAFETY: nobody changes a table's file after it has its name: `write` renames a finished one, and the folder is
        // locked for this process.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        let head = map.get(..size_of::<Header>()).ok_or_else(|| damaged("it is too short"))?;
        let header: Header = bytemuck::pod_read_unaligned(head);
        if header.magic != MAGIC || header.format != FORMAT {
            return if header.magic == MAGIC { Ok(None) } else { Err(damaged("it is no table")) };
        }
        if header.checksum != crc32fast::hash(bytemuck::bytes_of(&header.arrays)) {
            return Err(damaged("checksum of the header differs"));
        }
        let ranges = header.arrays.map(|place| place.start as usize..place.end as usize);
        if ranges.iter().any(|range| map.get(range.clone()).is_none() || !range.start.is_multiple_of(8)) {
            return Err(damaged("it was cut off"));
        }
        let sound = |array: usize| checksum(&file, &map, ranges[array].clone()).map(u64::from);
        let sums: Result<Vec<u64>, _> = (0..ARRAYS).into_par_iter().map(sound).collect();
        let wrong =
            sums.map_err(io)?.iter().zip(&header.arrays).position(|(sum, place)| *sum != place.checksum);
        if let Some(array) = wrong {
            return Err(damaged(&format!("checksum of array {array} differs")));
        }
        let meta: Meta = postcard::from_bytes(&map[ranges[Array::Meta as usize].clone()])
            .map_err(|error| damaged(&error.to_string()))?;
        Ok(Some((Self { map, ranges }, meta)))
    }

    /// The revision at a position, unless it was deleted.
    pub(super) fn revision(&self, position: u64) -> Option<Revision> {
        let bytes = self.revision_bytes(position);
        if bytes.is_empty() {
            return None;
        }
        let decoded = postcard::from_bytes(bytes);
        decoded.inspect_err(|error| tracing::error!(position, %error, "the table's file cannot be read")).ok()
    }

    /// The same as it is written; empty when it was deleted.
    pub(super) fn revision_bytes(&self, position: u64) -> &[u8] {
        let index = position.checked_sub(1).map_or(usize::MAX, |index| index as usize);
        self.slice(Array::RevisionEnds, Array::Revisions, index)
    }

    /// By position, when each was superseded.
    pub(super) fn superseded(&self) -> impl Iterator<Item = Option<Timestamp>> {
        let moments = self.numbers::<[i64; 2]>(Array::Superseded).iter();
        moments.map(|[second, nanosecond]| {
            let nanosecond = i32::try_from(*nanosecond).ok()?;
            (*second != NEVER).then(|| Timestamp::new(*second, nanosecond).ok()).flatten()
        })
    }

    /// By position, the number of its audience list.
    pub(super) fn lists(&self) -> &[u32] {
        self.numbers(Array::Lists)
    }

    pub(super) fn keys(&self) -> usize {
        self.numbers::<u64>(Array::TextEnds).len()
    }

    pub(super) fn key_text(&self, key: u32) -> &str {
        let text = self.slice(Array::TextEnds, Array::Texts, key as usize);
        std::str::from_utf8(text).unwrap_or_default()
    }

    pub(super) fn owners(&self, key: u32) -> &[u64] {
        self.slice(Array::OwnerEnds, Array::Owners, key as usize)
    }

    pub(super) fn referrers(&self, key: u32) -> &[u64] {
        self.slice(Array::ReferrerEnds, Array::Referrers, key as usize)
    }

    /// The number of a key.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let sorted: &[u32] = self.numbers(Array::Sorted);
        let found = sorted.binary_search_by(|key| self.key_text(*key).cmp(text)).ok()?;
        Some(sorted[found])
    }

    /// Entry `index` of an array that another one cuts.
    fn slice<T: bytemuck::Pod>(&self, ends: Array, of: Array, index: usize) -> &[T] {
        let ends: &[u64] = self.numbers(ends);
        let Some(end) = ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { ends[index - 1] };
        self.numbers(of).get(start as usize..*end as usize).unwrap_or_default()
    }

    fn numbers<T: bytemuck::Pod>(&self, array: Array) -> &[T] {
        bytemuck::try_cast_slice(&self.map[self.ranges[array as usize].clone()]).unwrap_or_default()
    }
}

/// The checksum of a part of the file. It is read, not walked in the map, so that checking leaves nothing in the memory of
/// this process.
fn checksum(file: &File, map: &memmap2::Mmap, range: Range<usize>) -> std::io::Result<u32> {
    let mut sum = crc32fast::Hasher::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileExt;
        let mut buffer = vec![0; READ_BYTES.min(range.len())];
        for start in range.clone().step_by(READ_BYTES) {
            let bytes = &mut buffer[..READ_BYTES.min(range.end - start)];
            file.read_exact_at(bytes, start as u64)?;
            sum.update(bytes);
        }
        let _ = map;
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        sum.update(&map[range]);
    }
    Ok(sum.finalize())
}
