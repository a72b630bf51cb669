//! How do scanned passages become a graph, and how do purged vectors leave one?

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::delta::Delta;
use super::error::VectorError;
use super::graph::build;
use super::segment::{self, Layout, MAX_KEYS, Segment};
use super::view::Part;
use super::{PassageKey, VectorIndex, VectorView};

/// A segment with fewer live passages than this percentage is built again without the others.
const LIVE_PERCENT: usize = 70;

impl VectorIndex {
    /// Builds a segment of what is not in one, when that is much, together with the segments that are no larger
    /// (so that a passage is built into ever larger ones, a logarithmic number of times) or hold many dead passages.
    /// Takes minutes for 100,000 passages and returns at once when there is nothing to do. Views taken before
    /// stay valid. Noted changes are not part of it.
    pub(crate) fn seal(&mut self) -> Result<VectorView, VectorError> {
        let mut gathered = self.delta.len();
        let is_due = gathered > 0 && gathered >= self.settings.seal_from;
        let mut by_size: Vec<&Part> = self.parts.iter().collect();
        by_size.sort_by_key(|part| (part.live_keys, part.number));
        let mut absorbed: Vec<u32> = Vec::new();
        for part in by_size {
            let is_thin = part.live_keys * 100 < part.segment.layout().keys.len() * LIVE_PERCENT;
            if is_thin || is_due && part.live_keys <= gathered {
                gathered += part.live_keys;
                absorbed.push(part.number);
            }
        }
        if !is_due && absorbed.is_empty() {
            return Ok(self.view());
        }
        if gathered > MAX_KEYS {
            return Err(VectorError::TooLarge { limit: MAX_KEYS });
        }
        let number = self.next_number();
        let new = if gathered == 0 { None } else { Some(self.build_part(number, &absorbed)?) };
        self.database.replace_segments(&absorbed, true, new.is_some().then_some(number))?;
        self.parts.retain(|part| !absorbed.contains(&part.number));
        self.parts.extend(new);
        self.delta = Delta::default();
        self.remove_replaced();
        Ok(self.view())
    }

    fn next_number(&self) -> u32 {
        self.parts.iter().map(|part| part.number).max().unwrap_or(0) + 1
    }

    /// Builds and writes the segment of the unsealed passages and of those in some other segments.
    fn build_part(&self, number: u32, absorbed: &[u32]) -> Result<Part, VectorError> {
        let mut rows = Rows::default();
        for part in self.parts.iter().filter(|part| absorbed.contains(&part.number)) {
            let layout = part.segment.layout();
            for (slot, &key) in layout.keys.iter().enumerate().filter(|(slot, _)| part.is_live(*slot as u32))
            {
                rows.add(key, layout.vector(layout.key_rows[slot]));
            }
        }
        for block in self.delta.blocks() {
            block.iter(self.dimensions).for_each(|(key, vector)| rows.add(key.0, vector));
        }
        rows.keys.sort_unstable();
        let graph = build(&rows.vectors, &self.settings);
        let mut row_of = vec![0u32; graph.order.len()];
        graph.order.iter().enumerate().for_each(|(row, &id)| row_of[id as usize] = row as u32);
        let keys: Vec<u64> = rows.keys.iter().map(|(key, _)| *key).collect();
        let key_rows: Vec<u32> = rows.keys.iter().map(|(_, id)| row_of[*id as usize]).collect();
        let mut row_slots: Vec<u32> = (0..keys.len() as u32).collect();
        row_slots.sort_by_key(|&slot| key_rows[slot as usize]);
        let row_offsets: Vec<u32> = (0..=graph.order.len() as u32)
            .map(|row| row_slots.partition_point(|&slot| key_rows[slot as usize] < row) as u32)
            .collect();
        let layout = Layout {
            dimensions: self.dimensions,
            layer_rows: &graph.layer_rows,
            link_offsets: &graph.link_offsets,
            links: &graph.links,
            row_offsets: &row_offsets,
            row_slots: &row_slots,
            keys: &keys,
            key_rows: &key_rows,
            vectors: &[],
        };
        let file = segment_file(&self.folder, number);
        segment::write(&file, &layout, |row| rows.vectors[graph.order[row as usize] as usize])?;
        Ok(Part::new(number, Segment::open(&file, self.dimensions)?, |_| true))
    }

    /// Writes every segment that holds vectors of no passage again, without those vectors. The graph stays: the row
    /// takes the vector of a living neighbour, and is found under no key.
    pub(super) fn wipe(&mut self) -> Result<(), VectorError> {
        for at in 0..self.parts.len() {
            let part = &self.parts[at];
            let layout = part.segment.layout();
            let lives = |row: u32| layout.slots(row).iter().any(|&slot| part.is_live(slot));
            if (0..layout.rows() as u32).all(lives) {
                continue;
            }
            let blank = vec![0.0; self.dimensions];
            let vector = |row: u32| {
                let stand_in = std::iter::once(&row).chain(layout.links(0, row)).find(|&&row| lives(row));
                stand_in.map_or(&blank[..], |&row| layout.vector(row))
            };
            let number = self.next_number();
            let file = segment_file(&self.folder, number);
            segment::write(&file, &layout, vector)?;
            let live: std::collections::HashSet<u64> = (layout.keys.iter().enumerate())
                .filter(|(slot, _)| part.is_live(*slot as u32))
                .map(|(_, key)| *key)
                .collect();
            let opened = Segment::open(&file, self.dimensions)?;
            self.database.replace_segments(&[part.number], false, Some(number))?;
            self.parts[at] = Part::new(number, opened, |key: PassageKey| live.contains(&key.0));
        }
        self.remove_replaced();
        self.database.wiped()
    }

    /// Deletes the files of segments that are no longer listed. A file that cannot be deleted now (Windows keeps
    /// mapped ones) goes at the next `open`.
    fn remove_replaced(&self) {
        let numbers: Vec<u32> = self.parts.iter().map(|part| part.number).collect();
        drop(remove_leftovers(&self.folder, &numbers));
    }
}

/// Distinct vectors, and the keys of the passages that have them.
#[derive(Default)]
struct Rows<'a> {
    vectors: Vec<&'a [f32]>,
    ids: HashMap<&'a [u8], u32>,
    keys: Vec<(u64, u32)>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, key: u64, vector: &'a [f32]) {
        let next = self.vectors.len() as u32;
        let id = *self.ids.entry(bytemuck::cast_slice(vector)).or_insert(next);
        if id == next {
            self.vectors.push(vector);
        }
        self.keys.push((key, id));
    }
}

pub(super) fn segment_file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("segment-{number:08}.vectors"))
}

/// Deletes segments that are not listed and files that were not finished.
pub(super) fn remove_leftovers(folder: &Path, numbers: &[u32]) -> Result<(), VectorError> {
    let listed: Vec<PathBuf> = numbers.iter().map(|&number| segment_file(folder, number)).collect();
    for entry in std::fs::read_dir(folder).map_err(VectorError::io(folder))? {
        let path = entry.map_err(VectorError::io(folder))?.path();
        let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("segment-"));
        if is_ours && !listed.contains(&path) {
            std::fs::remove_file(&path).map_err(VectorError::io(&path))?;
        }
    }
    Ok(())
}
