//! What is kept in memory of one revision?

use jiff::Timestamp;
use ontology::{Audience, Kind, RecordId, Relation, Scope, State};

use serde::{Deserialize, Serialize};

use super::KeyId;
use crate::derive::{PassageSpan, Scheme};

/// What is kept in memory of one revision, and in the table's file: a change of it makes another version of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Revision {
    pub(crate) position: u64,
    pub(crate) id: RecordId,
    pub(crate) kind: Kind,
    pub(crate) title: Box<str>,
    pub(crate) state: Option<State>,
    pub(crate) impact: Option<u8>,
    pub(crate) urgency: Option<u8>,
    /// The key of its category, to which it refers; nobody owns it.
    pub(crate) filed: Option<KeyId>,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub(crate) created: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub(crate) modified: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub(crate) resolved: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub(crate) valid_until: Option<Timestamp>,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub(crate) observed: Timestamp,
    pub(crate) audience: Box<[Audience]>,
    pub(crate) revision: Box<str>,
    /// Keys by which others refer to it, sorted.
    pub(crate) names: Box<[KeyId]>,
    /// Its links, each with the keys to try in order.
    pub(crate) links: Box<[KeyedLink]>,
    /// For a relationship record: the keys of its subject, to try in order.
    pub(crate) subject: Box<[KeyId]>,
    /// Identifiers and known names in its text, sorted by key.
    pub(crate) mentions: Box<[Mention]>,
    pub(crate) passages: Box<[PassageSpan]>,
    /// SHA-256 of each passage's embedding text, in the order of `passages`.
    pub(crate) passage_hashes: Box<[[u8; 32]]>,
    /// Content hash, shortened; what text and graph keep to prove that they show this revision.
    pub(crate) digest: u64,
}

impl Revision {
    /// Whether a scope sees it: its audience and its kind.
    pub(crate) fn is_shown(&self, scope: &Scope) -> bool {
        scope.allows(&self.audience) && scope.shows(self.kind)
    }

    /// When a change was done. What is planned, stopped or given up has changed nothing.
    pub(crate) fn done(&self) -> Option<Timestamp> {
        done(self.state, [self.resolved, self.modified, self.created])
    }
}

/// When a change in a state was done: the first of these moments that is known.
pub(crate) fn done(state: Option<State>, moments: [Option<Timestamp>; 3]) -> Option<Timestamp> {
    let is_not = matches!(state, Some(State::Open | State::OnHold | State::Cancelled));
    moments.into_iter().flatten().next().filter(|_| !is_not)
}

/// A link as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyedLink {
    pub(crate) relation: Relation,
    pub(crate) keys: Box<[KeyId]>,
    /// What the source wrote, shown where nothing is resolved.
    pub(crate) label: Box<str>,
}

/// A key in a record's text, and what it looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mention {
    pub(crate) key: KeyId,
    pub(crate) scheme: Scheme,
}

/// Every key that a revision links to, is about, or mentions; sorted, each once.
pub(crate) fn referred_keys(revision: &Revision) -> Vec<KeyId> {
    let links = revision.links.iter().flat_map(|link| link.keys.iter().copied());
    let mentions = revision.mentions.iter().map(|mention| mention.key);
    let filed = revision.filed.iter().copied();
    let mut keys: Vec<KeyId> =
        links.chain(revision.subject.iter().copied()).chain(mentions).chain(filed).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The key by which tickets of one category and sub-category meet. No name has one like it: names hold no control characters.
pub(crate) fn category_key(category: &[String]) -> Option<String> {
    (!category.is_empty()).then(|| format!("\u{1}{}", category.join("\u{1}").to_lowercase()))
}
