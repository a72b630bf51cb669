//! What does the language of mappings have? Its words, read from TOML; unknown ones are errors.

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

impl RecordSpec {
    /// The paths of which at least one must be in an item: those of title and text, of a thing's names too.
    pub(super) fn telling_paths(&self) -> Vec<&str> {
        let of_sections = self.section.iter().flat_map(|section| match &section.each {
            Some(path) => vec![path.as_str()],
            None => section.from.paths().collect(),
        });
        let is_text = self.kind.is_some_and(|kind| kind.is_ticket() || kind.is_knowledge());
        let of_names = self.names.paths().chain(self.subject.paths()).chain(self.subject_by_id.paths());
        self.title.paths().chain(of_sections).chain(of_names.filter(|_| !is_text)).collect()
    }
}

impl Spec {
    /// Gives every record what is common, and checks what the types cannot.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        if self.record.is_empty() {
            return Err("there is no [[record]]: say what records are made of".to_owned());
        }
        if let Some(source) = self.source.as_deref().filter(|source| *source != FOLDER) {
            ontology::SourceId::new(source).map_err(|error| error.to_string())?;
        }
        let common = self.common.take().unwrap_or_default();
        for (number, record) in self.record.iter_mut().enumerate() {
            record.inherit(&common);
            record.taken = record.paths();
            let Some(kind) = record.kind else {
                return Err(format!("[[record]] number {} has no kind", number + 1));
            };
            let has_subject = !record.subject.is_empty() || !record.subject_by_id.is_empty();
            if (kind == Kind::Relationship) != has_subject {
                let number = number + 1;
                return Err(format!("[[record]] number {number}: kind relationship and subject go together"));
            }
        }
        Ok(())
    }
}

impl RecordSpec {
    fn inherit(&mut self, common: &Self) {
        let is_relationship = self.kind == Some(Kind::Relationship);
        let own_names = std::mem::take(&mut self.names);
        let own = [
            &mut self.id,
            &mut self.title,
            &mut self.state,
            &mut self.priority,
            &mut self.impact,
            &mut self.urgency,
            &mut self.category,
            &mut self.created,
            &mut self.modified,
            &mut self.resolved,
            &mut self.valid_until,
            &mut self.valid_from,
            &mut self.audience,
            &mut self.url,
            &mut self.revision,
        ];
        let theirs = [
            &common.id,
            &common.title,
            &common.state,
            &common.priority,
            &common.impact,
            &common.urgency,
            &common.category,
            &common.created,
            &common.modified,
            &common.resolved,
            &common.valid_until,
            &common.valid_from,
            &common.audience,
            &common.url,
            &common.revision,
        ];
        for (own, common) in own.into_iter().zip(theirs) {
            if !own.is_given() {
                own.clone_from(common);
            }
        }
        self.names = if own_names.is_given() || is_relationship { own_names } else { common.names.clone() };
        if is_relationship {
            return;
        }
        for (relation, pick) in &common.links {
            self.links.entry(*relation).or_insert_with(|| pick.clone());
        }
        for (relation, pick) in &common.links_by_id {
            self.links_by_id.entry(*relation).or_insert_with(|| pick.clone());
        }
        for (name, pick) in &common.attributes {
            self.attributes.entry(name.clone()).or_insert_with(|| pick.clone());
        }
        if self.section.is_empty() {
            self.section.clone_from(&common.section);
        }
        self.kind = self.kind.or(common.kind);
        self.valid_days = self.valid_days.or(common.valid_days);
        self.keep_rest = self.keep_rest.or(common.keep_rest);
        self.repeats = self.repeats.or(common.repeats);
    }

    fn picks(&self) -> impl Iterator<Item = &Pick> {
        [
            &self.id,
            &self.title,
            &self.names,
            &self.subject,
            &self.subject_by_id,
            &self.state,
            &self.priority,
            &self.impact,
            &self.urgency,
            &self.category,
            &self.created,
            &self.modified,
            &self.resolved,
            &self.valid_until,
            &self.valid_from,
            &self.audience,
            &self.url,
            &self.revision,
        ]
        .into_iter()
        .chain(self.links.values())
        .chain(self.links_by_id.values())
        .chain(self.attributes.values())
    }

    /// The paths that it reads, without the places of elements in lists.
    fn paths(&self) -> BTreeSet<String> {
        let mut paths: BTreeSet<String> = self.picks().flat_map(Pick::paths).map(str::to_owned).collect();
        paths.extend(self.when.paths().map(str::to_owned));
        for section in &self.section {
            match &section.each {
                Some(each) => drop(paths.insert(each.clone())),
                None => paths.extend(section.from.paths().map(str::to_owned)),
            }
        }
        paths.iter().map(|path| without_places(path)).collect()
    }
}

/// A path without the numbers that take one element of a list.
fn without_places(path: &str) -> String {
    path.split('.').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join(".")
}
