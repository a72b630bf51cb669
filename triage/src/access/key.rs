//! What is a key? Who it is for, as what, until when; and the secret that is shown once.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use ontology::{Audiences, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AccessError, Grant, OPERATOR};
use crate::policy::{PersonId, Role};
use crate::proposal::hex;

/// What every key begins with, so that a program that looks for leaked secrets finds it.
const BEGIN: &str = "tgk";
/// Random bytes of an id.
const ID_BYTES: usize = 6;
/// Random bytes of a secret: 256 bits, which nobody guesses, so that one round of SHA-256 keeps it.
const SECRET_BYTES: usize = 32;
/// Random bytes that a new key takes.
pub const RANDOM_BYTES: usize = ID_BYTES + SECRET_BYTES;
/// Longest name.
const NAME_BYTES: usize = 64;

/// The name of a key, which is no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A key that somebody asks for.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Who it is for: the account of a person or the name of a service. Several keys of one name are one and the same.
    pub name: String,
    /// As what they come in.
    pub roles: BTreeSet<Role>,
    /// Which records they see.
    pub audiences: Audiences,
    /// Until when; none for a key that is good until it is revoked.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// Whether it can be.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), AccessError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@');
        let refuse = |reason| Err(AccessError::Wanted { reason });
        if self.name.is_empty() || self.name.len() > NAME_BYTES || !self.name.bytes().all(is_plain) {
            return refuse("its name is 1 to 64 letters, digits, -, _, . and @");
        }
        if self.name == OPERATOR {
            return refuse("operator is whoever runs the desk: take another name");
        }
        if self.roles.is_empty() {
            return refuse("it has no role: give one at least");
        }
        if matches!(&self.audiences, Audiences::Only(only) if only.is_empty()) {
            return refuse("it is for no audience: name some, or leave them out for all");
        }
        if self.expires.is_some_and(|expires| expires <= now) {
            return refuse("it would have expired already");
        }
        Ok(())
    }
}

/// A key as it is kept and shown: all but the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Who it is for.
    pub name: String,
    /// As what they come in.
    pub roles: BTreeSet<Role>,
    /// Which records they see.
    pub audiences: Audiences,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: PersonId,
    /// Until when it is good.
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
}

impl Key {
    /// What it gives to whoever has it, at a moment.
    pub(super) fn grant(&self, now: Timestamp) -> Result<Grant, AccessError> {
        if let Some(at) = self.revoked {
            return Err(AccessError::Revoked { id: self.id.clone(), at });
        }
        if let Some(at) = self.expires.filter(|at| *at <= now) {
            return Err(AccessError::Expired { id: self.id.clone(), at });
        }
        Ok(Grant {
            person: PersonId::new(&self.name),
            roles: self.roles.clone(),
            audiences: self.audiences.clone(),
            key: Some(self.id.clone()),
            until: self.expires,
        })
    }

    /// Where it is in its life at a moment: `active`, `expired`, `revoked`.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.grant(now) {
            Ok(_) => "active",
            Err(AccessError::Revoked { .. }) => "revoked",
            Err(_) => "expired",
        }
    }
}

/// A key in full, as its holder shows it: `tgk_TENANT_ID_SECRET`.
#[derive(PartialEq, Eq)]
pub struct Secret {
    pub(super) tenant: TenantId,
    pub(super) id: KeyId,
    secret: String,
}

impl Secret {
    /// A new one of random bytes.
    pub(super) fn new(tenant: TenantId, random: &[u8; RANDOM_BYTES]) -> Self {
        let (id, secret) = random.split_at(ID_BYTES);
        Self { tenant, id: KeyId(hex(id)), secret: hex(secret) }
    }

    /// Reads what somebody shows; nothing where it is no key.
    pub(super) fn read(shown: &str) -> Option<Self> {
        let mut parts = shown.rsplitn(3, '_');
        let (secret, id, begin) = (parts.next()?, parts.next()?, parts.next()?);
        let tenant = begin.strip_prefix(BEGIN)?.strip_prefix('_')?;
        let is_hex = |text: &str, bytes: usize| {
            text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_key = is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES);
        is_key.then_some(Self {
            tenant: TenantId::new(tenant).ok()?,
            id: KeyId(id.to_owned()),
            secret: secret.to_owned(),
        })
    }

    /// Whether some text is meant as a key.
    pub fn is_meant(shown: &str) -> bool {
        shown.strip_prefix(BEGIN).is_some_and(|rest| rest.starts_with('_'))
    }

    /// What is kept of it, in hex.
    pub(super) fn hash(&self) -> String {
        hex(&Sha256::digest(self.reveal().as_bytes()))
    }

    /// The text to be handed to its holder, once.
    pub fn reveal(&self) -> String {
        format!("{BEGIN}_{}_{}_{}", self.tenant, self.id, self.secret)
    }
}

/// Without the secret, so that no log gets it.
impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{BEGIN}_{}_{}_…", self.tenant, self.id)
    }
}
