//! How does the answer come about? Extracted first; then, where there is a language model, worded by it and checked.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Desk, DeskError};
use jiff::Timestamp;
use ontology::RecordId;

use crate::agent::{Trace, TriageOptions};
use crate::check::{Checker, Drafted};
use crate::cited::{Answer, Claim, Dropped};
use crate::draft;
use crate::material::Material;
use crate::sources::{Passage, Sources};

/// Passages that a language model is shown.
const MODEL_PASSAGES: usize = 12;

/// The extracted answer, with what is known and why worded by a model where there is one and its sentences hold.
pub(crate) fn answer(
    desk: &Desk,
    material: &Material<'_>,
    extracted: Answer,
    mut sources: Sources,
    options: &TriageOptions<'_>,
    trace: &mut Trace,
    warnings: &mut Vec<String>,
) -> Answer {
    let mut answer = extracted;
    trace.add("drafted", &answer.by, "sentences of the sources as they stand");
    if let Some(model) = options.language_model {
        let passages = shown(material, &mut sources, &answer);
        match draft::draft(model, material.for_model, material.ticket, &passages, options.model_timeout) {
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

/// What a model is shown, by handle: what the extracted answer cites, then the other passages at hand.
fn shown(material: &Material<'_>, sources: &mut Sources, answer: &Answer) -> BTreeMap<String, String> {
    let mut passages = BTreeMap::new();
    let bundle = &material.evidence.tickets;
    let facts =
        bundle.facts.iter().filter(|fact| answer.claims().any(|claim| claim.handles.contains(&fact.handle)));
    passages.extend(
        facts.map(|fact| (fact.handle.clone(), material.for_model.redact(&fact.text).text().to_owned())),
    );
    let all = material.lead_passages.iter().copied().chain(Passage::all(bundle));
    let (cited, others): (Vec<_>, Vec<_>) = all.partition(|passage| sources.knows(*passage));
    for passage in cited.into_iter().chain(others).take(MODEL_PASSAGES) {
        let handle = sources.passage(passage, material.redactor);
        passages.insert(handle, material.for_model.redact(&passage.item.text).text().to_owned());
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
    let mut keep = |drafted: Vec<Drafted>| {
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
    let (for_page, for_ticket) =
        if answer.precedent.is_none() { (actions, Vec::new()) } else { (Vec::new(), actions) };
    dropped.extend(for_page.into_iter().map(|claim| Dropped {
        text: claim.text,
        reason: "not used: the page's own steps stand".to_owned(),
    }));
    let mut is_used = false;
    for (said, place) in
        [(known, &mut answer.known), (cause, &mut answer.likely_cause), (for_ticket, &mut answer.what_to_do)]
    {
        if !said.is_empty() {
            *place = said;
            is_used = true;
        }
    }
    if is_used {
        answer.by = model.to_owned();
    } else {
        warnings.push(
            "too little of the language model's text stands in its sources, so this answer is extractive"
                .to_owned(),
        );
    }
    answer.dropped = dropped;
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
