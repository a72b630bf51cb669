//! How does somebody without the desk check the log? Entries as JSON lines behind a checkpoint, checked with the public key.

use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use super::{AuditError, Checkpoint, Hash, Ledger, NoteError, PAGE, PublicKey, Tree, leaf};

/// The format of an export.
const FORMAT: &str = "triagraph-audit/1";
/// Bytes of a line at most.
const LINE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    checkpoint: String,
}

/// A line for each entry: the leaf as it is hashed, which is JSON itself, and its hash.
#[derive(Serialize, Deserialize)]
struct Line {
    leaf: String,
    leaf_hash: Hash,
}

/// Why an export cannot be made or proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The export cannot be read or written.
    #[error("the export cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
    /// The entries don't lead to the checkpoint.
    #[error(
        "the entries do not lead to the root in the checkpoint: the log or the export was changed, do not trust it"
    )]
    Root,
    /// The checkpoint is none of this key.
    #[error(transparent)]
    Checkpoint(#[from] NoteError),
    /// A line is no line of an export.
    #[error("line {line} of the export is not as format {FORMAT} has it ({reason}): take the export again")]
    Form {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An entry is not what its hash says.
    #[error(
        "audit entry {sequence} in the export is not what its hash says: it was changed, do not trust the export"
    )]
    Changed {
        /// Its sequence.
        sequence: u64,
    },
    /// There are fewer or more entries than the checkpoint covers.
    #[error("the export has {entries} entries, its checkpoint covers {covered}: take the export again")]
    Entries {
        /// Entries read.
        entries: u64,
        /// Entries that the checkpoint covers.
        covered: u64,
    },
}

impl ExportError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Audit(source) => source.code(),
            Self::Io(_) => "export-io",
            Self::Root => "export-root",
            Self::Checkpoint(source) => source.code(),
            Self::Form { .. } => "export-form",
            Self::Changed { .. } => "export-changed",
            Self::Entries { .. } => "export-entries",
        }
    }
}

/// Writes the entries that a checkpoint covers. What was written counts only when this succeeds: the root is known last.
///
/// # Errors
/// [`ExportError`] when the log cannot be read, the export cannot be written, or the log is not the one that was signed.
pub fn export(
    ledger: &impl Ledger,
    checkpoint: &Checkpoint,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let covered = checkpoint.head().size;
    write(out, &Head { format: FORMAT.to_owned(), checkpoint: checkpoint.text().to_owned() })?;
    let mut tree = Tree::default();
    while tree.size() < covered {
        let limit = u64::from(PAGE).min(covered - tree.size()) as u32;
        let page = ledger.entries(tree.size(), limit).map_err(AuditError::from)?;
        if page.is_empty() {
            return Err(ExportError::Entries { entries: tree.size(), covered });
        }
        for entry in &page {
            let leaf = leaf(entry);
            let leaf_hash = Hash::of_leaf(&leaf);
            let leaf = String::from_utf8(leaf).or(Err(ExportError::Changed { sequence: entry.sequence }))?;
            write(out, &Line { leaf, leaf_hash })?;
            tree.push(leaf_hash);
        }
    }
    if tree.head(covered)? == *checkpoint.head() { Ok(out.flush()?) } else { Err(ExportError::Root) }
}

/// Checks an export with nothing but the public key; gives the checkpoint that all its entries lead to.
///
/// # Errors
/// [`ExportError`] when it is no export, or not the one that was signed.
pub fn verify_export(mut input: impl BufRead, public: &PublicKey) -> Result<Checkpoint, ExportError> {
    let head: Head = read(&mut input, 1)?.ok_or(ExportError::Form { line: 1, reason: "it is empty" })?;
    if head.format != FORMAT {
        return Err(ExportError::Form { line: 1, reason: "it says another format" });
    }
    let checkpoint = Checkpoint::open(&head.checkpoint, public)?;
    let covered = checkpoint.head().size;
    let mut tree = Tree::default();
    while let Some(Line { leaf, leaf_hash }) = read(&mut input, tree.size() + 2)? {
        let sequence = tree.size() + 1;
        if Hash::of_leaf(leaf.as_bytes()) != leaf_hash {
            return Err(ExportError::Changed { sequence });
        }
        if sequence > covered {
            return Err(ExportError::Entries { entries: sequence, covered });
        }
        tree.push(leaf_hash);
    }
    if tree.size() < covered {
        return Err(ExportError::Entries { entries: tree.size(), covered });
    }
    if tree.head(covered)? == *checkpoint.head() { Ok(checkpoint) } else { Err(ExportError::Root) }
}

fn write(out: &mut impl Write, line: &impl Serialize) -> Result<(), ExportError> {
    let mut bytes = serde_json::to_vec(line).map_err(AuditError::from)?;
    bytes.push(b'\n');
    Ok(out.write_all(&bytes)?)
}

/// The next line; none at the end.
fn read<T: for<'a> Deserialize<'a>>(input: &mut impl BufRead, line: u64) -> Result<Option<T>, ExportError> {
    let mut bytes = Vec::new();
    input.by_ref().take(LINE_LIMIT_BYTES).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop() != Some(b'\n') {
        return Err(ExportError::Form { line, reason: "it is cut off or too long" });
    }
    let read = serde_json::from_slice(&bytes);
    Ok(Some(read.or(Err(ExportError::Form { line, reason: "it is not the JSON of an export" }))?))
}
