//! Is the work on one ticket one trace, from the caller's request to what came of it, and has each line of the log its id?

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Call, Collector, Desk, Server};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
/// Words that stand in the ticket and nowhere else.
const TITLE: &str = "quokkatitle";
const TEXT: &str = "wombattext";

fn event(id: &str, kind: &str, ticket: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "trace", "type": format!("triagraph.ticket.{kind}"),
        "subject": ticket, "data": data,
    })
}

fn ticket() -> Value {
    json!({
        "id": "trace:1", "kind": "incident", "title": format!("Scanners hang at confirm {TITLE}"), "impact": 3, "urgency": 3,
        "sections": [{"kind": "description", "text": format!(
            "scanners hang at confirm, canceling statement due to lock timeout in relation stock_location {TEXT}")}]
    })
}

/// Sends an event with a header.
fn send(server: &Server, header: &str, event: &Value) {
    let mut stream = TcpStream::connect(server.address()).expect("the server");
    let body = event.to_string();
    write!(
        stream,
        "POST /v1/events HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/cloudevents+json\r\n\
         {header}\r\ncontent-length: {}\r\n\r\n{body}",
        server.address(),
        body.len()
    )
    .expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
}

/// Looks until there is what is looked for.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} does not come");
        thread::sleep(Duration::from_millis(20));
    }
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a str> {
    let attributes = span["attributes"].as_array().expect("attributes");
    attributes.iter().find(|one| one["key"] == key)?["value"]["stringValue"].as_str()
}

#[test]
fn an_event_is_one_trace_from_its_request_to_its_end_without_a_word_of_its_text() {
    let (desk, collector) = (Desk::demo(), Collector::start());
    let mut command = desk.command(["serve", "--listen", "127.0.0.1:0", "--log-json"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address());
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b");
    let log = fs::File::create(desk.beside("log")).expect("a file");
    command.stderr(log);
    let server = Server::start_logging(command);
    send(
        &server,
        &format!("traceparent: 00-{TRACE}-{CALLER}-01"),
        &event("1", "created", "trace:1", &ticket()),
    );
    let spans: BTreeMap<String, Value> = until("the end of the trace", || {
        let spans = collector.spans().into_iter().filter(|span| span["traceId"] == TRACE);
        let spans: BTreeMap<String, Value> =
            spans.map(|span| (span["name"].as_str().expect("a name").to_owned(), span)).collect();
        spans.contains_key("ticket").then_some(spans)
    });
    let below = |name: &str, parent: &str| {
        let span = spans.get(name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
        assert_eq!(span["parentSpanId"], spans[parent]["spanId"], "{name} below {parent}: {spans:#?}");
        let times = ["startTimeUnixNano", "endTimeUnixNano"].map(|time| {
            let nanos =
                |span: &Value| span[time].as_str().expect("nanoseconds").parse::<u64>().expect("a number");
            (nanos(span), nanos(&spans[parent]))
        });
        assert!(times[0].0 <= times[1].0, "{span}");
    };
    assert_eq!(spans["POST /v1/events"]["parentSpanId"], CALLER);
    assert_eq!(spans["POST /v1/events"]["kind"], 2);
    below("ticket", "POST /v1/events");
    for step in ["apply", "invoke_agent triage", "conclude"] {
        below(step, "ticket");
    }
    for step in
        ["received", "redacted", "enriched", "classified", "context", "drafted", "checked", "answered"]
    {
        below(step, "invoke_agent triage");
    }
    assert_eq!(attribute(&spans["invoke_agent triage"], "gen_ai.operation.name"), Some("invoke_agent"));
    assert_eq!(attribute(&spans["ticket"], "triagraph.ticket.id"), Some("trace:1"));

    // One id in traces, at the ticket and in the audit log.
    assert_eq!(attribute(&spans["ticket"], "triagraph.correlation.id"), Some(TRACE));
    assert_eq!(server.ask("GET", "/v1/tickets/trace:1", &Value::Null).1["correlation"], TRACE);
    let audit = desk.beside("audit.jsonl");
    let told = collector.told();
    assert!(told.iter().all(|call| call.header("x-key") == Some("a b")), "{told:?}");
    for Call { body, .. } in &told {
        for word in [TITLE, TEXT, "scanners", "stock_location"] {
            assert!(!body.to_lowercase().contains(word), "{word} is told: {body}");
        }
    }

    // Without a trace of its own, what the caller calls its request is the id.
    send(&server, "x-request-id: request-7", &event("2", "updated", "trace:unknown", &Value::Null));
    let lines = until("a warning", || {
        let log = fs::read_to_string(desk.beside("log")).expect("the log");
        let lines: Vec<Value> = log.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        lines.iter().any(|line| line["level"] == "WARN").then_some(lines)
    });
    let said = |level: &str, correlation: &str| {
        lines.iter().filter(|line| line["level"] == level && line["correlation"] == correlation).count()
    };
    assert!(said("INFO", TRACE) > 0 && said("INFO", "request-7") > 0, "{lines:#?}");
    assert!(said("WARN", "request-7") > 0, "the worker says it too: {lines:#?}");
    let without =
        lines.iter().filter(|line| line["spans"].is_array() && line["correlation"].is_null()).count();
    assert_eq!(without, 0, "{lines:#?}");
    drop(server);
    let _ = desk.run(["audit", "export", audit.to_str().expect("UTF-8")]).with_code(0);
    let audit = fs::read_to_string(audit).expect("the audit log");
    assert!(audit.contains(TRACE), "{audit}");
}

#[test]
fn a_collector_that_is_not_there_holds_nobody_up() {
    let desk = Desk::new();
    let _ = desk.run(["init"]).with_code(0);
    // A port that nobody listens on.
    let mut command = desk.command(["serve", "--listen", "127.0.0.1:0", "--otlp", "http://127.0.0.1:9"]);
    command.stderr(fs::File::create(desk.beside("log")).expect("a file"));
    let server = Server::start_logging(command);
    let begun = Instant::now();
    assert_eq!(server.ask("GET", "/v1/status", &Value::Null).0, 200);
    assert!(begun.elapsed() < Duration::from_secs(5));
    until("a warning", || {
        let log = fs::read_to_string(desk.beside("log")).expect("the log");
        log.contains("spans do not reach http://127.0.0.1:9/v1/traces").then_some(())
    });
    let refused = desk.run(["serve", "--otlp", "127.0.0.1:4318"]).with_code(2);
    assert!(refused.err.contains("http://127.0.0.1:4318"), "{}", refused.err);
}
