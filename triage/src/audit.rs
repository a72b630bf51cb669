//! Who did what, and is it still told as it was? The audit log: a Merkle tree (RFC 6962) over the journal `audit`.
//!
//! [`note`] appends an [`Entry`] inside of the caller's transaction, so what is done and what is told stand or fall together.
//! [`Tree`] hashes the entries and makes proofs of inclusion and consistency; a [`Sealer`] signs the tree's head as a
//! [`Checkpoint`]. [`verify`] recomputes all of it from the store, [`export`] hands it to somebody who has only the public key.
//!
//! What this can't tell by itself: whoever can write the store can cut off the newest entries **together with** the
//! checkpoints that cover them, or change entries that no checkpoint covers yet. So keep checkpoints elsewhere and give one to
//! [`verify`]. Whoever has the secret key can sign another history; that too shows against a checkpoint kept elsewhere.

mod checkpoint;
mod entry;
mod error;
mod export;
mod hash;
mod key;
mod proof;
mod seal;
mod tree;
mod verify;

#[cfg(test)]
mod tests;

pub use checkpoint::Checkpoint;
pub use entry::{Action, Actor, Detail, Entry, Label, LabelError, leaf, note};
pub use error::AuditError;
pub use export::{ExportError, export, verify_export};
pub use hash::{Hash, HashError};
pub use key::{NoteError, PublicKey, Signer};
pub use proof::{Consistency, Inclusion, ProofError, TreeHead};
pub use seal::Sealer;
pub use tree::Tree;
pub use verify::{Fault, Report, Witness, verify};

use engine::{Item, JournalEntry, LogError, Store};

/// The journal that holds the audit entries.
pub const STREAM: &str = "audit";
/// The collection that holds the signed checkpoints.
pub const CHECKPOINTS: &str = "checkpoint";

/// Entries and checkpoints that are read at a time.
const PAGE: u32 = 1000;

/// What the audit reads and writes of a desk's store.
///
/// Entries come in order of their sequence, checkpoints in order of their key, at most `limit` of them; both are only ever
/// added to. `keep` is durable when it returns.
pub trait Ledger {
    /// The audit entries behind a sequence.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be read.
    fn entries(&self, after: u64, limit: u32) -> Result<Vec<JournalEntry>, LogError>;
    /// How many audit entries there are.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be read.
    fn length(&self) -> Result<u64, LogError>;
    /// The checkpoints behind a key.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be read.
    fn checkpoints(&self, after: &str, limit: u32) -> Result<Vec<Item>, LogError>;
    /// Keeps a checkpoint, in a transaction of its own.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be written.
    fn keep(&self, checkpoint: &Item) -> Result<(), LogError>;
}

impl Ledger for Store {
    fn entries(&self, after: u64, limit: u32) -> Result<Vec<JournalEntry>, LogError> {
        self.journal(STREAM, after, limit)
    }

    fn length(&self) -> Result<u64, LogError> {
        Store::length(self, STREAM)
    }

    fn checkpoints(&self, after: &str, limit: u32) -> Result<Vec<Item>, LogError> {
        self.items(CHECKPOINTS, None, after, limit)
    }

    fn keep(&self, checkpoint: &Item) -> Result<(), LogError> {
        self.write(|batch| batch.put(checkpoint))
    }
}
