//! Does a caller learn nothing of records that are not for it: not from links, not from names, not from the past?

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::bundle::{BundleRequest, Subject};
use crate::graph::ExportFormat;
use crate::query::{Leg, Query};

#[test]
fn what_all_may_read_does_not_tell_where_its_links_lead() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    let mut plan = Record::new(id("a1:ART-7-takeover-plan"), Kind::Article, "Takeover");
    plan.names = vec!["KB0099999".to_owned()];
    let mut ticket = ticket("INC1", "As KB0099999 says, project falcon is slow");
    ticket.links = vec![Link::by_name(Relation::ResolvedBy, "KB0099999")];
    let row = relation("project falcon", "mail server");
    let secret = [for_audience(plan, "board"), for_audience(item("project falcon"), "board")];
    apply(&desk, &[&secret[0], &secret[1], &for_audience(ticket, "staff"), &for_audience(row, "staff")], 1);
    apply(&desk, &[&for_audience(item("mail server"), "staff")], 1);
    let tells = |scope: &Scope| {
        let mut export = Vec::new();
        desk.export(scope, ExportFormat::NQuads, &mut export).unwrap();
        let asked = [
            "SELECT * { GRAPH ?g { ?s ?p ?o } }",
            "SELECT * { ?s ?p ?o }",
            "SELECT * { <urn:triagraph:record:desk:INC1> ?p ?o }",
            "SELECT * { ?s tg:dependsOn <urn:triagraph:record:cmdb:mail-server> }",
        ];
        let asked = asked.map(|query| sparql(&desk, scope, query)).concat();
        let told = format!("{asked}{}", String::from_utf8(export).unwrap());
        assert!(told.contains("urn:triagraph:record:desk:INC1"));
        ["ART-7-takeover-plan", "cmdb:project-falcon"].map(|name| told.contains(name))
    };
    assert_eq!(tells(&operator()), [true, true]);
    assert_eq!(tells(&of("staff")), [false, false]);
}

#[test]
fn names_of_hidden_records_are_neither_told_nor_counted() {
    let desks = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let text = "project falcon gateway is slow since INC9000001";
    let [with, without] = desks.each_ref().map(|folder| {
        let desk = open(folder.path());
        let ticket = for_audience(ticket("INC1", "the gateway is slow"), "staff");
        let other = for_audience(ticket_of_board(), "board");
        let gateway = for_audience(item("falcon gateway"), "staff");
        apply(&desk, &[&ticket, &gateway, &other], 1);
        desk
    });
    apply(&with, &[&for_audience(item("project falcon"), "board")], 1);
    apply(&with, &[&for_audience(item("project falcon gateway"), "board")], 1);
    let ask = |desk: &Desk, scope: &Scope| desk.search(scope, &Query::new(text, second(2))).unwrap();
    let names = |hits: &crate::query::Hits| -> Vec<String> {
        hits.entities.iter().map(|entity| entity.text.clone()).collect()
    };
    let all = ask(&with, &operator());
    assert!(names(&all).contains(&"project falcon gateway".to_owned()), "{:?}", all.entities);
    let (mine, plain) = (ask(&with, &of("staff")), ask(&without, &of("staff")));
    assert_eq!(names(&mine), ["falcon gateway"]);
    assert_eq!(mine.entities, plain.entities);
    assert_eq!(mine.hits, plain.hits);
    assert!(mine.hits.iter().any(|hit| hit.legs.iter().any(|leg| leg.leg == Leg::Identifier)));
}

/// Only its own audience knows that its number exists.
fn ticket_of_board() -> Record {
    ticket("INC9000001", "board only")
}

#[test]
fn a_record_whose_audience_was_narrowed_is_not_shown_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    let page = Record::new(id("kb:1"), Kind::Article, "Payroll run fails with code 4711");
    apply(
        &desk,
        &[&for_audience(page.clone(), "staff"), &for_audience(ticket("INC1", "Payroll"), "staff")],
        10,
    );
    let staff = of("staff");
    let request = BundleRequest::new(Subject::Text("payroll run code 4711".into()));
    let about = BundleRequest::new(Subject::Record(id("kb:1")));
    let bundles = [&request, &about].map(|request| desk.bundle(&staff, request, second(11)).unwrap());
    assert!(bundles[0].items.iter().any(|item| item.record == page.id));
    let later = BundleRequest { as_of: Some(second(12)), ..request.clone() };
    assert!(desk.stored_bundle(&staff, &bundles[0].id).unwrap().is_some());

    apply(&desk, &[&for_audience(page.clone(), "board")], 20);
    let then = Some(second(15));
    assert!(desk.record(&staff, &page.id, then).unwrap().is_none());
    assert!(desk.record(&operator(), &page.id, then).unwrap().is_some());
    let query = Query { as_of: then, ..Query::new("payroll run code 4711", second(30)) };
    let found = desk.search(&staff, &query).unwrap().hits;
    assert!(found.iter().all(|hit| hit.record != page.id), "{found:?}");
    let bundle = desk.bundle(&staff, &later, second(30)).unwrap();
    assert!(bundle.items.iter().all(|item| item.record != page.id));
    for bundle in &bundles {
        assert_eq!(desk.stored_bundle(&staff, &bundle.id).unwrap(), None);
        assert!(desk.replay(&staff, &bundle.id, second(30)).unwrap().is_none());
        assert!(desk.compare_bundles(&staff, &bundle.id, &bundle.id).unwrap().is_none());
        assert!(desk.stored_bundle(&operator(), &bundle.id).unwrap().is_some());
    }
    // Widened again, it is what it was.
    apply(&desk, &[&for_audience(page.clone(), "staff")], 40);
    assert!(desk.record(&staff, &page.id, then).unwrap().is_some());
    assert!(desk.stored_bundle(&staff, &bundles[0].id).unwrap().is_some());
}

#[test]
fn what_is_asked_while_it_is_written_is_of_one_position() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    let page = |title: &str, audience| for_audience(Record::new(id("kb:1"), Kind::Article, title), audience);
    apply(&desk, &[&page("for all", "staff")], 1);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers = [false, true].map(|by_export| {
            let (desk, is_done) = (&desk, &is_done);
            scope.spawn(move || {
                let mut asked = 0;
                while !is_done.load(Ordering::Relaxed) || asked == 0 {
                    let told = if by_export {
                        let mut out = Vec::new();
                        desk.export(&of("staff"), ExportFormat::NQuads, &mut out).unwrap();
                        String::from_utf8(out).unwrap()
                    } else {
                        sparql(desk, &of("staff"), "SELECT ?o { GRAPH ?g { ?s dcterms:title ?o } }")
                    };
                    assert!(!told.contains("for few"), "{told}");
                    asked += 1;
                }
            })
        });
        for round in 0..60 {
            apply(&desk, &[&page(&format!("for few {round}"), "board")], 2 + 2 * round);
            apply(&desk, &[&page("for all", "staff")], 3 + 2 * round);
        }
        is_done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
