//! Do events find their way to a ticket's rest, over HTTP, and do people have the last word?

use serde_json::{Value, json};

use super::super::audit::{AuditEntry, ConsistencyBody, InclusionBody};
use super::super::schema;
use super::client::Answer;
use super::{Server, fits, problem};

pub(super) const STRUCTURED: &str = "application/cloudevents+json";

pub(super) fn ticket(id: &str) -> Value {
    json!({"id": id, "kind": "incident", "title": "Mail to customers is late again, queue on mx-01 grows",
           "impact": 2, "urgency": 2,
           "sections": [{"kind": "description", "text": "Outgoing mail waits on mx-01 since nine."}]})
}

pub(super) fn event(id: &str, kind: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "web", "type": format!("triagraph.ticket.{kind}"), "data": data})
}

pub(super) fn send(server: &Server, kind: &str, body: &Value) -> Answer {
    server.ask("POST", "/v1/events").body(kind, &body.to_string()).send()
}

/// Waits until a ticket is in a state.
pub(super) fn rested(server: &Server, location: &str, state: &str) -> Value {
    let mut shown = Value::Null;
    for _ in 0..600 {
        let answer = server.get(location);
        if answer.status == 200 {
            shown = answer.value();
            if shown["state"] == state {
                return shown;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{location} is not {state}: {shown}");
}

#[test]
fn an_event_leads_to_proposals_that_people_rule_on() {
    let server = Server::start();
    let accepted = send(&server, STRUCTURED, &event("1", "created", &ticket("web:1")));
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    fits::<Vec<schema::Accepted>>(&accepted.value());
    let location = accepted.headers["location"].clone();
    assert_eq!(server.get(&location).status, 200, "where to look is there at once");
    let shown = rested(&server, &location, "proposed");
    fits::<schema::TicketStatus>(&json!({
        "ticket": shown["ticket"], "title": shown["title"], "state": shown["state"], "since": shown["since"], "reason": shown["reason"],
        "received": shown["received"], "reopened": shown["reopened"], "revision": shown["revision"],
        "is_answered": shown["is_answered"], "decisions": shown["decisions"], "correlation": shown["correlation"]
    }));
    fits::<Vec<schema::Transition>>(&shown["history"]);
    fits::<Vec<schema::Proposal>>(&shown["proposals"]);
    fits::<schema::Triage>(&shown["triage"]);
    assert!(
        send(&server, STRUCTURED, &event("1", "created", &ticket("web:1"))).value()[0]["is_duplicate"]
            == true
    );

    let open = server.get("/v1/proposals?state=open").value();
    assert_eq!(open, shown["proposals"]);
    let rule = |id: &str, body: Value| server.post(&format!("/v1/proposals/{id}/ruling"), &body);
    for proposal in open.as_array().unwrap() {
        let id = proposal["id"].as_str().unwrap();
        assert_eq!(server.get(&format!("/v1/proposals/{id}")).value(), *proposal);
        assert_eq!(problem(&rule(id, json!({"ruling": "reject"}))), "invalid-request", "without a reason");
        assert_eq!(problem(&rule(id, json!({"ruling": "edit"}))), "invalid-request");
        let mut changed = proposal["bound"]["arguments"].clone();
        changed["priority"] = json!(4);
        if changed["deed"] == "route" {
            let edited = rule(id, json!({"ruling": "edit", "arguments": changed})).value();
            assert_eq!(
                (&edited["state"], &edited["bound"]["arguments"]["priority"]),
                (&json!("open"), &json!(4))
            );
        }
        let approved = rule(id, json!({"ruling": "approve", "reason": "fits"}));
        assert_eq!(
            (approved.status, &approved.value()["state"]),
            (200, &json!("executed")),
            "{}",
            approved.text()
        );
        assert_eq!(problem(&rule(id, json!({"ruling": "approve"}))), "proposal-not-open");
    }
    let answered = rested(&server, &location, "answered");
    assert_eq!(answered["route"]["priority"], 4);
    assert_eq!(problem(&rule("none", json!({"ruling": "approve"}))), "no-such-proposal");
    assert_eq!(problem(&server.get("/v1/tickets/web%3Anone")), "no-such-ticket");
    let hidden = server.ask("GET", &location).header("X-Triagraph-Audience", "staff").send();
    assert_eq!(problem(&hidden), "operator-only");
}

#[test]
fn events_come_in_each_form_of_cloudevents_and_from_alertmanager() {
    let server = Server::start();
    let batch = json!([event("1", "created", &ticket("web:1")), event("2", "created", &ticket("web:2"))]);
    let taken = send(&server, "application/cloudevents-batch+json", &batch);
    assert_eq!((taken.status, taken.value().as_array().unwrap().len()), (202, 2));
    let binary = server
        .ask("POST", "/v1/events")
        .header("ce-specversion", "1.0")
        .header("ce-id", "3")
        .header("ce-source", "caf%C3%A9")
        .header("ce-type", "triagraph.ticket.closed")
        .header("ce-subject", "web:2")
        .send();
    assert_eq!(binary.status, 202, "only the state changes: {}", binary.text());
    let binary = server
        .ask("POST", "/v1/events")
        .header("ce-specversion", "1.0")
        .header("ce-id", "4")
        .header("ce-source", "caf%C3%A9")
        .header("ce-type", "triagraph.ticket.updated")
        .header("ce-subject", "web:2")
        .json(&ticket("web:2"))
        .send();
    assert_eq!(binary.status, 202, "{}", binary.text());
    rested(&server, "/v1/tickets/web%3A2", "proposed");

    let alert = |status: &str| {
        json!({"version": "4", "status": status, "receiver": "triagraph", "alerts": [{
            "status": status, "labels": {"alertname": "MailQueueGrows", "instance": "mx-01:9100", "severity": "critical"},
            "annotations": {"summary": "mail queue grows on mx-01", "description": "more than 500 mails wait"},
            "startsAt": "2026-11-23T05:11:42.5Z", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph", "fingerprint": "c0ffee"}]})
    };
    let fired = server.post("/v1/events/alertmanager", &alert("firing"));
    assert_eq!(fired.status, 202, "{}", fired.text());
    let location = fired.headers["location"].clone();
    let shown = rested(&server, &location, "escalated");
    assert_eq!(shown["title"], "MailQueueGrows: mail queue grows on mx-01");
    assert!(shown["triage"]["affected"].to_string().contains("mx-01"), "{}", shown["triage"]["affected"]);
    assert_eq!(server.post("/v1/events/alertmanager", &alert("resolved")).status, 202);
    rested(&server, &location, "closed");

    let refused = |kind: &str, body: Value, status: u16, code: &str| {
        let answer = send(&server, kind, &body);
        assert_eq!((answer.status, problem(&answer).as_str()), (status, code), "{body}");
    };
    refused(STRUCTURED, json!({"specversion": "1.0"}), 422, "invalid-event");
    refused(STRUCTURED, event("9", "deleted", &ticket("web:9")), 422, "invalid-event");
    refused(STRUCTURED, event("9", "created", &json!({"id": "web:9"})), 422, "invalid-event");
    refused(STRUCTURED, event("9", "created", &Value::Null), 422, "invalid-event");
    refused("application/cloudevents-batch+json", json!([]), 422, "invalid-event");
    refused("text/plain", json!("x"), 415, "unsupported-media-type");
    let mut other = event("9", "created", &ticket("web:9"));
    other["specversion"] = json!("0.3");
    refused(STRUCTURED, other, 422, "invalid-event");
    assert_eq!(problem(&server.post("/v1/events/alertmanager", &json!({"alerts": [{}]}))), "invalid-request");
}

#[test]
fn the_switch_stops_agents_and_the_audit_log_proves_it() {
    let server = Server::start();
    let set = |stopped: bool| server.ask("PUT", "/v1/agents/stop").json(&json!({"stopped": stopped})).send();
    assert_eq!(set(true).value(), json!({"stopped": true}));
    assert_eq!(server.get("/v1/agents/stop").value(), json!({"stopped": true}));
    send(&server, STRUCTURED, &event("1", "created", &ticket("web:1")));
    let shown = rested(&server, "/v1/tickets/web%3A1", "escalated");
    assert!(
        shown["reason"].as_str().unwrap().contains("stopped") && shown["proposals"] == json!([]),
        "{shown}"
    );
    assert_eq!(set(false).status, 200);

    let first = server.get("/v1/audit/checkpoint").text();
    send(&server, STRUCTURED, &event("2", "reopened", &ticket("web:1")));
    rested(&server, "/v1/tickets/web%3A1", "proposed");
    let second = server.get("/v1/audit/checkpoint").text();
    let size = |checkpoint: &str| checkpoint.lines().nth(1).unwrap().parse::<u64>().unwrap();
    assert!(size(&first) > 2 && size(&second) > size(&first));
    let entries = server.get("/v1/audit/entries?limit=1000").value();
    fits::<Vec<AuditEntry>>(&entries);
    assert_eq!(entries.as_array().unwrap().len() as u64, size(&second));
    let kinds: Vec<&str> =
        entries.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in ["setting-changed", "model-decision", "policy-decision", "agent-action"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert!(!entries.to_string().contains("Mail to customers"), "the audit holds no text of records");
    let proof = server.get(&format!("/v1/audit/inclusion?sequence=2&size={}", size(&second))).value();
    fits::<InclusionBody>(&proof);
    assert_eq!(proof["leaf_hash"], entries[1]["leaf_hash"]);
    let grown =
        server.get(&format!("/v1/audit/consistency?first={}&second={}", size(&first), size(&second))).value();
    fits::<ConsistencyBody>(&grown);
    let proof: triage::audit::Inclusion = serde_json::from_value(proof).unwrap();
    let grown: triage::audit::Consistency = serde_json::from_value(grown).unwrap();
    let signer = triage::audit::Signer::new("test", &[7; 32]).unwrap();
    let open = |text: &str| triage::audit::Checkpoint::open(text, signer.public_key()).unwrap();
    proof.verify(entries[1]["leaf"].as_str().unwrap().as_bytes(), open(&second).head()).unwrap();
    grown.verify(open(&first).head(), open(&second).head()).unwrap();
    assert_eq!(problem(&server.get("/v1/audit/inclusion?sequence=9999&size=9999")), "audit-size");
}

#[test]
fn a_step_of_a_runbook_is_shown_as_its_schema_says() {
    let id = |text: &str| ontology::RecordId::new(text).unwrap();
    let call = triage::Call {
        action: "restart".to_owned(),
        arguments: [("host".to_owned(), "a".to_owned())].into(),
    };
    let step = triage::Step {
        runbook: id("kb:1"),
        runbook_revision: "00".to_owned(),
        section: 2,
        span: ontology::Span { start: 0, end: 9 },
        number: 1,
        of: 1,
        undo: Some(call.clone()),
        call,
        undoes: Some("run_0".to_owned()),
        executor: "00".to_owned(),
    };
    let arguments = serde_json::to_value(triage::Arguments::Execute(Box::new(step))).unwrap();
    fits::<schema::Arguments>(&arguments);
    let run = triage::Run {
        id: "dry_0".to_owned(),
        state: triage::RunState::Succeeded,
        tries: 1,
        said: Some("fine".to_owned()),
        made: jiff::Timestamp::UNIX_EPOCH,
        ended: Some(jiff::Timestamp::UNIX_EPOCH),
    };
    let proposal = json!({
        "schema": "triagraph.proposal/1", "id": "0", "agent": "guidance", "binding": "00", "facts": {}, "state": "open",
        "bound": {"ticket": "web:1", "revision": "00", "bundles": [], "arguments": arguments, "policy": "00"},
        "made": run.made, "expires": run.made, "approved_by": [], "edited_by": [], "correlation": "c",
        "dry_run": run, "run": run,
    });
    fits::<schema::Proposal>(&proposal);
    let server = Server::start();
    fits::<super::super::executor::ExecutorState>(&server.get("/v1/executor").value());
}
