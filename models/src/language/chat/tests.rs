//! Does the chat client speak to a server as it should, and bear what servers do wrong?

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{ChatModel, MAX_ANSWER_BYTES};
use crate::language::conformance::conformance;
use crate::language::{Completion, LanguageModel, LanguageModelError, Limits, Prompt};
use crate::redact::{RedactionPolicy, Redactor};

const ANSWER: &str = r#"{"choices": [{"message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2}}"#;

/// A server on a free port that lets `answer` handle each connection once the request is read; requests can be looked
/// at through the receiver.
fn serve(answer: impl Fn(&mut TcpStream) + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).unwrap_or(0) > 2 {
                let line = head.lines().last().unwrap_or_default().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_ok() {
                let _ = sender.send(head + &String::from_utf8(body).unwrap());
                answer(&mut stream);
            }
        }
    });
    (address, requests)
}

fn respond(status: &'static str, extra: &'static str, body: &'static str) -> impl Fn(&mut TcpStream) + Send {
    move |stream| {
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{extra}\r\n{body}"
        );
    }
}

fn ask(address: &str, timeout: Duration) -> Result<Completion, LanguageModelError> {
    let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
    let prompt = Prompt::new(redactor.redact("Be short.")).user(redactor.redact("Mail a@example.org?"));
    let model = ChatModel::new(address, "tiny", Some("key-1".to_owned())).unwrap();
    model.complete(&prompt, &Limits { max_tokens: 7, timeout })
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn keeps_the_contract() {
    let (address, _requests) = serve(respond("200 OK", "", ANSWER));
    conformance(&ChatModel::new(&address, "tiny", None).unwrap());
}

#[test]
fn asks_as_the_interface_wants_and_only_with_redacted_text() {
    let (address, requests) = serve(respond("200 OK", "", ANSWER));
    let completion = ask(&format!("{address}/v1/"), SOON).unwrap();
    assert_eq!((completion.text.as_str(), completion.is_cut_off), ("Paris.", false));
    assert_eq!((completion.prompt_tokens, completion.completion_tokens), (Some(9), Some(2)));
    let request = requests.recv().unwrap();
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer key-1"));
    let body: serde_json::Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "model": "tiny", "max_tokens": 7, "temperature": 0.0, "seed": 0, "stream": false,
            "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Mail [EMAIL_1]?"}],
        })
    );
}

#[test]
fn a_question_is_in_the_trace_of_who_asks() {
    let (address, requests) = serve(respond("200 OK", "", ANSWER));
    let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
    let prompt = Prompt::new(redactor.redact("Be short."));
    let limits = Limits { max_tokens: 7, timeout: SOON };
    let model = ChatModel::new(&address, "tiny", None).unwrap();
    assert_eq!(model.server(), address.strip_prefix("http://"));
    model.complete(&prompt, &limits).unwrap();
    assert!(!requests.recv().unwrap().contains("traceparent"));
    let model = model.traced(|| Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()));
    model.complete(&prompt, &limits).unwrap();
    let request = requests.recv().unwrap();
    assert!(
        request.contains("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"),
        "{request}"
    );
}

#[test]
fn each_failure_has_its_own_error() {
    let check = |answer: Box<dyn Fn(&mut TcpStream) + Send>, code: &str, retry: bool| {
        let (address, _requests) = serve(answer);
        let error = ask(&address, SOON).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.is_worth_retrying(), retry);
        error
    };
    let busy = check(
        Box::new(respond("429 Too Many Requests", "retry-after: 7\r\n", "slow down")),
        "language-model-busy",
        true,
    );
    assert_eq!(busy, LanguageModelError::Busy { retry_after_seconds: Some(7) });
    let refused =
        check(Box::new(respond("401 Unauthorized", "", "bad\nkey")), "language-model-refused", false);
    assert_eq!(refused, LanguageModelError::Refused { status: 401, reason: "badkey".to_owned() });
    check(Box::new(respond("500 Oops", "", "<html>")), "language-model-failed", true);
    check(
        Box::new(respond("307 Elsewhere", "location: http://127.0.0.1:9/\r\n", "")),
        "language-model-failed",
        true,
    );
    for garbage in
        ["", "<html>", "{}", r#"{"choices": []}"#, r#"{"choices": [{"message": {"content": null}}]}"#]
    {
        check(Box::new(respond("200 OK", "", garbage)), "language-model-bad-answer", false);
    }
    check(
        Box::new(|stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))),
        "language-model-bad-answer",
        false,
    );
    check(
        Box::new(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            let block = vec![b' '; 1 << 16];
            for _ in 0..=MAX_ANSWER_BYTES / (1 << 16) {
                if stream.write_all(&block).is_err() {
                    return;
                }
            }
        }),
        "language-model-bad-answer",
        false,
    );
    check(Box::new(|_| {}), "language-model-unreachable", true);
}

#[test]
fn a_server_that_hangs_is_given_up_in_time() {
    // One never answers, the other begins an answer and drips it byte by byte.
    let silent: Box<dyn Fn(&mut TcpStream) + Send> = Box::new(|stream| {
        let _ = stream.read(&mut [0; 1]);
    });
    let dripping: Box<dyn Fn(&mut TcpStream) + Send> = Box::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        while stream.write_all(b" ").is_ok() && !matches!(stream.read(&mut [0; 1]), Ok(0)) {}
    });
    for answer in [silent, dripping] {
        let (address, _requests) = serve(answer);
        let begun = Instant::now();
        let error = ask(&address, Duration::from_millis(300)).unwrap_err();
        assert_eq!(error, LanguageModelError::TimedOut { timeout_millis: 300 });
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn no_server_and_bad_settings_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = ask(&format!("http://{closed}"), SOON).unwrap_err();
    assert_eq!(error.code(), "language-model-unreachable");
    for (address, model) in [("ftp://x", "m"), ("localhost:80", "m"), ("http://x", " ")] {
        let error = ChatModel::new(address, model, None).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "language-model-settings");
    }
}
