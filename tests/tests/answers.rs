//! Does each sentence of an answer stand where its handle leads? Thirty tickets that were not seen while the agent was built.
//!
//! `tests/answers/` keeps the tickets, what their writer expected, the answers as they were printed, and the marks that a
//! reader gave them. This test holds the agent to what the marks rest on: sources that say so, and the right ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::{Desk, demo_sources, models, root};

/// Tickets of which the answer must cite a source that the writer expected, or be handed over where there is none.
const RIGHT: usize = 26;

fn lines(name: &str) -> Vec<Value> {
    let path = root().join("tests/answers").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The part of a text that a span names.
fn part<'a>(whole: &'a str, span: &Value) -> &'a str {
    let at = |key: &str| usize::try_from(span[key].as_u64().expect("an offset")).expect("a small number");
    whole.get(at("start")..at("end")).unwrap_or_else(|| panic!("{span} is not in {whole:?}"))
}

/// Whether a sentence is a part of a text, placeholders of redaction standing for anything.
fn says(whole: &str, sentence: &str) -> bool {
    let mut rest = whole;
    let is_placeholder = |inside: &str| {
        inside.rsplit_once('_').is_some_and(|(kind, number)| {
            kind.chars().all(|c| c.is_ascii_uppercase() || c == '_') && number.parse::<u32>().is_ok()
        })
    };
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut after = sentence;
    while let Some(open) = after.find('[') {
        piece.push_str(&after[..open]);
        match after[open + 1..].find(']').map(|length| &after[open + 1..open + 1 + length]) {
            Some(inside) if is_placeholder(inside) => {
                pieces.push(std::mem::take(&mut piece));
                after = &after[open + inside.len() + 2..];
            }
            _ => {
                piece.push('[');
                after = &after[open + 1..];
            }
        }
    }
    piece.push_str(after);
    pieces.push(piece);
    pieces.iter().all(|piece| match rest.find(piece.as_str()) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

struct Reader<'a> {
    desk: &'a Desk,
    models: &'a Path,
    bundles: BTreeMap<String, Value>,
    records: BTreeMap<String, Value>,
}

impl Reader<'_> {
    fn bundle(&mut self, id: &str) -> &Value {
        let (desk, models) = (self.desk, self.models);
        self.bundles.entry(id.to_owned()).or_insert_with(|| {
            desk.run_embedding(models, ["bundle", "get", "--json", id]).with_code(0).json()
        })
    }

    fn record(&mut self, id: &str) -> &Value {
        let (desk, models) = (self.desk, self.models);
        self.records.entry(id.to_owned()).or_insert_with(|| {
            desk.run_embedding(models, ["record", "show", "--json", id]).with_code(0).json()
        })
    }

    /// Follows a claim's handle to its source, to the bundle that was handed out, and to the record itself.
    fn follow(&mut self, answer: &Value, claim: &Value) {
        let handles = list(claim, "handles");
        assert!(!handles.is_empty(), "nothing is cited: {claim}");
        for handle in handles {
            let source = list(answer, "sources").iter().find(|source| source["handle"] == *handle);
            let source = source.unwrap_or_else(|| panic!("{handle} leads nowhere"));
            let named = source["bundle_handle"].clone();
            let bundle = self.bundle(text(source, "bundle"));
            if let Some(fact) = list(bundle, "facts").iter().find(|fact| fact["handle"] == named) {
                assert!(says(text(fact, "text"), text(claim, "text")), "{claim} is not {fact}");
                continue;
            }
            let item = list(bundle, "items").iter().find(|item| item["handle"] == named);
            let item = item.unwrap_or_else(|| panic!("{named} is not in its bundle")).clone();
            let sentence = part(text(&item, "text"), &claim["span"]);
            assert!(says(sentence, text(claim, "text")), "{claim} is not {sentence:?}");
            assert_eq!((&item["record"], &item["span"]), (&source["record"], &source["span"]));
            if let Some(section) = source["section"].as_u64() {
                let shown = self.record(text(source, "record"));
                let record = if shown["sections"].is_array() { shown } else { &shown["record"] };
                let whole = text(&list(record, "sections")[usize::try_from(section).expect("small")], "text");
                assert_eq!(part(whole, &source["span"]), text(&item, "text"), "{source}");
            }
        }
    }
}

#[test]
fn every_sentence_stands_where_its_handle_leads_and_the_right_sources_are_cited() {
    let Some(models) = models() else { return };
    let desk = Desk::new();
    let sources: Vec<String> = demo_sources().iter().map(|path| path.display().to_string()).collect();
    let mut arguments = vec!["ingest"];
    arguments.extend(sources.iter().map(String::as_str));
    let _ = desk.run_embedding(&models, &arguments).with_code(0);
    let asked = desk.run_embedding(&models, ["triage", "--json", "--file", "tests/answers/tickets.jsonl"]);
    let answers = asked.json();
    let answers = answers.as_array().expect("a list");
    let expected = lines("expected.jsonl");
    assert_eq!(answers.len(), expected.len());

    let mut reader =
        Reader { desk: &desk, models: &models, bundles: BTreeMap::new(), records: BTreeMap::new() };
    let mut claims = 0;
    let mut wrong = Vec::new();
    for (triage, expected) in answers.iter().zip(&expected) {
        let answer = &triage["answer"];
        let parts =
            ["known", "likely_cause", "check_first", "what_to_do", "verification", "escalation", "compare"];
        let earlier = list(answer, "earlier").iter().flat_map(|earlier| list(earlier, "claims"));
        for claim in parts.iter().flat_map(|part| list(answer, part)).chain(earlier) {
            reader.follow(answer, claim);
            claims += 1;
        }
        let cited = list(answer, "sources").iter().filter_map(|source| source["record"].as_str());
        let cited: Vec<&str> = cited.filter_map(|id| Some(id.split_once(':')?.1)).collect();
        let is_right = if expected["answerable"] == true {
            list(expected, "documents")
                .iter()
                .any(|document| cited.contains(&document.as_str().unwrap_or_default()))
        } else {
            answer.is_null()
        };
        if !is_right {
            wrong.push(text(expected, "id").to_owned());
        }
    }
    assert!(claims > 200, "only {claims} sentences");
    assert!(expected.len() - wrong.len() >= RIGHT, "not right: {wrong:?}");
}
