//! Is a desk the same in whichever order records come and go, by one process or by many?

use super::*;

/// A name, a longer name that hides it, a text with the longer one, and a row about both.
fn cast() -> [Record; 4] {
    [
        item("mail server legacy"),
        item("mail server"),
        ticket("INC1", "The Mail Server legacy is down"),
        relation("mail server", "mail server legacy"),
    ]
}

/// The things that the ticket mentions, by the graph.
fn mentioned(desk: &Desk) -> Vec<String> {
    let query = "SELECT ?o { GRAPH ?g { <urn:triagraph:record:desk:INC1> tg:mentions ?o } } ORDER BY ?o";
    let rows = sparql(desk, &operator(), query);
    let things = rows.lines().filter_map(|row| row.strip_prefix("urn:triagraph:record:cmdb:"));
    things.map(str::to_owned).collect()
}

fn orders(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(of - 1).into_iter();
    shorter
        .flat_map(|order| {
            (0..of).map(move |place| {
                let mut order = order.clone();
                order.insert(place, of - 1);
                order
            })
        })
        .collect()
}

#[test]
fn records_may_come_in_any_order_and_to_any_process() {
    let cast = cast();
    for order in orders(cast.len()) {
        let (often, once) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let patient = open(once.path());
        for which in &order {
            let desk = open(often.path());
            assert_sound(&desk, &format!("{order:?} before {which}"));
            apply(&desk, &[&cast[*which]], 1);
            assert_sound(&desk, &format!("{order:?} after {which}"));
            apply(&patient, &[&cast[*which]], 1);
        }
        drop(patient);
        for folder in [&often, &once] {
            let desk = open(folder.path());
            assert_sound(&desk, &format!("{order:?}"));
            assert_eq!(mentioned(&desk), ["mail-server-legacy"], "{order:?}");
        }
    }
}

#[test]
fn a_name_that_goes_hides_no_other_and_one_that_comes_back_does_again() {
    let cast = cast();
    for purge in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let desk = open(folder.path());
        apply(&desk, &cast.each_ref(), 1);
        // It owns the name itself, so it never refers to it.
        let mut page = Record::new(id("kb:legacy"), Kind::Article, "The mail server legacy");
        page.names = vec!["mail server legacy".to_owned()];
        apply(&desk, &[&page], 1);
        let longer = &cast[0];
        let gone = |desk: &Desk| match purge {
            false => desk.delete(&longer.id, second(2)).unwrap(),
            true => desk.purge(&longer.id, second(2)).unwrap(),
        };
        assert!(gone(&desk));
        assert_eq!(mentioned(&desk), ["mail-server"], "purge: {purge}");
        assert_sound(&desk, "gone");
        drop(desk);
        let desk = open(folder.path());
        assert_eq!(mentioned(&desk), ["mail-server"], "purge: {purge}");
        assert_sound(&desk, "gone and opened");
        apply(&desk, &[longer], 3);
        assert_eq!(mentioned(&desk), ["mail-server-legacy"], "purge: {purge}");
        assert!(gone(&desk));
        apply(&desk, &[longer], 4);
        drop(desk);
        let desk = open(folder.path());
        assert_eq!(mentioned(&desk), ["mail-server-legacy"], "purge: {purge}");
        assert_sound(&desk, "back");
    }
}

#[test]
fn a_process_that_stops_anywhere_leaves_a_log_that_the_next_one_shows_whole() {
    let [longer, shorter, ticket, row] = cast();
    let others = ["INC2", "INC3", "INC4"].map(|number| super::ticket(number, "The mail server legacy hums"));
    let mut named = super::ticket("INC5", "Nothing yet");
    named.names = vec!["mail server legacy".to_owned()];
    let becomes = Record { kind: Kind::ConfigurationItem, ..named.clone() };
    let back = item("mail server legacy");
    enum Step<'a> {
        Put(&'a Record),
        Delete(&'a Record),
    }
    use Step::{Delete, Put};
    let steps = [
        Put(&ticket),
        Put(&shorter),
        Put(&others[0]),
        Put(&longer),
        Delete(&longer),
        Put(&others[1]),
        Put(&row),
        Put(&back),
        Delete(&shorter),
        Put(&shorter),
        Delete(&longer),
        Put(&named),
        Put(&others[2]),
        Put(&becomes),
    ];
    let expected: [(usize, &[&str]); 5] = [
        (2, &["mail-server"]),
        (4, &["mail-server-legacy"]),
        (5, &["mail-server"]),
        (8, &["mail-server-legacy"]),
        (11, &["mail-server"]),
    ];
    for shown in 0..=steps.len() {
        // Not all pairs, since each is two openings: those that are cut off near, and those that have it all to do.
        for written in [shown + 1, shown + 3, steps.len()] {
            if written > steps.len() {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let desk = open(folder.path());
            for (place, step) in steps[..written].iter().enumerate() {
                match step {
                    Put(record) if place < shown => apply(&desk, &[record], 1),
                    Put(record) => drop(desk.log.append(&[seen(record, 1)]).unwrap()),
                    Delete(record) if place < shown => assert!(desk.delete(&record.id, second(1)).unwrap()),
                    Delete(record) => drop(desk.log.delete(&record.id, second(1)).unwrap()),
                }
            }
            let when = format!("{shown} of {written} shown");
            drop(desk);
            let desk = open(folder.path());
            assert_sound(&desk, &when);
            if let Some((_, names)) = expected.iter().find(|(steps, _)| *steps == written) {
                assert_eq!(mentioned(&desk), *names, "{when}");
            }
        }
    }
}

#[test]
fn a_row_of_relations_mentions_nothing_and_is_no_hit() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    apply(&desk, &cast().each_ref(), 1);
    let mentions = sparql(&desk, &operator(), "SELECT ?s { GRAPH ?g { ?s tg:mentions ?o } }");
    assert_eq!(mentions.lines().skip(1).collect::<Vec<_>>(), ["urn:triagraph:record:desk:INC1"]);
    let query = crate::query::Query::new("mail server", second(2));
    let hits = desk.search(&operator(), &query).unwrap().hits;
    assert!(!hits.is_empty());
    assert!(hits.iter().all(|hit| hit.kind != Kind::Relationship), "{hits:?}");
}

#[test]
fn a_record_that_duplicates_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    for link in [Link::by_name(Relation::DuplicateOf, "inc1"), Link::to(Relation::DuplicateOf, id("s:INC1"))]
    {
        let mut record = Record::new(id("s:INC1"), Kind::Incident, "Mail down");
        record.names = vec!["INC1".to_owned()];
        record.links = vec![link];
        let applied = desk.apply(vec![seen(&record, 1)]).unwrap();
        assert_eq!((applied.new, applied.rejected.len()), (0, 1));
    }
}
