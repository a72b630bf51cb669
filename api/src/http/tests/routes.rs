//! Does every route answer as the document says, and only what the caller may see?

use serde_json::{Value, json};

use super::super::{bundles, jobs, overview, problem::ProblemBody, schema};
use super::{Server, fits, problem, records};

fn ids(value: &Value, list: &str) -> Vec<String> {
    value[list].as_array().unwrap().iter().map(|hit| hit["record"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn search_and_related_answer_within_the_audience() {
    let server = Server::start();
    let question = json!({"text": "mail queue mx-01", "filters": {"kinds": ["incident"]}, "limit": 5});
    let answer = server.post("/v1/search", &question);
    assert_eq!(answer.status, 200, "{}", answer.text());
    fits::<schema::Hits>(&answer.value());
    assert!(ids(&answer.value(), "hits").contains(&"sec:9".to_owned()));
    let narrowed = |audience: &str| {
        let ask = server.ask("POST", "/v1/search").json(&question).header("X-Triagraph-Audience", audience);
        ids(&ask.send().value(), "hits")
    };
    assert!(!narrowed("staff").contains(&"sec:9".to_owned()) && narrowed("staff").len() == 2);
    assert_eq!(narrowed("security"), ["sec:9"]);
    assert_eq!(narrowed("staff, security").len(), 3);
    assert_eq!(narrowed("nobody"), [""; 0]);

    let related = server.post("/v1/related", &json!({"about": {"record": "sn:INC/2"}}));
    fits::<schema::Related>(&related.value());
    assert!(ids(&related.value(), "tickets").contains(&"sn:INC/1".to_owned()), "{}", related.text());
    let ticket = serde_json::to_value(&records()[2]).unwrap();
    let inline = server.post("/v1/related", &json!({"about": {"ticket": ticket}, "limit": 1}));
    let mut open = ticket.clone();
    open.as_object_mut().unwrap().remove("audience");
    assert_eq!(server.post("/v1/related", &json!({"about": {"ticket": open}})).status, 200);
    assert_eq!(inline.value()["tickets"].as_array().unwrap().len(), 1);
    let hidden = json!({"about": {"record": "sec:9"}});
    let hidden =
        server.ask("POST", "/v1/related").json(&hidden).header("X-Triagraph-Audience", "staff").send();
    assert_eq!((hidden.status, problem(&hidden).as_str()), (404, "no-such-record"));
}

#[test]
fn a_ticket_is_triaged_within_the_audience() {
    let server = Server::start();
    let answered = server.post("/v1/triage", &json!({"record": "sn:INC/2", "budget_tokens": 1000}));
    assert_eq!(answered.status, 200, "{}", answered.text());
    let triage = answered.value();
    fits::<schema::Triage>(&triage);
    assert_eq!((&triage["schema"], &triage["ticket"]), (&json!("triagraph.triage/1"), &json!("sn:INC/2")));
    assert_eq!(triage["outcome"]["outcome"], "answered", "{triage}");
    assert!(!triage["answer"]["sources"].as_array().unwrap().is_empty());

    let ticket = json!({"id": "web:1", "kind": "incident", "title": "Badge reader beeps",
        "sections": [{"kind": "description", "text": "Turnstile hall B refuses everybody."}]});
    let handed = server.post("/v1/triage", &json!({"ticket": ticket, "deadline_millis": 5000}));
    assert_eq!(handed.status, 200, "{}", handed.text());
    fits::<schema::Triage>(&handed.value());
    assert_eq!(handed.value()["outcome"]["outcome"], "handed_over", "{}", handed.text());
    assert!(handed.value()["answer"].is_null());

    let narrowed = |audience: &str, record: &str| {
        let ask = server.ask("POST", "/v1/triage").json(&json!({"record": record}));
        ask.header("X-Triagraph-Audience", audience).send()
    };
    let hidden = narrowed("staff", "sec:9");
    assert_eq!((hidden.status, problem(&hidden).as_str()), (404, "no-such-record"));
    assert_eq!(narrowed("security", "sec:9").status, 200);
    let seen = narrowed("staff", "sn:INC/2");
    assert!(seen.status == 200 && !seen.text().contains("sec:9"), "{}", seen.text());

    let refused = |body: serde_json::Value, status: u16, code: &str| {
        let answer = server.post("/v1/triage", &body);
        assert_eq!((answer.status, problem(&answer).as_str()), (status, code), "{body}");
    };
    refused(json!({"record": "sn:none"}), 404, "no-such-record");
    refused(json!({"record": "kb:queue"}), 422, "invalid-request");
    refused(json!({}), 422, "invalid-request");
    refused(json!({"record": "sn:INC/2", "ticket": ticket}), 422, "invalid-request");
    refused(json!({"record": "sn:INC/2", "budget_tokens": 10}), 422, "invalid-request");
    refused(
        json!({"ticket": {"id": "web:1", "kind": "incident", "title": "t", "text": "lost"}}),
        422,
        "invalid-request",
    );
}

#[test]
fn a_name_that_nothing_has_is_said() {
    let server = Server::start();
    let warnings = |filters: serde_json::Value| {
        server.post("/v1/search", &json!({"text": "mail", "filters": filters})).value()["warnings"]
            .to_string()
    };
    assert!(warnings(json!({"service": "no such"})).contains("no service is called"));
    assert!(warnings(json!({"configuration_item": "mx-02"})).contains("no configuration item is called"));
    assert!(!warnings(json!({"configuration_item": "mx-01"})).contains("is called"));
}

#[test]
fn a_bundle_is_kept_replayed_compared_and_rendered() {
    let server = Server::start();
    let made =
        server.post("/v1/bundles", &json!({"about": {"text": "mail queue on mx-01"}, "budget_tokens": 500}));
    assert_eq!(made.status, 201, "{}", made.text());
    fits::<schema::Bundle>(&made.value());
    assert!(!made.value()["items"].as_array().unwrap().is_empty());
    let path = made.headers["location"].clone();
    let generation = made.value()["generation"].to_string();
    assert_eq!(made.headers["x-triagraph-generation"], generation);
    assert_eq!(server.get(&path).body, made.body);
    let hidden = server.ask("GET", &path).header("X-Triagraph-Audience", "staff").send();
    assert_eq!(problem(&hidden), "no-such-bundle");

    let replayed = server.ask("POST", &format!("{path}/replay")).send();
    assert_eq!(replayed.status, 200);
    fits::<schema::Bundle>(&replayed.value()["bundle"]);
    fits::<schema::BundleDifference>(&replayed.value()["difference"]);
    assert_eq!(replayed.value()["difference"]["same"], true);
    let other = server.post("/v1/bundles", &json!({"about": {"record": "sn:INC/2"}})).value();
    let diff = server.get(&format!("{path}/diff/{}", other["id"].as_str().unwrap()));
    fits::<schema::BundleDifference>(&diff.value());
    assert_eq!(problem(&server.get(&format!("{path}/diff/none"))), "no-such-bundle");
    let prompt = server.get(&format!("{path}/prompt"));
    assert!(prompt.headers["content-type"].starts_with("text/plain"));
    assert!(prompt.text().starts_with("[S1] "), "{}", prompt.text());

    let batch = json!([{"about": {"text": "mail"}}, {"about": {"record": "sn:none"}}]);
    let batch = server.post("/v1/bundles", &batch);
    assert_eq!(batch.status, 200);
    fits::<Vec<bundles::BundleOutcome>>(&batch.value());
    assert_eq!(batch.value()[1]["problem"]["code"], "no-such-record");
    let ahead = server.post("/v1/bundles", &json!({"about": {"text": "mail"}, "minimum_generation": 1000}));
    assert_eq!((ahead.status, problem(&ahead).as_str()), (409, "generation-not-reached"));
    assert!(ahead.headers.contains_key("retry-after"));
}

#[test]
fn a_repeated_key_gets_the_first_answer_until_its_text_is_purged() {
    let server = Server::start();
    let keyed = |text: &str, audience: Option<&str>| {
        let body = json!({"about": {"text": text}});
        let ask = server.ask("POST", "/v1/bundles").json(&body).header("Idempotency-Key", "a-1");
        audience.into_iter().fold(ask, |ask, audience| ask.header("X-Triagraph-Audience", audience)).send()
    };
    let first = keyed("mail queue", None);
    assert_eq!(first.status, 201);
    let more =
        json!([{"id": "sn:INC/3", "kind": "incident", "title": "Mail queue full", "audience": ["staff"]}]);
    server.job(&server.post("/v1/records", &more));
    assert_eq!(keyed("mail queue", None).body, first.body);
    let fresh = server.post("/v1/bundles", &json!({"about": {"text": "mail queue"}}));
    assert_ne!(fresh.value()["id"], first.value()["id"]);
    for reused in [keyed("printer", None), keyed("mail queue", Some("staff"))] {
        assert_eq!((reused.status, problem(&reused).as_str()), (422, "idempotency-key-reused"));
    }
    assert!(first.text().contains("Stop the daemon"));
    assert_eq!(server.ask("DELETE", "/v1/records/kb:queue?purge=true").send().status, 204);
    let purged = keyed("mail queue", None);
    assert_eq!(purged.status, 201);
    assert!(!purged.text().contains("Stop the daemon"), "{}", purged.text());
}

#[test]
fn records_are_written_by_a_job_shown_and_deleted() {
    let server = Server::start();
    let list = json!([
        {"id": "api:T 1/ü", "kind": "incident", "title": "Printer jam", "audience": ["staff"]},
        {"id": "api:T-2", "kind": "incident", "title": "", "audience": ["staff"]}
    ]);
    let job = server.job(&server.post("/v1/records", &list));
    fits::<jobs::Job>(&job);
    assert_eq!(
        (&job["state"], &job["counts"]["new"], &job["counts"]["quarantined"]),
        (&json!("done"), &json!(1), &json!(1))
    );
    assert_eq!(job["refused"][0]["record"], "api:T-2");
    let again = server.job(&server.post("/v1/records", &json!([list[0]])));
    assert_eq!(again["counts"]["unchanged"], 1);
    let listed = server.get("/v1/jobs").value();
    assert_eq!(listed.as_array().unwrap().len(), 2);

    let shown = server.get("/v1/records/api%3AT%201%2F%C3%BC");
    assert_eq!(shown.status, 200, "{}", shown.text());
    fits::<schema::Observation>(&shown.value());
    assert_eq!(shown.value()["lineage"]["origin"], "POST /v1/records");
    let before = server.get("/v1/records/api%3AT%201%2F%C3%BC?as_of=2026-11-02T00:00:00Z");
    assert_eq!(before.status, 404);
    let around = server.get("/v1/records/cmdb%3Amx-01/neighbours?limit=2");
    fits::<schema::Neighbours>(&around.value());
    assert_eq!(
        (around.value()["edges"].as_array().unwrap().len(), &around.value()["truncated"]),
        (2, &json!(true))
    );
    assert_eq!(server.ask("DELETE", "/v1/records/api%3AT%201%2F%C3%BC").send().status, 204);
    let gone = server.ask("DELETE", "/v1/records/api%3AT%201%2F%C3%BC").send();
    assert_eq!(problem(&gone), "no-such-record");
}

#[test]
fn the_desk_as_a_whole_is_counted_verified_and_reported() {
    let server = Server::start();
    fits::<schema::Status>(&server.get("/v1/status").value());
    assert_eq!(server.get("/v1/status").value()["records"]["incident"], 3);
    fits::<schema::KnowledgeReport>(&server.get("/v1/articles").value());
    assert_eq!(server.get("/v1/articles").value()["pages"], 1);
    let job = server.job(&server.ask("POST", "/v1/verify").send());
    fits::<jobs::Job>(&job);
    assert_eq!((&job["state"], &job["verification"]["problems"]), (&json!("done"), &json!([])));
    for path in ["/health/live", "/health/ready"] {
        fits::<overview::Health>(&server.get(path).value());
    }
    let metrics = server.get("/metrics").text();
    let expected = [
        "triagraph_records{kind=\"incident\"} 3",
        "triagraph_generation 5",
        "triagraph_indexes_at_log_head 1",
        "triagraph_http_requests_total{route=\"/v1/status\",method=\"GET\",status=\"200\"} 2",
        "triagraph_http_request_duration_seconds_bucket{route=\"/v1/status\",le=\"+Inf\"} 2",
        "triagraph_http_requests_in_flight 1",
    ];
    for line in expected {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in\n{metrics}");
    }
}

#[test]
fn a_narrowed_caller_neither_writes_nor_counts() {
    let server = Server::start();
    let calls = [
        ("POST", "/v1/records"),
        ("POST", "/v1/files?name=a.csv"),
        ("DELETE", "/v1/records/sn%3AINC%2F1"),
        ("GET", "/v1/status"),
        ("GET", "/v1/jobs"),
        ("GET", "/v1/jobs/1"),
        ("POST", "/v1/verify"),
        ("GET", "/metrics"),
    ];
    for (method, path) in calls {
        let answer = server.ask(method, path).json(&json!([])).header("X-Triagraph-Audience", "staff").send();
        assert_eq!((answer.status, problem(&answer).as_str()), (403, "operator-only"), "{method} {path}");
    }
    for header in ["", "a b", "staff,,"] {
        let answer = server.ask("GET", "/v1/articles").header("X-Triagraph-Audience", header).send();
        assert_eq!(problem(&answer), "invalid-header", "{header:?}");
    }
    let twice = server
        .ask("GET", "/v1/articles")
        .header("X-Triagraph-Audience", "a")
        .header("X-Triagraph-Audience", "b");
    assert_eq!(problem(&twice.send()), "invalid-header");
}

#[test]
fn sparql_follows_the_protocol() {
    let server = Server::start();
    let query = "SELECT ?s WHERE { ?s a ?c } LIMIT 3";
    let encoded = "query=SELECT%20%3Fs%20WHERE%20%7B%20%3Fs%20a%20%3Fc%20%7D%20LIMIT%203";
    let plain = server.get(&format!("/sparql?{encoded}"));
    assert_eq!(plain.headers["content-type"], "application/sparql-results+json");
    assert_eq!(plain.value()["results"]["bindings"].as_array().unwrap().len(), 3);
    let posted = |kind, body| server.ask("POST", "/sparql").body(kind, body);
    assert_eq!(posted("application/sparql-query", query).send().body, plain.body);
    assert_eq!(posted("application/x-www-form-urlencoded; charset=utf-8", encoded).send().body, plain.body);
    let csv = posted("application/sparql-query", query).header("accept", "text/csv;q=0.9, image/png").send();
    assert!(csv.headers["content-type"].starts_with("text/csv") && csv.text().starts_with("s\r\n"));
    let turtle = posted("application/sparql-query", "CONSTRUCT WHERE { ?s a ?c }")
        .header("accept", "text/turtle")
        .send();
    assert_eq!(turtle.headers["content-type"], "text/turtle");

    let check = |answer: super::Answer, status: u16, code: &str| {
        assert_eq!((answer.status, problem(&answer).as_str()), (status, code), "{}", answer.text());
    };
    check(server.get("/sparql"), 400, "invalid-query");
    check(server.get(&format!("/sparql?{encoded}&{encoded}")), 400, "invalid-query");
    check(server.get(&format!("/sparql?{encoded}&default-graph-uri=urn%3Aa")), 400, "invalid-query");
    check(posted("application/sparql-query", "SELEC").send(), 400, "sparql-syntax");
    check(posted("application/sparql-query", "DELETE WHERE { ?s ?p ?o }").send(), 400, "sparql-update");
    check(posted("application/sparql-update", "DELETE WHERE { ?s ?p ?o }").send(), 400, "sparql-update");
    check(posted("text/plain", query).send(), 415, "unsupported-media-type");
    check(
        posted("application/sparql-query", query).header("accept", "image/png").send(),
        406,
        "sparql-format",
    );

    let secret = "ASK { GRAPH ?g { <urn:triagraph:record:sec:9> a ?c } }";
    let sees = |audience: &str| {
        posted("application/sparql-query", secret).header("X-Triagraph-Audience", audience).send().value()["boolean"].clone()
    };
    assert_eq!((sees("staff"), sees("security")), (json!(false), json!(true)));
}

#[test]
fn the_document_is_openapi_3_1_and_its_references_resolve() {
    let server = Server::start();
    let document = server.get("/openapi.json").value();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = [
        ("/v1/search", "post"),
        ("/v1/related", "post"),
        ("/v1/triage", "post"),
        ("/v1/bundles", "post"),
        ("/v1/bundles/{id}", "get"),
        ("/v1/bundles/{id}/replay", "post"),
        ("/v1/bundles/{id}/diff/{other}", "get"),
        ("/v1/bundles/{id}/prompt", "get"),
        ("/v1/records", "post"),
        ("/v1/files", "post"),
        ("/v1/records/{id}", "get"),
        ("/v1/records/{id}", "delete"),
        ("/v1/records/{id}/neighbours", "get"),
        ("/v1/jobs", "get"),
        ("/v1/jobs/{id}", "get"),
        ("/v1/articles", "get"),
        ("/v1/status", "get"),
        ("/v1/verify", "post"),
        ("/sparql", "get"),
        ("/sparql", "post"),
        ("/metrics", "get"),
        ("/health/live", "get"),
        ("/health/ready", "get"),
    ];
    for (path, method) in paths {
        assert!(document["paths"][path][method]["summary"].is_string(), "{method} {path}");
    }
    let triage = &document["paths"]["/v1/triage"]["post"]["responses"];
    for status in ["200", "400", "401", "403", "404", "413", "415", "421", "422", "503", "504"] {
        assert!(triage[status].is_object(), "{status}");
    }
    assert!(document["paths"]["/health/live"]["get"]["responses"]["401"].is_null());
    let answer = &document["paths"]["/sparql"]["get"]["responses"]["200"]["content"];
    assert_eq!(answer["application/sparql-results+json"]["schema"]["type"], "object");
    assert!(
        answer["text/turtle"].is_object()
            && answer.as_object().unwrap().len() == engine::SparqlFormat::ALL.len()
    );
    let asked = document["components"]["schemas"]["AskedTicket"]["required"].to_string();
    assert!(asked.contains("title") && !asked.contains("audience"), "{asked}");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let example = &document["components"]["schemas"]["SearchRequest"]["example"];
    assert_eq!(server.post("/v1/search", example).status, 200);
    let example = &document["components"]["schemas"]["TriageRequest"]["example"];
    assert_eq!(server.post("/v1/triage", example).status, 200);
    let example = &document["components"]["schemas"]["BundleRequest"]["example"];
    assert_eq!(server.post("/v1/bundles", example).status, 201);
    let example = &document["components"]["schemas"]["Record"]["example"];
    assert_eq!(server.job(&server.post("/v1/records", &json!([example])))["counts"]["new"], 1);
    fits::<ProblemBody>(&document["components"]["schemas"]["Problem"]["example"]);
    assert_eq!(server.get("/docs/").status, 200);
}
