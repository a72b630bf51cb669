//! What context does an agent get? `/v1/bundles`: make one or many, get, ask again, compare, and as text for a prompt.

mod idempotency;

use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::{Bundle, BundleDifference, BundleRequest, Desk, Filters, Replayed};
use jiff::Timestamp;
use ontology::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Caller, Json};
use super::problem::{Problem, ProblemBody};
use super::wire::Asked;
use super::{schema, search};

use idempotency::{Turn, digest, idempotency_key, reused};

/// Requests in one batch.
const BATCH: usize = 50;
/// Records looked at for one bundle.
const RECORDS: usize = 100;
/// The log position that a new bundle was made at; a bundle that was made before keeps the one it was first made at.
const GENERATION: HeaderName = HeaderName::from_static("x-triagraph-generation");

/// What a bundle is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BundleRequest, example = json!({
    "about": {"text": "checkout fails with error ORA-12541 since this morning"},
    "budget_tokens": 2000, "deadline_millis": 800
}))]
pub(crate) struct BundleAsk {
    #[schema(value_type = schema::Subject)]
    about: Asked,
    #[serde(default)]
    #[schema(value_type = Option<schema::Filters>)]
    filters: Filters,
    /// Tokens that its passages may take together.
    #[schema(minimum = 200, maximum = 100_000, default = 3000)]
    budget_tokens: Option<u32>,
    /// Records looked at, at most.
    #[schema(minimum = 1, maximum = 100, default = 12)]
    limit: Option<usize>,
    /// As of what was known at a moment.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    /// Milliseconds from the start; legs that are not ready by then are left out and named in `degraded`.
    deadline_millis: Option<u64>,
    /// The log position that the answer must show at least.
    minimum_generation: Option<u64>,
}

/// One request, or up to 50 of them.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "says in the schema what `read` takes")]
#[expect(clippy::large_enum_variant, reason = "made once a request, and never kept")]
pub(crate) enum BundleAsks {
    One(BundleAsk),
    Many(Vec<BundleAsk>),
}

/// A bundle, or in answer to a list one outcome for each request, in their order.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "says in the schema what `make` gives")]
#[expect(clippy::large_enum_variant, reason = "made once a request, and never kept")]
pub(crate) enum BundleAnswers {
    One(schema::Bundle),
    Many(Vec<BundleOutcome>),
}

/// One outcome of a batch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BundleOutcome {
    /// The bundle.
    Bundle(schema::Bundle),
    /// Why there is none.
    Problem(ProblemBody),
}

/// A bundle asked for again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replay)]
pub(crate) struct Replay {
    /// The answer now; it is not stored.
    #[schema(value_type = schema::Bundle)]
    bundle: Bundle,
    #[schema(value_type = schema::BundleDifference)]
    difference: BundleDifference,
}

/// Makes a context bundle, or one for each request of a list
///
/// The same request on the same data gives the same bundle, with the same id. With an `Idempotency-Key` a repeated request
/// gets what the first one got, whatever was written since.
#[utoipa::path(post, path = "/v1/bundles", tag = "bundles", request_body = BundleAsks,
    params(
        ("idempotency-key" = Option<String>, Header, description = "Names this request, so that it can be repeated safely"),
        ("x-triagraph-audience" = Option<String>, Header, description = "Narrows what is seen to these audiences, separated by commas"),
    ),
    responses(
        (status = 201, description = "The bundle; `Location` says where it is kept", body = schema::Bundle),
        (status = 200, description = "In answer to a list: the outcomes", body = BundleAnswers),
        (status = 404, description = "No such record", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The desk has not come as far as asked, or the first request with this key is still at work", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The request is not as described, or its key was used for another one", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn make(
    caller: Caller,
    headers: HeaderMap,
    body: Json<serde_json::Value>,
) -> Result<Response, Problem> {
    let is_batch = body.value.is_array();
    let asked = read(body.value)?;
    let key = idempotency_key(&headers)?;
    let turn = key.map(|key| Turn::take(&caller.app, key)).transpose()?;
    let digest = digest(&caller.scope, &body.bytes);
    let shown = caller.shown.clone();
    let work = move |desk: &Desk, scope: &Scope| {
        let made = match &turn {
            None => all(desk, scope, &asked),
            Some(turn) => match desk.idempotent(&turn.key, &digest)? {
                Replayed::Same(kept) => serde_json::from_slice(&kept).map_err(|_error| Problem::bug())?,
                Replayed::Conflict => return Err(reused(&turn.key)),
                Replayed::New => {
                    let made = all(desk, scope, &asked);
                    if made.iter().all(|made| matches!(made, Made::Bundle { .. })) {
                        let kept = serde_json::to_vec(&made).map_err(|_error| Problem::bug())?;
                        desk.remember(&turn.key, &digest, &kept, Timestamp::now())?;
                    }
                    made
                }
            },
        };
        for one in &made {
            if let Made::Bundle { id, .. } = one {
                shown.detail("bundle", id);
            }
        }
        respond(desk, scope, made, is_batch)
    };
    caller.run(work).await
}

/// What came of one request. This is what an Idempotency-Key keeps: ids, so that purged text stays purged.
#[derive(Debug, Serialize, Deserialize)]
enum Made {
    Bundle {
        id: String,
        generation: u64,
    },
    #[serde(skip)]
    Problem(Problem),
}

fn all(desk: &Desk, scope: &Scope, asked: &[BundleRequest]) -> Vec<Made> {
    let one = |request| match desk.bundle(scope, request, Timestamp::now()) {
        Ok(bundle) => Made::Bundle { id: bundle.id, generation: bundle.generation },
        Err(error) => Made::Problem(error.into()),
    };
    asked.iter().map(one).collect()
}

fn respond(desk: &Desk, scope: &Scope, made: Vec<Made>, is_batch: bool) -> Result<Response, Problem> {
    if !is_batch {
        return match made.into_iter().next() {
            Some(Made::Bundle { id, generation }) => {
                let headers = [
                    (CONTENT_TYPE, "application/json".to_owned()),
                    (LOCATION, format!("/v1/bundles/{id}")),
                    (GENERATION, generation.to_string()),
                ];
                Ok((StatusCode::CREATED, headers, stored(desk, scope, &id)?).into_response())
            }
            Some(Made::Problem(problem)) => Err(problem),
            None => Err(Problem::bug()),
        };
    }
    let mut bytes = b"[".to_vec();
    for one in made {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        let (name, value) = match one {
            Made::Bundle { id, .. } => ("bundle", stored(desk, scope, &id)?),
            Made::Problem(problem) => {
                ("problem", serde_json::to_vec(&problem.body(None)).map_err(|_error| Problem::bug())?)
            }
        };
        bytes.extend_from_slice(format!("{{\"{name}\":").as_bytes());
        bytes.extend_from_slice(&value);
        bytes.push(b'}');
    }
    bytes.push(b']');
    Ok(json(bytes))
}

/// Gets a bundle as it was handed out, byte by byte
#[utoipa::path(get, path = "/v1/bundles/{id}", tag = "bundles", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = schema::Bundle),
    (status = 404, description = "No such bundle for this caller", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let shown = caller.shown.clone();
    caller
        .run(move |desk, scope| {
            let bundle = stored(desk, scope, &id)?;
            shown.detail("bundle", &id);
            Ok(json(bundle))
        })
        .await
}

/// Asks a bundle's request again now and shows the difference
#[utoipa::path(post, path = "/v1/bundles/{id}/replay", tag = "bundles", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = Replay),
    (status = 404, description = "No such bundle for this caller", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn replay(caller: Caller, Path(id): Path<String>) -> Result<axum::Json<Replay>, Problem> {
    let shown = caller.shown.clone();
    let work = move |desk: &Desk, scope: &Scope| {
        let replayed = desk.replay(scope, &id, Timestamp::now())?;
        let (bundle, difference) = replayed.ok_or_else(|| Problem::no_such_bundle(&id))?;
        shown.detail("bundle", &bundle.id);
        Ok(axum::Json(Replay { bundle, difference }))
    };
    caller.run(work).await
}

/// Compares two stored bundles
#[utoipa::path(get, path = "/v1/bundles/{id}/diff/{other}", tag = "bundles",
    params(("id" = String, Path, description = "The first"), ("other" = String, Path, description = "The second")), responses(
    (status = 200, body = schema::BundleDifference),
    (status = 404, description = "No such bundle for this caller", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn diff(
    caller: Caller,
    Path((id, other)): Path<(String, String)>,
) -> Result<axum::Json<BundleDifference>, Problem> {
    let shown = caller.shown.clone();
    let work = move |desk: &Desk, scope: &Scope| {
        let difference = desk.compare_bundles(scope, &id, &other)?;
        let difference = difference.ok_or_else(|| Problem::no_such_bundle(&format!("{id} or {other}")))?;
        [&id, &other].into_iter().for_each(|id| shown.detail("bundle", id));
        Ok(axum::Json(difference))
    };
    caller.run(work).await
}

/// Gets a bundle as text for a prompt: passages under their handles, fenced as data, then the facts
#[utoipa::path(get, path = "/v1/bundles/{id}/prompt", tag = "bundles", params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 404, description = "No such bundle for this caller", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn prompt(caller: Caller, Path(id): Path<String>) -> Result<String, Problem> {
    let shown = caller.shown.clone();
    let work = move |desk: &Desk, scope: &Scope| {
        let bundle: Bundle =
            serde_json::from_slice(&stored(desk, scope, &id)?).map_err(|_error| Problem::bug())?;
        shown.detail("bundle", &id);
        Ok(bundle.prompt_text())
    };
    caller.run(work).await
}

fn stored(desk: &Desk, scope: &Scope, id: &str) -> Result<Vec<u8>, Problem> {
    desk.stored_bundle(scope, id)?.ok_or_else(|| Problem::no_such_bundle(id))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

fn read(value: serde_json::Value) -> Result<Vec<BundleRequest>, Problem> {
    let values = match value {
        serde_json::Value::Array(values) => values,
        value => vec![value],
    };
    if values.is_empty() || values.len() > BATCH {
        return Err(Problem::new(
            "invalid-request",
            format!("the list has {} requests: send 1 to {BATCH}", values.len()),
        ));
    }
    let one = |(index, value)| {
        request(value)
            .map_err(|why| Problem { detail: format!("request {}: {}", index + 1, why.detail), ..why })
    };
    values.into_iter().enumerate().map(one).collect()
}

fn request(value: serde_json::Value) -> Result<BundleRequest, Problem> {
    let ask: BundleAsk =
        serde_json::from_value(value).map_err(|error| Problem::new("invalid-request", error.to_string()))?;
    let usual = BundleRequest::new(ask.about.into());
    search::check_subject(&usual.about)?;
    let limit = ask.limit.unwrap_or(usual.limit);
    search::check_limit(limit, RECORDS)?;
    let budget_tokens = search::check_budget(ask.budget_tokens.unwrap_or(usual.budget_tokens))?;
    Ok(BundleRequest {
        filters: ask.filters,
        budget_tokens,
        limit,
        as_of: ask.as_of,
        deadline_millis: search::bounded(ask.deadline_millis),
        minimum_generation: ask.minimum_generation,
        ..usual
    })
}
