//! What can be said without a language model? Sentences of the chosen page and of the tickets that agree with it, word for word.

use std::collections::BTreeSet;

use engine::FactKind;
use ontology::{Kind, Record, RecordId, SectionKind, Span};

use crate::cited::{Answer, Claim, Earlier, Otherwise};
use crate::finding::Neighbour;
use crate::lead::{Lead, TOLD_WEIGHT};
use crate::material::{Material, of_kinds};
use crate::sources::{Passage, Sources};
use crate::words;

/// Who wrote an answer without a language model.
pub(crate) const EXTRACTIVE: &str = "extractive";
/// Tickets whose cause and solution are told, and sentences of each at most: two that agree are a pattern, more is noise.
const TOLD_TICKETS: usize = 2;
const TOLD_SENTENCES: usize = 2;
/// Sentences of a page's symptom, environment and meaning.
const PAGE_SENTENCES: usize = 3;
/// Sentences of each section of the ticket that leads the answer.
const LEAD_SENTENCES: usize = 6;
/// Share of a sentence's words from which another says the same.
const SAID_ALREADY: f64 = 0.8;

/// The answer in the sources' own words.
pub(crate) fn extract(material: &Material<'_>, sources: &mut Sources) -> Answer {
    let mut answer = Answer { by: EXTRACTIVE.to_owned(), ..Answer::default() };
    let agreeing = material.agreeing();
    let tied = facts(material, &agreeing, sources, &mut answer.known);
    match material.lead {
        Lead::Page(_) => by_page(material, &agreeing, sources, &mut answer),
        Lead::Ticket(ticket) => {
            answer.precedent = Some(ticket.id().clone());
            by_ticket(material, &agreeing, sources, &mut answer);
        }
        Lead::Nobody => {}
    }
    answer.otherwise = otherwise(material, sources);
    for id in tied {
        let bundle = &material.evidence.tickets;
        let is_told = bundle
            .items
            .iter()
            .any(|item| item.record == *id && matches!(item.kind, Kind::Problem | Kind::Change));
        if is_told {
            earlier(material, id, &[SectionKind::RootCause, SectionKind::Resolution], sources, &mut answer);
        }
    }
    answer
}

/// What the page says, part by part.
fn by_page(material: &Material<'_>, agreeing: &[&Neighbour], sources: &mut Sources, answer: &mut Answer) {
    for passage in material.lead_parts(&[SectionKind::Symptom, SectionKind::Environment]) {
        whole(material, passage, PAGE_SENTENCES, sources, &mut answer.compare);
    }
    for passage in material.lead_parts(&[SectionKind::RootCause, SectionKind::Description]) {
        whole(material, passage, PAGE_SENTENCES, sources, &mut answer.likely_cause);
    }
    like_tickets(material, agreeing, TOLD_TICKETS, sources, answer);
    let parts: [(&[SectionKind], &mut Vec<Claim>); 4] = [
        (&[SectionKind::Diagnosis], &mut answer.check_first),
        (&[SectionKind::Other, SectionKind::Steps, SectionKind::Resolution], &mut answer.what_to_do),
        (&[SectionKind::Verification], &mut answer.verification),
        (&[SectionKind::Escalation], &mut answer.escalation),
    ];
    for (kinds, claims) in parts {
        for passage in material.lead_parts(kinds) {
            in_order(material, passage, sources, claims);
        }
    }
}

/// What else fits the ticket, in short: when, why, and what to do.
fn otherwise(material: &Material<'_>, sources: &mut Sources) -> Option<Otherwise> {
    let passage = material.second_passages.first()?;
    let (first, title) = (passage.item, passage.title(material.redactor));
    let (record, kind) = (first.record.clone(), first.kind);
    let (compare, likely_cause, what_to_do) = (Vec::new(), Vec::new(), Vec::new());
    let mut other = Otherwise { record, kind, title, compare, likely_cause, what_to_do };
    if first.kind.is_knowledge() {
        let parts: [(&[SectionKind], &mut Vec<Claim>); 2] = [
            (&[SectionKind::Symptom, SectionKind::Environment], &mut other.compare),
            (&[SectionKind::RootCause], &mut other.likely_cause),
        ];
        for (kinds, claims) in parts {
            for passage in of_kinds(&material.second_passages, kinds) {
                whole(material, passage, PAGE_SENTENCES, sources, claims);
            }
        }
        let tells = [SectionKind::Diagnosis, SectionKind::Other, SectionKind::Steps, SectionKind::Resolution];
        for passage in of_kinds(&material.second_passages, &tells) {
            in_order(material, passage, sources, &mut other.what_to_do);
        }
    } else {
        for (kind, claims) in [
            (SectionKind::RootCause, &mut other.likely_cause),
            (SectionKind::Resolution, &mut other.what_to_do),
        ] {
            for passage in of_kinds(&material.second_passages, &[kind]) {
                in_full(material, passage, sources, claims);
            }
        }
    }
    (!other.what_to_do.is_empty()).then_some(other)
}

/// How the earlier ticket was solved, in full and in its own words, then what tickets that agree with it add.
fn by_ticket(material: &Material<'_>, agreeing: &[&Neighbour], sources: &mut Sources, answer: &mut Answer) {
    let parts: [(SectionKind, &mut Vec<Claim>); 3] = [
        (SectionKind::RootCause, &mut answer.likely_cause),
        (SectionKind::WorkNote, &mut answer.check_first),
        (SectionKind::Resolution, &mut answer.what_to_do),
    ];
    for (kind, claims) in parts {
        for passage in material.lead_parts(&[kind]) {
            in_full(material, passage, sources, claims);
        }
    }
    let others: Vec<&Neighbour> = agreeing.iter().skip(1).copied().collect();
    like_tickets(material, &others, TOLD_TICKETS - 1, sources, answer);
}

/// What a section of an earlier ticket says, without its mere pointers.
fn in_full(material: &Material<'_>, passage: Passage<'_>, sources: &mut Sources, claims: &mut Vec<Claim>) {
    let sentences = words::sentences(&passage.item.text).into_iter();
    let told = sentences.filter(|span| span.of(&passage.item.text).is_some_and(says_something));
    for span in told.take(LEAD_SENTENCES) {
        claim(material, passage, span, sources, claims);
    }
}

/// Adds why tickets that agree happened and how they were solved.
fn like_tickets(
    material: &Material<'_>,
    agreeing: &[&Neighbour],
    limit: usize,
    sources: &mut Sources,
    answer: &mut Answer,
) {
    let mut told = 0;
    for neighbour in agreeing {
        if told == limit {
            break;
        }
        let kinds = [SectionKind::RootCause, SectionKind::Resolution];
        told += usize::from(earlier(material, neighbour.id(), &kinds, sources, answer));
    }
}

/// Adds what an earlier record tells, under its own name. Returns whether it told anything.
fn earlier(
    material: &Material<'_>,
    id: &RecordId,
    kinds: &[SectionKind],
    sources: &mut Sources,
    answer: &mut Answer,
) -> bool {
    let mut claims = Vec::new();
    let passages = material.passages_of(id, kinds);
    for passage in &passages {
        of_ticket(material, *passage, sources, &mut claims);
    }
    let is_said = |claim: &Claim| {
        let says = words::content_words(&claim.text);
        answer.claims().any(|other| words::overlap(&says, &words::content_words(&other.text)) > SAID_ALREADY)
    };
    claims.retain(|claim| !is_said(claim));
    let (Some(passage), false) = (passages.first(), claims.is_empty()) else { return false };
    answer.earlier.push(Earlier { record: id.clone(), kind: passage.item.kind, claims });
    true
}

fn says_something(text: &str) -> bool {
    let named = words::identifiers(text);
    words::content_words(text).iter().filter(|word| !named.contains(*word)).count() >= 2 && !is_pointer(text)
}

/// Open tickets, problems and recent changes that belong to the story. Returns them.
fn facts<'a>(
    material: &Material<'a>,
    agreeing: &[&'a Neighbour],
    sources: &mut Sources,
    known: &mut Vec<Claim>,
) -> BTreeSet<&'a RecordId> {
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
    tied
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
    let hidden = material.redactor.redact(&passage.item.text);
    let mut told = 0;
    for span in words::sentences(&passage.item.text) {
        let Some(text) = span.of(&passage.item.text) else { continue };
        let (start, end) = (span.start as usize, span.end as usize);
        let is_private = hidden.replacements().iter().any(|one| one.start < end && one.end > start);
        let is_elsewhere = words::identifiers(text).iter().any(|identifier| !allowed.contains(identifier));
        let says = words::content_words(text);
        if is_private || is_elsewhere || !says_something(text) {
            continue;
        }
        let is_told = claims
            .iter()
            .any(|claim| words::overlap(&says, &words::content_words(&claim.text)) > SAID_ALREADY);
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
    allowed.extend(material.lead.record().into_iter().flat_map(record_identifiers));
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
        let whole = &passage.item.text;
        material.redactor.redact(whole).part(whole, span.start as usize, span.end as usize)
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
