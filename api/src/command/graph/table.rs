//! How does an answer of SPARQL look on a terminal? A table whose cells say ids and short names instead of addresses.

use std::collections::BTreeMap;

use anyhow::Context;
use ontology::vocabulary::{dcterms, oslc_cm, prov, skos, tg};
use serde::Deserialize;

use crate::output::{self, BOLD, paint};

/// Columns are at least this wide before they are cut.
const NARROWEST: usize = 12;
const RECORD: &str = "urn:triagraph:record:";
const PREFIXES: [(&str, &str); 6] = [
    ("tg", tg::NAMESPACE),
    ("dcterms", dcterms::NAMESPACE),
    ("oslc_cm", oslc_cm::NAMESPACE),
    ("prov", prov::NAMESPACE),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("skos", skos::NAMESPACE),
];

/// The W3C's JSON of results, as far as a table needs it.
#[derive(Deserialize)]
struct Answer {
    head: Head,
    results: Option<Results>,
    boolean: Option<bool>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    vars: Vec<String>,
}

#[derive(Deserialize)]
struct Results {
    bindings: Vec<BTreeMap<String, Term>>,
}

#[derive(Deserialize)]
struct Term {
    r#type: String,
    value: serde_json::Value,
}

/// A table at most `width` wide, or yes or no.
pub(crate) fn render(json: &[u8], width: usize) -> anyhow::Result<String> {
    let answer: Answer = serde_json::from_slice(json).context("the answer is no SPARQL results JSON")?;
    if let Some(yes) = answer.boolean {
        return Ok(if yes { "yes" } else { "no" }.to_owned());
    }
    let bindings = answer.results.map(|results| results.bindings).unwrap_or_default();
    if bindings.is_empty() {
        return Ok("no rows".to_owned());
    }
    let columns = &answer.head.vars;
    let rows: Vec<Vec<String>> = bindings
        .iter()
        .map(|row| columns.iter().map(|column| row.get(column).map_or_else(String::new, cell)).collect())
        .collect();
    let length = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, name)| {
            rows.iter().map(|row| length(&row[index])).chain([length(name)]).max().unwrap_or(0)
        })
        .collect();
    fit(&mut widths, width);
    let join = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{:<width$}", output::shorten(cell, *width)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![paint(BOLD, join(columns))];
    lines.extend(rows.iter().map(|row| join(row)));
    Ok(lines.join("\n"))
}

/// Takes from the widest column until all fit, as long as one is wider than it must be.
fn fit(widths: &mut [usize], width: usize) {
    let gaps = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

/// A term as people read it: a record's id, a prefixed name, or the plain text.
fn cell(term: &Term) -> String {
    let text = term.value.as_str().map_or_else(|| term.value.to_string(), str::to_owned);
    if term.r#type != "uri" {
        return text;
    }
    if let Some(id) = text.strip_prefix(RECORD) {
        return decode(id);
    }
    let short = PREFIXES
        .iter()
        .find_map(|(prefix, namespace)| text.strip_prefix(namespace).map(|name| format!("{prefix}:{name}")));
    short.unwrap_or(text)
}

/// Percent-decodes; what is no such code stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_error| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_tables() {
        let check = |json: &str, expected: &str| {
            let table = render(json.as_bytes(), 40).unwrap();
            assert_eq!(anstream::adapter::strip_str(&table).to_string(), expected);
        };
        check(r#"{"head": {}, "boolean": true}"#, "yes");
        check(r#"{"head": {"vars": ["a"]}, "results": {"bindings": []}}"#, "no rows");
        check(
            r#"{"head": {"vars": ["r", "n"]}, "results": {"bindings": [
                {"r": {"type": "uri", "value": "urn:triagraph:record:wiki:net%2FVPN%20reset.md"}, "n": {"type": "literal", "value": "7"}},
                {"r": {"type": "uri", "value": "http://purl.org/dc/terms/title"}}]}}"#,
            "r                      n\nwiki:net/VPN reset.md  7\ndcterms:title",
        );
    }

    #[test]
    fn wide_columns_give_way() {
        let mut widths = [5, 100, 40];
        fit(&mut widths, 60);
        assert_eq!(widths, [5, 26, 25]);
        let mut many = [12; 9];
        fit(&mut many, 60);
        assert_eq!(many, [12; 9]);
    }
}
