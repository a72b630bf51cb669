//! Is what must not pass stopped, and said? Problems, the key, the limits, and an orderly end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use ontology::{Audience, Scope, TenantId};
use serde_json::json;

use super::super::Limits;
use super::client::receive;
use super::{Server, UNBEARABLE, problem};

#[test]
fn every_error_is_a_problem_with_its_code() {
    let server = Server::start();
    let check = |method: &str, path: &str, body: &str, status: u16, code: &str| {
        let answer = server.ask(method, path).body("application/json", body).send();
        assert_eq!((answer.status, problem(&answer).as_str()), (status, code), "{method} {path} {body}");
        answer
    };
    check("GET", "/v1/nothing", "", 404, "no-such-route");
    let wrong = check("PUT", "/v1/search", "", 405, "method-not-allowed");
    assert_eq!(wrong.headers["allow"], "POST");
    check("POST", "/v1/search", "{", 400, "invalid-json");
    check("POST", "/v1/search", "{}", 422, "invalid-request");
    check("POST", "/v1/search", r#"{"text": "a", "audience": "security"}"#, 422, "invalid-request");
    check("POST", "/v1/search", r#"{"text": " "}"#, 422, "invalid-request");
    check("POST", "/v1/search", r#"{"text": "a", "limit": 1001}"#, 422, "invalid-request");
    check("POST", "/v1/search", r#"{"text": "a", "legs": []}"#, 422, "invalid-request");
    check(
        "POST",
        "/v1/search",
        r#"{"text": "a", "filters": {"kind": ["incident"]}}"#,
        422,
        "invalid-request",
    );
    check("POST", "/v1/related", r#"{"about": {"record": "no colon"}}"#, 422, "invalid-request");
    check("POST", "/v1/bundles", r#"{"about": {"text": "a"}, "budget_tokens": 10}"#, 422, "invalid-request");
    check("POST", "/v1/bundles", "[]", 422, "invalid-request");
    check("GET", "/v1/records/INC1", "", 400, "invalid-id");
    check("GET", "/v1/records/sn:none", "", 404, "no-such-record");
    check("GET", "/v1/records/sn:none?as_of=yesterday", "", 400, "invalid-query");
    check("GET", "/v1/records/sn:none/neighbours?limit=0", "", 422, "invalid-request");
    check("DELETE", "/v1/records/sn:none?purge=perhaps", "", 400, "invalid-query");
    check("GET", "/v1/jobs/7", "", 404, "no-such-job");
    check("GET", "/v1/jobs/x", "", 400, "invalid-query");
    check("POST", "/v1/records", "[]", 422, "invalid-request");
    let base = json!({"id": "api:1", "kind": "incident", "title": "t", "audience": ["staff"]});
    let with = |name: &str, value: serde_json::Value| {
        let mut record = base.clone();
        record[name] = value;
        json!([base, record]).to_string()
    };
    for body in [
        with("kind", json!("nonsense")),
        with("audience", json!([])),
        with("kind", json!("dataset")),
        with("sections", json!([{"kind": "steps", "text": "a", "steps": [{"start": 0, "end": 9}]}])),
        with("title", json!("the same id twice")),
        with("descripton", json!("lost")),
        with("sections", json!([{"kind": "description", "body": "lost"}])),
        with("sections", json!([{"kind": "description", "text": "a", "heaading": "lost"}])),
        with("links", json!([{"relation": "affects", "target": {"name": "mx-01"}, "note": "lost"}])),
        json!([{"id": "api:2", "kind": "incident", "title": "for whom?"}]).to_string(),
    ] {
        check("POST", "/v1/records", &body, 422, "invalid-record");
    }
    assert_eq!(server.get("/v1/status").value()["generation"], 5, "nothing was written");
    let plain = server.ask("POST", "/v1/search").body("text/plain", "{}").send();
    assert_eq!((plain.status, problem(&plain).as_str()), (415, "unsupported-media-type"));
}

#[test]
fn a_request_keeps_its_id_and_a_wild_one_gets_a_new_one() {
    let server = Server::start();
    let id = |given: &str| {
        server.ask("GET", "/health/live").header("X-Request-Id", given).send().headers["x-request-id"].clone()
    };
    assert_eq!(id("ticket-42.a_b"), "ticket-42.a_b");
    let (first, second) = (id("a b"), id(&"x".repeat(200)));
    assert!(first != "a b" && first != second && second.len() < 40);
}

#[test]
fn with_a_key_nothing_is_told_without_it() {
    let key = "0123456789abcdef0123456789abcdef";
    let server = Server::with(Limits::default(), Some(key));
    for (method, path) in [
        ("POST", "/v1/search"),
        ("GET", "/v1/status"),
        ("POST", "/v1/files?name=a.csv"),
        ("GET", "/sparql"),
        ("GET", "/metrics"),
        ("GET", "/v1/jobs"),
    ] {
        for header in ["", "Bearer wrong", "Basic 0123456789abcdef0123456789abcdef", "Bearer "] {
            let answer = server.ask(method, path).header("Authorization", header).send();
            assert_eq!((answer.status, problem(&answer).as_str()), (401, "unauthorized"), "{path} {header}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    let opened = server.ask("GET", "/v1/status").header("Authorization", &format!("bearer {key}"));
    assert_eq!(opened.header("Origin", "https://desk.example").send().status, 200);
    for path in ["/health/live", "/health/ready", "/openapi.json", "/docs/"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn without_a_key_pages_of_other_sites_are_not_answered() {
    let server = Server::start();
    let answer = server.ask("GET", "/v1/status").header("Origin", "https://evil.example").send();
    assert_eq!((answer.status, problem(&answer).as_str()), (403, "cross-origin"));
}

#[test]
fn a_server_whose_desk_is_not_open_lives_but_is_not_ready() {
    let server = Server::without_desk(Limits::default(), None);
    assert_eq!(server.get("/health/live").status, 200);
    for path in ["/health/ready", "/v1/status", "/v1/articles"] {
        let answer = server.get(path);
        assert_eq!((answer.status, problem(&answer).as_str()), (503, "not-ready"), "{path}");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    assert_eq!(server.get("/metrics").status, 200);
    server.stop().unwrap();
}

#[test]
fn who_comes_while_the_desk_opens_is_not_served_by_what_opens_meanwhile() {
    let server = Server::without_desk(Limits { request: Duration::from_secs(2), ..Limits::default() }, None);
    let ask = server.ask("POST", "/v1/keys").json(&json!({"name": "eve", "roles": ["admin"]}));
    // The body, which would come later, is not waited for.
    let answer = receive(ask.open());
    assert_eq!((answer.status, problem(&answer).as_str()), (503, "not-ready"));
    server.stop().unwrap();
}

#[test]
fn bodies_requests_at_once_and_time_are_limited() {
    let large = Server::with(Limits { body_bytes: 1000, ..Limits::default() }, None);
    let body = json!({"text": "a".repeat(2000)});
    let answer = large.post("/v1/search", &body);
    assert_eq!((answer.status, problem(&answer).as_str()), (413, "too-large"));
    let form = format!("query={}", "a".repeat(2000));
    let answer = large.ask("POST", "/sparql").body("application/x-www-form-urlencoded", &form).send();
    assert_eq!((answer.status, problem(&answer).as_str()), (413, "too-large"));

    let full = Server::with(Limits { in_flight: 0, ..Limits::default() }, None);
    let answer = full.get("/v1/status");
    assert_eq!((answer.status, problem(&answer).as_str()), (503, "overloaded"));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(full.get("/health/ready").status, 200);

    let mut limits = Limits { request: Duration::ZERO, ..Limits::default() };
    let hasty = Server::with(limits, None);
    // The body never comes.
    let answer = receive(hasty.ask("POST", "/v1/search").json(&json!({"text": "mail"})).open());
    assert_eq!((answer.status, problem(&answer).as_str()), (504, "timeout"));

    limits = Limits::default();
    limits.sparql.timeout = Duration::ZERO;
    limits.sparql_in_flight = 1;
    let hasty = Server::with(limits, None);
    let product = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }";
    let answer = hasty.ask("POST", "/sparql").body("application/sparql-query", product).send();
    assert_eq!((answer.status, problem(&answer).as_str()), (504, "sparql-timeout"));

    limits = Limits::default();
    limits.sparql.max_rows = 2;
    let short = Server::with(limits, None);
    let answer =
        short.ask("POST", "/sparql").body("application/sparql-query", "SELECT * { ?s ?p ?o }").send();
    assert_eq!((answer.status, answer.headers["x-triagraph-truncated"].as_str()), (200, "rows"));
}

#[test]
fn a_request_at_work_is_answered_before_the_end() {
    let server = Server::start();
    let body = json!({"text": "mail queue"});
    let mut connection = server.ask("POST", "/v1/search").json(&body).open();
    while !server.get("/metrics").text().contains("triagraph_http_requests_in_flight 2") {
        std::thread::yield_now();
    }
    let address = server.address;
    let app = server.app.clone();
    let stopping = std::thread::spawn(move || server.stop());
    while !app.jobs.is_stopped() {
        std::thread::yield_now();
    }
    connection.write_all(body.to_string().as_bytes()).unwrap();
    let answer = receive(connection);
    assert_eq!(answer.status, 200, "{}", answer.text());
    stopping.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_server() {
    let server = Server::with(Limits { shutdown: Duration::from_millis(50), ..Limits::default() }, None);
    let _connection = server.ask("POST", "/v1/search").json(&json!({"text": "mail"})).open();
    while !server.get("/metrics").text().contains("triagraph_http_requests_in_flight 2") {
        std::thread::yield_now();
    }
    server.stop().unwrap();
}

#[test]
fn a_writer_that_failed_half_way_is_told_and_takes_no_more() {
    let server = Server::start();
    let gauge = |line: &str| server.get("/metrics").text().lines().any(|found| found == line);
    assert!(gauge("triagraph_writer_stopped 0"));
    let record =
        |title: &str| json!([{"id": "api:1", "kind": "incident", "title": title, "audience": ["staff"]}]);
    let job = server.job(&server.post("/v1/records", &record(UNBEARABLE)));
    assert_eq!(job["state"], "failed", "{job}");
    for (method, path) in [
        ("GET", "/health/ready"),
        ("POST", "/v1/records"),
        ("POST", "/v1/verify"),
        ("DELETE", "/v1/records/kb:queue"),
    ] {
        let answer = server.ask(method, path).json(&record("fine")).send();
        assert_eq!((answer.status, problem(&answer).as_str()), (503, "writer-stopped"), "{method} {path}");
    }
    assert!(gauge("triagraph_writer_stopped 1"));
    assert_eq!(server.get("/v1/records/kb:queue").status, 200);
    assert_eq!(server.post("/v1/search", &json!({"text": "mail"})).status, 200, "readers are served on");
}

#[test]
fn a_server_shows_no_more_than_the_scope_that_it_was_started_with() {
    let staff = Scope::of(TenantId::new("main").unwrap(), [Audience::staff()]);
    let server = Server::scoped(staff, Limits::default(), None);
    assert_eq!(problem(&server.get("/v1/records/sec:9")), "no-such-record");
    assert_eq!(server.get("/v1/records/kb:queue").status, 200);
    let asked =
        |audience: &str, path: &str| server.ask("GET", path).header("X-Triagraph-Audience", audience).send();
    assert_eq!(problem(&asked("security", "/v1/records/sec:9")), "no-such-record");
    assert_eq!(problem(&asked("security", "/v1/records/kb:queue")), "no-such-record");
    assert_eq!(asked("security,staff", "/v1/records/kb:queue").status, 200);
    for (method, path) in [
        ("GET", "/v1/status"),
        ("GET", "/metrics"),
        ("POST", "/v1/records"),
        ("POST", "/v1/verify"),
        ("GET", "/v1/jobs"),
    ] {
        let answer = server.ask(method, path).json(&json!([])).send();
        assert_eq!((answer.status, problem(&answer).as_str()), (403, "operator-only"), "{method} {path}");
    }
    assert_eq!(server.get("/health/ready").status, 200);
}

#[test]
fn a_connection_that_asks_nothing_is_closed_and_waited_for_by_nobody() {
    let hasty = Server::with(Limits { head: Duration::from_millis(50), ..Limits::default() }, None);
    let mut silent = TcpStream::connect(hasty.address).unwrap();
    let mut slow = TcpStream::connect(hasty.address).unwrap();
    slow.write_all(b"GET /health/live HTTP/1.1\r\nhost: loc").unwrap();
    // Both end without us: the server has given up on them.
    let mut said = Vec::new();
    let _ = silent.read_to_end(&mut said);
    let _ = slow.read_to_end(&mut said);

    let patient = Server::with(
        Limits { head: Duration::from_secs(3600), shutdown: Duration::from_secs(3600), ..Limits::default() },
        None,
    );
    let mut silent = TcpStream::connect(patient.address).unwrap();
    let mut slow = TcpStream::connect(patient.address).unwrap();
    slow.write_all(b"GET /health/live HTTP/1.1\r\nhost: loc").unwrap();
    assert_eq!(patient.get("/health/live").status, 200);
    patient.stop().unwrap();
    for connection in [&mut silent, &mut slow] {
        let _ = connection.read_to_end(&mut said);
    }
}

#[test]
fn more_connections_than_allowed_wait_for_their_turn() {
    let server = Server::with(Limits { connections: 1, ..Limits::default() }, None);
    let first = TcpStream::connect(server.address).unwrap();
    let mut second = server.ask("GET", "/health/live").open();
    second.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(second.read(&mut [0; 1]).is_err(), "it was answered beside the first");
    drop(first);
    second.set_read_timeout(None).unwrap();
    assert_eq!(receive(second).status, 200);
}
