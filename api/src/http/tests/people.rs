//! Does what people do with the desk's work come in over HTTP, stand, and come out again, for those who may see it?

use serde_json::{Value, json};

use super::super::schema;
use super::workflow::{STRUCTURED, event, rested, send, ticket};
use super::{Server, fits, problem};

fn feedback(id: &str, subject: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "helpdesk", "type": "triagraph.feedback", "subject": subject, "data": data})
}

/// Waits until so many lines are kept.
fn lines(server: &Server, count: usize) -> Value {
    for _ in 0..600 {
        let shown = server.get("/v1/feedback").value();
        if shown["lines"].as_array().is_some_and(|lines| lines.len() >= count) {
            return shown;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{}", server.get("/v1/feedback").text());
}

#[test]
fn feedback_comes_in_each_form_of_cloudevents() {
    let server = Server::start();
    send(&server, STRUCTURED, &event("1", "created", &ticket("web:1")));
    rested(&server, "/v1/tickets/web%3A1", "proposed");
    let used = feedback("f1", "web:1", &json!({"verdict": "used", "deed": "route", "by": "ada"}));
    let taken = send(&server, STRUCTURED, &used);
    assert_eq!(taken.status, 202, "{}", taken.text());
    fits::<schema::CloudEvent>(&used);
    assert_eq!(send(&server, STRUCTURED, &used).value()[0]["is_duplicate"], true);
    let batch = json!([feedback("f2", "web:1", &json!({"verdict": "helpful"}))]);
    assert_eq!(send(&server, "application/cloudevents-batch+json", &batch).status, 202);
    let binary = server
        .ask("POST", "/v1/events")
        .header("ce-specversion", "1.0")
        .header("ce-id", "f3")
        .header("ce-source", "helpdesk")
        .header("ce-type", "triagraph.feedback")
        .header("ce-subject", "web:1")
        .json(&json!({"verdict": "edited", "text": "Write to ann@example.org.", "reason": "shorter"}))
        .send();
    assert_eq!(binary.status, 202, "{}", binary.text());
    let shown = lines(&server, 3);
    fits::<Vec<schema::FeedbackLine>>(&shown["lines"]);
    fits::<Vec<schema::FeedbackShare>>(&shown["shares"]);
    let rulings: Vec<&str> =
        shown["lines"].as_array().unwrap().iter().map(|line| line["ruling"].as_str().unwrap()).collect();
    assert_eq!(rulings, ["used", "helpful", "edited"]);
    assert!(!shown.to_string().contains("ann@example.org"), "texts are redacted: {shown}");
    let behind =
        format!("/v1/feedback?after={}", shown["lines"][1]["key"].as_str().unwrap().replace('#', "%23"));
    assert_eq!(server.get(&behind).value()["lines"].as_array().unwrap().len(), 1);
    rested(&server, "/v1/tickets/web%3A1", "answered");

    let refused = |id: &str, data: Value| {
        let answer = send(&server, STRUCTURED, &feedback(id, "web:1", &data));
        assert_eq!((answer.status, problem(&answer).as_str()), (422, "invalid-event"), "{data}");
    };
    refused("f4", Value::Null);
    refused("f5", json!({"verdict": "loved"}));
    refused("f6", json!({"verdict": "used", "text": "Hello"}));
    refused("f7", json!({"verdict": "used", "stars": 5}));
    send(&server, STRUCTURED, &feedback("f8", "web:404", &json!({"verdict": "used"})));
    for _ in 0..600 {
        let letters = server.get("/v1/dead-letters").value();
        if letters[0]["ticket"] == "web:404" {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no dead letter: {}", server.get("/v1/dead-letters").text());
}

#[test]
fn a_person_overrides_what_agents_decided() {
    let server = Server::start();
    send(&server, STRUCTURED, &event("1", "created", &ticket("web:1")));
    rested(&server, "/v1/tickets/web%3A1", "proposed");
    let put = |body: Value| server.post("/v1/tickets/web%3A1/override", &body);
    assert_eq!(problem(&put(json!({"reason": "so"}))), "invalid-request");
    assert_eq!(problem(&put(json!({"team": "Messaging", "reason": " "}))), "invalid-request");
    assert_eq!(problem(&put(json!({"priority": 9, "reason": "so"}))), "invalid-request");
    assert_eq!(problem(&put(json!({"team": " ", "reason": "so"}))), "invalid-request");
    let none = server.post("/v1/tickets/web%3Anone/override", &json!({"team": "A", "reason": "so"}));
    assert_eq!((none.status, problem(&none).as_str()), (404, "no-such-ticket"));

    let wanted =
        json!({"team": "Messaging", "priority": 2, "reply": "We clear the queue.", "reason": "theirs"});
    let done = put(wanted);
    assert_eq!(done.status, 200, "{}", done.text());
    fits::<schema::TicketStatus>(&done.value());
    assert_eq!(
        (&done.value()["state"], &done.value()["route"]["team"]),
        (&json!("answered"), &json!("Messaging"))
    );
    assert_eq!(server.get("/v1/proposals?state=open").value(), json!([]));
    let shown = lines(&server, 2);
    assert!(shown["lines"].as_array().unwrap().iter().all(|line| line["ruling"] == "override"));
    let entries = server.get("/v1/audit/entries?limit=1000").value();
    let told: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|entry| entry["kind"] == "override").collect();
    assert_eq!(told.len(), 1);
    assert!(
        !told[0].to_string().contains("Messaging") && !told[0].to_string().contains("queue"),
        "{}",
        told[0]
    );
}

#[test]
fn agents_say_what_they_may_read_and_do() {
    let server = Server::start();
    let shown = server.get("/v1/agents").value();
    fits::<Vec<schema::AgentDeclared>>(&shown["agents"]);
    fits::<schema::HandOver>(&shown["hand_over"]);
    assert_eq!(shown["hand_over"]["below_strength"], 400);
    let guidance = &shown["agents"][3];
    assert_eq!(
        (&guidance["agent"], &guidance["does"][0]["action"]),
        (&json!("guidance"), &json!("propose_reply"))
    );
}
