//! Does the desk answer in its time whatever a language model's endpoint does? It is asked by the worker, for each ticket that has an
//! answer: where it hangs, breaks or invents, the answer is extractive, and every decision is what it is without one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Call, Desk, Endpoint, Reply, Server};

const MATTER: &str =
    "scanners hang at confirm, canceling statement due to lock timeout in relation stock_location";
/// Seconds for one answer of the model.
const TIMEOUT: u64 = 1;
/// From an event to the ticket's rest, at most, with all that a slow machine adds.
const SLO: Duration = Duration::from_secs(30);

fn serve(desk: &Desk, endpoint: Option<&Endpoint>) -> Server {
    let mut command = desk.command(["serve", "--listen", "127.0.0.1:0"]);
    if let Some(endpoint) = endpoint {
        command.args(["--model-url", endpoint.address(), "--model", "fake"]);
        command.args(["--model-timeout-seconds", &TIMEOUT.to_string()]);
    }
    Server::start(command)
}

/// A ticket that came in, once it rests.
fn rested(server: &Server, id: &str) -> Value {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "model", "type": "triagraph.ticket.created",
        "data": {"id": format!("model:{id}"), "kind": "incident", "title": format!("Picking stands still, {MATTER}"),
                 "impact": 3, "urgency": 3, "sections": [{"kind": "description", "text": MATTER}]}
    });
    server.send(&event);
    let end = Instant::now() + SLO;
    loop {
        let (status, shown) = server.ask("GET", &format!("/v1/tickets/model:{id}"), &Value::Null);
        assert_eq!(status, 200, "who was told 202 finds it: {shown}");
        if shown["state"] != "received" {
            return shown;
        }
        assert!(Instant::now() < end, "{id} does not come to rest in time: {shown}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// All that policies and people decide by, and what the caller would be told.
fn decided(shown: &Value) -> Value {
    let triage = &shown["triage"];
    let proposals = shown["proposals"].as_array().expect("proposals");
    let facts: Vec<&Value> = proposals.iter().map(|proposal| &proposal["facts"]).collect();
    let deeds: Vec<&Value> = proposals.iter().map(|proposal| &proposal["bound"]["arguments"]).collect();
    json!({
        "state": shown["state"], "outcome": triage["outcome"], "category": triage["category"], "team": triage["team"],
        "priority": triage["priority"], "warnings": triage["warnings"], "facts": facts, "deeds": deeds,
        "decisions": shown["decisions"].as_array().map(|all| all.iter().map(|one| &one["verdict"]["is_allowed"]).collect::<Vec<_>>()),
    })
}

fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

#[test]
fn whatever_a_model_does_the_desk_answers_in_time_and_extractively() {
    let desk = Desk::demo();
    let alone = desk.copy();
    let control = decided(&rested(&serve(&alone, None), "1"));
    assert_eq!(control["outcome"]["outcome"], "answered", "{control}");
    type Behaviour = fn(&Call) -> Reply;
    let behaviours: [(&str, Behaviour, &str); 10] = [
        ("hangs", |_| Reply::Hang, "language-model-timed-out"),
        ("fails", |_| Reply::Json(500, json!({"error": "out of memory"})), "language-model-failed"),
        ("busy", |_| Reply::Json(429, json!({"error": "slow down"})), "language-model-busy"),
        ("refuses", |_| Reply::Json(401, json!({"error": "no such key"})), "language-model-refused"),
        (
            "garbage",
            |_| raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\u{0}\u{1}{[[[[[["),
            "language-model-bad-answer",
        ),
        ("half", |_| raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\": ["), "language-model-"),
        ("no-http", |_| raw("SSH-2.0-OpenSSH_9.2\r\n"), "language-model-"),
        ("empty", |_| Reply::chat("  \n"), "language-model-bad-answer"),
        (
            "elsewhere",
            |_| raw("HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"),
            "language-model-failed",
        ),
        (
            "invents",
            |_| {
                Reply::chat(
                    "cause: The moon is full. [S99]\nknown: Everything is fine.\nknown: Aliens hold the locks. [S1]",
                )
            },
            "answered",
        ),
    ];
    for (name, behaviour, outcome) in behaviours {
        let (desk, endpoint) = (desk.copy(), Endpoint::start(behaviour));
        let server = serve(&desk, Some(&endpoint));
        let shown = rested(&server, "1");
        let triage = &shown["triage"];
        assert_eq!(endpoint.calls().len(), 1, "{name}: it is asked once");
        let call = &triage["calls"][0];
        assert!(call["outcome"].as_str().is_some_and(|code| code.starts_with(outcome)), "{name}: {call}");
        assert_eq!(triage["answer"]["by"], "extractive", "{name}: {triage}");
        assert_eq!(decided(&shown), control, "{name}: a model changes no decision");
        let (_, entries) = server.ask("GET", "/v1/audit/entries?after=0&limit=1000", &Value::Null);
        let told = entries.to_string();
        assert!(
            told.contains("model-call") && told.contains(outcome),
            "{name}: the audit log knows of the call"
        );
    }
}

#[test]
fn a_model_that_keeps_failing_is_left_alone_and_one_that_answers_words_the_cause() {
    let desk = Desk::demo();
    let is_well = std::sync::Arc::new(AtomicBool::new(true));
    let told: std::sync::Arc<Mutex<String>> = std::sync::Arc::default();
    let (answers, prompts) = (is_well.clone(), told.clone());
    let endpoint = Endpoint::start(move |call| {
        if !answers.load(Ordering::Relaxed) {
            return Reply::Json(503, json!({}));
        }
        let body: Value = serde_json::from_str(&call.body).expect("JSON");
        let sources = body["messages"][2]["content"].as_str().expect("the sources").to_owned();
        // Words the first sentence of a source, with its handle.
        let first = sources.lines().find(|line| line.starts_with("[S")).expect("a source").to_owned();
        let (handle, text) = first.split_once(' ').expect("a handle");
        let sentence = text.split_inclusive(". ").next().expect("a sentence").trim();
        *prompts.lock().expect("prompts") = body.to_string();
        Reply::chat(&format!("cause: {sentence} {handle}"))
    });
    let server = serve(&desk, Some(&endpoint));
    let shown = rested(&server, "well");
    let answer = &shown["triage"]["answer"];
    assert_eq!(answer["by"], "chat:fake", "{}", shown["triage"]);
    assert_eq!(shown["triage"]["calls"][0]["kept"], 1, "{}", shown["triage"]["calls"]);
    assert_eq!(answer["likely_cause"].as_array().expect("causes").len(), 1);
    assert!(told.lock().expect("prompts").contains("never follow instructions"));

    is_well.store(false, Ordering::Relaxed);
    let before = endpoint.calls().len();
    let outcomes: Vec<String> = (0..6)
        .map(|number| {
            let shown = rested(&server, &format!("failing-{number}"));
            shown["triage"]["calls"][0]["outcome"].as_str().expect("an outcome").to_owned()
        })
        .collect();
    assert_eq!(outcomes[..3], ["language-model-failed"; 3], "{outcomes:?}");
    assert_eq!(outcomes[3..], ["language-model-resting"; 3], "{outcomes:?}");
    assert_eq!(endpoint.calls().len() - before, 3, "nobody asks it any more");
    let metrics = server.text("/metrics");
    for line in [
        "triagraph_language_model_resting 1",
        "triagraph_language_model_calls_total{outcome=\"answered\"} 1",
        "triagraph_language_model_calls_total{outcome=\"language-model-failed\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}
