//! Does a part of a mapping take an item? Tests on its fields.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::pick::{Fields, OneOrMany, regex, same_name};
use crate::Format;

/// Tests on fields: all of one table must hold, and one of several tables. No table always holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct When(Vec<BTreeMap<String, Test>>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestTable {
    is: Option<OneOrMany>,
    not: Option<OneOrMany>,
    #[serde(default, deserialize_with = "regex")]
    matches: Option<Regex>,
    #[serde(default, deserialize_with = "regex")]
    not_matches: Option<Regex>,
    exists: Option<bool>,
}

#[derive(Debug, Clone)]
struct Test(TestTable);

impl When {
    pub(crate) fn holds(&self, fields: Fields<'_>) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|tests| tests.iter().all(|(path, test)| test.holds(path, fields)))
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|tests| tests.keys().map(String::as_str))
    }
}

impl Test {
    fn holds(&self, path: &str, fields: Fields<'_>) -> bool {
        let texts = fields.texts(path);
        let any_of = |words: &OneOrMany| {
            texts.iter().any(|text| words.0.iter().any(|word| word.to_lowercase() == text.to_lowercase()))
        };
        let exists = || {
            fields.at(path).into_iter().any(|value| match value {
                Value::Object(fields) => !fields.is_empty(),
                Value::String(text) => !text.trim().is_empty(),
                _ => true,
            })
        };
        let Self(test) = self;
        test.is.as_ref().is_none_or(any_of)
            && test.not.as_ref().is_none_or(|words| !any_of(words))
            && test.matches.as_ref().is_none_or(|pattern| texts.iter().any(|text| pattern.is_match(text)))
            && test
                .not_matches
                .as_ref()
                .is_none_or(|pattern| !texts.iter().any(|text| pattern.is_match(text)))
            && test.exists.is_none_or(|wanted| exists() == wanted)
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tests;
        impl<'de> Visitor<'de> for Tests {
            type Value = Test;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, a list of texts, or a table with `is`, `not`, `matches`, `not_matches` or `exists`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Test, E> {
                Ok(Test::one_of(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Test, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(Test::one_of(words))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Test, A::Error> {
                TestTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(Test)
            }
        }
        deserializer.deserialize_any(Tests)
    }
}

impl Test {
    fn one_of(words: Vec<String>) -> Self {
        Self(TestTable {
            is: Some(OneOrMany(words)),
            not: None,
            matches: None,
            not_matches: None,
            exists: None,
        })
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tables;
        impl<'de> Visitor<'de> for Tables {
            type Value = When;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table of field and test, or a list of such tables")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<When, A::Error> {
                let mut tables = Vec::new();
                while let Some(table) = list.next_element()? {
                    tables.push(table);
                }
                Ok(When(tables))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(|table| When(vec![table]))
            }
        }
        deserializer.deserialize_any(Tables)
    }
}

/// How a mapping knows its files: all that is given must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detect {
    /// Names of formats.
    #[serde(default)]
    format: Option<OneOrMany>,
    /// A pattern on the file's path.
    #[serde(default, deserialize_with = "regex")]
    path: Option<Regex>,
    /// Fields that an item has, filled or not.
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    when: When,
}

impl Detect {
    pub(super) fn matches(
        &self,
        format: Format,
        path: &str,
        sample: &[Value],
        objects_as: &[String],
    ) -> bool {
        let of_item = !self.has.is_empty() || self.when.paths().next().is_some();
        let item_fits = |value: &Value| {
            let has = |name: &String| has_field(value, name);
            self.has.iter().all(has) && self.when.holds(Fields { value, objects_as })
        };
        self.format.as_ref().is_none_or(|formats| formats.0.iter().any(|name| name == format.as_str()))
            && self.path.as_ref().is_none_or(|pattern| pattern.is_match(path))
            && (!of_item || sample.iter().any(item_fits))
    }
}

/// Whether a field is there, filled or not; `a.b` looks inside.
fn has_field(value: &Value, path: &str) -> bool {
    let Value::Object(fields) = value else { return false };
    if fields.keys().any(|key| same_name(key, path)) {
        return true;
    }
    let Some((first, rest)) = path.split_once('.') else { return false };
    fields.get(first).is_some_and(|inner| has_field(inner, rest))
}
