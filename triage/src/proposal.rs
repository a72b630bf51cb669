//! What do agents want to do, and what exactly do people approve? A deed with its arguments, bound to all that it rests on.

mod deed;
mod edited;
mod feedback;
mod judge;
mod kept;

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use ontology::RecordId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::burst::Declare;
use crate::cited::{Answer, Claim};
use crate::policy::{Agent, Deed, PersonId, TicketFacts};
use crate::result::{BundleRef, Triage};
use crate::runbook::{Run, Step};

pub(crate) use edited::edited_share;
pub use judge::{Judgement, Ruling};

/// Version of the JSON of proposals.
pub const PROPOSAL_SCHEMA: &str = "triagraph.proposal/1";
/// How long people have for a proposal.
const PROPOSAL_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Something that an agent wants to do and that people rule on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// [`PROPOSAL_SCHEMA`].
    pub schema: String,
    /// The first half of the binding that it was made with.
    pub id: String,
    /// The agent.
    pub agent: Agent,
    /// What the deed rests on.
    pub bound: Bound,
    /// SHA-256 over [`Bound`], in hex: what people approve. An edit makes another.
    pub binding: String,
    /// The ticket as policies saw it.
    pub facts: TicketFacts,
    /// Where it is: `open`, `executed`, `rejected`, `superseded`, `expired`, `withdrawn`.
    pub state: String,
    /// When it was made.
    pub made: Timestamp,
    /// After this moment nobody can approve it any more.
    pub expires: Timestamp,
    /// Who approved what it is now.
    pub approved_by: BTreeSet<PersonId>,
    /// Who changed it.
    pub edited_by: BTreeSet<PersonId>,
    /// The arguments as the agent made them, where people changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Arguments>,
    /// Of a step of a runbook: how far its dry run is, and how far the step itself once people approved it. Kept beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<Run>,
    /// See there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What belongs together across systems.
    pub correlation: String,
}

/// All that an approval holds for: where one of these differs, it holds no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The ticket.
    pub ticket: RecordId,
    /// Content hash of its revision, in hex.
    pub revision: String,
    /// The context.
    pub bundles: Vec<BundleRef>,
    /// The deed and its arguments.
    pub arguments: Arguments,
    /// Version of the policies.
    pub policy: String,
}

/// A deed, with what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum Arguments {
    /// Set category, priority and team.
    Route(Route),
    /// Answer the caller.
    Reply(Reply),
    /// Make it a major incident.
    Declare(Declare),
    /// Have a step of a runbook done.
    Execute(Box<Step>),
}

/// Where a ticket goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Category, then sub-categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    /// 1 is highest, 5 lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// What the caller is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The text; `[S1]` names a citation.
    pub text: String,
    /// What it rests on.
    #[serde(default)]
    pub citations: Vec<Citation>,
}

/// A source of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Its handle in the text.
    pub handle: String,
    /// The record.
    pub record: RecordId,
    /// Position in the log of its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The bundle that holds it.
    pub bundle: String,
}

impl Arguments {
    /// What is done.
    pub fn deed(&self) -> Deed {
        match self {
            Self::Route(_) => Deed::Route,
            Self::Reply(_) => Deed::Reply,
            Self::Declare(_) => Deed::Declare,
            Self::Execute(_) => Deed::Execute,
        }
    }
}

impl Bound {
    /// SHA-256 over the canonical JSON, in hex.
    pub fn binding(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(&json))
    }
}

impl Proposal {
    /// A deed that waits for people.
    pub(crate) fn new(bound: Bound, facts: TicketFacts, correlation: &str, now: Timestamp) -> Self {
        let binding = bound.binding();
        Self {
            schema: PROPOSAL_SCHEMA.to_owned(),
            id: binding[..32].to_owned(),
            agent: bound.arguments.agent(),
            bound,
            binding,
            facts,
            state: "open".to_owned(),
            made: now,
            expires: now.saturating_add(PROPOSAL_LIFE).unwrap_or(now),
            approved_by: BTreeSet::new(),
            edited_by: BTreeSet::new(),
            first: None,
            dry_run: None,
            run: None,
            correlation: correlation.to_owned(),
        }
    }
}

impl Route {
    /// What a triage found, where it found something.
    pub(crate) fn of(triage: &Triage) -> Option<Self> {
        let category = triage.category.value.clone().unwrap_or_default();
        let (priority, team) = (triage.priority.value, triage.team.value.clone());
        (!category.is_empty() || priority.is_some() || team.is_some()).then_some(Self {
            category,
            priority,
            team,
        })
    }
}

impl Reply {
    /// An answer as the caller reads it.
    pub(crate) fn of(answer: &Answer) -> Self {
        let mut text = String::new();
        let mut cited = BTreeSet::new();
        let mut part = |heading: &str, claims: &[Claim], is_ordered: bool| {
            if claims.is_empty() {
                return;
            }
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{heading}");
            for (number, claim) in (1..).zip(claims) {
                let mark = if is_ordered { format!("{number}.") } else { "-".to_owned() };
                let handles: String = claim.handles.iter().map(|handle| format!(" [{handle}]")).collect();
                let _ = writeln!(text, "{mark} {}{handles}", claim.text.trim());
                cited.extend(claim.handles.iter().cloned());
            }
        };
        part("Most likely cause", &answer.likely_cause, false);
        part("Check first", &answer.check_first, true);
        part("What to do", &answer.what_to_do, true);
        part("How to see that it is solved", &answer.verification, false);
        part("If that does not help", &answer.escalation, false);
        let citations =
            answer.sources.iter().filter(|source| cited.contains(&source.handle)).map(|source| Citation {
                handle: source.handle.clone(),
                record: source.record.clone(),
                position: source.position,
                bundle: source.bundle.clone(),
            });
        Self { citations: citations.collect(), text }
    }
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
