//! What may each agent read and do, and when does it hand over? Asked of the policies once for a set of them, so that a triage asks nothing.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{ActionConstraint, Effect, EntityUid, PolicyId, PrincipalConstraint};
use ontology::{Kind, Scope};
use serde::{Deserialize, Serialize};

use super::autonomy::HandOver;
use super::decide::{Policies, Verdict};
use super::facts::{Principal, Question, Resource};
use super::vocabulary::{Action, Agent};

/// What agents may not read, and when they hand over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boundaries {
    hidden: BTreeMap<Agent, BTreeSet<Kind>>,
    hand_over: HandOver,
}

/// What an agent may read and do, as the policies in force say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentDeclared {
    /// The agent.
    pub agent: Agent,
    /// Each kind of records, and whether it reads it.
    pub reads: Vec<ReadRule>,
    /// What it does, with the policies that speak of it; they look at the ticket.
    pub does: Vec<DeedRule>,
}

/// Whether an agent may read all records of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRule {
    /// The kind.
    pub kind: Kind,
    /// Whether it may.
    pub is_allowed: bool,
    /// The policies that say so; none where nothing permits it.
    pub policies: Vec<String>,
}

/// Something that an agent does, and what is asked before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedRule {
    /// What.
    pub action: Action,
    /// Policies that permit it.
    pub permits: Vec<String>,
    /// Policies that take it away, each where its condition holds.
    pub forbids: Vec<String>,
}

/// What agents do.
const DEEDS: [Action; 10] = [
    Action::ProposeRoute,
    Action::Route,
    Action::ProposeReply,
    Action::Reply,
    Action::ProposeExecute,
    Action::DryRun,
    Action::Execute,
    Action::ProposeDeclare,
    Action::Declare,
    Action::Escalate,
];

impl Boundaries {
    /// What a set of policies says.
    pub(super) fn of(policies: &Policies, hand_over: HandOver) -> Self {
        let hidden = |agent: &Agent| {
            let kinds = Kind::ALL.into_iter().filter(|kind| !policies.may_read(*agent, *kind).is_allowed);
            (*agent, kinds.collect())
        };
        Self { hidden: Agent::ALL.iter().map(hidden).collect(), hand_over }
    }

    /// What an agent sees of a scope.
    pub fn scope(&self, agent: Agent, scope: &Scope) -> Scope {
        scope.without(self.hidden.get(&agent).into_iter().flatten().copied())
    }

    /// What the agents that triage see of it: enrichment, triage, guidance.
    pub(crate) fn scopes(&self, scope: &Scope) -> [Scope; 3] {
        [Agent::Enrichment, Agent::Triage, Agent::Guidance].map(|agent| self.scope(agent, scope))
    }

    /// Whether an agent may read a kind of records.
    pub fn may_read(&self, agent: Agent, kind: Kind) -> bool {
        !self.hidden.get(&agent).is_some_and(|hidden| hidden.contains(&kind))
    }

    /// When an agent hands over.
    pub fn hand_over(&self) -> HandOver {
        self.hand_over
    }

    /// What an agent may not read of what its work would want, in words.
    pub(crate) fn missing(&self, agent: Agent) -> Option<String> {
        let kinds = wanted(agent).iter().filter(|kind| !self.may_read(agent, **kind));
        let kinds: Vec<&str> = kinds.map(|kind| kind.as_str()).collect();
        (!kinds.is_empty()).then(|| format!("the {agent} agent may not read: {}", kinds.join(", ")))
    }
}

/// The kinds of records that the work of an agent looks for. What it may read besides changes nothing.
fn wanted(agent: Agent) -> &'static [Kind] {
    use Kind::{
        Alert, Article, Change, ConfigurationItem, Incident, Problem, Relationship, Runbook, Service,
        ServiceRequest, Team,
    };
    match agent {
        Agent::Intake => &[],
        Agent::Enrichment => &[ConfigurationItem, Service, Relationship, Team, Change],
        Agent::Triage | Agent::Guidance => &[
            Incident,
            ServiceRequest,
            Problem,
            Change,
            Article,
            Runbook,
            ConfigurationItem,
            Service,
            Relationship,
            Alert,
            Team,
        ],
        Agent::Escalation => &[Incident, ServiceRequest, Change, ConfigurationItem, Service, Relationship],
    }
}

impl Policies {
    /// Each agent, what it may read, and which policies are asked before it does something.
    pub fn agents(&self) -> Vec<AgentDeclared> {
        let declared = |agent: &Agent| AgentDeclared {
            agent: *agent,
            reads: Kind::ALL.into_iter().map(|kind| self.read_rule(*agent, kind)).collect(),
            does: DEEDS.into_iter().filter_map(|action| self.deed_rule(*agent, action)).collect(),
        };
        Agent::ALL.iter().map(declared).collect()
    }

    /// Whether an agent may read all records of a kind. The kill switch stops what agents do, not what they see.
    fn may_read(&self, agent: Agent, kind: Kind) -> Verdict {
        let (principal, resource) = (Principal::Agent(agent), Resource::Records(kind));
        self.decide(&Question { principal, action: Action::Read, resource, is_stopped: false })
    }

    fn read_rule(&self, agent: Agent, kind: Kind) -> ReadRule {
        let verdict = self.may_read(agent, kind);
        ReadRule { kind, is_allowed: verdict.is_allowed, policies: verdict.policies }
    }

    /// The policies that speak of an agent and an action; nothing where none permits it.
    fn deed_rule(&self, agent: Agent, action: Action) -> Option<DeedRule> {
        let mut rule = DeedRule { action, permits: Vec::new(), forbids: Vec::new() };
        for written in self.written() {
            let Some(policy) = self.set().policy(&PolicyId::new(&written.id)) else { continue };
            let is_agents = match policy.principal_constraint() {
                PrincipalConstraint::Any => true,
                PrincipalConstraint::Eq(who) => is(&who, "Agent", agent.as_str()),
                PrincipalConstraint::Is(sort) => sort.to_string() == "Agent",
                PrincipalConstraint::In(_) | PrincipalConstraint::IsIn(..) => false,
            };
            let is_of_action = match policy.action_constraint() {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(what) => is(&what, "Action", action.as_str()),
                ActionConstraint::In(all) => all.iter().any(|what| is(what, "Action", action.as_str())),
            };
            if is_agents && is_of_action {
                let ids =
                    if policy.effect() == Effect::Permit { &mut rule.permits } else { &mut rule.forbids };
                ids.push(written.id.clone());
            }
        }
        (!rule.permits.is_empty()).then_some(rule)
    }
}

fn is(uid: &EntityUid, sort: &str, name: &str) -> bool {
    uid.type_name().to_string() == sort && uid.id().unescaped() == name
}

#[cfg(test)]
mod tests {
    use super::super::texts::{Text, Texts};
    use super::*;

    #[test]
    fn agents_read_and_do_what_is_declared() {
        let policies = Policies::built_in().unwrap();
        let declared = policies.agents();
        let of = |agent: Agent| declared.iter().find(|one| one.agent == agent).unwrap();
        assert!(of(Agent::Intake).reads.iter().all(|rule| !rule.is_allowed));
        assert!(of(Agent::Intake).does.is_empty());
        let guidance = of(Agent::Guidance);
        let deeds: Vec<&str> = guidance.does.iter().map(|rule| rule.action.as_str()).collect();
        assert_eq!(deeds, ["propose_reply", "reply", "propose_execute", "dry_run", "execute"]);
        let reply = &guidance.does[1];
        assert_eq!(reply.permits, ["reply-alone", "approved-reply"]);
        assert!(reply.forbids.contains(&"reply-needs-evidence".to_owned()), "{reply:?}");
        assert!(
            reply.forbids.contains(&"stopped".to_owned())
                && !reply.forbids.contains(&"route-sure-team".to_owned())
        );
        for agent in Agent::ALL {
            assert_eq!(policies.boundaries().missing(*agent), None, "{agent} lacks what it works with");
        }
        assert!(!policies.boundaries().may_read(Agent::Escalation, Kind::Runbook));
    }

    #[test]
    fn a_desk_takes_reading_away_and_says_when_to_hand_over() {
        let mut texts = Texts::built_in();
        let forbid = "@id(\"no-changes\") @reason(\"people look at changes\") forbid (principal, action == Action::\"read\", resource) \
                      when { resource.kind == RecordKind::\"change\" };";
        texts.policies.push(Text { file: "ours.cedar".into(), text: forbid.into() });
        texts.autonomy.text = "level = \"suggest\"\nshare = 100\n[hand_over]\nbelow_strength = 550\n".into();
        let policies = Policies::from_texts(&texts).unwrap();
        let boundaries = policies.boundaries();
        assert_eq!(
            boundaries.missing(Agent::Enrichment).as_deref(),
            Some("the enrichment agent may not read: change")
        );
        let scope = Scope::operator(ontology::TenantId::new("main").unwrap());
        assert!(!boundaries.scope(Agent::Enrichment, &scope).shows(Kind::Change));
        let hand_over = boundaries.hand_over();
        assert_eq!((hand_over.below_strength.get(), hand_over.unknown_code), (550, true));
        let rule = policies.agents()[1].reads.iter().find(|rule| rule.kind == Kind::Change).unwrap().clone();
        assert_eq!((rule.is_allowed, rule.policies), (false, vec!["no-changes".to_owned()]));
    }
}
