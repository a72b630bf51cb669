//! What is in a sealed segment's file, and can it be trusted?
//!
//! A segment is written once and never changed: a header, then ten arrays of little-endian numbers, each
//! starting at a multiple of 64 bytes and covered by a CRC-32 in the header. It is mapped into memory, not read.
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

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::PassageKey;
use super::codes::{Codes, LINE, encode, lines_of};
use super::error::VectorError;
use super::graph::MAX_LAYERS;

const MAGIC: &[u8; 8] = b"TGVECSEG";
const VERSION: u32 = 2;
/// The format before, which had fewer arrays.
const WITHOUT_CODES: u32 = 1;
const ENCODING_F32: u32 = 0;
const ENCODING_CODED: u32 = 1;
const HEADER_BYTES: usize = 128;
const ALIGNMENT: u64 = 64;
const ARRAYS: usize = 10;
/// The last arrays. No number in them can make a search fail, so they are read when it needs them and not before.
const VECTORS: usize = 7;
const SCALES: usize = 8;
const CODES: usize = 9;
/// Most keys of a segment: with 64 links a row, places in the links still fit 32 bits.
pub(super) const MAX_KEYS: usize = 1 << 26;

const _: () = assert!(cfg!(target_endian = "little"), "segments are mapped as little-endian numbers");

/// The arrays of a segment. A row is a distinct vector, a slot the place of a key in `keys`.
#[derive(Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) dimensions: usize,
    /// Rows of each layer, layer 0 first; layer `l` has the rows `0..layer_rows[l]`.
    pub(super) layer_rows: &'a [u32],
    /// For each layer, rows + 1 places in `links`.
    pub(super) link_offsets: &'a [u32],
    /// Neighbours of a row in a layer.
    pub(super) links: &'a [u32],
    /// Rows + 1 places in `row_slots`.
    pub(super) row_offsets: &'a [u32],
    /// Slots of the passages that have a row's vector, ascending.
    pub(super) row_slots: &'a [u32],
    /// Passage keys, ascending.
    pub(super) keys: &'a [u64],
    /// Row of each slot.
    pub(super) key_rows: &'a [u32],
    /// Vectors, row after row.
    pub(super) vectors: &'a [f32],
    /// Codes of the vectors, if the segment has them.
    pub(super) codes: Option<Codes<'a>>,
}

impl<'a> Layout<'a> {
    pub(super) fn rows(&self) -> usize {
        self.row_offsets.len() - 1
    }

    pub(super) fn layers(&self) -> usize {
        self.layer_rows.len()
    }

    pub(super) fn vector(&self, row: u32) -> &'a [f32] {
        let from = row as usize * self.dimensions;
        &self.vectors[from..from + self.dimensions]
    }

    /// The vector of a key, alive or not.
    pub(super) fn vector_of(&self, key: PassageKey) -> Option<&'a [f32]> {
        self.keys.binary_search(&key.0).ok().map(|slot| self.vector(self.key_rows[slot]))
    }

    pub(super) fn slots(&self, row: u32) -> &'a [u32] {
        let row = row as usize;
        &self.row_slots[self.row_offsets[row] as usize..self.row_offsets[row + 1] as usize]
    }

    pub(super) fn links(&self, layer: usize, row: u32) -> &'a [u32] {
        let before: usize = self.layer_rows[..layer].iter().map(|&rows| rows as usize + 1).sum();
        let at = before + row as usize;
        &self.links[self.link_offsets[at] as usize..self.link_offsets[at + 1] as usize]
    }

    /// The arrays in front of the vectors.
    fn bytes(&self) -> [&'a [u8]; VECTORS] {
        use bytemuck::cast_slice;
        [
            cast_slice(self.layer_rows),
            cast_slice(self.link_offsets),
            cast_slice(self.links),
            cast_slice(self.row_offsets),
            cast_slice(self.row_slots),
            cast_slice(self.keys),
            cast_slice(self.key_rows),
        ]
    }
}

/// A mapped segment file.
pub(super) struct Segment {
    file: PathBuf,
    map: memmap2::Mmap,
    header: Header,
    ranges: [Range<usize>; ARRAYS],
}

impl Segment {
    /// Maps a segment and checks all but its vectors and codes, so that no search can fail on it. `check` reads those.
    pub(super) fn open(file: &Path, dimensions: usize) -> Result<Self, VectorError> {
        let opened = match File::open(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(VectorError::corrupt(file, "it is listed but missing"));
            }
            opened => opened.map_err(VectorError::io(file))?,
        };
        #[expect(unsafe_code, reason = "a memory map is the only way not to hold all vectors on the heap")]
        // SAFETY: nobody changes a segment after it has its name: `write` renames a finished file, the index is
        // the only writer of its folder (its database is locked), and a purge writes a new file.
        let map = unsafe { memmap2::Mmap::map(&opened) }.map_err(VectorError::io(file))?;
        let header = Header::read(file, &map)?;
        if header.dimensions as usize != dimensions {
            return Err(VectorError::Dimensions { found: header.dimensions as usize, known: dimensions });
        }
        let (ranges, end) = header.ranges();
        if map.len() != end {
            return Err(VectorError::corrupt(file, format!("{} bytes instead of {end}", map.len())));
        }
        let segment = Self { file: file.to_owned(), map, header, ranges };
        for array in 0..VECTORS {
            segment.check_array(array)?;
        }
        check_references(&segment.layout()).map_err(|what| VectorError::corrupt(file, what))?;
        Ok(segment)
    }

    /// Compares all arrays with their checksums.
    pub(super) fn check(&self) -> Result<(), VectorError> {
        (0..ARRAYS).try_for_each(|array| self.check_array(array))
    }

    pub(super) fn layout(&self) -> Layout<'_> {
        fn numbers<T: bytemuck::Pod>(bytes: &[u8]) -> &[T] {
            bytemuck::cast_slice(bytes)
        }
        let array = |at: usize| &self.map[self.ranges[at].clone()];
        let dimensions = self.header.dimensions as usize;
        let codes = (self.header.encoding == ENCODING_CODED).then(|| Codes {
            width: lines_of(dimensions),
            lines: numbers(array(CODES)),
            scales: numbers(array(SCALES)),
        });
        Layout {
            dimensions,
            layer_rows: numbers(array(0)),
            link_offsets: numbers(array(1)),
            links: numbers(array(2)),
            row_offsets: numbers(array(3)),
            row_slots: numbers(array(4)),
            keys: numbers(array(5)),
            key_rows: numbers(array(6)),
            vectors: numbers(array(VECTORS)),
            codes,
        }
    }

    fn check_array(&self, array: usize) -> Result<(), VectorError> {
        if crc32fast::hash(&self.map[self.ranges[array].clone()]) == self.header.checksums[array] {
            Ok(())
        } else {
            Err(VectorError::corrupt(&self.file, format!("checksum of array {array} differs")))
        }
    }
}

/// Writes a segment under a temporary name, and gives it its own when all of it is on the disk. The vectors come
/// from `vector`, row by row; those of `layout` and their codes are not looked at.
pub(super) fn write<'v>(
    file: &Path,
    layout: &Layout<'_>,
    coded: bool,
    vector: impl Fn(u32) -> &'v [f32],
) -> Result<(), VectorError> {
    let temporary = file.with_extension("tmp");
    let io = VectorError::io(&temporary);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary).map_err(&io)?);
    write_all(&mut out, layout, coded, vector).map_err(&io)?;
    out.into_inner().map_err(|error| io(error.into_error()))?.sync_all().map_err(&io)?;
    std::fs::rename(&temporary, file).map_err(&io)?;
    // A rename is durable when its folder is; only Unix can open one.
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(VectorError::io(folder))?;
    }
    Ok(())
}

fn write_all<'v>(
    out: &mut BufWriter<File>,
    layout: &Layout<'_>,
    coded: bool,
    vector: impl Fn(u32) -> &'v [f32],
) -> std::io::Result<()> {
    let mut header = Header::of(layout, if coded { ENCODING_CODED } else { ENCODING_F32 });
    let mut at = HEADER_BYTES as u64;
    out.write_all(&[0; HEADER_BYTES])?;
    let rows = 0..if coded { layout.rows() as u32 } else { 0 };
    let mut code = vec![[0; LINE]; lines_of(layout.dimensions)];
    let mut scales: Vec<f32> = Vec::with_capacity(rows.len());
    let known = layout.bytes();
    for array in 0..ARRAYS {
        if array > VECTORS && !coded {
            continue;
        }
        let padding = at.next_multiple_of(ALIGNMENT) - at;
        out.write_all(&[0; ALIGNMENT as usize][..padding as usize])?;
        at += padding;
        let mut checksum = crc32fast::Hasher::new();
        let mut put = |bytes: &[u8]| {
            checksum.update(bytes);
            at += bytes.len() as u64;
            out.write_all(bytes)
        };
        match array {
            VECTORS => (0..layout.rows() as u32).try_for_each(|row| put(bytemuck::cast_slice(vector(row))))?,
            SCALES => {
                scales.extend(rows.clone().map(|row| encode(vector(row), &mut code)));
                put(bytemuck::cast_slice(&scales))?;
            }
            CODES => rows.clone().try_for_each(|row| {
                encode(vector(row), &mut code);
                put(bytemuck::cast_slice(&code))
            })?,
            known_array => put(known[known_array])?,
        }
        header.checksums[array] = checksum.finalize();
    }
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&header.to_bytes())
}

struct Header {
    encoding: u32,
    dimensions: u32,
    layers: u32,
    rows: u64,
    keys: u64,
    places: u64,
    links: u64,
    checksums: [u32; ARRAYS],
}

impl Header {
    fn of(layout: &Layout<'_>, encoding: u32) -> Self {
        Self {
            encoding,
            dimensions: layout.dimensions as u32,
            layers: layout.layers() as u32,
            rows: layout.rows() as u64,
            keys: layout.keys.len() as u64,
            places: layout.link_offsets.len() as u64,
            links: layout.links.len() as u64,
            checksums: [0; ARRAYS],
        }
    }

    fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        for number in [VERSION, self.encoding, self.dimensions, self.layers] {
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

    fn read(file: &Path, map: &[u8]) -> Result<Self, VectorError> {
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
            encoding: small(12),
            dimensions: small(16),
            layers: small(20),
            rows: large(24),
            keys: large(32),
            places: large(40),
            links: large(48),
            checksums,
        };
        let sound = header.encoding <= if arrays == ARRAYS { ENCODING_CODED } else { ENCODING_F32 }
            && (1..=MAX_LAYERS as u32).contains(&header.layers)
            && (1..=header.keys).contains(&header.rows)
            && header.keys <= MAX_KEYS as u64
            && header.places <= (MAX_LAYERS * (MAX_KEYS + 1)) as u64
            && header.links <= u64::from(u32::MAX)
            && header.dimensions <= 1 << 16;
        if sound { Ok(header) } else { Err(corrupt("its header makes no sense")) }
    }

    /// Where each array lies, and the length of the file. The counts are small enough not to overflow.
    fn ranges(&self) -> ([Range<usize>; ARRAYS], usize) {
        let coded = if self.encoding == ENCODING_CODED { self.rows } else { 0 };
        let lines = lines_of(self.dimensions as usize) * LINE;
        let words =
            [u64::from(self.layers), self.places, self.links, self.rows + 1, self.keys, 2 * self.keys, self.keys];
        let vectors = [4 * self.rows * u64::from(self.dimensions), 4 * coded, coded * lines as u64];
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

/// Whether every number in the arrays points at something that is there, so that a walk needs no more checks.
fn check_references(layout: &Layout<'_>) -> Result<(), &'static str> {
    let rows = layout.rows();
    let ascending = |places: &[u32]| places.is_sorted();
    if layout.layer_rows[0] as usize != rows || !layout.layer_rows.is_sorted_by(|a, b| a >= b) {
        return Err("its layers do not nest");
    }
    let places: usize = layout.layer_rows.iter().map(|&rows| rows as usize + 1).sum();
    let all_links = layout.link_offsets.last().copied() == Some(layout.links.len() as u32);
    if places != layout.link_offsets.len() || !ascending(layout.link_offsets) || !all_links {
        return Err("its links do not fit its rows");
    }
    let mut at = 0;
    for &rows in layout.layer_rows {
        let (from, to) = (layout.link_offsets[at], layout.link_offsets[at + rows as usize]);
        if rows == 0 || layout.links[from as usize..to as usize].iter().any(|&link| link >= rows) {
            return Err("a link leads out of its layer");
        }
        at += rows as usize + 1;
    }
    let all_slots = layout.row_offsets.last().copied() == Some(layout.keys.len() as u32);
    if !ascending(layout.row_offsets) || !all_slots {
        return Err("its keys do not fit its rows");
    }
    if layout.row_slots.iter().any(|&slot| slot as usize >= layout.keys.len())
        || layout.key_rows.iter().any(|&row| row as usize >= rows)
        || !layout.keys.is_sorted_by(|a, b| a < b)
    {
        return Err("its keys are not in order");
    }
    Ok(())
}
