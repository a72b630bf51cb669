//! What do BM25's statistics count? The visible documents of all segments.

use super::schema::TERM_FIELDS;
use super::search::{B, K1};
use super::view::Segment;
use crate::visible::Visible;

/// The visible documents of all segments, and what BM25 needs to know of them.
pub(super) struct Scope {
    /// One bit for each document of all segments.
    bits: Vec<u64>,
    /// For each segment, whether all its documents are visible.
    pub(super) whole: Vec<bool>,
    pub(super) documents: u64,
    pub(super) saturations: [Saturation; TERM_FIELDS],
}

/// `k1 · (1 − b + b · length / mean)` as a line over the length.
#[derive(Clone, Copy)]
pub(super) struct Saturation {
    base: f32,
    slope: f32,
}

impl Scope {
    pub(super) fn new(segments: &[Segment], visible: &Visible) -> Self {
        let size: usize = segments.iter().map(|segment| segment.columns.positions.len()).sum();
        let mut bits = vec![0_u64; size.div_ceil(64)];
        let mut whole = Vec::with_capacity(segments.len());
        let mut documents = 0;
        let mut lengths = [0_u64; TERM_FIELDS];
        for segment in segments {
            let columns = &segment.columns;
            let before = documents;
            for (document, &position) in columns.positions.iter().enumerate() {
                if visible.contains(position) && position != 0 {
                    let bit = segment.base as usize + document;
                    bits[bit / 64] |= 1 << (bit % 64);
                    documents += 1;
                    for (total, lengths) in lengths.iter_mut().zip(&columns.lengths) {
                        *total += u64::from(lengths[document]);
                    }
                }
            }
            whole.push(documents - before == columns.positions.len() as u64);
        }
        let saturations = lengths.map(|total| Saturation::new(total, documents));
        Self { bits, whole, documents, saturations }
    }

    /// Whether a document, counted over all segments, is visible.
    #[inline]
    pub(super) fn contains(&self, document: usize) -> bool {
        self.bits[document / 64] >> (document % 64) & 1 == 1
    }

    pub(super) fn idf(&self, document_frequency: usize) -> f32 {
        let (documents, frequency) = (self.documents as f64, document_frequency as f64);
        (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln() as f32
    }
}

impl Saturation {
    fn new(total_length: u64, documents: u64) -> Self {
        let slope = match total_length {
            0 => 0.0,
            total => f64::from(K1 * B) * documents as f64 / total as f64,
        };
        Self { base: K1 * (1.0 - B), slope: slope as f32 }
    }

    #[inline]
    pub(super) fn of(self, frequency: u32, length: u32) -> f32 {
        let frequency = frequency as f32;
        frequency / (frequency + self.base + self.slope * length as f32)
    }
}
