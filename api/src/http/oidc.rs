//! Whose token is this? JSON web tokens of one OpenID Connect provider, checked against its published keys.
//!
//! The provider is asked for its keys when the first token comes, again after an hour, and at once when a token names a key that is not
//! known yet, though never more often than every ten seconds: nobody can make this server knock at another one's door by sending nonsense.
//! While the provider cannot be reached its known keys hold on for a day.

mod claims;
mod ring_keys;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use triage::access::Grant;

use super::problem::Problem;

/// Signatures that are taken: those with a public key only, so that nobody signs with what the provider publishes.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Seconds by which the clocks of provider and server may differ.
const LEEWAY: u64 = 30;
/// How long keys are good before they are asked for again.
const FRESH: Duration = Duration::from_secs(3600);
/// How long they are good while the provider cannot be reached.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Shortest time between two questions to the provider.
const PAUSE: Duration = Duration::from_secs(10);
/// Longest wait for an answer of the provider.
const WAIT: Duration = Duration::from_secs(5);
/// Bytes of an answer of the provider at most.
const ANSWER_BYTES: u64 = 1024 * 1024;

/// Which provider, and what its tokens must say.
#[derive(Debug, Clone)]
pub(crate) struct OidcSettings {
    /// Address of the provider, as its tokens name it.
    pub(crate) issuer: String,
    /// What tokens for this desk name as their audience.
    pub(crate) audience: String,
    /// The claim with the roles; a path of names with dots between them where it lies deeper.
    pub(crate) roles_claim: String,
    /// The claim with the audiences of records that the caller sees; all where there is none.
    pub(crate) audiences_claim: Option<String>,
}

/// One provider, with its keys.
pub(crate) struct Provider {
    settings: OidcSettings,
    known: Arc<RwLock<Known>>,
    /// Held by who asks the provider, until it has answered.
    asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Known {
    keys: BTreeMap<String, Arc<PublicKey>>,
    /// When they came.
    since: Option<Instant>,
    /// When the provider was asked the last time.
    asked: Option<Instant>,
}

struct PublicKey {
    key: DecodingKey,
    /// The algorithm that the provider says it is for.
    algorithm: Option<String>,
}

/// What a provider says of itself, as far as it matters here.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Provider {
    /// A provider that is not asked yet.
    ///
    /// # Errors
    /// Where its address is not one that tokens can be trusted from.
    pub(crate) fn new(settings: OidcSettings) -> Result<Self, String> {
        check_address(&settings.issuer)?;
        // It may have been set by another server of this process.
        let _ = ring_keys::PROVIDER.install_default();
        Ok(Self { settings, known: Arc::default(), asking: Arc::default() })
    }

    /// Whether some text looks like a token.
    pub(crate) fn is_meant(offered: &str) -> bool {
        offered.split('.').count() == 3
    }

    /// Lets in who shows a token of the provider.
    pub(crate) async fn admit(&self, token: &str) -> Result<Grant, Problem> {
        let header = decode_header(token).map_err(|error| refused(&error))?;
        let kid = header.kid.unwrap_or_default();
        if !ALGORITHMS.contains(&header.alg) {
            return Err(unauthorized(&format!("{:?} is no signature with a public key", header.alg)));
        }
        let key = self.key(&kid).await?;
        if key.algorithm.as_ref().is_some_and(|named| *named != format!("{:?}", header.alg)) {
            return Err(unauthorized("its key is for another algorithm"));
        }
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let read =
            decode::<Map<String, Value>>(token, &key.key, &validation).map_err(|error| refused(&error))?;
        claims::grant(&read.claims, &self.settings).map_err(|why| unauthorized(&why))
    }

    /// The key of a name; the provider is asked where it is not known, or long known.
    async fn key(&self, kid: &str) -> Result<Arc<PublicKey>, Problem> {
        if let Some(key) = self.known_key(kid, FRESH) {
            return Ok(key);
        }
        let turn = match Arc::clone(&self.asking).try_lock_owned() {
            Ok(turn) => turn,
            // Another asks: what is known holds meanwhile.
            Err(_) => match self.known_key(kid, STALE) {
                Some(key) => return Ok(key),
                None => Arc::clone(&self.asking).lock_owned().await,
            },
        };
        // Another may have asked meanwhile.
        if let Some(key) = self.known_key(kid, FRESH) {
            return Ok(key);
        }
        let is_due = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.asked.is_none_or(|asked| asked.elapsed() >= PAUSE)
        };
        let mut failure = None;
        if is_due {
            let (known, issuer) = (Arc::clone(&self.known), self.settings.issuer.clone());
            // A caller who hangs up takes neither the turn nor the answer along.
            let ask = move || {
                let _turn = turn;
                let fetched = fetch_keys(&issuer);
                let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                known.asked = Some(Instant::now());
                let keys = fetched.inspect_err(|why| {
                    tracing::warn!(issuer, "the identity provider gave no keys: {why}");
                })?;
                (known.keys, known.since) = (keys, Some(Instant::now()));
                Ok::<(), String>(())
            };
            let asked = tokio::task::spawn_blocking(ask).await;
            failure = asked.unwrap_or_else(|_| Err("the question broke".to_owned())).err();
        }
        if let Some(key) = self.known_key(kid, STALE) {
            return Ok(key);
        }
        let has_keys = self.known.read().unwrap_or_else(PoisonError::into_inner).since.is_some();
        if has_keys && failure.is_none() {
            return Err(unauthorized("its key is not one that the provider publishes"));
        }
        Err(Problem::new(
            "provider-unreachable",
            "the identity provider cannot be reached: try again, or use a key",
        ))
    }

    fn known_key(&self, kid: &str, longest: Duration) -> Option<Arc<PublicKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_good = known.since.is_some_and(|since| since.elapsed() < longest);
        let sole = || known.keys.values().next().filter(|_| kid.is_empty() && known.keys.len() == 1);
        known.keys.get(kid).or_else(sole).filter(|_| is_good).cloned()
    }
}

/// An address that nobody on the way can answer for: over TLS, or on this machine.
pub(super) fn check_address(address: &str) -> Result<(), String> {
    let is_tls = address.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
    let is_here = |host: &str| {
        let rest = address.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    };
    if is_tls || is_here("127.0.0.1") || is_here("localhost") || is_here("[::1]") {
        return Ok(());
    }
    Err(format!("{address} is no address of an identity provider: it begins with https://"))
}

fn fetch_keys(issuer: &str) -> Result<BTreeMap<String, Arc<PublicKey>>, String> {
    let said = |url: &str| models::fetch(url, ANSWER_BYTES, WAIT).map_err(|error| error.to_string());
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let discovery: Discovery =
        serde_json::from_slice(&said(&url)?).map_err(|error| format!("{url}: {error}"))?;
    if discovery.issuer != issuer {
        return Err(format!(
            "it calls itself {}, not {issuer}: give its address as it does",
            discovery.issuer
        ));
    }
    check_address(&discovery.jwks_uri)?;
    let set: JwkSet = serde_json::from_slice(&said(&discovery.jwks_uri)?)
        .map_err(|error| format!("{}: {error}", discovery.jwks_uri))?;
    Ok(set.keys.iter().filter_map(public_key).collect())
}

/// A key that signatures can be checked with, by its name.
fn public_key(jwk: &Jwk) -> Option<(String, Arc<PublicKey>)> {
    let common = &jwk.common;
    if common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let algorithm = common.key_algorithm.map(|algorithm| format!("{algorithm:?}"));
    Some((common.key_id.clone().unwrap_or_default(), Arc::new(PublicKey { key, algorithm })))
}

fn refused(error: &jsonwebtoken::errors::Error) -> Problem {
    unauthorized(&error.to_string())
}

fn unauthorized(why: &str) -> Problem {
    Problem::new(
        "unauthorized",
        format!("this token is not good ({why}): get a new one from the identity provider"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_tls_or_on_this_machine() {
        let check =
            |address: &str, is_good: bool| assert_eq!(check_address(address).is_ok(), is_good, "{address}");
        check("https://id.example.org/realms/desk", true);
        check("http://127.0.0.1:4000", true);
        check("http://localhost", true);
        check("http://[::1]:80/a", true);
        check("http://id.example.org", false);
        check("http://127.0.0.1.example.org", false);
        check("http://localhost@example.org", false);
        check("https://", false);
        check("ftp://example.org", false);
    }
}
