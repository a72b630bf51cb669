//! How is a bundle put together? Search, choose passages by record, cut to the budget, number, hash.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ontology::{Kind, Record, RecordId, Relation, Scope, SectionKind};

use super::choose::{Selection, chosen};
use super::identity::identity;
use super::{BUNDLE_SCHEMA, Bundle, BundleRequest, Subject, facts};
use crate::desk::{Desk, DeskError, resolve};
use crate::query::{self, Query};
use crate::snapshot::Snapshot;
use crate::table::KeyId;

/// The best records may show this many passages; the others their best and what solved them.
const FULL_RECORDS: usize = 3;

impl Desk {
    /// Makes a context bundle and keeps it. When the same was made before, its stored bytes are the answer: one id, one
    /// bundle, with the generation, scores and moment of the first time.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope, an unknown record, a generation not yet reached, or a damaged log.
    pub fn bundle(
        &self,
        scope: &Scope,
        request: &BundleRequest,
        now: Timestamp,
    ) -> Result<Bundle, DeskError> {
        let bundle = self.make_bundle(scope, request, now)?;
        let is_whole = |stored: &Bundle| identity(stored, scope, request) == stored.id;
        let stored = self.database.store_bundle(&bundle, request, now, &is_whole)?;
        Ok(stored.unwrap_or(bundle))
    }

    pub(super) fn make_bundle(
        &self,
        scope: &Scope,
        request: &BundleRequest,
        now: Timestamp,
    ) -> Result<Bundle, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        if let Some(asked) = request.minimum_generation.filter(|asked| *asked > snapshot.generation()) {
            return Err(DeskError::Behind { asked, generation: snapshot.generation() });
        }
        let subject = self.asked(&snapshot, scope, &request.about, request.as_of)?;
        let query = Query {
            filters: request.filters.clone(),
            limit: request.limit,
            about: subject.about.clone(),
            exclude: subject.itself.clone().into_iter().collect(),
            as_of: request.as_of,
            deadline: request.deadline_millis.map(|millis| Instant::now() + Duration::from_millis(millis)),
            ..Query::new(subject.question.clone(), now)
        };
        // Each record is read once, for its hit and for its passages.
        let records = Mutex::new(BTreeMap::new());
        let kept = || records.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |position| {
            let record = self.read(position)?;
            kept().insert(position, record.clone());
            Ok(record)
        };
        let answer = query::search(&snapshot, self.embedder.as_deref(), scope, &query, &read)?;
        let mut selection = Selection::new(self, request.budget_tokens);
        for (place, hit) in answer.hits.hits.iter().enumerate() {
            let Some(record) = kept().remove(&hit.position).flatten() else { continue };
            let Some(revision) = snapshot.table.revision(hit.position) else { continue };
            // Who names a record wants all of it.
            let is_named = !request.filters.records.is_empty();
            let full = || chosen(hit, &record, revision, place < FULL_RECORDS);
            let places = if is_named { revision.passages.to_vec() } else { full() };
            selection.take(hit, &record, &places);
        }
        let visible = snapshot.visible(scope, request.as_of);
        let moment = request.as_of.or(snapshot.newest).unwrap_or(now);
        let facts = facts::facts(&snapshot, &visible, &subject.about, subject.itself.as_ref(), moment);
        let mut bundle = Bundle {
            schema: BUNDLE_SCHEMA.to_owned(),
            id: String::new(),
            question: subject.question,
            audiences: scope.audiences.clone(),
            hidden: scope.hidden.clone(),
            as_of: request.as_of,
            generation: answer.hits.generation,
            embedder: answer.embedding.and(self.embedder.as_ref()).map(|e| e.id().as_str().to_owned()),
            budget_tokens: selection.budget,
            tokens: selection.tokens,
            items: selection.items,
            facts,
            left_out: selection.left_out,
            degraded: answer.hits.degraded,
            warnings: answer.hits.warnings,
            language: answer.hits.language,
        };
        bundle.id = identity(&bundle, scope, request);
        Ok(bundle)
    }

    /// What a subject asks, and which records it is about.
    pub(crate) fn asked(
        &self,
        snapshot: &Snapshot,
        scope: &Scope,
        subject: &Subject,
        as_of: Option<Timestamp>,
    ) -> Result<Asked, DeskError> {
        let visible = snapshot.visible(scope, as_of);
        let of_record = |record: &Record| {
            let resolved = record.links.iter().flat_map(|link| {
                let targets = resolve(&snapshot.table, &visible, &record.id, &link.target);
                targets.into_iter().map(|target| (link.relation, target))
            });
            let linked: Vec<(Relation, RecordId)> = resolved.collect();
            let about = linked.iter().filter(|(relation, _)| is_about(*relation));
            let mut about: Vec<RecordId> = about.map(|(_, target)| target.clone()).collect();
            about.sort();
            about.dedup();
            Asked { question: question(record), about, linked, itself: Some(record.id.clone()) }
        };
        match subject {
            Subject::Text(text) => Ok(Asked {
                question: text.clone(),
                about: self.named_in(snapshot, &visible, text),
                linked: Vec::new(),
                itself: None,
            }),
            Subject::Ticket(record) => {
                let mut asked = of_record(record);
                asked.about.extend(self.named_in(snapshot, &visible, &asked.question));
                asked.about.sort();
                asked.about.dedup();
                Ok(asked)
            }
            // From this snapshot, not from the desk, which may show a later position by now.
            Subject::Record(id) => {
                match snapshot.table.shown(id, &visible).map(|at| self.read(at)).transpose()?.flatten() {
                    Some(record) => {
                        let mut asked = of_record(&record);
                        if matches!(record.kind, Kind::ConfigurationItem | Kind::Service) {
                            asked.about.push(id.clone());
                        }
                        Ok(asked)
                    }
                    None => Err(DeskError::NoSuchRecord { id: id.clone() }),
                }
            }
        }
    }

    /// Configuration items and services that a text names.
    fn named_in(&self, snapshot: &Snapshot, visible: &crate::visible::Visible, text: &str) -> Vec<RecordId> {
        let mentions = snapshot.names.mentions(text, |id| snapshot.table.is_owned(KeyId(id), visible));
        let mut ids: Vec<RecordId> = mentions
            .into_iter()
            .flat_map(|mention| snapshot.table.resolve(KeyId(mention.id), visible))
            .filter_map(|position| snapshot.table.revision(position))
            .filter(|revision| matches!(revision.kind, Kind::ConfigurationItem | Kind::Service))
            .map(|revision| revision.id.clone())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// A subject, ready to be searched for.
pub(crate) struct Asked {
    pub(crate) question: String,
    /// The records it is about, by its links and by the names in its text.
    pub(crate) about: Vec<RecordId>,
    /// All that its links lead to.
    pub(crate) linked: Vec<(Relation, RecordId)>,
    /// The record itself, which is left out of its own answer.
    pub(crate) itself: Option<RecordId>,
}

fn is_about(relation: Relation) -> bool {
    matches!(relation, Relation::Affects | Relation::CausedBy | Relation::RelatedTo | Relation::Documents)
}

/// What a ticket says, before anybody worked on it: its title and what its caller wrote.
fn question(record: &Record) -> String {
    let told = record.sections.iter().filter(|section| {
        matches!(
            section.kind,
            SectionKind::Description
                | SectionKind::Symptom
                | SectionKind::Environment
                | SectionKind::Impact
                | SectionKind::Comment
                | SectionKind::Other
        )
    });
    let mut text = record.title.clone();
    for section in told {
        text.push('\n');
        text.push_str(&section.text);
    }
    text
}
