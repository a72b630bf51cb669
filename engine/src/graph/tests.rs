//! Does the graph hold what it promises? Scope, limits, crash consistency and round trips over a real store.

mod limits;
mod sparql;
mod store;

use std::time::Duration;

use ontology::{Audience, Kind, Link, Record, RecordId, Reference, Relation};
use tempfile::TempDir;

use super::content::{GraphChange, GraphContent};
use super::format::SparqlFormat;
use super::render;
use super::sparql::{SparqlError, SparqlLimits, SparqlOutcome};
use super::store::GraphStore;
use super::view::Allowed;

const LIMITS: SparqlLimits = SparqlLimits {
    timeout: Duration::from_secs(20),
    max_rows: 10_000,
    max_bytes: 10_000_000,
    memory_bytes: 64 << 20,
};

fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

fn record(name: &str, kind: Kind, links: &[(Relation, &str)]) -> Record {
    let mut record = Record::new(id(name), kind, format!("title of {name}"));
    record.links = links.iter().map(|(relation, target)| Link::to(*relation, id(target))).collect();
    record
}

fn content(record: &Record) -> GraphContent {
    let known = |reference: &Reference| match reference {
        Reference::Record(id) => vec![id.clone()],
        Reference::Name(_) => Vec::new(),
    };
    GraphContent { triples: render::triples(record, &known), ..GraphContent::default() }
}

fn put(record: &Record) -> GraphChange {
    GraphChange { record: record.id.clone(), content: Some(content(record)) }
}

fn delete(name: &str) -> GraphChange {
    GraphChange { record: id(name), content: None }
}

/// Web shop on a secret host; the secret's incident; a chain from the shop to the host.
fn desk() -> (TempDir, GraphStore) {
    let folder = TempDir::new().unwrap();
    let store = GraphStore::open(folder.path()).unwrap();
    let mut secret = record("cmdb:secret", Kind::ConfigurationItem, &[(Relation::DependsOn, "cmdb:host")]);
    secret.audience = vec![Audience::new("security").unwrap()];
    secret.category = vec!["Servers".into()];
    let mut host = record("cmdb:host", Kind::ConfigurationItem, &[]);
    host.category = vec!["Servers".into()];
    let changes = [
        put(&record("cmdb:shop", Kind::Service, &[(Relation::DependsOn, "cmdb:secret")])),
        put(&secret),
        put(&host),
        put(&record("desk:INC1", Kind::Incident, &[(Relation::Affects, "cmdb:shop")])),
        put(&record("desk:INC2", Kind::Incident, &[(Relation::Affects, "cmdb:secret")])),
    ];
    store.apply(&changes, 5).unwrap();
    (folder, store)
}

fn sparql(
    store: &GraphStore,
    query: &str,
    formats: &[SparqlFormat],
    limits: SparqlLimits,
    allowed: Option<Allowed<'_>>,
    out: &mut Vec<u8>,
) -> Result<SparqlOutcome, SparqlError> {
    let kept = store.store();
    store.snapshot(&kept)?.sparql(query, formats, limits, allowed, out)
}

fn ask(
    store: &GraphStore,
    query: &str,
    allowed: Option<Allowed<'_>>,
) -> Result<(SparqlOutcome, String), SparqlError> {
    let mut out = Vec::new();
    let formats = [SparqlFormat::Tsv, SparqlFormat::NTriples];
    let outcome = sparql(store, query, &formats, LIMITS, allowed, &mut out)?;
    Ok((outcome, String::from_utf8(out).unwrap()))
}

/// The rows of the answer, sorted, without the header.
fn rows(store: &GraphStore, query: &str, allowed: Option<Allowed<'_>>) -> Vec<String> {
    let (_, answer) = ask(store, query, allowed).unwrap();
    let mut rows: Vec<String> = answer.lines().skip(1).map(str::to_owned).collect();
    rows.sort();
    rows
}

fn staff(iri: &str) -> bool {
    iri != "urn:triagraph:record:cmdb:secret"
}
