//! Which requests are let in? The key, the host and origin where there is no key, the number at once, the time each may take.

use std::hint::black_box;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use super::app::App;
use super::problem::Problem;

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
    fn opens(&self, offered: &str) -> bool {
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

/// Lets in who shows the key. Without a key only this machine is served, and no page of another site.
pub(crate) async fn door(State(app): State<App>, request: Request, next: Next) -> Response {
    let checked = match &app.key {
        Some(key) => check_key(key, request.headers()),
        None => check_neighbour(request.headers()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
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

fn check_key(key: &Key, headers: &HeaderMap) -> Result<(), Problem> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let offered = header.and_then(|value| value.split_once(' '));
    match offered {
        Some((scheme, offered)) if scheme.eq_ignore_ascii_case("bearer") && key.opens(offered.trim()) => {
            Ok(())
        }
        _ => Err(Problem::new("unauthorized", "send the key of this server as `Authorization: Bearer KEY`")),
    }
}

/// A page in a browser on this machine can reach a loopback address: by a name of its own that resolves to it (the host
/// tells), or by a plain form (the origin tells).
fn check_neighbour(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or_default();
    let name = host.strip_prefix('[').map_or_else(
        || host.rsplit_once(':').map_or(host, |(name, _)| name),
        |rest| rest.split(']').next().unwrap_or_default(),
    );
    let is_loopback =
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !is_loopback {
        let detail = format!("this server has no key and answers to localhost only, not to {host:?}");
        return Err(Problem::new("wrong-host", detail));
    }
    match headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) if origin.split_once("://").is_none_or(|(_, place)| place != host) => Err(Problem::new(
            "cross-origin",
            "this server has no key and does not answer pages of other sites",
        )),
        _ => Ok(()),
    }
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

    #[test]
    fn without_a_key_only_this_machine_is_served() {
        let check = |host: &'static str, origin: Option<&'static str>, expected: Result<(), &str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            let found = check_neighbour(&headers).map_err(|problem| problem.code);
            assert_eq!(found, expected, "{host} {origin:?}");
        };
        check("localhost:7878", None, Ok(()));
        check("127.0.0.1", Some("http://127.0.0.1"), Ok(()));
        check("[::1]:7878", Some("http://[::1]:7878"), Ok(()));
        check("desk.example:7878", None, Err("wrong-host"));
        check("127.0.0.1.example", None, Err("wrong-host"));
        check("localhost:7878", Some("https://evil.example"), Err("cross-origin"));
        check("localhost:7878", Some("null"), Err("cross-origin"));
    }
}
