//! Who comes in, and by what? A key of the desk, the key that the server was started with, a token of an identity provider; and where there
//! is none of them, whoever sits at this machine.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use jiff::Timestamp;
use tokio_rustls::TlsAcceptor;
use triage::access::{Grant, Secret};

use super::app::App;
use super::guard::Key;
use super::oidc::Provider;
use super::problem::Problem;

/// What lets callers in, beside the keys of the desk.
pub(crate) struct Entrance {
    /// The key that the server was started with: whoever has it runs the desk.
    pub(crate) key: Option<Key>,
    /// Whose tokens let people in.
    pub(crate) provider: Option<Provider>,
    /// What makes connections private.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whether only this machine can reach the server.
    pub(crate) is_local: bool,
}

impl App {
    /// Whether this machine comes in without a key: as long as there never was any way in that asks for one.
    pub(crate) fn is_open(&self) -> bool {
        self.entrance.is_local && !self.is_guarded()
    }

    /// Whether there is a way in for those who show something.
    pub(crate) fn is_guarded(&self) -> bool {
        self.entrance.key.is_some()
            || self.entrance.provider.is_some()
            || self.keys().is_ok_and(|keys| keys.has_any())
    }

    /// Whether what somebody came in with is still good, for calls that last.
    pub(crate) fn is_good(&self, grant: &Grant, now: Timestamp) -> bool {
        let is_in_time = grant.until.is_none_or(|until| now < until);
        let is_kept = match &grant.key {
            Some(id) => self.keys().is_ok_and(|keys| keys.is_good(id, now)),
            None => grant.until.is_some() || self.entrance.key.is_some() || self.is_open(),
        };
        is_in_time && is_kept
    }
}

/// Lets a caller in.
pub(crate) async fn admitted(app: &App, headers: &HeaderMap) -> Result<Grant, Problem> {
    if app.is_open() {
        check_neighbour(headers)?;
        return Ok(Grant::operator());
    }
    let offered = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    let unauthorized =
        || Problem::new("unauthorized", "send a key of this desk as `Authorization: Bearer KEY`");
    let offered = offered.ok_or_else(unauthorized)?;
    if app.entrance.key.as_ref().is_some_and(|key| key.opens(offered)) {
        return Ok(Grant::operator());
    }
    if Secret::is_meant(offered) {
        return Ok(app.keys()?.admit(offered, Timestamp::now())?);
    }
    match &app.entrance.provider {
        Some(provider) if Provider::is_meant(offered) => provider.admit(offered).await,
        _ => Err(unauthorized()),
    }
}

/// What stands behind `Bearer`.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, offered) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(offered.trim())
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
