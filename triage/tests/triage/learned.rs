//! Does a desk learn from its resolved tickets, and does a model count only where people and measurements let it?

use std::path::PathBuf;
use std::sync::Arc;

use engine::Desk;
use models::HashEmbedder;
use ontology::{Kind, Lineage, Link, Observation, Record, Relation, Scope, SectionKind, State};
use triage::learned::{Learned, LearnedError, Query, Registry, Stage, Task, Trained, Version, train};
use triage::policy::{PersonId, Watched};
use triage::{Event, EventKind, Told, Triage, TriageOptions, TurnOptions, Workflow, triage};

use super::{now, record, staff, tenant};

const MATTERS: [(&str, &str, &str); 3] = [
    ("Network", "Network Operations", "vpn tunnel drops and the wifi has no address"),
    ("Printing", "Workplace", "toner is empty and the label printer smears paper"),
    ("Mail", "Messaging", "outlook calendar and the shared mailbox do not open"),
];

fn ticket(number: usize, is_resolved: bool) -> Record {
    let (category, team, told) = MATTERS[number % MATTERS.len()];
    // Nobody is alike: each ticket leaves out some of the words.
    let words: Vec<&str> = told.split(' ').collect();
    let told: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(at, _)| !(number / 3 + at).is_multiple_of(4))
        .map(|(_, word)| *word)
        .collect();
    let title = format!("{} at desk {number}", told.join(" "));
    let mut ticket = record(
        &format!("desk:T{number:05}"),
        Kind::Incident,
        &title,
        &[(SectionKind::Description, &told.join(" ")), (SectionKind::Resolution, "Solved on the phone.")],
    );
    ticket.created = Some(now() - jiff::SignedDuration::from_hours(10_000 - number as i64));
    if is_resolved {
        ticket.state = Some(State::Closed);
        ticket.category = vec![category.to_owned()];
        ticket.links.push(Link::by_name(Relation::AssignedTo, team));
        ticket.attributes.insert("caller_group".to_owned(), ["office", "hall"][number % 2].to_owned());
    } else {
        ticket.sections.pop();
    }
    ticket
}

pub(crate) struct Trial {
    pub(crate) desk: Desk,
    pub(crate) scope: Scope,
    folder: tempfile::TempDir,
}

impl Trial {
    pub(crate) fn with(records: &[Record]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::open(folder.path(), &tenant(), Some(Arc::new(HashEmbedder::new(384)))).unwrap();
        let trial = Self { desk, scope: staff(), folder };
        trial.apply(records);
        trial
    }

    pub(crate) fn policies(&self) -> PathBuf {
        let folder = self.folder.path().join("policy");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn apply(&self, records: &[Record]) {
        let lineage = Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: now() };
        let observed = |record: &Record| Observation::unversioned(record.clone(), lineage.clone());
        let applied = self.desk.apply(records.iter().map(observed).collect()).unwrap();
        assert!(applied.rejected.is_empty(), "{:?}", applied.rejected);
    }
}

fn desk_of(tickets: usize) -> Trial {
    Trial::with(&(0..tickets).map(|number| ticket(number, true)).collect::<Vec<_>>())
}

fn learnt(trial: &Trial, task: Task) -> Trained {
    train(&trial.desk, &trial.scope, task, &Query::default(), &lead(), now()).unwrap()
}

fn lead() -> PersonId {
    PersonId::new("lena")
}

fn registered(trial: &Trial) -> (Registry, Version) {
    let registry = Registry::new(trial.desk.store());
    let version = registry.register(learnt(trial, Task::Category), now()).unwrap();
    (registry, version)
}

/// A version that was proven among people, as far as this test is concerned: shadow first, then people decide as it does.
fn in_force(trial: &Trial, registry: &Registry, number: u32, from: usize) {
    registry.promote((Task::Category, number), (Stage::Shadow, 0), None, &lead(), now()).unwrap();
    hear(trial, from, &|number| MATTERS[number % 3].0.to_owned());
    let drift = registry.drift(&trial.desk, &trial.scope, now()).unwrap();
    registry.promote((Task::Category, number), (Stage::Active, 0), Some(&drift), &lead(), now()).unwrap();
}

/// New tickets come in and are triaged, and then people resolve them as `decides` says.
fn hear(trial: &Trial, from: usize, decides: &dyn Fn(usize) -> String) {
    let policies = Watched::open(&trial.policies()).unwrap();
    let workflow = Workflow::new(trial.desk.store(), policies);
    let learned = Learned::default().refreshed(&trial.desk.store()).unwrap();
    let event = |number: usize| Event {
        id: number.to_string(),
        source: "desk".to_owned(),
        kind: EventKind::Created,
        at: now(),
        correlation: format!("trace-{number}"),
        traceparent: None,
        ticket: ticket(number, false).id,
        record: Some(ticket(number, false)),
        told: None,
    };
    let numbers = from..from + 45;
    workflow.accept(&numbers.clone().map(event).collect::<Vec<_>>(), now()).unwrap();
    let triage = TriageOptions { learned: Some(&learned), ..TriageOptions::default() };
    let options = TurnOptions { scope: &trial.scope, triage, threads: 2, tickets: 64 };
    assert_eq!(workflow.turn(&trial.desk, &options, now()).unwrap().handled, 45);
    let resolved = numbers.map(|number| Record { category: vec![decides(number)], ..ticket(number, true) });
    trial.apply(&resolved.collect::<Vec<_>>());
}

fn triaged(trial: &Trial, ticket: &Record) -> Triage {
    let learned = Learned::default().refreshed(&trial.desk.store()).unwrap();
    let options = TriageOptions { learned: Some(&learned), ..TriageOptions::default() };
    triage(&trial.desk, &trial.scope, ticket, &options, now()).unwrap()
}

#[test]
fn a_model_is_measured_on_tickets_that_it_has_not_seen() {
    let trial = desk_of(300);
    let Trained { version, classifier } = learnt(&trial, Task::Team);
    assert_eq!((version.tickets, version.held_out.count), (300, 60));
    assert!(version.held_out.accuracy > 0.95, "{}", version.held_out.accuracy);
    assert!((version.commonest - 1.0 / 3.0).abs() < 0.02, "{}", version.commonest);
    assert_eq!(classifier.labels(), ["Messaging", "Network Operations", "Workplace"]);
    assert_eq!(version.groups.keys().collect::<Vec<_>>(), ["hall", "office"]);
    assert_eq!(version.groups.values().map(|group| group.count).sum::<usize>(), 60);
    let again = learnt(&trial, Task::Team);
    assert_eq!(version.digest, again.version.digest, "the same tickets give the same model");
    assert!(version.held_out.labels.contains_key("Workplace"));
}

#[test]
fn what_was_written_after_the_ticket_came_teaches_nothing() {
    let trial = desk_of(150);
    let leak = |number: usize| {
        let mut leaking = ticket(number, true);
        leaking.sections[1].text = format!("It was {}.", leaking.category[0]);
        leaking
    };
    let leaky = Trial::with(&(0..150).map(leak).collect::<Vec<_>>());
    assert_eq!(learnt(&trial, Task::Category).version.digest, learnt(&leaky, Task::Category).version.digest);
}

#[test]
fn too_few_tickets_teach_nothing() {
    let trial = desk_of(49);
    let refused = train(&trial.desk, &trial.scope, Task::Category, &Query::default(), &lead(), now());
    let Err(error) = refused else { panic!("49 tickets were enough") };
    assert_eq!(
        (error.code(), matches!(error, LearnedError::TooFew { found: 49, .. })),
        ("too-few-tickets", true)
    );
}

#[test]
fn a_candidate_is_not_heard_a_shadow_does_not_count_and_a_canary_counts_for_its_share() {
    let trial = desk_of(300);
    let (registry, version) = registered(&trial);
    let odd = ticket(301, false);
    assert_eq!((version.number, version.stage), (1, Stage::Candidate));
    assert!(triaged(&trial, &odd).opinions.is_empty());
    let id = (Task::Category, 1);
    registry.promote(id, (Stage::Shadow, 0), None, &lead(), now()).unwrap();
    let heard = triaged(&trial, &odd).opinions;
    assert_eq!((heard[0].label.as_str(), heard[0].is_sure, heard[0].counts), ("Printing", true, false));
    assert!(
        heard[0].words.iter().any(|word| word == "printer" || word == "toner" || word == "paper"),
        "{heard:?}"
    );
    registry.promote(id, (Stage::Canary, 40), None, &lead(), now()).unwrap();
    let counts =
        (400..500).filter(|number| triaged(&trial, &ticket(*number, false)).opinions[0].counts).count();
    assert!((20..=60).contains(&counts), "{counts} of 100 for a share of 40");
}

#[test]
fn a_model_counts_only_where_its_gates_hold() {
    let trial = desk_of(300);
    let (registry, _) = registered(&trial);
    let unproven = registry.promote((Task::Category, 1), (Stage::Active, 0), None, &lead(), now());
    assert!(unproven.unwrap_err().to_string().contains("people decided 0 tickets"));
    // People who decide by chance: no model of them is better than the commonest category.
    let by_chance = |number: usize| Record {
        category: vec![MATTERS[(number * 7919 + number / 5) % 3].0.to_owned()],
        ..ticket(number, true)
    };
    let chance = Trial::with(&(0..300).map(by_chance).collect::<Vec<_>>());
    let (registry, version) = registered(&chance);
    assert!(version.held_out.accuracy < 0.6, "{}", version.held_out.accuracy);
    let refused = registry.promote((Task::Category, 1), (Stage::Canary, 10), None, &lead(), now());
    assert_eq!(refused.unwrap_err().code(), "model-gate");
}

#[test]
fn a_roll_back_brings_the_version_before_it_back_at_once() {
    let trial = desk_of(300);
    let (registry, _) = registered(&trial);
    in_force(&trial, &registry, 1, 300);
    let counted = triaged(&trial, &ticket(601, false));
    assert!(counted.opinions[0].counts);
    assert!(
        counted.category.why.iter().any(|why| why.starts_with("learnt from 300")),
        "{:?}",
        counted.category
    );
    let second = registry.register(learnt(&trial, Task::Category), now()).unwrap();
    assert_eq!(second.number, 2, "more tickets are resolved by now");
    let drift = registry.drift(&trial.desk, &trial.scope, now()).unwrap();
    let refused = registry.promote((Task::Category, 2), (Stage::Active, 0), Some(&drift), &lead(), now());
    assert_eq!(
        refused.unwrap_err().code(),
        "model-gate",
        "what the first one showed does not prove the second"
    );
    in_force(&trial, &registry, 2, 800);
    let stages = || registry.versions().unwrap().iter().map(|version| version.stage).collect::<Vec<_>>();
    assert_eq!(stages(), [Stage::Retired, Stage::Active]);
    let back = registry.roll_back(Task::Category, &lead(), now()).unwrap();
    assert_eq!((back.unwrap().number, stages()), (1, vec![Stage::Active, Stage::Retired]));
    registry.roll_back(Task::Category, &lead(), now()).unwrap();
    assert_eq!(
        registry.roll_back(Task::Category, &lead(), now()).unwrap_err().code(),
        "nothing-to-roll-back"
    );
}

#[test]
fn where_people_decide_otherwise_the_model_falls_back_and_agents_only_suggest() {
    let trial = desk_of(300);
    let (registry, _) = registered(&trial);
    in_force(&trial, &registry, 1, 300);
    assert!(registry.watch(&trial.desk, &trial.scope, now()).unwrap().is_empty());
    assert!(!registry.has_fallen_back().unwrap());
    // From now on people call everything something else.
    hear(&trial, 400, &|number| MATTERS[(number + 1) % 3].0.to_owned());
    let said = registry.watch(&trial.desk, &trial.scope, now()).unwrap();
    assert!(said[0].contains("people agreed with"), "{said:?}");
    assert!(registry.has_fallen_back().unwrap());
    assert_eq!(registry.version(Task::Category, 1).unwrap().stage, Stage::Shadow);
    assert!(!triaged(&trial, &ticket(700, false)).opinions[0].counts);
    assert!(registry.watch(&trial.desk, &trial.scope, now()).unwrap().is_empty(), "once is enough");
    registry.promote((Task::Category, 1), (Stage::Shadow, 0), None, &lead(), now()).unwrap();
    assert!(!registry.has_fallen_back().unwrap(), "people have spoken");
    assert_eq!(
        registry.roll_back(Task::Category, &lead(), now()).unwrap_err().code(),
        "nothing-to-roll-back"
    );
}

#[test]
fn what_fell_back_by_itself_can_be_taken_back() {
    let trial = desk_of(300);
    let (registry, _) = registered(&trial);
    in_force(&trial, &registry, 1, 300);
    registry.register(learnt(&trial, Task::Category), now()).unwrap();
    in_force(&trial, &registry, 2, 800);
    hear(&trial, 400, &|number| MATTERS[(number + 1) % 3].0.to_owned());
    assert!(!registry.watch(&trial.desk, &trial.scope, now()).unwrap().is_empty());
    let back = registry.roll_back(Task::Category, &lead(), now()).unwrap();
    let stages: Vec<Stage> = registry.versions().unwrap().iter().map(|version| version.stage).collect();
    assert_eq!((back.unwrap().number, stages), (1, vec![Stage::Active, Stage::Retired]));
    assert!(!registry.has_fallen_back().unwrap());
}

#[test]
fn what_people_decided_here_is_learnt_before_what_the_record_says() {
    let trial = desk_of(60);
    let workflow = Workflow::new(trial.desk.store(), Watched::open(&trial.policies()).unwrap());
    let event = |id: String, kind, ticket: Record, told| Event {
        id,
        source: "helpdesk".to_owned(),
        kind,
        at: now(),
        correlation: "trace".to_owned(),
        traceparent: None,
        ticket: ticket.id.clone(),
        record: (kind != EventKind::Feedback).then_some(ticket),
        told,
    };
    // Ten resolved tickets were really about the building, and five that nobody has resolved yet.
    let corrected: Told =
        serde_json::from_str(r#"{"verdict": "corrected", "category": ["Building"]}"#).unwrap();
    let open: Vec<Record> = (100..105).map(|number| ticket(number, false)).collect();
    let created = open.iter().map(|one| event(one.id.to_string(), EventKind::Created, one.clone(), None));
    workflow.accept(&created.collect::<Vec<_>>(), now()).unwrap();
    let about = (0..10).map(|number| ticket(number, true)).chain(open.iter().cloned());
    let told =
        about.map(|one| event(format!("f-{}", one.id), EventKind::Feedback, one, Some(corrected.clone())));
    workflow.accept(&told.collect::<Vec<_>>(), now()).unwrap();
    let options =
        TurnOptions { scope: &trial.scope, triage: TriageOptions::default(), threads: 2, tickets: 64 };
    while workflow.turn(&trial.desk, &options, now()).unwrap().handled > 0 {}
    let version = learnt(&trial, Task::Category).version;
    assert_eq!((version.tickets, version.ruled), (65, 15));
    let known = learnt(&trial, Task::Category);
    assert!(known.classifier.labels().iter().any(|label| label == "Building"));
    let only = Query { since: Some(now() - jiff::SignedDuration::from_hours(9_905)), ..Query::default() };
    assert!(train(&trial.desk, &trial.scope, Task::Category, &only, &lead(), now()).is_err(), "too few");
}
