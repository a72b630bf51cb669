//! What of an item does a mapping leave out, or not understand? It is kept as attributes, and told when a mapping is checked.

use std::collections::HashMap;

use ontology::Record;
use serde_json::Value;

use super::apply::{rank, state};
use super::date;
use super::pick::{Fields, Pick, same_name};
use super::spec::{RecordSpec, Spec};

/// Attributes that a mapping names, values that it does not understand, and, where it wants them, all other fields.
pub(super) fn attributes(record: &mut Record, spec: &RecordSpec, mapping: &Spec, fields: Fields<'_>) {
    for (name, pick) in &spec.attributes {
        let found = pick.all(fields);
        if !found.is_empty() {
            record.attributes.insert(name.clone(), found.join(", "));
        }
    }
    for (_, pick, words) in worded(spec) {
        for (path, text) in pick.unread(fields, |text| words.has(text, mapping)) {
            record.attributes.entry(path).or_insert(text);
        }
    }
    if spec.keep_rest == Some(true) {
        for (path, value) in leaves(fields.value) {
            let is_taken = path.starts_with('$') || spec.taken.iter().any(|taken| covers(taken, &path));
            if !is_taken && !record.attributes.contains_key(&path) {
                record.attributes.insert(path, value);
            }
        }
    }
}

/// States, ranks and dates of an item that are filled and yet understood by nothing.
pub(super) fn unknown_values(spec: &RecordSpec, mapping: &Spec, fields: Fields<'_>) -> Vec<String> {
    let mut unknown = Vec::new();
    for (what, pick, words) in worded(spec) {
        let found = pick.all(fields);
        if !found.is_empty() && !found.iter().any(|text| words.has(text, mapping)) {
            let how = match words {
                Words::Dates => "give its format in `dates`",
                _ => "name it in a map",
            };
            unknown.push(format!("{what} {:?} is not understood: {how}", found[0]));
        }
    }
    unknown
}

/// What the values of a field must be among.
#[derive(Clone, Copy)]
enum Words {
    States,
    Ranks,
    Dates,
}

impl Words {
    fn has(self, text: &str, mapping: &Spec) -> bool {
        match self {
            Self::States => state(text).is_some(),
            Self::Ranks => rank(text).is_some(),
            Self::Dates => date::parse(text, &mapping.dates, &mapping.time_zone).is_some(),
        }
    }
}

/// The fields of a record whose values are not just any text.
fn worded(spec: &RecordSpec) -> [(&'static str, &Pick, Words); 9] {
    [
        ("state", &spec.state, Words::States),
        ("priority", &spec.priority, Words::Ranks),
        ("impact", &spec.impact, Words::Ranks),
        ("urgency", &spec.urgency, Words::Ranks),
        ("created", &spec.created, Words::Dates),
        ("modified", &spec.modified, Words::Dates),
        ("resolved", &spec.resolved, Words::Dates),
        ("valid_until", &spec.valid_until, Words::Dates),
        ("valid_from", &spec.valid_from, Words::Dates),
    ]
}

/// Whether a path that a mapping reads takes a field, or something around it.
pub(crate) fn covers(taken: &str, path: &str) -> bool {
    path.get(..taken.len()).is_some_and(|start| same_name(start, taken))
        && (path.len() == taken.len() || path.as_bytes()[taken.len()] == b'.')
}

/// Longest path; what is below a longer one is told by its beginning, or each of many fields would have a long one to itself.
const PATH_LIMIT_BYTES: usize = 256;

/// All texts of an item by their path; those of lists are joined.
pub(crate) fn leaves(value: &Value) -> Vec<(String, String)> {
    let mut leaves = Leaves::default();
    leaves.walk(value, "");
    leaves.found
}

#[derive(Default)]
struct Leaves {
    found: Vec<(String, String)>,
    /// Where each path stands in what was found.
    places: HashMap<String, usize>,
}

impl Leaves {
    fn walk(&mut self, value: &Value, path: &str) {
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                for (name, value) in fields {
                    let mut path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    path.truncate(path.floor_char_boundary(PATH_LIMIT_BYTES));
                    self.walk(value, &path);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| self.walk(value, path)),
            Value::String(text) => self.add(path, text.trim()),
            scalar => self.add(path, &scalar.to_string()),
        }
    }

    fn add(&mut self, path: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.places.get(path) {
            Some(at) => {
                let (_, texts) = &mut self.found[*at];
                texts.push_str(", ");
                texts.push_str(text);
            }
            None => {
                self.places.insert(path.to_owned(), self.found.len());
                self.found.push((path.to_owned(), text.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_what_is_under_it() {
        assert!(covers("a.b", "a.b.c") && covers("Short description", "short_description"));
        assert!(covers("pair", "pair") && !covers("a", "ab"));
    }

    #[test]
    fn fields_below_a_long_key_do_not_each_have_it() {
        let fields: serde_json::Map<_, _> = (0..20_000).map(|n| (n.to_string(), n.into())).collect();
        let found = leaves(&serde_json::json!({ "é".repeat(20_000): fields }));
        assert!(found.iter().map(|(path, _)| path.len()).sum::<usize>() <= PATH_LIMIT_BYTES);
        let texts = found.iter().map(|(_, texts)| texts.split(", ").count());
        assert_eq!(texts.sum::<usize>(), 20_000);
    }
}
