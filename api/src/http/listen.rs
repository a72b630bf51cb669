//! How are connections taken, and let go? So many at once, each a limited time for a request's head; at the end those that
//! ask nothing are dropped, and requests at work and the current block of a job may finish.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::app::App;

/// Pause after a connection could not be taken, as when the process has no file handles left.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves; then what is at work may finish, for a limited time.
pub(crate) async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, stopped) = watch::channel(false);
    let router = super::router(&app);
    let taking = take(listener, router, &app, &stopped);
    tokio::select! {
        never = taking => return never,
        () = stop => {}
    }
    app.jobs.stop();
    app.wake.now();
    app.executor.wake.now();
    let _ = stopping.send(true);
    drop(stopped);
    let rest = async {
        // Each connection holds a receiver until it has ended.
        stopping.closed().await;
        app.jobs.rest().await;
        drop(app.worker.lock().await);
        drop(app.executor.held.lock().await);
    };
    if tokio::time::timeout(app.limits.shutdown, rest).await.is_err() {
        tracing::warn!("stopped while requests or a job were still at work");
    }
    app.reads.stop();
    if let Some(Err(error)) = app.workflow().ok().map(|workflow| app.reads.flush(workflow.store())) {
        tracing::error!(code = error.code(), "who read what cannot be told to the audit log: {error}");
    }
    Ok(())
}

/// Takes connections, at most so many at once; more wait in the system's queue.
async fn take(
    listener: TcpListener,
    router: Router,
    app: &App,
    stopped: &watch::Receiver<bool>,
) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(app.limits.connections));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (router, head, stopped) = (router.clone(), app.limits.head, stopped.clone());
                match app.entrance.tls.clone() {
                    None => drop(tokio::spawn(connection(stream, router, head, stopped, place))),
                    Some(tls) => drop(tokio::spawn(private(tls, stream, router, head, stopped, place))),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A connection over TLS, which has as long to greet as the head of a request has to come.
async fn private(
    tls: TlsAcceptor,
    stream: TcpStream,
    router: Router,
    head: Duration,
    mut stopped: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    let greeting = tokio::time::timeout(head, tls.accept(stream));
    let greeted = tokio::select! {
        greeted = greeting => greeted,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    match greeted {
        Ok(Ok(stream)) => connection(stream, router, head, stopped, place).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection that did not become private"),
        Err(_) => {}
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    head: Duration,
    mut stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let has_asked = AtomicBool::new(false);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        routes.call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    if has_asked.load(Ordering::Relaxed) {
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }
}
