//! Do queries see what they may, and do answers come out in every format?

use std::time::Instant;

use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsParser, ReaderQueryResultsParserOutput};

use super::super::format::{QueryForm, Serializer};
use super::super::names::META;
use super::*;

const ALL: Option<Allowed<'static>> = None;
const STAFF: Option<Allowed<'static>> = Some(&staff);

#[test]
fn queries_need_neither_graphs_nor_prefixes() {
    let (_folder, store) = desk();
    assert_eq!(rows(&store, "SELECT ?t { ?t a tg:Incident }", ALL).len(), 2);
    assert_eq!(
        rows(
            &store,
            "SELECT ?t { ?t a tg:Ticket; tg:affects/tg:dependsOn+ <urn:triagraph:record:cmdb:host> }",
            ALL
        )
        .len(),
        2
    );
    assert_eq!(
        rows(&store, "PREFIX tg: <urn:mine#> SELECT ?t { ?t a tg:Incident }", ALL).len(),
        0,
        "a prefix that the query declares is the query's"
    );
    let (outcome, answer) = ask(&store, "ASK { ?t oslc_cm:status ?s }", ALL).unwrap();
    assert_eq!((outcome.form, outcome.position, answer.as_str()), (QueryForm::Ask, 5, "false"));
}

#[test]
fn a_hidden_graph_is_seen_in_no_way() {
    let (_folder, store) = desk();
    let secret = "urn:triagraph:record:cmdb:secret";
    let check = |query: &str, operator: usize, staff_only: usize| {
        assert_eq!(rows(&store, query, ALL).len(), operator, "operator: {query}");
        assert_eq!(rows(&store, query, STAFF).len(), staff_only, "staff: {query}");
    };
    check("SELECT ?g { GRAPH ?g {} }", 5, 4);
    check("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", 5, 4);
    check(&format!("SELECT * {{ GRAPH <{secret}> {{ ?s ?p ?o }} }}"), 8, 0);
    check(&format!("SELECT * FROM <{secret}> {{ ?s ?p ?o }}"), 8, 0);
    check(&format!("SELECT * FROM NAMED <{secret}> {{ GRAPH ?g {{ ?s ?p ?o }} }}"), 8, 0);
    check(&format!("SELECT * {{ <{secret}> ?p ?o }}"), 7, 0);
    check("SELECT ?x { ?x tg:audience \"security\" }", 1, 0);
    check("SELECT ?x { <urn:triagraph:record:cmdb:shop> tg:dependsOn+ ?x }", 2, 0);
    check("SELECT ?x { ?x tg:dependsOn* <urn:triagraph:record:cmdb:host> }", 3, 1);
    check("SELECT ?x { ?x !(tg:dependsOn|rdf:type) \"title of cmdb:secret\" }", 1, 0);
    check("SELECT ?i { ?i tg:affects ?x FILTER EXISTS { ?x dcterms:title ?t } }", 2, 1);
    check("SELECT ?i { ?i tg:affects ?x MINUS { ?x dcterms:title ?t } }", 0, 0);
    // The shop and the second incident are for all; that they hang on the secret host is not.
    check(&format!("SELECT ?g {{ GRAPH ?g {{ ?s ?p <{secret}> }} }}"), 2, 0);
    check(&format!("SELECT ?s {{ ?s ?p <{secret}> }}"), 2, 0);
    check("SELECT ?s { ?s ?p ?o FILTER(CONTAINS(STR(?o), \"cmdb:secret\") && isIRI(?o)) }", 2, 0);

    let count = |allowed| rows(&store, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", allowed).remove(0);
    let triples = rows(&store, "SELECT DISTINCT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } }", STAFF).len();
    assert_eq!(count(STAFF), triples.to_string());
    assert_ne!(count(ALL), count(STAFF));
    let ask_title =
        |allowed| ask(&store, "ASK { ?s dcterms:title \"title of cmdb:secret\" }", allowed).unwrap().1;
    assert_eq!((ask_title(ALL).as_str(), ask_title(STAFF).as_str()), ("true", "false"));
    let describe = |allowed| ask(&store, &format!("DESCRIBE <{secret}>"), allowed).unwrap().1;
    assert!(describe(ALL).contains("security"));
    assert_eq!(describe(STAFF), "");
    let construct = ask(&store, "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", STAFF).unwrap().1;
    assert!(!construct.contains("title of cmdb:secret") && construct.contains("title of cmdb:host"));
}

#[test]
fn no_query_sees_the_store_s_own_notes() {
    let (_folder, store) = desk();
    for query in [
        "SELECT * { ?s ?p ?o FILTER(STRSTARTS(STR(?s), \"urn:triagraph:meta\")) }",
        "SELECT * { GRAPH <urn:triagraph:meta> { ?s ?p ?o } }",
        "SELECT * FROM <urn:triagraph:meta> { ?s ?p ?o }",
        "SELECT ?g { GRAPH ?g {} FILTER(?g = <urn:triagraph:meta>) }",
    ] {
        assert!(rows(&store, query, ALL).is_empty(), "{query}");
        assert!(rows(&store, query, Some(&|_| true)).is_empty(), "{query}");
    }
}

#[test]
fn the_default_graph_is_a_set_under_every_pattern() {
    let (_folder, store) = desk();
    // Host and secret both say that the category is called Servers.
    let category = "<urn:triagraph:category:cmdb:Servers>";
    let label = "skos:prefLabel";
    for (s, p, o) in [
        ("?s", "?p", "?o"),
        (category, "?p", "?o"),
        ("?s", label, "?o"),
        ("?s", "?p", "\"Servers\""),
        (category, label, "?o"),
        (category, "?p", "\"Servers\""),
        ("?s", label, "\"Servers\""),
        (category, label, "\"Servers\""),
    ] {
        let query = format!("SELECT ?v {{ {s} {p} {o} BIND(1 AS ?v) FILTER(1 = 1) }}");
        let distinct = format!("SELECT DISTINCT * {{ {s} {p} {o} BIND(1 AS ?v) }}");
        assert_eq!(rows(&store, &query, ALL).len(), rows(&store, &distinct, ALL).len(), "{query}");
        assert!(!rows(&store, &query, STAFF).is_empty(), "{query}");
    }
}

#[test]
fn every_format_can_be_read_back() {
    let (_folder, store) = desk();
    for format in SparqlFormat::ALL {
        let mut out = Vec::new();
        let query = if format.fits(QueryForm::Select) {
            "SELECT ?s ?title { ?s dcterms:title ?title }"
        } else {
            "CONSTRUCT { ?s dcterms:title ?title } WHERE { ?s dcterms:title ?title }"
        };
        let outcome = super::sparql(&store, query, &[format], LIMITS, ALL, &mut out).unwrap();
        assert_eq!((outcome.rows, outcome.format), (5, format));
        let read = match format.serializer() {
            Serializer::Table(QueryResultsFormat::Csv) => {
                out.iter().filter(|byte| **byte == b'\n').count() - 1
            }
            Serializer::Table(format) => {
                match QueryResultsParser::from_format(format).for_reader(out.as_slice()).unwrap() {
                    ReaderQueryResultsParserOutput::Solutions(solutions) => {
                        solutions.map(Result::unwrap).count()
                    }
                    ReaderQueryResultsParserOutput::Boolean(_) => 0,
                }
            }
            Serializer::Triples(format) => {
                let format = match format {
                    RdfFormat::JsonLd { .. } => RdfFormat::JsonLd { profile: Default::default() },
                    other => other,
                };
                RdfParser::from_format(format).for_slice(&out).map(Result::unwrap).count()
            }
        };
        assert_eq!(read, 5, "{format:?}: {}", String::from_utf8_lossy(&out));
    }
}

/// What is hidden aside, the view answers as oxigraph's own; how fast either is, is printed.
#[test]
fn the_view_answers_as_the_store_does() {
    let folder = TempDir::new().unwrap();
    let store = GraphStore::open(folder.path()).unwrap();
    let changes: Vec<GraphChange> = (0..5_000)
        .map(|n| {
            let host = format!("cmdb:host-{}", n % 700);
            put(&record(&format!("desk:INC{n}"), Kind::Incident, &[(Relation::Affects, &host)]))
        })
        .chain((0..700).map(|n| {
            let next = format!("cmdb:host-{}", n / 2);
            put(&record(&format!("cmdb:host-{n}"), Kind::ConfigurationItem, &[(Relation::DependsOn, &next)]))
        }))
        .collect();
    let start = Instant::now();
    store.apply(&changes, 1).unwrap();
    let (quads, took) = (store.len().unwrap(), start.elapsed());
    println!("{quads} quads of {} new graphs written in {took:?}", changes.len());
    let start = Instant::now();
    store.apply(&changes, 2).unwrap();
    println!("the same again, unchanged, in {:?}", start.elapsed());

    let held = store.store();
    let snapshot = store.snapshot(&held).unwrap();
    for query in [
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
        "SELECT (COUNT(*) AS ?n) { ?t a tg:Incident ; tg:affects ?x . ?x dcterms:title ?title }",
        "SELECT (COUNT(*) AS ?n) { ?t tg:affects/tg:dependsOn+ <urn:triagraph:record:cmdb:host-1> }",
        "SELECT ?title { <urn:triagraph:record:desk:INC77> tg:affects ?x . ?x dcterms:title ?title }",
    ] {
        let start = Instant::now();
        let found = rows(&store, query, Some(&|_| true));
        let own = start.elapsed();
        let mut evaluator = oxigraph::sparql::SparqlEvaluator::new();
        for (prefix, namespace) in super::super::export::PREFIXES {
            evaluator = evaluator.with_prefix(prefix, namespace).unwrap();
        }
        let start = Instant::now();
        let mut prepared = evaluator.parse_query(query).unwrap();
        prepared.dataset_mut().set_default_graph_as_union();
        let oxigraph::sparql::QueryResults::Solutions(solutions) =
            prepared.on_transaction(&snapshot.transaction).execute().unwrap()
        else {
            panic!("no table")
        };
        let mut expected: Vec<String> =
            solutions.map(|row| row.unwrap().values()[0].clone().unwrap().to_string()).collect();
        let native = start.elapsed();
        if query.contains("?s ?p ?o") {
            // Our count leaves the store's own notes out.
            let notes = snapshot.transaction.quads_for_pattern(None, None, None, Some(META.into())).count();
            expected = vec![(quads + notes).to_string()];
            assert_eq!(found, [quads.to_string()]);
        } else {
            let plain =
                |text: &String| text.split("^^").next().unwrap_or_default().trim_matches('"').to_owned();
            assert_eq!(
                found.iter().map(plain).collect::<Vec<_>>(),
                expected.iter().map(plain).collect::<Vec<_>>(),
                "{query}"
            );
        }
        println!("view {own:?}, oxigraph alone {native:?}, {}: {query}", expected[0]);
    }
}
