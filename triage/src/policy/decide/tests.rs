//! Do verdicts hold for whatever facts there are, and does nothing fail open?

use std::collections::BTreeSet;

use cedar_policy::EntityTypeName;
use proptest::prelude::*;

use super::super::facts::{
    PerMille, PersonId, Principal, ProposalFacts, Question, Resource, SettingFacts, TicketFacts,
};
use super::super::texts::{SCHEMA, Text, Texts};
use super::super::vocabulary::{Action, Agent, Deed, Level, Role, TicketKind};
use super::{Autonomy, Policies, Verdict};

/// A ticket that the built-in policies answer alone.
fn good() -> TicketFacts {
    TicketFacts {
        priority: Some(4),
        has_answer: true,
        strength: PerMille::of(0.8),
        team_confidence: PerMille::of(0.8),
        ..TicketFacts::new(TicketKind::Incident, Autonomy { level: Level::Autonomous, in_share: true })
    }
}

fn asked(agent: Agent, action: Action, resource: Resource) -> Question {
    Question { principal: Principal::Agent(agent), action, resource, is_stopped: false }
}

fn reply(policies: &Policies, ticket: TicketFacts) -> Verdict {
    policies.decide(&asked(Agent::Guidance, Action::Reply, Resource::Ticket(ticket)))
}

/// The guards with policies of a desk in the place of the default ones.
fn guarded(ours: &'static str) -> Policies {
    let mut texts = Texts::built_in();
    texts.policies[1] = Text { file: "default.cedar".into(), text: ours.into() };
    Policies::from_texts(&texts).unwrap()
}

const ANYTHING: &str = "@id(\"anything\") @reason(\"all may do all\") permit (principal, action, resource);";

fn one_of<T: Copy + std::fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn any_ticket() -> impl Strategy<Value = TicketFacts> {
    let words = (one_of(TicketKind::ALL), one_of(Level::ALL), proptest::option::of(0..=6_u8));
    let per_mille = || prop_oneof![0..=1000_u16, 595..=605_u16, 695..=705_u16];
    let numbers = (per_mille(), per_mille(), per_mille(), any::<u32>(), 0..5_u32);
    // Mostly as a ticket has to be, so that not every one of them is refused for several reasons.
    let fine = || proptest::bool::weighted(0.85);
    let flags = (fine(), fine(), fine(), fine(), fine());
    let categories = proptest::collection::vec(".{0,12}", 0..3);
    (words, numbers, flags, categories).prop_map(|(words, numbers, flags, categories)| {
        let per_mille = |thousandths| PerMille::try_from(thousandths).unwrap();
        TicketFacts {
            kind: words.0,
            categories,
            priority: words.2,
            level: words.1,
            in_share: flags.0,
            has_answer: flags.1,
            strength: per_mille(numbers.0),
            category_confidence: per_mille(numbers.1),
            team_confidence: per_mille(numbers.2),
            is_major: !flags.2,
            has_expired_sources: !flags.3,
            is_degraded: !flags.4,
            affected: numbers.3,
            warnings: numbers.4,
        }
    })
}

/// What `default.cedar` says about replies, in Rust.
fn may_reply(ticket: &TicketFacts) -> bool {
    ticket.level == Level::Autonomous
        && ticket.in_share
        && ticket.has_answer
        && ticket.strength.get() >= 600
        && ticket.priority.is_some_and(|priority| priority >= 3)
        && matches!(ticket.kind, TicketKind::Incident | TicketKind::ServiceRequest)
        && !(ticket.is_major || ticket.has_expired_sources || ticket.is_degraded)
}

fn may_route(ticket: &TicketFacts) -> bool {
    ticket.team_confidence.get() >= 700
        && match ticket.level {
            Level::Autonomous => true,
            Level::Supervised => ticket.in_share,
            _ => false,
        }
}

#[test]
fn agents_act_alone_exactly_where_the_defaults_say() {
    let built_in = Policies::built_in().unwrap();
    proptest!(|(ticket in any_ticket(), agent in one_of(Agent::ALL), is_stopped in any::<bool>())| {
        for action in [Action::Reply, Action::Route] {
            let resource = Resource::Ticket(ticket.clone());
            let question = Question { is_stopped, ..asked(agent, action, resource) };
            let wanted = !is_stopped && match (agent, action) {
                (Agent::Guidance, Action::Reply) => may_reply(&ticket),
                (Agent::Triage, Action::Route) => may_route(&ticket),
                _ => false,
            };
            let verdict = built_in.decide(&question);
            prop_assert_eq!(verdict.is_allowed, wanted, "{:?}", verdict);
            prop_assert!(!verdict.reasons.is_empty());
        }
    });
}

#[test]
fn the_guards_hold_whatever_a_desk_permits() {
    let lax = guarded(ANYTHING);
    proptest!(|(ticket in any_ticket(), agent in one_of(Agent::ALL), is_stopped in any::<bool>(), has_approval in any::<bool>())| {
        let level = ticket.level;
        let approved_by = BTreeSet::from_iter(has_approval.then(|| PersonId::new("anna")));
        let proposal = ProposalFacts {
            ticket: ticket.clone(),
            deed: Deed::Reply,
            approved_by,
            edited_by: BTreeSet::new(),
            dry_run_passed: true,
            rollback_named: true,
        };
        let ask = |action, resource| lax.decide(&Question { is_stopped, ..asked(agent, action, resource) }).is_allowed;
        let alone = |action| ask(action, Resource::Ticket(ticket.clone()));
        let is_on = !is_stopped && level > Level::Shadow;
        prop_assert_eq!(alone(Action::Reply), !is_stopped && level == Level::Autonomous);
        prop_assert_eq!(alone(Action::Route), !is_stopped && level >= Level::Supervised);
        prop_assert_eq!(alone(Action::ProposeReply), is_on);
        prop_assert_eq!(alone(Action::Escalate), is_on);
        for action in [Action::Reply, Action::Route, Action::Execute] {
            prop_assert_eq!(ask(action, Resource::Proposal(proposal.clone())), is_on && has_approval);
        }
        prop_assert!(!alone(Action::Execute), "no step is run without a proposal");
    });
}

#[test]
fn a_policy_that_fails_denies() {
    let overflows = format!(
        "{ANYTHING} @id(\"wide\") @reason(\"many are hit\") forbid (principal, action == Action::\"reply\", resource is Ticket) \
         when {{ resource.affected * 9223372036854775807 > 3 }};"
    );
    let policies = guarded(overflows.leak());
    assert!(reply(&policies, good()).is_allowed, "nothing overflows where nothing is hit");
    let verdict = reply(&policies, TicketFacts { affected: 2, ..good() });
    assert!(!verdict.is_allowed);
    assert!(verdict.reasons[0].contains("wide") && verdict.reasons[0].contains("overflow"), "{verdict:?}");
}

#[test]
fn what_nothing_permits_is_denied_in_words() {
    let none = guarded("");
    let verdict = reply(&none, good());
    assert!(!verdict.is_allowed && verdict.policies.is_empty());
    assert_eq!(verdict.reasons, ["no policy permits the guidance agent to reply here"]);
    let unfit = asked(Agent::Guidance, Action::Stop, Resource::Desk);
    let verdict = guarded(ANYTHING).decide(&unfit);
    assert!(!verdict.is_allowed, "the schema has no such action for agents");
    assert!(verdict.reasons[0].contains("Agent"), "{verdict:?}");
}

#[test]
fn all_that_speaks_against_it_is_told_in_order() {
    let policies = Policies::built_in().unwrap();
    let ticket = TicketFacts { level: Level::Supervised, is_degraded: true, in_share: false, ..good() };
    let verdict = reply(&policies, ticket);
    assert_eq!(verdict.policies, ["level-of-replying", "reply-in-share", "reply-whole-search"]);
    assert_eq!(verdict.reasons[1], "the ticket is outside of the share that is answered alone");
    assert_eq!(verdict.version, policies.version());
}

#[test]
fn the_schema_knows_exactly_our_words() {
    fn check<T: ToString>(name: &str, all: &[T]) {
        let words: Vec<String> = all.iter().map(|word| format!("\"{}\"", word.to_string())).collect();
        let line = format!("entity {name} enum [{}];", words.join(", "));
        assert!(SCHEMA.text.contains(&line), "{line}");
    }
    check("Agent", Agent::ALL);
    check("Role", Role::ALL);
    check("Kind", TicketKind::ALL);
    check("Level", Level::ALL);
    check("Deed", Deed::ALL);
    check("RecordKind", &ontology::Kind::ALL.map(ontology::Kind::as_str));
    let policies = Policies::built_in().unwrap();
    let known: BTreeSet<String> =
        policies.schema.actions().map(|action| action.id().escaped().to_string()).collect();
    let ours: BTreeSet<String> = Action::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(known, ours);
    let types: BTreeSet<&EntityTypeName> = policies.schema.entity_types().collect();
    assert_eq!(types.len(), 12, "{types:?}");
}

/// Names of categories and people come from outside: whatever they hold, they stay values.
#[test]
fn names_from_outside_are_only_names() {
    let policies = Policies::built_in().unwrap();
    let evil = "\"]) || true; permit(principal, action, resource); //";
    let ticket = TicketFacts { categories: vec![evil.to_owned()], strength: PerMille::of(0.1), ..good() };
    assert_eq!(reply(&policies, ticket).policies, ["reply-needs-evidence"]);
    let principal = Principal::Person { id: PersonId::new(evil), roles: BTreeSet::from([Role::Auditor]) };
    let setting = Resource::Setting(SettingFacts { level: Level::Off, has_replay_report: true });
    let question =
        Question { principal, action: Action::ChangeAutonomy, resource: setting, is_stopped: false };
    assert!(!policies.decide(&question).is_allowed);
    let json = serde_json::to_string(&question).unwrap();
    assert_eq!(serde_json::from_str::<Question>(&json).unwrap(), question);
}

#[test]
fn each_text_counts_for_the_version() {
    let version = Texts::built_in().version();
    assert_eq!(version.len(), 64);
    for change in 0..3 {
        let mut texts = Texts::built_in();
        match change {
            0 => texts.policies[1].text = format!("{} ", texts.policies[1].text).into(),
            1 => texts.autonomy.text = format!("{} ", texts.autonomy.text).into(),
            _ => texts.policies[1].file = "ours.cedar".into(),
        }
        assert_ne!(texts.version(), version, "change {change}");
    }
}
