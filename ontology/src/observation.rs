//! How does a record come in? A revision of it as observed at a source, with where it came from; or why it could not be read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Audience, Record, RecordId, SourceId};

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
    /// The item, or what can be shown of it: cut at a limit, its bytes made text.
    pub raw: String,
    /// How `raw` can be tried again; none where it is not the whole item as the source gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// What another try of a rejected item needs beside the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// `raw` holds the fields of an item, as JSON, for a mapping.
    Fields {
        /// Who may see it where the mapping says nothing; `staff` when empty.
        audience: Vec<Audience>,
        /// The id that it has without one of its own.
        fallback_id: String,
    },
    /// `raw` is a record, as JSON, that was refused as it stands.
    Record {
        /// The source's revision of it.
        revision: String,
    },
}

impl Rejected {
    /// An observation that is refused, with all that another try of it needs.
    pub fn of(observation: Observation, reason: String) -> Self {
        let Observation { record, revision, lineage } = observation;
        Self {
            source: record.id.source_id(),
            raw: serde_json::to_string(&record).unwrap_or_default(),
            record: Some(record.id),
            reason,
            lineage,
            retry: Some(Retry::Record { revision }),
        }
    }

    /// The observation that was refused, when it was one. What an earlier version kept of it has no revision of its source.
    pub fn observation(&self) -> Option<Observation> {
        if let Some(Retry::Fields { .. }) = &self.retry {
            return None;
        }
        let record: Record = serde_json::from_str(&self.raw).ok()?;
        if self.record.as_ref() != Some(&record.id) {
            return None;
        }
        let lineage = self.lineage.clone();
        Some(match &self.retry {
            Some(Retry::Record { revision }) => Observation { record, revision: revision.clone(), lineage },
            _ => Observation::unversioned(record, lineage),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn a_refused_observation_comes_back_as_it_was_and_an_old_one_is_still_read() {
        let id = RecordId::new("desk:7").unwrap();
        let lineage = Lineage {
            origin: "a.json".to_owned(),
            place: Some(Place::Item(1)),
            mapping: "generic".to_owned(),
            observed: Timestamp::UNIX_EPOCH,
        };
        let record = Record::new(id, Kind::Incident, "Mail down");
        let observation = Observation { record, revision: "14".to_owned(), lineage };
        let rejected = Rejected::of(observation.clone(), "no".to_owned());
        assert_eq!(rejected.observation(), Some(observation.clone()));
        let mut kept = serde_json::to_value(&rejected).unwrap();
        kept.as_object_mut().unwrap().remove("retry");
        let old: Rejected = serde_json::from_value(kept).unwrap();
        assert_eq!(old.observation().unwrap().record, observation.record);
        assert_ne!(old.observation().unwrap().revision, "14");
    }
}
