//! Does `triagraph serve` start where it may, and end as told?
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

fn triagraph(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triagraph"));
    command
        .arg("--data")
        .arg(data)
        .arg("--no-embedder")
        .env_remove("TRIAGRAPH_KEY")
        .env_remove("TRIAGRAPH_LOG");
    command
}

#[test]
fn it_listens_answers_and_ends_with_zero_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    assert!(triagraph(folder.path()).arg("init").output().unwrap().status.success());
    let mut server = triagraph(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--log-json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line:?}"));
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(Command::new("kill").arg("-TERM").arg(server.id().to_string()).status().unwrap().success());
    let ended = server.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(log.lines().all(|line| line.starts_with('{')) && log.contains("/health/ready"), "{log}");
}

#[test]
fn its_log_has_no_colours_outside_of_a_terminal_and_it_shows_its_audience_only() {
    let folder = tempfile::tempdir().unwrap();
    assert!(triagraph(folder.path()).arg("init").output().unwrap().status.success());
    let mut server = triagraph(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--audience", "staff"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line:?}"));
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET /v1/status HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("--audience"), "{answer}");
    assert!(Command::new("kill").arg("-TERM").arg(server.id().to_string()).status().unwrap().success());
    let log = String::from_utf8(server.wait_with_output().unwrap().stderr).unwrap();
    assert!(log.contains("/v1/status") && !log.contains('\u{1b}'), "{log:?}");
}

#[test]
fn it_refuses_other_machines_without_a_key_and_a_weak_key_anywhere() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(triagraph(desk.path()).arg("init").output().unwrap().status.success());
    let check = |data: &Path, arguments: &[&str], key: Option<&str>, expected: &str| {
        let mut command = triagraph(data);
        command.arg("serve").args(arguments).envs(key.map(|key| ("TRIAGRAPH_KEY", key)));
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    };
    check(desk.path(), &["--listen", "0.0.0.0:0"], None, "needs a key");
    check(folder.path(), &["--listen", "127.0.0.1:0"], Some("secret"), "at least 24");
    check(
        folder.path(),
        &["--listen", "127.0.0.1:0", "--key-file", "/nonexistent/key"],
        None,
        "/nonexistent/key",
    );
    check(folder.path(), &["--listen", "127.0.0.1:0"], None, "triagraph init");
}
