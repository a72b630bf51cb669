//! How do spans get to a collector? By one thread that gathers them for a second and posts them; who works never waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ureq::Agent;

use super::otlp::{Finished, body};

/// Spans that wait to be told; more are lost.
const WAITING: usize = 8192;
/// Spans of one call at most.
const TOGETHER: usize = 512;
/// How long spans are gathered.
const GATHER: Duration = Duration::from_secs(1);
/// Longest call.
const CALL: Duration = Duration::from_secs(5);
/// Pause after a call that failed.
const PAUSE: Duration = Duration::from_secs(10);

/// Where a collector is, and what it wants to be told with each call.
#[derive(Debug, Clone)]
pub(crate) struct Collector {
    url: String,
    headers: Vec<(String, String)>,
    service: String,
}

impl Collector {
    /// A collector by its base address, such as `http://127.0.0.1:4318`; `headers` as OpenTelemetry writes them, `name=value,name=value`
    /// with values percent-encoded.
    ///
    /// # Errors
    /// When the address is neither http nor https, or a header has no value.
    pub(crate) fn new(base: &str, headers: &str, service: &str) -> anyhow::Result<Self> {
        let base = base.trim().trim_end_matches('/');
        ensure!(
            base.starts_with("http://") || base.starts_with("https://"),
            "the collector's address {base:?} must begin with http:// or https://, like http://127.0.0.1:4318"
        );
        let header = |text: &str| {
            let (name, value) = text.split_once('=').context(
                "a header for the collector has no value: write them name=value, separated by commas",
            )?;
            let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8()?;
            anyhow::Ok((name.trim().to_owned(), value.into_owned()))
        };
        let given = headers.split(',').filter(|text| !text.trim().is_empty());
        Ok(Self {
            url: format!("{base}/v1/traces"),
            headers: given.map(header).collect::<anyhow::Result<_>>()?,
            service: service.to_owned(),
        })
    }
}

/// What the thread is told.
pub(super) enum Message {
    /// A span ended.
    Span(Box<Finished>),
    /// Somebody waits until all that came before is told.
    Flush(SyncSender<()>),
}

/// Tells spans to a collector.
pub(crate) struct Exporter {
    sender: SyncSender<Message>,
}

impl Exporter {
    /// Starts its thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(collector: Collector) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let config = Agent::config_builder()
            .timeout_global(Some(CALL))
            .http_status_as_error(true)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("triagraph/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::new_with_config(config);
        let work = move || work(&agent, &collector, &receiver);
        std::thread::Builder::new().name("traces".to_owned()).spawn(work)?;
        Ok(Self { sender })
    }

    pub(super) fn sender(&self) -> SyncSender<Message> {
        self.sender.clone()
    }

    /// Tells what is left, as far as that is done in a few seconds.
    pub(crate) fn flush(&self) {
        let (done, flushed) = sync_channel(1);
        if self.sender.try_send(Message::Flush(done)).is_ok() {
            let _ = flushed.recv_timeout(CALL);
        }
    }
}

fn work(agent: &Agent, collector: &Collector, receiver: &Receiver<Message>) {
    let mut silent_until: Option<Instant> = None;
    loop {
        let (spans, flushed, is_over) = gather(receiver);
        let is_silent = silent_until.is_some_and(|until| Instant::now() < until);
        if !spans.is_empty() && !is_silent {
            let was_silent = silent_until.take().is_some();
            if let Err(error) = post(agent, collector, &spans) {
                if !was_silent {
                    tracing::warn!("spans do not reach {}, so they are lost: {error}", collector.url);
                }
                silent_until = Some(Instant::now() + PAUSE);
            }
        }
        if let Some(flushed) = flushed {
            let _ = flushed.send(());
        }
        if is_over {
            return;
        }
    }
}

/// Spans that come within a while of the first, who waits for them, and whether nobody sends any more.
fn gather(receiver: &Receiver<Message>) -> (Vec<Finished>, Option<SyncSender<()>>, bool) {
    let mut spans = Vec::new();
    let mut next = receiver.recv().map_err(RecvTimeoutError::from);
    let until = Instant::now() + GATHER;
    loop {
        match next {
            Ok(Message::Span(span)) => spans.push(*span),
            Ok(Message::Flush(done)) => return (spans, Some(done), false),
            Err(RecvTimeoutError::Timeout) => return (spans, None, false),
            Err(RecvTimeoutError::Disconnected) => return (spans, None, true),
        }
        if spans.len() == TOGETHER {
            return (spans, None, false);
        }
        next = receiver.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

fn post(agent: &Agent, collector: &Collector, spans: &[Finished]) -> Result<(), ureq::Error> {
    let mut request = agent.post(&collector.url);
    for (name, value) in &collector.headers {
        request = request.header(name, value);
    }
    request.content_type("application/json").send(body(&collector.service, spans).to_string()).map(drop)
}
