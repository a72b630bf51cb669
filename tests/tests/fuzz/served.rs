//! Do server and command line bear any bytes, and go on?

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tests::Desk;

use super::{Input, fuzz};

/// A server over the demo desk, ended when it is dropped.
struct Server {
    child: Child,
    address: String,
    _desk: Desk,
}

impl Server {
    fn start() -> Self {
        let desk = Desk::demo();
        let mut command = desk.command(["serve", "--listen", "127.0.0.1:0"]);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("an address").to_owned();
        Self { child, address, _desk: desk }
    }

    /// Sends bytes and gives what comes back until the server is done.
    fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let mut connection = TcpStream::connect(&self.address).expect("the server listens");
        connection.set_read_timeout(Some(Duration::from_secs(25))).expect("a limit");
        // A server that has heard enough closes its end: that is no fault.
        let _ = connection.write_all(bytes);
        let mut answer = Vec::new();
        match connection.read_to_end(&mut answer) {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("no end: {error}"),
            _ => answer,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes of a request: its first line and content type stand in two lines above its body.
fn framed(input: &Input) -> Vec<u8> {
    let mut lines = input.bytes.splitn(3, |byte| *byte == b'\n');
    let [head, kind, body] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let parts: [&[u8]; 6] =
        [head, b" HTTP/1.1\r\nhost: localhost\r\ncontent-type: ", kind, b"\r\n", length.as_bytes(), body];
    parts.concat()
}

fn request(head: &str, kind: &str, body: &str) -> Input {
    Input::of("request", &format!("{head}\n{kind}\n{body}"))
}

fn requests() -> Vec<Input> {
    let json = "application/json";
    let record = r#"[{"id": "x:1", "kind": "incident", "title": "Mail", "audience": ["staff"], "created": "2026-01-01T00:00:00Z",
        "sections": [{"kind": "description", "text": "It fails.", "steps": [{"start": 0, "end": 2}]}], "priority": 2,
        "links": [{"relation": "affects", "target": {"name": "mail01"}}]}]"#;
    vec![
        request(
            "POST /v1/search",
            json,
            r#"{"text": "vpn drops", "limit": 3, "filters": {"kinds": ["incident"], "service": "Mail"}, "legs": ["lexical", "dense"]}"#,
        ),
        request("POST /v1/related", json, r#"{"about": {"text": "vpn"}, "limit": 2}"#),
        request("POST /v1/related", json, r#"{"about": {"record": "servicenow:INC0041216"}}"#),
        request(
            "POST /v1/triage",
            json,
            r#"{"ticket": {"id": "x:2", "kind": "incident", "title": "Mail is slow"}, "budget_tokens": 500}"#,
        ),
        request(
            "POST /v1/bundles",
            json,
            r#"{"about": {"text": "mail"}, "budget_tokens": 300, "as_of": "2026-01-01T00:00:00Z", "deadline_millis": 9}"#,
        ),
        request("POST /v1/records", json, record),
        request(
            "POST /v1/files?name=t.csv&source=posted",
            "text/csv",
            "number,short_description\nINC1,Mail\n",
        ),
        request(
            "POST /v1/files?name=a.json",
            json,
            r#"{"result": [{"number": "INC2", "short_description": "x"}]}"#,
        ),
        request("GET /sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D", "text/plain", ""),
        request("POST /sparql", "application/sparql-query", "SELECT ?s WHERE { ?s a tg:Service } LIMIT 2"),
        request("POST /sparql", "application/x-www-form-urlencoded", "query=ASK+%7B%7D"),
        request("GET /v1/records/servicenow:INC0041216?as_of=2026-01-01T00:00:00Z", json, ""),
        request("GET /v1/records/servicenow%3AINC0041216/neighbours?limit=3", json, ""),
        request("GET /v1/bundles/0123abcd/diff/4567", json, ""),
        request("GET /v1/jobs/1", json, ""),
        request("GET /v1/status", json, ""),
    ]
}

#[test]
fn any_request_is_answered_without_a_fault_and_the_server_goes_on() {
    let server = Arc::new(Server::start());
    let asking = Arc::clone(&server);
    for whole in requests() {
        let answer = String::from_utf8(server.send(&framed(&whole))).expect("UTF-8");
        let is_known =
            [" 200 ", " 201 ", " 202 ", " 404 "].iter().any(|code| answer.get(8..13) == Some(code));
        assert!(is_known, "{}\n{answer}", whole.text());
    }
    fuzz("requests", 400, &requests(), move |input, _| {
        let answer = asking.send(&framed(input));
        let head = String::from_utf8_lossy(&answer[..answer.len().min(400)]).into_owned();
        assert!(answer.is_empty() || head.starts_with("HTTP/1."), "{head}");
        assert!(!head.starts_with("HTTP/1.1 500"), "{head}");
    });
    let ready = server.send(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(ready.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&ready));
}

#[test]
fn any_arguments_end_with_an_answer_or_a_reason() {
    let desk = Desk::new();
    let records = desk
        .file("r.jsonl", "{\"id\": \"S-1\", \"title\": \"Mail is slow\", \"description\": \"on fs-01\"}\n");
    let _ = desk.json(&["ingest", records.to_str().expect("UTF-8")]);
    let seeds = [
        "search\nmail is slow\n--limit\n3\n--kind\nincident\n--as-of\n2026-01-01T00:00:00Z\n--json",
        "related\n--ticket\n-\n--limit\n2\n--json",
        "bundle\nmake\nmail\n--budget-tokens\n300\n--prompt",
        "sparql\nSELECT ?s { ?s a tg:Incident } LIMIT 2\n--json",
        "triage\nMail is slow\n--deadline-millis\n5\n--json",
        "record\nshow\nS-1\n--json",
        "mapping\nshow\nservicenow",
        "articles\n--json",
    ];
    fuzz("arguments", 40, &seeds.map(|text| Input::of("arguments", text)), move |input, _| {
        // No operating system takes a NUL or so many bytes in an argument.
        let text = input.text().replace('\0', "");
        let arguments: Vec<&str> = text.split('\n').take(200).collect();
        let run = desk.run_with(arguments, "Mail is slow\nsince noon");
        assert!((0..=2).contains(&run.code), "{run:?}");
        assert!(!run.err.contains("panicked"), "{run:?}");
    });
}
