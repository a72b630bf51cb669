//! May a request be sent twice? The Idempotency-Key of a bundle, one request at a time under each.

use std::sync::PoisonError;

use axum::http::HeaderMap;
use ontology::Scope;

use super::super::app::App;
use super::super::problem::Problem;

/// Longest Idempotency-Key.
const KEY_BYTES: usize = 255;

/// The key of a request, if it has one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > KEY_BYTES {
        let detail =
            format!("Idempotency-Key is 1 to {KEY_BYTES} visible ASCII characters, for instance a UUID");
        return Err(Problem::new("invalid-header", detail));
    }
    Ok(Some(format!("bundles {text}")))
}

/// The problem of a key that another request has.
pub(super) fn reused(key: &str) -> Problem {
    let key = key.split_once(' ').map_or(key, |(_, key)| key);
    let detail = format!("the Idempotency-Key {key} was used for another request: take a new one");
    Problem::new("idempotency-key-reused", detail)
}

/// Tells requests under one key apart: FNV-1a, 128 bits, of the scope and the body (draft-eastlake-fnv). Not a secure
/// hash and need not be one: what a key gives back are ids, which are read again in the caller's own scope.
pub(super) fn digest(scope: &Scope, body: &[u8]) -> [u8; 16] {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let scope = serde_json::to_vec(scope).unwrap_or_default();
    let bytes = scope.iter().chain(&[0]).chain(body);
    bytes.fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME)).to_be_bytes()
}

/// The right to work under a key, until it is dropped: of two requests at once the second is told to come back.
pub(super) struct Turn {
    app: App,
    pub(super) key: String,
}

impl Turn {
    pub(super) fn take(app: &App, key: String) -> Result<Self, Problem> {
        let mut at_work = app.keys_at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if !at_work.insert(key.clone()) {
            let detail = "the first request with this Idempotency-Key is still at work: try again";
            return Err(Problem::new("idempotency-key-in-use", detail));
        }
        Ok(Self { app: app.clone(), key })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.keys_at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
