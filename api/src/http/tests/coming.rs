//! Do bursts and forecasts go out as the document says, and are all members answered in one place?

use serde_json::{Value, json};

use super::super::schema;
use super::{Server, fits, problem};

fn call(server: &Server, number: u32) {
    let data = json!({"id": format!("web:{number}"), "kind": "incident", "title": "Mail waits on mx-01",
        "created": jiff::Timestamp::now().to_string(), "links": [{"relation": "affects", "target": {"name": "mx-01"}}]});
    let event = json!({"specversion": "1.0", "id": number.to_string(), "source": "web", "type": "triagraph.ticket.created", "data": data});
    let sent =
        server.ask("POST", "/v1/events").body("application/cloudevents+json", &event.to_string()).send();
    assert_eq!(sent.status, 202, "{}", sent.text());
}

/// Asks again until an answer passes.
fn until(server: &Server, path: &str, passes: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = server.get(path).value();
        if passes(&last) {
            return last;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{path} stays {last}");
}

#[test]
fn a_burst_is_shown_declared_and_answered() {
    let server = Server::start();
    (1..=5).for_each(|number| call(&server, number));
    let bursts = until(&server, "/v1/bursts?state=proposed", |all| {
        all[0]["members"].as_array().is_some_and(|members| members.len() == 5)
    });
    fits::<Vec<schema::Burst>>(&bursts);
    let burst = &bursts[0];
    let path = format!("/v1/bursts/{}", burst["id"].as_str().unwrap());
    assert_eq!(server.get(&path).value(), *burst);
    assert_eq!(burst["causes"][0]["thing"]["known"], "cmdb:mx-01");
    assert_eq!(server.get("/v1/tickets/web%3A5").value()["belongs_to"], *burst);
    let text = json!({"text": "We are at it."});
    assert_eq!(problem(&server.post(&format!("{path}/answer"), &text)), "burst-not-declared");
    let ruling = format!("/v1/proposals/{}/ruling", burst["proposal"].as_str().unwrap());
    let ruled = server.post(&ruling, &json!({"ruling": "approve", "reason": "so it is"})).value();
    assert_eq!(ruled["state"], "executed", "{ruled}");
    fits::<schema::Proposal>(&ruled);
    let answered = server.post(&format!("{path}/answer"), &text);
    assert_eq!(
        (answered.status, &answered.value()["state"]),
        (200, &json!("declared")),
        "{}",
        answered.text()
    );
    for number in 1..=5 {
        until(&server, &format!("/v1/tickets/web%3A{number}"), |ticket| ticket["is_answered"] == true);
    }
    assert_eq!(problem(&server.get("/v1/bursts/none")), "no-such-burst");
    assert_eq!(problem(&server.post(&format!("{path}/answer"), &json!({"text": " "}))), "invalid-request");
}

#[test]
fn a_forecast_fits_its_schema() {
    let server = Server::start();
    let forecast = server.get("/v1/desk/forecast").value();
    fits::<schema::Forecast>(&forecast);
    assert_eq!(forecast["volume"][0]["group"]["by"], "all", "{forecast}");
}
