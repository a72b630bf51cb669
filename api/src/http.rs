//! What is served over HTTP? The routes, the layers around them, and the way to start and stop.
//!
//! A request goes through [`observe`] (id, log, metrics, problems) → [`guard`] (who: [`entrance`]; how often: [`rates`]; whether it may:
//! [`rights`]; load, time) → [`extract`] (scope, body) → a handler, which asks the engine on a thread that may block.

mod agents;
mod app;
mod audit;
mod bundles;
mod bursts;
mod desk;
mod document;
mod entrance;
mod events;
mod executor;
mod extract;
mod feedback;
mod files;
mod forecast;
mod guard;
mod hidden;
mod intake;
mod jobs;
mod keys;
mod listen;
mod metrics;
mod models;
mod observe;
mod oidc;
mod overview;
mod problem;
mod proposals;
mod rates;
mod reads;
mod records;
mod registry;
mod rights;
mod schema;
mod search;
mod sparql;
mod stream;
#[cfg(test)]
mod tests;
mod tickets;
mod tls;
mod training;
mod triage;
mod wire;
mod wording;
mod worker;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use document::{Document, Surroundings};

pub(crate) use app::{App, Limits};
pub(crate) use entrance::Entrance;
pub(crate) use executor::Secret;
pub(crate) use guard::Key;
pub(crate) use keys::{KeyBody, random};
pub(crate) use listen::serve;
pub(crate) use oidc::{OidcSettings, Provider};
pub(crate) use tls::acceptor;
pub(crate) use wording::Wording;

/// All routes and layers.
pub(crate) fn router(app: &App) -> Router {
    let counts = OpenApiRouter::new()
        .routes(routes!(metrics::metrics))
        .layer(from_fn_with_state(app.clone(), guard::door));
    let asked = asked()
        .layer(from_fn_with_state(app.clone(), guard::share))
        .layer(from_fn_with_state(app.clone(), guard::door));
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(overview::live))
        .routes(routes!(overview::ready))
        .merge(counts)
        .merge(asked)
        .split_for_parts();
    Surroundings.modify(&mut document);
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
        .routes(routes!(triage::make))
        .routes(routes!(events::take))
        .routes(routes!(events::alerts))
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::show))
        .routes(routes!(hidden::show))
        .routes(routes!(feedback::override_ticket))
        .routes(routes!(feedback::list))
        .routes(routes!(agents::list))
        .routes(routes!(tickets::dead_letters))
        .routes(routes!(tickets::retry))
        .routes(routes!(bursts::list))
        .routes(routes!(bursts::show))
        .routes(routes!(bursts::answer))
        .routes(routes!(forecast::show))
        .routes(routes!(proposals::list))
        .routes(routes!(proposals::show))
        .routes(routes!(proposals::rule))
        .routes(routes!(proposals::switch, proposals::set_switch))
        .routes(routes!(executor::show))
        .routes(routes!(models::list))
        .routes(routes!(training::train))
        .routes(routes!(models::promote))
        .routes(routes!(models::roll_back))
        .routes(routes!(registry::promote))
        .routes(routes!(registry::roll_back))
        .routes(routes!(stream::follow))
        .routes(routes!(audit::checkpoint))
        .routes(routes!(audit::entries))
        .routes(routes!(audit::inclusion))
        .routes(routes!(audit::consistency))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(bundles::make))
        .routes(routes!(bundles::show))
        .routes(routes!(bundles::replay))
        .routes(routes!(bundles::diff))
        .routes(routes!(bundles::prompt))
        .routes(routes!(records::write))
        .routes(routes!(files::take))
        .routes(routes!(records::show, records::delete))
        .routes(routes!(records::neighbours))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(desk::show))
        .routes(routes!(overview::articles))
        .routes(routes!(overview::status))
        .routes(routes!(overview::verify))
        .routes(routes!(sparql::get, sparql::post))
}

/// A panic in a handler; one on an engine's thread is caught where it is waited for.
fn panicked(_payload: Box<dyn std::any::Any + Send>) -> Response {
    problem::Problem::bug().into_response()
}
