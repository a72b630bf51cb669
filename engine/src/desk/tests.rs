//! Does a desk keep its promises over openings, scopes and moments? Small desks in temporary folders.

mod arrival;
mod concurrent;
mod mend;
mod moment;
mod scope;
mod seal;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use ontology::{Audience, Kind, Lineage, Link, Observation, Record, RecordId, Relation, Scope, TenantId};

use super::Desk;
use crate::graph::{SparqlFormat, SparqlLimits};

fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

fn tenant() -> TenantId {
    TenantId::new("main").unwrap()
}

fn operator() -> Scope {
    Scope::operator(tenant())
}

fn of(audience: &str) -> Scope {
    Scope::of(tenant(), [Audience::new(audience).unwrap()])
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// As it was seen at a second.
fn seen(record: &Record, at: i64) -> Observation {
    let lineage =
        Lineage { origin: "test".into(), place: None, mapping: "generic".into(), observed: second(at) };
    Observation::unversioned(record.clone(), lineage)
}

fn open(folder: &Path) -> Desk {
    Desk::open(folder, &tenant(), None).unwrap()
}

fn apply(desk: &Desk, records: &[&Record], at: i64) {
    let applied = desk.apply(records.iter().map(|record| seen(record, at)).collect()).unwrap();
    assert_eq!(applied.rejected.len(), 0, "{:?}", applied.rejected);
}

/// A configuration item with a name.
fn item(name: &str) -> Record {
    let id = id(&format!("cmdb:{}", name.replace(' ', "-")));
    let mut record = Record::new(id, Kind::ConfigurationItem, name);
    record.names = vec![name.to_owned()];
    record
}

fn ticket(number: &str, title: &str) -> Record {
    Record::new(id(&format!("desk:{number}")), Kind::Incident, title)
}

/// The row of a table of relations.
fn relation(from: &str, to: &str) -> Record {
    let title = format!("{from} depends on {to}");
    let mut record =
        Record::new(id(&format!("rel:{from}-{to}").replace(' ', "-")), Kind::Relationship, title);
    record.attributes.insert(Kind::SUBJECT.to_owned(), from.to_owned());
    record.links = vec![Link::by_name(Relation::DependsOn, to)];
    record
}

fn for_audience(mut record: Record, audience: &str) -> Record {
    record.audience = vec![Audience::new(audience).unwrap()];
    record
}

fn sparql(desk: &Desk, scope: &Scope, query: &str) -> String {
    let limits = SparqlLimits {
        timeout: Duration::from_secs(20),
        max_rows: 10_000,
        max_bytes: 10_000_000,
        memory_bytes: 100_000_000,
    };
    let mut out = Vec::new();
    desk.sparql(scope, query, &[SparqlFormat::Csv], limits, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn assert_sound(desk: &Desk, when: &str) {
    assert_eq!(desk.verify().unwrap().problems, [], "{when}");
}

impl Desk {
    /// Merges the text index's segments into one, as happens in the background at any time.
    fn merge_text(&self) {
        let mut indexes = self.pause_writer();
        indexes.text.merge_all();
        self.show(&indexes).unwrap();
    }
}
