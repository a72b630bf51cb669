//! Does the server answer as its OpenAPI document says, whatever is sent? Schemathesis asks, from the document alone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use tests::{Desk, Server, finish};

/// The key of the server.
const KEY: &str = "a-key-for-schemathesis-alone";
/// What is held against the document.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method";

/// Where `make test-tools` has put it.
fn schemathesis() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let folder = cache.join("triagraph/schemathesis");
    let is_required = std::env::var_os("TRIAGRAPH_REQUIRE_TOOLS").is_some();
    assert!(folder.is_dir() || !is_required, "schemathesis is not here: run `make test-tools`");
    folder.is_dir().then_some(folder)
}

#[test]
fn every_answer_is_as_the_document_says() {
    let Some(schemathesis) = schemathesis() else { return };
    let desk = Desk::demo();
    // With a key of its own: the first key that it makes would shut everybody else out, and a document of refusals is soon kept.
    let mut serve = desk.command(["serve", "--listen", "127.0.0.1:0"]);
    serve.env("TRIAGRAPH_KEY", KEY);
    let server = Server::start(serve);
    let document = format!("http://{}/openapi.json", server.address());
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", schemathesis).current_dir(desk.data());
    command.args(["-m", "schemathesis.cli", "run", &document, "--checks", CHECKS]);
    // The stream has no end; a full queue of verifications is said with 503; SPARQL as a body is a text of its own.
    command.args([
        "--exclude-path",
        "/v1/stream",
        "--exclude-path",
        "/v1/verify",
        "--exclude-name",
        "POST /sparql",
    ]);
    command.args(["--phases", "examples,coverage", "--seed", "1", "--continue-on-failure", "--no-color"]);
    command.args(["--request-timeout", "40", "--max-time", "120"]);
    command.args(["--header", &format!("Authorization: Bearer {KEY}")]);
    let run = finish(&mut command, "");
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    let tested = run.out.lines().find_map(|line| line.trim().strip_prefix("Tested: "));
    let tested = tested.and_then(|number| number.trim().parse::<usize>().ok());
    assert!(tested.is_some_and(|number| number > 45), "it asked too little: {}", run.out);
    // A server that lets nobody in would keep its word as well.
    let (served, shut_out) = (answers(&server, "2"), answers(&server, "401"));
    assert!(served > 100 && shut_out < served, "{served} calls were served, {shut_out} shut out");
}

/// How many answers had a status that begins so.
fn answers(server: &Server, status: &str) -> u64 {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let head = format!("host: {}\r\nauthorization: Bearer {KEY}\r\nconnection: close", server.address());
    write!(stream, "GET /metrics HTTP/1.1\r\n{head}\r\n\r\n").expect("a request");
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).expect("an answer");
    let is_it = |line: &&str| {
        line.starts_with("triagraph_http_requests_total{") && line.contains(&format!("status=\"{status}"))
    };
    let counts =
        metrics.lines().filter(is_it).filter_map(|line| line.split(' ').next_back()?.parse::<u64>().ok());
    counts.sum()
}
