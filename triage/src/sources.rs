//! What is cited? The sources of an answer, numbered in the order in which its sentences name them.

use engine::{Bundle, BundleItem, Fact};
use models::RedactionSession;
use ontology::Kind;

use crate::cited::Source;

/// A passage that may be cited.
#[derive(Clone, Copy)]
pub(crate) struct Passage<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) item: &'a BundleItem,
}

impl<'a> Passage<'a> {
    /// The record's title; what is another person's is taken out of a ticket's.
    pub(crate) fn title(&self, redactor: &RedactionSession<'_>) -> String {
        let Self { item, .. } = self;
        if item.kind.is_ticket() {
            redactor.redact(&item.title).text().to_owned()
        } else {
            item.title.clone()
        }
    }

    /// Every passage of a bundle, in the order of its record.
    pub(crate) fn all(bundle: &'a Bundle) -> Vec<Self> {
        let mut passages: Vec<Self> = bundle.items.iter().map(|item| Self { bundle, item }).collect();
        passages.sort_by_key(|passage| (passage.item.section, passage.item.span));
        passages
    }
}

/// The sources of an answer, numbered as they are cited.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) list: Vec<Source>,
}

impl Sources {
    /// Whether a passage is cited already.
    pub(crate) fn knows(&self, passage: Passage<'_>) -> bool {
        self.find(passage).is_some()
    }

    fn find(&self, Passage { item, .. }: Passage<'_>) -> Option<&Source> {
        self.list.iter().find(|source| {
            source.record == item.record && source.section == item.section && source.span == Some(item.span)
        })
    }

    pub(crate) fn passage(&mut self, passage: Passage<'_>, redactor: &RedactionSession<'_>) -> String {
        let Passage { bundle, item } = passage;
        if let Some(source) = self.find(passage) {
            return source.handle.clone();
        }
        let passages = self.list.iter().filter(|source| source.handle.starts_with('S')).count();
        let handle = format!("S{}", passages + 1);
        self.list.push(Source {
            handle: handle.clone(),
            bundle: bundle.id.clone(),
            bundle_handle: item.handle.clone(),
            record: item.record.clone(),
            kind: item.kind,
            title: passage.title(redactor),
            section: item.section,
            section_kind: Some(item.section_kind),
            span: Some(item.span),
            position: Some(item.position),
            date: item.modified.or(item.created),
            expired: item.expired,
            url: item.url.clone(),
        });
        handle
    }

    pub(crate) fn fact(&mut self, bundle: &Bundle, fact: &Fact, text: &str) -> String {
        if self.list.iter().all(|source| source.handle != fact.handle) {
            self.list.push(Source {
                handle: fact.handle.clone(),
                bundle: bundle.id.clone(),
                bundle_handle: fact.handle.clone(),
                record: fact.object.clone(),
                kind: Kind::Relationship,
                title: text.to_owned(),
                section: None,
                section_kind: None,
                span: None,
                position: None,
                date: None,
                expired: false,
                url: None,
            });
        }
        fact.handle.clone()
    }
}
