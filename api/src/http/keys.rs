//! Who has a key? `/v1/keys`: make, list and revoke the keys of people and services, while the desk is served.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use ontology::{Audience, Audiences};
use serde::{Deserialize, Serialize};
use triage::access::{Key, NewKey, RANDOM_BYTES};
use triage::policy::Role;
use utoipa::ToSchema;

use super::app::App;
use super::extract::{Json, Operator};
use super::problem::{Problem, ProblemBody};

/// Days that a key is good for where nothing else is said.
const DAYS: u32 = 90;
/// Days that a key is good for at most: ten years.
const MOST_DAYS: u32 = 3653;

/// A key that somebody shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "mia@example.org", "roles": ["agent"], "audiences": ["staff"], "expires_days": 90}))]
pub(crate) struct KeyRequest {
    /// Who it is for: the account of a person or the name of a service, 1 to 64 letters, digits, `-`, `_`, `.` and `@`.
    name: String,
    /// `agent`, `lead`, `knowledge_manager`, `service`, `auditor`, `admin`.
    #[schema(value_type = Vec<String>, min_items = 1)]
    roles: BTreeSet<Role>,
    /// Only records of these audiences; all where it is left out. Tickets, proposals and events are for those only who see all.
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    audiences: Option<BTreeSet<Audience>>,
    /// Days that it is good for.
    #[schema(minimum = 1, maximum = 3653, default = 90)]
    expires_days: Option<u32>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyBody {
    /// Its id, which is no secret.
    pub(crate) id: String,
    /// Who it is for.
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    /// Only records of these; all where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audiences: Option<Vec<String>>,
    /// `active`, `expired`, `revoked`.
    pub(crate) state: String,
    #[schema(format = DateTime)]
    pub(crate) created: String,
    /// By whom.
    pub(crate) created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) revoked: Option<String>,
    /// What its holder shows. Only there in answer to the request that made it: no other place has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

impl KeyBody {
    /// A key as it is shown, with its secret where it is new.
    pub(crate) fn new(key: &Key, secret: Option<String>, now: Timestamp) -> Self {
        let audiences = match &key.audiences {
            Audiences::All => None,
            Audiences::Only(only) => Some(only.iter().map(|one| one.as_str().to_owned()).collect()),
        };
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            roles: key.roles.iter().map(ToString::to_string).collect(),
            audiences,
            state: key.state(now).to_owned(),
            created: key.created.to_string(),
            created_by: key.created_by.as_str().to_owned(),
            expires: key.expires.map(|at| at.to_string()),
            revoked: key.revoked.map(|at| at.to_string()),
            key: secret,
        }
    }
}

/// Random bytes of the system for a new key.
pub(crate) fn random() -> std::io::Result<[u8; RANDOM_BYTES]> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    Ok(random)
}

/// Makes a key
///
/// Its secret is in the answer and in no other place: the desk keeps a hash. From the first key on nobody is served without one, so the first
/// key of a desk that has no other way in is for an admin.
#[utoipa::path(post, path = "/v1/keys", tag = "access", request_body = KeyRequest, responses(
    (status = 201, description = "The key with its secret", body = KeyBody),
    (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, description = "Such a key cannot be", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(app): State<App>,
    Operator(caller): Operator,
    body: Json<KeyRequest>,
) -> Result<Response, Problem> {
    let KeyRequest { name, roles, audiences, expires_days } = body.value;
    let days = expires_days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let detail = format!("expires_days is {days}: give 1 to {MOST_DAYS}");
        return Err(Problem::new("invalid-request", detail));
    }
    if app.is_open() && !roles.contains(&Role::Admin) {
        let detail =
            "from the first key on nobody is served without one, so make one with the role admin first";
        return Err(Problem::new("invalid-request", detail));
    }
    let now = Timestamp::now();
    let expires = Some(now + SignedDuration::from_hours(24 * i64::from(days)));
    let audiences = audiences.map_or(Audiences::All, Audiences::Only);
    let wanted = NewKey { name, roles, audiences, expires };
    let (by, _) = caller.person();
    let random = random().map_err(|error| Problem::new("internal", error.to_string()))?;
    let work =
        move |_: &engine::Desk, _: &ontology::Scope| Ok(app.keys()?.create(wanted, &random, &by, now)?);
    let (key, secret) = caller.run(work).await?;
    let shown = KeyBody::new(&key, Some(secret.reveal()), now);
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], axum::Json(shown)).into_response())
}

/// Lists the keys, the newest first, without their secrets
#[utoipa::path(get, path = "/v1/keys", tag = "access", responses(
    (status = 200, body = Vec<KeyBody>),
    (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(Operator(caller): Operator) -> Result<axum::Json<Vec<KeyBody>>, Problem> {
    let now = Timestamp::now();
    let keys = caller.app.keys()?.list();
    Ok(axum::Json(keys.iter().map(|key| KeyBody::new(key, None, now)).collect()))
}

/// Revokes a key: it is good for nothing from the next call on
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "access", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, description = "The key as it is now", body = KeyBody),
    (status = 403, description = "The policies do not let this caller", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, description = "No such key", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Operator(caller): Operator,
    Path(id): Path<String>,
) -> Result<axum::Json<KeyBody>, Problem> {
    let now = Timestamp::now();
    let (by, _) = caller.person();
    let work = move |_: &engine::Desk, _: &ontology::Scope| Ok(app.keys()?.revoke(&id, &by, now)?);
    let key = caller.run(work).await?;
    Ok(axum::Json(KeyBody::new(&key, None, now)))
}
