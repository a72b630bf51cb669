//! What does a YAML file hold? Its documents one by one, under budgets that stop a bomb; Helm and Go templates are borne.

use std::borrow::Cow;
use std::io::Read;
use std::sync::LazyLock;

use ontology::Place;
use regex::{Captures, Regex};
use serde_json::Value;

use super::whole;
use crate::raw::Raw;

/// The documents of a file; the elements of a document that is a list.
pub(super) fn read(bytes: impl Read) -> impl Iterator<Item = Raw> + Send {
    let items = match whole(bytes) {
        Ok(text) => documents(&text),
        Err(bad) => vec![bad],
    };
    items.into_iter()
}

fn documents(text: &str) -> Vec<Raw> {
    let mut items = Vec::new();
    let mut count = 0;
    for (first_line, document) in split(text) {
        let is_blank = document.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line == "---" || line == "..."
        });
        if is_blank {
            continue;
        }
        let value = match parse(document, first_line) {
            Ok(value) => value,
            Err(reason) => {
                count += 1;
                items.push(Raw::bad(Some(Place::Item(count)), reason, document.as_bytes()));
                continue;
            }
        };
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            count += 1;
            items.push(Raw::Item { place: Some(Place::Item(count)), value });
        }
    }
    items
}

/// Parses one document that begins in `first_line`.
pub(super) fn parse(document: &str, first_line: u64) -> Result<Value, String> {
    let parsed = deserialize(document);
    match parsed {
        Err(_) if document.contains("{{") => deserialize(&without_templates(document)),
        other => other,
    }
    .map_err(|(line, message)| {
        let line = line.map_or(first_line, |line| first_line + line - 1);
        format!("no YAML in line {line}: {message}")
    })
}

fn deserialize(document: &str) -> Result<Value, (Option<u64>, String)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 500_000, max_documents: 1 },
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    let values: Vec<Value> = serde_saphyr::from_multiple_with_options(document, options)
        .map_err(|error| (error.location().map(|at| at.line()), error.to_string()))?;
    Ok(values.into_iter().next().unwrap_or(Value::Null))
}

/// The documents and the lines they begin in. A line that begins with `---` always begins one.
fn split(text: &str) -> Vec<(u64, &str)> {
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if line.starts_with("---") && at > start {
            documents.push((start_line, &text[start..at]));
            (start, start_line) = (at, number);
        }
        at += line.len();
    }
    documents.push((start_line, &text[start..]));
    documents
}

/// Makes a template readable: lines that are only an action go, a value that begins with an action is quoted.
fn without_templates(document: &str) -> String {
    static ACTION_LINE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^\s*\{\{.*\}\}[ \t]*$").expect("a constant pattern"));
    static BARE_VALUE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^(\s*(?:- )?[\w./-]+:[ \t]+)(\{\{.*)$").expect("a constant pattern")
    });
    let document: Cow<'_, str> = ACTION_LINE.replace_all(document, "");
    let quoted = |found: &Captures<'_>| format!("{}'{}'", &found[1], found[2].trim_end().replace('\'', "''"));
    BARE_VALUE.replace_all(&document, quoted).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reason(text: &str) -> String {
        match documents(text).pop() {
            Some(Raw::Bad { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn documents_and_lists_are_items_and_a_bad_one_is_rejected_alone() {
        let items = documents("# only a remark\n---\na: 1\n---\nb: [1\n---\n- c: 3\n- c: 4\n");
        assert_eq!(items.len(), 4);
        let Raw::Bad { place: Some(Place::Item(2)), reason, .. } = &items[1] else { panic!("{items:?}") };
        assert!(reason.starts_with("no YAML in line "), "{reason}");
        assert!(matches!(&items[3], Raw::Item { value, .. } if value["c"] == 4));
    }

    #[test]
    fn a_template_is_read_as_the_text_it_is() {
        let text = "{{- if .On }}\nname: {{.Name}}\nnote: more than {{ $value }}\n{{- end }}\n";
        let Ok(value) = parse(text, 1) else { panic!("{:?}", parse(text, 1)) };
        assert_eq!((&value["name"], &value["note"]), (&"{{.Name}}".into(), &"more than {{ $value }}".into()));
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (name, of) in "bcdefghi".chars().zip("abcdefgh".chars()) {
            bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(",")));
        }
        assert!(reason(&bomb).contains("no YAML"), "{}", reason(&bomb));
        let deep = format!("a: {}", "[".repeat(10_000));
        assert!(reason(&deep).contains("no YAML"));
    }

    proptest! {
        #[test]
        fn any_text_ends_and_never_panics(text in "[-:{}\\[\\]&*!|>'\"# \na-c1\\PC]{0,80}") {
            let _ = documents(&text);
        }
    }
}
