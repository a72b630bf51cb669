//! When is the tree's head signed, and where is that kept? A checkpoint every so many entries, or on demand.

use engine::Item;
use serde::{Deserialize, Serialize};

use super::{AuditError, CHECKPOINTS, Checkpoint, Hash, Ledger, NoteError, PublicKey, Signer, Tree};

/// Entries of one checkpoint at most, so that what is kept with it stays small.
const STRIDE: u64 = 10_000;
/// No checkpoint has this size; twenty digits hold every size.
const BEYOND: u64 = u64::MAX;

/// Makes the checkpoints of one log. One sealer a log at a time.
pub struct Sealer {
    signer: Signer,
    every: u64,
    last: Option<Checkpoint>,
}

/// What is kept of a checkpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed {
    /// Its signed text.
    pub(super) checkpoint: String,
    /// The hashes of the entries since the checkpoint before it. Not signed, but they must lead to the signed root; so it can
    /// be told which entry was changed.
    pub(super) leaves: Vec<Hash>,
}

impl Sealer {
    /// A sealer that goes on behind the last checkpoint and makes one when `every` entries have come since.
    ///
    /// # Errors
    /// [`AuditError::Checkpoint`] when the last checkpoint is not one of this signer.
    pub fn new(ledger: &impl Ledger, signer: Signer, every: u64) -> Result<Self, AuditError> {
        let last = last(ledger, signer.public_key())?;
        Ok(Self { signer, every: every.max(1), last })
    }

    /// The last checkpoint.
    pub fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    /// What others check the checkpoints with.
    pub fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    /// Makes a checkpoint where one is due; gives it.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_due(&mut self, ledger: &impl Ledger, tree: &Tree) -> Result<Option<&Checkpoint>, AuditError> {
        let sealed = self.sealed();
        if tree.size().saturating_sub(sealed) < self.every {
            return Ok(None);
        }
        self.seal(ledger, tree)
    }

    /// Makes a checkpoint of all that the tree has taken in, each in a transaction of its own; gives the last one, which is an
    /// earlier one when nothing came since, and none when the log is empty.
    ///
    /// # Errors
    /// [`AuditError::Diverged`] when the tree is not one that grew from the last checkpoint: then nothing is signed.
    /// [`AuditError::Log`] when the store cannot be written.
    pub fn seal(&mut self, ledger: &impl Ledger, tree: &Tree) -> Result<Option<&Checkpoint>, AuditError> {
        if let Some(last) = &self.last {
            let size = last.head().size;
            if tree.size() < size || tree.head(size)? != *last.head() {
                return Err(AuditError::Diverged { size });
            }
        }
        while self.sealed() < tree.size() {
            let sealed = self.sealed();
            let size = tree.size().min(sealed + STRIDE);
            let checkpoint = Checkpoint::sign(tree.head(size)?, &self.signer);
            let leaves = tree.leaves(sealed..size)?.to_vec();
            let kept = Sealed { checkpoint: checkpoint.text().to_owned(), leaves };
            ledger.keep(&Item {
                collection: CHECKPOINTS.to_owned(),
                key: key(size),
                state: "signed".to_owned(),
                due: None,
                record: None,
                body: serde_json::to_vec(&kept)?,
            })?;
            self.last = Some(checkpoint);
        }
        Ok(self.last.as_ref())
    }

    fn sealed(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.head().size)
    }
}

/// The key under which the checkpoint of a size is kept, so that their order is that of their sizes.
pub(super) fn key(size: u64) -> String {
    format!("{size:020}")
}

/// The last checkpoint, found by halving, since the store gives them from the first on.
fn last(ledger: &impl Ledger, public: &PublicKey) -> Result<Option<Checkpoint>, AuditError> {
    let (mut low, mut high) = (0, BEYOND);
    let mut last = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match ledger.checkpoints(&key(middle), 1)?.pop() {
            None => high = middle,
            Some(item) => {
                let size = item.key.parse().ok().filter(|size| key(*size) == item.key);
                low = size.ok_or(NoteError::Form { reason: "its key is no size" })?;
                last = Some(item);
            }
        }
    }
    let Some(item) = last else { return Ok(None) };
    let sealed: Sealed = serde_json::from_slice(&item.body)?;
    Ok(Some(Checkpoint::open(&sealed.checkpoint, public)?))
}
