//! What do a system's fields mean? Mappings: TOML files, the built-in ones and users' own, in one language.

mod apply;
mod builtin;
mod condition;
mod date;
mod inside;
mod pick;
mod rest;
mod spec;

use ontology::RecordId;
use serde_json::Value;

pub(crate) use apply::{Given, Outcome};
pub(crate) use rest::{covers, leaves};
pub(crate) use spec::Repeats;

use crate::Format;
use pick::Fields;
use spec::{SectionSpec, Spec};

/// A mapping, ready to use.
#[derive(Debug)]
pub struct Mapping {
    spec: Spec,
}

/// Why a text is no mapping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not what the language of mappings has.
    #[error("mapping {name}, line {line}: {message}")]
    Invalid {
        /// The mapping's file or name.
        name: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// No built-in mapping of that name.
    #[error("no built-in mapping {name:?}: there are {known}; or name a file")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The sample to check a mapping on cannot be read.
    #[error("cannot read the sample {name}: {reason}")]
    Sample {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl MappingError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid-mapping",
            Self::Unknown { .. } => "unknown-mapping",
            Self::Sample { .. } => "unreadable-sample",
        }
    }
}

impl Mapping {
    /// Reads a mapping; `name` stands in errors.
    ///
    /// # Errors
    /// [`MappingError::Invalid`] with the line, for whatever is not in the language, unknown keys too.
    pub fn parse(name: &str, text: &str) -> Result<Self, MappingError> {
        let invalid = |span: Option<std::ops::Range<usize>>, message: &str| {
            let before = span.map_or("", |span| text.get(..span.start).unwrap_or(text));
            let line = 1 + before.matches('\n').count();
            MappingError::Invalid { name: name.to_owned(), line, message: message.to_owned() }
        };
        let mut spec: Spec = toml::from_str(text).map_err(|error| invalid(error.span(), error.message()))?;
        spec.finish().map_err(|message| invalid(None, &message))?;
        Ok(Self { spec })
    }

    /// A built-in mapping.
    ///
    /// # Errors
    /// [`MappingError::Unknown`], naming those that there are.
    pub fn builtin(name: &str) -> Result<Self, MappingError> {
        let found = builtin::ALL.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| MappingError::Unknown {
            name: name.to_owned(),
            known: Self::builtin_names().collect::<Vec<_>>().join(", "),
        })?;
        Self::parse(name, text)
    }

    /// The names of the built-in mappings, in the order in which they are tried on a file.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        builtin::ALL.iter().map(|(name, _)| *name)
    }

    /// The text of a built-in mapping, to begin one's own from.
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        builtin::ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Its name, as it stands in lineage.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The source's name where none is given; without it the folder's name is taken.
    pub(crate) fn source(&self) -> Option<&str> {
        self.spec.source.as_deref()
    }

    /// Whether the mapping knows files like this one, told by some of its first items.
    pub(crate) fn detects(&self, format: Format, path: &str, sample: &[Value]) -> bool {
        self.spec.detect.iter().any(|detect| detect.matches(format, path, sample, &self.spec.objects_as))
    }

    /// Whether it says which files it knows; if not, it takes any.
    pub(crate) fn has_detection(&self) -> bool {
        !self.spec.detect.is_empty()
    }

    /// The items that lie inside of one document; each keeps as `$up` what the mapping reads around it.
    ///
    /// # Errors
    /// In words, when what is around them is too much.
    pub(crate) fn items(&self, value: Value) -> Result<Vec<Value>, String> {
        match self.inside(&value) {
            Some((steps, _)) => inside::take_apart(value, &steps, &self.spec.around),
            None => Ok(vec![value]),
        }
    }

    /// How many items lie inside of one document.
    pub(crate) fn count_items(&self, value: &Value) -> usize {
        self.inside(value).map_or(1, |(_, count)| count)
    }

    /// The path to the items inside of a document, and their number.
    fn inside(&self, value: &Value) -> Option<(Vec<&str>, usize)> {
        self.spec.items.iter().find_map(|path| {
            let steps: Vec<&str> = path.split('.').collect();
            let count = inside::count(value, &steps);
            (count > 0).then_some((steps, count))
        })
    }

    /// Makes of one item what the mapping says.
    pub(crate) fn apply(&self, value: &Value, given: &Given<'_>) -> Outcome {
        let id = |reason: String| Outcome::Rejected { record: None::<RecordId>, reason };
        let Value::Object(_) = value else {
            let what = match value {
                Value::Array(_) => "a list",
                Value::String(_) => "a text",
                _ => "a single value",
            };
            return id(format!("the item is {what}, not an object with fields"));
        };
        let fields = Fields { value, objects_as: &self.spec.objects_as };
        if let Some(skip) = self.spec.skip.iter().find(|skip| skip.when.holds(fields)) {
            return Outcome::Skipped { reason: skip.reason.clone() };
        }
        match self.spec.record.iter().find(|record| record.when.holds(fields)) {
            Some(record) => apply::record(record, &self.spec, fields, given),
            None => id(format!("no [[record]] of mapping {} takes it: see its `when`", self.spec.name)),
        }
    }

    /// What is wrong with an item that has none of the fields that title and text are taken from.
    pub(crate) fn lack(&self, value: &Value) -> Option<String> {
        let fields = Fields { value, objects_as: &self.spec.objects_as };
        let record = self.spec.record.iter().find(|record| record.when.holds(fields))?;
        apply::lack(record, &self.spec, fields)
    }

    /// The paths that the mapping reads, for telling what it leaves out.
    pub(crate) fn paths(&self) -> std::collections::BTreeSet<String> {
        let taken = self.spec.record.iter().flat_map(|record| record.taken.iter().cloned());
        let of_sections = self.spec.record.iter().flat_map(|record| &record.section);
        let of_sections = of_sections.filter(|section| section.each.is_none()).flat_map(SectionSpec::paths);
        taken.chain(of_sections.map(str::to_owned)).collect()
    }

    /// What each record is to have of its own, in words, and whether this item has it.
    pub(crate) fn required(&self, value: &Value) -> Vec<(String, bool)> {
        let fields = Fields { value, objects_as: &self.spec.objects_as };
        let Some(record) = self.spec.record.iter().find(|record| record.when.holds(fields)) else {
            return Vec::new();
        };
        let kind = record.kind.map_or("record", ontology::Kind::as_str);
        let required = [
            ("id", &record.id, "it is made of the file's name and the place in it"),
            ("title", &record.title, "it is made of the text"),
        ];
        let given = required.into_iter().filter(|(_, pick, _)| !pick.is_empty());
        let told = given.map(|(what, pick, instead)| {
            let paths: Vec<&str> = pick.paths().collect();
            let text = format!("{what} of each {kind}: no item has {}, so {instead}", paths.join(" or "));
            (text, pick.first(fields).is_some())
        });
        told.collect()
    }

    /// Fields whose values must be among known words, with the record specs' picks for them.
    pub(crate) fn unknown_values(&self, value: &Value) -> Vec<String> {
        let fields = Fields { value, objects_as: &self.spec.objects_as };
        match self.spec.record.iter().find(|record| record.when.holds(fields)) {
            Some(record) => rest::unknown_values(record, &self.spec, fields),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_mapping_is_valid() {
        for name in Mapping::builtin_names() {
            let mapping = Mapping::builtin(name).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(mapping.name(), name);
        }
    }

    #[test]
    fn what_is_not_in_the_language_is_an_error_with_its_line() {
        let check = |text: &str, line: usize, expected: &str| {
            let error = Mapping::parse("mine.toml", text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("mapping mine.toml, line {line}: ")), "{error}");
            assert!(error.contains(expected), "{error}");
        };
        check("name = \"x\"\ncolour = 1\n", 2, "colour");
        check("name = \"x\"\n[[record]]\nkind = \"ticket\"\n", 3, "ticket");
        check("name = \"x\"\n[[record]]\nkind = \"incident\"\n[record.links]\nblames = \"a\"\n", 5, "blames");
        check(
            "name = \"x\"\n[[record]]\nkind = \"incident\"\ntitle = { from = \"a\", math = \"(\" }\n",
            4,
            "math",
        );
        check(
            "name = \"x\"\n[[record]]\nkind = \"incident\"\ntitle = { from = \"a\", match = \"(\" }\n",
            4,
            "regex",
        );
        check("name = \"x\"\n[[record]]\nkind = \"incident\"\ntitle = \"{a\"\n", 4, "brace");
        check("name = \"x\"\ntime_zone = \"Mars\"\n", 2, "Mars");
        let record = "name = \"x\"\n[[record]]\nkind = \"incident\"\n";
        check(&format!("{record}[common]\nwhen = {{ a = \"b\" }}\n"), 1, "[common] has no `when`");
        check(&format!("{record}[common]\nsubject = \"a\"\n"), 1, "[common] has no `subject`");
        check(&format!("{record}[common]\nsubject_by_id = \"a\"\n"), 1, "`subject_by_id`");
        check(&format!("{record}[record.links]\nmentions = \"a\"\n"), 1, "`mentions`");
        check("name = \"x\"\n", 1, "record");
        check("name = \"x\n", 1, "");
    }
}
