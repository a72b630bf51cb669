//! Which way does a ticket go from its first event to its end, and what brings it there though processes die?
//!
//! [`Workflow::accept`] keeps events, each once, in the journal of their ticket, and puts the ticket up for work in the same
//! transaction. [`Workflow::turn`] leases tickets that wait, applies the next event of each to the desk, triages, and lets the
//! policies say what agents may do alone, what they propose and what people get. All that comes of one event is written in one
//! transaction with the mark that it was handled: whoever dies before it leaves nothing, and the next turn begins again.
//!
//! | collection | key | states |
//! | --- | --- | --- |
//! | `seen` | source and id of an event | `seen` |
//! | `work` | ticket | `ready`, `leased`, `idle` |
//! | `ticket` | ticket | those of [`TicketState`] |
//! | `triage` | ticket | `answered`, `handed_over` |
//! | `proposal` | binding hash | `open`, `executed`, `rejected`, `superseded`, `expired`, `withdrawn` |
//! | `execution` | see `runbook.rs` | those of [`RunState`](crate::RunState) |
//! | `dead_letter` | ticket and sequence | `dead`, `retried` |
//! | `burst` | see `burst.rs` | those of [`BurstState`](crate::BurstState) |
//! | `feedback` | ticket and number | what people did, see `feedback.rs` |
//! | `promise` | ticket | `ready` to be held against its targets, `idle` |
//! | `setting` | `stopped` | `on`, `off` |
//! | `hidden` | ticket | `sealed`: what stands behind the placeholders of its triage |
//! | `replay` | digest | `kept` |
//! | `setting` | `levels` | version of the service levels that targets were last looked at by |
//!
//! Journals: `event/TICKET` what came in, `ticket/TICKET` how the ticket moved, `service/TICKET` what people were told of its targets,
//! `outbox` what connectors have to deliver.

mod accept;
pub(crate) mod account;
mod conclude;
mod decide;
mod held;
mod lease;
mod level;
mod observed;
mod order;
mod overrule;
mod promise;
mod rest;
mod status;
mod switch;
mod turn;

use std::collections::BTreeMap;

use engine::{DeskError, LogError, Store};
use ontology::RecordId;

use crate::agent::TriageError;
use crate::audit::AuditError;
use crate::learned::LearnedError;
use crate::policy::{PolicyError, Watched};
use crate::vault::{Vault, VaultError};

pub use accept::Accepted;
pub use decide::Decided;
pub use held::{Held, HeldReply, HeldValue};
pub use lease::DeadLetter;
pub use level::LevelChange;
pub use order::Order;
pub use overrule::Override;
pub use promise::Notice;
pub use status::{TicketState, TicketStatus, Transition};
pub use turn::{Turn, TurnOptions, Warning};

pub(crate) use accept::look_again;
pub(crate) use conclude::{ALONE, PROPOSAL, end_proposal, execute, revision};
pub(crate) use decide::latest_triage;
pub(crate) use held::Said;
pub(crate) use order::{OUTBOX, order, order_run};
pub(crate) use overrule::end_open;
pub(crate) use rest::settle;
pub(crate) use status::{TRIAGE, change_state};

/// Why the workflow could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkflowError {
    /// The store.
    #[error(transparent)]
    Store(#[from] LogError),
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The policies.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The triage.
    #[error(transparent)]
    Triage(#[from] TriageError),
    /// The desk's own models.
    #[error(transparent)]
    Learned(#[from] LearnedError),
    /// What was hidden.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A document of the store that is none.
    #[error("{what} cannot be read ({reason}): it was purged, or another version wrote it")]
    Unreadable {
        /// Which one.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// An event that the desk cannot take.
    #[error("event {id} of {source_name}: {reason}")]
    Event {
        /// Its id.
        id: String,
        /// Its source.
        source_name: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A ticket of which no event came.
    #[error("no event of ticket {ticket} came to this desk: send one to /v1/events")]
    NoSuchTicket {
        /// The ticket.
        ticket: RecordId,
    },
    /// A proposal that is not there.
    #[error("there is no proposal {id}: see those that are open with /v1/proposals")]
    NoSuchProposal {
        /// Its id.
        id: String,
    },
    /// A proposal that nobody can rule on any more.
    #[error("proposal {id} is {state}: {advice}")]
    NotOpen {
        /// Its id.
        id: String,
        /// Where it is.
        state: String,
        /// What to do.
        advice: &'static str,
    },
    /// An edit that makes no deed.
    #[error("these arguments cannot be: {reason}")]
    Arguments {
        /// What is wrong.
        reason: &'static str,
    },
    /// A ruling that the policies do not allow.
    #[error("{who} may not {action} this: {}", reasons.join("; "))]
    Denied {
        /// Who asked.
        who: String,
        /// What for.
        action: String,
        /// What the policies say.
        reasons: Vec<String>,
    },
    /// A burst that is not there.
    #[error("there is no burst {id}: see /v1/bursts")]
    NoSuchBurst {
        /// Its id.
        id: String,
    },
    /// A burst that is no major incident.
    #[error(
        "burst {id} is {state}: only of a declared one all members are answered, so approve its proposal first"
    )]
    NotDeclared {
        /// Its id.
        id: String,
        /// Where it is.
        state: &'static str,
    },
    /// A dead letter that is not there.
    #[error("there is no dead letter {key}: see /v1/dead-letters")]
    NoSuchDeadLetter {
        /// Its key.
        key: String,
    },
}

impl WorkflowError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Desk(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Audit(error) => error.code(),
            Self::Triage(error) => error.code(),
            Self::Learned(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Unreadable { .. } => "store-unreadable",
            Self::Event { .. } => "invalid-event",
            Self::NoSuchTicket { .. } => "no-such-ticket",
            Self::NoSuchProposal { .. } => "no-such-proposal",
            Self::NotOpen { .. } => "proposal-not-open",
            Self::Arguments { .. } => "invalid-request",
            Self::Denied { .. } => "denied",
            Self::NoSuchBurst { .. } => "no-such-burst",
            Self::NotDeclared { .. } => "burst-not-declared",
            Self::NoSuchDeadLetter { .. } => "no-such-dead-letter",
        }
    }
}

/// The workflow of one desk.
pub struct Workflow {
    store: Store,
    policies: Watched,
    vault: Option<Vault>,
}

impl Workflow {
    /// The workflow of a store, under policies.
    pub fn new(store: Store, policies: Watched) -> Self {
        Self { store, policies, vault: None }
    }

    /// Keeps what triages hide in a vault; without one it is forgotten.
    #[must_use]
    pub fn with_vault(self, vault: Vault) -> Self {
        Self { vault: Some(vault), ..self }
    }

    /// What stands behind the placeholders of a ticket's latest triage.
    ///
    /// # Errors
    /// Where no event of the ticket came, and [`WorkflowError::Vault`].
    pub fn hidden(&self, ticket: &RecordId) -> Result<BTreeMap<String, String>, WorkflowError> {
        self.ticket(ticket)?;
        let opened = self.vault.as_ref().map(|vault| vault.open(&self.store, ticket)).transpose()?;
        Ok(opened.unwrap_or_default())
    }

    /// The policies in force.
    pub fn policies(&self) -> &Watched {
        &self.policies
    }

    /// Journals and items.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Reads a document of the store.
pub(crate) fn read<T: serde::de::DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, WorkflowError> {
    serde_json::from_slice(body)
        .map_err(|error| WorkflowError::Unreadable { what: what.to_owned(), reason: error.to_string() })
}

/// Writes a document for the store.
pub(crate) fn written(value: &impl serde::Serialize) -> Result<Vec<u8>, WorkflowError> {
    serde_json::to_vec(value).map_err(|error| WorkflowError::Unreadable {
        what: "what is to be written".to_owned(),
        reason: error.to_string(),
    })
}
