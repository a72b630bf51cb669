//! Is a step of a runbook done once, by whoever holds the desk's secret, though the server is killed and the executor fails on the way?

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use tests::{Desk, Server};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const MATTER: &str = "Label printer queue zebra-dispatch stands still, spooler event 7031, nothing prints at the dispatch dock";
const RUNBOOK: &str = "---
title: \"Label printer queue stands still\"
number: KB0019001
kind: runbook
owner: Dispatch Systems
modified: 2026-07-07
---

# Label printer queue stands still

## Symptom

Label printer queue zebra-dispatch stands still, spooler event 7031, nothing prints at the dispatch dock.

## Steps

1. See that nobody prints by hand.
2. Run: restart-service service=print-spooler host={ci}; undo: start-service service=print-spooler host={ci}
3. Print a test label.
";

/// What stands in the ticket and goes to no executor.
const CANARIES: [&str; 7] = [
    "anna@canary.example",
    "+49 30 5501234",
    "10.77.0.17",
    "DE89370400440532013000",
    "ghp_zqCanary00001zqCanary00001",
    "Zq001kW7canary",
    "wombatword",
];

/// What the executor does with a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    /// It says that it succeeded, and has an effect the first time that it hears an id.
    Work,
    /// It answers with a status.
    Status(u16),
    /// It has its effect and never says so.
    Hang,
}

/// One call, as it came.
#[derive(Clone, Debug)]
struct Told {
    id: String,
    is_signed: bool,
    body: Value,
}

#[derive(Default)]
struct Known {
    script: VecDeque<Does>,
    told: Vec<Told>,
    /// How often each id had an effect.
    effects: BTreeMap<String, u32>,
    held: Vec<TcpStream>,
}

/// What stands in for an executor: it checks signatures, does what a script says, and then works.
struct Executor {
    url: String,
    known: Arc<Mutex<Known>>,
}

impl Executor {
    fn start(script: impl IntoIterator<Item = Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/triagraph", listener.local_addr().expect("its address"));
        let known = Arc::new(Mutex::new(Known { script: script.into_iter().collect(), ..Known::default() }));
        let kept = Arc::clone(&known);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = serve(stream, &kept);
            }
        });
        Self { url, known }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("what it knows")
    }

    fn told(&self) -> Vec<Told> {
        self.known().told.clone()
    }
}

fn serve(mut stream: TcpStream, known: &Mutex<Known>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
    }
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let (id, moment) = (header("webhook-id"), header("webhook-timestamp"));
    let is_signed = is_signed(&id, &moment, &body, &header("webhook-signature"));
    let mut known = known.lock().expect("what it knows");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    known.told.push(Told { id: id.clone(), is_signed, body });
    let does = if is_signed { known.script.pop_front().unwrap_or(Does::Work) } else { Does::Status(401) };
    if matches!(does, Does::Work | Does::Hang) {
        known.effects.entry(id).or_insert(1);
    }
    let (status, more, text) = match does {
        Does::Work => {
            (200, "", json!({"status": "succeeded", "summary": "print-spooler restarted"}).to_string())
        }
        Does::Status(429) => (429, "retry-after: 1\r\n", String::new()),
        Does::Status(status) => (status, "", String::new()),
        Does::Hang => {
            known.held.push(stream);
            return Ok(());
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status} OK\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// The check that each executor makes.
fn is_signed(id: &str, moment: &str, body: &[u8], header: &str) -> bool {
    let secret = SECRET.strip_prefix("whsec_").expect("a secret");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(secret).expect("base64"));
    let signed = [format!("{id}.{moment}.").as_bytes(), body].concat();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_secs();
    let is_fresh = moment.parse().is_ok_and(|moment: u64| now.abs_diff(moment) < 300);
    let is_right = header.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|signature| {
        BASE64_STANDARD.decode(signature).is_ok_and(|tag| hmac::verify(&key, &signed, &tag).is_ok())
    });
    is_fresh && is_right
}

/// A desk with an executor and two people.
struct Stage {
    desk: Desk,
    ada: String,
    ben: String,
}

impl Stage {
    fn new(executor: &Executor) -> Self {
        let desk = Desk::new();
        let folder = desk.beside("kb");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("labels.md"), RUNBOOK).expect("a file");
        let _ = desk.run([Path::new("ingest"), &folder]).with_code(0);
        fs::create_dir_all(desk.main().join("policy")).expect("a folder");
        let actions = format!(
            "[webhook]\nurl = \"{}\"\n\
             [[action]]\nname = \"restart-service\"\ntimeout_seconds = 2\n\
             arguments = {{ service = {{ one_of = [\"print-spooler\"] }}, host = {{ is = \"ci\" }} }}\n\
             [[action]]\nname = \"start-service\"\n\
             arguments = {{ service = {{ one_of = [\"print-spooler\"] }}, host = {{ is = \"ci\" }} }}\n",
            executor.url
        );
        fs::write(desk.main().join("policy/executor.toml"), actions).expect("a file");
        let key = |name: &str, role: &str| {
            desk.run(["keys", "create", "--name", name, "--role", role]).with_code(0).out.trim().to_owned()
        };
        let (ada, ben) = (key("ada", "admin"), key("ben", "agent"));
        Self { desk, ada, ben }
    }

    fn serve(&self, secret: &str) -> Server {
        let mut command = self.desk.command(["serve", "--listen", "127.0.0.1:0"]);
        command.env("TRIAGRAPH_EXECUTOR_SECRET", secret);
        Server::start(command)
    }

    fn ask(&self, server: &Server, key: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(server.address()).expect("the server");
        let kind = if path == "/v1/events" { "application/cloudevents+json" } else { "application/json" };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            server.address(),
            body.len()
        )
        .expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or_else(|_| json!(body)))
    }

    fn get(&self, server: &Server, path: &str) -> Value {
        let (status, body) = self.ask(server, &self.ada, "GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Has a ticket come in that the runbook fits, on a host of the desk; gives the step that is proposed.
    fn proposed(&self, server: &Server) -> String {
        let solved = |number: u32| {
            json!({"id": format!("snow:INC{number}"), "kind": "incident", "title": "Labels do not print at the dock", "state": "closed",
                "audience": ["staff"], "category": ["Printing"],
                "links": [{"relation": "resolved_by", "target": {"name": "KB0019001"}}],
                "sections": [{"kind": "description", "text": MATTER}, {"kind": "resolution", "text": "Spooler restarted, see KB0019001."}]})
        };
        let host = json!({"id": "cmdb:zbr-01", "kind": "configuration_item", "title": "zbr-01", "names": ["zbr-01"], "audience": ["staff"]});
        let records = json!([host, solved(1), solved(2)]);
        let (status, job) = self.ask(server, &self.ada, "POST", "/v1/records", &records);
        assert_eq!(status, 202, "{job}");
        let job = format!("/v1/jobs/{}", job["id"]);
        until("the records", || (self.get(server, &job)["state"] == "done").then_some(()));
        let event = json!({"specversion": "1.0", "id": "1", "source": "snow", "type": "triagraph.ticket.created", "data": {
            "id": "snow:INC9", "kind": "incident", "title": "Label queue stands still", "impact": 2, "urgency": 2,
            "links": [{"relation": "affects", "target": {"name": "zbr-01"}}],
            "sections": [{"kind": "description", "text": MATTER}, {"kind": "comment", "text": CANARIES.join(" and ")}]}});
        assert_eq!(self.ask(server, &self.ada, "POST", "/v1/events", &event).0, 202);
        let ticket = until("the triage", || {
            let (status, ticket) =
                self.ask(server, &self.ada, "GET", "/v1/tickets/snow%3AINC9", &Value::Null);
            (status == 200 && ticket["state"] == "proposed").then_some(ticket)
        });
        let proposals = ticket["proposals"].as_array().expect("proposals");
        let step = proposals.iter().find(|one| one["bound"]["arguments"]["deed"] == "execute");
        let step = step.unwrap_or_else(|| panic!("no step is proposed: {:#}", ticket["triage"]));
        assert_eq!(step["bound"]["arguments"]["call"]["arguments"]["host"], "zbr-01");
        step["id"].as_str().expect("an id").to_owned()
    }

    fn rule(&self, server: &Server, key: &str, step: &str) -> (u16, Value) {
        let ruling = json!({"ruling": "approve", "reason": "as the runbook says"});
        self.ask(server, key, "POST", &format!("/v1/proposals/{step}/ruling"), &ruling)
    }

    /// Waits until a run of a proposal (`dry_run`, `run`) has ended or is as wanted.
    fn run_of(&self, server: &Server, step: &str, which: &str, state: &str) -> Value {
        until(&format!("{which} {state}"), || {
            let run = self.get(server, &format!("/v1/proposals/{step}"))[which].clone();
            (run["state"] == state).then_some(run)
        })
    }
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

#[test]
fn a_step_that_two_people_approved_is_done_once_though_the_executor_hangs_and_the_server_is_killed() {
    let executor = Executor::start([Does::Status(500), Does::Work, Does::Hang, Does::Hang]);
    let stage = Stage::new(&executor);
    let mut server = stage.serve(SECRET);
    let step = stage.proposed(&server);
    let dry = stage.run_of(&server, &step, "dry_run", "succeeded");
    assert_eq!((&dry["tries"], &dry["said"]), (&json!(2), &json!("print-spooler restarted")));
    let told = executor.told();
    assert!(told.iter().all(|one| one.is_signed && one.body["data"]["dry_run"] == true), "{told:?}");

    assert_eq!(stage.rule(&server, &stage.ben, &step).1["state"], "open", "one person is not enough");
    assert_eq!(stage.rule(&server, &stage.ben, &step).0, 403, "nor is the same person twice");
    assert_eq!(executor.told().len(), 2);
    assert_eq!(stage.rule(&server, &stage.ada, &step).1["state"], "executed");
    // It hangs, is told again, and the server dies while it hangs.
    until("the second try", || (executor.told().len() == 4).then_some(()));
    assert_eq!(stage.get(&server, "/v1/tickets/snow%3AINC9")["state"], "executing");
    server.kill();
    let server = stage.serve(SECRET);
    let run = stage.run_of(&server, &step, "run", "succeeded");
    let told = executor.told();
    let runs: Vec<&Told> = told.iter().filter(|one| one.body["data"]["dry_run"] == false).collect();
    assert_eq!((runs.len(), &run["tries"]), (3, &json!(3)), "{told:?}");
    assert!(runs.iter().all(|one| json!(one.id) == run["id"] && one.is_signed && one.body == runs[0].body));
    let effects: Vec<u32> = executor.known().effects.values().copied().collect();
    assert_eq!(effects, [1, 1], "the dry run and the step, each once");

    let ticket = until("the end", || {
        let ticket = stage.get(&server, "/v1/tickets/snow%3AINC9");
        (ticket["state"] != "executing").then_some(ticket)
    });
    let history = ticket["history"].to_string();
    assert!(history.contains("the step restart-service went well: print-spooler restarted"), "{history}");
    let (status, entries) =
        stage.ask(&server, &stage.ada, "GET", "/v1/audit/entries?limit=1000", &Value::Null);
    let audit = entries.to_string();
    assert!(status == 200 && audit.contains(&step) && !audit.contains("spooler"), "no text: {audit}");
    let webhooks = told.iter().map(|one| one.body.to_string()).collect::<String>();
    let leaked = CANARIES.iter().find(|canary| webhooks.contains(*canary) || audit.contains(*canary));
    assert_eq!(leaked, None, "{webhooks}");
    // Who comes back later finds nothing left to tell.
    drop(server);
    let server = stage.serve(SECRET);
    let state = stage.get(&server, "/v1/executor");
    assert_eq!((&state["runs"], &state["is_circuit_open"]), (&json!({"succeeded": 2}), &json!(false)));
    assert_eq!(executor.told().len(), told.len());
}

#[test]
fn an_executor_refuses_who_does_not_know_its_secret_and_a_desk_without_one_is_not_served() {
    let executor = Executor::start([]);
    let stage = Stage::new(&executor);
    let mut command = stage.desk.command(["serve", "--listen", "127.0.0.1:0"]);
    let refused = tests::finish(command.env_remove("TRIAGRAPH_EXECUTOR_SECRET"), "").with_code(2);
    assert!(refused.err.contains("--executor-secret-file"), "{}", refused.err);
    let mut command = stage.desk.command(["serve", "--listen", "127.0.0.1:0"]);
    let refused = tests::finish(command.env("TRIAGRAPH_EXECUTOR_SECRET", "hunter2hunter2"), "").with_code(2);
    assert!(refused.err.contains("openssl rand") && !refused.err.contains("hunter2"), "{}", refused.err);

    let server = stage.serve(OTHER);
    let step = stage.proposed(&server);
    let dry = stage.run_of(&server, &step, "dry_run", "refused");
    assert!(dry["said"].as_str().expect("a reason").contains("401"), "{dry}");
    let (status, problem) = stage.rule(&server, &stage.ada, &step);
    let reason = problem["detail"].as_str().expect("a detail");
    assert!(status == 403 && reason.contains("has not passed a dry run"), "{problem}");
    let known = executor.known();
    assert!(known.told.iter().all(|one| !one.is_signed) && known.effects.is_empty());
}

#[test]
fn an_executor_that_is_busy_is_left_alone_for_a_while() {
    let executor = Executor::start([Does::Status(429)]);
    let stage = Stage::new(&executor);
    let server = stage.serve(SECRET);
    let step = stage.proposed(&server);
    until("the breaker", || (stage.get(&server, "/v1/executor")["is_circuit_open"] == true).then_some(()));
    let metrics = |wanted: &str| {
        let (_, text) = stage.ask(&server, &stage.ada, "GET", "/metrics", &Value::Null);
        let text = text.as_str().expect("text").to_owned();
        assert!(text.contains(wanted), "{wanted} in {text}");
    };
    metrics("triagraph_executor_circuit_open 1");
    metrics("triagraph_executor_told_total{outcome=\"no_answer\"} 1");
    assert_eq!(executor.told().len(), 1);
    // It is tried again once, and goes on.
    let dry = stage.run_of(&server, &step, "dry_run", "succeeded");
    assert_eq!(dry["tries"], 2);
    assert_eq!(stage.get(&server, "/v1/executor")["is_circuit_open"], false);
    metrics("triagraph_executor_told_total{outcome=\"succeeded\"} 1");
}
