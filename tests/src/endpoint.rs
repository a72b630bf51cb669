//! What stands in for a server that the desk calls? One on a free port that keeps what it was told, and answers as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A call that came in.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request's line and headers.
    pub head: String,
    /// What it carried.
    pub body: String,
}

impl Call {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A status and JSON.
    Json(u16, Value),
    /// These bytes as they are, then the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, until the endpoint ends or the caller hangs up.
    Hang,
}

impl Reply {
    /// What a chat endpoint answers.
    #[must_use]
    pub fn chat(text: &str) -> Self {
        let message = json!({"role": "assistant", "content": text});
        Self::Json(
            200,
            json!({
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10},
            }),
        )
    }
}

type Answer = dyn Fn(&Call) -> Reply + Send + Sync;

/// An endpoint, which ends with the process; those who hang are let go when it is dropped.
#[derive(Debug)]
pub struct Endpoint {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    ended: Arc<(Mutex<bool>, Condvar)>,
}

impl Endpoint {
    /// Starts one that answers by this.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let endpoint = Self { address, calls: Arc::default(), ended: Arc::default() };
        let (calls, ended) = (Arc::clone(&endpoint.calls), Arc::clone(&endpoint.ended));
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (calls, ended, answer) = (Arc::clone(&calls), Arc::clone(&ended), Arc::clone(&answer));
                thread::spawn(move || {
                    let _ = serve(stream, &calls, &ended, answer.as_ref());
                });
            }
        });
        endpoint
    }

    /// Its base address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Each call so far.
    ///
    /// # Panics
    /// If a connection's thread panicked.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        *self.ended.0.lock().expect("the end") = true;
        self.ended.1.notify_all();
    }
}

/// Answers the calls of one connection.
fn serve(
    mut stream: TcpStream,
    calls: &Mutex<Vec<Call>>,
    ended: &(Mutex<bool>, Condvar),
    answer: &Answer,
) -> std::io::Result<()> {
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
        let call = Call { head, body: String::from_utf8_lossy(&body).into_owned() };
        calls.lock().expect("calls").push(call.clone());
        match answer(&call) {
            Reply::Json(status, body) => {
                let body = body.to_string();
                write!(
                    stream,
                    "HTTP/1.1 {status} As told\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )?;
            }
            Reply::Raw(bytes) => return stream.write_all(&bytes),
            Reply::Hang => {
                let over = ended.0.lock().expect("the end");
                drop(ended.1.wait_while(over, |over| !*over));
                return Ok(());
            }
        }
    }
}
