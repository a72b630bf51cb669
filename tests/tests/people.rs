//! Do people have the last word, with the binary as it is used? They tell what they did, override, see it counted, and take a model back.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Call, Desk, Endpoint, Reply, Server};

const MATTER: &str =
    "scanners hang at confirm, canceling statement due to lock timeout in relation stock_location";
/// From an event to what comes of it, at most, with all that a slow machine adds.
const SLO: Duration = Duration::from_secs(30);

fn serve(desk: &Desk, model: Option<(&Endpoint, &str)>) -> Server {
    let mut command = desk.command(["serve", "--listen", "127.0.0.1:0"]);
    if let Some((endpoint, name)) = model {
        command.args(["--model-url", endpoint.address(), "--model", name]);
    }
    Server::start(command)
}

/// Asks until an answer is as it should be.
fn until(server: &Server, path: &str, is_so: &dyn Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + SLO;
    loop {
        let (_, shown) = server.ask("GET", path, &Value::Null);
        if is_so(&shown) {
            return shown;
        }
        assert!(Instant::now() < end, "{path} is not as it should be in time: {shown}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A ticket that came in, once it rests.
fn rested(server: &Server, id: &str) -> Value {
    server.send(&json!({
            "specversion": "1.0", "id": id, "source": "people", "type": "triagraph.ticket.created",
            "data": {"id": format!("people:{id}"), "kind": "incident", "title": format!("Picking stands still, {MATTER}"),
                     "impact": 3, "urgency": 3, "sections": [{"kind": "description", "text": MATTER}]}
        }),
    );
    until(server, &format!("/v1/tickets/people:{id}"), &|shown| shown["state"] == "proposed")
}

#[test]
fn what_people_did_counts_and_leaves_the_desk_redacted() {
    let desk = Desk::demo();
    let server = serve(&desk, None);
    let shown = rested(&server, "1");
    let proposals = shown["proposals"].as_array().expect("proposals");
    let reply = proposals.iter().find(|one| one["bound"]["arguments"]["deed"] == "reply").expect("a reply");
    let feedback = |id: &str, data: Value| {
        json!({"specversion": "1.0", "id": id, "source": "helpdesk", "type": "triagraph.feedback",
               "subject": "people:1", "data": data})
    };
    let sent = "We end the session that blocks. Write to mia@example.org.";
    server.send(&feedback(
        "f1",
        json!({"verdict": "edited", "proposal": reply["id"], "text": sent, "by": "mia"}),
    ));
    until(&server, "/v1/feedback", &|shown| shown["lines"].as_array().is_some_and(|lines| lines.len() == 1));
    let body = json!({"team": "Database Operations", "reason": "they hold the locks"});
    let (status, put) = server.ask("POST", "/v1/tickets/people:1/override", &body);
    assert_eq!((status, &put["state"]), (200, &json!("answered")), "{put}");
    assert_eq!(put["held"]["team"]["value"], "Database Operations");
    let (status, job) = server.ask("POST", "/v1/models/train", &json!({"task": "team"}));
    assert_eq!(status, 202, "{job}");
    let done = until(&server, &format!("/v1/jobs/{}", job["id"]), &|job| job["ended"].is_string());
    assert!(done["state"] == "done" && done["model"]["ruled"] == 1, "{done}");
    drop(server);

    let shares = desk.json(&["desk", "feedback"]);
    assert_eq!(shares.as_array().expect("shares").len(), 2, "{shares}");
    let file = desk.beside("feedback.jsonl");
    let export = desk.json(&["desk", "feedback", "--export", file.to_str().expect("a path")]);
    assert_eq!(export["lines"], 2);
    let lines = std::fs::read_to_string(&file).expect("the export");
    assert!(lines.contains("We end the session") && !lines.contains("mia@example.org"), "{lines}");
    let _ = desk.run(["audit", "verify"]).with_code(0);
    let agents = desk.json(&["policy", "agents"]);
    assert_eq!(agents["agents"].as_array().expect("agents").len(), 5);
}

/// Words the first sentence of the first source, with its handle.
fn words(call: &Call) -> Reply {
    let body: Value = serde_json::from_str(&call.body).expect("JSON");
    let sources = body["messages"][2]["content"].as_str().expect("the sources");
    let first = sources.lines().find(|line| line.starts_with("[S")).expect("a source");
    let (handle, text) = first.split_once(' ').expect("a handle");
    let sentence = text.split_inclusive(". ").next().expect("a sentence").trim();
    Reply::chat(&format!("cause: {sentence} {handle}"))
}

#[test]
fn a_model_that_is_named_counts_another_is_tried_first_and_one_is_taken_back_at_once() {
    let (desk, endpoint) = (Desk::demo(), Endpoint::start(words));
    let by = |shown: &Value| shown["triage"]["answer"]["by"].as_str().map(str::to_owned);
    let server = serve(&desk, Some((&endpoint, "elder")));
    assert_eq!(by(&rested(&server, "1")).as_deref(), Some("chat:elder"));
    drop(server);

    let server = serve(&desk, Some((&endpoint, "younger")));
    let tried = rested(&server, "2");
    assert_eq!(by(&tried).as_deref(), Some("extractive"), "it is asked, and not heard");
    assert_eq!(tried["triage"]["calls"][0]["kept"], 1, "{}", tried["triage"]["calls"]);
    let (_, models) = server.ask("GET", "/v1/models", &Value::Null);
    let stages: Vec<&Value> =
        models["wordings"].as_array().expect("wordings").iter().map(|one| &one["stage"]).collect();
    assert_eq!(stages, ["active", "shadow"]);
    assert_eq!(models["wordings"][1]["measured"]["calls"], 1);
    let promote = json!({"version": 2, "stage": "canary", "share": 50});
    let (status, refused) = server.ask("POST", "/v1/models/wording/stage", &promote);
    assert_eq!((status, &refused["code"]), (409, &json!("model-gate")), "{refused}");
    drop(server);

    let server = serve(&desk, Some((&endpoint, "elder")));
    let asked = endpoint.calls().len();
    let (status, back) = server.ask("POST", "/v1/models/wording/roll-back", &Value::Null);
    assert_eq!((status, back), (200, Value::Null));
    let silent = rested(&server, "3");
    assert_eq!((by(&silent).as_deref(), endpoint.calls().len()), (Some("extractive"), asked));
    drop(server);
    let registry = desk.json(&["models", "registry"]);
    assert_eq!(registry["wordings"][0]["is_taken_back"], true, "{registry}");
    assert!(registry["listed"].as_array().expect("listed").len() >= 2);
}
