//! How does the answer come about? Extracted first; then, where there is a language model, worded by it and checked.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Desk, DeskError};
use jiff::Timestamp;
use models::{LanguageModel, LanguageModelError, Redacted, RedactionSession};
use ontology::RecordId;

use crate::agent::{Trace, TriageOptions};
use crate::check::{Checker, Drafted};
use crate::cited::{Answer, Claim, Dropped};
use crate::draft::{self, Draft};
use crate::material::Material;
use crate::result::ModelCall;
use crate::sources::{Passage, Sources};

/// Passages that a language model is shown.
const MODEL_PASSAGES: usize = 12;

/// The extracted answer, with what is known and why worded by a model where there is one and its sentences hold.
pub(crate) fn answer(
    material: &Material<'_>,
    extracted: Answer,
    mut sources: Sources,
    options: &TriageOptions<'_>,
    trace: &mut Trace,
) -> Answer {
    let mut answer = extracted;
    trace.add("drafted", &answer.by, "sentences of the sources as they stand");
    if let Some(model) = options.language_model {
        let passages = shown(material, &mut sources, &answer);
        let checker = Checker { passages: &passages };
        worded(&mut answer, material, model, &checker, options, trace);
    } else {
        trace.add("checked", "spans", "every sentence stands in its source");
    }
    let cited: BTreeSet<String> = answer.claims().flat_map(|claim| claim.handles.iter().cloned()).collect();
    answer.sources = sources.list;
    answer.sources.retain(|source| cited.contains(&source.handle));
    answer
}

/// Asks a model, and puts what holds of it into the answer. What it says beyond that, and its failures, change nothing.
fn worded(
    answer: &mut Answer,
    material: &Material<'_>,
    model: &dyn LanguageModel,
    checker: &Checker<'_>,
    options: &TriageOptions<'_>,
    trace: &mut Trace,
) {
    let limits = options.model_limits;
    let prompt = draft::prompt(material.for_model, material.ticket, checker.passages);
    let (asked, took) = models::ask(model, &prompt, &limits);
    let mut call = ModelCall {
        model: model.id().to_owned(),
        prompt: draft::prompt_id(&limits),
        outcome: "answered".to_owned(),
        millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        prompt_tokens: None,
        completion_tokens: None,
        kept: 0,
        dropped: 0,
    };
    match asked {
        Ok(completion) => {
            call.prompt_tokens = completion.prompt_tokens.map(|tokens| tokens as u64);
            call.completion_tokens = completion.completion_tokens.map(|tokens| tokens as u64);
            let shown = checker.passages.len();
            trace.add("drafted", model.id(), format!("{shown} passages were shown"));
            let mut tried = answer.clone();
            call.kept = put_in(&mut tried, draft::read(&completion), checker, material.redactor);
            call.dropped = tried.dropped.len() as u32;
            if !options.hearing.counts(&material.ticket.id) {
                trace.notes.push(
                    "the language model is only tried here: it was asked and checked, and the answer is extractive"
                        .to_owned(),
                );
            } else if call.kept > 0 {
                *answer = tried;
                answer.by = model.id().to_owned();
            } else {
                answer.dropped = tried.dropped;
                trace.notes.push(
                    "too little of the language model's text stands in its sources, so this answer is extractive"
                        .to_owned(),
                );
            }
            let why = format!("{} sentences were dropped", call.dropped);
            trace.add("checked", "words, order, negation", why);
        }
        Err(error) => failed(&error, &mut call, trace),
    }
    trace.calls.push(call);
}

fn failed(error: &LanguageModelError, call: &mut ModelCall, trace: &mut Trace) {
    error.code().clone_into(&mut call.outcome);
    trace.notes.push(format!("the language model gave no answer, so this one is extractive: {error}"));
    trace.add("drafted", &call.model, error.to_string());
    trace.add("checked", "spans", "every sentence stands in its source");
}

/// What a model is shown, by handle: what the extracted answer rests on, and the leading record whole. Nothing else that the search
/// found: it can word what is answered, and bring in nothing.
fn shown(material: &Material<'_>, sources: &mut Sources, answer: &Answer) -> BTreeMap<String, Redacted> {
    let mut passages = BTreeMap::new();
    let bundle = &material.evidence.tickets;
    let facts =
        bundle.facts.iter().filter(|fact| answer.claims().any(|claim| claim.handles.contains(&fact.handle)));
    passages.extend(facts.map(|fact| (fact.handle.clone(), material.for_model.redact(&fact.text))));
    let others = Passage::all(bundle).into_iter().chain(material.second_passages.iter().copied());
    let cited: Vec<Passage<'_>> = others.filter(|passage| sources.knows(*passage)).collect();
    for passage in material.lead_passages.iter().copied().chain(cited).take(MODEL_PASSAGES) {
        let handle = sources.passage(passage, material.redactor);
        passages.insert(handle, material.for_model.redact(&passage.item.text));
    }
    passages
}

/// Puts a model's sentences that hold in front of what is known and in the place of the cause; how many they are. What people of the desk may
/// see is put back in them. Steps always stand as their source has them: a model is not asked for any.
fn put_in(answer: &mut Answer, draft: Draft, checker: &Checker<'_>, among_us: &RedactionSession<'_>) -> u32 {
    let no_form = |text| Dropped { text, reason: "it is not in the form asked for".to_owned() };
    let mut dropped: Vec<Dropped> = draft.other.into_iter().map(no_form).collect();
    let mut keep = |drafted: Vec<Drafted>| {
        let mut kept = Vec::new();
        for one in drafted {
            match checker.claim(one) {
                Ok(claim) => kept.push(Claim { text: among_us.restore(&claim.text), ..claim }),
                Err(refused) => dropped.push(refused),
            }
        }
        kept
    };
    let (known, cause) = (keep(draft.known), keep(draft.cause));
    let kept = known.len() + cause.len();
    answer.known.splice(..0, known);
    if !cause.is_empty() {
        answer.likely_cause = cause;
    }
    answer.dropped = dropped;
    kept as u32
}

/// Notes in the desk which records an answer cited.
pub(crate) fn cite(desk: &Desk, answer: &Answer, now: Timestamp) -> Result<(), DeskError> {
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
