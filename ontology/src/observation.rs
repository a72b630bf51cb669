//! How does a record come in? A revision of it as observed at a source, with where it came from; or why it could not be read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Record, RecordId, SourceId};

/// One revision of a record as a source gave it. What the record log keeps, idempotent by (id, revision, content).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The record as it was.
    pub record: Record,
    /// The source's own revision (change counter, time stamp), or the content hash where it has none.
    pub revision: String,
    /// Where it came from.
    pub lineage: Lineage,
}

impl Observation {
    /// Observes a record whose source has no revision of its own: the content hash stands in.
    pub fn unversioned(record: Record, lineage: Lineage) -> Self {
        let hash = Self::content_hash(&record);
        let revision = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { record, revision, lineage }
    }

    /// SHA-256 over the canonical JSON of the record: equal content, equal hash, whenever and from wherever it came.
    pub fn content_hash(record: &Record) -> [u8; 32] {
        let json = serde_json::to_vec(record).expect("a record serialises");
        Sha256::digest(&json).into()
    }
}

/// From which file or call a revision came, read by which mapping. Rendered as PROV-O.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// File, as the user named it, or address of the call.
    pub origin: String,
    /// Where inside: line, row or element, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Name of the mapping.
    pub mapping: String,
    /// When it was read.
    pub observed: Timestamp,
}

/// A place inside an origin, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A line of text.
    Line(u64),
    /// A row of a table, without its header.
    Row(u64),
    /// An element of an array or a document of a stream.
    Item(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Row(n) => write!(f, "row {n}"),
            Self::Item(n) => write!(f, "item {n}"),
        }
    }
}

/// Something that a source gave and that no record could be made of. Kept with its reason, never dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The source it came from.
    pub source: SourceId,
    /// Where it stood.
    pub lineage: Lineage,
    /// The record's id, where that much could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// What is wrong and what to do, in words.
    pub reason: String,
    /// The raw item (cut at a limit), so that it can be tried again.
    pub raw: String,
}
