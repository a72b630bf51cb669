//! How does a test ask a running `triagraph serve`? A process of its own on a free port, which ends with the test.

use std::io::{BufRead, BufReader, Error, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A server, which ends with the test.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it; the command says `serve --listen 127.0.0.1:0`.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        command.stderr(Stdio::null());
        Self::start_logging(command)
    }

    /// Starts it and leaves its log where the command says.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start_logging(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut line = String::new();
        let said = child.stdout.as_mut().expect("a pipe");
        BufReader::new(said).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("the address").to_owned();
        Self { child, address }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Status and body of an answer.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        ask(&self.address, method, path, "application/json", body).expect("the server answers")
    }

    /// Sends an event, which the server takes.
    ///
    /// # Panics
    /// If it does not.
    pub fn send(&self, event: &Value) {
        let sent = ask(&self.address, "POST", "/v1/events", "application/cloudevents+json", event);
        let (status, said) = sent.expect("the server answers");
        assert_eq!(status, 202, "{said}");
    }

    /// The body of an answer, as it is.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn text(&self, path: &str) -> String {
        exchange(&self.address, "GET", path, "application/json", "").expect("the server answers").1
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Status and body of an answer, or that there was no whole one.
///
/// # Errors
/// Where the server cannot be reached or ends before it has answered.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &Value,
) -> std::io::Result<(u16, Value)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (head, body) = exchange(address, method, path, kind, &body)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Error::other("no status"))?;
    Ok((status, serde_json::from_str(&body).unwrap_or(Value::Null)))
}

/// Head and body of an answer.
fn exchange(
    address: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| Error::other("no answer"))?;
    Ok((head.to_owned(), body.to_owned()))
}
