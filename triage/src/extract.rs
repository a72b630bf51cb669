//! What can be said without a language model? Sentences of the chosen page and of the tickets that agree with it, word for word.

use std::collections::BTreeSet;

use engine::{Bundle, BundleItem, Fact, FactKind};
use models::Redactor;
use ontology::{Kind, Record, RecordId, SectionKind, Span};

use crate::evidence::{Evidence, Neighbour};
use crate::page::Chosen;
use crate::result::{Answer, Claim, Source};
use crate::words;

/// Who wrote an answer without a language model.
pub(crate) const EXTRACTIVE: &str = "extractive";
/// Tickets whose cause and solution are told, and sentences of each at most: two that agree are a pattern, more is noise.
const TOLD_TICKETS: usize = 2;
const TOLD_SENTENCES: usize = 2;
/// Sentences of a page's symptom, environment and meaning.
const PAGE_SENTENCES: usize = 3;
/// Votes below which a neighbour is not told.
const TOLD_WEIGHT: f64 = 0.2;
/// Share of the words of a ticket's cause and solution that a page has when both speak of one thing.
const SAME_STORY: f64 = 0.35;

/// A passage that may be cited.
#[derive(Clone, Copy)]
pub(crate) struct Passage<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) item: &'a BundleItem,
}

/// The sources of an answer, numbered as they are cited.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) list: Vec<Source>,
}

impl Sources {
    pub(crate) fn passage(&mut self, passage: Passage<'_>, redactor: &Redactor) -> String {
        let Passage { bundle, item } = passage;
        let known = self.list.iter().find(|source| {
            source.record == item.record && source.section == item.section && source.span == Some(item.span)
        });
        if let Some(source) = known {
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
            title: if item.kind.is_ticket() {
                redactor.redact(&item.title).text().to_owned()
            } else {
                item.title.clone()
            },
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

    fn fact(&mut self, bundle: &Bundle, fact: &Fact, text: &str) -> String {
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

/// What an answer is made from.
pub(crate) struct Material<'a> {
    pub(crate) ticket: &'a Record,
    pub(crate) evidence: &'a Evidence,
    pub(crate) page: Option<&'a Chosen<'a>>,
    /// The chosen page's passages, in its order.
    pub(crate) page_passages: Vec<Passage<'a>>,
    pub(crate) redactor: &'a Redactor,
}

impl<'a> Material<'a> {
    /// Solved tickets that tell the page's story, best first; without a page, those that tell the nearest one's.
    pub(crate) fn agreeing(&self) -> Vec<&'a Neighbour> {
        let solved = self
            .evidence
            .neighbours
            .iter()
            .filter(|neighbour| neighbour.is_solved() && neighbour.weight >= TOLD_WEIGHT);
        let Some(chosen) = self.page else {
            let told: Vec<&Neighbour> =
                solved.filter(|neighbour| !words::story(&neighbour.record).is_empty()).collect();
            let first = told.first().map(|neighbour| words::story(&neighbour.record)).unwrap_or_default();
            return told
                .into_iter()
                .filter(|neighbour| words::overlap(&words::story(&neighbour.record), &first) >= SAME_STORY)
                .collect();
        };
        let page_words = words::of_record(&chosen.page.record);
        let names_page = |neighbour: &Neighbour| {
            neighbour.cites.contains(&chosen.page.record.id)
                || neighbour.cites.iter().any(|id| chosen.page.replaces.contains(id))
        };
        // A page of another word on the matter, or one that was replaced, is not to come back through the tickets of its time.
        let is_outdated = |neighbour: &Neighbour| {
            !chosen.page.replaces.is_empty() && neighbour.record.resolved < chosen.page.record.modified
        };
        let names_other = |neighbour: &Neighbour| {
            neighbour
                .cites
                .iter()
                .any(|id| chosen.page.contradicts.contains(id) || chosen.page.replaces.contains(id))
        };
        solved
            .filter(|neighbour| !names_other(neighbour) && !is_outdated(neighbour))
            .filter(|neighbour| {
                names_page(neighbour)
                    || words::overlap(&words::story(&neighbour.record), &page_words) >= SAME_STORY
            })
            .collect()
    }

    fn passages_of(&self, id: &RecordId, kinds: &[SectionKind]) -> Vec<Passage<'a>> {
        let bundle = &self.evidence.tickets;
        let items =
            bundle.items.iter().filter(|item| item.record == *id && kinds.contains(&item.section_kind));
        items.map(|item| Passage { bundle, item }).collect()
    }

    fn page_parts(&self, kinds: &[SectionKind]) -> Vec<Passage<'a>> {
        self.page_passages
            .iter()
            .filter(|passage| kinds.contains(&passage.item.section_kind))
            .copied()
            .collect()
    }
}

/// The answer in the sources' own words.
pub(crate) fn extract(material: &Material<'_>, sources: &mut Sources) -> Answer {
    let agreeing = material.agreeing();
    let mut answer = Answer { by: EXTRACTIVE.to_owned(), ..Answer::default() };
    facts(material, &agreeing, sources, &mut answer.known);
    for passage in material.page_parts(&[SectionKind::Symptom, SectionKind::Environment]) {
        whole(material, passage, PAGE_SENTENCES, sources, &mut answer.known);
    }
    causes(material, &agreeing, sources, &mut answer);
    for passage in material.page_parts(&[SectionKind::Diagnosis]) {
        in_order(material, passage, sources, &mut answer.check_first);
    }
    for passage in material.page_parts(&[SectionKind::Other, SectionKind::Steps, SectionKind::Resolution]) {
        in_order(material, passage, sources, &mut answer.what_to_do);
    }
    if answer.what_to_do.is_empty() {
        for neighbour in agreeing.iter().take(TOLD_TICKETS) {
            for passage in material.passages_of(neighbour.id(), &[SectionKind::Resolution]) {
                of_ticket(material, passage, sources, &mut answer.what_to_do);
            }
        }
    }
    for passage in material.page_parts(&[SectionKind::Verification]) {
        in_order(material, passage, sources, &mut answer.verification);
    }
    for passage in material.page_parts(&[SectionKind::Escalation]) {
        in_order(material, passage, sources, &mut answer.escalation);
    }
    answer
}

/// Open tickets, problems and recent changes that belong to the story.
fn facts(material: &Material<'_>, agreeing: &[&Neighbour], sources: &mut Sources, known: &mut Vec<Claim>) {
    let near = material.evidence.neighbours.iter().filter(|neighbour| neighbour.weight >= TOLD_WEIGHT);
    let mut tied: BTreeSet<&RecordId> = near.clone().map(Neighbour::id).collect();
    tied.extend(agreeing.iter().flat_map(|neighbour| neighbour.tied.iter()));
    tied.extend(near.filter(|neighbour| !neighbour.is_solved()).flat_map(|neighbour| neighbour.tied.iter()));
    let bundle = &material.evidence.tickets;
    let told = [FactKind::OpenTicket, FactKind::Problem, FactKind::RecentChange];
    let mut said = BTreeSet::new();
    for fact in bundle.facts.iter().filter(|fact| told.contains(&fact.kind) && tied.contains(&fact.object)) {
        if said.insert(&fact.object) {
            let text = material.redactor.redact(&fact.text).text().to_owned();
            let handles = vec![sources.fact(bundle, fact, &text)];
            known.push(Claim { text, handles, span: None });
        }
    }
    for id in tied {
        for passage in material
            .passages_of(id, &[SectionKind::RootCause, SectionKind::Resolution, SectionKind::Description])
        {
            if matches!(passage.item.kind, Kind::Problem | Kind::Change) {
                of_ticket(material, passage, sources, known);
            }
        }
    }
}

/// What agreeing tickets and the page give as the cause, and how the nearest was solved.
fn causes(material: &Material<'_>, agreeing: &[&Neighbour], sources: &mut Sources, answer: &mut Answer) {
    for passage in material.page_parts(&[SectionKind::RootCause, SectionKind::Description]) {
        whole(material, passage, PAGE_SENTENCES, sources, &mut answer.likely_cause);
    }
    let mut told = 0;
    for neighbour in agreeing {
        let before = answer.likely_cause.len();
        for passage in
            material.passages_of(neighbour.id(), &[SectionKind::RootCause, SectionKind::Resolution])
        {
            of_ticket(material, passage, sources, &mut answer.likely_cause);
        }
        told += usize::from(answer.likely_cause.len() > before);
        if told == TOLD_TICKETS {
            break;
        }
    }
}

/// The first sentences of a passage of a page.
fn whole(
    material: &Material<'_>,
    passage: Passage<'_>,
    limit: usize,
    sources: &mut Sources,
    claims: &mut Vec<Claim>,
) {
    for span in words::sentences(&passage.item.text).into_iter().take(limit) {
        claim(material, passage, span, sources, claims);
    }
}

/// All of a passage: its steps as they stand, and the sentences around them.
fn in_order(material: &Material<'_>, passage: Passage<'_>, sources: &mut Sources, claims: &mut Vec<Claim>) {
    let text = &passage.item.text;
    let mut steps = passage.item.steps.clone();
    steps.sort();
    let mut at = 0_u32;
    let around = |from: u32, to: u32| {
        let part = text.get(from as usize..to as usize).unwrap_or_default();
        words::sentences(part)
            .into_iter()
            .map(move |span| Span { start: span.start + from, end: span.end + from })
    };
    let mut spans: Vec<Span> = Vec::new();
    for step in steps.into_iter().filter(|step| step.of(text).is_some()) {
        // A step inside another one is told with it.
        if step.start >= at {
            spans.extend(around(at, step.start));
            spans.push(step);
            at = step.end;
        }
    }
    spans.extend(around(at, u32::try_from(text.len()).unwrap_or(at)));
    for span in spans {
        claim(material, passage, span, sources, claims);
    }
}

/// Sentences of another ticket that hold for this one too.
fn of_ticket(material: &Material<'_>, passage: Passage<'_>, sources: &mut Sources, claims: &mut Vec<Claim>) {
    let allowed = allowed_identifiers(material, &passage.item.record);
    let mut told = 0;
    for span in words::sentences(&passage.item.text) {
        let Some(text) = span.of(&passage.item.text) else { continue };
        let is_private = !material.redactor.redact(text).replacements().is_empty();
        let is_elsewhere = words::identifiers(text).iter().any(|identifier| !allowed.contains(identifier));
        let says = words::content_words(text);
        if is_private || is_elsewhere || says.len() < 2 || is_pointer(text) {
            continue;
        }
        let is_told =
            claims.iter().any(|claim| words::overlap(&says, &words::content_words(&claim.text)) > 0.8);
        if is_told {
            continue;
        }
        claim(material, passage, span, sources, claims);
        told += 1;
        if told == TOLD_SENTENCES {
            break;
        }
    }
}

/// Sentences that only point somewhere else.
fn is_pointer(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["duplicate of", "see ", "as in ", "same as ", "parent "].iter().any(|start| lower.starts_with(start))
        || (lower.split_whitespace().count() < 4 && lower.contains("kb0"))
}

/// Identifiers that are not of one other ticket alone: the ticket's own, the page's, what is hit, and what several tickets name.
fn allowed_identifiers(material: &Material<'_>, from: &RecordId) -> BTreeSet<String> {
    let mut allowed = record_identifiers(material.ticket);
    if let Some(chosen) = material.page {
        allowed.extend(record_identifiers(&chosen.page.record));
    }
    for fact in &material.evidence.tickets.facts {
        allowed.extend(words::identifiers(&fact.text));
    }
    for neighbour in material.evidence.neighbours.iter().filter(|neighbour| neighbour.id() != from) {
        allowed.extend(record_identifiers(&neighbour.record));
    }
    allowed
}

fn record_identifiers(record: &Record) -> BTreeSet<String> {
    let mut found = words::identifiers(&record.title);
    found.extend(record.sections.iter().flat_map(|section| words::identifiers(&section.text)));
    found
}

fn claim(
    material: &Material<'_>,
    passage: Passage<'_>,
    span: Span,
    sources: &mut Sources,
    claims: &mut Vec<Claim>,
) {
    let Some(text) = span.of(&passage.item.text) else { return };
    let text = if passage.item.kind.is_ticket() {
        material.redactor.redact(text).text().to_owned()
    } else {
        text.to_owned()
    };
    // A step's own number stands before its span and says nothing.
    if !text.chars().any(char::is_alphabetic) || claims.iter().any(|claim| claim.text == text) {
        return;
    }
    let handles = vec![sources.passage(passage, material.redactor)];
    claims.push(Claim { text, handles, span: Some(span) });
}
