//! Which arrays make a segment, and do they fit together?

use super::PassageKey;
use super::codes::Codes;
use super::header::VECTORS;

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
    pub(super) fn bytes(&self) -> [&'a [u8]; VECTORS] {
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
    /// Whether every number in the arrays points at something that is there, so that a walk needs no more checks.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let rows = self.rows();
        let ascending = |places: &[u32]| places.is_sorted();
        if self.layer_rows[0] as usize != rows || !self.layer_rows.is_sorted_by(|a, b| a >= b) {
            return Err("its layers do not nest");
        }
        let places: usize = self.layer_rows.iter().map(|&rows| rows as usize + 1).sum();
        let all_links = self.link_offsets.last().copied() == Some(self.links.len() as u32);
        if places != self.link_offsets.len() || !ascending(self.link_offsets) || !all_links {
            return Err("its links do not fit its rows");
        }
        let mut at = 0;
        for &rows in self.layer_rows {
            let (from, to) = (self.link_offsets[at], self.link_offsets[at + rows as usize]);
            if rows == 0 || self.links[from as usize..to as usize].iter().any(|&link| link >= rows) {
                return Err("a link leads out of its layer");
            }
            at += rows as usize + 1;
        }
        let all_slots = self.row_offsets.last().copied() == Some(self.keys.len() as u32);
        if !ascending(self.row_offsets) || !all_slots {
            return Err("its keys do not fit its rows");
        }
        if self.row_slots.iter().any(|&slot| slot as usize >= self.keys.len())
            || self.key_rows.iter().any(|&row| row as usize >= rows)
            || !self.keys.is_sorted_by(|a, b| a < b)
        {
            return Err("its keys are not in order");
        }
        Ok(())
    }
}
