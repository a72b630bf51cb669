//! What is kept of a burst? Its members, its probable cause and where it is, as ids and numbers; the store has it as an item.

use std::collections::BTreeSet;

use engine::{Batch, Item, Thing};
use jiff::{SignedDuration, Timestamp};
use ontology::RecordId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cause::Cause;
use crate::proposal::hex;
use crate::workflow::{Workflow, WorkflowError, read, written};

/// The collection of bursts.
pub(super) const BURST: &str = "burst";
/// The collection of what is probably behind them: things may be known only by what a ticket calls them, so a purge of any member
/// empties it.
const CAUSES: &str = "burst_causes";
/// How long after its last ticket a burst is remembered, so that no second one is made of the same matter.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// Tickets that probably go back to one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Burst {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub state: BurstState,
    /// The ticket that came first: the major incident, once people say so.
    pub lead: RecordId,
    /// Its tickets, the lead among them.
    pub members: BTreeSet<RecordId>,
    /// What is probably behind it, the likeliest first.
    pub causes: Vec<Cause>,
    /// When the desk found it.
    pub found: Timestamp,
    /// When its last ticket came.
    pub last: Timestamp,
    /// The chance of so many tickets in such an hour, when it was found.
    pub chance: f64,
    /// The chance below which this desk called it a burst.
    pub bar: f64,
    /// The proposal that people rule on; nothing where the policies let no agent propose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// The members that the proposal names. Those that came later are in it all the same.
    pub named: BTreeSet<RecordId>,
    /// Those that people took out: they do not join again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub taken_out: BTreeSet<RecordId>,
}

/// Where a burst is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BurstState {
    /// It is there; the policies let no agent propose it.
    Watched,
    /// People have to say whether it is a major incident.
    Proposed,
    /// It is a major incident.
    Declared,
    /// People said that it is none, or nobody said anything in time.
    Refused,
    /// Nothing joins it any more.
    Over,
}

impl BurstState {
    const LIVE: [Self; 4] = [Self::Watched, Self::Proposed, Self::Declared, Self::Refused];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::Proposed => "proposed",
            Self::Declared => "declared",
            Self::Refused => "refused",
            Self::Over => "over",
        }
    }
}

impl Burst {
    /// The id of a burst that a ticket began.
    pub(super) fn id_of(lead: &RecordId, first: Timestamp) -> String {
        hex(&Sha256::digest(format!("{lead}\u{1f}{}", first.as_microsecond())))[..16].to_owned()
    }

    /// Whether nothing joins it any more, though it is no major incident that goes on.
    pub(super) fn is_past(&self, now: Timestamp) -> bool {
        let until = self.last.saturating_add(REMEMBERED).unwrap_or(now);
        self.state != BurstState::Declared && until < now
    }

    pub(super) fn find(batch: &Batch<'_>, id: &str) -> Result<Option<Self>, WorkflowError> {
        let Some(item) = batch.item(BURST, id)? else { return Ok(None) };
        Self::whole(&item, batch.item(CAUSES, id)?).map(Some)
    }

    /// A burst with its causes, where no purge took them.
    fn whole(item: &Item, causes: Option<Item>) -> Result<Self, WorkflowError> {
        let mut burst: Self = read("burst", &item.body)?;
        if let Some(causes) = causes.filter(|causes| !causes.body.is_empty()) {
            (burst.causes, _) = read::<(Vec<Cause>, BTreeSet<RecordId>)>("causes", &causes.body)?;
        }
        Ok(burst)
    }

    pub(super) fn put(&self, batch: &mut Batch<'_>) -> Result<(), WorkflowError> {
        let is_told = self.causes.iter().any(|cause| matches!(cause.thing, Thing::Named(_)));
        let by = if is_told { self.members.clone() } else { BTreeSet::new() };
        batch.put(&Item {
            collection: CAUSES.to_owned(),
            key: self.id.clone(),
            state: "kept".to_owned(),
            due: None,
            record: Some(self.lead.clone()),
            body: written(&(&self.causes, by))?,
        })?;
        Ok(batch.put(&Item {
            collection: BURST.to_owned(),
            key: self.id.clone(),
            state: self.state.as_str().to_owned(),
            due: None,
            // It holds no text of its tickets, so a purge leaves it whole.
            record: None,
            body: written(&Self { causes: Vec::new(), ..self.clone() })?,
        })?)
    }
}

impl Workflow {
    /// A burst.
    ///
    /// # Errors
    /// [`WorkflowError::NoSuchBurst`], and when the store cannot be read.
    pub fn burst(&self, id: &str) -> Result<Burst, WorkflowError> {
        let item = self.store().item(BURST, id)?;
        let item = item.ok_or_else(|| WorkflowError::NoSuchBurst { id: id.to_owned() })?;
        Burst::whole(&item, self.store().item(CAUSES, id)?)
    }

    /// Bursts by id, behind one of them; those in a state where one is given.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bursts(
        &self,
        state: Option<BurstState>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Burst>, WorkflowError> {
        let items = self.store().items(BURST, state.map(BurstState::as_str), after, limit)?;
        items.iter().map(|item| Burst::whole(item, self.store().item(CAUSES, &item.key)?)).collect()
    }

    /// Bursts that tickets may join.
    pub(super) fn live_bursts(&self) -> Result<Vec<Burst>, WorkflowError> {
        let mut live = Vec::new();
        for state in BurstState::LIVE {
            live.extend(self.bursts(Some(state), "", u32::MAX)?);
        }
        Ok(live)
    }
}
