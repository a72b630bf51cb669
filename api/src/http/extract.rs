//! Who calls, and with what? The caller's scope, the body as JSON, the id in the path, each refused with a problem.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use engine::Desk;
use ontology::{Audience, Audiences, Scope};
use serde::de::DeserializeOwned;
use triage::access::Grant;
use triage::policy::{PersonId, Role};

use super::app::App;
use super::guard::Place;
use super::problem::Problem;
use super::reads::Shown;

/// The header that narrows what a request sees.
pub(crate) const AUDIENCE: &str = "x-triagraph-audience";

/// Who calls: what the door let in, and the scope that the server was started with, narrowed to the audiences of the caller's key and of the
/// header `X-Triagraph-Audience` where there are any. Neither a query parameter nor a body widens it.
pub(crate) struct Caller {
    pub(crate) app: App,
    pub(crate) grant: Grant,
    pub(crate) scope: Scope,
    /// What goes out to it, for the audit log.
    pub(crate) shown: Shown,
    place: Option<Place>,
}

impl Caller {
    /// Runs work of the engine on a thread where it may block; its panic is a problem of this request only.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Desk, &Scope) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let desk = std::sync::Arc::clone(self.app.desk()?);
        let span = tracing::Span::current();
        let work = move || {
            let _entered = span.enter();
            let _place = self.place;
            work(&desk, &self.scope)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Problem::bug()))
    }
}

impl Caller {
    /// Who rules on proposals, and as what.
    pub(crate) fn person(&self) -> (PersonId, BTreeSet<Role>) {
        (self.grant.person.clone(), self.grant.roles.clone())
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let grant = parts.extensions.get::<Grant>().cloned().ok_or_else(Problem::bug)?;
        let granted = match &grant.audiences {
            Audiences::All => None,
            Audiences::Only(only) => Some(only.iter().cloned().collect()),
        };
        let scope = narrowed(&narrowed(&app.scope, granted), audiences(&parts.headers)?);
        let shown = parts.extensions.get::<Shown>().cloned().unwrap_or_default();
        Ok(Self { app: app.clone(), grant, scope, shown, place: parts.extensions.get::<Place>().cloned() })
    }
}

/// What a caller sees of what the server shows at all.
fn narrowed(shown: &Scope, asked: Option<Vec<Audience>>) -> Scope {
    let Some(asked) = asked else { return shown.clone() };
    let may = |audience: &Audience| match &shown.audiences {
        Audiences::All => true,
        Audiences::Only(shown) => shown.contains(audience),
    };
    Scope::of(shown.tenant.clone(), asked.into_iter().filter(may))
}

/// A caller who sees all of the desk: what is written, and counts over everything, are not for a narrowed one.
pub(crate) struct Operator(pub(crate) Caller);

impl FromRequestParts<App> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.scope.audiences == Audiences::All {
            return Ok(Self(caller));
        }
        let detail = if app.scope.audiences != Audiences::All {
            "this is for those who see all records, and this server was started with --audience: nobody does"
        } else if caller.grant.audiences != Audiences::All {
            "this is for those who see all records, and your key is for some audiences only: ask an admin for another"
        } else {
            "this is for those who see all records: send it without the header X-Triagraph-Audience"
        };
        Err(Problem::new("operator-only", detail))
    }
}

/// Two lines could come from two hands, a proxy and a caller, and reading them as one list would widen either.
fn audiences(headers: &HeaderMap) -> Result<Option<Vec<Audience>>, Problem> {
    let invalid = |why: String| Problem::new("invalid-header", format!("X-Triagraph-Audience: {why}"));
    let mut lines = headers.get_all(AUDIENCE).into_iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(invalid("send it once, with the audiences separated by commas".to_owned()));
    }
    let text = line.to_str().map_err(|error| invalid(error.to_string()))?;
    let read =
        text.split(',').map(|name| Audience::new(name.trim()).map_err(|error| invalid(error.to_string())));
    read.collect::<Result<_, _>>().map(Some)
}

/// A body of JSON, with its bytes.
pub(crate) struct Json<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = media_type(request.headers());
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            let detail = format!("send JSON with `Content-Type: application/json`, not {kind:?}");
            return Err(Problem::new("unsupported-media-type", detail));
        }
        let bytes = body(request, app).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            let code = if error.is_data() { "invalid-request" } else { "invalid-json" };
            Problem::new(code, format!("the body cannot be read: {error}"))
        })?;
        Ok(Self { value, bytes })
    }
}

/// The bytes of a body within the limit.
pub(crate) async fn body(request: Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app).await.map_err(|rejection| {
        if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            let limit = app.limits.body_bytes;
            return Problem::new(
                "too-large",
                format!("the body has more than {limit} bytes: send it in parts"),
            );
        }
        Problem::new("invalid-json", format!("the body cannot be read: {}", rejection.body_text()))
    })
}

/// The media type of a body, without parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
