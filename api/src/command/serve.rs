//! `serve`: the desk over HTTP, until the process is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::net::TcpListener;
use triage::policy::Watched;

use crate::audit_key::signer;
use crate::cli::Outcome;
use crate::command::executor::{self, Executor};
use crate::command::oidc::Oidc;
use crate::command::redaction::Redaction;
use crate::command::traces::Traces;
use crate::command::wording::Wording;
use crate::http::{self, App, Entrance, Key, Limits};
use crate::settings::Global;
use crate::trace::Exporter;
use crate::vault_key::vault;
use crate::{log, output};

/// The variable with the key, where no file is named.
const KEY: &str = "TRIAGRAPH_KEY";

/// Serve HTTP. The address is printed once the desk is open; before that, /health/live answers and /health/ready says 503.
///
/// Without a key only this machine is served. Once the desk has keys (`triagraph keys create`), or the server one of its own, each call to
/// /v1, /sparql and /metrics has to show one: `Authorization: Bearer KEY`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one. Any address but a loopback one needs a key
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// File with a key of the server's own, for whoever runs the desk [default: the variable TRIAGRAPH_KEY, if it is set]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// File with the certificate and those that lead to it, in PEM: connections are private then (TLS)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// File with the private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    oidc: Oidc,
    #[command(flatten)]
    wording: Wording,
    #[command(flatten)]
    executor: Executor,
    #[command(flatten)]
    redaction: Redaction,
    /// Write the log as JSON lines. What is logged: the variable TRIAGRAPH_LOG, like `info` or `api=debug`
    #[arg(long)]
    log_json: bool,
    #[command(flatten)]
    traces: Traces,
}

impl Serve {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(http::acceptor(certificate, key)?),
            _ => None,
        };
        let is_local = self.listen.ip().is_loopback();
        let entrance = Entrance { key: self.key()?, provider: self.oidc.provider()?, tls, is_local };
        let exporter = self.traces.exporter()?;
        log::start_for_server(self.log_json, exporter.as_ref())?;
        let limits = Limits::default();
        let wording = self.wording.model()?.map(|model| http::Wording::new(model, self.wording.limits()));
        let app = App::new(global.scope(), entrance, limits, self.redaction.policy()?, wording);
        self.executor.arm(&app)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(self.serve(global.clone(), app));
        // A query that does not come to an end must not keep the process.
        runtime.shutdown_timeout(limits.shutdown);
        exporter.inspect(Exporter::flush);
        served.map(|()| Outcome::Fine)
    }

    async fn serve(&self, global: Global, app: App) -> anyhow::Result<()> {
        let stop = stop_signal()?;
        let bound = TcpListener::bind(self.listen).await;
        let listener = bound
            .with_context(|| format!("cannot listen on {}: choose another with --listen", self.listen))?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "opening the desk");
        let opened = app.clone();
        let opening = tokio::task::spawn_blocking(move || {
            let policies = Watched::open(&global.policy_folder()?)?;
            executor::check(&opened, &policies.executor())?;
            let desk = global.open()?;
            let signer = signer(&global, &desk.store())?;
            let vault = vault(&global, &desk.store())?;
            opened.attach(desk, policies, signer, vault)?;
            ensure!(
                address.ip().is_loopback() || opened.is_guarded(),
                "{address} can be reached from other machines, so it needs a key: make one with `triagraph keys create`, name a file \
                 with --key-file, or set {KEY} (`openssl rand -hex 16` makes one)"
            );
            let scheme = if opened.entrance.tls.is_some() { "https" } else { "http" };
            output::line(format!("listening on {scheme}://{address}"));
            output::line(format!("documentation at {scheme}://{address}/docs"));
            opened.count()?;
            anyhow::Ok(())
        });
        // An open desk serves on; one that cannot be opened ends the server.
        let failed = async move {
            match opening.await {
                Ok(Ok(())) => std::future::pending().await,
                Ok(Err(error)) => error,
                Err(panic) => anyhow::Error::new(panic).context("opening the desk broke"),
            }
        };
        tokio::select! {
            served = http::serve(listener, app, stop) => Ok(served?),
            error = failed => Err(error),
        }
    }

    fn key(&self) -> anyhow::Result<Option<Key>> {
        let text = match &self.key_file {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                Some(text.with_context(|| format!("cannot read the key from {}", path.display()))?)
            }
            None => std::env::var_os(KEY).map(|key| key.to_string_lossy().into_owned()),
        };
        text.map(|text| Key::new(&text)).transpose().map_err(anyhow::Error::msg)
    }
}

/// Resolves at SIGTERM or ctrl-c.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Resolves at ctrl-c.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
