//! What is in a sealed segment's file, and can it be trusted?
//!
//! A segment is written once and never changed: a header, then ten arrays of little-endian numbers, each
//! starting at a multiple of 64 bytes and covered by a CRC-32 in the header. It is mapped into memory, not read.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::codes::{Codes, LINE, Scale, encode, lines_of};
use super::error::VectorError;
use super::header::{ALIGNMENT, ARRAYS, CODES, HEADER_BYTES, Header, SCALES, VECTORS};
use super::layout::Layout;

/// A mapped segment file.
pub(super) struct Segment {
    file: PathBuf,
    #[cfg_attr(not(unix), expect(dead_code, reason = "read on Unix only"))]
    opened: File,
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
        let segment = Self { file: file.to_owned(), opened, map, header, ranges };
        for array in 0..VECTORS {
            segment.check_array(array)?;
        }
        segment.layout().check().map_err(|what| VectorError::corrupt(file, what))?;
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
        let codes = self.header.coded.then(|| Codes {
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

    /// Copies a row's vector out of the file. Those that searches compare are few and lie all over it; through the map
    /// they would bring all of it into the memory of this process one after the other.
    pub(super) fn copy_vector(&self, row: u32, vector: &mut [f32]) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt;
            let from = self.ranges[VECTORS].start + 4 * row as usize * vector.len();
            if self.opened.read_exact_at(bytemuck::cast_slice_mut(vector), from as u64).is_ok() {
                return;
            }
        }
        vector.copy_from_slice(self.layout().vector(row));
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
    let mut header = Header::of(layout, coded);
    let mut at = HEADER_BYTES as u64;
    out.write_all(&[0; HEADER_BYTES])?;
    let rows = 0..if coded { layout.rows() as u32 } else { 0 };
    let mut code = vec![[0; LINE]; lines_of(layout.dimensions)];
    let mut scales: Vec<Scale> = Vec::with_capacity(rows.len());
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
            VECTORS => {
                (0..layout.rows() as u32).try_for_each(|row| put(bytemuck::cast_slice(vector(row))))?
            }
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
