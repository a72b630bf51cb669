//! Does each caller get what its key is for, and nothing else, over HTTP?

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};
use ontology::{Audience, Audiences};
use serde_json::{Value, json};
use triage::access::{NewKey, RANDOM_BYTES};
use triage::policy::{PersonId, Role};

use super::super::Limits;
use super::super::keys::{KeyBody, random};
use super::super::rates::Rate;
use super::client::{Answer, Ask};
use super::{Server, fits, problem};

/// Makes a key for somebody with one role, who sees these audiences, or all.
fn key(server: &Server, name: &str, role: Role, audiences: &[&str]) -> String {
    let only: BTreeSet<Audience> = audiences.iter().map(|name| Audience::new(name).unwrap()).collect();
    let audiences = if only.is_empty() { Audiences::All } else { Audiences::Only(only) };
    let wanted = NewKey { name: name.to_owned(), roles: [role].into(), audiences, expires: None };
    let by = PersonId::new("operator");
    let made = server.app.keys().unwrap().create(wanted, &random().unwrap(), &by, Timestamp::now());
    made.unwrap().1.reveal()
}

/// A request that shows a key.
fn with(server: &Server, key: &str, method: &str, path: &str) -> Ask {
    server.ask(method, path).header("Authorization", &format!("Bearer {key}"))
}

fn get(server: &Server, key: &str, path: &str) -> Answer {
    with(server, key, "GET", path).send()
}

fn post(server: &Server, key: &str, path: &str, body: &Value) -> Answer {
    with(server, key, "POST", path).json(body).send()
}

/// A call of each class of routes, and which roles may make it.
const CALLS: &[(&str, &str, &str, &[Role])] = {
    use Role::{Admin, Agent, Auditor, KnowledgeManager, Lead, Service};
    const READ: &[Role] = &[Agent, Lead, KnowledgeManager, Service, Admin];
    const WORK: &[Role] = &[Agent, Lead, Service, Admin];
    const STATE: &[Role] = &[Lead, KnowledgeManager, Service, Auditor, Admin];
    &[
        ("POST", "/v1/search", r#"{"text": "mail"}"#, READ),
        ("POST", "/v1/related", r#"{"about": {"record": "sn:INC/1"}}"#, READ),
        ("POST", "/v1/bundles", r#"{"about": {"text": "mail"}}"#, READ),
        ("POST", "/v1/triage", r#"{"record": "sn:INC/1"}"#, READ),
        ("GET", "/v1/bundles/none", "", READ),
        ("GET", "/v1/records/kb:queue", "", READ),
        ("HEAD", "/v1/records/kb:queue", "", READ),
        ("GET", "/v1/articles", "", READ),
        ("GET", "/sparql?query=ASK%7B%7D", "", READ),
        ("GET", "/v1/tickets", "", WORK),
        ("GET", "/v1/tickets/web:1", "", WORK),
        ("GET", "/v1/tickets/web:1/hidden", "", &[Agent, Lead, Admin]),
        ("GET", "/v1/proposals", "", WORK),
        ("GET", "/v1/dead-letters", "", WORK),
        ("POST", "/v1/tickets/web:1/override", r#"{"team": "Mail", "reason": "theirs"}"#, WORK),
        ("GET", "/v1/feedback", "", &[Lead, KnowledgeManager, Admin]),
        ("GET", "/v1/agents/stop", "", WORK),
        ("GET", "/v1/agents", "", WORK),
        ("POST", "/v1/events", "{}", &[Service, Lead, Admin]),
        ("POST", "/v1/dead-letters/none/retry", "", &[Agent, Lead, Admin]),
        ("POST", "/v1/records", "[]", &[KnowledgeManager, Service, Admin]),
        ("POST", "/v1/files?name=a.zip", "", &[KnowledgeManager, Service, Admin]),
        ("DELETE", "/v1/records/sn:none", "", &[Admin]),
        ("GET", "/v1/status", "", STATE),
        ("GET", "/v1/jobs", "", STATE),
        ("GET", "/metrics", "", STATE),
        ("GET", "/v1/models", "", STATE),
        ("GET", "/v1/executor", "", STATE),
        ("GET", "/v1/desk/metrics", "", READ),
        ("GET", "/v1/desk/forecast", "", READ),
        ("GET", "/v1/bursts", "", WORK),
        ("GET", "/v1/bursts/none", "", WORK),
        ("POST", "/v1/bursts/none/answer", r#"{"text": "soon"}"#, WORK),
        ("GET", "/v1/jobs/1", "", STATE),
        ("POST", "/v1/models/wording/stage", r#"{"version": 1, "stage": "shadow"}"#, &[Lead, Admin]),
        ("POST", "/v1/models/wording/roll-back", "", &[Lead, Admin]),
        ("POST", "/v1/models/train", r#"{"task": "team"}"#, &[Lead, Admin]),
        ("POST", "/v1/models/team/stage", r#"{"version": 1, "stage": "shadow"}"#, &[Lead, Admin]),
        ("POST", "/v1/events/alertmanager", "{}", &[Service, Lead, Admin]),
        ("GET", "/v1/proposals/none", "", WORK),
        ("POST", "/v1/proposals/none/ruling", "{}", WORK),
        ("GET", "/v1/bundles/none/diff/other", "", READ),
        ("GET", "/v1/bundles/none/prompt", "", READ),
        ("POST", "/v1/bundles/none/replay", "", READ),
        ("GET", "/v1/records/kb:queue/neighbours", "", READ),
        ("POST", "/sparql", "", READ),
        ("GET", "/v1/audit/inclusion", "", &[Auditor, Lead, Admin]),
        ("GET", "/v1/audit/consistency", "", &[Auditor, Lead, Admin]),
        ("POST", "/v1/models/team/roll-back", "", &[Lead, Admin]),
        ("POST", "/v1/verify", "", &[Admin]),
        ("GET", "/v1/audit/entries", "", &[Auditor, Lead, Admin]),
        ("GET", "/v1/audit/checkpoint", "", &[Auditor, Lead, Admin]),
        ("GET", "/v1/keys", "", &[Admin]),
        ("POST", "/v1/keys", "{}", &[Admin]),
        ("DELETE", "/v1/keys/none", "", &[Admin]),
        ("PUT", "/v1/agents/stop", r#"{"stopped": false}"#, &[Lead, Admin]),
    ]
};

#[test]
fn each_role_may_do_what_the_policies_say_and_is_told_who_may_do_the_rest() {
    let server = Server::start();
    for role in Role::ALL.iter().copied() {
        let key = key(&server, role.as_str(), role, &[]);
        for (method, path, body, roles) in CALLS {
            let answer = with(&server, &key, method, path).body("application/json", body).send();
            let may = roles.contains(&role);
            assert_eq!(
                answer.status != 403,
                may,
                "{role} {method} {path}: {} {}",
                answer.status,
                answer.text()
            );
            assert_ne!(answer.status, 401, "{role} {method} {path}");
            assert!(answer.status != 500, "{role} {method} {path}: {}", answer.text());
            if !may && *method != "HEAD" {
                assert_eq!(problem(&answer), "denied");
                let detail = answer.value()["detail"].as_str().unwrap().to_owned();
                assert!(detail.contains(role.as_str()), "{detail}");
                assert!(detail.contains("admin") || *method == "PUT", "it names who may: {detail}");
            }
        }
    }
}

#[test]
fn every_route_of_the_document_is_an_action_of_the_policies() {
    let server = Server::start();
    let document = server.get("/openapi.json").value();
    let mut routes = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: axum::http::Method = method.to_uppercase().parse().unwrap();
            let action = super::super::rights::action(&method, path);
            let said = operation["description"].as_str().unwrap_or_default();
            if path.starts_with("/health/") {
                assert_eq!(action, None);
                continue;
            }
            let action =
                action.unwrap_or_else(|| panic!("give {method} {path} its action in http/rights.rs"));
            assert!(said.contains(&format!("`{action}`")), "{method} {path}: {said}");
            let is_it = |asked: &str| is_of(asked, path);
            let is_tried = CALLS.iter().any(|(with, asked, _, _)| *with == method.as_str() && is_it(asked));
            assert!(is_tried || path == "/v1/stream", "say in CALLS which roles may {method} {path}");
            routes += 1;
        }
    }
    assert!(routes > 35, "only {routes}");
}

#[test]
fn a_key_is_made_over_http_shown_once_and_revoked() {
    let server = Server::start();
    let ask = |role: &str| json!({"name": "fay", "roles": [role], "expires_days": 30});
    let refused = server.post("/v1/keys", &ask("agent"));
    assert_eq!(problem(&refused), "invalid-request", "the first key is for an admin");
    let made = server.post("/v1/keys", &ask("admin"));
    assert_eq!((made.status, made.headers["cache-control"].as_str()), (201, "no-store"));
    fits::<KeyBody>(&made.value());
    let admin = made.value()["key"].as_str().unwrap().to_owned();

    let shut = server.get("/v1/keys");
    assert_eq!((shut.status, problem(&shut).as_str()), (401, "unauthorized"));
    assert_eq!(shut.headers["www-authenticate"], "Bearer");
    let agent = post(
        &server,
        &admin,
        "/v1/keys",
        &json!({"name": "mia", "roles": ["agent"], "audiences": ["staff"]}),
    )
    .value();
    assert_eq!((&agent["created_by"], &agent["state"]), (&json!("fay"), &json!("active")));
    let (id, mia) = (agent["id"].as_str().unwrap(), agent["key"].as_str().unwrap());
    assert_eq!(get(&server, mia, "/v1/records/kb:queue").status, 200);
    assert_eq!(problem(&get(&server, mia, "/v1/keys")), "denied");

    let listed = get(&server, &admin, "/v1/keys");
    fits::<Vec<KeyBody>>(&listed.value());
    assert!(listed.value().as_array().unwrap().len() == 2 && !listed.text().contains("tgk_"));
    let revoked = with(&server, &admin, "DELETE", &format!("/v1/keys/{id}")).send();
    assert_eq!(revoked.value()["state"], "revoked");
    let gone = get(&server, mia, "/v1/records/kb:queue");
    assert_eq!((gone.status, problem(&gone).as_str()), (401, "key-revoked"));
    assert_eq!(gone.headers["www-authenticate"], "Bearer");
    assert_eq!(problem(&with(&server, &admin, "DELETE", "/v1/keys/none").send()), "no-such-key");

    for wrong in [
        json!({"name": "mia", "roles": []}),
        json!({"name": "mia", "roles": ["king"]}),
        json!({"name": "mia jones", "roles": ["agent"]}),
        json!({"name": "mia", "roles": ["agent"], "audiences": []}),
        json!({"name": "mia", "roles": ["agent"], "expires_days": 0}),
    ] {
        assert_eq!(problem(&post(&server, &admin, "/v1/keys", &wrong)), "invalid-request", "{wrong}");
    }
    let entries = get(&server, &admin, "/v1/audit/entries").value();
    let told: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "setting-changed").collect();
    assert_eq!(told.len(), 3, "{entries}");
    assert_eq!(told[2]["body"]["actor"]["person"], "fay");
}

#[test]
fn a_key_ends_with_its_time() {
    let server = Server::start();
    let made: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let wanted = NewKey {
        name: "mia".to_owned(),
        roles: [Role::Agent].into(),
        audiences: Audiences::All,
        expires: Some(made + 1.hour()),
    };
    let keys = server.app.keys().unwrap();
    let (_, secret) = keys.create(wanted, &[7; RANDOM_BYTES], &PersonId::new("operator"), made).unwrap();
    let answer = get(&server, &secret.reveal(), "/v1/records/kb:queue");
    assert_eq!((answer.status, problem(&answer).as_str()), (401, "key-expired"));
    let nobody = server.get("/v1/records/kb:queue");
    assert_eq!(problem(&nobody), "unauthorized", "and the door does not open for all again");
}

#[test]
fn the_audiences_of_a_key_narrow_every_leg_and_a_header_only_narrows_further() {
    let server = Server::start();
    let all = key(&server, "ada", Role::Admin, &[]);
    let staff = key(&server, "mia", Role::Agent, &["staff"]);
    let security = key(&server, "sol", Role::Agent, &["security"]);
    let both = key(&server, "kim", Role::Admin, &["staff", "security"]);

    let found = |key: &str, header: &str| -> BTreeSet<String> {
        let ask = with(&server, key, "POST", "/v1/search")
            .json(&json!({"text": "mail key queue mx-01 leaked", "limit": 50}));
        let answer = if header.is_empty() { ask } else { ask.header("X-Triagraph-Audience", header) }.send();
        let hits = answer.value();
        let ids = hits["hits"].as_array().unwrap_or_else(|| panic!("{hits}")).iter();
        ids.map(|hit| hit["record"].as_str().unwrap().to_owned()).collect()
    };
    let everything = found(&all, "");
    assert!(everything.contains("sec:9") && everything.contains("sn:INC/1"), "{everything:?}");
    let hidden = found(&staff, "");
    assert!(!hidden.contains("sec:9") && hidden.contains("sn:INC/1"), "{hidden:?}");
    assert_eq!(found(&security, ""), ["sec:9".to_owned()].into());
    assert_eq!(found(&both, ""), everything);
    assert_eq!(found(&both, "security"), ["sec:9".to_owned()].into());
    assert_eq!(found(&staff, "security"), BTreeSet::new(), "a header does not widen");
    assert_eq!(found(&staff, "security,staff"), hidden);

    for (key, may) in [(&staff, false), (&security, true), (&both, true), (&all, true)] {
        assert_eq!(get(&server, key, "/v1/records/sec:9").status, if may { 200 } else { 404 });
        let ask = with(&server, key, "POST", "/sparql").body(
            "application/sparql-query",
            "PREFIX dcterms: <http://purl.org/dc/terms/> ASK { ?s dcterms:title \"Mail key of mx-01 leaked\" }",
        );
        assert_eq!(ask.header("Accept", "application/sparql-results+json").send().value()["boolean"], may);
        let made = post(&server, key, "/v1/bundles", &json!({"about": {"text": "mail queue leaked"}}));
        assert_eq!(made.text().contains("private key"), may, "{}", made.text());
        let id = made.value()["id"].as_str().unwrap().to_owned();
        assert_eq!(get(&server, key, &format!("/v1/bundles/{id}")).status, 200);
        if may {
            assert_eq!(
                get(&server, &staff, &format!("/v1/bundles/{id}")).status,
                404,
                "another one's bundle"
            );
        }
    }
    for path in ["/v1/status", "/v1/keys", "/metrics", "/v1/tickets", "/v1/audit/entries"] {
        assert_eq!(problem(&get(&server, &both, path)), "operator-only", "{path}");
    }
}

/// Whether a call goes to a route of the document.
fn is_of(asked: &str, route: &str) -> bool {
    let asked: Vec<&str> = asked.split('?').next().unwrap_or_default().split('/').collect();
    let route: Vec<&str> = route.split('/').collect();
    let fits = |(one, other): (&&str, &&str)| other.starts_with('{') || one == other;
    asked.len() == route.len() && asked.iter().zip(&route).all(fits)
}

#[test]
fn who_sees_a_part_gets_nothing_of_the_whole() {
    let server = Server::start();
    let narrowed = key(&server, "zoe", Role::Admin, &["staff"]);
    let sees = [
        "/v1/search",
        "/v1/related",
        "/v1/triage",
        "/v1/bundles",
        "/v1/records/",
        "/v1/articles",
        "/sparql",
        "/v1/tickets/",
    ];
    let mut refused = 0;
    for (method, path, body, _) in CALLS {
        let is_seen = sees.iter().any(|seen| path.starts_with(seen)) && *method != "DELETE";
        let answer = with(&server, &narrowed, method, path).body("application/json", body).send();
        if !is_seen && *method != "HEAD" {
            assert_eq!(problem(&answer), "operator-only", "{method} {path}: {}", answer.text());
            refused += 1;
        }
    }
    assert_eq!(problem(&get(&server, &narrowed, "/v1/stream")), "operator-only");
    assert!(refused > 25, "only {refused}");
}

#[test]
fn people_are_told_apart_in_what_they_rule() {
    let server = Server::start();
    let hook = key(&server, "hook", Role::Service, &[]);
    let (mia, ben) = (key(&server, "mia", Role::Agent, &[]), key(&server, "ben", Role::Lead, &[]));
    let ticket = json!({"id": "web:1", "kind": "incident", "title": "Mail to customers is late again, queue on mx-01 grows",
        "impact": 2, "urgency": 2, "sections": [{"kind": "description", "text": "Outgoing mail waits on mx-01 since nine."}]});
    let event = json!({"specversion": "1.0", "id": "1", "source": "web", "type": "triagraph.ticket.created", "data": ticket});
    let ask = with(&server, &hook, "POST", "/v1/events");
    assert_eq!(ask.body("application/cloudevents+json", &event.to_string()).send().status, 202);
    let mut open = json!([]);
    for _ in 0..600 {
        open = get(&server, &mia, "/v1/proposals?state=open").value();
        if open.as_array().is_some_and(|open| !open.is_empty()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let proposal =
        open.as_array().unwrap().iter().find(|one| one["bound"]["arguments"]["deed"] == "route").unwrap();
    let path = format!("/v1/proposals/{}/ruling", proposal["id"].as_str().unwrap());
    assert_eq!(problem(&post(&server, &hook, &path, &json!({"ruling": "approve"}))), "denied");
    let mut changed = proposal["bound"]["arguments"].clone();
    changed["priority"] = json!(4);
    let edited = post(&server, &mia, &path, &json!({"ruling": "edit", "arguments": changed})).value();
    assert_eq!(edited["edited_by"], json!(["mia"]), "{edited}");
    let approved = post(&server, &ben, &path, &json!({"ruling": "approve"})).value();
    assert_eq!(
        (&approved["approved_by"], &approved["state"]),
        (&json!(["ben"]), &json!("executed")),
        "{approved}"
    );
    let told = get(&server, &ben, "/v1/audit/entries").value();
    let by: Vec<&Value> = told
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "approval")
        .map(|entry| &entry["body"]["actor"]["person"])
        .collect();
    assert_eq!(by, ["mia", "ben"]);
}

#[test]
fn who_asks_too_often_waits_and_others_do_not() {
    let rate = Rate { per_second: 1.0, burst: 3.0 };
    let server = Server::with(Limits { rate, ..Limits::default() }, Some("0123456789abcdef0123456789abcdef"));
    let (mia, ben) = (key(&server, "mia", Role::Agent, &[]), key(&server, "ben", Role::Agent, &[]));
    let second = key(&server, "mia", Role::Agent, &[]);
    let mut statuses = Vec::new();
    for ask in [&mia, &second, &mia, &second, &mia, &mia, &mia, &mia] {
        let answer = get(&server, ask, "/v1/records/kb:queue");
        if answer.status == 429 {
            assert_eq!(problem(&answer), "too-many-requests");
            assert_eq!(answer.headers["retry-after"], "1");
        }
        statuses.push(answer.status);
    }
    assert!(statuses[..3] == [200, 200, 200] && statuses.contains(&429), "{statuses:?}");
    assert_eq!(get(&server, &ben, "/v1/records/kb:queue").status, 200);
    for _ in 0..8 {
        assert_eq!(get(&server, "0123456789abcdef0123456789abcdef", "/v1/records/kb:queue").status, 200);
    }
}

#[test]
fn json_nested_too_deep_is_refused() {
    let server = Server::start();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = server.ask("POST", "/v1/bundles").body("application/json", &deep).send();
    assert_eq!((answer.status, problem(&answer).as_str()), (400, "invalid-json"));
}

#[test]
fn who_read_what_stands_in_the_audit_log_without_a_word_of_it() {
    let server = Server::start();
    let (ada, mia) = (key(&server, "ada", Role::Admin, &[]), key(&server, "mia", Role::Agent, &[]));
    let found = post(&server, &mia, "/v1/search", &json!({"text": "mail queue", "limit": 2})).value();
    for _ in 0..2 {
        assert_eq!(get(&server, &mia, "/v1/records/kb%3Aqueue").status, 200);
    }
    assert_eq!(get(&server, &mia, "/v1/records/kb%3Anone").status, 404);
    assert_eq!(get(&server, &mia, "/sparql?query=ASK%7B%7D").status, 200);
    let bundle = post(&server, &mia, "/v1/bundles", &json!({"about": {"text": "mail queue"}})).value();
    let asked = with(&server, &mia, "GET", "/v1/records/sn%3AINC%2F1").header("X-Request-Id", "ticket-42");
    assert_eq!(asked.send().status, 200);

    let entries = get(&server, &ada, "/v1/audit/entries?limit=1000").value();
    let reads: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "data-access").collect();
    assert!(reads.iter().all(|read| read["body"]["actor"]["person"] == "mia"), "{entries}");
    let of = |call: &str| -> Vec<&Value> {
        reads.iter().map(|read| &read["body"]).filter(|body| body["details"]["call"] == call).collect()
    };
    let hits: Vec<&Value> = found["hits"].as_array().unwrap().iter().map(|hit| &hit["record"]).collect();
    assert_eq!(of("/v1/search")[0]["records"], json!(hits));
    let records = of("/v1/records/{id}");
    let times: u64 = records
        .iter()
        .filter(|body| body["records"] == json!(["kb:queue"]))
        .map(|body| body["details"]["times"].as_u64().unwrap_or(1))
        .sum();
    assert_eq!(times, 2, "{entries}");
    let last = records.iter().find(|body| body["records"] == json!(["sn:INC/1"])).unwrap();
    assert_eq!(last["correlation"], "ticket-42");
    assert!(
        records.iter().all(|body| !body["records"].to_string().contains("none")),
        "what is not there was not read"
    );
    assert_eq!(of("/v1/bundles")[0]["details"]["bundle"], bundle["id"]);
    assert_eq!(of("/sparql")[0]["details"]["query-sha256"].as_str().unwrap().len(), 64);
    let told = json!(reads).to_string();
    for word in ["mail queue", "Clear", "ASK"] {
        assert!(!told.contains(word), "{word} in {told}");
    }
}
