//! Does a ticket find what its sources link it with?

use super::*;
use crate::trial::{Trial, id, operator, record};

#[test]
fn what_a_source_links_is_related_in_both_directions() {
    let trial = Trial::new();
    let duplicate =
        |name: &str, title: &str| record(name, Kind::Incident, title, &[(Relation::DuplicateOf, "INC-1")]);
    trial.apply([
        record("s:INC-1", Kind::Incident, "Der Postausgang bleibt voll", &[]),
        duplicate("s:INC-2", "messages are never sent"),
        duplicate("s:INC-3", "outlook hangs"),
    ]);
    let related = |subject: Subject, limit| {
        let found = trial.desk.related(&operator(), &subject, limit, Timestamp::UNIX_EPOCH).unwrap();
        let first = |ticket: RelatedTicket| {
            assert_eq!(ticket.reasons[0], Reason::Linked { relation: Relation::DuplicateOf });
            ticket.hit.record.as_str().to_owned()
        };
        found.tickets.into_iter().map(first).collect::<Vec<_>>()
    };
    let known = |name: &str| Subject::Record(id(name));
    assert_eq!(related(known("s:INC-2"), 5), ["s:INC-1"]);
    let mut both = related(known("s:INC-1"), 5);
    both.sort();
    assert_eq!(both, ["s:INC-2", "s:INC-3"]);
    assert_eq!(related(known("s:INC-1"), 1).len(), 1);
    let unseen = duplicate("s:INC-9", "nothing leaves the outbox");
    assert_eq!(related(Subject::Ticket(Box::new(unseen)), 5), ["s:INC-1"]);
}

#[test]
fn what_is_stated_is_not_cut_off_for_what_is_similar() {
    let trial = Trial::new();
    let alike = |n| record(&format!("s:INC-{n}"), Kind::Incident, "ORA-00600 in the wms database", &[]);
    trial.apply((0..20).map(alike));
    trial.apply([
        record("s:INC-90", Kind::Incident, "Lager steht", &[]),
        record(
            "s:INC-91",
            Kind::Incident,
            "ORA-00600 in the wms database",
            &[(Relation::DuplicateOf, "INC-90")],
        ),
    ]);
    let subject = Subject::Record(id("s:INC-91"));
    let found =
        |limit| trial.desk.related(&operator(), &subject, limit, Timestamp::UNIX_EPOCH).unwrap().tickets;
    let all = found(40);
    assert_eq!((all.len(), all[0].hit.record.as_str()), (21, "s:INC-90"));
    for limit in [1, 3, 10] {
        assert_eq!(found(limit), all[..limit], "the first {limit} do not depend on how many are asked for");
    }
}
