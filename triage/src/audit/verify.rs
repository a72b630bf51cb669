//! Is every entry still what it was? All hashes computed again from the store and held against the signed checkpoints.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::seal::{Sealed, key};
use super::{AuditError, Checkpoint, Hash, Ledger, NoteError, PAGE, PublicKey, Tree, TreeHead};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries that are there, up to the first gap.
    pub entries: u64,
    /// Entries that a good checkpoint covers. Changes behind them cannot be seen.
    pub sealed: u64,
    /// Checkpoints that hold, the one given from outside not counted.
    pub checkpoints: u64,
    /// The head over the entries that are there.
    pub head: TreeHead,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// What is wrong with a log, in words for whoever has to act on it.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An entry was taken out.
    #[error("audit entry {sequence} is missing though later ones are there: {ADVICE}")]
    Missing {
        /// Its sequence.
        sequence: u64,
    },
    /// The end was taken off.
    #[error(
        "{witness} covers {covered} entries, but only {entries} are there, the rest was cut off: {ADVICE}"
    )]
    Truncated {
        /// Which checkpoint says so.
        witness: Witness,
        /// Entries that it covers.
        covered: u64,
        /// Entries that are there.
        entries: u64,
    },
    /// An entry is not what was signed.
    #[error("audit entry {sequence} is not what was signed, it was changed or moved: {ADVICE}")]
    Changed {
        /// Its sequence.
        sequence: u64,
    },
    /// Entries are not what was signed, and it cannot be told which.
    #[error(
        "the root over the entries is not the one in {witness}: one from {first} to {last} was changed: {ADVICE}"
    )]
    Differs {
        /// Which checkpoint says so.
        witness: Witness,
        /// The first that it can be.
        first: u64,
        /// The last that it can be.
        last: u64,
    },
    /// A checkpoint in the store is none.
    #[error("the stored checkpoint {key} cannot be trusted: {reason}")]
    Checkpoint {
        /// Its key.
        key: String,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// The checkpoint that was given is of another log.
    #[error("the checkpoint given is of the log {origin}, this one is {log}: give one of this log")]
    OtherLog {
        /// Its origin.
        origin: String,
        /// The log that is verified.
        log: String,
    },
}

/// Which checkpoint shows that something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Witness {
    /// One in the store.
    Stored,
    /// The one that was given.
    Given,
}

const ADVICE: &str = "keep this folder as evidence and compare it with backups and exports";

/// Recomputes the tree from the store and holds it against every stored checkpoint, and against one that was kept elsewhere.
///
/// Without `trusted`, entries that were cut off together with the checkpoints that cover them are not missed, and neither is
/// a history that the owner of the secret key signed anew.
///
/// # Errors
/// [`AuditError`] when the store cannot be read. What is wrong with the log is in the report.
pub fn verify(
    ledger: &impl Ledger,
    public: &PublicKey,
    trusted: Option<&Checkpoint>,
) -> Result<Report, AuditError> {
    let mut tree = Tree::default();
    let mut report = Report {
        entries: 0,
        sealed: 0,
        checkpoints: 0,
        head: TreeHead { size: 0, root: Hash::of_nothing() },
        fault: None,
    };
    let gap = missing(tree.catch_up(ledger).map(|_| None))?;
    report.fault = missing(stored(ledger, public, &mut tree, &mut report))?.or(gap);
    if let (None, Some(trusted)) = (&report.fault, trusted) {
        report.fault = outside(trusted, public, &tree, &mut report);
    }
    report.entries = tree.size();
    report.head = tree.head(tree.size())?;
    Ok(report)
}

/// A gap is a finding, not a reason to stop.
fn missing(outcome: Result<Option<Fault>, AuditError>) -> Result<Option<Fault>, AuditError> {
    match outcome {
        Err(AuditError::Missing { sequence }) => Ok(Some(Fault::Missing { sequence })),
        outcome => outcome,
    }
}

impl Fault {
    /// The stable code of this fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "audit-missing",
            Self::Truncated { .. } => "audit-truncated",
            Self::Changed { .. } => "audit-changed",
            Self::Differs { .. } => "audit-differs",
            Self::Checkpoint { .. } => "audit-checkpoint",
            Self::OtherLog { .. } => "audit-other-log",
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fault = serializer.serialize_struct("Fault", 2)?;
        fault.serialize_field("code", self.code())?;
        fault.serialize_field("message", &self.to_string())?;
        fault.end()
    }
}

impl std::fmt::Display for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stored => "a stored checkpoint",
            Self::Given => "the checkpoint given",
        })
    }
}

/// Holds the tree against the checkpoints in the store, in order of size, up to the first fault.
fn stored(
    ledger: &impl Ledger,
    public: &PublicKey,
    tree: &mut Tree,
    report: &mut Report,
) -> Result<Option<Fault>, AuditError> {
    let mut after = String::new();
    loop {
        let page = ledger.checkpoints(&after, PAGE / 100)?;
        let Some(newest) = page.last() else { return Ok(None) };
        after.clone_from(&newest.key);
        for item in page {
            let opened = open(&item.key, &item.body, public);
            let (checkpoint, leaves) = match opened {
                Ok(opened) => opened,
                Err(reason) => return Ok(Some(Fault::Checkpoint { key: item.key, reason })),
            };
            let TreeHead { size, .. } = *checkpoint.head();
            if size > tree.size() {
                // The desk may have gone on meanwhile.
                tree.catch_up(ledger)?;
            }
            if size > tree.size() {
                let (covered, entries) = (size, tree.size());
                return Ok(Some(Fault::Truncated { witness: Witness::Stored, covered, entries }));
            }
            if tree.head(size)? != *checkpoint.head() {
                return Ok(Some(changed(tree, report.sealed, &leaves, &checkpoint)?));
            }
            report.sealed = size;
            report.checkpoints += 1;
        }
    }
}

fn open(kept: &str, body: &[u8], public: &PublicKey) -> Result<(Checkpoint, Vec<Hash>), NoteError> {
    let form = |reason| NoteError::Form { reason };
    let sealed: Sealed = serde_json::from_slice(body).or(Err(form("it is not kept as JSON")))?;
    let checkpoint = Checkpoint::open(&sealed.checkpoint, public)?;
    if kept == key(checkpoint.head().size) {
        Ok((checkpoint, sealed.leaves))
    } else {
        Err(form("it is kept under another size"))
    }
}

/// Which of the entries behind the last good checkpoint differs: told by the hashes that are kept with the next one, where
/// these lead to the root that it signs.
fn changed(tree: &Tree, sealed: u64, leaves: &[Hash], checkpoint: &Checkpoint) -> Result<Fault, AuditError> {
    let head = checkpoint.head();
    let mut signed = Tree::default();
    tree.leaves(0..sealed)?.iter().chain(leaves).for_each(|leaf| signed.push(*leaf));
    if signed.size() == head.size && signed.head(head.size)? == *head {
        let found = tree.leaves(sealed..head.size)?;
        if let Some(first) = found.iter().zip(leaves).position(|(found, signed)| found != signed) {
            return Ok(Fault::Changed { sequence: sealed + first as u64 + 1 });
        }
    }
    Ok(Fault::Differs { witness: Witness::Stored, first: sealed + 1, last: head.size })
}

/// Holds the tree against a checkpoint that was kept elsewhere, when all in the store hold.
fn outside(trusted: &Checkpoint, public: &PublicKey, tree: &Tree, report: &mut Report) -> Option<Fault> {
    let (witness, TreeHead { size, .. }) = (Witness::Given, *trusted.head());
    if trusted.origin() != public.name() {
        let (origin, log) = (trusted.origin().to_owned(), public.name().to_owned());
        return Some(Fault::OtherLog { origin, log });
    }
    match tree.head(size) {
        Err(_) => Some(Fault::Truncated { witness, covered: size, entries: tree.size() }),
        Ok(head) if head != *trusted.head() => {
            // Within what the store's own checkpoints cover, all of it was signed anew.
            let first = if size > report.sealed { report.sealed + 1 } else { 1 };
            Some(Fault::Differs { witness, first, last: size })
        }
        Ok(_) => {
            report.sealed = report.sealed.max(size);
            None
        }
    }
}
