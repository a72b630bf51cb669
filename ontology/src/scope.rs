//! Who asks? The tenant and the audiences a caller may see, carried through every leg of a query.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Audience, TenantId};

/// What a caller may see. There is no query without one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Whose desk.
    pub tenant: TenantId,
    /// Which records of it.
    pub audiences: Audiences,
}

/// The records a caller may see, by audience.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audiences {
    /// Every record: the operator of the desk.
    All,
    /// Records with at least one of these audiences.
    Only(BTreeSet<Audience>),
}

impl Scope {
    /// The operator's scope: everything of one tenant.
    pub fn operator(tenant: TenantId) -> Self {
        Self { tenant, audiences: Audiences::All }
    }

    /// The scope of somebody in some audiences.
    pub fn of(tenant: TenantId, audiences: impl IntoIterator<Item = Audience>) -> Self {
        Self { tenant, audiences: Audiences::Only(audiences.into_iter().collect()) }
    }

    /// Whether a record of these audiences may be seen.
    pub fn allows(&self, audience: &[Audience]) -> bool {
        match &self.audiences {
            Audiences::All => true,
            Audiences::Only(mine) => audience.iter().any(|one| mine.contains(one)),
        }
    }
}
