//! Do walks come back the way they went, and do tickets come in order with what they hit?

use jiff::Timestamp;
use ontology::{Kind, Record, Relation};

use super::{Thing, Way};
use crate::trial::{Trial, id, operator, record};

fn ticket(name: &str, second: i64, links: &[(Relation, &str)]) -> Record {
    let mut ticket = record(name, Kind::Incident, "slow", links);
    ticket.created = Some(Timestamp::from_second(second).unwrap());
    ticket.category = vec!["Application".into(), "WMS".into()];
    ticket
}

#[test]
fn a_walk_follows_needs_and_parts_and_comes_back_the_same_way() {
    let trial = Trial::new();
    trial.apply([
        record("cmdb:db", Kind::ConfigurationItem, "db", &[]),
        record("cmdb:core", Kind::ConfigurationItem, "core", &[(Relation::DependsOn, "db")]),
        record("cmdb:gate", Kind::ConfigurationItem, "gate", &[(Relation::RunsOn, "core")]),
        record("cmdb:label", Kind::ConfigurationItem, "label", &[(Relation::PartOf, "shop")]),
        record("cmdb:shop", Kind::Service, "shop", &[(Relation::DependsOn, "gate")]),
        ticket("s:INC-1", 5, &[(Relation::Affects, "db")]),
    ]);
    let walk = |from: &str, way| {
        let found = trial.desk.reach(&operator(), &id(from), way).unwrap();
        found.into_iter().map(|(thing, step)| format!("{} {step}", thing.external())).collect::<Vec<_>>()
    };
    assert_eq!(walk("cmdb:shop", Way::Needs), ["shop 0", "gate 1", "label 1", "core 2", "db 3"]);
    assert_eq!(walk("cmdb:db", Way::NeededBy), ["db 0", "core 1", "gate 2", "shop 3"]);
    assert_eq!(walk("cmdb:none", Way::Needs), ["none 0"]);
}

#[test]
fn arrivals_come_in_the_order_of_their_source_with_what_they_hit() {
    let trial = Trial::new();
    let mut naming = record("s:INC-3", Kind::Incident, "wms-db is slow", &[]);
    naming.created = None;
    trial.apply([
        record("cmdb:wms-db", Kind::ConfigurationItem, "wms-db", &[]),
        ticket("s:INC-2", 20, &[(Relation::Affects, "Unknown Box")]),
        ticket("s:INC-1", 10, &[(Relation::Affects, "wms-db")]),
        naming,
    ]);
    let arrivals = trial.desk.arrivals(&operator(), 10).unwrap();
    let told: Vec<(&str, &[Thing])> =
        arrivals.iter().map(|one| (one.record.external(), one.things.as_slice())).collect();
    let db = Thing::Known(id("cmdb:wms-db"));
    // One without a date came when the desk first saw it.
    assert_eq!(
        told,
        [
            ("INC-3", &[db.clone()][..]),
            ("INC-1", &[db][..]),
            ("INC-2", &[Thing::Named("unknown box".into())][..])
        ]
    );
    assert_eq!(arrivals[1].category, ["application", "wms"]);
    assert_eq!(trial.desk.arrivals(&operator(), 1).unwrap().len(), 1);
}

#[test]
fn tickets_that_tell_the_same_are_near() {
    let trial = Trial::with_embedder();
    let told = |name: &str, title: &str| record(name, Kind::Incident, title, &[]);
    trial.apply([
        told("s:1", "scanner hangs at confirm"),
        told("s:2", "scanner hangs at confirm again"),
        told("s:3", "payroll is wrong"),
    ]);
    let with = [id("s:2"), id("s:3"), id("s:9")];
    let cosines = trial.desk.cosines(&operator(), &id("s:1"), &with).unwrap();
    assert!(cosines[0].unwrap() > 0.5 && cosines[1].unwrap() < 0.5, "{cosines:?}");
    assert_eq!(cosines[2], None);
}
