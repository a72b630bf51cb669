//! Which hash stands for the first n entries, and which hashes prove it? The Merkle tree of RFC 6962, kept in memory.

use ct_merkle::{indices_for_consistency_proof, indices_for_inclusion_proof};

use super::{AuditError, Consistency, Hash, Inclusion, Ledger, PAGE, TreeHead, leaf};

/// The hashes of all entries and of every full subtree over them: 64 bytes an entry.
///
/// Since full subtrees never change, root and proofs can be had at every size up to the tree's own.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// At `levels[k][i]` the hash of the entries from `i * 2^k` up to `(i + 1) * 2^k`.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Takes in the entries that were appended since; gives how many.
    ///
    /// # Errors
    /// [`AuditError::Missing`] at a gap, up to which entries are taken in; [`AuditError::Truncated`] when entries that were
    /// taken in are gone; [`AuditError::Log`] when the store cannot be read.
    pub fn catch_up(&mut self, ledger: &impl Ledger) -> Result<u64, AuditError> {
        let known = self.size();
        let found = ledger.length()?;
        if found < known {
            return Err(AuditError::Truncated { found, known });
        }
        loop {
            let page = ledger.entries(self.size(), PAGE)?;
            if page.is_empty() {
                return Ok(self.size() - known);
            }
            for entry in &page {
                let sequence = self.size() + 1;
                if entry.sequence != sequence {
                    return Err(AuditError::Missing { sequence });
                }
                self.push(Hash::of_leaf(&leaf(entry)));
            }
        }
    }

    /// How many entries it has taken in.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hashes of some entries, in order; entry `sequence` is at `sequence - 1`.
    ///
    /// # Errors
    /// [`AuditError::Size`] when there are not as many.
    pub fn leaves(&self, range: std::ops::Range<u64>) -> Result<&[Hash], AuditError> {
        let leaves = self.levels.first().map_or(&[][..], Vec::as_slice);
        leaves.get(range.start as usize..range.end as usize).ok_or(AuditError::Size { size: self.size() })
    }

    /// The tree's head when it had `size` entries.
    ///
    /// # Errors
    /// [`AuditError::Size`] when it never had as many.
    pub fn head(&self, size: u64) -> Result<TreeHead, AuditError> {
        match size {
            0 => Ok(TreeHead { size, root: Hash::of_nothing() }),
            _ if size > self.size() => Err(AuditError::Size { size: self.size() }),
            _ => Ok(TreeHead { size, root: self.span(0, size) }),
        }
    }

    /// Proves that an entry is at `index`, from 0, of the first `size` entries.
    ///
    /// # Errors
    /// [`AuditError::Size`] when there are not as many entries, or the index is not below the size.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Inclusion, AuditError> {
        if index >= size || size > self.size() {
            return Err(AuditError::Size { size: self.size() });
        }
        let audit_path = self.nodes(&indices_for_inclusion_proof(size, index), size);
        Ok(Inclusion {
            leaf_index: index,
            tree_size: size,
            leaf_hash: self.span(index, index + 1),
            audit_path,
        })
    }

    /// Proves that the first `first` of the first `second` entries are the ones that they were before.
    ///
    /// # Errors
    /// [`AuditError::Size`] when `first` is 0 or above `second`, or there are not as many entries.
    pub fn consistency(&self, first: u64, second: u64) -> Result<Consistency, AuditError> {
        if first == 0 || first > second || second > self.size() {
            return Err(AuditError::Size { size: self.size() });
        }
        let consistency = self.nodes(&indices_for_consistency_proof(first, second - first), second);
        Ok(Consistency { first, second, consistency })
    }

    /// Adds the hash of the next entry.
    pub(super) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            let [.., left, right] = nodes.as_slice() else { return };
            if nodes.len() % 2 == 1 {
                return;
            }
            node = Hash::of_pair(left, right);
        }
    }

    /// Nodes of the tree of `size` entries, by their place in an array of it: entries at even places, and above them the
    /// nodes, one that covers 2^k entries at a place that ends in k ones (RFC 9420, appendix C).
    fn nodes(&self, places: &[u64], size: u64) -> Vec<Hash> {
        let node = |place: &u64| {
            let level = place.trailing_ones();
            let start = place >> (level + 1) << level;
            self.span(start, size.min(start + (1 << level)))
        };
        places.iter().map(node).collect()
    }

    /// The hash over the entries from `start` up to `end`, where `start` is a multiple of a power of two that is not below
    /// their number. RFC 6962 §2.1: the left half is the largest power of two that leaves something for the right.
    fn span(&self, start: u64, end: u64) -> Hash {
        let length = end - start;
        if length.is_power_of_two() {
            let level = length.ilog2();
            return self.levels[level as usize][(start >> level) as usize];
        }
        let middle = start + (1 << length.ilog2());
        Hash::of_pair(&self.span(start, middle), &self.span(middle, end))
    }
}
