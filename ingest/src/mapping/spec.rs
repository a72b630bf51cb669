//! What does the language of mappings have? Its words, read from TOML; unknown ones are errors.

mod finish;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use ontology::{Kind, Relation, SectionKind};
use serde::{Deserialize, Deserializer};

use super::condition::{Detect, When};
use super::pick::Pick;
use crate::text::Markup;

/// A mapping file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    pub(super) name: String,
    /// What it is for; for people.
    #[serde(default)]
    #[expect(dead_code, reason = "read by people, and allowed in the file")]
    description: String,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default = "utc", deserialize_with = "time_zone")]
    pub(super) time_zone: TimeZone,
    #[serde(default)]
    pub(super) dates: Vec<String>,
    #[serde(default)]
    pub(super) objects_as: Vec<String>,
    #[serde(default)]
    pub(super) items: Vec<String>,
    #[serde(default)]
    pub(super) detect: Vec<Detect>,
    #[serde(default)]
    pub(super) skip: Vec<Skip>,
    #[serde(default)]
    common: Option<RecordSpec>,
    #[serde(default)]
    pub(super) record: Vec<RecordSpec>,
    /// The paths that are read around an item.
    #[serde(skip)]
    pub(super) around: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Skip {
    #[serde(default)]
    pub(super) when: When,
    pub(super) reason: String,
}

/// The source's name that stands for the name of the file's folder.
const FOLDER: &str = "$folder";

/// What is done with an id that comes again in the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Repeats {
    /// It is a later revision of the same record.
    #[default]
    Revise,
    /// It is another record: a number is put behind its id.
    Number,
    /// It says nothing new: it is skipped.
    Skip,
}

/// How one kind of record is made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordSpec {
    #[serde(default)]
    pub(super) when: When,
    pub(super) kind: Option<Kind>,
    #[serde(default)]
    pub(super) id: Pick,
    #[serde(default)]
    pub(super) title: Pick,
    #[serde(default)]
    pub(super) names: Pick,
    #[serde(default)]
    pub(super) subject: Pick,
    #[serde(default)]
    pub(super) subject_by_id: Pick,
    #[serde(default)]
    pub(super) links: BTreeMap<Relation, Pick>,
    #[serde(default)]
    pub(super) links_by_id: BTreeMap<Relation, Pick>,
    #[serde(default)]
    pub(super) section: Vec<SectionSpec>,
    #[serde(default)]
    pub(super) state: Pick,
    #[serde(default)]
    pub(super) priority: Pick,
    #[serde(default)]
    pub(super) impact: Pick,
    #[serde(default)]
    pub(super) urgency: Pick,
    #[serde(default)]
    pub(super) category: Pick,
    #[serde(default)]
    pub(super) created: Pick,
    #[serde(default)]
    pub(super) modified: Pick,
    #[serde(default)]
    pub(super) resolved: Pick,
    #[serde(default)]
    pub(super) valid_until: Pick,
    #[serde(default)]
    pub(super) valid_from: Pick,
    pub(super) valid_days: Option<u16>,
    #[serde(default)]
    pub(super) audience: Pick,
    #[serde(default)]
    pub(super) url: Pick,
    #[serde(default)]
    pub(super) revision: Pick,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Pick>,
    pub(super) keep_rest: Option<bool>,
    /// The paths that it reads, for keeping the rest.
    #[serde(skip)]
    pub(super) taken: BTreeSet<String>,
    pub(super) repeats: Option<Repeats>,
}

/// How sections are made of a field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionSpec {
    #[serde(default)]
    pub(super) when: When,
    pub(super) kind: SectionKind,
    #[serde(default)]
    pub(super) heading: String,
    /// A path to a list whose elements each give a section; the picks below then look into the element.
    #[serde(default)]
    pub(super) each: Option<String>,
    pub(super) from: Pick,
    #[serde(default)]
    pub(super) markup: Markup,
    #[serde(default)]
    pub(super) journal: Option<Journal>,
    #[serde(default)]
    pub(super) author: Pick,
    #[serde(default)]
    pub(super) written: Pick,
}

/// How entries with author and time are written into one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Journal {
    Servicenow,
    JiraCsv,
}

fn utc() -> TimeZone {
    TimeZone::UTC
}

fn time_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(|error| serde::de::Error::custom(format!("no time zone {name:?}: {error}")))
}
