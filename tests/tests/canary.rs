//! Does anything that is to stay on the desk get out? A thousand values that must not are put into all its texts, and every way out is searched.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Call, Collector, Desk, Endpoint, Reply, Server};

/// Records of each sort, each with one canary of each kind.
const TICKETS: usize = 60;
const PAGES: usize = 20;
const EVENTS: usize = 20;
/// Kinds of canaries: ten for each record make a thousand.
const KINDS: [&str; 10] =
    ["email", "phone", "ip", "card", "iban", "national id", "password", "token", "host", "person"];

fn luhn(number: &str) -> u32 {
    let doubled = |(at, c): (usize, char)| {
        let digit = c.to_digit(10).expect("a digit") * if at % 2 == 0 { 2 } else { 1 };
        digit / 10 + digit % 10
    };
    (10 - number.chars().rev().enumerate().map(doubled).sum::<u32>() % 10) % 10
}

/// The check digits of a German account.
fn iban(account: &str) -> String {
    let remainder =
        format!("{account}131400").bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{account}", 98 - remainder)
}

/// Letters for a number: names have no digits.
fn letters(number: usize) -> String {
    [number / 100, number / 10 % 10, number % 10]
        .map(|digit| char::from(b'a' + u8::try_from(digit).expect("a digit")))
        .iter()
        .collect()
}

/// A canary of a kind, with the words around it that a ticket would have.
fn canary(kind: &str, number: usize) -> (String, String) {
    let (value, said) = match kind {
        "email" => (format!("zq{number:03}@canary{number:03}.example"), "Write to {} please."),
        "phone" => (format!("+49 30 55{number:06}"), "Call {} today."),
        "ip" => (format!("10.77.{}.{}", number / 200, 17 + number % 200), "Seen from {} again."),
        "card" => {
            let head = format!("4539000000{number:05}");
            (format!("{head}{}", luhn(&head)), "Paid with {} as always.")
        }
        "iban" => (iban(&format!("370400440532{number:06}")), "The account is {} there."),
        "national id" => (
            format!("5{:02}-{:02}-{:04}", number % 100, 11 + number % 80, 1000 + number),
            "She is {} to them.",
        ),
        "password" => (format!("Zq{number:03}kW7canary"), "The password is {} for now."),
        "token" => (format!("ghp_zqCanary{number:05}zqCanary{number:05}"), "Header was {} then."),
        "host" => (format!("zqhost-{number:03}"), "It runs on {} since May."),
        _ => (format!("Zqanna{} Canarylee{}", letters(number), letters(number)), "Then {} came by."),
    };
    let sentence = said.replace("{}", &value);
    (value, sentence)
}

/// Sentences with a canary of each kind.
fn sentences(number: usize) -> Vec<String> {
    KINDS.iter().map(|kind| canary(kind, number).1).collect()
}

/// A word that stands beside the canaries of a record and may go anywhere.
fn marker(number: usize) -> String {
    format!("wombat{number:03}")
}

fn ticket(id: &str, number: usize) -> Value {
    let said = sentences(number);
    let told = format!(
        "Scanners hang at confirm, canceling statement due to lock timeout in relation stock_location. {}",
        said[2..5].join(" ")
    );
    json!({
        "id": id, "kind": "incident", "audience": ["staff"], "title": format!("Scanners hang at confirm {}. {}", marker(number), said[0..2].join(" ")),
        "state": if id.starts_with("old:") { "closed" } else { "open" }, "impact": 3, "urgency": 3,
        "sections": [
            {"kind": "description", "text": told},
            {"kind": "work_note", "text": said[5..7].join(" "), "author": canary("person", number).0},
            {"kind": "comment", "text": said[7..8].join(" ")},
            {"kind": "root_cause", "text": format!("REPL_NIGHT held row locks on stock_location, says {}. {}", marker(number), said[8])},
            {"kind": "resolution", "text": format!("REPL_NIGHT was paused and the session ended. {}", said[9])},
        ],
    })
}

fn page(number: usize) -> Value {
    let said = sentences(number);
    json!({
        "id": format!("kb:{number}"), "kind": "runbook", "audience": ["staff"], "title": format!("Scanners hang: locks on stock_location {}", marker(number)),
        "sections": [
            {"kind": "symptom", "text": format!("Scanners hang at confirm, lock timeout in relation stock_location. {}", said[..5].join(" "))},
            {"kind": "steps", "text": format!("Pause the job REPL_NIGHT in the scheduler, as {} says. {}", marker(number), said[5..].join(" "))},
        ],
    })
}

/// What the CMDB and the directory know: every host and every person.
fn known(number: usize) -> [Value; 2] {
    [
        json!({"id": format!("cmdb:{number}"), "kind": "configuration_item", "audience": ["staff"], "title": canary("host", number).0,
            "sections": [{"kind": "description", "text": sentences(number)[..8].join(" ")}]}),
        json!({"id": format!("people:{number}"), "kind": "person", "audience": ["staff"], "title": canary("person", number).0}),
    ]
}

fn event(id: usize, kind: &str, ticket: &Value) -> Value {
    json!({"specversion": "1.0", "id": format!("{kind}-{id}"), "source": "canary", "type": format!("triagraph.ticket.{kind}"),
        "subject": ticket["id"], "data": ticket})
}

/// Looks until there is what is looked for.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} does not come");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The canaries that stand in a text, also as JSON or a URL writes them.
fn escaped(text: &str, all: &BTreeMap<String, &'static str>) -> Vec<String> {
    let plain = text.to_lowercase().replace("%40", "@").replace("%20", " ").replace('+', " ");
    let stands = |value: &&String| plain.contains(&value.to_lowercase().replace('+', " "));
    all.keys().filter(stands).map(|value| format!("{} {value}", all[value])).collect()
}

/// Puts everything into the desk and has the agents work on it.
fn work(server: &Server) {
    let total = TICKETS + PAGES + EVENTS;
    let mut records: Vec<Value> = (0..total).flat_map(known).collect();
    records.extend((0..TICKETS).map(|number| ticket(&format!("old:{number}"), number)));
    records.extend((TICKETS..TICKETS + PAGES).map(page));
    for some in records.chunks(100) {
        let (status, job) = server.ask("POST", "/v1/records", &json!(some));
        assert_eq!(status, 202, "{job}");
        let path = format!("/v1/jobs/{}", job["id"]);
        until("the records", || (server.ask("GET", &path, &Value::Null).1["state"] == "done").then_some(()));
    }
    for number in TICKETS + PAGES..total {
        let told = event(number, "created", &ticket(&format!("new:{number}"), number));
        server.send(&told);
    }
    // What is asked, what is refused, and what is looked for where nothing is.
    for (number, kind) in KINDS.iter().enumerate() {
        let (value, sentence) = canary(kind, number);
        assert_eq!(server.ask("POST", "/v1/search", &json!({"text": sentence})).0, 200);
        let _ = server.ask("POST", "/v1/search", &json!({"text": sentence, value.as_str(): 1}));
        let _ =
            server.ask("POST", "/v1/events", &json!({"specversion": "0", "id": sentence, "source": value}));
        let _ = server.ask("POST", "/v1/records", &json!([{"id": value, "kind": sentence}]));
        let path: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let _ = server.ask("GET", &format!("/v1/records/{path}"), &Value::Null);
        let _ = server.ask("GET", &format!("/sparql?query={path}"), &Value::Null);
    }
}

#[test]
fn no_canary_of_a_thousand_leaves_the_desk() {
    let (desk, collector) = (Desk::new(), Collector::start());
    let model = Endpoint::start(|_| Reply::chat("cause: Nobody knows. [S1]"));
    let _ = desk.run(["init"]).with_code(0);
    let mut command = desk.command(["serve", "--listen", "127.0.0.1:0", "--log-json"]);
    command.args(["--model-url", model.address(), "--model", "fake"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address()).env("TRIAGRAPH_LOG", "debug");
    command.stderr(fs::File::create(desk.beside("log")).expect("a file"));
    let server = Server::start_logging(command);
    work(&server);
    let total = TICKETS + PAGES + EVENTS;
    let mut all: BTreeMap<String, &'static str> = BTreeMap::new();
    for number in 0..total {
        all.extend(KINDS.map(|kind| (canary(kind, number).0, kind)));
    }
    assert_eq!(all.len(), 1000);
    // All of them are in the desk, and the agents have read each new ticket.
    let rests = |number: usize| {
        let (status, shown) = server.ask("GET", &format!("/v1/tickets/new%3A{number}"), &Value::Null);
        (status == 200 && shown["state"] != "received" && shown["triage"].is_object()).then_some(shown)
    };
    let shown: Vec<Value> =
        (TICKETS + PAGES..total).map(|number| until("a triage", || rests(number))).collect();
    let prompts: Vec<String> = model.calls().into_iter().map(|call| call.body).collect();
    let text = prompts.join("\n");
    for number in TICKETS + PAGES..total {
        assert!(text.contains(&marker(number)), "no prompt tells of {}", marker(number));
    }
    let read = (0..total).filter(|number| text.contains(&marker(*number))).count();
    assert!(prompts.len() >= EVENTS && read > EVENTS, "{} prompts of {read} records", prompts.len());
    for label in ["EMAIL", "PHONE", "IP", "CARD", "IBAN", "NATIONAL_ID", "SECRET", "HOST", "PERSON"] {
        assert!(text.contains(&format!("[{label}_")), "no {label} was hidden");
    }
    // Who may see it has it back.
    let (status, hidden) =
        server.ask("GET", &format!("/v1/tickets/new%3A{}/hidden", total - 1), &Value::Null);
    let values: Vec<&str> =
        hidden["values"].as_object().expect("values").values().filter_map(Value::as_str).collect();
    assert!(status == 200 && values.contains(&canary("email", total - 1).0.as_str()), "{hidden}");

    let metrics = server.text("/metrics");
    assert!(metrics.contains("triagraph_language_model_calls_total"), "{metrics}");
    let spans = until("spans", || (collector.spans().len() > 200).then(|| collector.told()));
    drop(server);
    let audit = desk.beside("audit.jsonl");
    let _ = desk.run(["audit", "export", audit.to_str().expect("UTF-8")]).with_code(0);
    let audit = fs::read_to_string(audit).expect("the audit log");
    let log = fs::read_to_string(desk.beside("log")).expect("the log");
    assert!(audit.lines().count() > 2 * EVENTS && log.lines().count() > 100, "{audit}");
    let spans: String = spans.into_iter().map(|Call { head, body }| format!("{head}\n{body}\n")).collect();
    let sinks = [
        ("model calls", &text),
        ("logs", &log),
        ("traces", &spans),
        ("metrics", &metrics),
        ("audit", &audit),
    ];
    // The control: the desk itself has all of them.
    let kept = fs::read(desk.main().join("desk.db")).expect("the desk");
    assert_eq!(escaped(&String::from_utf8_lossy(&kept), &all).len(), 1000);
    let mut out = Vec::new();
    for (sink, text) in sinks {
        out.extend(escaped(text, &all).into_iter().map(|canary| format!("{sink}: {canary}")));
    }
    assert!(out.is_empty(), "{} got out: {:#?}", out.len(), &out[..out.len().min(40)]);
    assert!(shown.len() == EVENTS);
}
