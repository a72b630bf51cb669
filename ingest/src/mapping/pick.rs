//! How is a value taken from an item? Paths into its fields, templates of several, and what is done to the text found.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use regex::Regex;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::text::adf_text;

/// The fields of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'v> {
    pub(crate) value: &'v Value,
    /// Keys that stand for an object where a text is wanted, first found first taken.
    pub(crate) objects_as: &'v [String],
}

impl<'v> Fields<'v> {
    /// The values under a path; lists are taken apart.
    pub(crate) fn at(&self, path: &str) -> Vec<&'v Value> {
        let mut found = Vec::new();
        lookup(self.value, path, &mut found);
        found
    }

    pub(crate) fn texts(&self, path: &str) -> Vec<Cow<'v, str>> {
        self.at(path).into_iter().filter_map(|value| text(value, self.objects_as)).collect()
    }
}

/// A value as text, without outer white space; nothing for what is empty.
fn text<'v>(value: &'v Value, objects_as: &[String]) -> Option<Cow<'v, str>> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(is_true) => Some(Cow::Borrowed(if *is_true { "true" } else { "false" })),
        Value::Object(fields) => {
            let by_key = objects_as.iter().find_map(|key| text(fields.get(key)?, objects_as));
            by_key.or_else(|| adf_text(fields).map(Cow::Owned))
        }
        Value::Null | Value::Array(_) => None,
    }
}

/// Finds what is under a path: `a.b` in objects and through lists, `a.0` in a list; a key may hold the dots itself.
fn lookup<'v>(value: &'v Value, path: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Null => {}
        Value::Array(list) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Ok(at) = first.parse::<usize>() {
                list.get(at).into_iter().for_each(|value| lookup(value, rest, found));
            } else {
                list.iter().for_each(|value| lookup(value, path, found));
            }
        }
        _ if path.is_empty() => found.push(value),
        Value::Object(fields) => {
            let mut end = path.len();
            loop {
                if let Some(value) = field(fields, &path[..end]) {
                    lookup(value, path.get(end + 1..).unwrap_or_default(), found);
                    return;
                }
                match path[..end].rfind('.') {
                    Some(dot) => end = dot,
                    None => return,
                }
            }
        }
        _ => {}
    }
}

/// A field by its name; case, and which of space, dash and underscore is written, do not matter.
fn field<'v>(fields: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    fields.get(name).or_else(|| fields.iter().find(|(key, _)| same_name(key, name)).map(|(_, value)| value))
}

pub(crate) fn same_name(one: &str, other: &str) -> bool {
    let folded = |byte: u8| match byte {
        b' ' | b'-' => b'_',
        byte => byte.to_ascii_lowercase(),
    };
    one.len() == other.len() && one.bytes().map(folded).eq(other.bytes().map(folded))
}

/// Texts that a template gives at most, when its paths lead to lists.
const TEMPLATE_TEXTS: usize = 1_000;
/// And their bytes together: a long text would stand in each of them.
const TEMPLATE_BYTES: usize = 2 * crate::ITEM_LIMIT_BYTES;

/// What is taken for one thing: some terms, in order of preference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pick {
    terms: Vec<Term>,
    /// Whether the mapping says it, be it as an empty list, which takes nothing.
    is_given: bool,
}

#[derive(Debug, Clone, Default)]
struct Term {
    from: Vec<Origin>,
    split: Option<String>,
    matching: Option<Regex>,
    map: BTreeMap<String, String>,
    reference: Option<String>,
}

#[derive(Debug, Clone)]
enum Origin {
    Path(String),
    Template(Vec<Piece>),
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Path(String),
}

impl Pick {
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub(crate) fn is_given(&self) -> bool {
        self.is_given
    }

    /// The first text that is found.
    pub(crate) fn first(&self, fields: Fields<'_>) -> Option<String> {
        self.terms.iter().find_map(|term| {
            term.from.iter().find_map(|origin| term.texts(origin, fields).into_iter().next())
        })
    }

    /// All texts that are found, in order, none twice.
    pub(crate) fn all(&self, fields: Fields<'_>) -> Vec<String> {
        let each = self
            .terms
            .iter()
            .flat_map(|term| term.from.iter().flat_map(move |origin| term.texts(origin, fields)));
        distinct(each)
    }

    /// What is found and not understood, by the path that it stands under.
    pub(super) fn unread(
        &self,
        fields: Fields<'_>,
        understood: impl Fn(&str) -> bool,
    ) -> Vec<(String, String)> {
        let mut unread = Vec::new();
        for term in &self.terms {
            for origin in &term.from {
                if !term.texts(origin, fields).iter().any(|text| understood(text)) {
                    let texts = origin.paths().map(|path| (path.to_owned(), fields.texts(path).join(", ")));
                    unread.extend(texts.filter(|(_, text)| !text.is_empty()));
                }
            }
        }
        unread
    }

    /// The paths that it reads.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().flat_map(|term| &term.from).flat_map(Origin::paths)
    }
}

/// Each text once, where it comes first.
pub(super) fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

impl Term {
    fn texts(&self, origin: &Origin, fields: Fields<'_>) -> Vec<String> {
        let mut texts: Vec<String> = origin.texts(fields).into_iter().map(Cow::into_owned).collect();
        if let Some(split) = &self.split {
            texts = texts
                .iter()
                .flat_map(|text| text.split(split.as_str()))
                .map(|part| part.trim().to_owned())
                .collect();
        }
        if let Some(matching) = &self.matching {
            let matched = |text: &String| {
                let found = matching.captures(text)?;
                Some(found.get(1).or_else(|| found.get(0))?.as_str().trim().to_owned())
            };
            texts = texts.iter().filter_map(matched).collect();
        }
        for text in &mut texts {
            if let Some(mapped) = self.map.get(&text.to_lowercase()) {
                text.clone_from(mapped);
            }
            if let Some(kind) = &self.reference {
                *text = full_reference(text, kind);
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    }
}

/// `[kind:][namespace/]name` with nothing left out, in lower case, as Backstage compares them.
fn full_reference(text: &str, kind: &str) -> String {
    let (kind, rest) = text.split_once(':').unwrap_or((kind, text));
    let (namespace, name) = rest.split_once('/').unwrap_or(("default", rest));
    format!("{kind}:{namespace}/{name}").to_lowercase()
}

impl Origin {
    fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['{', '}']) {
            return Ok(Self::Path(text.to_owned()));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (path, after) =
                after.split_once('}').ok_or_else(|| format!("a brace is not closed in {text:?}"))?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Path(path.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self::Template(pieces))
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let (path, pieces) = match self {
            Self::Path(path) => (Some(path), [].as_slice()),
            Self::Template(pieces) => (None, pieces.as_slice()),
        };
        let inside = pieces.iter().filter_map(|piece| match piece {
            Piece::Path(path) => Some(path),
            Piece::Text(_) => None,
        });
        path.into_iter().chain(inside).map(String::as_str)
    }

    /// The texts of a path; those of a template, one for each text of its paths and none when a path has none.
    fn texts<'v>(&self, fields: Fields<'v>) -> Vec<Cow<'v, str>> {
        match self {
            Self::Path(path) => fields.texts(path),
            Self::Template(pieces) => {
                let mut wholes = vec![String::new()];
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => wholes.iter_mut().for_each(|whole| whole.push_str(text)),
                        Piece::Path(path) => {
                            let texts = fields.texts(path);
                            let mut room = TEMPLATE_BYTES;
                            let mut fits = |whole: &String| {
                                room = room.saturating_sub(whole.len());
                                room > 0
                            };
                            let pairs =
                                wholes.iter().flat_map(|whole| texts.iter().map(move |text| (whole, text)));
                            let joined = pairs.map(|(whole, text)| format!("{whole}{text}"));
                            wholes = joined.take(TEMPLATE_TEXTS).take_while(&mut fits).collect();
                        }
                    }
                }
                wholes.into_iter().map(Cow::Owned).collect()
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermWire {
    from: OneOrMany,
    split: Option<String>,
    #[serde(default, rename = "match", deserialize_with = "regex")]
    matching: Option<Regex>,
    #[serde(default)]
    map: BTreeMap<String, String>,
    reference: Option<String>,
}

/// A list of texts; one text stands for a list of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OneOrMany(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// A pattern, checked when it is read.
pub(super) fn regex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Regex::new(&text).map(Some).map_err(de::Error::custom)
}

impl<'de> Deserialize<'de> for Pick {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Picks;
        impl<'de> Visitor<'de> for Picks {
            type Value = Pick;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a path, a template, a table with `from`, or a list of them")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pick, E> {
                let origin = Origin::parse(text).map_err(E::custom)?;
                Ok(Pick { terms: vec![Term { from: vec![origin], ..Term::default() }], is_given: true })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pick, A::Error> {
                let mut terms = Vec::new();
                while let Some(pick) = list.next_element::<Pick>()? {
                    terms.extend(pick.terms);
                }
                Ok(Pick { terms, is_given: true })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pick, A::Error> {
                let wire = TermWire::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let from = wire.from.0.iter().map(|text| Origin::parse(text));
                let from = from.collect::<Result<_, _>>().map_err(de::Error::custom)?;
                let map = wire.map.into_iter().map(|(key, value)| (key.to_lowercase(), value)).collect();
                let term =
                    Term { from, split: wire.split, matching: wire.matching, map, reference: wire.reference };
                Ok(Pick { terms: vec![term], is_given: true })
            }
        }
        deserializer.deserialize_any(Picks)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pick(toml: &str) -> Pick {
        #[derive(Deserialize)]
        struct Holder {
            p: Pick,
        }
        toml::from_str::<Holder>(&format!("p = {toml}")).unwrap().p
    }

    fn all(toml: &str, value: &Value) -> Vec<String> {
        let objects_as = ["display_value".to_owned(), "value".to_owned()];
        pick(toml).all(Fields { value, objects_as: &objects_as })
    }

    #[test]
    fn paths_go_through_objects_lists_and_dotted_keys() {
        let value = json!({
            "Short description": "VPN", "a": {"b": [{"c": 1}, {"c": [true, null]}]}, "x.y": {"z": "dot"},
            "group": {"display_value": "Net", "value": "77"}, "pair": ["dcim", "site"], "empty": " "
        });
        let check = |toml: &str, expected: &[&str]| assert_eq!(all(toml, &value), expected, "{toml}");
        check("'short_description'", &["VPN"]);
        check("'a.b.c'", &["1", "true"]);
        check("'x.y.z'", &["dot"]);
        check("'group'", &["Net"]);
        check("'group.value'", &["77"]);
        check("'pair.1'", &["site"]);
        check("['empty', 'none', 'pair']", &["dcim", "site"]);
        check("'{pair.0}.{pair.1}:{group.value}'", &["dcim.site:77"]);
        check("'{pair.0}:{none}'", &[]);
        check("'<{pair}>'", &["<dcim>", "<site>"]);
        check("[]", &[]);
        let long = json!({"long": "x".repeat(1 << 20), "list": vec!["y"; 1_000]});
        assert_eq!(all("'{long}{list}'", &long).len(), 1);
        assert_eq!(
            pick("'{list}{long}'").terms[0]
                .texts(&Origin::parse("{list}{long}").unwrap(), Fields { value: &long, objects_as: &[] })
                .len(),
            31
        );
    }

    #[test]
    fn a_term_splits_matches_and_maps() {
        let value = json!({"list": "A-1, b-2,,x", "p": "2 - High", "ref": "team-a"});
        let check = |toml: &str, expected: &[&str]| assert_eq!(all(toml, &value), expected, "{toml}");
        check("{ from = 'list', split = ',', match = '(?i)^([a-z])-' }", &["A", "b"]);
        check("{ from = 'p', map = { '2 - high' = 'two' } }", &["two"]);
        check("{ from = 'ref', reference = 'group' }", &["group:default/team-a"]);
    }
}
