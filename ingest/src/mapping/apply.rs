//! What record does an item become? The rules of one `[[record]]`, applied.

use std::collections::{BTreeSet, HashSet};
use std::str::FromStr;

use jiff::SignedDuration;
use ontology::{Audience, Kind, Link, Observation, Record, RecordId, Section, SourceId, State};
use serde_json::Value;

use super::date;
use super::pick::{Fields, Pick, distinct, same_name};
use super::rest;
use super::spec::{Journal, RecordSpec, Repeats, SectionSpec, Spec};
use crate::text;

/// What a mapping needs to know beside the item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'g> {
    pub(crate) source: &'g SourceId,
    pub(crate) lineage: &'g ontology::Lineage,
    /// Who may see what the mapping says nothing of.
    pub(crate) audience: &'g [Audience],
    /// The id of an item that has none.
    pub(crate) fallback_id: &'g str,
}

/// What an item became.
#[derive(Debug)]
pub(crate) enum Outcome {
    Record { observation: Box<Observation>, repeats: Repeats },
    Skipped { reason: String },
    Rejected { record: Option<RecordId>, reason: String },
}

/// Longest title and name, in characters; what is longer is cut or left out.
const TITLE_LIMIT: usize = 300;
const NAME_LIMIT: usize = 300;
/// A title made of a text is shorter.
const TITLE_FROM_TEXT_LIMIT: usize = 120;

pub(super) fn record(spec: &RecordSpec, mapping: &Spec, fields: Fields<'_>, given: &Given<'_>) -> Outcome {
    let external = spec.id.first(fields);
    let id = match RecordId::from_parts(given.source, external.as_deref().unwrap_or(given.fallback_id)) {
        Ok(id) => id,
        Err(error) => return Outcome::Rejected { record: None, reason: error.to_string() },
    };
    let reject = |reason: String| Outcome::Rejected { record: Some(id.clone()), reason };
    if let Some(reason) = lack(spec, mapping, fields) {
        return reject(reason);
    }
    let kind = spec.kind.unwrap_or(Kind::Article);
    let mut record = Record::new(id.clone(), kind, "");
    record.sections = sections(spec, mapping, fields, kind);
    record.names = names(&spec.names.all(fields));
    record.links = links(spec, fields, given.source);
    match title(spec, fields, &record) {
        Some(title) => record.title = title,
        None if has_content(fields) => record.title = text::one_line(given.fallback_id, TITLE_LIMIT),
        None => return reject("nothing in it: no title, no text, no field that is filled".to_owned()),
    }
    let date = |pick: &Pick| {
        pick.all(fields).iter().find_map(|text| date::parse(text, &mapping.dates, &mapping.time_zone))
    };
    record.state = spec.state.all(fields).iter().find_map(|text| state(text));
    record.priority = spec.priority.all(fields).iter().find_map(|text| rank(text));
    record.impact = spec.impact.all(fields).iter().find_map(|text| rank(text));
    record.urgency = spec.urgency.all(fields).iter().find_map(|text| rank(text));
    record.category = spec.category.all(fields);
    record.created = date(&spec.created);
    record.modified = date(&spec.modified);
    record.resolved = date(&spec.resolved);
    record.valid_until = date(&spec.valid_until).or_else(|| {
        let days = i64::from(spec.valid_days?);
        let from = if spec.valid_from.is_empty() {
            record.modified.or(record.created)
        } else {
            date(&spec.valid_from)
        };
        from?.checked_add(SignedDuration::from_hours(24 * days)).ok()
    });
    match audience(&spec.audience.all(fields), given.audience) {
        Ok(audience) => record.audience = audience,
        Err(reason) => return reject(reason),
    }
    record.url = spec.url.first(fields);
    rest::attributes(&mut record, spec, mapping, fields);
    if kind == Kind::Relationship {
        let by_id = spec.subject_by_id.first(fields).map(|external| format!("{}:{external}", given.source));
        match spec.subject.first(fields).or(by_id) {
            Some(subject) if !record.links.is_empty() => {
                record.attributes.insert(Kind::SUBJECT.to_owned(), subject);
            }
            _ => return reject("a relation without both of its ends".to_owned()),
        }
    }
    let lineage = given.lineage.clone();
    let observation = match spec.revision.first(fields) {
        Some(revision) => Observation { record, revision, lineage },
        None => Observation::unversioned(record, lineage),
    };
    Outcome::Record { observation: Box::new(observation), repeats: spec.repeats.unwrap_or_default() }
}

/// What is wrong with an item that has none of the fields that a mapping takes title and text from, be it empty ones.
pub(super) fn lack(spec: &RecordSpec, mapping: &Spec, fields: Fields<'_>) -> Option<String> {
    let item = fields.value.as_object()?;
    let wanted = spec.telling_paths();
    let is_there = |path: &&str| {
        let first = path.split('.').next().unwrap_or(path);
        item.keys().any(|key| same_name(key, path) || same_name(key, first))
    };
    if wanted.is_empty() || wanted.iter().any(is_there) || !has_content(fields) {
        return None;
    }
    let own: Vec<&str> = item.keys().map(String::as_str).filter(|key| !key.starts_with('$')).collect();
    Some(format!(
        "no field for a title or a text: mapping {} takes them from {}, here are only {}; name these in a mapping of your own",
        mapping.name,
        wanted.join(", "),
        text::one_line(&own.join(", "), TITLE_LIMIT)
    ))
}

/// Whether any field is filled, those aside that the reader itself put in.
fn has_content(fields: Fields<'_>) -> bool {
    fn is_filled(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(list) => list.iter().any(is_filled),
            Value::Object(fields) => fields.values().any(is_filled),
            _ => true,
        }
    }
    fields
        .value
        .as_object()
        .is_some_and(|fields| fields.iter().any(|(name, value)| !name.starts_with('$') && is_filled(value)))
}

fn title(spec: &RecordSpec, fields: Fields<'_>, record: &Record) -> Option<String> {
    let own = spec.title.first(fields).map(|title| text::one_line(&title, TITLE_LIMIT));
    let of_text =
        || record.sections.first().map(|section| text::one_line(&section.text, TITLE_FROM_TEXT_LIMIT));
    own.filter(|title| !title.is_empty())
        .or_else(of_text)
        .or_else(|| record.names.first().cloned())
        .filter(|title| !title.is_empty())
}

fn names(found: &[String]) -> Vec<String> {
    let short = found.iter().filter(|name| name.chars().count() <= NAME_LIMIT);
    let names = short.map(|name| text::one_line(name, NAME_LIMIT));
    distinct(names.filter(|name| !name.is_empty()))
}

fn links(spec: &RecordSpec, fields: Fields<'_>, source: &SourceId) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |link: Link| {
        if seen.insert(link.clone()) {
            links.push(link);
        }
    };
    for (relation, pick) in &spec.links {
        pick.all(fields).into_iter().for_each(|name| add(Link::by_name(*relation, name)));
    }
    for (relation, pick) in &spec.links_by_id {
        for external in pick.all(fields) {
            match RecordId::from_parts(source, &external) {
                Ok(id) => add(Link::to(*relation, id)),
                Err(_not_an_id) => add(Link::by_name(*relation, external)),
            }
        }
    }
    links
}

fn sections(spec: &RecordSpec, mapping: &Spec, fields: Fields<'_>, kind: Kind) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut seen = HashSet::new();
    for section in &spec.section {
        let elements = match &section.each {
            Some(path) => fields.at(path),
            None => vec![fields.value],
        };
        for value in elements {
            let fields = Fields { value, ..fields };
            if section.when.holds(fields) {
                for made in of_element(section, mapping, fields, kind) {
                    let Section { kind, heading, text, author, written, .. } = made.clone();
                    if seen.insert((kind, heading, text, author, written)) {
                        sections.push(made);
                    }
                }
            }
        }
    }
    sections
}

fn of_element(spec: &SectionSpec, mapping: &Spec, fields: Fields<'_>, kind: Kind) -> Vec<Section> {
    let moment = |text: &str| date::parse(text, &mapping.dates, &mapping.time_zone);
    let author = spec.author.first(fields);
    let written = spec.written.first(fields).and_then(|text| moment(&text));
    let mut sections = Vec::new();
    for found in spec.from.all(fields) {
        let entries = match spec.journal {
            None => vec![(author.clone(), written, spec.kind, found)],
            Some(journal) => {
                let entries = match journal {
                    Journal::Servicenow => text::servicenow_journal(&found),
                    Journal::JiraCsv => vec![text::jira_comment(&found)],
                };
                let entry = |entry: text::Entry| {
                    let written = entry.written.and_then(|text| moment(&text)).or(written);
                    (
                        entry.author.or_else(|| author.clone()),
                        written,
                        entry.kind.unwrap_or(spec.kind),
                        entry.text,
                    )
                };
                entries.into_iter().map(entry).collect()
            }
        };
        for (author, written, section_kind, body) in entries {
            for mut section in text::sections(&body, spec.markup, section_kind, kind == Kind::Runbook) {
                if section.heading.is_empty() {
                    section.heading.clone_from(&spec.heading);
                }
                (section.author, section.written) = (author.clone(), written);
                sections.push(section);
            }
        }
    }
    sections
}

pub(super) fn state(text: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| same_name(state.as_str(), text))
}

/// A rank from 1 to 5: the number that the text begins with, as in `2 - High` or `P2`.
pub(super) fn rank(text: &str) -> Option<u8> {
    let text = text.trim_start_matches(['P', 'p', 'S', 's']);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().ok().filter(|rank| (1..=5).contains(rank))
}

fn audience(found: &[String], default: &[Audience]) -> Result<Vec<Audience>, String> {
    if found.is_empty() {
        return Ok(if default.is_empty() { vec![Audience::staff()] } else { default.to_vec() });
    }
    let one = |name: &String| Audience::from_str(name).map_err(|error| error.to_string());
    let set: BTreeSet<Audience> = found.iter().map(one).collect::<Result<_, _>>()?;
    Ok(set.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_read_from_the_front() {
        for (text, expected) in
            [("2 - High", Some(2)), ("P1", Some(1)), ("high", None), ("9", None), ("", None)]
        {
            assert_eq!(rank(text), expected, "{text}");
        }
        assert_eq!(state("In Progress"), Some(State::InProgress));
    }
}
