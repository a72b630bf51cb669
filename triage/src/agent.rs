//! Which way does a ticket go? From received to answered or handed over; every step says what it used and why.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::{Bundle, Desk, DeskError};
use jiff::Timestamp;
use models::{KnownName, LanguageModel, RedactionPolicy, Redactor};
use ontology::{Record, RecordId, Scope};

use crate::check::Checker;
use crate::evidence::{Evidence, Gather};
use crate::extract::{Material, Passage, Sources, extract};
use crate::page::{self, Chosen};
use crate::result::{
    Answer, BundleRef, Claim, Dropped, Outcome, RelatedLine, StepTrace, Strength, TRIAGE_SCHEMA, Triage,
};
use crate::strength::{ENOUGH, strength};
use crate::{classify, draft};

/// Related tickets that are shown, and the vote from which one is.
const SHOWN_RELATED: usize = 5;
const SHOWN_WEIGHT: f64 = 0.05;
/// Passages that a language model is shown.
const MODEL_PASSAGES: usize = 12;

/// How to triage.
pub struct TriageOptions<'a> {
    /// Words the answer; without one the answer is made of the sources' own sentences.
    pub language_model: Option<&'a dyn LanguageModel>,
    /// Time for the language model.
    pub model_timeout: Duration,
    /// What must not reach a language model, or be shown of other people's tickets. People whom tickets name are always known.
    pub policy: RedactionPolicy,
    /// Names that the policy may ask for.
    pub known_names: Vec<KnownName>,
    /// Tokens of each bundle.
    pub budget_tokens: u32,
    /// Milliseconds for each search; legs that are late are left out and named.
    pub deadline_millis: Option<u64>,
}

impl Default for TriageOptions<'_> {
    fn default() -> Self {
        Self {
            language_model: None,
            model_timeout: Duration::from_secs(60),
            policy: RedactionPolicy { people: true, ..RedactionPolicy::default() },
            known_names: Vec::new(),
            budget_tokens: 4000,
            deadline_millis: None,
        }
    }
}

/// Why a ticket cannot be triaged. A language model that fails is no error: the answer is then extractive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriageError {
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl TriageError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Desk(error) => error.code(),
        }
    }
}

/// Triages a ticket, which need not be in the desk.
///
/// # Errors
/// [`TriageError`] for another tenant's scope or a damaged desk.
pub fn triage(
    desk: &Desk,
    scope: &Scope,
    ticket: &Record,
    options: &TriageOptions<'_>,
    now: Timestamp,
) -> Result<Triage, TriageError> {
    let mut trace = Trace::default();
    trace.add(
        "received",
        ticket.id.as_str(),
        format!("{}, {} sections", ticket.kind.as_str(), ticket.sections.len()),
    );
    let mut gather = Gather::new(desk, scope, now);
    let evidence = gather.evidence(ticket, options)?;
    let names: Vec<KnownName> = options.known_names.iter().chain(&evidence.people).cloned().collect();
    let redactor = Redactor::new(&options.policy, &names);
    let replaced: usize =
        ticket.sections.iter().map(|section| redactor.redact(&section.text).replacements().len()).sum();
    trace.add(
        "redacted",
        "rules and known names",
        format!("{replaced} places of the ticket are hidden from a language model"),
    );
    let affected = classify::affected(&gather, &evidence)?;
    trace.add(
        "enriched",
        &evidence.tickets.id,
        format!("{} affected, {} facts", affected.len(), evidence.tickets.facts.len()),
    );

    let chosen = page::choose(&evidence);
    let category = classify::category(ticket, &evidence);
    let priority = classify::priority(ticket, &evidence);
    let team = classify::team(&mut gather, &evidence, chosen.as_ref(), &affected)?;
    trace.add(
        "classified",
        "neighbours, graph, impact × urgency",
        format!("{} tickets voted", evidence.neighbours.len()),
    );

    let strength = strength(ticket, &evidence, chosen.as_ref());
    let usable = chosen.as_ref().filter(|chosen| chosen.is_enough());
    let extra = match usable {
        Some(chosen) if !has_steps(&evidence.knowledge, &chosen.page.record) => {
            Some(gather.bundle_of_page(&chosen.page.record, options.budget_tokens)?)
        }
        _ => None,
    };
    let material = Material {
        ticket,
        evidence: &evidence,
        page: usable,
        page_passages: page_passages(&evidence.knowledge, extra.as_ref(), usable),
        redactor: &redactor,
    };
    trace.add(
        "context",
        &evidence.knowledge.id,
        format!(
            "{} passages, strength {:.2}",
            evidence.tickets.items.len() + evidence.knowledge.items.len(),
            strength.score
        ),
    );

    let mut warnings = warnings(ticket, &evidence, usable);
    let (outcome, answer) = match hand_over(&material, &strength) {
        Some(reason) => {
            trace.add("handed_over", "", reason.clone());
            (Outcome::HandedOver { reason }, None)
        }
        None => {
            let answer = answer(desk, &material, options, &mut trace, &mut warnings);
            trace.add(
                "answered",
                &answer.by,
                format!("{} sentences, {} sources", answer.claims().count(), answer.sources.len()),
            );
            (Outcome::Answered, Some(answer))
        }
    };
    if let Some(answer) = &answer {
        cite(desk, answer, now)?;
    }
    let bundles = [Some(&evidence.tickets), Some(&evidence.knowledge), extra.as_ref()].into_iter().flatten();
    Ok(Triage {
        schema: TRIAGE_SCHEMA.to_owned(),
        ticket: ticket.id.clone(),
        title: ticket.title.clone(),
        triaged: now,
        outcome,
        category,
        priority,
        team,
        page: usable.map(Chosen::shown),
        related: related(&evidence, &redactor),
        affected,
        answer,
        strength,
        bundles: bundles
            .map(|bundle| BundleRef { id: bundle.id.clone(), generation: bundle.generation })
            .collect(),
        warnings,
        degraded: evidence.tickets.degraded.clone(),
        steps: trace.steps,
    })
}

#[derive(Default)]
struct Trace {
    steps: Vec<StepTrace>,
}

impl Trace {
    fn add(&mut self, step: &str, used: &str, why: impl Into<String>) {
        self.steps.push(StepTrace { step: step.to_owned(), used: used.to_owned(), why: why.into() });
    }
}

fn has_steps(knowledge: &Bundle, page: &Record) -> bool {
    let shown = knowledge.items.iter().filter(|item| item.record == page.id).count();
    shown > 1 || (shown == 1 && page.sections.len() == 1)
}

fn page_passages<'a>(
    knowledge: &'a Bundle,
    extra: Option<&'a Bundle>,
    chosen: Option<&Chosen<'_>>,
) -> Vec<Passage<'a>> {
    let (Some(chosen), bundle) = (chosen, extra.unwrap_or(knowledge)) else { return Vec::new() };
    let mut passages: Vec<Passage<'a>> = bundle
        .items
        .iter()
        .filter(|item| item.record == chosen.page.record.id)
        .map(|item| Passage { bundle, item })
        .collect();
    passages.sort_by_key(|passage| (passage.item.section, passage.item.span));
    passages
}

/// Why there is no answer, if there is none.
fn hand_over(material: &Material<'_>, strength: &Strength) -> Option<String> {
    if strength.score < ENOUGH {
        let nearest = strength
            .cosine
            .map(|cosine| format!(", the nearest text has similarity {cosine:.2}"))
            .unwrap_or_default();
        return Some(format!(
            "nothing in the desk is near enough: {:.0} % of the ticket's words are known{nearest}",
            strength.coverage * 100.0
        ));
    }
    let has_tickets = !material.agreeing().is_empty();
    match material.page {
        Some(chosen) if chosen.page.expired && !has_tickets => {
            Some(format!("the only page about this has expired: {}", chosen.page.record.title))
        }
        None if !has_tickets => Some("no page and no solved ticket tells what to do".to_owned()),
        _ => None,
    }
}

/// The extractive answer, with what is known and why worded by a model where there is one and its sentences hold.
fn answer(
    desk: &Desk,
    material: &Material<'_>,
    options: &TriageOptions<'_>,
    trace: &mut Trace,
    warnings: &mut Vec<String>,
) -> Answer {
    let mut sources = Sources::default();
    let mut answer = extract(material, &mut sources);
    trace.add("drafted", &answer.by, "sentences of the sources as they stand");
    if let Some(model) = options.language_model {
        let passages = shown(material, &mut sources, &answer);
        match draft::draft(model, material.redactor, material.ticket, &passages, options.model_timeout) {
            Ok(draft) => {
                trace.add("drafted", model.id(), format!("{} passages were shown", passages.len()));
                let checker = Checker { passages: &passages, embedder: desk.embedder().map(AsRef::as_ref) };
                word(&mut answer, draft, &checker, model.id(), warnings);
                trace.add(
                    "checked",
                    "words, identifiers, negation, meaning",
                    format!("{} sentences were dropped", answer.dropped.len()),
                );
            }
            Err(error) => {
                warnings
                    .push(format!("the language model gave no answer, so this one is extractive: {error}"));
                trace.add("drafted", model.id(), error.to_string());
            }
        }
    } else {
        trace.add("checked", "spans", "every sentence stands in its source");
    }
    let cited: BTreeSet<String> = answer.claims().flat_map(|claim| claim.handles.iter().cloned()).collect();
    answer.sources = sources.list;
    answer.sources.retain(|source| cited.contains(&source.handle));
    answer
}

/// What a model is shown, by handle: what the extractive answer cites, then the other passages of the ticket bundle.
fn shown(material: &Material<'_>, sources: &mut Sources, answer: &Answer) -> BTreeMap<String, String> {
    let mut passages = BTreeMap::new();
    let bundle = &material.evidence.tickets;
    let facts =
        bundle.facts.iter().filter(|fact| answer.claims().any(|claim| claim.handles.contains(&fact.handle)));
    passages.extend(
        facts.map(|fact| (fact.handle.clone(), material.redactor.redact(&fact.text).text().to_owned())),
    );
    let of_tickets = bundle.items.iter().map(|item| Passage { bundle, item });
    for passage in material.page_passages.iter().copied().chain(of_tickets).take(MODEL_PASSAGES) {
        let handle = sources.passage(passage, material.redactor);
        passages.insert(handle, material.redactor.redact(&passage.item.text).text().to_owned());
    }
    passages
}

/// Puts a model's sentences that hold in the place of the extracted ones. The steps of a page always stand as they are.
fn word(
    answer: &mut Answer,
    draft: draft::Draft,
    checker: &Checker<'_>,
    model: &str,
    warnings: &mut Vec<String>,
) {
    let mut dropped: Vec<Dropped> = draft
        .other
        .into_iter()
        .map(|text| Dropped { text, reason: "it is not in the form asked for".to_owned() })
        .collect();
    let mut keep = |drafted: Vec<crate::check::Drafted>| {
        let mut kept = Vec::new();
        for one in drafted {
            match checker.refusal(&one) {
                Some(refused) => dropped.push(refused),
                None => kept.push(Claim { text: one.text, handles: one.handles, span: None }),
            }
        }
        kept
    };
    let (known, cause, actions) = (keep(draft.known), keep(draft.cause), keep(draft.actions));
    if cause.is_empty() {
        warnings.push(
            "too little of the language model's text stands in its sources, so this answer is extractive"
                .to_owned(),
        );
    } else {
        answer.by = model.to_owned();
        answer.likely_cause = cause;
        if !known.is_empty() {
            answer.known = known;
        }
        let has_page_steps = answer.what_to_do.iter().any(|claim| claim.span.is_some());
        if !has_page_steps {
            answer.what_to_do = actions;
        }
    }
    answer.dropped = dropped;
}

fn cite(desk: &Desk, answer: &Answer, now: Timestamp) -> Result<(), DeskError> {
    let mut by_bundle: BTreeMap<&str, BTreeSet<&RecordId>> = BTreeMap::new();
    for source in &answer.sources {
        by_bundle.entry(&source.bundle).or_default().insert(&source.record);
    }
    for (bundle, records) in by_bundle {
        let records: Vec<RecordId> = records.into_iter().cloned().collect();
        desk.cite(bundle, &records, now)?;
    }
    Ok(())
}

fn related(evidence: &Evidence, redactor: &Redactor) -> Vec<RelatedLine> {
    let shown =
        evidence.neighbours.iter().filter(|neighbour| neighbour.weight >= SHOWN_WEIGHT).take(SHOWN_RELATED);
    let line = |neighbour: &crate::evidence::Neighbour| RelatedLine {
        record: neighbour.id().clone(),
        kind: neighbour.record.kind,
        title: redactor.redact(&neighbour.record.title).text().to_owned(),
        state: neighbour.record.state,
        created: neighbour.record.created,
        weight: neighbour.weight,
        reasons: neighbour.ticket.reasons.clone(),
    };
    shown.map(line).collect()
}

/// Phrases by which a text speaks to an assistant instead of a person. They change nothing; people are told.
const SPEAKS_TO_ASSISTANT: [&str; 6] = [
    "ignore all previous instructions",
    "ignore previous instructions",
    "ignore the above",
    "disregard previous",
    "note to the assistant",
    "system prompt",
];

fn warnings(ticket: &Record, evidence: &Evidence, chosen: Option<&Chosen<'_>>) -> Vec<String> {
    let mut warnings = evidence.tickets.warnings.clone();
    let told = ticket.sections.iter().map(|section| section.text.as_str()).chain([ticket.title.as_str()]);
    if told.map(str::to_lowercase).any(|text| SPEAKS_TO_ASSISTANT.iter().any(|phrase| text.contains(phrase)))
    {
        warnings.push(
            "the ticket holds instructions to an assistant: they were read as text and not followed"
                .to_owned(),
        );
    }
    if let Some(chosen) = chosen {
        if chosen.is_guess() {
            warnings.push(format!(
                "{} is a guess: compare its symptom before you follow it",
                chosen.page.record.title
            ));
        }
        if chosen.page.expired {
            warnings
                .push(format!("{} has expired: check it before you work by it", chosen.page.record.title));
        }
        for id in &chosen.page.contradicts {
            let title = evidence
                .pages
                .iter()
                .find(|page| page.record.id == *id)
                .map_or(id.external(), |page| &page.record.title);
            warnings.push(format!("{title} says the opposite of {}", chosen.page.record.title));
        }
        for id in &chosen.page.replaces {
            let title = evidence
                .pages
                .iter()
                .find(|page| page.record.id == *id)
                .map_or(id.external(), |page| &page.record.title);
            warnings.push(format!("do not work by the older page {title}: it was replaced"));
        }
    }
    warnings
}
