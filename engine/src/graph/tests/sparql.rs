//! Do queries see what they may, end in time, and come out in every format?

use std::time::Instant;

use oxigraph::io::{RdfFormat, RdfParser};
use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsParser, ReaderQueryResultsParserOutput};

use super::super::format::{QueryForm, Serializer};
use super::super::sparql::Truncation;
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
    check(&format!("SELECT * {{ GRAPH <{secret}> {{ ?s ?p ?o }} }}"), 7, 0);
    check(&format!("SELECT * FROM <{secret}> {{ ?s ?p ?o }}"), 7, 0);
    check(&format!("SELECT * FROM NAMED <{secret}> {{ GRAPH ?g {{ ?s ?p ?o }} }}"), 7, 0);
    check(&format!("SELECT * {{ <{secret}> ?p ?o }}"), 6, 0);
    check("SELECT ?x { ?x tg:audience \"security\" }", 1, 0);
    check("SELECT ?x { <urn:triagraph:record:cmdb:shop> tg:dependsOn+ ?x }", 2, 1);
    check("SELECT ?x { ?x tg:dependsOn* <urn:triagraph:record:cmdb:host> }", 3, 1);
    check("SELECT ?x { ?x !(tg:dependsOn|rdf:type) \"title of cmdb:secret\" }", 1, 0);
    check("SELECT ?i { ?i tg:affects ?x FILTER EXISTS { ?x dcterms:title ?t } }", 2, 1);
    check("SELECT ?i { ?i tg:affects ?x MINUS { ?x dcterms:title ?t } }", 0, 1);

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
fn updates_services_and_what_is_too_large_are_refused() {
    let (_folder, store) = desk();
    let check = |query: &str, code: &str| {
        let error = ask(&store, query, ALL).expect_err(query);
        assert_eq!(error.code(), code, "{error}");
    };
    check("INSERT DATA { <urn:a> <urn:b> <urn:c> }", "sparql-update");
    check("DROP ALL", "sparql-update");
    check("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "sparql-service");
    check(
        "SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o } } }",
        "sparql-service",
    );
    check("SELECT * { { SELECT ?s { { ?s ?p ?o } UNION { SERVICE ?x { ?s ?p ?o } } } } }", "sparql-service");
    check("SELECT ?x", "sparql-syntax");
    check("", "sparql-syntax");
    check(&format!("SELECT * {{ ?s ?p \"{}\" }}", "x".repeat(70_000)), "sparql-too-large");
    check(&format!("SELECT * {}{}", "{".repeat(100), "}".repeat(100)), "sparql-too-large");
    let doubling: String = (0..40).map(|n| format!("BIND(CONCAT(?v{n}, ?v{n}) AS ?v{}) ", n + 1)).collect();
    check(&format!("SELECT ?v40 {{ BIND(\"0123456789\" AS ?v0) {doubling} }}"), "sparql-too-large");
    let error = store
        .sparql("SELECT * { ?s ?p ?o }", &[SparqlFormat::Turtle], LIMITS, ALL, &mut Vec::new())
        .unwrap_err();
    assert_eq!(error.code(), "sparql-format");
    assert!(error.to_string().contains("application/sparql-results+json"), "{error}");
}

#[test]
fn long_queries_do_not_overflow_the_stack() {
    let (_folder, store) = desk();
    let repeat = |start: &str, piece: &str, end: &str| {
        let count = (64 * 1024 - start.len() - end.len()) / piece.len();
        format!("{start}{}{end}", piece.repeat(count))
    };
    let queries = [
        repeat("SELECT * { {}", "UNION{}", "}"),
        repeat("SELECT * { ", "OPTIONAL{} ", "}"),
        repeat("SELECT * { ", "{}", "}"),
        repeat("SELECT * { ?s ", "a/", "a ?o }"),
        repeat("SELECT * { ?s ?p ?o FILTER(1", "+1", "=1) }"),
        repeat("SELECT * { ?s ?p ?o FILTER(1", "||1", ") }"),
        repeat("SELECT * { FILTER(", "!", "1) }"),
        repeat("SELECT * { FILTER(", "- ", "1) }"),
        repeat("SELECT * { ?s ", "^", "a ?o }"),
        repeat("SELECT * { ", "FILTER(1) ", "}"),
        format!("SELECT * {}{}", "{".repeat(60), "}".repeat(60)),
        format!("SELECT * {{ FILTER({}1{}) }}", "(".repeat(60), ")".repeat(60)),
        format!("SELECT * {{ ?s {}a{} ?o }}", "(".repeat(60), ")*".repeat(60)),
        format!("SELECT * {{ ?s ?p {}1{} }}", "(".repeat(60), ")".repeat(60)),
    ];
    for query in queries {
        let limits = SparqlLimits { timeout: Duration::from_millis(500), ..LIMITS };
        let start = Instant::now();
        let result = store.sparql(&query, &[SparqlFormat::Tsv], limits, ALL, &mut Vec::new());
        let took = start.elapsed();
        println!(
            "{:<50} {:?} {:?}",
            &query[..45],
            took,
            result.as_ref().map(|o| o.rows).map_err(SparqlError::code)
        );
        assert!(!matches!(result, Err(SparqlError::Broken(_))), "{result:?}");
    }
}

#[test]
fn whatever_runs_too_long_is_stopped() {
    let (_folder, store) = desk();
    let numbers = (0..3000).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    let values = |name: &str| format!("VALUES ?{name} {{ {numbers} }} ");
    let many = |piece: &str, count: usize| piece.repeat(count);
    let queries = [
        format!("SELECT (COUNT(*) AS ?n) {{ {}{}{}{} }}", values("a"), values("b"), values("c"), values("d")),
        format!("SELECT ?a {{ {}{}{} FILTER(?a + ?b + ?c < 0) }}", values("a"), values("b"), values("c")),
        format!("ASK {{ {}{}{} FILTER(false) }}", values("a"), values("b"), values("c")),
        format!("ASK {{ {}{}{} FILTER(?a + ?b + ?c < 0) }}", values("a"), values("b"), values("c")),
        format!(
            "ASK {{ FILTER NOT EXISTS {{ {}{}{} FILTER(?a + ?b + ?c < 0) }} }}",
            values("a"),
            values("b"),
            values("c")
        ),
        "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o . ?q ?r ?s }".into(),
        format!("SELECT (COUNT(*) AS ?n) {{ {} }}", many("{ {} UNION {} } ", 40)),
        format!(
            "SELECT (COUNT(*) AS ?n) {{ {} }}",
            many("{ OPTIONAL { ?x <urn:none> ?y } } UNION { OPTIONAL { ?x <urn:none> ?y } } ", 1)
                + &many("{ { OPTIONAL { ?x <urn:none> ?y } } UNION { OPTIONAL { ?x <urn:none> ?y } } } ", 40)
        ),
        format!("SELECT (COUNT(*) AS ?n) {{ {} }}", many("{ VALUES ?x { UNDEF UNDEF UNDEF } } ", 40)),
        format!("SELECT (COUNT(*) AS ?n) {{ {} }}", many("{ VALUES () { () () () } } ", 40)),
        format!("SELECT (COUNT(*) AS ?n) {{ {} }}", many("{ SELECT ?none { ?s ?p ?o } } ", 20)),
        format!(
            "SELECT (COUNT(*) AS ?n) {{ FILTER EXISTS {{ {} FILTER(RAND() > 2) }} }}",
            many("{ {} UNION {} } ", 40)
        ),
    ];
    for query in queries {
        let limits = SparqlLimits { timeout: Duration::from_millis(300), ..LIMITS };
        let start = Instant::now();
        let result = store.sparql(&query, &[SparqlFormat::Tsv], limits, ALL, &mut Vec::new());
        let took = start.elapsed();
        println!(
            "{took:?} {:?} {}",
            result.as_ref().map_err(SparqlError::code),
            &query[..query.len().min(60)]
        );
        assert!(matches!(result, Err(SparqlError::Timeout { .. })), "{result:?} after {took:?}: {query}");
        assert!(took < Duration::from_secs(3), "{took:?}: {query}");
    }
}

#[test]
fn marking_rows_changes_no_answer() {
    let (_folder, store) = desk();
    let check = |query: &str, expected: &[&str]| assert_eq!(rows(&store, query, ALL), expected, "{query}");
    check("SELECT (COUNT(*) AS ?n) { { {} UNION {} } { {} UNION {} UNION {} } }", &["6"]);
    check("SELECT * { VALUES ?x { UNDEF 1 } VALUES ?x { 1 2 } }", &["1", "1", "2"]);
    check(
        "SELECT (COUNT(*) AS ?n) { { SELECT ?none { VALUES ?s { 1 2 3 } } } { SELECT ?none { VALUES ?s { 1 2 } } } }",
        &["6"],
    );
    check("SELECT (COUNT(DISTINCT *) AS ?n) { {} UNION {} }", &["1"]);
    check("SELECT * { { SELECT ?x { VALUES ?x { 1 2 } } } MINUS { SELECT ?x { VALUES ?x { 2 } } } }", &["1"]);
    check("SELECT ?x { VALUES ?x { 1 2 } MINUS { {} UNION {} } }", &["1", "2"]);
    check("SELECT DISTINCT * { { VALUES ?x { 1 } } UNION { OPTIONAL { VALUES ?x { 1 } } } }", &["1"]);
}

#[test]
fn answers_end_at_their_limits_and_say_so() {
    let (_folder, store) = desk();
    let run = |query: &str, format, max_rows, max_bytes| {
        let mut out = Vec::new();
        let limits = SparqlLimits { max_rows, max_bytes, ..LIMITS };
        let outcome = store.sparql(query, &[format], limits, ALL, &mut out).unwrap();
        (outcome.rows, outcome.truncated, out)
    };
    let select = "SELECT ?s { ?s a ?type }";
    let (count, truncated, _) = run(select, SparqlFormat::Csv, 100, 100_000);
    assert_eq!((count, truncated), (7, None));
    assert_eq!(run(select, SparqlFormat::Csv, 7, 100_000).1, None);
    let (count, truncated, csv) = run(select, SparqlFormat::Csv, 6, 100_000);
    assert_eq!((count, truncated), (6, Some(Truncation::Rows)));
    assert_eq!(csv.iter().filter(|byte| **byte == b'\n').count(), 7);
    let (count, truncated, json) = run(select, SparqlFormat::Json, 100, 100);
    assert!(count < 7 && truncated == Some(Truncation::Bytes), "{count}");
    serde_json::from_slice::<serde_json::Value>(&json).expect("a cut answer is still whole JSON");
    let (count, truncated, _) = run("CONSTRUCT WHERE { ?s ?p ?o }", SparqlFormat::RdfXml, 3, 100_000);
    assert_eq!((count, truncated), (3, Some(Truncation::Rows)));
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
        let outcome = store.sparql(query, &[format], LIMITS, ALL, &mut out).unwrap();
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
