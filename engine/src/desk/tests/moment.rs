//! Does an answer as of a moment stay the same, whatever is learnt later?

use super::*;
use crate::bundle::{BundleRequest, Subject};
use crate::query::Query;

#[test]
fn later_revisions_change_no_answer_as_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(folder.path());
    let mut shop = item("web shop");
    shop.links = vec![Link::by_name(Relation::DependsOn, "mail server")];
    let mail = item("mail server");
    let mut incident = ticket("INC1", "Orders hang");
    incident.links = vec![Link::by_name(Relation::Affects, "web shop")];
    incident.created = Some(second(5));
    incident.state = Some(ontology::State::Open);
    let mut page = Record::new(id("kb:1"), Kind::Article, "Orders of the web shop hang");
    page.valid_until = Some(second(50));
    apply(&desk, &[&shop, &mail, &incident, &page], 10);

    let as_of = Some(second(20));
    let requests = [Subject::Text("web shop: orders hang".into()), Subject::Record(incident.id.clone())]
        .map(|about| BundleRequest { as_of, ..BundleRequest::new(about) });
    // In which order a sum is made is not part of the answer.
    let rounded = |score: f64| (score * 1e9).round() as i64;
    let ask = |now: i64| {
        let bundles = requests.each_ref().map(|request| {
            let bundle = desk.bundle(&operator(), request, second(now)).unwrap();
            let facts: Vec<String> = bundle.facts.into_iter().map(|fact| fact.text).collect();
            let items: Vec<_> = bundle
                .items
                .into_iter()
                .map(|item| (item.record, rounded(item.score), item.expired))
                .collect();
            (bundle.id, facts, items)
        });
        let about = vec![id("cmdb:web-shop")];
        let query = Query { as_of, about, ..Query::new("orders", second(now)) };
        let hits = desk.search(&operator(), &query).unwrap().hits;
        (
            bundles,
            hits.into_iter().map(|hit| (hit.record, rounded(hit.score), hit.expired)).collect::<Vec<_>>(),
        )
    };
    let before = ask(21);
    let facts = &before.0[0].1;
    assert!(facts.contains(&"web shop depends on mail server".to_owned()), "{facts:?}");
    assert!(before.0[0].2.iter().any(|(record, _, expired)| *record == page.id && !expired));

    for (record, title) in [(&shop, "web shop 2"), (&mail, "mail server 2"), (&incident, "Orders hang 2")] {
        apply(&desk, &[&Record { title: title.to_owned(), ..record.clone() }], 60);
    }
    assert_eq!(ask(100), before);
}
