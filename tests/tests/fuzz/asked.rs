//! Do the parsers of questions bear any text: search, names, SPARQL, redaction, shapes?

use std::sync::Arc;
use std::time::Duration;

use engine::{BundleRequest, Desk, Query, SparqlError, SparqlFormat, SparqlLimits, Subject};
use ingest::{Item, Request};
use jiff::Timestamp;
use models::{KnownName, NameKind, RedactionPolicy, Redactor};
use ontology::{RecordId, SHAPES, Shapes};

use super::read::{apply, desk};
use super::{Input, files, fuzz, operator};

/// The desk of the demo company, and the texts of its tickets as questions.
pub(super) fn demo() -> (tempfile::TempDir, Arc<Desk>, Vec<Input>) {
    let request = Request {
        paths: tests::demo_sources(),
        source: None,
        mapping: None,
        observed: Timestamp::UNIX_EPOCH,
        audience: Vec::new(),
    };
    let items = ingest::open(&request).expect("the demo's files");
    let observations: Vec<_> =
        items.filter_map(|item| if let Item::Observation(one) = item { Some(*one) } else { None }).collect();
    let texts = observations.iter().map(|one| {
        let sections: Vec<&str> = one.record.sections.iter().map(|section| section.text.as_str()).collect();
        Input::of("question", &format!("{}\n{}", one.record.title, sections.join("\n")))
    });
    let texts = texts.collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let desk = desk(folder.path());
    apply(&desk, observations);
    (folder, Arc::new(desk), texts)
}

#[test]
fn any_question_is_answered_twice_the_same() {
    let (_folder, desk, mut texts) = demo();
    texts.push(Input::of("name", "servicenow:INC0041216"));
    texts.push(Input::of("name", "https://wiki.example/kb_view.do?sysparm_article=KB0010001&x=1#part"));
    let now = Timestamp::UNIX_EPOCH;
    fuzz("questions", 150, &texts, move |input, mutator| {
        let (scope, text) = (operator(), input.text());
        let hits = desk.search(&scope, &Query::new(text.as_str(), now)).expect("an answer");
        assert!(hits.degraded.is_empty(), "{:?}", hits.degraded);
        assert!(hits.hits.len() <= 10 && hits.hits.iter().all(|hit| hit.score.is_finite()));
        let again = desk.search(&scope, &Query::new(text.as_str(), now)).expect("an answer");
        assert_eq!(again, hits, "the same question, another answer");
        desk.find(&scope, &text).expect("a list, be it empty");
        if let Ok(id) = RecordId::new(&text) {
            assert_eq!(RecordId::new(id.as_str()), Ok(id), "an id that is none");
        }
        if mutator.below(4) == 0 {
            let mut request = BundleRequest::new(Subject::Text(text));
            request.budget_tokens = 200 + u32::try_from(mutator.below(3_000)).expect("small");
            let bundle = desk.bundle(&scope, &request, now).expect("a bundle");
            assert!(bundle.tokens <= request.budget_tokens, "{} tokens", bundle.tokens);
            let replayed = desk.replay(&scope, &bundle.id, now).expect("as before").expect("it was stored");
            assert_eq!(replayed.0.id, bundle.id, "the same question, another bundle");
        }
    });
}

const QUERIES: [&str; 8] = [
    "SELECT ?s (COUNT(*) AS ?n) WHERE { ?s a tg:Incident ; dcterms:title ?t . FILTER(REGEX(?t, \"vpn\", \"i\")) } GROUP BY ?s ORDER BY DESC(?n) LIMIT 5",
    "ASK { ?a (tg:dependsOn|^tg:affects)+ / dcterms:title ?b . OPTIONAL { ?b ?c \"x\"@en } }",
    "CONSTRUCT { ?s ?p [ a ?o ] } WHERE { GRAPH ?g { ?s ?p ?o } VALUES (?o) { (1) (UNDEF) } } LIMIT 3",
    "DESCRIBE ?s WHERE { { ?s a tg:Service } UNION { ?s a tg:Team } MINUS { ?s tg:documents ?d } }",
    "SELECT * { { SELECT ?s { ?s ?p ?o } LIMIT 2 } BIND(IF(BOUND(?s), STR(?s), 1/0) AS ?x) FILTER EXISTS { ?s ?q ?r } }",
    "PREFIX e: <urn:e#> BASE <urn:b> SELECT ?x { ?x e:y (1 2.5e3 true \"a\\u00e9\") ; e:z \"\"\"l\n\"\"\"^^<t> . } HAVING (SUM(?x) > 2)",
    "SELECT (CONCAT(REPLACE(STR(?s), \"a(.)\", \"$1\"), SUBSTR(\"x\", 1, 2)) AS ?y) { ?s ?p ?o FILTER(?o IN (1, 2) && !(?o = -3)) }",
    "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
];

#[test]
fn any_sparql_is_answered_or_refused() {
    let (_folder, desk, _) = demo();
    let seeds = QUERIES.map(|query| Input::of("query", query));
    fuzz("sparql", 500, &seeds, move |input, _| {
        let limits = SparqlLimits {
            timeout: Duration::from_millis(300),
            max_rows: 1_000,
            max_bytes: 1 << 20,
            memory_bytes: 64 << 20,
        };
        let mut out = Vec::new();
        match desk.sparql(&operator(), &input.text(), &SparqlFormat::ALL, limits, &mut out) {
            Ok(outcome) => assert!(outcome.rows <= limits.max_rows),
            Err(SparqlError::Broken(said)) => panic!("{said}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
}

#[test]
fn any_text_is_redacted_once_and_for_all() {
    let names = ["Ada Lovelace", "mail01", "İstanbul-srv"];
    let names = names.map(|name| KnownName { name: name.to_owned(), kind: NameKind::Person });
    let policy = RedactionPolicy { people: true, ..RedactionPolicy::default() };
    let redactor = Redactor::new(&policy, &names);
    let seeds = [
        "Ada Lovelace, +49 30 901820, ada@example.org, called mail01 from 10.1.2.3 or fe80::1",
        "password: hunter2! Authorization: Bearer abcdef0123456789 https://bo:s3cret@host.example/?sig=abc",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAK\n-----END RSA PRIVATE KEY-----",
        "card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00, [EMAIL_1] AKIAIOSFODNN7EXAMPLE",
    ];
    fuzz("redaction", 250, &seeds.map(|text| Input::of("text", text)), move |input, _| {
        let text = input.text();
        let redacted = redactor.redact(&text);
        assert_eq!(redactor.redact(redacted.text()).text(), redacted.text(), "a second time finds more");
        let places: Vec<(usize, usize)> =
            redacted.replacements().iter().map(|one| (one.start, one.end)).collect();
        assert!(places.iter().all(|(start, end)| start < end && text.get(*start..*end).is_some()));
        assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0), "they overlap");
    });
}

#[test]
fn any_shapes_are_read_or_refused() {
    let mut seeds = files(&["ontology/tests/w3c-shacl-core"]);
    seeds.retain(|seed| seed.name.ends_with(".ttl"));
    seeds.push(Input::of("shapes.ttl", SHAPES));
    fuzz("shapes", 300, &seeds, |input, _| {
        let text = input.text();
        let Ok(shapes) = Shapes::parse(&text) else { return };
        let graph =
            oxttl::TurtleParser::new().for_slice(&text).collect::<Result<_, _>>().expect("it was read");
        let report = shapes.validate(&graph);
        assert_eq!(report.conforms, report.results.is_empty());
    });
}
