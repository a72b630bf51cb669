//! What does the audit log hear of the workflow? Ids, hashes and numbers of what agents found and did, what the policies said, and
//! what people ruled, in the transaction in which it is done.

use engine::Batch;
use jiff::Timestamp;

use super::WorkflowError;
use super::decide::Decided;
use super::status::TicketStatus;
use crate::audit::{Action, Actor, Detail, Entry, Label, note};
use crate::policy::{Agent, PersonId};
use crate::proposal::Proposal;
use crate::result::{ModelCall, Outcome, Triage};

/// What is said in one entry beside who, what and of which ticket.
pub(crate) type Said<'a> = &'a [(&'a str, Detail)];

/// Notes what an agent found: which context it read, what answered, how strong its evidence is.
pub(super) fn triaged(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    triage: &Triage,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let outcome = if triage.outcome == Outcome::Answered { "answered" } else { "handed_over" };
    let by = triage.answer.as_ref().map_or("none", |answer| answer.by.as_str());
    let bundles = triage.bundles.iter().map(|bundle| Label::of(&bundle.id)).collect();
    let generation = triage.bundles.iter().map(|bundle| bundle.generation).max().unwrap_or(0);
    let said = [
        ("outcome", word(outcome)),
        ("model", word(by)),
        ("bundles", Detail::Labels(bundles)),
        ("generation", Detail::Number(generation.into())),
        ("revision", word(&status.revision)),
        ("strength-per-mille", Detail::Number(((triage.strength.score * 1000.0) as u64).into())),
    ];
    entry(batch, Action::ModelDecision, agent(Agent::Guidance), status, &said, now)?;
    triage.calls.iter().try_for_each(|call| asked(batch, status, call, now))
}

/// Notes one question to a language model.
fn asked(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    call: &ModelCall,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let number = |number: u64| Detail::Number(number.into());
    let mut said = vec![
        ("model", word(&call.model)),
        ("prompt", word(&call.prompt)),
        ("outcome", word(&call.outcome)),
        ("millis", number(call.millis)),
        ("kept", number(call.kept.into())),
        ("dropped", number(call.dropped.into())),
    ];
    let tokens = [("prompt-tokens", call.prompt_tokens), ("completion-tokens", call.completion_tokens)];
    said.extend(tokens.into_iter().filter_map(|(name, tokens)| Some((name, number(tokens?)))));
    entry(batch, Action::ModelCall, agent(Agent::Guidance), status, &said, now)
}

/// Notes what the policies said to an agent.
pub(crate) fn decided(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    decided: &Decided,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let verdict = &decided.verdict;
    let said = [
        ("action", word(decided.action.as_str())),
        ("verdict", word(if verdict.is_allowed { "allow" } else { "deny" })),
        ("policies", Detail::Labels(verdict.policies.iter().map(|policy| Label::of(policy)).collect())),
        ("version", word(&verdict.version)),
    ];
    entry(batch, Action::PolicyDecision, agent(decided.agent), status, &said, now)
}

/// Notes what an agent proposes.
pub(crate) fn proposed(
    batch: &mut Batch<'_>,
    status: &TicketStatus,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let deed = proposal.bound.arguments.deed();
    let said = [("proposes", word(deed.as_str())), ("binding", word(&proposal.binding))];
    entry(batch, Action::AgentAction, agent(proposal.agent), status, &said, now)
}

/// Notes what a person did, or what was done for them.
pub(crate) fn by_person(
    batch: &mut Batch<'_>,
    action: Action,
    person: &PersonId,
    status: Option<&TicketStatus>,
    said: Said<'_>,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let mut entry = Entry::new(action, Actor::Person(Label::of(person.as_str())));
    entry.ticket = status.map(|status| status.ticket.clone());
    entry.correlation = status.map(|status| Label::of(&status.correlation));
    entry.details = said.iter().map(|(name, detail)| (Label::of(name), detail.clone())).collect();
    note(batch, &entry, now)?;
    Ok(())
}

/// Notes what an agent did.
pub(crate) fn by_agent(
    batch: &mut Batch<'_>,
    action: Action,
    which: Agent,
    status: &TicketStatus,
    said: Said<'_>,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    entry(batch, action, agent(which), status, said, now)
}

fn entry(
    batch: &mut Batch<'_>,
    action: Action,
    actor: Actor,
    status: &TicketStatus,
    said: Said<'_>,
    now: Timestamp,
) -> Result<(), WorkflowError> {
    let mut entry = Entry::new(action, actor);
    entry.ticket = Some(status.ticket.clone());
    entry.correlation = Some(Label::of(&status.correlation));
    entry.details = said.iter().map(|(name, detail)| (Label::of(name), detail.clone())).collect();
    note(batch, &entry, now)?;
    Ok(())
}

fn agent(agent: Agent) -> Actor {
    Actor::Agent(Label::of(agent.as_str()))
}

/// A word, id or hash as a detail.
pub(crate) fn word(text: &str) -> Detail {
    Detail::Label(Label::of(text))
}
