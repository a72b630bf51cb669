//! What stands in for an OpenTelemetry collector? A server on a free port that keeps what it was told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A collector, which ends with the process.
#[derive(Debug)]
pub struct Collector {
    address: String,
    told: Arc<Mutex<Vec<(String, String)>>>,
}

impl Collector {
    /// Starts one.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let told: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let kept = Arc::clone(&told);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || {
                    let _ = serve(stream, &kept);
                });
            }
        });
        Self { address, told }
    }

    /// Its base address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Head and body of each call so far.
    ///
    /// # Panics
    /// If a connection's thread panicked.
    #[must_use]
    pub fn told(&self) -> Vec<(String, String)> {
        self.told.lock().expect("calls").clone()
    }

    /// All spans so far.
    ///
    /// # Panics
    /// If what it was told is not OTLP in JSON.
    #[must_use]
    pub fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for (_, body) in self.told() {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            for resource in body["resourceSpans"].as_array().expect("resources") {
                for scope in resource["scopeSpans"].as_array().expect("scopes") {
                    spans.extend(scope["spans"].as_array().expect("spans").iter().cloned());
                }
            }
        }
        spans
    }
}

/// Answers the calls of one connection.
fn serve(mut stream: TcpStream, kept: &Mutex<Vec<(String, String)>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        kept.lock().expect("calls").push((head, body));
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")?;
    }
}
