//! What does the question name? Its identifiers, the known names in it, and its language.

use std::collections::BTreeMap;

use crate::derive::{self, Scheme};
use crate::query::{Entity, Query};
use crate::snapshot::Snapshot;
use crate::table::KeyId;
use crate::visible::Visible;

/// What the legs need to know of a question beside its text.
pub(crate) struct Analysis {
    /// Keys named in the question, each once, in the order of their texts: their numbers change when a desk is opened anew.
    pub(crate) keys: Vec<KeyId>,
    /// The visible records that own them or that the query is about: where the graph leg starts.
    pub(crate) seeds: Vec<u64>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) language: Option<derive::Language>,
    /// Share of the question's letters that belong to identifiers, 0 to 1.
    pub(crate) identifier_share: f64,
}

pub(crate) fn analyse(snapshot: &Snapshot, query: &Query, text: &str, visible: &Visible) -> Analysis {
    let table = &snapshot.table;
    let mut found: BTreeMap<KeyId, (String, Scheme)> = BTreeMap::new();
    let mut identifier_bytes = 0;
    for identifier in derive::identifiers(text) {
        // What only hidden records know must neither be told nor count.
        let known = table.key(&identifier.key).filter(|key| table.is_known(*key, visible));
        let Some(key) = known else { continue };
        if found.insert(key, (identifier.value, identifier.scheme)).is_none() {
            identifier_bytes += identifier.end - identifier.start;
        }
    }
    for mention in snapshot.names.mentions(text, |id| table.is_owned(KeyId(id), visible)) {
        let shown = text.get(mention.start..mention.end).unwrap_or_default().to_owned();
        if found.insert(KeyId(mention.id), (shown, Scheme::Name)).is_none() {
            identifier_bytes += mention.end - mention.start;
        }
    }
    let mut found: Vec<(KeyId, (String, Scheme))> = found.into_iter().collect();
    found.sort_by(|a, b| table.key_text(a.0).cmp(table.key_text(b.0)));
    let mut seeds = Vec::new();
    let mut entities = Vec::new();
    for (key, (shown, scheme)) in &found {
        let owners = table.resolve(*key, visible);
        let records =
            owners.iter().filter_map(|position| table.revision(*position)).map(|r| r.id.clone()).collect();
        entities.push(Entity { text: shown.clone(), scheme: scheme.as_str().to_owned(), records });
        seeds.extend(owners);
    }
    seeds.extend(query.about.iter().filter_map(|id| table.shown(id, visible)));
    seeds.sort_unstable();
    seeds.dedup();
    Analysis {
        keys: found.into_iter().map(|(key, _)| key).collect(),
        seeds,
        entities,
        language: derive::language(text),
        identifier_share: (identifier_bytes as f64 / text.trim().len().max(1) as f64).min(1.0),
    }
}
