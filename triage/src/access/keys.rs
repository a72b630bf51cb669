//! Which keys does a desk have? Kept as items of its store, held in memory while it is open.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use engine::{Item, Store};
use jiff::Timestamp;
use ontology::{Audiences, TenantId};
use serde::{Deserialize, Serialize};

use super::key::{Key, KeyId, NewKey, RANDOM_BYTES, Secret};
use super::{AccessError, Grant};
use crate::audit::{Action, Actor, Detail, Entry, Label, note};
use crate::policy::PersonId;

/// The collection that holds the keys.
const COLLECTION: &str = "key";
/// Keys that are read at a time.
const PAGE: u32 = 1000;

/// The keys of one desk. The desk's folder is locked, so what is in memory is what is kept.
pub struct Keys {
    store: Store,
    tenant: TenantId,
    kept: RwLock<BTreeMap<String, Kept>>,
}

/// A key as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    key: Key,
    /// SHA-256 of the text that its holder shows, in hex.
    hash: String,
}

impl Keys {
    /// Reads the keys of a desk.
    ///
    /// # Errors
    /// [`AccessError`] when the store cannot be read.
    pub fn open(store: Store, tenant: TenantId) -> Result<Self, AccessError> {
        let mut kept = BTreeMap::new();
        let mut after = String::new();
        loop {
            let items = store.items(COLLECTION, None, &after, PAGE)?;
            let Some(last) = items.last() else { break };
            after.clone_from(&last.key);
            for item in items {
                let read = serde_json::from_slice(&item.body).map_err(|error| AccessError::Unreadable {
                    id: item.key.clone(),
                    reason: error.to_string(),
                })?;
                kept.insert(item.key, read);
            }
        }
        Ok(Self { store, tenant, kept: RwLock::new(kept) })
    }

    /// Whether there ever was a key: from then on nobody comes in without one, also when all have expired.
    pub fn has_any(&self) -> bool {
        !self.kept.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// All keys, the newest first.
    pub fn list(&self) -> Vec<Key> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<Key> = kept.values().map(|kept| kept.key.clone()).collect();
        keys.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        keys
    }

    /// Makes a key of random bytes. Its secret is in no other place than the answer.
    ///
    /// # Errors
    /// [`AccessError::Wanted`] where such a key cannot be, and when the store cannot be written.
    pub fn create(
        &self,
        wanted: NewKey,
        random: &[u8; RANDOM_BYTES],
        by: &PersonId,
        now: Timestamp,
    ) -> Result<(Key, Secret), AccessError> {
        wanted.check(now)?;
        let secret = Secret::new(self.tenant.clone(), random);
        let NewKey { name, roles, audiences, expires } = wanted;
        let (id, created_by) = (secret.id.clone(), by.clone());
        let key = Key { id, name, roles, audiences, created: now, created_by, expires, revoked: None };
        self.keep(Kept { key: key.clone(), hash: secret.hash() }, "created", by, now)?;
        Ok((key, secret))
    }

    /// Takes a key back. It is good for nothing from the next call on; its entry stays.
    ///
    /// # Errors
    /// [`AccessError::NoSuchKey`], and when the store cannot be written.
    pub fn revoke(&self, id: &str, by: &PersonId, now: Timestamp) -> Result<Key, AccessError> {
        let found = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let mut kept = found.ok_or_else(|| AccessError::NoSuchKey { id: id.to_owned() })?;
        if kept.key.revoked.is_none() {
            kept.key.revoked = Some(now);
            self.keep(kept.clone(), "revoked", by, now)?;
        }
        Ok(kept.key)
    }

    /// Lets in who shows a key.
    ///
    /// # Errors
    /// [`AccessError::Unknown`], [`AccessError::OtherTenant`], [`AccessError::Expired`], [`AccessError::Revoked`]. Only who has the
    /// whole secret hears of the last two.
    pub fn admit(&self, shown: &str, now: Timestamp) -> Result<Grant, AccessError> {
        let secret = Secret::read(shown).ok_or(AccessError::Unknown)?;
        if secret.tenant != self.tenant {
            return Err(AccessError::OtherTenant { tenant: secret.tenant });
        }
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        // Hashes are compared, so how long it takes says nothing about the secret.
        let found = kept.get(secret.id.as_str()).filter(|kept| kept.hash == secret.hash());
        found.ok_or(AccessError::Unknown)?.key.grant(now)
    }

    /// Whether a key is still good at a moment.
    pub fn is_good(&self, id: &KeyId, now: Timestamp) -> bool {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(id.as_str()).is_some_and(|kept| kept.key.grant(now).is_ok())
    }

    /// Keeps a key, and tells the audit log.
    fn keep(&self, kept: Kept, what: &str, by: &PersonId, now: Timestamp) -> Result<(), AccessError> {
        let id = kept.key.id.as_str().to_owned();
        let unreadable =
            |error: serde_json::Error| AccessError::Unreadable { id: id.clone(), reason: error.to_string() };
        let item = Item {
            collection: COLLECTION.to_owned(),
            key: id.clone(),
            state: if kept.key.revoked.is_some() { "revoked" } else { "active" }.to_owned(),
            due: kept.key.expires,
            record: None,
            body: serde_json::to_vec(&kept).map_err(unreadable)?,
        };
        self.store.write(|batch| {
            batch.put(&item)?;
            note(batch, &told(&kept.key, what, by), now)?;
            Ok::<(), AccessError>(())
        })?;
        self.kept.write().unwrap_or_else(PoisonError::into_inner).insert(id, kept);
        Ok(())
    }
}

/// What the audit log hears.
fn told(key: &Key, what: &str, by: &PersonId) -> Entry {
    let mut entry = Entry::new(Action::SettingChanged, Actor::Person(Label::of(by.as_str())));
    let word = |text: &str| Detail::Label(Label::of(text));
    let audiences = match &key.audiences {
        Audiences::All => word("all"),
        Audiences::Only(only) => Detail::Labels(only.iter().map(|one| Label::of(one.as_str())).collect()),
    };
    let said = [
        ("key", word(what)),
        ("id", word(key.id.as_str())),
        ("name", word(&key.name)),
        ("roles", Detail::Labels(key.roles.iter().map(|role| Label::of(role.as_str())).collect())),
        ("audiences", audiences),
        ("expires", word(&key.expires.map_or("never".to_owned(), |at| at.to_string()))),
    ];
    entry.details = said.into_iter().map(|(name, detail)| (Label::of(name), detail)).collect();
    entry
}
