//! What a problem gathers, what a change touches, and what an incident is told of the changes before it.

use jiff::{SignedDuration, Timestamp};
use ontology::{
    Kind, Lineage, Link, Observation, Record, RecordId, Relation, Scope, Section, SectionKind, State,
};
use triage::{ChangeStage, Course, ProblemStage, TriageOptions, course, triage};

use crate::{Made, made, now, record, tenant};

fn linked(name: &str, kind: Kind, title: &str, links: &[(Relation, &str)]) -> Record {
    let mut record = record(name, kind, title, &[(SectionKind::Description, title)]);
    record.links = links.iter().map(|(relation, name)| Link::by_name(*relation, *name)).collect();
    record
}

fn hours_ago(hours: i64) -> Timestamp {
    now().saturating_sub(SignedDuration::from_hours(hours)).unwrap()
}

fn incident(name: &str, hits: &str, hours: i64, cause: Option<&str>) -> Record {
    let mut links = vec![(Relation::Affects, hits)];
    links.extend(cause.map(|cause| (Relation::CausedBy, cause)));
    let mut incident = linked(name, Kind::Incident, "It is slow", &links);
    (incident.created, incident.state) = (Some(hours_ago(hours)), Some(State::Open));
    incident
}

fn desk() -> Made {
    let made = made();
    let mut change = linked("sn:CHG7", Kind::Change, "New firmware", &[(Relation::Affects, "san-01")]);
    change.state = Some(State::Closed);
    change.resolved = Some(hours_ago(10));
    for (name, value) in
        [("risk", "Moderate"), ("work_start", "2026-11-23 01:00:00"), ("work_end", "2026-11-23 02:00:00")]
    {
        change.attributes.insert(name.to_owned(), value.to_owned());
    }
    let mut problem =
        linked("sn:PRB1", Kind::Problem, "Firmware loses paths", &[(Relation::CausedBy, "CHG7")]);
    problem.state = Some(State::InProgress);
    problem.sections.push(Section::new(SectionKind::RootCause, "Paths are lost at failover."));
    let mut workaround = Section::new(SectionKind::Resolution, "Rescan by hand.");
    workaround.heading = "Workaround".to_owned();
    problem.sections.push(workaround);
    let mut solved = incident("sn:INC2", "store", 30, Some("PRB1"));
    solved.state = Some(State::Closed);
    let changed = |name: &str, state| {
        let mut change = linked(name, Kind::Change, "More disks", &[(Relation::Affects, "san-01")]);
        (change.state, change.modified) = (Some(state), Some(hours_ago(8)));
        change
    };
    let records = [
        changed("sn:CHG8", State::Open),
        changed("sn:CHG9", State::Cancelled),
        linked("cmdb:san-01", Kind::ConfigurationItem, "san-01", &[]),
        linked("cmdb:store", Kind::ConfigurationItem, "store", &[(Relation::DependsOn, "san-01")]),
        linked("cmdb:printer", Kind::ConfigurationItem, "printer", &[]),
        change,
        problem,
        solved,
        incident("sn:INC3", "store", 8, Some("PRB1")),
        incident("sn:INC4", "store", 7, None),
        incident("sn:INC5", "printer", 7, None),
        incident("sn:INC6", "store", 20, None),
    ];
    let lineage = Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: now() };
    let records = records.into_iter().map(|record| Observation::unversioned(record, lineage.clone()));
    assert!(made.desk.apply(records.collect()).unwrap().rejected.is_empty());
    made
}

fn seen(made: &Made, name: &str) -> Record {
    let scope = Scope::operator(tenant());
    made.desk.record(&scope, &RecordId::new(name).unwrap(), None).unwrap().unwrap().record
}

fn course_of(made: &Made, name: &str) -> Option<Course> {
    course(&made.desk, &Scope::operator(tenant()), &seen(made, name), now()).unwrap()
}

fn names(ids: &[RecordId]) -> Vec<&str> {
    ids.iter().map(|id| id.external()).collect()
}

#[test]
fn a_problem_gathers_its_incidents_and_is_a_known_error_with_a_workaround() {
    let made = desk();
    let Some(Course::Problem(problem)) = course_of(&made, "sn:PRB1") else { panic!("no problem") };
    assert_eq!(problem.stage, ProblemStage::KnownError);
    assert_eq!(problem.workaround.as_deref(), Some("Rescan by hand."));
    assert_eq!(names(&problem.incidents), ["INC2", "INC3"]);
    assert_eq!(names(&problem.open), ["INC3"]);
    assert_eq!(names(&problem.changes), ["CHG7"]);
    assert_eq!(course_of(&made, "sn:INC3"), None);
}

#[test]
fn a_change_knows_its_things_window_and_risk_and_what_came_soon_after() {
    let made = desk();
    let Some(Course::Change(change)) = course_of(&made, "sn:CHG7") else { panic!("no change") };
    assert_eq!((change.stage, change.risk.as_deref()), (ChangeStage::Done, Some("Moderate")));
    assert_eq!(names(&change.things), ["san-01"]);
    assert_eq!((change.begins, change.ends), (Some(hours_ago(11)), Some(hours_ago(10))));
    // On what rests on it, after it; not what came before, and not the printer.
    assert_eq!(names(&change.after), ["INC3", "INC4"]);
    let mut planned = seen(&made, "sn:CHG7");
    planned.state = Some(State::Open);
    let early = course(&made.desk, &Scope::operator(tenant()), &planned, hours_ago(12)).unwrap();
    assert!(
        matches!(early, Some(Course::Change(change)) if change.stage == ChangeStage::Planned && change.after.is_empty())
    );
}

#[test]
fn an_incident_soon_after_a_change_on_what_it_rests_on_says_so_with_the_way() {
    let made = desk();
    let scope = Scope::operator(tenant());
    let told = |name: &str| {
        triage(&made.desk, &scope, &seen(&made, name), &TriageOptions::default(), now()).unwrap()
    };
    let after = told("sn:INC4");
    let [change] = after.changes.try_into().expect("what is planned or given up has changed nothing");
    let engine::EarlierChange { change: id, thing, from, steps, .. } = &change.earlier;
    assert_eq!((id.external(), thing.external(), *steps), ("CHG7", "san-01", 1));
    assert_eq!((from.external(), change.minutes), ("store", 180));
    let warning = "CHG7 (New firmware) changed san-01, on which store rests, 3 hours before: see whether it is the cause";
    assert!(after.warnings.iter().any(|one| one == warning), "{:?}", after.warnings);
    assert!(told("sn:INC6").changes.is_empty(), "it came before the change");
    assert!(told("sn:INC5").changes.is_empty(), "nothing of it was changed");
}
