//! Which passages are not in a segment yet?

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::PassageKey;
use super::codes::{Codes, LINE, Line, Scale, encode, lines_of};
use super::dot::dot;
use super::nearest::VectorHit;

/// Passages with their vectors. In a [`Delta`] they stand in the order of their keys, each once.
#[derive(Clone, Default)]
pub(super) struct Block {
    pub(super) keys: Vec<PassageKey>,
    pub(super) vectors: Vec<f32>,
    lines: Vec<Line>,
    scales: Vec<Scale>,
}

impl Block {
    pub(super) fn push(&mut self, key: PassageKey, vector: &[f32]) {
        self.keys.push(key);
        self.vectors.extend_from_slice(vector);
        let from = self.lines.len();
        self.lines.resize(from + lines_of(vector.len()), [0; LINE]);
        self.scales.push(encode(vector, &mut self.lines[from..]));
    }

    pub(super) fn row(&self, row: u32) -> &[f32] {
        let dimensions = self.vectors.len() / self.keys.len();
        &self.vectors[row as usize * dimensions..(row as usize + 1) * dimensions]
    }

    pub(super) fn codes(&self) -> Codes<'_> {
        Codes { width: self.lines.len() / self.keys.len().max(1), lines: &self.lines, scales: &self.scales }
    }

    /// Keeps the passages that `keep` says.
    pub(super) fn retain(&mut self, keep: impl Fn(PassageKey) -> bool) {
        if !self.keys.iter().all(|&key| keep(key)) {
            *self = self.kept(keep);
        }
    }

    fn kept(&self, keep: impl Fn(PassageKey) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.keys.len()).filter(|&row| keep(self.keys[row])).collect();
        self.take(&rows)
    }

    /// Brings the passages into the order of their keys; mostly they are.
    fn sorted(self) -> Self {
        if self.keys.is_sorted() {
            return self;
        }
        let mut rows: Vec<usize> = (0..self.keys.len()).collect();
        rows.sort_by_key(|&row| self.keys[row]);
        self.take(&rows)
    }

    fn take(&self, rows: &[usize]) -> Self {
        let codes = self.codes();
        let mut taken = Self::default();
        for &row in rows {
            taken.keys.push(self.keys[row]);
            taken.vectors.extend_from_slice(self.row(row as u32));
            taken.lines.extend_from_slice(codes.row(row as u32));
            taken.scales.push(self.scales[row]);
        }
        taken
    }

    /// Whether a passage has one of these keys.
    fn holds(&self, keys: &RangeInclusive<u64>) -> bool {
        let from = self.keys.partition_point(|key| key.0 < *keys.start());
        self.keys.get(from).is_some_and(|key| key.0 <= *keys.end())
    }

    /// The passage of a revision that is nearest to a query.
    pub(super) fn nearest_of(&self, query: &[f32], position: u64) -> Option<VectorHit> {
        let keys = keys_of(position);
        let from = self.keys.partition_point(|key| key.0 < *keys.start());
        let own = (from..self.keys.len()).take_while(|&row| self.keys[row].0 <= *keys.end());
        own.map(|row| VectorHit { key: self.keys[row], cosine: dot(query, self.row(row as u32)) }).min()
    }

    fn vector(&self, key: PassageKey, dimensions: usize) -> Option<&[f32]> {
        let row = self.keys.binary_search(&key).ok()?;
        self.vectors.get(row * dimensions..(row + 1) * dimensions)
    }

    pub(super) fn iter(&self, dimensions: usize) -> impl Iterator<Item = (PassageKey, &[f32])> {
        self.keys.iter().copied().zip(self.vectors.chunks_exact(dimensions))
    }
}

/// All unsealed passages, in blocks that views share. Blocks at least halve in size from one to the next, so that
/// there are few of them and a passage is copied a few times at most.
#[derive(Clone, Default)]
pub(super) struct Delta {
    blocks: Vec<Arc<Block>>,
}

impl Delta {
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.keys.len()).sum()
    }

    pub(super) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    pub(super) fn iter(&self, dimensions: usize) -> impl Iterator<Item = (PassageKey, &[f32])> {
        self.blocks.iter().flat_map(move |block| block.iter(dimensions))
    }

    /// The vector of a passage that is not in a segment.
    pub(super) fn vector(&self, key: PassageKey, dimensions: usize) -> Option<&[f32]> {
        self.blocks.iter().find_map(|block| block.vector(key, dimensions))
    }

    pub(super) fn add(&mut self, block: Block) {
        if block.keys.is_empty() {
            return;
        }
        let mut last = Arc::new(block.sorted());
        while let Some(before) = self.blocks.pop_if(|before| before.keys.len() < 2 * last.keys.len()) {
            let joined = Block {
                keys: [&before.keys[..], &last.keys].concat(),
                vectors: [&before.vectors[..], &last.vectors].concat(),
                lines: [&before.lines[..], &last.lines].concat(),
                scales: [&before.scales[..], &last.scales].concat(),
            };
            last = Arc::new(joined.sorted());
        }
        self.blocks.push(last);
    }

    /// Takes out what is in the ranges; blocks that hold nothing of them stay shared.
    pub(super) fn drop_keys(&mut self, dropped: &Dropped) {
        for shared in &mut self.blocks {
            if dropped.ranges().any(|keys| shared.holds(&keys)) {
                *shared = Arc::new(shared.kept(|key| !dropped.contains(key)));
            }
        }
        self.blocks.retain(|block| !block.keys.is_empty());
    }
}

/// Keys that a commit takes out: those of whole revisions, and single ones whose text changed.
#[derive(Default)]
pub(super) struct Dropped {
    positions: BTreeSet<u64>,
    keys: BTreeSet<PassageKey>,
}

impl Dropped {
    pub(super) fn position(&mut self, position: u64) {
        self.positions.insert(position);
    }

    pub(super) fn key(&mut self, key: PassageKey) {
        self.keys.insert(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.keys.is_empty()
    }

    /// The keys as ranges.
    pub(super) fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        let positions = self.positions.iter().map(|&position| keys_of(position));
        positions.chain(self.keys.iter().map(|key| key.0..=key.0))
    }

    fn contains(&self, key: PassageKey) -> bool {
        self.positions.contains(&key.position()) || self.keys.contains(&key)
    }
}

/// The keys that a revision can have.
pub(super) fn keys_of(position: u64) -> RangeInclusive<u64> {
    position << 16..=position << 16 | 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_found_in_whatever_order_they_came() {
        let mut delta = Delta::default();
        let keys: Vec<PassageKey> = (0..500u64).map(|n| PassageKey::new(n * 7919 % 500 + 1, 3)).collect();
        for keys in keys.chunks(23) {
            let mut block = Block::default();
            keys.iter().for_each(|key| block.push(*key, &[key.position() as f32, 1.0]));
            delta.add(block);
        }
        assert!(delta.blocks().iter().all(|block| block.keys.is_sorted()), "a search halves the block");
        for key in keys {
            assert_eq!(delta.vector(key, 2), Some(&[key.position() as f32, 1.0][..]));
        }
        assert_eq!(delta.vector(PassageKey::new(1, 2), 2), None);
    }

    #[test]
    fn blocks_stay_few_and_lose_what_is_dropped() {
        let mut delta = Delta::default();
        for position in 1..=1000u64 {
            let mut block = Block::default();
            block.push(PassageKey::new(position, 0), &[position as f32, 0.0]);
            delta.add(block);
            assert!(delta.blocks().len() <= 11, "{} blocks at {position}", delta.blocks().len());
        }
        let mut dropped = Dropped::default();
        (1..=1000).filter(|position| position % 3 == 0).for_each(|position| dropped.position(position));
        dropped.key(PassageKey::new(1000, 0));
        delta.drop_keys(&dropped);
        let mut kept: Vec<(u64, f32)> = (delta.blocks().iter())
            .flat_map(|block| block.iter(2).map(|(key, vector)| (key.position(), vector[0])))
            .collect();
        kept.sort_by_key(|kept| kept.0);
        let expected: Vec<(u64, f32)> = (1..1000)
            .filter(|position| position % 3 != 0)
            .map(|position| (position, position as f32))
            .collect();
        assert_eq!(kept, expected);
        assert_eq!(delta.len(), expected.len());
    }
}
