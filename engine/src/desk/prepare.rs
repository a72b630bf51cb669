//! What do the indexes need of a record? Everything that is derived from one record alone, so it runs on all cores.

use jiff::Timestamp;
use ontology::{Kind, Link, Observation, Record, Reference, Relation};
use sha2::{Digest, Sha256};

use crate::derive::{self, PassageSpan, Scheme};

/// One observation, taken apart.
pub(super) struct Prepared {
    pub(super) position: u64,
    pub(super) observed: Timestamp,
    pub(super) observation: Observation,
    pub(super) names: Vec<String>,
    pub(super) links: Vec<PreparedLink>,
    pub(super) subject: Vec<String>,
    pub(super) words: Words,
    pub(super) passages: Vec<PassageSpan>,
    pub(super) passage_texts: Vec<String>,
    pub(super) passage_hashes: Vec<[u8; 32]>,
    pub(super) digest: u64,
}

/// What a record says of others in words. Rows that nobody searches say nothing: their links say it all.
#[derive(Default)]
pub(super) struct Words {
    /// All text but the title, for the full-text index and to look for names in; none where nobody searches.
    pub(super) body: Option<String>,
    /// Identifiers in title and text, each once.
    pub(super) identifiers: Vec<(String, Scheme)>,
}

impl Words {
    pub(super) fn of(record: &Record) -> Self {
        if !is_searchable(record.kind) {
            return Self::default();
        }
        let body = derive::lexical_body(record);
        let mut identifiers: Vec<(String, Scheme)> = [record.title.as_str(), body.as_str()]
            .into_iter()
            .flat_map(derive::identifiers)
            .map(|identifier| (identifier.key, identifier.scheme))
            .collect();
        identifiers.sort();
        identifiers.dedup_by(|a, b| a.0 == b.0);
        Self { body: Some(body), identifiers }
    }
}

/// A link with the keys that its target may be called.
pub(super) struct PreparedLink {
    pub(super) relation: Relation,
    pub(super) keys: Vec<String>,
    pub(super) label: String,
}

pub(super) fn prepare(position: u64, observation: Observation) -> Prepared {
    let record = &observation.record;
    let passages = if is_searchable(record.kind) { derive::passages(record) } else { Vec::new() };
    let passage_texts: Vec<String> =
        passages.iter().map(|passage| derive::embedding_text(record, *passage)).collect();
    let passage_hashes = passage_texts.iter().map(|text| Sha256::digest(text.as_bytes()).into()).collect();
    Prepared {
        position,
        observed: observation.lineage.observed,
        names: own_keys(record),
        links: record.links.iter().map(prepare_link).collect(),
        subject: record
            .attributes
            .get(Kind::SUBJECT)
            .filter(|_| record.kind == Kind::Relationship)
            .map_or_else(Vec::new, |name| derive::reference_keys(name)),
        words: Words::of(record),
        passages,
        passage_texts,
        passage_hashes,
        digest: digest(record),
        observation,
    }
}

/// Relationship rows and raw RDF are part of the graph but nobody searches for them.
pub(crate) fn is_searchable(kind: Kind) -> bool {
    !matches!(kind, Kind::Relationship | Kind::Dataset)
}

/// The first eight bytes of the content hash.
pub(crate) fn digest(record: &Record) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = Observation::content_hash(record);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn own_keys(record: &Record) -> Vec<String> {
    let mut keys = if is_searchable(record.kind) { derive::owned_keys(record) } else { Vec::new() };
    keys.push(record.id.as_str().to_lowercase());
    keys.sort();
    keys.dedup();
    keys
}

fn prepare_link(link: &Link) -> PreparedLink {
    let (keys, label) = match &link.target {
        Reference::Record(id) => (vec![id.as_str().to_lowercase()], id.as_str().to_owned()),
        Reference::Name(name) => (derive::reference_keys(name), name.clone()),
    };
    PreparedLink { relation: link.relation, keys, label }
}
