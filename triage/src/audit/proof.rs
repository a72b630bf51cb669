//! Does a proof hold? What goes over the wire, and what somebody who trusts only a tree's head does with it.

use ct_merkle::digest::Output;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Hash;

/// Entries of a tree at most: what a JSON number holds exactly. Larger sizes are no sizes of a log.
const SIZE_LIMIT: u64 = 1 << 53;

/// What stands for the first `size` entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeHead {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// Proves that an entry is in a tree. Fields are named as in RFC 6962 §4.5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// Where the entry is, from 0: its sequence less one.
    pub leaf_index: u64,
    /// The size of the tree.
    pub tree_size: u64,
    /// The hash of the entry's leaf.
    pub leaf_hash: Hash,
    /// The other child of each node on the way to the root, from the leaf up.
    pub audit_path: Vec<Hash>,
}

/// Proves that a tree begins as an older one did. Fields are named as in RFC 6962 §4.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// The size of the older tree.
    pub first: u64,
    /// The size of the newer tree.
    pub second: u64,
    /// The nodes that lead to both roots.
    pub consistency: Vec<Hash>,
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The proof is for another tree than the head.
    #[error(
        "the proof is for a tree of {proof} entries, the head for one of {head}: ask for a proof of that size"
    )]
    Size {
        /// The size that the proof says.
        proof: u64,
        /// The size of the head.
        head: u64,
    },
    /// The leaf is not the one of which the proof speaks.
    #[error(
        "the proof is for another entry than the one given, or the entry was changed: ask for its own proof"
    )]
    Leaf,
    /// The hashes don't lead to the root.
    #[error("the proof does not lead to the root: the log or the proof was changed, trust neither")]
    Root,
}

impl ProofError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Size { .. } => "proof-size",
            Self::Leaf => "proof-leaf",
            Self::Root => "proof-root",
        }
    }
}

impl Inclusion {
    /// Checks that the entry with this [`leaf`](super::leaf()) is at its place in the tree with this head.
    ///
    /// # Errors
    /// [`ProofError`] when the proof does not show it.
    pub fn verify(&self, leaf: &[u8], head: &TreeHead) -> Result<(), ProofError> {
        same_size(self.tree_size, head)?;
        if self.leaf_hash != Hash::of_leaf(leaf) {
            return Err(ProofError::Leaf);
        }
        let path: Vec<_> = self.audit_path.iter().map(output).collect();
        let proof = InclusionProof::<Sha256>::from_digests(&path);
        root(head).verify_inclusion(&leaf, self.leaf_index, &proof).or(Err(ProofError::Root))
    }
}

impl Consistency {
    /// Checks that the tree with the head `new` begins with all entries of the tree with the head `old`.
    ///
    /// # Errors
    /// [`ProofError`] when the proof does not show it.
    pub fn verify(&self, old: &TreeHead, new: &TreeHead) -> Result<(), ProofError> {
        same_size(self.first, old)?;
        same_size(self.second, new)?;
        let nodes: Vec<_> = self.consistency.iter().map(output).collect();
        let proof = ConsistencyProof::<Sha256>::from_digests(&nodes);
        root(new).verify_consistency(&root(old), &proof).or(Err(ProofError::Root))
    }
}

fn same_size(proof: u64, head: &TreeHead) -> Result<(), ProofError> {
    let fits = proof == head.size && proof <= SIZE_LIMIT;
    if fits { Ok(()) } else { Err(ProofError::Size { proof, head: head.size }) }
}

fn root(head: &TreeHead) -> RootHash<Sha256> {
    RootHash::new(output(&head.root), head.size)
}

fn output(hash: &Hash) -> Output<Sha256> {
    (*hash.as_bytes()).into()
}
