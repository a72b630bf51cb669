//! From an event to its end: every ticket comes to rest, once, whoever dies on the way and whatever the policies say.

mod people;
mod promises;
mod steps;

use std::fs;
use std::path::Path;

use engine::JournalEntry;
use jiff::{SignedDuration, Timestamp};
use ontology::{RecordId, State};
use triage::policy::{PersonId, Role, Watched};
use triage::{
    Accepted, Arguments, Event, EventKind, Judgement, Order, Proposal, Ruling, TicketState, TriageOptions,
    Turn, TurnOptions, Workflow, WorkflowError,
};

use crate::{Made, locks_ticket, made, record, staff};
use ontology::{Kind, Record};

const AUTONOMOUS: &str = "level = \"autonomous\"\nshare = 100\n";

/// A moment as clocks give it.
pub(crate) fn now() -> Timestamp {
    crate::now().saturating_add(SignedDuration::from_nanos(123_456_789)).unwrap()
}

pub(crate) struct Flow {
    pub(crate) made: Made,
    pub(crate) workflow: Workflow,
    _policies: tempfile::TempDir,
}

impl Flow {
    pub(crate) fn new(autonomy: Option<&str>) -> Self {
        let made = made();
        let policies = tempfile::tempdir().unwrap();
        if let Some(autonomy) = autonomy {
            set_autonomy(policies.path(), autonomy);
        }
        let workflow = Workflow::new(made.desk.store(), Watched::open(policies.path()).unwrap());
        Self { made, workflow, _policies: policies }
    }

    pub(crate) fn accept(&self, events: &[Event]) -> Vec<Accepted> {
        self.workflow.accept(events, now()).unwrap()
    }

    pub(crate) fn turn(&self) -> Turn {
        self.turn_at(now())
    }

    fn turn_at(&self, now: Timestamp) -> Turn {
        let scope = staff();
        let options = TurnOptions { scope: &scope, triage: TriageOptions::default(), threads: 2, tickets: 8 };
        self.workflow.turn(&self.made.desk, &options, now).unwrap()
    }

    fn state(&self, ticket: &str) -> TicketState {
        self.workflow.ticket(&RecordId::new(ticket).unwrap()).unwrap().state
    }

    fn moves(&self, ticket: &str) -> Vec<TicketState> {
        let moves = self.workflow.moves(&RecordId::new(ticket).unwrap()).unwrap();
        moves.into_iter().map(|transition| transition.to).collect()
    }

    fn open(&self) -> Vec<Proposal> {
        self.workflow.proposals(Some("open"), "", 100).unwrap()
    }

    fn of_deed(&self, deed: &str) -> Proposal {
        let is_it = |proposal: &Proposal| proposal.bound.arguments.deed().as_str() == deed;
        self.open().into_iter().find(is_it).unwrap_or_else(|| panic!("no {deed} is proposed"))
    }

    fn outbox(&self) -> Vec<Order> {
        let entries: Vec<JournalEntry> = self.workflow.store().journal("outbox", 0, 100).unwrap();
        entries.iter().map(|entry| serde_json::from_slice(&entry.body).unwrap()).collect()
    }

    fn judge(&self, proposal: &Proposal, who: &str, ruling: Ruling) -> Result<Proposal, WorkflowError> {
        let judgement = Judgement {
            by: PersonId::new(who),
            roles: [Role::Lead].into(),
            ruling,
            reason: "as the runbook says".to_owned(),
        };
        self.workflow.judge(&self.made.desk, &staff(), &proposal.id, &judgement, now())
    }
}

fn set_autonomy(folder: &Path, text: &str) {
    fs::write(folder.join("autonomy.toml"), text).unwrap();
}

pub(crate) fn event(id: &str, kind: EventKind, ticket: Record) -> Event {
    Event {
        id: id.to_owned(),
        source: "desk".to_owned(),
        kind,
        at: now(),
        correlation: format!("trace-{id}"),
        traceparent: None,
        ticket: ticket.id.clone(),
        record: Some(ticket),
        told: None,
    }
}

pub(crate) fn locks() -> Record {
    locks_ticket("Forty people wait.")
}

fn unknown_matter(id: &str) -> Record {
    record(
        id,
        Kind::Incident,
        "Badge reader beeps",
        &[(ontology::SectionKind::Description, "Turnstile hall B refuses everybody.")],
    )
}

#[test]
fn a_ticket_is_triaged_and_waits_for_people_who_let_it_be_answered() {
    let flow = Flow::new(None);
    let first = event("1", EventKind::Created, locks());
    assert!(!flow.accept(std::slice::from_ref(&first))[0].is_duplicate);
    assert!(flow.accept(std::slice::from_ref(&first))[0].is_duplicate, "the same event again");
    assert_eq!(flow.turn().handled, 1);
    assert_eq!(flow.turn(), Turn::default(), "nothing is left to do");
    use TicketState::{Checked, Classified, Context, Drafted, Enriched, Proposed, Received, Redacted};
    let steps = [Received, Redacted, Enriched, Classified, Context, Drafted, Checked, Proposed];
    assert_eq!(flow.moves("desk:INC9"), steps);
    let status = flow.workflow.ticket(&first.ticket).unwrap();
    assert_eq!(status.correlation, "trace-1");
    assert!(
        status
            .decisions
            .iter()
            .any(|decided| !decided.verdict.is_allowed && !decided.verdict.policies.is_empty())
    );
    assert!(flow.workflow.triage_of(&first.ticket).unwrap().unwrap().answer.is_some());
    assert!(flow.outbox().is_empty(), "agents that may only propose do nothing");

    let route = flow.of_deed("route");
    assert_eq!(flow.judge(&route, "ada", Ruling::Approve).unwrap().state, "executed");
    assert_eq!(flow.state("desk:INC9"), Proposed, "the reply still waits");
    let again = flow.judge(&route, "ada", Ruling::Approve).unwrap_err();
    assert_eq!(again.code(), "proposal-not-open");

    let mut reply = flow.of_deed("reply");
    assert_eq!(reply.binding, reply.bound.binding());
    let Arguments::Reply(text) = &mut reply.bound.arguments else { panic!("{reply:?}") };
    assert!(text.text.contains("1. Pause the job REPL_NIGHT in the scheduler. [S"), "{}", text.text);
    assert!(text.citations.iter().any(|citation| citation.record.as_str() == "kb:locks"));
    text.text.push_str("Thank you for calling.");
    let edited = flow.judge(&reply, "ada", Ruling::Edit(reply.bound.arguments.clone())).unwrap();
    assert!(edited.state == "open" && edited.binding != reply.binding && edited.first.is_some());
    assert_eq!(flow.judge(&reply, "ben", Ruling::Approve).unwrap().state, "executed");
    assert_eq!(flow.state("desk:INC9"), TicketState::Answered);
    let done = flow.outbox();
    assert_eq!(done.len(), 2);
    assert!(
        matches!(&done[0].arguments, Arguments::Route(route) if route.team.as_deref() == Some("Warehouse Applications"))
    );
    assert!(
        matches!(&done[1].arguments, Arguments::Reply(reply) if reply.text.ends_with("Thank you for calling."))
    );
    let feedback = flow.workflow.store().count("feedback").unwrap();
    assert_eq!((feedback["approve"], feedback["edit"]), (2, 1));
}

#[test]
fn what_was_approved_holds_for_the_ticket_and_the_policies_as_they_were() {
    let flow = Flow::new(None);
    flow.accept(&[event("1", EventKind::Created, locks())]);
    flow.turn();
    let old = flow.of_deed("reply");
    flow.accept(&[event("2", EventKind::Updated, locks_ticket("Now sixty people wait in Hull."))]);
    flow.turn();
    assert_eq!(flow.judge(&old, "ada", Ruling::Approve).unwrap_err().code(), "proposal-not-open");
    let newer = flow.of_deed("reply");
    assert_ne!(newer.id, old.id);

    // The policies change while the proposal waits: it is made anew under them.
    set_autonomy(flow._policies.path(), "level = \"suggest\"\nshare = 100\n");
    flow.workflow.policies().reload_if_changed().unwrap();
    let refused = flow.judge(&newer, "ada", Ruling::Approve).unwrap_err();
    assert!(refused.to_string().contains("superseded"), "{refused}");
    assert_eq!(flow.turn().handled, 1);
    let newest = flow.of_deed("reply");
    assert_ne!(newest.bound.policy, newer.bound.policy);
    assert!(flow.outbox().is_empty());
    assert_eq!(flow.judge(&newest, "ada", Ruling::Approve).unwrap().state, "executed");
}

#[test]
fn policies_say_how_far_agents_go_and_the_switch_stops_them() {
    let flow = Flow::new(Some(AUTONOMOUS));
    let mut ticket = locks();
    (ticket.impact, ticket.urgency) = (Some(3), Some(3));
    flow.accept(&[
        event("1", EventKind::Created, ticket.clone()),
        event("2", EventKind::Created, unknown_matter("desk:INC8")),
    ]);
    assert_eq!(flow.turn().handled, 2);
    assert_eq!(
        flow.state("desk:INC9"),
        TicketState::Answered,
        "{:?}",
        flow.workflow.ticket(&ticket.id).unwrap()
    );
    assert_ne!(flow.state("desk:INC8"), TicketState::Answered, "an agent without evidence answers nobody");
    assert!(flow.outbox().iter().all(|order| order.by == "the policies"));
    let before = flow.outbox().len();

    let lead = ([Role::Lead].into(), PersonId::new("ada"));
    let nobody = flow.workflow.set_stopped(true, &PersonId::new("eve"), &[Role::Service].into(), now());
    assert_eq!(nobody.unwrap_err().code(), "denied");
    flow.workflow.set_stopped(true, &lead.1, &lead.0, now()).unwrap();
    ticket.title.push_str(", again");
    flow.accept(&[event("3", EventKind::Reopened, ticket)]);
    flow.turn();
    let status = flow.workflow.ticket(&locks().id).unwrap();
    assert!(!status.is_answered && status.reason.contains("stopped"), "{status:?}");
    assert_eq!(flow.outbox().len(), before);
    assert!(flow.open().is_empty());
}

#[test]
fn events_of_a_ticket_are_handled_in_order_and_the_last_one_counts() {
    let flow = Flow::new(None);
    let mut closed = locks();
    closed.state = Some(State::Closed);
    flow.accept(&[
        event("1", EventKind::Created, locks()),
        event("2", EventKind::Updated, locks_ticket("More wait.")),
        event("3", EventKind::Closed, closed),
    ]);
    for _ in 0..3 {
        assert_eq!(flow.turn().handled, 1, "one event of a ticket at a time");
    }
    use TicketState::{Closed, Received};
    assert_eq!(flow.moves("desk:INC9"), [Received, Received, Received, Closed]);
    assert!(flow.open().is_empty());
    let mut only_state = event("4", EventKind::Reopened, locks());
    only_state.record = None;
    flow.accept(&[only_state]);
    flow.turn();
    let status = flow.workflow.ticket(&locks().id).unwrap();
    assert_eq!((status.state, status.reopened, status.closed), (TicketState::Proposed, 1, None));
    let kept = flow.made.desk.record(&staff(), &locks().id, None).unwrap().unwrap().record;
    assert_eq!(kept.state, Some(State::InProgress));
}

#[test]
fn two_workers_handle_each_event_once() {
    let flow = Flow::new(Some(AUTONOMOUS));
    let events: Vec<Event> = (0..24)
        .map(|number| {
            let mut ticket = locks();
            ticket.id = RecordId::new(&format!("desk:T{number}")).unwrap();
            (ticket.impact, ticket.urgency) = (Some(3), Some(3));
            event(&number.to_string(), EventKind::Created, ticket)
        })
        .collect();
    flow.accept(&events);
    let handled: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| (0..3).map(|_| flow.turn().handled).sum::<u64>())).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let rest: u64 = (0..3).map(|_| flow.turn().handled).sum();
    assert_eq!(handled + rest, 24);
    let is_reply = |order: &Order| matches!(order.arguments, Arguments::Reply(_));
    let mut answered: Vec<_> =
        flow.outbox().into_iter().filter(is_reply).map(|order| order.ticket.to_string()).collect();
    answered.sort();
    let mut expected: Vec<_> = (0..24).map(|number| format!("desk:T{number}")).collect();
    expected.sort();
    assert_eq!(answered, expected, "one reply each");
}

#[test]
fn what_cannot_be_handled_is_set_aside_with_its_reason_and_can_be_tried_again() {
    let flow = Flow::new(None);
    let mut refused = locks();
    refused.created = Some(now());
    refused.modified = Some(now().saturating_sub(SignedDuration::from_hours(1)).unwrap());
    let unheard = Event { record: None, ..event("2", EventKind::Updated, unknown_matter("desk:INC7")) };
    flow.accept(&[event("1", EventKind::Created, refused), unheard]);
    let mut at = now();
    let mut turn = flow.turn_at(at);
    assert_eq!((turn.dead, turn.failed), (1, 1), "the shapes refuse the first at once, the second may come");
    assert_eq!(flow.state("desk:INC9"), TicketState::Escalated);
    let mut tries = 1;
    while turn.dead == 0 || tries == 1 {
        at = at.saturating_add(SignedDuration::from_hours(1)).unwrap();
        turn = flow.turn_at(at);
        tries += 1;
        assert!(tries < 10, "it is never set aside");
    }
    assert_eq!(tries, 5);
    let dead = flow.workflow.dead_letters("", 10).unwrap();
    assert_eq!(
        dead.iter().map(|letter| letter.ticket.as_str()).collect::<Vec<_>>(),
        ["desk:INC7", "desk:INC9"]
    );
    assert!(dead[1].reason.contains("created"), "{}", dead[1].reason);
    // The ticket goes on with what comes next, and the old event does not bring an old state back.
    flow.accept(&[event("3", EventKind::Updated, locks())]);
    flow.turn_at(at);
    assert_eq!(flow.state("desk:INC9"), TicketState::Proposed);
    flow.workflow.retry(&dead[1].key, at).unwrap();
    assert_eq!(flow.turn_at(at).handled, 1);
    assert_eq!(flow.state("desk:INC9"), TicketState::Proposed);
    assert_eq!(flow.workflow.dead_letters("", 10).unwrap().len(), 1);
    assert_eq!(flow.workflow.retry(&dead[1].key, at).unwrap_err().code(), "no-such-dead-letter");
}

#[test]
fn a_lease_of_a_dead_process_is_freed_and_nothing_is_done_twice() {
    let flow = Flow::new(Some(AUTONOMOUS));
    flow.accept(&[event("1", EventKind::Created, locks())]);
    // A worker that dies leaves its lease behind.
    let key = locks().id.as_str().to_owned();
    let left: Result<(), WorkflowError> = flow.workflow.store().write(|batch| {
        let mut item = batch.item("work", &key)?.unwrap();
        item.state = "leased".to_owned();
        item.due = Some(now().saturating_add(SignedDuration::from_mins(5)).unwrap());
        Ok(batch.put(&item)?)
    });
    left.unwrap();
    assert_eq!(flow.turn(), Turn::default(), "somebody has it");
    flow.workflow.recover(now()).unwrap();
    assert_eq!(flow.turn().handled, 1);
    let done = flow.outbox().len();
    assert!(done > 0);
    flow.workflow.recover(now()).unwrap();
    assert_eq!(flow.turn(), Turn::default());
    assert_eq!(flow.outbox().len(), done);
}

#[test]
fn a_proposal_that_nobody_rules_on_ends_with_a_person() {
    let flow = Flow::new(None);
    flow.accept(&[event("1", EventKind::Created, locks())]);
    flow.turn();
    let proposal = flow.of_deed("reply");
    let due = flow.workflow.next_due().unwrap().unwrap();
    assert_eq!(due.as_microsecond(), proposal.expires.as_microsecond());
    flow.turn_at(proposal.expires);
    assert_eq!(flow.state("desk:INC9"), TicketState::Escalated);
    assert!(flow.open().is_empty());
    assert_eq!(flow.workflow.proposal(&proposal.id).unwrap().state, "expired");
    assert_eq!(flow.workflow.next_due().unwrap(), None);
}

#[test]
fn what_is_told_again_is_not_done_again() {
    let flow = Flow::new(Some(AUTONOMOUS));
    let mut ticket = locks();
    (ticket.impact, ticket.urgency) = (Some(3), Some(3));
    flow.accept(&[event("1", EventKind::Created, ticket.clone())]);
    flow.turn();
    let done = flow.outbox();
    assert!(done.iter().any(|order| matches!(order.arguments, Arguments::Reply(_))));
    flow.accept(&[event("2", EventKind::Updated, ticket.clone())]);
    assert_eq!(flow.turn().handled, 1);
    assert_eq!(flow.outbox(), done, "nothing of the ticket has changed");
    ticket.title.push_str(" in Hull");
    flow.accept(&[event("3", EventKind::Updated, ticket)]);
    flow.turn();
    assert!(flow.outbox().len() > done.len(), "another revision has another answer");

    // Nor is asked again what people have refused.
    let flow = Flow::new(None);
    flow.accept(&[event("1", EventKind::Created, locks())]);
    flow.turn();
    let reply = flow.of_deed("reply");
    let mut wrong = reply.bound.arguments.clone();
    let Arguments::Reply(text) = &mut wrong else { panic!("{reply:?}") };
    text.text = " ".to_owned();
    assert_eq!(flow.judge(&reply, "ada", Ruling::Edit(wrong)).unwrap_err().code(), "invalid-request");
    flow.judge(&reply, "ada", Ruling::Reject).unwrap();
    flow.accept(&[event("2", EventKind::Updated, locks())]);
    flow.turn();
    assert!(flow.open().iter().all(|open| open.id != reply.id));
    assert_eq!(flow.workflow.proposal(&reply.id).unwrap().state, "rejected");
}

#[test]
fn a_purged_ticket_stops_nobody() {
    let flow = Flow::new(None);
    flow.accept(&[
        event("1", EventKind::Created, locks()),
        event("2", EventKind::Created, unknown_matter("desk:INC8")),
    ]);
    flow.turn();
    let reply = flow.of_deed("reply");
    assert!(flow.made.desk.purge(&locks().id, now()).unwrap());
    assert_eq!(flow.workflow.ticket(&locks().id).unwrap_err().code(), "no-such-ticket");
    assert_eq!(flow.judge(&reply, "ada", Ruling::Approve).unwrap_err().code(), "no-such-proposal");
    let later = reply.expires.saturating_add(SignedDuration::from_hours(1)).unwrap();
    flow.accept(&[event("3", EventKind::Created, unknown_matter("desk:INC7"))]);
    assert_eq!(flow.turn_at(later).handled, 1);
    assert_eq!(flow.workflow.next_due().unwrap(), None);
}

#[test]
fn an_event_that_no_desk_could_take_is_refused_with_all_that_came_along() {
    let flow = Flow::new(None);
    let article = record("kb:x", Kind::Article, "No ticket", &[]);
    let refused = flow
        .workflow
        .accept(&[event("1", EventKind::Created, locks()), event("2", EventKind::Created, article)], now());
    assert_eq!(refused.unwrap_err().code(), "invalid-event");
    assert_eq!(flow.turn(), Turn::default());
    let mut other = event("3", EventKind::Created, locks());
    other.ticket = RecordId::new("desk:other").unwrap();
    assert!(flow.workflow.accept(&[other], now()).is_err());
}
