//! Are the desk's own models shown as documented, and is what cannot be done refused with its reason?

use engine::Desk;
use jiff::Timestamp;
use ontology::{Kind, Lineage, Observation, Record, RecordId, Scope, State, TenantId};
use serde_json::json;
use triage::learned::{Learned, Query, Registry, Stage, Task, train};
use triage::policy::PersonId;
use triage::{TriageOptions, triage};

use super::super::schema;
use super::{Server, fits, problem};

fn resolved(number: usize) -> Record {
    let (category, told) =
        [("Network", "vpn and wifi drop"), ("Printing", "toner and paper jam")][number % 2];
    let mut ticket = Record::new(
        RecordId::new(&format!("web:{number}")).unwrap(),
        Kind::Incident,
        format!("{told} at desk {number}"),
    );
    ticket.category = vec![category.to_owned()];
    ticket.state = Some(State::Closed);
    ticket
}

#[test]
fn a_version_and_its_opinion_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let tenant = TenantId::new("main").unwrap();
    let desk = Desk::open(folder.path(), &tenant, None).unwrap();
    let (scope, now, by) = (Scope::operator(tenant), Timestamp::now(), PersonId::new("lena"));
    let lineage = Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: now };
    let observed = |number| Observation::unversioned(resolved(number), lineage.clone());
    desk.apply((0..120).map(observed).collect()).unwrap();
    let registry = Registry::new(desk.store());
    let trained = train(&desk, &scope, Task::Category, &Query::default(), &by, now).unwrap();
    let version = registry.register(trained, now).unwrap();
    fits::<schema::ModelVersion>(&serde_json::to_value(&version).unwrap());
    registry.promote((Task::Category, 1), (Stage::Shadow, 0), None, &by, now).unwrap();
    fits::<schema::ModelDrift>(&serde_json::to_value(registry.drift(&desk, &scope, now).unwrap()).unwrap());
    let learned = Learned::default().refreshed(&desk.store()).unwrap();
    let options = TriageOptions { learned: Some(&learned), ..TriageOptions::default() };
    let made = triage(&desk, &scope, &resolved(121), &options, now).unwrap();
    assert_eq!(made.opinions.len(), 1);
    fits::<schema::Triage>(&serde_json::to_value(&made).unwrap());
}

#[test]
fn who_sees_a_part_does_not_hear_what_all_tickets_taught() {
    let server = Server::start();
    let desk = server.app.desk().unwrap();
    let (scope, now, by) = (&server.app.scope, Timestamp::now(), PersonId::new("lena"));
    let lineage = Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: now };
    let observed = |number| Observation::unversioned(resolved(number), lineage.clone());
    desk.apply((0..120).map(observed).collect()).unwrap();
    let registry = Registry::new(desk.store());
    let trained = train(desk, scope, Task::Category, &Query::default(), &by, now).unwrap();
    registry.register(trained, now).unwrap();
    registry.promote((Task::Category, 1), (Stage::Shadow, 0), None, &by, now).unwrap();
    server.app.refresh_learned(desk).unwrap();
    let ask = || server.ask("POST", "/v1/triage").json(&json!({"record": "web:1"}));
    assert_eq!(ask().send().value()["opinions"].as_array().map(Vec::len), Some(1));
    let narrowed = ask().header("X-Triagraph-Audience", "staff").send();
    assert!(narrowed.status == 200 && narrowed.value().get("opinions").is_none(), "{}", narrowed.text());
}

#[test]
fn what_cannot_be_done_to_a_model_is_said() {
    let server = Server::start();
    let shown = server.get("/v1/models").value();
    assert_eq!((&shown["versions"], &shown["wordings"]), (&json!([]), &json!([])));
    fits::<Vec<schema::Listed>>(&shown["listed"]);
    let sorts: Vec<&str> =
        shown["listed"].as_array().unwrap().iter().map(|one| one["sort"].as_str().unwrap()).collect();
    assert_eq!(sorts, ["embedder", "redaction"]);
    assert_eq!(problem(&server.post("/v1/models/wording/roll-back", &json!({}))), "nothing-to-roll-back");
    let none = server.post("/v1/models/wording/stage", &json!({"version": 1, "stage": "active"}));
    assert_eq!((none.status, problem(&none).as_str()), (404, "no-such-model-version"));
    let stage = |task: &str, body| problem(&server.post(&format!("/v1/models/{task}/stage"), &body));
    assert_eq!(stage("team", json!({"version": 1, "stage": "shadow"})), "no-such-model-version");
    assert_eq!(stage("mood", json!({"version": 1, "stage": "shadow"})), "invalid-request");
    assert_eq!(stage("team", json!({"version": 1, "stage": "canary"})), "invalid-request");
    assert_eq!(stage("team", json!({"version": 1, "stage": "active", "share": 5})), "invalid-request");
    assert_eq!(stage("team", json!({"version": 1, "stage": "candidate"})), "invalid-request");
    assert_eq!(problem(&server.post("/v1/models/team/roll-back", &json!({}))), "nothing-to-roll-back");
    let narrowed = server.ask("GET", "/v1/models").header("X-Triagraph-Audience", "staff").send();
    assert_eq!((narrowed.status, problem(&narrowed).as_str()), (403, "operator-only"));
}

#[test]
fn a_task_is_learnt_while_the_desk_is_served() {
    let server = Server::start();
    let few = server.job(&server.post("/v1/models/train", &json!({"task": "category"})));
    assert_eq!((&few["state"], &few["error"]["code"]), (&json!("failed"), &json!("too-few-tickets")));
    let desk = server.app.desk().unwrap();
    let lineage =
        Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: Timestamp::now() };
    let observed = |number| Observation::unversioned(resolved(number), lineage.clone());
    desk.apply((0..120).map(observed).collect()).unwrap();
    let accepted = server.post("/v1/models/train", &json!({"task": "category"}));
    let meanwhile = server.post("/v1/models/train", &json!({"task": "category"}));
    assert_eq!(server.get("/v1/records/web%3A1").status, 200);
    let done = server.job(&accepted);
    assert_eq!((&done["state"], &done["kind"]), (&json!("done"), &json!("train")), "{done}");
    fits::<schema::ModelVersion>(&done["model"]);
    server.job(&meanwhile);
    let versions = server.get("/v1/models").value();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1, "the same lessons give the same version");
    assert_eq!(versions["versions"][0]["stage"], "candidate");
    assert_eq!(problem(&server.post("/v1/models/train", &json!({"task": "mood"}))), "invalid-request");
}
