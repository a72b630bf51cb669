//! What can be wrong with a key, or with what it is shown for?

use engine::LogError;
use jiff::Timestamp;
use ontology::TenantId;

use super::key::KeyId;
use crate::audit::AuditError;
use crate::policy::Action;

/// Why somebody does not come in, or a key cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The store.
    #[error(transparent)]
    Store(#[from] LogError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A kept key that is none.
    #[error("key {id} cannot be read ({reason}): another version wrote it")]
    Unreadable {
        /// Its id.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// A key that cannot be made.
    #[error("such a key cannot be: {reason}")]
    Wanted {
        /// What is wrong, and what to do.
        reason: &'static str,
    },
    /// A key to be revoked that is not there.
    #[error("there is no key {id}: `triagraph keys list` or GET /v1/keys shows them")]
    NoSuchKey {
        /// The id.
        id: String,
    },
    /// What was shown is no key of this desk.
    #[error("this is no key of this desk: ask an admin for one, and send it as `Authorization: Bearer KEY`")]
    Unknown,
    /// A key of another desk.
    #[error("this key is for the desk of tenant {tenant}, which this server does not serve")]
    OtherTenant {
        /// Whose desk it names.
        tenant: TenantId,
    },
    /// A key whose time is over.
    #[error("key {id} expired at {at}: ask an admin for a new one")]
    Expired {
        /// Its id.
        id: KeyId,
        /// When.
        at: Timestamp,
    },
    /// A key that was taken back.
    #[error("key {id} was revoked at {at}: ask an admin for a new one")]
    Revoked {
        /// Its id.
        id: KeyId,
        /// When.
        at: Timestamp,
    },
    /// Something that the policies do not let this caller do.
    #[error("{who} may not {action}: {wanted}")]
    Denied {
        /// Who asked, and as what.
        who: String,
        /// What for.
        action: Action,
        /// Which roles may.
        wanted: String,
    },
}

impl AccessError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Audit(error) => error.code(),
            Self::Unreadable { .. } => "store-unreadable",
            Self::Wanted { .. } => "invalid-request",
            Self::NoSuchKey { .. } => "no-such-key",
            Self::Unknown | Self::OtherTenant { .. } => "unauthorized",
            Self::Expired { .. } => "key-expired",
            Self::Revoked { .. } => "key-revoked",
            Self::Denied { .. } => "denied",
        }
    }
}
