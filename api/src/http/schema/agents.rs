//! What is said of the desk's agents?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::Kind;

/// When an agent hands a ticket to people instead of answering it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HandOver {
    /// Evidence below this strength is not answered from, in thousandths.
    below_strength: u16,
    /// Whether an error code of which nothing tells hands a ticket over.
    unknown_code: bool,
    /// Whether an expired page that no solved ticket agrees with does.
    expired_page: bool,
}

/// What an agent may read and do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentDeclared {
    agent: String,
    /// Each kind of records, and whether it reads it.
    reads: Vec<ReadRule>,
    /// What it does, with the policies that speak of it; they look at the ticket.
    does: Vec<DeedRule>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReadRule {
    kind: Kind,
    is_allowed: bool,
    /// The policies that say so; none where nothing permits it.
    policies: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeedRule {
    action: String,
    /// Policies that permit it.
    permits: Vec<String>,
    /// Policies that take it away, each where its condition holds.
    forbids: Vec<String>,
}
