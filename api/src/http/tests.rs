//! Does the server keep its promises, over real sockets?

mod access;
mod client;
mod coming;
mod desk;
mod files;
mod learned;
mod limits;
mod people;
mod routes;
mod tls;
mod workflow;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use engine::Desk;
use models::{EmbedError, Embedder, EmbedderId, HashEmbedder, TextRole};
use ontology::{
    Audience, Kind, Link, Observation, Record, RecordId, Relation, Scope, Section, SectionKind, State,
    TenantId,
};
use tokio::sync::oneshot;

use super::{App, Entrance, Key, Limits, serve};
use client::{Answer, Ask};

/// A running server over a small desk.
struct Server {
    address: SocketAddr,
    app: App,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        Self::with(Limits::default(), None)
    }

    fn with(limits: Limits, key: Option<&str>) -> Self {
        Self::scoped(operator(), limits, key)
    }

    fn scoped(scope: Scope, limits: Limits, key: Option<&str>) -> Self {
        let server = Self::empty(scope, limits, key);
        let desk = Desk::open(
            server._folder.path(),
            &server.app.scope.tenant,
            Some(Arc::new(Fragile(HashEmbedder::new(64)))),
        )
        .unwrap();
        assert!(desk.apply(observations()).unwrap().rejected.is_empty());
        let policies = triage::policy::Watched::built_in().unwrap();
        let signer = triage::audit::Signer::new("test", &[7; 32]).unwrap();
        let vault = triage::vault::Vault::new(server.app.scope.tenant.clone(), &[8; 32], || Some([9; 12]));
        server.app.attach(desk, policies, signer, vault).unwrap();
        server
    }

    fn without_desk(limits: Limits, key: Option<&str>) -> Self {
        Self::empty(operator(), limits, key)
    }

    /// Without a desk, over TLS.
    fn private(limits: Limits, tls: tokio_rustls::TlsAcceptor) -> Self {
        Self::behind(
            Entrance { key: None, provider: None, tls: Some(tls), is_local: true },
            operator(),
            limits,
        )
    }

    fn empty(scope: Scope, limits: Limits, key: Option<&str>) -> Self {
        let key = key.map(|key| Key::new(key).unwrap());
        Self::behind(Entrance { key, provider: None, tls: None, is_local: true }, scope, limits)
    }

    fn behind(entrance: Entrance, scope: Scope, limits: Limits) -> Self {
        let redaction = triage::TriageOptions::default().policy;
        let app = App::new(scope, entrance, limits, redaction, None);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = app.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(serve(listener, serving, async move {
                let _ = stopped.await;
            }))
        });
        Self { address, app, stop: Some(stop), thread: Some(thread), _folder: tempfile::tempdir().unwrap() }
    }

    fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(self.address, method, path)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send()
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.ask("POST", path).json(body).send()
    }

    /// Waits until a job has ended.
    fn job(&self, accepted: &Answer) -> serde_json::Value {
        assert_eq!(accepted.status, 202, "{}", accepted.text());
        loop {
            let job = self.get(&accepted.headers["location"]).value();
            if !["queued", "running"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            std::thread::yield_now();
        }
    }

    fn stop(mut self) -> std::io::Result<()> {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn operator() -> Scope {
    Scope::operator(TenantId::new("main").unwrap())
}

/// Text on which the embedder of the tests breaks.
const UNBEARABLE: &str = "unbearable";

/// An embedder that fails on some text, as a model may that runs out of memory.
struct Fragile(HashEmbedder);

impl Embedder for Fragile {
    fn id(&self) -> &EmbedderId {
        self.0.id()
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    fn max_tokens(&self) -> usize {
        self.0.max_tokens()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }

    fn embed(&self, role: TextRole, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.iter().any(|text| text.contains(UNBEARABLE)) {
            return Err(EmbedError::Compute { reason: "it broke".to_owned() });
        }
        self.0.embed(role, texts)
    }
}

fn record(id: &str, kind: Kind, title: &str, sections: &[(SectionKind, &str)]) -> Record {
    let sections = sections.iter().map(|(kind, text)| Section::new(*kind, *text)).collect();
    Record { sections, ..Record::new(RecordId::new(id).unwrap(), kind, title) }
}

/// A mail host, its tickets and runbook, and one ticket that only `security` may see.
fn records() -> Vec<Record> {
    use SectionKind::{Description, Resolution, Steps};
    let host = || vec![Link::by_name(Relation::Affects, "mx-01")];
    let mut mx = record("cmdb:mx-01", Kind::ConfigurationItem, "mx-01", &[]);
    mx.names = vec!["mx-01".to_owned()];
    let mut first = record(
        "sn:INC/1",
        Kind::Incident,
        "Mail is slow on mx-01",
        &[
            (Description, "Sending takes minutes since the update of mx-01."),
            (Resolution, "Cleared the mail queue on mx-01."),
        ],
    );
    (first.state, first.links) = (Some(State::Resolved), host());
    let mut second = record(
        "sn:INC/2",
        Kind::Incident,
        "Mail does not arrive",
        &[(Description, "The mail queue on mx-01 grows.")],
    );
    (second.state, second.links) = (Some(State::Open), host());
    let runbook = record(
        "kb:queue",
        Kind::Runbook,
        "Clear the mail queue",
        &[(Steps, "1. Stop the daemon.\n2. Clear the mail queue.")],
    );
    let mut secret = record(
        "sec:9",
        Kind::Incident,
        "Mail key of mx-01 leaked",
        &[(Description, "The private key of the mail queue leaked.")],
    );
    (secret.audience, secret.links) = (vec![Audience::new("security").unwrap()], host());
    vec![mx, first, second, runbook, secret]
}

fn observations() -> Vec<Observation> {
    let lineage = |item| ontology::Lineage {
        origin: "fixture".to_owned(),
        place: Some(ontology::Place::Item(item)),
        mapping: "test".to_owned(),
        observed: "2026-11-01T08:00:00Z".parse().unwrap(),
    };
    (1..).zip(records()).map(|(item, record)| Observation::unversioned(record, lineage(item))).collect()
}

/// The code of a problem whose document is whole.
#[track_caller]
fn problem(answer: &Answer) -> String {
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", answer.text());
    let value = answer.value();
    assert_eq!(value["status"], answer.status);
    assert_eq!(value["type"], format!("urn:triagraph:problem:{}", value["code"].as_str().unwrap()));
    assert_eq!(value["request_id"], answer.headers["x-request-id"].as_str());
    assert!(!value["detail"].as_str().unwrap().is_empty());
    value["code"].as_str().unwrap().to_owned()
}

/// What stands in JSON, without what is absent, empty or null, which mean the same in our answers.
fn essence(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Array(list) => list.into_iter().map(essence).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, essence(value)));
            let fields = fields.filter(|(_, value)| {
                !matches!(value, Value::Null)
                    && value.as_array().is_none_or(|list| !list.is_empty())
                    && value.as_object().is_none_or(|fields| !fields.is_empty())
                    && value.as_str() != Some("")
            });
            Value::Object(fields.collect::<BTreeMap<_, _>>().into_iter().collect())
        }
        value => value,
    }
}

/// Holds an answer against its schema: it reads as the type that the document shows, and nothing is lost by it.
#[track_caller]
fn fits<T: serde::de::DeserializeOwned + serde::Serialize>(value: &serde_json::Value) {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error} in {value}"));
    assert_eq!(essence(serde_json::to_value(read).unwrap()), essence(value.clone()));
}
