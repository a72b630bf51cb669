//! Do writes, deletes, crashes and exports leave the graphs that they should?

use std::collections::BTreeMap;

use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::model::{BlankNode, GraphName, Literal, NamedNode, Quad};
use oxigraph::store::Store;

use super::super::content::digest;
use super::super::export::ExportFormat;
use super::super::text::text_triples;
use super::*;
use ontology::{Section, SectionKind, Span};

fn digests(store: &GraphStore) -> BTreeMap<String, String> {
    store.digests().map(|item| item.map(|(name, digest)| (name, format!("{digest:?}"))).unwrap()).collect()
}

fn iri(text: &str) -> NamedNode {
    NamedNode::new(text).unwrap()
}

fn file(graph: &str, object: &str) -> Vec<Quad> {
    let graph = iri(graph);
    let node = BlankNode::new("b0").unwrap();
    vec![
        Quad::new(node.clone(), iri("http://x.example/p"), Literal::from(object), graph.clone()),
        Quad::new(iri("http://x.example/s"), iri("http://x.example/same"), Literal::from("both"), graph),
        Quad::new(
            iri("http://x.example/s"),
            iri("http://x.example/number"),
            Literal::new_typed_literal("007", iri("http://www.w3.org/2001/XMLSchema#integer")),
            GraphName::DefaultGraph,
        ),
    ]
}

fn dataset(name: &str, quads: Vec<Quad>) -> GraphChange {
    GraphChange {
        record: id(name),
        content: Some(GraphContent { dataset: quads, ..GraphContent::default() }),
    }
}

#[test]
fn the_position_is_kept_with_the_quads() {
    let (folder, store) = desk();
    let before = digests(&store);
    assert_eq!(store.position(), 5);
    drop(store);
    let store = GraphStore::open(folder.path()).unwrap();
    assert_eq!((store.position(), digests(&store)), (5, before));
}

#[test]
fn a_rewrite_leaves_the_same_as_a_fresh_store_and_replays_change_nothing() {
    let (_folder, store) = desk();
    let changed = record("desk:INC1", Kind::Problem, &[(Relation::CausedBy, "cmdb:host")]);
    let changes = [put(&changed), delete("desk:INC2"), delete("cmdb:never-there")];
    store.apply(&changes, 8).unwrap();
    let after = digests(&store);
    store.apply(&changes, 8).unwrap();
    assert_eq!(digests(&store), after, "a replay changes nothing");

    let (_other_folder, other) = desk();
    other.clear().unwrap();
    assert_eq!((other.len().unwrap(), other.position()), (0, 0));
    other.apply(&[put(&changed)], 1).unwrap();
    let own = "urn:triagraph:record:desk:INC1";
    assert_eq!(digests(&other)[own], after[own]);
    assert!(!after.contains_key("urn:triagraph:record:desk:INC2"));
    let rendered: Vec<_> =
        content(&changed).graphs(&changed.id).into_values().next().unwrap().into_iter().collect();
    assert_eq!(format!("{:?}", digest(&rendered)), after[own], "the digest can be had without the store");
}

#[test]
fn later_changes_of_one_batch_win() {
    let (_folder, store) = desk();
    let first = record("desk:INC9", Kind::Incident, &[(Relation::Affects, "cmdb:host")]);
    let second = record("desk:INC9", Kind::Incident, &[]);
    store.apply(&[put(&first), put(&second), put(&first), delete("desk:INC9"), put(&second)], 6).unwrap();
    let found = rows(&store, "SELECT ?x { <urn:triagraph:record:desk:INC9> tg:affects ?x }", None);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(rows(&store, "SELECT ?x { <urn:triagraph:record:desk:INC9> a ?x }", None).len(), 2);
}

#[test]
fn datasets_that_share_a_graph_name_do_not_share_a_fate() {
    let (_folder, store) = desk();
    let before = digests(&store);
    let shared = "http://x.example/g";
    store.apply(&[dataset("rdf:a", file(shared, "a")), dataset("rdf:b", file(shared, "b"))], 6).unwrap();
    let named =
        "SELECT ?o { ?g dcterms:source <http://x.example/g> GRAPH ?g { [] <http://x.example/p> ?o } }";
    assert_eq!(rows(&store, named, None), ["\"a\"", "\"b\""]);
    let once = "SELECT ?o { ?s <http://x.example/same> ?o }";
    assert_eq!(rows(&store, once, None), ["\"both\""], "the default graph is a set");
    assert_eq!(rows(&store, once, Some(&|iri| iri.ends_with("rdf:b"))), ["\"both\""]);
    assert_eq!(rows(&store, named, Some(&|iri| iri.ends_with("rdf:b"))), ["\"b\""]);
    assert_eq!(rows(&store, "SELECT ?o { ?s <http://x.example/number> ?o FILTER(?o = 7) }", None), ["7"]);

    let with_both = digests(&store);
    store.apply(&[dataset("rdf:a", file(shared, "a"))], 7).unwrap();
    assert_eq!(digests(&store), with_both, "the same file again changes nothing");
    store.apply(&[delete("rdf:a")], 8).unwrap();
    assert_eq!(rows(&store, named, None), ["\"b\""]);
    store.apply(&[delete("rdf:b")], 9).unwrap();
    assert_eq!(digests(&store), before);
}

#[test]
fn a_dataset_cannot_have_the_graphs_of_another_record_deleted() {
    let (_folder, store) = desk();
    let forged = Quad::new(
        iri("urn:triagraph:record:cmdb:host"),
        iri("http://purl.org/dc/terms/isPartOf"),
        iri("urn:triagraph:record:rdf:a"),
        iri("urn:triagraph:record:rdf:a"),
    );
    store.apply(&[dataset("rdf:a", vec![forged])], 6).unwrap();
    store.apply(&[delete("rdf:a")], 7).unwrap();
    assert!(digests(&store).contains_key("urn:triagraph:record:cmdb:host"));
}

#[test]
fn a_snapshot_does_not_see_what_is_written_after_it() {
    let (_folder, store) = desk();
    let held = store.store();
    let snapshot = store.snapshot(&held).unwrap();
    let quads = snapshot.transaction.len().unwrap();
    store.apply(&[delete("desk:INC1")], 6).unwrap();
    assert_eq!((snapshot.position(), snapshot.transaction.len().unwrap()), (5, quads));
    assert_eq!(store.snapshot(&held).unwrap().position(), 6);
}

#[test]
fn another_format_is_refused() {
    let (folder, store) = desk();
    drop(store);
    let raw = Store::open(folder.path()).unwrap();
    raw.update("DELETE { GRAPH ?g { ?s ?p \"1\" } } INSERT { GRAPH ?g { ?s ?p \"0\" } } WHERE { GRAPH ?g { ?s ?p \"1\" FILTER(?p = <urn:triagraph:meta#format>) } }").unwrap();
    drop(raw);
    let Err(error) = GraphStore::open(folder.path()) else { panic!("opened") };
    assert_eq!(error.code(), "graph-format");
}

#[test]
fn an_export_loads_into_another_store_and_hides_what_is_hidden() {
    let (_folder, store) = desk();
    store.apply(&[dataset("rdf:a", file("http://x.example/g", "a"))], 6).unwrap();
    let texts = |name: &str| {
        let mut record = record(name, Kind::Article, &[]);
        record.sections.push(Section::new(SectionKind::Symptom, "Gerät \"aus\"\nganz"));
        (record.id.clone(), text_triples(&record, &[(0, Span { start: 0, end: 6 })]))
    };
    let check = |format, rdf, allowed: Option<Allowed<'_>>, expected_graphs: usize| {
        let mut out = Vec::new();
        let texts = [texts("cmdb:secret"), texts("cmdb:host")];
        let kept = store.store();
        let snapshot = store.snapshot(&kept).unwrap();
        let (quads, position) = store.export(&snapshot, format, allowed, texts, &mut out).unwrap();
        assert_eq!(position, 6);
        let folder = TempDir::new().unwrap();
        let loaded = Store::open(folder.path()).unwrap();
        loaded.load_from_slice(RdfParser::from_format(rdf), &out).unwrap();
        assert_eq!(loaded.len().unwrap() as u64, quads);
        assert_eq!(loaded.named_graphs().count(), expected_graphs);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.contains("title of cmdb:secret"), allowed.is_none());
        assert_eq!(text.matches("Gerät").count(), if allowed.is_none() { 2 } else { 1 });
        assert_eq!(text.contains("cmdb:secret"), allowed.is_none(), "no other graph names it either");
        assert!(!text.contains("urn:triagraph:meta"));
        quads
    };
    let all = check(ExportFormat::TriG, RdfFormat::TriG, None, 8);
    assert_eq!(check(ExportFormat::NQuads, RdfFormat::NQuads, None, 8), all);
    let texts = texts("cmdb:host").1.len() as u64;
    assert_eq!(all, store.len().unwrap() as u64 + 2 * texts + 3);
    check(ExportFormat::TriG, RdfFormat::TriG, Some(&staff), 7);
}

/// Bytes of the store's tables; what is not in them, the next opening replays.
fn table_bytes(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let tables = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "sst"));
    tables.map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn what_is_flushed_is_not_replayed_at_the_next_opening() {
    let (folder, store) = desk();
    let before = table_bytes(folder.path());
    store.flush(1_000_000).unwrap();
    assert_eq!(table_bytes(folder.path()), before, "so few quads are not worth a file each");
    store.flush(1).unwrap();
    assert!(table_bytes(folder.path()) > before);
    assert_eq!(store.position(), 5);
}

#[test]
fn many_quads_are_flushed_when_the_store_is_closed() {
    let (folder, store) = desk();
    let host = |n| record(&format!("cmdb:{n}"), Kind::ConfigurationItem, &[(Relation::RunsOn, "cmdb:host")]);
    store.apply(&(0..4000).map(|n| put(&host(n))).collect::<Vec<_>>(), 6).unwrap();
    let before = table_bytes(folder.path());
    drop(store);
    assert!(table_bytes(folder.path()) > before);
    assert_eq!(GraphStore::open(folder.path()).unwrap().position(), 6);
}
