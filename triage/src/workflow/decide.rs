//! What may agents do about a ticket? What they found becomes facts, and for each deed the policies say: alone, as a proposal, or not.

use engine::Batch;
use ontology::{Kind, Record};
use serde::{Deserialize, Serialize};

use super::status::TRIAGE;
use super::{WorkflowError, read};
use crate::policy::{
    Action, Agent, Level, PerMille, Policies, Principal, Question, Resource, TicketFacts, TicketKind, Verdict,
};
use crate::proposal::{Arguments, Reply, Route};
use crate::result::{Outcome, Triage};
use crate::runbook::Step;

/// The attribute of a record that marks a major incident.
const MAJOR: &str = "major_incident";

/// What an agent wanted, and what the policies said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The agent.
    pub agent: Agent,
    /// What it wanted to do.
    pub action: Action,
    /// What the policies said.
    pub verdict: Verdict,
}

/// What is done about a ticket.
pub(super) struct Plan {
    /// What agents do alone.
    pub(super) alone: Vec<Arguments>,
    /// What they propose.
    pub(super) proposed: Vec<Arguments>,
    /// All that was asked of the policies, in order.
    pub(super) decisions: Vec<Decided>,
    /// Why people have to look, where nothing is done or proposed.
    pub(super) reason: String,
}

/// The ticket as policies see it.
pub(crate) fn facts(
    policies: &Policies,
    ticket: &Record,
    triage: &Triage,
    has_fallen_back: bool,
) -> TicketFacts {
    let category = triage.category.value.clone().unwrap_or_else(|| ticket.category.clone());
    let mut autonomy = policies.autonomy(ticket.id.as_str(), &category);
    if has_fallen_back {
        autonomy.level = autonomy.level.min(Level::Suggest);
    }
    let has_expired = |answer: &crate::Answer| answer.sources.iter().any(|source| source.expired);
    TicketFacts {
        categories: category,
        priority: triage.priority.value,
        has_answer: triage.answer.is_some(),
        strength: PerMille::of(triage.strength.score),
        category_confidence: PerMille::of(triage.category.confidence),
        team_confidence: PerMille::of(triage.team.confidence),
        is_major: ticket.attributes.get(MAJOR).is_some_and(|value| !value.is_empty() && value != "false"),
        has_expired_sources: triage.answer.as_ref().is_some_and(has_expired),
        is_degraded: !triage.degraded.is_empty(),
        affected: triage.affected.len() as u32,
        warnings: triage.warnings.len() as u32,
        ..TicketFacts::new(kind(ticket.kind), autonomy)
    }
}

/// The ticket as policies see it by its latest triage; without one, nothing is sure of it.
pub(crate) fn latest_triage(
    batch: &Batch<'_>,
    ticket: &Record,
    policies: &Policies,
) -> Result<TicketFacts, WorkflowError> {
    let item = batch.item(TRIAGE, ticket.id.as_str())?.filter(|item| !item.body.is_empty());
    let triage: Option<Triage> = item.map(|item| read("triage", &item.body)).transpose()?;
    Ok(match triage {
        // Only a proposal is asked for, which a model that fell back may make as well.
        Some(triage) => facts(policies, ticket, &triage, false),
        None => {
            let autonomy = policies.autonomy(ticket.id.as_str(), &ticket.category);
            TicketFacts {
                categories: ticket.category.clone(),
                ..TicketFacts::new(kind(ticket.kind), autonomy)
            }
        }
    })
}

/// A ticket's kind as policies spell it; an alert that fires is an incident.
pub(super) fn kind(kind: Kind) -> TicketKind {
    match kind {
        Kind::ServiceRequest => TicketKind::ServiceRequest,
        Kind::Problem => TicketKind::Problem,
        Kind::Change => TicketKind::Change,
        _ => TicketKind::Incident,
    }
}

/// Asks the policies about each deed.
pub(super) fn plan(
    policies: &Policies,
    facts: &TicketFacts,
    triage: &Triage,
    step: Option<Step>,
    is_stopped: bool,
) -> Plan {
    let mut plan =
        Plan { alone: Vec::new(), proposed: Vec::new(), decisions: Vec::new(), reason: String::new() };
    let mut ask = |agent, action| {
        let resource = Resource::Ticket(facts.clone());
        let question = Question { principal: Principal::Agent(agent), action, resource, is_stopped };
        let verdict = policies.decide(&question);
        let is_allowed = verdict.is_allowed;
        plan.decisions.push(Decided { agent, action, verdict });
        is_allowed
    };
    let route = Route::of(triage).map(Arguments::Route);
    let reply = triage.answer.as_ref().map(|answer| Arguments::Reply(Reply::of(answer)));
    let wanted = [
        (route, Agent::Triage, Action::Route, Action::ProposeRoute),
        (reply, Agent::Guidance, Action::Reply, Action::ProposeReply),
    ];
    for (arguments, agent, alone, proposal) in wanted {
        let Some(arguments) = arguments else { continue };
        if ask(agent, alone) {
            plan.alone.push(arguments);
        } else if ask(agent, proposal) {
            plan.proposed.push(arguments);
        }
    }
    // No step is ever done alone.
    if let Some(step) = step
        && ask(Agent::Guidance, Action::ProposeExecute)
    {
        plan.proposed.push(Arguments::Execute(Box::new(step)));
    }
    if plan.alone.is_empty() && plan.proposed.is_empty() {
        ask(Agent::Escalation, Action::Escalate);
    }
    plan.reason = match (&triage.outcome, facts.level) {
        _ if is_stopped => "the agents of this desk are stopped".to_owned(),
        (_, Level::Off) => "agents are off in this category".to_owned(),
        (_, Level::Shadow) => "agents only watch in this category".to_owned(),
        (Outcome::HandedOver { reason }, _) => reason.clone(),
        (Outcome::Answered, _) => "the policies allow no agent to go on".to_owned(),
    };
    plan
}
