//! With which embedder and which rules of redaction did the desk work, since when? Each change is a version of its own, for good.
//!
//! | collection | key | states |
//! | --- | --- | --- |
//! | `listed` | sort and number | `kept` |

use std::collections::BTreeMap;

use engine::{Item, Store};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LearnedError;
use crate::audit::{Action, Actor, Detail, Entry, Label, note};
use crate::policy::PersonId;
use crate::proposal::hex;
use crate::workflow::account::word;

/// The collection of the store.
const LISTED: &str = "listed";

/// Something that the desk works with and did not learn itself. Never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// What it is.
    pub sort: ListedSort,
    /// Its number among those of its sort, from 1.
    pub number: u32,
    /// What it is called.
    pub id: String,
    /// SHA-256 over id and parts, in hex.
    pub digest: String,
    /// What it is made of: files with their digests, rules with their settings.
    pub parts: BTreeMap<String, String>,
    /// The position of the log from which on the desk worked with it.
    pub generation: u64,
    /// Since when.
    pub since: Timestamp,
    /// Who had the desk work with it.
    pub by: PersonId,
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedSort {
    /// The embedder. Another one wants `triagraph reindex`.
    Embedder,
    /// The rules of what is hidden from language models.
    Redaction,
}

impl ListedSort {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::Redaction => "redaction",
        }
    }
}

impl Listed {
    /// Everything that is listed, by sort and number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn all(store: &Store) -> Result<Vec<Self>, LearnedError> {
        let read = |item: &Item| {
            serde_json::from_slice(&item.body).map_err(|error| LearnedError::Unreadable {
                key: item.key.clone(),
                reason: error.to_string(),
            })
        };
        store.items(LISTED, None, "", u32::MAX)?.iter().map(read).collect()
    }

    /// Lists what the desk works with from now on, where that is another than before.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn used(
        store: &Store,
        (sort, id): (ListedSort, &str),
        parts: BTreeMap<String, String>,
        generation: u64,
        by: &PersonId,
        now: Timestamp,
    ) -> Result<Self, LearnedError> {
        let unreadable = |error: serde_json::Error| LearnedError::Unreadable {
            key: sort.as_str().to_owned(),
            reason: error.to_string(),
        };
        let digest = hex(&Sha256::digest(serde_json::to_vec(&(id, &parts)).map_err(unreadable)?));
        let before =
            Self::all(store)?.into_iter().filter(|one| one.sort == sort).max_by_key(|one| one.number);
        if let Some(same) = before.as_ref().filter(|before| before.digest == digest) {
            return Ok(same.clone());
        }
        let number = before.map_or(0, |before| before.number) + 1;
        let (id, by) = (id.to_owned(), by.clone());
        let listed = Self { sort, number, id, digest, parts, generation, since: now, by };
        let key = format!("{}/{number:06}", sort.as_str());
        let body = serde_json::to_vec(&listed).map_err(unreadable)?;
        let mut entry = Entry::new(Action::ModelChanged, Actor::Person(Label::of(listed.by.as_str())));
        entry.details = [
            ("model", word(&key)),
            ("id", word(&listed.id)),
            ("digest", word(&listed.digest)),
            ("generation", Detail::Number(generation.into())),
        ]
        .into_iter()
        .map(|(name, detail)| (Label::of(name), detail))
        .collect();
        store.write(|batch| {
            note(batch, &entry, now)?;
            let state = "kept".to_owned();
            batch.put(&Item { collection: LISTED.to_owned(), key, state, due: None, record: None, body })?;
            Ok::<_, LearnedError>(())
        })?;
        Ok(listed)
    }
}
