//! Does the server answer as its OpenAPI document says, whatever is sent? Schemathesis asks, from the document alone.

use std::path::PathBuf;
use std::process::Command;

use tests::{Desk, Server, finish};

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
    let server = Server::start(desk.command(["serve", "--listen", "127.0.0.1:0"]));
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
    let run = finish(&mut command, "");
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    assert!(run.out.contains("No issues found") || run.out.contains("passed"), "{}", run.out);
}
