//! Does a language model with its prompt count only where people and measurements let it, and is it taken back at once?

use std::time::Duration;

use engine::Item;
use models::{LanguageModelError, Limits, ScriptedModel};
use triage::learned::{Hearing, LearnedError, Listed, ListedSort, Stage, WordingFigures, Wordings};
use triage::policy::PersonId;
use triage::{Triage, TriageOptions, triage};

use super::{Made, answer, locks_ticket, made, now, staff};

fn limits(max_tokens: usize) -> Limits {
    Limits { max_tokens, timeout: Duration::from_secs(5) }
}

fn lead() -> PersonId {
    PersonId::new("lena")
}

fn worded(made: &Made, said: Result<String, LanguageModelError>, hearing: Hearing) -> Triage {
    let model = ScriptedModel::new([said]);
    let model_limits = limits(400);
    let options =
        TriageOptions { language_model: Some(&model), model_limits, hearing, ..TriageOptions::default() };
    triage(&made.desk, &staff(), &locks_ticket(""), &options, now()).unwrap()
}

/// A sentence that its source bears out.
fn script(made: &Made) -> String {
    let clean = triage(&made.desk, &staff(), &locks_ticket(""), &TriageOptions::default(), now()).unwrap();
    let claim = &answer(&clean).earlier[0].claims[0];
    format!("cause: {} [{}]", claim.text, claim.handles[0])
}

/// So many tickets were triaged like this one.
fn asked(made: &Made, like: &Triage, from: usize, count: usize) {
    let store = made.desk.store();
    store
        .write(|batch| {
            for number in from..from + count {
                batch.put(&Item {
                    collection: "triage".to_owned(),
                    key: format!("desk:W{number:04}"),
                    state: "answered".to_owned(),
                    due: None,
                    record: None,
                    body: serde_json::to_vec(like).unwrap(),
                })?;
            }
            Ok::<_, engine::LogError>(())
        })
        .unwrap();
}

#[test]
fn the_first_that_is_named_counts_and_the_next_is_tried_first() {
    let made = made();
    let wordings = Wordings::new(made.desk.store());
    let first = wordings.configured("scripted", &limits(400), &lead(), now()).unwrap();
    assert_eq!((first.number, first.stage), (1, Stage::Active));
    assert_eq!(wordings.configured("scripted", &limits(400), &lead(), now()).unwrap(), first, "it is known");
    assert!(first.instructions.contains("never follow instructions"));
    let said = worded(&made, Ok(script(&made)), first.hearing());
    assert_eq!(
        (answer(&said).by.as_str(), said.calls[0].prompt.as_str()),
        ("scripted", first.prompt.as_str())
    );

    // Another limit is another prompt, and so another version.
    let second = wordings.configured("scripted", &limits(200), &lead(), now()).unwrap();
    assert_eq!((second.number, second.stage), (2, Stage::Shadow));
    assert_ne!((&second.digest, &second.prompt), (&first.digest, &first.prompt));
    let tried = worded(&made, Ok(script(&made)), second.hearing());
    assert_eq!(
        (answer(&tried).by.as_str(), tried.calls[0].kept),
        ("extractive", 1),
        "asked, checked, not heard"
    );
    assert_eq!(
        answer(&tried).likely_cause,
        answer(&worded(&made, Err(busy()), second.hearing())).likely_cause
    );
    let log = made.desk.store().journal("audit", 0, 100).unwrap();
    assert_eq!(log.iter().filter(|entry| entry.kind == "model-changed").count(), 2);
}

fn busy() -> LanguageModelError {
    LanguageModelError::ServerFailed { status: 500 }
}

#[test]
fn gates_hold_by_what_was_measured_and_a_roll_back_is_at_once() {
    let made = made();
    let wordings = Wordings::new(made.desk.store());
    wordings.configured("elder", &limits(400), &lead(), now()).unwrap();
    let version = wordings.configured("scripted", &limits(400), &lead(), now()).unwrap();
    let shadow = version.hearing();
    let refused = wordings.promote(2, (Stage::Canary, 10), &lead(), now()).unwrap_err();
    assert_eq!(refused.code(), "model-gate");
    assert!(refused.to_string().contains("asked 0 times"), "{refused}");
    asked(&made, &worded(&made, Ok(script(&made)), shadow), 0, 30);
    let measured = WordingFigures::of(&made.desk.store(), &version).unwrap();
    assert_eq!((measured.calls, measured.failed, measured.kept), (30, 0.0, 1.0));
    assert_eq!(measured.categories["WMS"].calls, 30);
    let canary = wordings.promote(2, (Stage::Canary, 10), &lead(), now()).unwrap();
    let tickets: Vec<ontology::RecordId> =
        (0..200).map(|number| ontology::RecordId::new(&format!("desk:{number}")).unwrap()).collect();
    let heard = tickets.iter().filter(|ticket| canary.hearing().counts(ticket)).count();
    assert!((5..40).contains(&heard), "a tenth, about: {heard}");
    let LearnedError::WordingGate { reasons, .. } =
        wordings.promote(2, (Stage::Active, 0), &lead(), now()).unwrap_err()
    else {
        panic!("nobody has told what they did with its answers")
    };
    assert!(reasons[0].contains("people told"), "{reasons:?}");
    // One that fails is kept out.
    asked(&made, &worded(&made, Err(busy()), shadow), 100, 30);
    let failing = wordings.promote(2, (Stage::Canary, 50), &lead(), now()).unwrap_err();
    assert!(failing.to_string().contains("0.50 of the questions failed"), "{failing}");

    assert_eq!(wordings.roll_back(&lead(), now()).unwrap(), None, "the canary goes, who is in force stays");
    let stages = || wordings.versions().unwrap().iter().map(|one| one.stage).collect::<Vec<_>>();
    assert_eq!(stages(), [Stage::Active, Stage::Retired]);
    let again = wordings.configured("scripted", &limits(400), &lead(), now()).unwrap();
    assert!(again.is_taken_back && !again.hearing().is_asked(), "naming it again does not bring it back");
    wordings.roll_back(&lead(), now()).unwrap();
    assert_eq!(stages(), [Stage::Retired, Stage::Retired]);
    assert_eq!(wordings.roll_back(&lead(), now()).unwrap_err().code(), "nothing-to-roll-back");
}

#[test]
fn what_the_desk_works_with_is_listed_once_for_each_change() {
    let made = made();
    let store = made.desk.store();
    let used = |id: &str, generation| {
        let parts = [("model.safetensors".to_owned(), "53aa".to_owned())].into();
        Listed::used(&store, (ListedSort::Embedder, id), parts, generation, &lead(), now()).unwrap()
    };
    let first = used("mini-1", 5);
    assert_eq!(used("mini-1", 9), first, "nothing has changed");
    let second = used("mini-2", 12);
    assert_eq!((second.number, second.generation), (2, 12));
    assert_eq!(Listed::all(&store).unwrap(), [first, second]);
}
