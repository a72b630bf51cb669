//! Is every event handled once, though the server is killed again and again while they come in?
//!
//! `TRIAGRAPH_ROUNDS` says how often it is killed; ten events come for each kill.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Desk, Dice, Server, ask};

/// How often the server is killed.
const KILLS: u64 = 8;
/// Events for each kill.
const EVENTS: u64 = 10;
/// Events of each ticket; every fifth one is changed again where the others are closed.
const LIFE: [&str; 3] = ["created", "updated", "closed"];
const OPEN: u64 = 5;
/// What tickets are about; the demo desk knows the first two.
const MATTERS: [&str; 3] = [
    "scanners hang at confirm, canceling statement due to lock timeout in relation stock_location",
    "VPN users cannot connect after MFA reset, AUTH_FAILED 1713",
    "turnstile in hall B beeps and refuses everybody",
];

fn life(ticket: u64) -> [&'static str; 3] {
    if ticket.is_multiple_of(OPEN) { ["created", "updated", "updated"] } else { LIFE }
}

fn event(number: u64) -> Value {
    let ticket = number / LIFE.len() as u64;
    let step = life(ticket)[(number % LIFE.len() as u64) as usize];
    let matter = MATTERS[(ticket % MATTERS.len() as u64) as usize];
    let state = if step == "closed" { "closed" } else { "open" };
    json!({
        "specversion": "1.0", "id": format!("e{number}"), "source": "kill", "type": format!("triagraph.ticket.{step}"),
        "data": {"id": format!("kill:T{ticket}"), "kind": "incident", "title": format!("Caller {ticket}: {matter}"),
                 "impact": 3, "urgency": 3, "state": state,
                 "sections": [{"kind": "description", "text": format!("{matter}, told for the {number}th time")}]}
    })
}

/// Sends an event until a server has taken it, whichever process that is.
fn deliver(address: &Mutex<String>, event: &Value) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let to = address.lock().expect("the address").clone();
        let sent = ask(&to, "POST", "/v1/events", "application/cloudevents+json", event);
        match sent {
            Ok((202, _)) => return,
            Ok((503, _)) | Err(_) => {}
            Ok((status, problem)) => panic!("{status}: {problem}"),
        }
        assert!(Instant::now() < until, "nobody takes {event}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn serve(desk: &Desk) -> Server {
    Server::start(desk.command(["serve", "--listen", "127.0.0.1:0"]))
}

/// Waits until a ticket rests, and shows it.
fn rested(server: &Server, ticket: &str, received: usize) -> Value {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let (status, shown) = server.ask("GET", &format!("/v1/tickets/{ticket}"), &Value::Null);
        let came = |shown: &Value| {
            let history = shown["history"].as_array().expect("its history");
            history.iter().filter(|moved| moved["to"] == "received").count()
        };
        if status == 200 && came(&shown) >= received {
            return shown;
        }
        assert!(Instant::now() < until, "{ticket} does not come to rest: {shown}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How many orders the outbox has for each ticket and deed.
fn orders(server: &Server) -> BTreeMap<(String, String), u64> {
    let mut stream = TcpStream::connect(server.address()).expect("the server");
    let head = format!("GET /v1/stream?after=0 HTTP/1.1\r\nhost: {}\r\n\r\n", server.address());
    stream.write_all(head.as_bytes()).expect("the server reads");
    // All that is there comes at once; then the stream is silent.
    stream.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    let mut found = BTreeMap::new();
    let mut is_order = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if let Some(event) = line.strip_prefix("event: ") {
            is_order = event == "outbox";
        } else if let Some(data) = line.strip_prefix("data: ").filter(|_| is_order) {
            let data: Value = serde_json::from_str(data).expect("JSON");
            let text = |name: &str| data[name].as_str().expect("a name").to_owned();
            *found.entry((text("ticket"), text("kind"))).or_default() += 1;
        }
    }
    found
}

#[test]
fn every_event_is_handled_once_though_the_server_is_killed_while_they_come() {
    let kills =
        std::env::var("TRIAGRAPH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(KILLS);
    let desk = Desk::demo();
    fs::create_dir_all(desk.main().join("policy")).expect("a folder");
    let autonomy = "level = \"autonomous\"\nshare = 100\n";
    fs::write(desk.main().join("policy/autonomy.toml"), autonomy).expect("a file");
    let total = (kills * EVENTS).next_multiple_of(LIFE.len() as u64);
    let mut server = serve(&desk);
    let address = Mutex::new(server.address().to_owned());
    let is_done = AtomicBool::new(false);
    let mut dice = Dice::new(9);
    let mut killed = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..total {
                deliver(&address, &event(number));
                // Every tenth is told again, as sources do.
                if number % 10 == 0 {
                    deliver(&address, &event(number));
                }
                thread::sleep(Duration::from_millis(30));
            }
            is_done.store(true, Ordering::Release);
        });
        while !is_done.load(Ordering::Acquire) || killed < kills {
            thread::sleep(Duration::from_millis(50 + dice.below(500)));
            if killed < kills {
                server.kill();
                killed += 1;
                server = serve(&desk);
                server.address().clone_into(&mut address.lock().expect("the address"));
            }
        }
    });
    assert_eq!(killed, kills);
    let mut drafted = BTreeMap::new();
    for ticket in 0..total / LIFE.len() as u64 {
        let shown = rested(&server, &format!("kill:T{ticket}"), LIFE.len());
        let history = shown["history"].as_array().expect("its history");
        let came: Vec<&str> = history
            .iter()
            .filter(|moved| moved["to"] == "received")
            .map(|moved| moved["why"].as_str().expect("why"))
            .collect();
        assert_eq!(came, life(ticket), "none is lost, none applied twice: {shown}");
        let resting: &[&str] =
            if life(ticket) == LIFE { &["closed"] } else { &["answered", "proposed", "routed", "escalated"] };
        assert!(resting.contains(&shown["state"].as_str().expect("a state")), "{shown}");
        let checked = history.iter().filter(|moved| moved["to"] == "checked").count() as u64;
        drafted.insert(format!("kill:T{ticket}"), checked);
    }
    let orders = orders(&server);
    let replies = |ticket: &String| orders.get(&(ticket.clone(), "reply".to_owned())).copied().unwrap_or(0);
    for (ticket, drafted) in &drafted {
        assert!(replies(ticket) <= *drafted, "{ticket}: {drafted} drafts, {orders:?}");
    }
    // The first matter is sure enough to be answered alone: once for each time that it was looked at.
    let sure = (0..total / LIFE.len() as u64).step_by(MATTERS.len()).map(|ticket| format!("kill:T{ticket}"));
    let (answered, looked): (Vec<u64>, Vec<u64>) =
        sure.map(|ticket| (replies(&ticket), drafted[&ticket])).unzip();
    assert_eq!(answered, looked);
    assert!(answered.iter().sum::<u64>() > 0, "nothing was answered: {orders:?}");
    let (status, dead) = server.ask("GET", "/v1/dead-letters", &Value::Null);
    assert_eq!((status, dead), (200, json!([])));
    drop(server);
    let _ = desk.run(["verify"]).with_code(0);
    assert_audited(&desk, total);
}

/// What was done is told, signed, and proves itself to others.
fn assert_audited(desk: &Desk, events: u64) {
    let kept = desk.file("checkpoint", desk.run(["audit", "checkpoint"]).with_code(0).out);
    let kept = kept.to_str().expect("UTF-8");
    let audit = desk.json(&["audit", "verify", "--checkpoint", kept]);
    assert!(audit["fault"].is_null() && audit["entries"] == audit["sealed"], "{audit}");
    assert!(audit["entries"].as_u64() >= Some(events), "{audit}");
    // A copy has the log and not the key: the desk wants its own back and makes no other.
    let copy = desk.beside("copy");
    let _ = desk.run(["backup", copy.to_str().expect("UTF-8")]).with_code(0);
    let other = Desk::new();
    let _ = other.run(["restore", copy.to_str().expect("UTF-8")]).with_code(0);
    assert!(other.run(["audit", "verify"]).with_code(2).err.contains("audit.key"));
    fs::copy(desk.main().join("audit.key"), other.main().join("audit.key")).expect("the key");
    assert!(other.json(&["audit", "verify", "--checkpoint", kept])["fault"].is_null());
    // What was handed out proves itself with nothing but the public key.
    let (key, file) = (desk.run(["audit", "key"]).with_code(0).out, desk.beside("audit.jsonl"));
    let (key, file) = (key.trim(), file.to_str().expect("UTF-8"));
    let _ = desk.run(["audit", "export", file]).with_code(0);
    let _ = desk.run(["audit", "verify-export", file, "--key", key]).with_code(0);
    let changed = fs::read_to_string(file).expect("a file").replacen("allow", "deny", 1);
    fs::write(file, changed).expect("a file");
    assert!(desk.run(["audit", "verify-export", file, "--key", key]).with_code(2).err.contains("changed"));
}
