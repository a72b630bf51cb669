//! What is served over HTTP? The routes, the layers around them, and the way to start and stop.
//!
//! A request goes through [`observe`] (id, log, metrics, problems) → [`guard`] (key, load, time) → [`extract`] (scope, body)
//! → a handler, which asks the engine on a thread that may block. Every caller is the operator, narrowed where it says so;
//! there are no other roles yet.

mod app;
mod bundles;
mod extract;
mod guard;
mod jobs;
mod metrics;
mod observe;
mod overview;
mod problem;
mod records;
mod schema;
mod search;
mod sparql;
#[cfg(test)]
mod tests;

use std::future::Future;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, SecurityRequirement};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

pub(crate) use app::{App, Limits};
pub(crate) use guard::Key;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Triagraph",
        description = "Tickets, runbooks, articles and CMDB records as a knowledge graph; search, context bundles and triage over them. Every error is a problem of RFC 9457 with a stable `code`.",
    ),
    tags(
        (name = "search", description = "Find records and related tickets"),
        (name = "bundles", description = "Context for an agent, with its sources"),
        (name = "records", description = "What is in the desk"),
        (name = "jobs", description = "What takes longer than a request"),
        (name = "graph", description = "SPARQL"),
        (name = "operation", description = "Health, metrics, verification"),
    ),
    modifiers(&BearerKey)
)]
struct Document;

struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The key that the server was started with; without one it serves this machine only.",
            ))
            .build();
        document.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
        document.security = Some(vec![SecurityRequirement::new::<_, _, String>("key", [])]);
    }
}

/// All routes and layers.
pub(crate) fn router(app: &App) -> Router {
    let counts = OpenApiRouter::new()
        .routes(routes!(metrics::metrics))
        .layer(from_fn_with_state(app.clone(), guard::door));
    let asked = asked()
        .layer(from_fn_with_state(app.clone(), guard::share))
        .layer(from_fn_with_state(app.clone(), guard::door));
    let (routes, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(overview::live))
        .routes(routes!(overview::ready))
        .merge(counts)
        .merge(asked)
        .split_for_parts();
    routes
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .layer(DefaultBodyLimit::max(app.limits.body_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .with_state(app.clone())
}

/// The routes that ask the engine: they take a share of it, for a limited time.
fn asked() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search::search))
        .routes(routes!(search::related))
        .routes(routes!(bundles::make))
        .routes(routes!(bundles::show))
        .routes(routes!(bundles::replay))
        .routes(routes!(bundles::diff))
        .routes(routes!(bundles::prompt))
        .routes(routes!(records::write))
        .routes(routes!(records::show, records::delete))
        .routes(routes!(records::neighbours))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(overview::articles))
        .routes(routes!(overview::status))
        .routes(routes!(overview::verify))
        .routes(routes!(sparql::get, sparql::post))
}

/// A panic in a handler; one on an engine's thread is caught where it is waited for.
fn panicked(_payload: Box<dyn std::any::Any + Send>) -> Response {
    problem::Problem::bug().into_response()
}

/// Serves until `stop` resolves; then requests at work and the current block of a job may finish, for a limited time.
pub(crate) async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let jobs = app.clone();
    let stop = async move {
        stop.await;
        jobs.jobs.stop();
        let _ = stopping.send(());
    };
    let server = axum::serve(listener, router(&app)).with_graceful_shutdown(stop).into_future();
    let worker = app.clone();
    let served = async move {
        let served = server.await;
        worker.jobs.rest().await;
        served
    };
    let grace = app.limits.shutdown;
    let late = async move {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = served => served,
        () = late => {
            tracing::warn!("stopped while requests or a job were still at work");
            Ok(())
        }
    }
}
