//! Which requests are let in? Who shows what the entrance asks for and may do this, so often a caller, so many at once, each for a time.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use triage::access::Grant;
use triage::policy::Action;

use super::app::App;
use super::observe::RequestId;
use super::problem::Problem;
use super::reads::Shown;
use super::{entrance, rights};

/// Shortest key, in bytes: 128 bits as hexadecimal digits have 32.
pub(crate) const KEY_BYTES: usize = 24;

/// The secret that callers show.
pub(crate) struct Key(String);

impl Key {
    /// Takes a key; white space around it is dropped.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < KEY_BYTES {
            return Err(format!(
                "the key has {} characters, at least {KEY_BYTES} are asked for: make one with `openssl rand -hex 16`",
                text.len()
            ));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "the key may hold only visible ASCII characters: make one with `openssl rand -hex 16`"
                    .to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// Compares in a time that depends on the offered text only, never on where the two differ.
    pub(super) fn opens(&self, offered: &str) -> bool {
        let own = self.0.as_bytes();
        let differing =
            offered.bytes().enumerate().fold(offered.len() ^ own.len(), |differing, (index, byte)| {
                black_box(differing | usize::from(byte ^ own[index % own.len()]))
            });
        differing == 0
    }
}

/// The place of a request among those at work. Work on other threads keeps it for as long as it lasts, even when the
/// caller has long been told that time is up.
#[derive(Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>);

/// Lets in who shows what the entrance asks for, does not ask too often, and may do this; handlers find the [`Grant`] with the request.
pub(crate) async fn door(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let action = rights::action(request.method(), &route).unwrap_or(Action::Operate);
    match admitted(&app, request.headers().clone(), &route, action).await {
        Ok(grant) => {
            let (person, shown) = (grant.person.clone(), Shown::default());
            let id = request.extensions().get::<RequestId>().cloned();
            request.extensions_mut().insert(grant);
            request.extensions_mut().insert(shown.clone());
            let response = next.run(request).await;
            for entry in shown.entries(&person, &route) {
                app.reads.take(entry, id.as_ref().map(|id| id.0.as_str()), Timestamp::now());
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(app: &App, headers: HeaderMap, route: &str, action: Action) -> Result<Grant, Problem> {
    // Asked first: who comes while keys and policies are not there is not served by what opens meanwhile.
    let workflow = app.workflow();
    let grant = entrance::admitted(app, &headers).await?;
    tracing::Span::current().record("caller", grant.person.as_str());
    // Whoever runs the desk sets the rate and is not held to it.
    if grant.key.is_some() || grant.until.is_some() {
        app.rates.take(app.limits.rate, &grant.person, Instant::now())?;
    }
    match workflow {
        Ok(workflow) => rights::check(workflow, &grant, action).await?,
        // What the process itself counts is there from the start.
        Err(_) if route == "/metrics" => {}
        Err(problem) => return Err(problem),
    }
    Ok(grant)
}

/// Turns requests away when too many are at work, and stops waiting for one after its time.
pub(crate) async fn share(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Ok(permit) = Arc::clone(&app.requests).try_acquire_owned() else {
        let detail = format!("{} requests are at work, which is the limit: try again", app.limits.in_flight);
        return Problem::new("overloaded", detail).into_response();
    };
    request.extensions_mut().insert(Place(Arc::new(permit)));
    tokio::time::timeout(app.limits.request, next.run(request)).await.unwrap_or_else(|_| {
        let detail = format!("this took longer than {} ms: narrow it", app.limits.request.as_millis());
        Problem::new("timeout", detail).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_opens() {
        let key = Key::new(" 0123456789abcdef0123456789abcdef\n").unwrap();
        assert!(key.opens("0123456789abcdef0123456789abcdef"));
        for wrong in [
            "",
            "0",
            "0123456789abcdef0123456789abcdeF",
            "0123456789abcdef",
            "0123456789abcdef0123456789abcdef0",
        ] {
            assert!(!key.opens(wrong), "{wrong}");
        }
        let repeated = "0123456789abcdef0123456789abcdef".repeat(2);
        assert!(!key.opens(&repeated));
        assert!(Key::new("short").is_err());
        assert!(Key::new("with a space, though it is long enough").is_err());
    }
}
