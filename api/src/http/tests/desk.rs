//! Are the figures of a desk served as they are described, and does no scrape wait for them?

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use super::super::schema;
use super::{Server, fits, problem};

#[test]
fn figures_come_with_period_and_definition() {
    let server = Server::start();
    let figures = server.get("/v1/desk/metrics?from=2020-01-01&to=2029-01-01").value();
    fits::<schema::DeskMetrics>(&figures);
    assert_eq!(figures["schema"], "triagraph.desk-metrics/1");
    assert_eq!(figures["from"], "2020-01-01T00:00:00Z");
    let all = figures["figures"].as_array().unwrap();
    let received = all.iter().find(|figure| figure["name"] == "tickets_received").unwrap();
    assert!(received["value"].as_f64().unwrap() >= 1.0, "{received}");
    for figure in all {
        assert!(figure["definition"].as_str().unwrap().len() > 20, "{figure}");
        assert!(figure["value"].is_number() || figure["note"].is_string(), "{figure}");
    }
    assert_eq!(problem(&server.get("/v1/desk/metrics?from=yesterday")), "invalid-request");
    assert_eq!(problem(&server.get("/v1/desk/metrics?from=2026-02-01&to=2026-01-01")), "invalid-request");
    assert_eq!(problem(&server.get("/v1/desk/metrics?since=2026-02-01")), "invalid-query");
    let narrowed = server.ask("GET", "/v1/desk/metrics").header("X-Triagraph-Audience", "staff").send();
    assert_eq!(problem(&narrowed), "operator-only");
    let document = server.get("/openapi.json").value();
    assert!(document["paths"]["/v1/desk/metrics"]["get"]["summary"].is_string());
}

#[test]
fn gauges_are_there_for_a_later_scrape() {
    let server = Server::start();
    let is_gauge = |line: &&str| line.starts_with("triagraph_desk_");
    let first = server.get("/metrics");
    assert_eq!((first.status, first.text().lines().filter(is_gauge).count()), (200, 0), "nobody waits");
    let mut text = String::new();
    for _ in 0..600 {
        text = server.get("/metrics").text();
        if text.lines().any(|line| is_gauge(&line)) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let value =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    assert!(value("triagraph_desk_tickets_open ").is_some(), "{text}");
    assert!(text.contains("# HELP triagraph_desk_reopen_rate_ratio Of the tickets solved"), "{text}");
    assert!(
        value("triagraph_desk_automation_rate_ratio ").is_none(),
        "without data there is no value: {text}"
    );
    assert_eq!(
        text.lines().filter(|line| line.starts_with("# TYPE triagraph_desk_tickets_open ")).count(),
        1
    );
}

#[test]
fn a_ticket_says_how_it_stands_towards_what_was_promised() {
    let server = Server::start();
    let ticket = json!({"id": "web:1", "kind": "incident", "title": "Badge reader beeps", "priority": 1,
                        "created": "2026-01-05T08:00:00Z"});
    let event = json!({"specversion": "1.0", "id": "1", "source": "web", "type": "triagraph.ticket.created", "data": ticket});
    let sent =
        server.ask("POST", "/v1/events").body("application/cloudevents+json", &event.to_string()).send();
    assert_eq!(sent.status, 202, "{}", sent.text());
    let mut shown = Value::Null;
    for _ in 0..600 {
        let answer = server.get(&sent.headers["location"]);
        shown = if answer.status == 200 { answer.value() } else { Value::Null };
        if shown["notices"].as_array().is_some_and(|notices| notices.len() >= 2) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    fits::<Vec<schema::Standing>>(&shown["standings"]);
    fits::<Vec<schema::Notice>>(&shown["notices"]);
    assert_eq!(shown["standings"][1]["target"], "resolution");
    assert_eq!(shown["notices"][1]["kind"], "breach");
    assert_eq!(
        (&shown["state"], &shown["notices"][1]["is_escalated"]),
        (&json!("escalated"), &json!(true)),
        "{shown}"
    );
    let stream = BufReader::new(server.ask("GET", "/v1/stream?after=0").open());
    assert!(stream.lines().any(|line| line.unwrap() == "event: service"), "told on the stream too");
}
