//! Whom and what do tickets name? Pages in their notes, and the people who wrote and worked on them.

use std::collections::BTreeSet;

use models::{KnownName, NameKind};
use ontology::{Record, Reference, Relation, Section, SectionKind};

use crate::finding::Neighbour;

/// What a ticket's notes name that may be a page.
pub(crate) fn page_names(record: &Record) -> BTreeSet<String> {
    let notes = record.sections.iter().filter(|section| is_note(section));
    notes.flat_map(|section| in_text(&section.text)).collect()
}

fn is_note(section: &Section) -> bool {
    matches!(
        section.kind,
        SectionKind::Resolution
            | SectionKind::RootCause
            | SectionKind::WorkNote
            | SectionKind::Comment
            | SectionKind::Steps
    )
}

/// Words of a note that may name a page: numbers such as KB0010293, files such as `wms-db-locks.md`, addresses.
fn in_text(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '`'));
    words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| {
            let is_number = word.len() > 4
                && word.starts_with(char::is_alphabetic)
                && word.ends_with(|c: char| c.is_ascii_digit());
            is_number || word.ends_with(".md") || word.contains("://")
        })
        .map(str::to_owned)
        .collect()
}

/// People whom the ticket and its neighbours name: callers, assignees, authors of notes.
pub(crate) fn people(ticket: &Record, neighbours: &[Neighbour]) -> Vec<KnownName> {
    let records = neighbours.iter().map(|neighbour| &neighbour.record).chain([ticket]);
    let mut names = BTreeSet::new();
    for record in records {
        names.extend(record.sections.iter().filter_map(|section| section.author.clone()));
        names.extend(record.attributes.get("assignee").cloned());
        for link in record.links.iter().filter(|link| link.relation == Relation::ReportedBy) {
            if let Reference::Name(name) = &link.target {
                names.insert(name.clone());
            }
        }
    }
    let is_person = |name: &String| name.contains(' ');
    names.into_iter().filter(is_person).map(|name| KnownName { name, kind: NameKind::Person }).collect()
}
