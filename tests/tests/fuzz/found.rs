//! What was found? Each input that once did harm, and that must end in time and as it should.

use std::time::Duration;

use engine::{SparqlFormat, SparqlLimits};
use models::{RedactionPolicy, Redactor};

use super::asked::demo;
use super::read::{desk, observations};
use super::{Input, operator, within_limit};

/// A file that is read as any file must be, in time; `kept` is in one of its records' text.
fn read(name: &str, bytes: &str, kept: &'static str) {
    let input = Input::of(name, bytes);
    let ended = within_limit(input, move |input| {
        let read = observations(input, None);
        let holds = |text: &str| text.contains(kept);
        let sections = || read.iter().flat_map(|one| &one.record.sections);
        assert!(sections().any(|section| holds(&section.text) || holds(&section.heading)), "{kept} is lost");
    });
    ended.unwrap_or_else(|what| panic!("{name}: {what}"));
}

/// A file that is refused in time.
fn refused(name: &str, bytes: &str, reason: &'static str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("room for a file");
    let ended = within_limit(Input::of(path.to_str().expect("UTF-8"), ""), move |path| {
        let items = super::read::items(path.name.as_ref(), None).expect("one file can always be asked for");
        let is_refused =
            |item: &ingest::Item| matches!(item, ingest::Item::Rejected(one) if one.reason.contains(reason));
        assert!(items.iter().any(is_refused), "{:?}", items.last());
    });
    ended.unwrap_or_else(|what| panic!("{name}: {what}"));
}

fn ticket(description: &str) -> String {
    serde_json::json!([{"id": "T-1", "title": "t", "description": description}]).to_string()
}

#[test]
fn lists_in_lists_do_not_each_stand_further_in() {
    read("plain", &format!("# Mail\n\n## Steps\n{}last\n", "1. ".repeat(20_000)), "last");
}

#[test]
fn tags_in_tags_are_taken_off_in_time() {
    read("t.json", &ticket(&format!("{}last", "<ul><li>".repeat(100_000))), "last");
    read("t.json", &ticket(&format!("{}last", "<div><p title=\"</div>\">".repeat(50_000))), "last");
}

#[test]
fn headings_have_no_control_characters() {
    read("page.md", "# Mail\n\n## Root\u{1b}[31m cause\u{0007}\n\nIt is full.\n", "Root [31m cause");
}

#[test]
fn the_same_comment_of_many_people_is_compared_in_time() {
    let comment = |n: usize| serde_json::json!({"author": {"displayName": format!("P{n}")}, "body": "ok"});
    let comments: Vec<_> = (0..60_000).map(comment).collect();
    let fields = serde_json::json!({"summary": "Mail", "issuetype": {"name": "Bug"}, "comment": {"comments": comments}});
    read(
        "issues.json",
        &serde_json::json!({"issues": [{"key": "OPS-1", "fields": fields}]}).to_string(),
        "ok",
    );
}

#[test]
fn a_long_key_does_not_stand_in_every_field_below_it() {
    let fields: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("f{n}"), n.into())).collect();
    let item =
        serde_json::json!([{"id": "T-1", "title": "t", "description": "kept", "x".repeat(20_000): fields}]);
    read("t.json", &item.to_string(), "kept");
}

#[test]
fn a_table_of_a_million_columns_is_refused() {
    refused("t.csv", &format!("{}\n{}\n", "a,".repeat(1 << 20), "1,".repeat(1 << 20)), "10000 at most");
}

#[test]
fn entities_and_prefixes_that_stand_for_too_much_are_refused() {
    let mut declared = "<!ENTITY a0 \"0123456789\">".to_owned();
    for n in 1..12 {
        declared.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
    }
    let text = format!(
        "<!DOCTYPE rdf:RDF [{declared}]>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"urn:\">\
         <rdf:Description rdf:about=\"urn:a\"><e:b>&a11;</e:b></rdf:Description></rdf:RDF>"
    );
    refused("bomb.rdf", &text, "an entity stands for more");
    let prefix = format!("@prefix e: <urn:{}> .\n{}", "x".repeat(1 << 20), "e:a e:a e:a .\n".repeat(100_000));
    refused("bomb.ttl", &prefix, "an IRI of a statement is longer");
}

#[test]
fn a_question_of_brackets_and_an_address_of_many_values_are_looked_up_in_time() {
    let nested = format!("{}x{}", "(\"".repeat(100_000), "\")".repeat(100_000));
    let values: Vec<String> = (0..100_000).map(|n| format!("value{n}")).collect();
    for name in [nested, format!("https://a.example/?{}", values.join("&"))] {
        let ended = within_limit(Input::of("name", &name), |input| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let found = desk(folder.path()).find(&operator(), &input.text()).expect("a list, be it empty");
            assert!(found.is_empty());
        });
        ended.unwrap_or_else(|what| panic!("{}…: {what}", &name[..20]));
    }
}

const LIMITS: SparqlLimits = SparqlLimits {
    timeout: Duration::from_secs(1),
    max_rows: 1_000,
    max_bytes: 1 << 20,
    memory_bytes: 64 << 20,
};

#[test]
fn a_query_that_the_parser_would_read_again_and_again_is_refused() {
    for query in [
        format!("ASK {{ FILTER({}1{}) }}", "!(".repeat(60), ")".repeat(60)),
        format!("ASK {{ FILTER {}\"\"{} }}", "regex(".repeat(60), ",\"\")".repeat(60)),
        format!("ASK {{ FILTER({}1{}) }}", "!EXISTS{FILTER(".repeat(30), ")}".repeat(30)),
        // Brackets that seem to be closed: in a string, a remark, an IRI, and between two comparisons.
        format!("ASK {{ FILTER({}1{}) }}", "! #)\n (\")\"=".repeat(60), ")".repeat(60)),
        format!("ASK {{ FILTER({}1{}) }}", "1<!(1>2&&<urn:)>=".repeat(60), ")".repeat(60)),
    ] {
        let ended = within_limit(Input::of("query", &query), move |input| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let desk = desk(folder.path());
            let asked = desk.sparql(&operator(), &input.text(), &SparqlFormat::ALL, LIMITS, &mut Vec::new());
            assert_eq!(asked.expect_err("it is too large").code(), "sparql-too-large");
        });
        ended.unwrap_or_else(|what| panic!("{query}: {what}"));
    }
}

#[test]
fn a_pattern_that_is_compiled_for_each_row_is_stopped_in_time() {
    let (_folder, desk, _) = demo();
    let query =
        format!("SELECT ?s {{ ?s ?p ?o FILTER(REGEX(STR(?o), \"{}\", \"i\")) }}", "@en".repeat(21_000));
    let ended = within_limit(Input::of("query", &query), move |input| {
        let limits = SparqlLimits { timeout: Duration::from_millis(100), ..LIMITS };
        let asked = desk.sparql(&operator(), &input.text(), &SparqlFormat::ALL, limits, &mut Vec::new());
        assert_eq!(asked.expect_err("it takes too long").code(), "sparql-timeout");
    });
    ended.unwrap_or_else(|what| panic!("{what}"));
}

#[test]
fn keys_in_a_chain_are_hidden_all_at_once() {
    let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
    let redacted = redactor.redact(&"AKIAIOSFODNN7EXAMPLE".repeat(50));
    assert!(!redacted.text().contains("AKIA"), "{}", redacted.text());
}
