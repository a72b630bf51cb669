//! What people decide, here or in another system, counts: it is kept, it stands, and it is told apart from what agents did.

use jiff::SignedDuration;
use ontology::{Link, Relation, Section, SectionKind};
use triage::policy::Deed;
use triage::service::lives;
use triage::{Did, FeedbackLine, Override, Reply, Route, Ruled, Told, feedback_shares};

use super::*;

fn told(verdict: Did) -> Told {
    Told {
        proposal: None,
        deed: None,
        verdict,
        text: None,
        category: Vec::new(),
        priority: None,
        team: None,
        reason: "seen at the helpdesk".to_owned(),
        by: Some("ada".to_owned()),
    }
}

fn feedback(id: &str, ticket: &str, told: Told) -> Event {
    Event {
        kind: EventKind::Feedback,
        source: "helpdesk".to_owned(),
        record: None,
        told: Some(told),
        ..event(id, EventKind::Feedback, record(ticket, Kind::Incident, "only its id counts", &[]))
    }
}

impl Flow {
    fn tell(&self, id: &str, ticket: &str, told: Told) -> Turn {
        self.accept(&[feedback(id, ticket, told)]);
        self.turn()
    }

    fn lines(&self) -> Vec<FeedbackLine> {
        FeedbackLine::read(&self.made.desk, &staff(), "", 100).unwrap()
    }

    fn put(&self, route: Route, reply: Option<&str>) -> Result<triage::TicketStatus, WorkflowError> {
        self.put_as(Role::Agent, route, reply)
    }

    fn put_as(
        &self,
        role: Role,
        route: Route,
        reply: Option<&str>,
    ) -> Result<triage::TicketStatus, WorkflowError> {
        let reply = reply.map(|text| Reply { text: text.to_owned(), citations: Vec::new() });
        let (by, reason) = (PersonId::new("ada"), "I know better".to_owned());
        let wanted = Override { by, roles: [role].into(), route, reply, reason };
        let ticket = RecordId::new("desk:INC9").unwrap();
        self.workflow.override_ticket(&self.made.desk, &staff(), &ticket, &wanted, now())
    }

    fn audited(&self, kind: &str) -> Vec<JournalEntry> {
        let entries = self.workflow.store().journal("audit", 0, 1000).unwrap();
        entries.into_iter().filter(|entry| entry.kind == kind).collect()
    }
}

fn team(name: &str) -> Route {
    Route { team: Some(name.to_owned()), ..Route::default() }
}

#[test]
fn another_system_tells_what_people_sent_and_it_is_kept_once() {
    let flow = Flow::new(None);
    // The ticket is triaged though feedback came in behind it.
    let used = Told { deed: Some(Deed::Route), ..told(Did::Used) };
    flow.accept(&[event("1", EventKind::Created, locks()), feedback("f1", "desk:INC9", used)]);
    assert_eq!(flow.turn().handled, 1);
    let reply = flow.of_deed("reply");
    let Arguments::Reply(meant) = &reply.bound.arguments else { panic!("{reply:?}") };
    assert_eq!(flow.turn().handled, 1);
    assert!(flow.open().iter().all(|open| open.bound.arguments.deed() == Deed::Reply), "the route was used");
    let text = format!("{} Ask lorna@example.com.", meant.text);
    let sent = Told { proposal: Some(reply.id.clone()), text: Some(text), ..told(Did::Edited) };
    let first = flow.accept(&[feedback("f2", "desk:INC9", sent.clone())]);
    let again = flow.accept(&[feedback("f2", "desk:INC9", sent)]);
    assert!(!first[0].is_duplicate && again[0].is_duplicate);
    flow.turn();
    assert_eq!(flow.state("desk:INC9"), TicketState::Answered);
    assert!(flow.outbox().is_empty(), "it was done there, so nothing is ordered");
    assert!(flow.open().is_empty());

    let lines = flow.lines();
    assert_eq!(lines.iter().map(|line| line.ruling).collect::<Vec<_>>(), [Ruled::Used, Ruled::Edited]);
    assert!(lines[1].edited_share > 0.0 && lines[1].edited_share < 0.5, "{}", lines[1].edited_share);
    assert_eq!(lines[1].made_by, ["extractive"]);
    let sent = lines[1].sent.as_deref().unwrap();
    assert!(sent.contains("REPL_NIGHT") && !sent.contains("example.com"), "{sent}");
    let entries = flow.audited("approval");
    assert_eq!(entries.len(), 2);
    let said = entries.iter().map(|entry| String::from_utf8(entry.body.clone()).unwrap());
    assert!(said.into_iter().all(|said| !said.contains("REPL_NIGHT") && !said.contains("seen at")));

    // The agents are asked again for the same ticket, and do not propose what was sent.
    flow.accept(&[event("2", EventKind::Updated, locks())]);
    flow.turn();
    assert!(flow.open().is_empty(), "{:?}", flow.open());
    let shares = feedback_shares(&flow.workflow.store().clone()).unwrap();
    let of = |agent: &str| shares.iter().find(|share| share.agent.as_str() == agent).unwrap();
    assert_eq!((of("triage").used, of("guidance").edited), (1.0, 1.0));
    let lives = lives(&flow.made.desk, &staff(), &flow.workflow).unwrap();
    let life = lives.iter().find(|life| life.ticket.as_str() == "desk:INC9").unwrap();
    let fates: Vec<_> = life.work.as_ref().unwrap().deeds.iter().map(|deed| deed.fate).collect();
    assert!(
        fates.contains(&triage::service::Fate::Changed) && fates.contains(&triage::service::Fate::Approved)
    );
}

#[test]
fn feedback_on_what_is_not_there_is_a_dead_letter_that_can_be_tried_again() {
    let flow = Flow::new(None);
    let unknown = flow.tell("f1", "desk:INC404", told(Did::Used));
    assert_eq!((unknown.dead, unknown.handled), (1, 0), "{unknown:?}");
    flow.accept(&[event("1", EventKind::Created, locks())]);
    flow.turn();
    let before = flow.state("desk:INC9");
    let none = Told { proposal: Some("none".to_owned()), ..told(Did::Used) };
    assert_eq!(flow.tell("f2", "desk:INC9", none).dead, 1);
    assert_eq!(flow.state("desk:INC9"), before, "the ticket itself is as it was");
    let letters = flow.workflow.dead_letters("", 10).unwrap();
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.reason.as_str()).collect();
    assert!(reasons[0].contains("desk:INC404") && reasons[1].contains("no proposal none"), "{reasons:?}");
    assert_eq!(letters[0].tries, 1, "no later try would know more");
    flow.accept(&[event("2", EventKind::Created, unknown_matter("desk:INC404"))]);
    flow.turn();
    flow.workflow.retry(&letters[0].key, now()).unwrap();
    let again = flow.turn();
    assert_eq!(again.dead, 1, "the agents had no reply for it: {again:?}");
    flow.tell("f3", "desk:INC404", Told { priority: Some(2), ..told(Did::Corrected) });
    assert_eq!(flow.lines().len(), 1);
    let bare = Event { told: None, ..feedback("f4", "desk:INC9", told(Did::Used)) };
    assert_eq!(flow.workflow.accept(&[bare], now()).unwrap_err().code(), "invalid-event");
}

#[test]
fn an_answer_that_did_not_help_goes_to_people() {
    let flow = Flow::new(Some(AUTONOMOUS));
    let mut ticket = locks();
    ticket.urgency = Some(4);
    flow.accept(&[event("1", EventKind::Created, ticket)]);
    flow.turn();
    assert_eq!(flow.state("desk:INC9"), TicketState::Answered);
    flow.tell("f1", "desk:INC9", told(Did::Unhelpful));
    assert_eq!(flow.state("desk:INC9"), TicketState::Escalated);
    assert!(flow.workflow.ticket(&locks().id).unwrap().reason.contains("unhelpful by ada"));
    let lives = lives(&flow.made.desk, &staff(), &flow.workflow).unwrap();
    let work = lives.iter().find(|life| life.ticket == locks().id).unwrap().work.clone().unwrap();
    let reply = work.deeds.iter().find(|deed| deed.deed == Deed::Reply).unwrap();
    assert!(reply.is_put_right && work.helped.len() == 1);
}

#[test]
fn a_persons_word_stands_until_the_source_says_another() {
    let flow = Flow::new(Some("level = \"supervised\"\nshare = 100\n"));
    flow.accept(&[event("1", EventKind::Created, locks())]);
    flow.turn();
    let routed = flow.workflow.ticket(&locks().id).unwrap();
    assert_eq!(routed.route.as_ref().unwrap().team.as_deref(), Some("Warehouse Applications"));
    let service = flow.put_as(Role::Service, team("Database"), None).unwrap_err();
    assert_eq!(service.code(), "denied");
    assert_eq!(flow.put(Route::default(), None).unwrap_err().code(), "invalid-request");

    let orders = flow.outbox().len();
    let put = flow.put(team("Database"), None).unwrap();
    assert_eq!(put.route.as_ref().unwrap().team.as_deref(), Some("Database"));
    assert!(put.reason.contains("override by ada: I know better"), "{}", put.reason);
    let order = flow.outbox().pop().unwrap();
    assert_eq!((flow.outbox().len(), order.by.as_str()), (orders + 1, "ada"));
    assert_eq!(flow.audited("override").len(), 1);
    let line = flow.lines().pop().unwrap();
    let settled = &line.settled[0];
    assert_eq!(
        (settled.agent.as_deref(), settled.person.as_str()),
        (Some("Warehouse Applications"), "Database")
    );

    // The agents see it again, with news and without: they do not set it back.
    for (id, text) in [("2", "Forty people wait."), ("3", "Now sixty people wait in Hull.")] {
        flow.accept(&[event(id, EventKind::Updated, locks_ticket(text))]);
        flow.turn();
        let kept = flow.workflow.ticket(&locks().id).unwrap();
        assert_eq!(kept.route.as_ref().unwrap().team.as_deref(), Some("Database"), "{text}");
        assert!(!flow.open().iter().any(|open| open.bound.arguments.deed() == Deed::Route));
    }
    assert_eq!(flow.outbox().len(), orders + 1, "nothing more was ordered");
    // The source takes it over, and then decides otherwise itself.
    let of_team = |name: &str| {
        let mut ticket = locks();
        ticket.links.push(Link::by_name(Relation::AssignedTo, name));
        ticket
    };
    flow.accept(&[event("4", EventKind::Updated, of_team("Database"))]);
    flow.turn();
    assert!(flow.workflow.ticket(&locks().id).unwrap().held.team.is_some());
    flow.accept(&[event("5", EventKind::Updated, of_team("Workplace Engineering"))]);
    flow.turn();
    assert!(flow.workflow.ticket(&locks().id).unwrap().held.is_empty());
}

#[test]
fn an_override_ends_what_it_contradicts_and_has_the_rest_made_anew() {
    let flow = Flow::new(None);
    flow.accept(&[event("1", EventKind::Created, locks())]);
    flow.turn();
    let (route, reply) = (flow.of_deed("route"), flow.of_deed("reply"));
    flow.put(Route { priority: Some(4), ..Route::default() }, None).unwrap();
    assert!(flow.open().is_empty(), "a reply to priority 2 is another than one to priority 4");
    for ended in [&route, &reply] {
        assert_eq!(flow.workflow.proposal(&ended.id).unwrap().state, "superseded");
        assert_eq!(flow.judge(ended, "ben", Ruling::Approve).unwrap_err().code(), "proposal-not-open");
    }
    assert_eq!(flow.turn().handled, 1);
    let newer = flow.of_deed("reply");
    assert_eq!(newer.facts.priority, Some(4), "policies see the person's priority");
    let made = flow.workflow.triage_of(&locks().id).unwrap().unwrap();
    assert_eq!((made.priority.value, made.priority.why[0].as_str()), (Some(4), "ada decided so"));

    flow.put(Route::default(), Some("It was the network. We are at it.")).unwrap();
    assert_eq!(flow.workflow.proposal(&newer.id).unwrap().state, "superseded");
    let answered = flow.workflow.ticket(&locks().id).unwrap();
    assert!(answered.is_answered);
    // Its own echo and another priority are no news; what the caller tells is.
    let mut echoed = locks();
    echoed.sections.push(Section::new(SectionKind::Comment, "It was the network. We are at it."));
    flow.accept(&[event("2", EventKind::Updated, echoed.clone())]);
    flow.turn();
    assert!(!flow.open().iter().any(|open| open.bound.arguments.deed() == Deed::Reply));
    echoed.sections.push(Section::new(SectionKind::Comment, "Still nobody can pick."));
    flow.accept(&[event("3", EventKind::Updated, echoed)]);
    flow.turn();
    flow.of_deed("reply");
}

#[test]
fn a_closed_ticket_is_put_right_and_stays_closed() {
    let flow = Flow::new(None);
    let ended = Record { state: Some(State::Closed), ..locks() };
    flow.accept(&[event("1", EventKind::Created, locks()), event("2", EventKind::Closed, ended)]);
    flow.turn();
    flow.turn();
    let put = flow.put(Route { category: vec!["Network".to_owned()], ..Route::default() }, None).unwrap();
    assert_eq!(put.state, TicketState::Closed);
    assert!(matches!(&flow.outbox()[0].arguments, Arguments::Route(route) if route.category == ["Network"]));
    assert_eq!(flow.turn_at(now() + SignedDuration::from_secs(60)).handled, 0, "nobody looks at it again");
}
