//! How is a burst proposed as major incident? As a deed of its lead, bound like every proposal, and made anew where that no longer holds.

use engine::Batch;
use jiff::Timestamp;
use ontology::{Record, RecordId};
use serde::{Deserialize, Serialize};

use super::kept::{Burst, BurstState};
use crate::policy::{Action, Agent, Policies, Principal, Question, Resource};
use crate::proposal::{Arguments, Bound, Proposal};
use crate::workflow::{
    self, Decided, PROPOSAL, TicketStatus, WorkflowError, account, end_proposal, latest_triage, revision,
    settle,
};

/// Makes a ticket a major incident, with others as its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declare {
    /// The burst.
    pub burst: String,
    /// Its members, the lead among them. What joins the burst until people approve, and after, becomes a member too.
    pub members: Vec<RecordId>,
    /// What is probably behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Why, in words, strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

impl Burst {
    /// Proposes it, unless that stands proposed as it is.
    pub(super) fn propose(
        &mut self,
        batch: &mut Batch<'_>,
        status: &mut TicketStatus,
        lead: &Record,
        policies: &Policies,
        is_stopped: bool,
        now: Timestamp,
    ) -> Result<(), WorkflowError> {
        let cause = self.causes.first().map(|cause| cause.thing.to_string());
        let before = self.proposal.as_ref().map(|id| batch.item(PROPOSAL, id)).transpose()?.flatten();
        if let Some(item) = before {
            let old: Option<Proposal> = workflow::read("proposal", &item.body).ok();
            let holds = old.as_ref().is_some_and(|old| {
                let same = matches!(&old.bound.arguments, Arguments::Declare(it) if it.cause == cause)
                    || !old.edited_by.is_empty();
                same && old.bound.revision == revision(lead) && old.bound.policy == policies.version()
            });
            match item.state.as_str() {
                "open" if holds => return Ok(()),
                "open" => end_proposal(batch, item, "superseded")?,
                "superseded" => {}
                _ => {
                    self.state = BurstState::Refused;
                    return Ok(());
                }
            }
        }
        let facts = latest_triage(batch, lead, policies)?;
        let (principal, action) = (Principal::Agent(Agent::Escalation), Action::ProposeDeclare);
        let resource = Resource::Ticket(facts.clone());
        let verdict = policies.decide(&Question { principal, action, resource, is_stopped });
        let is_allowed = verdict.is_allowed;
        let decided = Decided { agent: Agent::Escalation, action, verdict };
        if self.state == BurstState::Watched && status.decisions.contains(&decided) && !is_allowed {
            return Ok(());
        }
        account::decided(batch, status, &decided, now)?;
        status.decisions.retain(|decided| decided.action != action);
        status.decisions.push(decided);
        if !is_allowed {
            (self.state, self.proposal) = (BurstState::Watched, None);
            return Ok(());
        }
        let declare = Declare {
            burst: self.id.clone(),
            members: self.members.iter().cloned().collect(),
            cause,
            because: self.because(),
        };
        let proposal = Proposal::new(
            Bound {
                ticket: self.lead.clone(),
                revision: revision(lead),
                bundles: Vec::new(),
                arguments: Arguments::Declare(declare),
                policy: policies.version().to_owned(),
            },
            facts,
            &status.correlation,
            now,
        );
        proposal.put(batch)?;
        account::proposed(batch, status, &proposal, now)?;
        self.proposal = Some(proposal.id.clone());
        self.named.clone_from(&self.members);
        self.state = BurstState::Proposed;
        settle(batch, status, (&proposal.id, "a burst was found"), now)
    }

    /// Why it is one, in words without any text of a ticket.
    fn because(&self) -> Vec<String> {
        let mut because = vec![format!(
            "{} tickets within an hour, where the past of this desk gives that a chance of {:.0e}; {:.0e} is the bar",
            self.members.len(),
            self.chance,
            self.bar
        )];
        for (rank, cause) in self.causes.iter().enumerate() {
            let probably = if rank == 0 { "probably" } else { "or else" };
            let changes: Vec<&str> = cause.changes.iter().map(|change| change.external()).collect();
            let changed = match changes.as_slice() {
                [] => String::new(),
                changes => format!(", and {} changed it shortly before", changes.join(", ")),
            };
            because.push(format!(
                "{probably} {}: {:.0} % of them rest on it, {:.1} were to be expected{changed}",
                cause.thing,
                cause.coverage * 100.0,
                cause.expected
            ));
        }
        because
    }
}
