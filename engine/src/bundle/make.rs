//! How is a bundle put together? Search, choose passages by record, cut to the budget, number, hash.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ontology::{Kind, Record, RecordId, Relation, Scope, SectionKind, Span};

use super::identity::identity;
use super::{BUNDLE_SCHEMA, Bundle, BundleItem, BundleRequest, LeftOut, LeftOutReason, Subject, facts};
use crate::derive::{self, PassageSpan};
use crate::desk::{Desk, DeskError, resolve};
use crate::query::{Hit, Passage, Query, passage};
use crate::snapshot::Snapshot;
use crate::table::{KeyId, Revision};

/// Budgets outside this range are brought to its ends.
const BUDGET_TOKENS: std::ops::RangeInclusive<u32> = 200..=100_000;
/// The best records may show this many passages; the others their best and what solved them.
const FULL_RECORDS: usize = 3;
const PASSAGES_OF_FULL_RECORD: usize = 8;
/// Bytes of a token where no embedder counts them; English prose has about four.
const BYTES_PER_TOKEN: usize = 4;

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
        let answer = self.answer(&snapshot, scope, &query)?;
        let mut selection = Selection::new(self, request.budget_tokens);
        for (place, hit) in answer.hits.hits.iter().enumerate() {
            let Some(record) = self.read(hit.position)? else { continue };
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
            Subject::Record(id) => match self.record(scope, id, as_of)? {
                Some(observation) => {
                    let mut asked = of_record(&observation.record);
                    if matches!(observation.record.kind, Kind::ConfigurationItem | Kind::Service) {
                        asked.about.push(id.clone());
                    }
                    Ok(asked)
                }
                None => Err(DeskError::NoSuchRecord { id: id.clone() }),
            },
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

/// The passages of a hit worth showing, in the order of the record. A good hit shows what leads to action too.
fn chosen(hit: &Hit, record: &Record, revision: &Revision, full: bool) -> Vec<PassageSpan> {
    let best = hit.passage.as_ref().map(|passage| (passage.section.unwrap_or(derive::TITLE), passage.span));
    let is_best = |place: &PassageSpan| best == Some((place.section, place.span));
    let acts = |place: &PassageSpan| {
        let kind = record.sections.get(usize::from(place.section)).map(|section| section.kind);
        match kind {
            Some(SectionKind::Resolution | SectionKind::RootCause) => true,
            Some(
                SectionKind::Steps
                | SectionKind::Diagnosis
                | SectionKind::Verification
                | SectionKind::Escalation,
            ) => full,
            Some(SectionKind::WorkNote | SectionKind::Comment) | None => false,
            // A page's warnings and notes stand in sections of any name.
            Some(_) => full && record.kind.is_knowledge(),
        }
    };
    let limit = if full { PASSAGES_OF_FULL_RECORD } else { 2 };
    let wanted: BTreeSet<usize> = {
        let places = revision.passages.iter().enumerate();
        let first = places.clone().filter(|(_, place)| is_best(place));
        first.chain(places.filter(|(_, place)| acts(place))).map(|(index, _)| index).take(limit).collect()
    };
    wanted.into_iter().filter_map(|index| revision.passages.get(index).copied()).collect()
}

/// Items chosen so far, and the tokens they take.
struct Selection<'a> {
    desk: &'a Desk,
    budget: u32,
    tokens: u32,
    items: Vec<BundleItem>,
    left_out: Vec<LeftOut>,
    texts: BTreeSet<String>,
}

impl<'a> Selection<'a> {
    fn new(desk: &'a Desk, budget: u32) -> Self {
        let budget = budget.clamp(*BUDGET_TOKENS.start(), *BUDGET_TOKENS.end());
        Self { desk, budget, tokens: 0, items: Vec::new(), left_out: Vec::new(), texts: BTreeSet::new() }
    }

    fn take(&mut self, hit: &Hit, record: &Record, places: &[PassageSpan]) {
        let before = self.items.len();
        let mut reason = LeftOutReason::Budget;
        for place in places {
            let Some(passage) = passage(record, *place) else { continue };
            if !self.texts.insert(passage.text.clone()) {
                reason = LeftOutReason::Duplicate;
                continue;
            }
            let tokens = self.count(&passage.text);
            if self.tokens + tokens > self.budget {
                self.texts.remove(&passage.text);
                continue;
            }
            self.tokens += tokens;
            let handle = format!("S{}", self.items.len() + 1);
            self.items.push(item(handle, hit, record, passage, tokens));
        }
        if self.items.len() == before {
            self.left_out.push(LeftOut { record: hit.record.clone(), title: hit.title.clone(), reason });
        }
    }

    fn count(&self, text: &str) -> u32 {
        let tokens = match &self.desk.embedder {
            Some(embedder) => embedder.count_tokens(text),
            None => text.len().div_ceil(BYTES_PER_TOKEN),
        };
        u32::try_from(tokens).unwrap_or(u32::MAX / 2)
    }
}

fn item(handle: String, hit: &Hit, record: &Record, passage: Passage, tokens: u32) -> BundleItem {
    let steps = passage.section.and_then(|section| record.sections.get(usize::from(section)));
    let inside = |step: &&Span| step.start >= passage.span.start && step.end <= passage.span.end;
    let steps = steps.map_or_else(Vec::new, |section| {
        let shift = passage.span.start;
        let steps = section.steps.iter().filter(inside);
        steps.map(|step| Span { start: step.start - shift, end: step.end - shift }).collect()
    });
    BundleItem {
        handle,
        record: hit.record.clone(),
        kind: hit.kind,
        title: hit.title.clone(),
        section: passage.section,
        section_kind: passage.kind,
        heading: passage.heading,
        span: passage.span,
        text: passage.text,
        steps,
        tokens,
        revision: hit.revision.clone(),
        position: hit.position,
        state: hit.state,
        created: hit.created,
        modified: hit.modified,
        valid_until: hit.valid_until,
        expired: hit.expired,
        score: hit.score,
        legs: hit.legs.clone(),
        path: hit.path.clone(),
        shared: hit.shared.clone(),
        url: record.url.clone(),
    }
}
