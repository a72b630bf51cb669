//! Many call about one thing: it is found once, proposed once, survives whoever dies, and all who called are answered in one place.

use std::path::Path;
use std::sync::Arc;

use engine::{Desk, JournalEntry, Thing};
use jiff::{SignedDuration, Timestamp};
use models::HashEmbedder;
use ontology::{Kind, Lineage, Link, Observation, Record, RecordId, Relation, Scope, State};
use triage::policy::{PersonId, Role, Watched};
use triage::{
    Arguments, Burst, BurstState, Event, EventKind, Judgement, Order, Proposal, Ruling, TicketState,
    TriageOptions, TurnOptions, Workflow, WorkflowError,
};

use crate::{record, tenant};

const MORNING: &str = "2026-11-19T06:00:00Z";
const THINGS: [&str; 6] = ["gateway", "portal", "labels", "mail", "payroll", "printer"];

fn at(minutes: i64) -> Timestamp {
    let morning: Timestamp = MORNING.parse().unwrap();
    morning.saturating_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn id(id: &str) -> RecordId {
    RecordId::new(id).unwrap()
}

fn incident(name: &str, title: &str, hits: &str, created: Timestamp) -> Record {
    let mut incident = record(name, Kind::Incident, title, &[]);
    incident.created = Some(created);
    incident.links = vec![Link::by_name(Relation::Affects, hits)];
    incident
}

/// A balancer on which gateway, portal and labels rest, three other things, and sixty days on which each had a ticket now and then.
fn past() -> Vec<Record> {
    let mut records: Vec<Record> = ["balancer"]
        .iter()
        .chain(&THINGS)
        .map(|name| record(&format!("cmdb:{name}"), Kind::ConfigurationItem, name, &[]))
        .collect();
    for record in &mut records[1..4] {
        record.links = vec![Link::by_name(Relation::DependsOn, "balancer")];
    }
    for day in 1..60_i64 {
        let thing = THINGS[usize::try_from(day * 7 % 6).unwrap()];
        let mut old =
            incident(&format!("sn:OLD{day}"), "It is slow", thing, at(-day * 24 * 60 + day * 11 % 300));
        old.state = Some(State::Closed);
        records.push(old);
    }
    records
}

struct Flow {
    desk: Desk,
    workflow: Workflow,
    policies: tempfile::TempDir,
    folder: tempfile::TempDir,
    sent: std::cell::Cell<u32>,
}

impl Flow {
    fn new() -> Self {
        let (folder, policies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let desk = open(folder.path());
        let lineage =
            Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: at(-10) };
        let past = past().into_iter().map(|record| Observation::unversioned(record, lineage.clone()));
        assert!(desk.apply(past.collect()).unwrap().rejected.is_empty());
        let workflow = Workflow::new(desk.store(), Watched::open(policies.path()).unwrap());
        Self { desk, workflow, policies, folder, sent: 0.into() }
    }

    /// The process dies, and another opens the desk.
    fn killed(self) -> Self {
        let Self { desk, workflow, policies, folder, sent } = self;
        drop((desk, workflow));
        let desk = open(folder.path());
        let workflow = Workflow::new(desk.store(), Watched::open(policies.path()).unwrap());
        workflow.recover(at(0)).unwrap();
        Self { desk, workflow, policies, folder, sent }
    }

    fn send(&self, record: Record) {
        let at = record.created.unwrap();
        self.tell(EventKind::Created, record.id.clone(), Some(record), at);
    }

    fn tell(&self, kind: EventKind, ticket: RecordId, record: Option<Record>, at: Timestamp) {
        self.sent.set(self.sent.get() + 1);
        let id = self.sent.get().to_string();
        let correlation = format!("trace-{id}");
        let event = Event {
            id,
            source: "desk".to_owned(),
            kind,
            at,
            correlation,
            traceparent: None,
            ticket,
            record,
            told: None,
        };
        self.workflow.accept(&[event], at).unwrap();
    }

    fn turn(&self, now: Timestamp) {
        let scope = Scope::operator(tenant());
        let options = TurnOptions { scope: &scope, triage: TriageOptions::default(), threads: 1, tickets: 8 };
        let turn = self.workflow.turn(&self.desk, &options, now).unwrap();
        assert_eq!((turn.failed, turn.dead, turn.warnings), (0, 0, vec![]));
    }

    /// One of those who call about what rests on the balancer.
    fn call(&self, number: i64) {
        let thing = THINGS[usize::try_from(number % 3).unwrap()];
        let title = ["Scanner says server not trusted", "Page is unsafe", "No labels come"];
        let title = title[usize::try_from(number % 3).unwrap()];
        self.send(incident(&format!("sn:INC{number}"), title, thing, at(number * 3)));
        self.turn(at(number * 3));
    }

    fn bursts(&self) -> Vec<Burst> {
        self.workflow.bursts(None, "", 10).unwrap()
    }

    fn declares(&self) -> Vec<Proposal> {
        let all = self.workflow.proposals(None, "", 100).unwrap();
        all.into_iter().filter(|one| matches!(one.bound.arguments, Arguments::Declare(_))).collect()
    }

    fn outbox(&self) -> Vec<Order> {
        let entries: Vec<JournalEntry> = self.workflow.store().journal("outbox", 0, 100).unwrap();
        entries.iter().map(|entry| serde_json::from_slice(&entry.body).unwrap()).collect()
    }

    fn judge(&self, proposal: &Proposal, role: Role, ruling: Ruling) -> Result<Proposal, WorkflowError> {
        let judgement = Judgement {
            by: PersonId::new("ada"),
            roles: [role].into(),
            ruling,
            reason: "all the same".to_owned(),
        };
        let scope = Scope::operator(tenant());
        self.workflow.judge(&self.desk, &scope, &proposal.id, &judgement, at(60))
    }

    fn answer(&self, burst: &str) -> Result<Burst, WorkflowError> {
        let by = (&PersonId::new("ada"), &[Role::Agent].into());
        let scope = Scope::operator(tenant());
        self.workflow.answer_burst(
            &self.desk,
            &scope,
            burst,
            "The certificate is being replaced.",
            by,
            at(61),
        )
    }
}

fn open(folder: &Path) -> Desk {
    Desk::open(folder, &tenant(), Some(Arc::new(HashEmbedder::new(64)))).unwrap()
}

#[test]
fn a_burst_is_proposed_once_with_its_cause_and_others_join_it_though_processes_die() {
    let mut flow = Flow::new();
    for number in 1..=3 {
        flow.call(number);
    }
    assert!(flow.bursts().is_empty(), "three callers are a morning like others");
    flow.call(4);
    let [burst] = flow.bursts().try_into().unwrap();
    assert_eq!((burst.state, burst.lead.as_str(), burst.members.len()), (BurstState::Proposed, "sn:INC1", 4));
    assert_eq!(burst.causes[0].thing, Thing::Known(id("cmdb:balancer")), "{:?}", burst.causes);
    assert!((burst.causes[0].coverage - 1.0).abs() < f64::EPSILON && burst.chance <= burst.bar);
    for number in 5..=7 {
        flow = flow.killed();
        flow.call(number);
        flow.turn(at(number * 3));
    }
    // Something else that happens at the same time is no part of it.
    flow.send(incident("sn:INC99", "Payslip is wrong", "payroll", at(22)));
    flow.turn(at(22));
    let [burst] = flow.bursts().try_into().unwrap();
    assert_eq!(burst.members.len(), 7, "{:?}", burst.members);
    let [proposal] = flow.declares().try_into().unwrap();
    assert_eq!((proposal.state.as_str(), Some(&proposal.id)), ("open", burst.proposal.as_ref()));
    assert_eq!(proposal.binding, proposal.bound.binding());
    assert_eq!(flow.workflow.ticket(&id("sn:INC7")).unwrap().burst, Some(burst.id.clone()));
    assert_eq!(flow.workflow.ticket(&id("sn:INC99")).unwrap().burst, None);
    assert_eq!(flow.workflow.ticket(&id("sn:INC1")).unwrap().state, TicketState::Proposed);
}

#[test]
fn who_dies_between_the_events_and_the_look_finds_the_burst_when_he_is_back() {
    let flow = Flow::new();
    for number in 1..=3 {
        flow.call(number);
    }
    // The record is in the desk and its event handled, as if the process had died before the look.
    let before = flow.workflow.store().item("setting", "looked-for-bursts").unwrap().unwrap();
    flow.call(4);
    let [burst] = flow.bursts().try_into().unwrap();
    let lost: Result<(), WorkflowError> = flow.workflow.store().write(|batch| Ok(batch.put(&before)?));
    lost.unwrap();
    let flow = flow.killed();
    flow.turn(at(13));
    assert_eq!(flow.bursts(), [burst], "the same look makes the same burst");
    assert_eq!(flow.declares().len(), 1);
}

#[test]
fn quiet_traffic_proposes_none() {
    let flow = Flow::new();
    // A day with a ticket every two hours, over all things, and each of them called about before.
    for number in 0..12_i64 {
        let thing = THINGS[usize::try_from(number % 6).unwrap()];
        flow.send(incident(&format!("sn:Q{number}"), "It is slow again", thing, at(number * 120)));
        flow.turn(at(number * 120));
    }
    assert!(flow.bursts().is_empty() && flow.declares().is_empty());
}

#[test]
fn a_major_incident_is_declared_by_a_lead_and_answered_in_one_place() {
    let flow = Flow::new();
    (1..=4).for_each(|number| flow.call(number));
    let [proposal] = flow.declares().try_into().unwrap();
    let burst = flow.bursts().remove(0).id;
    assert_eq!(flow.answer(&burst).unwrap_err().code(), "burst-not-declared");
    assert_eq!(flow.judge(&proposal, Role::Agent, Ruling::Approve).unwrap_err().code(), "denied");
    flow.call(5);
    assert_eq!(flow.judge(&proposal, Role::Lead, Ruling::Approve).unwrap().state, "executed");
    let [order] = flow.outbox().try_into().unwrap();
    let Arguments::Declare(declare) = &order.arguments else { panic!("{order:?}") };
    assert_eq!(
        (order.ticket.as_str(), declare.members.len()),
        ("sn:INC1", 5),
        "who joined in the meantime is in it"
    );
    assert_eq!(declare.cause.as_deref(), Some("cmdb:balancer"));
    // One closes before the answer; one comes after it.
    flow.tell(EventKind::Closed, id("sn:INC2"), None, at(60));
    flow.turn(at(60));
    assert_eq!(flow.answer(&burst).unwrap().state, BurstState::Declared);
    let replied = |flow: &Flow| {
        let replies = flow.outbox().into_iter().filter(|order| matches!(&order.arguments, Arguments::Reply(reply) if reply.text.starts_with("The certificate")));
        replies.map(|order| order.ticket.external().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(replied(&flow), ["INC1", "INC3", "INC4", "INC5"]);
    assert!(flow.workflow.ticket(&id("sn:INC5")).unwrap().is_answered);
    flow.call(6);
    assert_eq!(replied(&flow), ["INC1", "INC3", "INC4", "INC5", "INC6"]);
    flow.tell(EventKind::Closed, id("sn:INC1"), None, at(90));
    flow.turn(at(90));
    assert_eq!(flow.workflow.burst(&burst).unwrap().state, BurstState::Over);
}

#[test]
fn what_people_refuse_is_not_proposed_again_and_a_changed_lead_is_proposed_anew() {
    let flow = Flow::new();
    (1..=4).for_each(|number| flow.call(number));
    let [first] = flow.declares().try_into().unwrap();
    let mut changed = incident("sn:INC1", "Scanner says server not trusted, all of them", "portal", at(3));
    changed.urgency = Some(1);
    flow.tell(EventKind::Updated, changed.id.clone(), Some(changed), at(13));
    flow.turn(at(13));
    assert_eq!(flow.judge(&first, Role::Lead, Ruling::Approve).unwrap_err().code(), "proposal-not-open");
    let newer: Vec<Proposal> = flow.declares().into_iter().filter(|one| one.state == "open").collect();
    assert_eq!(newer.len(), 1);
    assert_eq!(flow.judge(&newer[0], Role::Lead, Ruling::Reject).unwrap().state, "rejected");
    flow.call(5);
    let [burst] = flow.bursts().try_into().unwrap();
    assert_eq!((burst.state, burst.members.len()), (BurstState::Refused, 5));
    assert!(flow.declares().iter().all(|one| one.state != "open"));
    assert!(flow.policies.path().exists() && flow.folder.path().exists());
}

#[test]
fn a_burst_whose_lead_is_purged_ends_and_those_who_go_on_calling_make_another() {
    let flow = Flow::new();
    (1..=4).for_each(|number| flow.call(number));
    assert_eq!(flow.bursts().len(), 1);
    flow.desk.purge(&id("sn:INC1"), at(13)).unwrap();
    (5..=9).for_each(|number| flow.call(number));
    let states: Vec<BurstState> = flow.bursts().iter().map(|burst| burst.state).collect();
    assert!(states.contains(&BurstState::Over) && states.contains(&BurstState::Proposed), "{states:?}");
    let over = flow.bursts().into_iter().find(|burst| burst.state == BurstState::Over).unwrap();
    assert!(over.causes.is_empty(), "what tickets called their things went with the ticket");
}

#[test]
fn a_proposal_of_one_burst_is_not_edited_into_one_of_another() {
    let flow = Flow::new();
    (1..=4).for_each(|number| flow.call(number));
    let [proposal] = flow.declares().try_into().unwrap();
    let Arguments::Declare(mut declare) = proposal.bound.arguments.clone() else { panic!("{proposal:?}") };
    declare.burst = "another".to_owned();
    let refused = flow.judge(&proposal, Role::Lead, Ruling::Edit(Arguments::Declare(declare)));
    assert_eq!(refused.unwrap_err().code(), "invalid-request");
}
