//! Who comes in, and what are they let do? Grants, the keys that give them, and the policies' word on what a grant is good for.
//!
//! A **key** is a random secret that somebody shows with each call. It is shown once, when it is made, and kept as a hash only, in the
//! desk whose tenant it names; it expires, and can be revoked. What comes of it is a [`Grant`]: a person, roles and audiences. A token of
//! an identity provider gives the same, so all that is asked behind the door knows grants only.

mod error;
mod key;
mod keys;
mod permit;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ontology::Audiences;

use crate::policy::{PersonId, Role};

pub use error::AccessError;
pub use key::{Key, KeyId, NewKey, RANDOM_BYTES, Secret};
pub use keys::Keys;
pub use permit::permit;

/// What somebody who came in is, and may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub person: PersonId,
    /// As what.
    pub roles: BTreeSet<Role>,
    /// Which records.
    pub audiences: Audiences,
    /// The key that gave it.
    pub key: Option<KeyId>,
    /// When it ends; none where it does not, or only when its key is revoked.
    pub until: Option<Timestamp>,
}

impl Grant {
    /// Whoever runs the desk: sits at its machine, or has the key that the server was started with.
    pub fn operator() -> Self {
        Self {
            person: PersonId::new(OPERATOR),
            roles: [Role::Agent, Role::Lead, Role::Admin].into(),
            audiences: Audiences::All,
            key: None,
            until: None,
        }
    }
}

/// The name of whoever runs the desk; no key has it.
const OPERATOR: &str = "operator";
