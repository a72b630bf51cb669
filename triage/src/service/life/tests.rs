//! Is a ticket's life told as its revisions tell it, whether the desk followed it or got it when all was over?

use ontology::{Link, Section};

use super::*;

fn at(text: &str) -> Timestamp {
    format!("2026-06-{text}Z").parse().unwrap()
}

fn ticket() -> Record {
    let mut record = Record::new(RecordId::new("desk:INC1").unwrap(), Kind::Incident, "Mail is slow");
    record.created = Some(at("01T08:00:00"));
    record.links.push(Link::by_name(Relation::ReportedBy, "Lorna Tebbutt"));
    record
}

fn note(author: &str, written: &str) -> Section {
    let mut note = Section::new(SectionKind::WorkNote, "looked at it");
    (note.author, note.written) = (Some(author.to_owned()), Some(at(written)));
    note
}

fn life(revisions: Vec<(&str, Record)>) -> TicketLife {
    let told = |(observed, record): (&str, Record)| Told { observed: at(observed), record };
    let history = History { revisions: revisions.into_iter().map(told).collect(), pages: Vec::new() };
    TicketLife::of(history, None).unwrap()
}

fn states(life: &TicketLife) -> Vec<(Timestamp, State)> {
    life.states.iter().map(|spell| (spell.since, spell.state)).collect()
}

#[test]
fn a_ticket_that_came_when_all_was_over_is_told_by_its_fields() {
    let mut closed = ticket();
    (closed.state, closed.resolved) = (Some(State::Closed), Some(at("01T10:30:00")));
    closed.modified = Some(at("08T10:30:00"));
    closed.sections = vec![note("Lorna Tebbutt", "01T08:05:00"), note("Marek Dudek", "01T08:40:00")];
    closed.attributes.insert("reassignment_count".to_owned(), "2".to_owned());
    closed.attributes.insert("reopen_count".to_owned(), "1".to_owned());
    let life = life(vec![("20T00:00:00", closed)]);
    assert_eq!(states(&life), [(at("01T08:00:00"), State::Open), (at("01T10:30:00"), State::Closed)]);
    assert_eq!(life.responded, Some(at("01T08:40:00")), "its reporter's own note answers nobody");
    assert_eq!((life.resolved(), life.ended()), (Some(at("01T10:30:00")), Some(at("01T10:30:00"))));
    assert_eq!((life.reopened, life.handed_on), (1, Some(2)));
    assert!(
        life.is_open(at("01T10:00:00"))
            && !life.is_open(at("01T11:00:00"))
            && !life.is_open(at("01T07:00:00"))
    );
    assert_eq!(life.as_of(at("01T07:00:00")), None);
    let earlier = life.as_of(at("01T08:30:00")).unwrap();
    assert_eq!((earlier.responded, earlier.resolved()), (None, None));
}

#[test]
fn a_ticket_that_the_desk_followed_is_told_by_its_revisions() {
    let with = |state, team: &str, modified: Option<&str>| {
        let mut record = ticket();
        (record.state, record.modified) = (Some(state), modified.map(at));
        record.links.push(Link::by_name(Relation::AssignedTo, team));
        record
    };
    let mut solved = with(State::Resolved, "Network", Some("02T09:00:00"));
    solved.resolved = Some(at("02T08:55:00"));
    let mut again = with(State::InProgress, "Network", None);
    again.resolved = solved.resolved;
    let mut solved_again = again.clone();
    solved_again.state = Some(State::Resolved);
    let life = life(vec![
        ("01T08:01:00", with(State::Open, "Service Desk", None)),
        ("01T09:00:00", with(State::OnHold, "Service Desk", Some("01T08:50:00"))),
        ("01T12:00:00", with(State::InProgress, "Network", Some("01T12:00:00"))),
        ("02T09:00:00", solved),
        ("03T07:00:00", again),
        ("03T11:00:00", solved_again),
    ]);
    use State::{InProgress, OnHold, Open, Resolved};
    let expected = [
        (at("01T08:00:00"), Open),
        (at("01T08:50:00"), OnHold),
        (at("01T12:00:00"), InProgress),
        (at("02T08:55:00"), Resolved),
        (at("03T07:00:00"), InProgress),
        // The old moment of its solution is not believed again.
        (at("03T11:00:00"), Resolved),
    ];
    assert_eq!(states(&life), expected);
    assert_eq!((life.reopened, life.handed_on, life.team.as_deref()), (1, Some(1), Some("Network")));
    assert_eq!((life.responded, life.resolved()), (Some(at("01T08:50:00")), Some(at("03T11:00:00"))));
    assert!(life.as_of(at("02T20:00:00")).unwrap().resolved().is_some());
}

#[test]
fn what_nobody_can_tell_is_not_guessed() {
    let mut closed = ticket();
    closed.state = Some(State::Closed);
    let life = life(vec![("20T00:00:00", closed)]);
    assert_eq!(life.handed_on, None, "one revision of a solved ticket does not say who had it");
    assert_eq!(life.resolved(), Some(at("20T00:00:00")), "no moment is given: when the desk learnt of it");
    let mut given_up = ticket();
    (given_up.state, given_up.modified) = (Some(State::Cancelled), Some(at("02T00:00:00")));
    let life = self::life(vec![("20T00:00:00", given_up)]);
    assert_eq!((life.resolved(), life.ended()), (None, Some(at("02T00:00:00"))));
    assert_eq!(life.responded, None, "to give it up is no answer");
}
