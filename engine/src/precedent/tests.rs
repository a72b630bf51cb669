//! Do precedents come from the places that were told, and from nothing that a scope or a moment does not show?

use ontology::{Audience, Kind, Record, Relation, Scope, State, TenantId};

use super::*;
use crate::trial::{Trial, id, observation, operator, record};

/// A solved ticket on a thing, with what solved it.
fn solved(number: u32, hit: &str, by: &str) -> Record {
    let links = [(Relation::Affects, hit), (Relation::ResolvedBy, by), (Relation::AssignedTo, "databases")];
    let mut ticket = record(&format!("s:INC-{number}"), Kind::Incident, "down", &links);
    ticket.state = Some(State::Closed);
    ticket
}

fn asked(hit: &str) -> Subject {
    Subject::Ticket(Box::new(record("s:NEW-1", Kind::Incident, "down", &[(Relation::Affects, hit)])))
}

fn ask(trial: &Trial, scope: &Scope, request: &PrecedentRequest) -> Vec<(String, f64)> {
    let found = trial.desk.precedents(scope, request).unwrap().found;
    let rounded = |share: f64| (share * 1e6).round() / 1e6;
    found.into_iter().map(|precedent| (precedent.name, rounded(precedent.share))).collect()
}

fn page(hit: &str) -> PrecedentRequest {
    PrecedentRequest::new(asked(hit), Sought::Page)
}

#[test]
fn the_thing_itself_is_heard_before_its_service_and_its_category() {
    let trial = Trial::new();
    let in_category = |mut ticket: Record| {
        ticket.category = vec!["Database".to_owned()];
        ticket
    };
    trial.apply([
        solved(1, "db-1", "KB-1"),
        solved(2, "db-1", "KB-1"),
        in_category(solved(3, "db-2", "KB-2")),
        in_category(solved(4, "db-3", "KB-2")),
    ]);
    // One place with two tickets and one outcome: believed 2/3.
    assert_eq!(ask(&trial, &operator(), &page("db-1")), [("KB-1".to_owned(), 0.666_667)]);
    let mut ticket = in_category(record("s:NEW-1", Kind::Incident, "down", &[(Relation::Affects, "db-1")]));
    ticket.urgency = Some(1);
    let request = PrecedentRequest::new(Subject::Ticket(Box::new(ticket)), Sought::Page);
    // The category's 2/3 keep the third that the thing leaves; nobody was hit as badly.
    let expected = [("KB-1".to_owned(), 0.666_667), ("KB-2".to_owned(), 0.222_222)];
    assert_eq!(ask(&trial, &operator(), &request), expected);
    let found = trial.desk.precedents(&operator(), &request).unwrap().found;
    let Ground { place, tickets, of, .. } = &found[0].because[0];
    assert_eq!((place, *tickets, *of), (&Place::Hit { item: "db-1".to_owned() }, 2, 2));
    assert_eq!(found[1].because[0].place, Place::Category);
    // Fewer are the beginning of more.
    let one = PrecedentRequest { limit: 1, ..request };
    assert_eq!(ask(&trial, &operator(), &one), expected[..1]);
}

#[test]
fn records_are_named_and_what_lies_around_and_owners_speak_too() {
    let trial = Trial::new();
    let team = record("cmdb:dba", Kind::Team, "Databases", &[]);
    let needs = [(Relation::DependsOn, "db-1"), (Relation::OwnedBy, "dba")];
    trial.apply([
        record("cmdb:db-1", Kind::ConfigurationItem, "db-1", &[(Relation::OwnedBy, "dba")]),
        record("cmdb:app-1", Kind::Service, "app-1", &needs),
        record("kb:KB-1", Kind::Runbook, "Locks", &[]),
        team,
    ]);
    let mut told_in_words = solved(2, "app-1", "KB-1");
    told_in_words.links.retain(|link| link.relation == Relation::Affects);
    told_in_words.sections =
        vec![ontology::Section::new(ontology::SectionKind::Resolution, "as KB0000017 says")];
    let mut named = record("kb:17", Kind::Article, "Pool", &[]);
    named.names = vec!["KB0000017".to_owned()];
    trial.apply([named, solved(1, "app-1", "KB-1"), told_in_words]);
    let request = page("db-1");
    let found = trial.desk.precedents(&operator(), &request).unwrap().found;
    let records: Vec<_> = found.iter().map(|one| (one.record.clone().unwrap(), one.share)).collect();
    // Two tickets around it, two outcomes: believed a half.
    assert_eq!(records, [(id("kb:17"), 0.25), (id("kb:KB-1"), 0.25)]);
    assert_eq!(found[0].because[0].place, Place::Around);
    let teams = PrecedentRequest { sought: Sought::Team, ..request };
    let owner = &trial.desk.precedents(&operator(), &teams).unwrap().found[0];
    assert!(owner.because.iter().any(|ground| ground.place == Place::Told), "{owner:?}");
}

#[test]
fn a_ticket_says_nothing_of_itself() {
    let trial = Trial::new();
    trial.apply([solved(1, "db-1", "KB-1"), solved(2, "db-1", "KB-2")]);
    let request = PrecedentRequest::new(Subject::Record(id("s:INC-1")), Sought::Page);
    assert_eq!(ask(&trial, &operator(), &request), [("KB-2".to_owned(), 0.5)]);
}

#[test]
fn a_thing_that_is_linked_twice_is_heard_once() {
    let trial = Trial::new();
    trial.apply([record("cmdb:ci-7", Kind::ConfigurationItem, "db-1", &[]), solved(1, "db-1", "KB-1")]);
    trial.apply([solved(2, "db-1", "KB-1")]);
    let twice = record(
        "s:NEW-1",
        Kind::Incident,
        "down",
        &[(Relation::Affects, "db-1"), (Relation::Affects, "ci-7")],
    );
    let twice = PrecedentRequest::new(Subject::Ticket(Box::new(twice)), Sought::Page);
    assert_eq!(ask(&trial, &operator(), &twice), ask(&trial, &operator(), &page("db-1")));
    assert_eq!(ask(&trial, &operator(), &twice), [("KB-1".to_owned(), 0.666_667)]);
}

#[test]
fn hidden_tickets_and_pages_say_nothing() {
    let [with, without] = [Trial::new(), Trial::new()];
    let for_board = |mut record: Record| {
        record.audience = vec![Audience::new("board").unwrap()];
        record
    };
    for trial in [&with, &without] {
        trial.apply([solved(1, "db-1", "KB-1"), solved(2, "db-1", "takeover")]);
    }
    let mut plan = for_board(record("kb:takeover", Kind::Article, "The takeover plan", &[]));
    plan.links.push(ontology::Link::by_name(Relation::Documents, "db-1"));
    with.apply(
        (10..30)
            .map(|number| for_board(solved(number, "db-1", "KB-9")))
            .chain([plan, for_board(record("cmdb:db-1", Kind::ConfigurationItem, "db-1", &[]))]),
    );
    let staff = Scope::of(TenantId::new("main").unwrap(), [Audience::staff()]);
    let mine = with.desk.precedents(&staff, &page("db-1")).unwrap().found;
    assert_eq!(mine, without.desk.precedents(&staff, &page("db-1")).unwrap().found);
    assert!(mine.iter().all(|one| one.record.is_none()) && mine.len() == 2, "{mine:?}");
    let all = ask(&with, &operator(), &page("db-1"));
    assert_eq!(all[0].0, "KB-9");
}

#[test]
fn what_is_learnt_later_changes_no_answer_as_of_before() {
    let trial = Trial::new();
    let moment = |second| Timestamp::from_second(second).unwrap();
    let at = |record: Record, second| {
        let mut seen = observation(record);
        seen.lineage.observed = moment(second);
        trial.desk.apply(vec![seen]).unwrap();
    };
    at(solved(1, "db-1", "KB-1"), 10);
    let request = PrecedentRequest { as_of: Some(moment(15)), ..page("db-1") };
    let before = trial.desk.precedents(&operator(), &request).unwrap().found;
    at(solved(2, "db-1", "KB-2"), 20);
    at(solved(1, "db-1", "KB-3"), 30);
    assert_eq!(trial.desk.precedents(&operator(), &request).unwrap().found, before);
    let now = ask(&trial, &operator(), &page("db-1"));
    assert_eq!(now, [("KB-2".to_owned(), 0.25), ("KB-3".to_owned(), 0.25)]);
}
