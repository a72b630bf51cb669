//! Which passages of a segment are there still, and which does a search see?

use std::sync::Arc;

use super::PassageKey;
use super::delta::{Dropped, keys_of};
use super::dot::dot;
use super::layout::Layout;
use super::nearest::VectorHit;
use super::probe::Probe;
use super::segment::Segment;
use super::walk::Near;
use crate::visible::Visible;

/// Says of a row that it does not have exactly one passage that is alive.
const LOOK_AT_SLOTS: u32 = u32::MAX;

/// A segment, and which of its slots still hold a passage.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) segment: Arc<Segment>,
    live: Arc<Vec<u64>>,
    /// For each row the position of its passage, so that mostly one look tells whether it is visible.
    positions: Arc<Vec<u32>>,
    pub(super) live_keys: usize,
}

impl Part {
    /// A segment of which the passages in `keys`, ascending, are alive.
    pub(super) fn new(number: u32, segment: Segment, keys: &[PassageKey]) -> Self {
        let slots = segment.layout().keys;
        let mut live = vec![0u64; slots.len().div_ceil(64)];
        let mut keys = keys.iter().peekable();
        for (slot, &key) in slots.iter().enumerate() {
            while keys.next_if(|alive| alive.0 < key).is_some() {}
            live[slot / 64] |= u64::from(keys.next_if(|alive| alive.0 == key).is_some()) << (slot % 64);
        }
        let live_keys = live.iter().map(|word| word.count_ones() as usize).sum();
        let mut part = Self {
            number,
            segment: Arc::new(segment),
            live: Arc::new(live),
            positions: Arc::default(),
            live_keys,
        };
        part.positions =
            Arc::new((0..part.segment.layout().rows() as u32).map(|row| part.position(row)).collect());
        part
    }

    /// The position of the row's passage, if that is all there is to know about the row.
    fn position(&self, row: u32) -> u32 {
        let layout = self.segment.layout();
        match layout.slots(row) {
            [slot] if self.is_live(*slot) => {
                let position = PassageKey(layout.keys[*slot as usize]).position();
                u32::try_from(position).unwrap_or(LOOK_AT_SLOTS)
            }
            _ => LOOK_AT_SLOTS,
        }
    }

    /// The passages that are alive, ascending.
    pub(super) fn keys(&self) -> impl Iterator<Item = PassageKey> {
        let keys = self.segment.layout().keys.iter().zip(0u32..);
        keys.filter(|(_, slot)| self.is_live(*slot)).map(|(key, _)| PassageKey(*key))
    }

    pub(super) fn is_live(&self, slot: u32) -> bool {
        self.live[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// Marks what a commit has dropped.
    pub(super) fn drop_keys(&mut self, dropped: &Dropped) {
        let layout = self.segment.layout();
        for keys in dropped.ranges() {
            let from = layout.keys.partition_point(|key| key < keys.start());
            let slots = layout.keys[from..].iter().take_while(|key| *key <= keys.end()).count();
            for slot in (from..from + slots).filter(|&slot| self.is_live(slot as u32)).collect::<Vec<_>>() {
                Arc::make_mut(&mut self.live)[slot / 64] &= !(1 << (slot % 64));
                Arc::make_mut(&mut self.positions)[layout.key_rows[slot] as usize] = LOOK_AT_SLOTS;
                self.live_keys -= 1;
            }
        }
    }

    /// Whether any of the row's passages is visible.
    pub(super) fn shows(&self, layout: &Layout<'_>, row: u32, visible: &Visible) -> bool {
        match self.positions[row as usize] {
            LOOK_AT_SLOTS => self.shown(layout, row, visible).next().is_some(),
            position => visible.contains(u64::from(position)),
        }
    }

    /// The cosine of a query and a row's vector. Through the map that costs nothing but the memory of the pages, which
    /// stay in this process: one search does not read much, but all of them together read all there is. So a search
    /// that needs many gives room to copy each into.
    pub(super) fn cosine(
        &self,
        query: &[f32],
        layout: &Layout<'_>,
        row: u32,
        room: Option<&mut Vec<f32>>,
    ) -> f32 {
        match room {
            None => dot(query, layout.vector(row)),
            Some(vector) => {
                vector.resize(query.len(), 0.0);
                self.segment.copy_vector(row, vector);
                dot(query, vector)
            }
        }
    }

    /// The passage of a revision that is nearest to a query. Of many, codes tell which may be.
    pub(super) fn nearest_of(&self, query: &[f32], probe: &Probe, position: u64) -> Option<VectorHit> {
        let layout = self.segment.layout();
        let keys = keys_of(position);
        let from = layout.keys.partition_point(|key| key < keys.start());
        let slots = layout.keys[from..].iter().take_while(|key| *key <= keys.end()).count();
        let live = || (from..from + slots).filter(|&slot| self.is_live(slot as u32));
        let mut rows: Vec<u32> = live().map(|slot| layout.key_rows[slot]).collect();
        if let (Some(codes), 2..) = (layout.codes, rows.len()) {
            let mut scores = Vec::new();
            codes.alike_all(&probe.coarse, &rows, &mut scores);
            let scored = scores.iter().zip(&rows).map(|(&score, &row)| Near::new(score, row)).collect();
            rows = probe.possible(codes, 1, scored);
        }
        let mut vector = Vec::new();
        let hits = live().filter(|&slot| rows.contains(&layout.key_rows[slot])).map(|slot| VectorHit {
            key: PassageKey(layout.keys[slot]),
            cosine: self.cosine(query, &layout, layout.key_rows[slot], Some(&mut vector)),
        });
        hits.min()
    }

    /// The visible passages of a row, ascending.
    pub(super) fn shown(
        &self,
        layout: &Layout<'_>,
        row: u32,
        visible: &Visible,
    ) -> impl Iterator<Item = PassageKey> {
        let keys = layout.slots(row).iter().filter(|&&slot| self.is_live(slot));
        keys.map(|&slot| PassageKey(layout.keys[slot as usize]))
            .filter(|key| visible.contains(key.position()))
    }
}
