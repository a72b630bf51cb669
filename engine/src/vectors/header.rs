//! What does the head of a segment's file say?
//!
//! | bytes of the header | content |
//! | --- | --- |
//! | 0..8 | `TGVECSEG` |
//! | 8..24 | format version, encoding of the vectors (0: f32; 1: f32, and codes beside), dimensions, layers (u32 each) |
//! | 24..56 | rows, keys, link places, links (u64 each) |
//! | 56..96 | CRC-32 of each array |
//! | 96..100 | CRC-32 of the bytes before |
//! | 100..128 | zero |
//!
//! Format 1 had no codes: eight arrays, eight CRC-32, encoding 0. It is still read.

use std::ops::Range;
use std::path::Path;

use super::codes::{LINE, lines_of};
use super::error::VectorError;
use super::graph::MAX_LAYERS;
use super::layout::Layout;

const MAGIC: &[u8; 8] = b"TGVECSEG";
const VERSION: u32 = 2;
/// The format before, which had fewer arrays.
const WITHOUT_CODES: u32 = 1;
pub(super) const HEADER_BYTES: usize = 128;
pub(super) const ALIGNMENT: u64 = 64;
pub(super) const ARRAYS: usize = 10;
/// The last arrays. No number in them can make a search fail, so they are read when it needs them and not before.
pub(super) const VECTORS: usize = 7;
pub(super) const SCALES: usize = 8;
pub(super) const CODES: usize = 9;
/// Most keys of a segment: with 64 links a row, places in the links still fit 32 bits.
pub(super) const MAX_KEYS: usize = 1 << 26;

const _: () = assert!(cfg!(target_endian = "little"), "segments are mapped as little-endian numbers");

/// The counts of a segment, and the checksums of its arrays.
pub(super) struct Header {
    /// Whether there are codes.
    pub(super) coded: bool,
    pub(super) dimensions: u32,
    layers: u32,
    rows: u64,
    keys: u64,
    places: u64,
    links: u64,
    pub(super) checksums: [u32; ARRAYS],
}

impl Header {
    pub(super) fn of(layout: &Layout<'_>, coded: bool) -> Self {
        Self {
            coded,
            dimensions: layout.dimensions as u32,
            layers: layout.layers() as u32,
            rows: layout.rows() as u64,
            keys: layout.keys.len() as u64,
            places: layout.link_offsets.len() as u64,
            links: layout.links.len() as u64,
            checksums: [0; ARRAYS],
        }
    }

    pub(super) fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        for number in [VERSION, u32::from(self.coded), self.dimensions, self.layers] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.rows, self.keys, self.places, self.links] {
            bytes.extend(number.to_le_bytes());
        }
        self.checksums.iter().for_each(|checksum| bytes.extend(checksum.to_le_bytes()));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let mut padded = [0; HEADER_BYTES];
        padded[..bytes.len()].copy_from_slice(&bytes);
        padded
    }

    pub(super) fn read(file: &Path, map: &[u8]) -> Result<Self, VectorError> {
        let corrupt = |what: &str| VectorError::corrupt(file, what);
        let bytes = map.get(..HEADER_BYTES).ok_or_else(|| corrupt("it is shorter than its header"))?;
        let small = |at: usize| bytemuck::pod_read_unaligned::<u32>(&bytes[at..at + 4]);
        let large = |at: usize| bytemuck::pod_read_unaligned::<u64>(&bytes[at..at + 8]);
        if &bytes[..8] != MAGIC {
            return Err(corrupt("it does not start as a segment does"));
        }
        let arrays = match small(8) {
            VERSION => ARRAYS,
            WITHOUT_CODES => ARRAYS - 2,
            found => {
                let (found, known) = (u64::from(found), u64::from(VERSION));
                return Err(VectorError::Format { file: file.to_owned(), found, known });
            }
        };
        let end = 56 + 4 * arrays;
        if crc32fast::hash(&bytes[..end]) != small(end) || bytes[end + 4..].iter().any(|&byte| byte != 0) {
            return Err(corrupt("checksum of the header differs"));
        }
        // Arrays that a format does not have are empty, and so is their checksum.
        let checksums = std::array::from_fn(|array| if array < arrays { small(56 + 4 * array) } else { 0 });
        let header = Self {
            coded: small(12) == 1,
            dimensions: small(16),
            layers: small(20),
            rows: large(24),
            keys: large(32),
            places: large(40),
            links: large(48),
            checksums,
        };
        let sound = small(12) <= u32::from(arrays == ARRAYS)
            && (1..=MAX_LAYERS as u32).contains(&header.layers)
            && (1..=header.keys).contains(&header.rows)
            && header.keys <= MAX_KEYS as u64
            && header.places <= (MAX_LAYERS * (MAX_KEYS + 1)) as u64
            && header.links <= u64::from(u32::MAX)
            && header.dimensions <= 1 << 16;
        if sound { Ok(header) } else { Err(corrupt("its header makes no sense")) }
    }

    /// Where each array lies, and the length of the file. The counts are small enough not to overflow.
    pub(super) fn ranges(&self) -> ([Range<usize>; ARRAYS], usize) {
        let coded = if self.coded { self.rows } else { 0 };
        let lines = lines_of(self.dimensions as usize) * LINE;
        let words = [
            u64::from(self.layers),
            self.places,
            self.links,
            self.rows + 1,
            self.keys,
            2 * self.keys,
            self.keys,
        ];
        let vectors = [4 * self.rows * u64::from(self.dimensions), 8 * coded, coded * lines as u64];
        let mut lengths = words.into_iter().map(|words| 4 * words).chain(vectors);
        let mut end = HEADER_BYTES as u64;
        let ranges = std::array::from_fn(|_| {
            let length = lengths.next().unwrap_or(0);
            // Arrays that are not there must not lengthen the file.
            let start = if length == 0 { end } else { end.next_multiple_of(ALIGNMENT) };
            end = start + length;
            start as usize..end as usize
        });
        (ranges, end as usize)
    }
}
