//! How do the tests speak HTTP? One request over one connection, by hand, so that wrong requests can be sent too.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A request to be sent.
pub(super) struct Ask {
    address: SocketAddr,
    head: String,
    body: Vec<u8>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Ask {
    pub(super) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
        Self { address, head, body: Vec::new() }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(super) fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    pub(super) fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self.header("content-type", kind)
    }

    pub(super) fn send(self) -> Answer {
        let body = self.body.clone();
        let mut connection = self.open();
        // A server that refuses a body may close before it has read it.
        let _ = connection.write_all(&body);
        receive(connection)
    }

    /// Sends the head only.
    pub(super) fn open(&self) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).unwrap();
        let head = format!("{}content-length: {}\r\n\r\n", self.head, self.body.len());
        connection.write_all(head.as_bytes()).unwrap();
        connection
    }
}

/// Reads until the server closes.
pub(super) fn receive(mut connection: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = connection.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {read:?}"));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn value(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}
