//! What stands behind the placeholders of a ticket's triage, and who may have it back? Kept for each ticket, sealed with a key of its tenant.
//!
//! A seal is AES-256-GCM under a nonce drawn for it, bound to tenant and ticket, so that one cannot be put in another's place. It names the
//! key that it was made with and the records whose text it may hold: a purge of the ticket or of one of them empties it.

use std::collections::{BTreeMap, BTreeSet};

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Batch, Item, LogError, Store};
use models::Hidden;
use ontology::{RecordId, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The collection of the seals, one a ticket.
pub(crate) const HIDDEN: &str = "hidden";
/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 12;

/// What draws the bytes of a nonce; nothing where the system has none.
pub type Draw = fn() -> Option<[u8; NONCE_BYTES]>;

/// Seals and opens what was hidden on the desk of one tenant. The key is wiped from memory when this is dropped.
pub struct Vault {
    tenant: TenantId,
    key: String,
    cipher: Aes256Gcm,
    draw: Draw,
}

/// What a triage hid, and where it may have stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withheld {
    /// By placeholder.
    pub values: Hidden,
    /// The records whose text was at hand.
    pub about: BTreeSet<RecordId>,
}

/// A seal as it is kept.
#[derive(Serialize, Deserialize)]
struct Seal {
    key: String,
    nonce: String,
    sealed: String,
    about: BTreeSet<RecordId>,
}

/// Why what was hidden cannot be kept or given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The store.
    #[error(transparent)]
    Store(#[from] LogError),
    /// Another key is in use now.
    #[error(
        "what was hidden of {ticket} was sealed with the vault key {sealed}, and this desk has {here}: bring that key's file back, or have \
         the ticket triaged again"
    )]
    OtherKey {
        /// The ticket.
        ticket: RecordId,
        /// The key that sealed it.
        sealed: String,
        /// The key at hand.
        here: String,
    },
    /// The seal does not hold.
    #[error(
        "what was hidden of {ticket} was changed since it was sealed, or belongs to another ticket or tenant: have the ticket triaged again"
    )]
    Broken {
        /// The ticket.
        ticket: RecordId,
    },
    /// There are no random bytes.
    #[error("the system gives no random bytes, so nothing can be sealed")]
    NoRandom,
}

impl VaultError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::OtherKey { .. } => "vault-key",
            Self::Broken { .. } => "vault-broken",
            Self::NoRandom => "no-random",
        }
    }
}

impl Vault {
    /// The vault of a tenant, with its key.
    pub fn new(tenant: TenantId, secret: &[u8; KEY_BYTES], draw: Draw) -> Self {
        let hash = Sha256::new().chain_update("triagraph vault key\0").chain_update(secret).finalize();
        let key = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { tenant, key, cipher: Aes256Gcm::new(secret.into()), draw }
    }

    /// Whether a store holds any seal.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_sealed(store: &Store) -> Result<bool, VaultError> {
        Ok(!store.items(HIDDEN, None, "", 1)?.is_empty())
    }

    /// Seals what the latest triage of a ticket withheld, in the place of what the one before did.
    pub(crate) fn seal(
        &self,
        batch: &mut Batch<'_>,
        ticket: &RecordId,
        withheld: &Withheld,
    ) -> Result<(), VaultError> {
        let values = withheld.values.values();
        if values.is_empty() && batch.item(HIDDEN, ticket.as_str())?.is_none() {
            return Ok(());
        }
        let nonce = (self.draw)().ok_or(VaultError::NoRandom)?;
        let broken = || VaultError::Broken { ticket: ticket.clone() };
        let told = serde_json::to_vec(values).ok().ok_or_else(broken)?;
        let payload = Payload { msg: &told, aad: &self.bound_to(ticket) };
        let sealed = self.cipher.encrypt((&nonce).into(), payload).ok().ok_or_else(broken)?;
        let seal = Seal {
            key: self.key.clone(),
            nonce: STANDARD.encode(nonce),
            sealed: STANDARD.encode(sealed),
            about: withheld.about.clone(),
        };
        let body = serde_json::to_vec(&seal).ok().ok_or_else(broken)?;
        batch.put(&Item {
            collection: HIDDEN.to_owned(),
            key: ticket.as_str().to_owned(),
            state: "sealed".to_owned(),
            due: None,
            record: Some(ticket.clone()),
            body,
        })?;
        Ok(())
    }

    /// The values behind the placeholders of a ticket's latest triage; none where nothing was hidden, or it was purged.
    ///
    /// # Errors
    /// [`VaultError::OtherKey`] and [`VaultError::Broken`], and when the store cannot be read.
    pub fn open(&self, store: &Store, ticket: &RecordId) -> Result<BTreeMap<String, String>, VaultError> {
        let kept = store.item(HIDDEN, ticket.as_str())?.filter(|item| !item.body.is_empty());
        let Some(kept) = kept else { return Ok(BTreeMap::new()) };
        let broken = || VaultError::Broken { ticket: ticket.clone() };
        let seal: Seal = serde_json::from_slice(&kept.body).ok().ok_or_else(broken)?;
        if seal.key != self.key {
            let (sealed, here) = (seal.key, self.key.clone());
            return Err(VaultError::OtherKey { ticket: ticket.clone(), sealed, here });
        }
        let nonce =
            STANDARD.decode(seal.nonce).ok().and_then(|nonce| <[u8; NONCE_BYTES]>::try_from(nonce).ok());
        let nonce = nonce.ok_or_else(broken)?;
        let sealed = STANDARD.decode(seal.sealed).ok().ok_or_else(broken)?;
        let payload = Payload { msg: &sealed, aad: &self.bound_to(ticket) };
        let told = self.cipher.decrypt((&nonce).into(), payload).ok().ok_or_else(broken)?;
        serde_json::from_slice(&told).ok().ok_or_else(broken)
    }

    /// What a seal is bound to beside its text. Neither part can hold a line break.
    fn bound_to(&self, ticket: &RecordId) -> Vec<u8> {
        format!("triagraph/hidden/1\n{}\n{ticket}", self.tenant).into_bytes()
    }
}

#[cfg(test)]
mod tests;
