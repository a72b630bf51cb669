//! Who asks? The tenant, the audiences and the kinds of records a caller may see, carried through every leg of a query.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Audience, Kind, TenantId};

/// What a caller may see. There is no query without one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Whose desk.
    pub tenant: TenantId,
    /// Which records of it.
    pub audiences: Audiences,
    /// Kinds of records that it does not see at all, whatever their audience: what an agent may not read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<Kind>,
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
        Self { tenant, audiences: Audiences::All, hidden: BTreeSet::new() }
    }

    /// The scope of somebody in some audiences.
    pub fn of(tenant: TenantId, audiences: impl IntoIterator<Item = Audience>) -> Self {
        Self { tenant, audiences: Audiences::Only(audiences.into_iter().collect()), hidden: BTreeSet::new() }
    }

    /// The same without some kinds of records.
    #[must_use]
    pub fn without(&self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut narrowed = self.clone();
        narrowed.hidden.extend(kinds);
        narrowed
    }

    /// Whether records of a kind are seen at all.
    pub fn shows(&self, kind: Kind) -> bool {
        !self.hidden.contains(&kind)
    }

    /// Whether every record of the tenant is seen.
    pub fn is_whole(&self) -> bool {
        self.audiences == Audiences::All && self.hidden.is_empty()
    }

    /// Whether a record of these audiences may be seen.
    pub fn allows(&self, audience: &[Audience]) -> bool {
        match &self.audiences {
            Audiences::All => true,
            Audiences::Only(mine) => audience.iter().any(|one| mine.contains(one)),
        }
    }
}
