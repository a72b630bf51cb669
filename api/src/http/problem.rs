//! What does a caller get when something is wrong? One RFC 9457 document for every error, its status decided by its code.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::{DeskError, LogError, SparqlError};
use ontology::IdError;
use serde::{Deserialize, Serialize};
use triage::access::AccessError;
use triage::audit::AuditError;
use triage::{TriageError, WorkflowError};
use utoipa::ToSchema;

/// Media type of problems.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
/// Bytes of a foreign error's text that are kept.
const DETAIL_BYTES: usize = 4096;

/// An error on its way to the caller. The outermost layer writes it out, with the id of the request.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

/// A problem as it is sent (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:triagraph:problem:no-such-record", "title": "no such record", "status": 404,
    "detail": "there is no record servicenow:INC0000001 here: look for it with `triagraph search`",
    "code": "no-such-record", "request_id": "5f0c9a-1"
}))]
pub(crate) struct ProblemBody {
    /// `urn:triagraph:problem:` and the code.
    pub(crate) r#type: String,
    /// The code in words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What is wrong this time, and what to do.
    pub(crate) detail: String,
    /// The stable name of this sort of problem.
    pub(crate) code: String,
    /// The request, as in the header `x-request-id` and in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    pub(crate) fn no_such_bundle(id: &str) -> Self {
        Self::new("no-such-bundle", format!("there is no bundle {id} that this caller may see"))
    }

    /// A panic, or a task that went away: always a bug.
    pub(crate) fn bug() -> Self {
        Self::new("internal", "the server broke on this request: please report it with the request id")
    }

    pub(crate) fn status(&self) -> StatusCode {
        status_of(self.code)
    }

    pub(crate) fn body(&self, request_id: Option<&str>) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:triagraph:problem:{}", self.code),
            title: self.code.replace(['-', '_'], " "),
            status: self.status().as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_owned(),
            request_id: request_id.map(str::to_owned),
        }
    }
}

/// Which status a code has: the only place that says so. What is not named here is the server's fault.
fn status_of(code: &str) -> StatusCode {
    match code {
        "invalid-id" | "invalid-json" | "invalid-query" | "invalid-header" | "sparql-syntax"
        | "sparql-update" | "sparql-service" => StatusCode::BAD_REQUEST,
        "unauthorized" | "key-expired" | "key-revoked" => StatusCode::UNAUTHORIZED,
        "operator-only" | "denied" | "cross-origin" | "wrong-tenant" => StatusCode::FORBIDDEN,
        "no-such-record"
        | "no-such-model-version"
        | "no-such-ticket"
        | "no-such-proposal"
        | "no-such-dead-letter"
        | "no-such-burst"
        | "no-such-bundle"
        | "no-such-job"
        | "no-such-key"
        | "no-such-route" => StatusCode::NOT_FOUND,
        "method-not-allowed" => StatusCode::METHOD_NOT_ALLOWED,
        "sparql-format" => StatusCode::NOT_ACCEPTABLE,
        "proposal-not-open"
        | "vault-key"
        | "burst-not-declared"
        | "model-gate"
        | "nothing-to-roll-back"
        | "generation-not-reached"
        | "idempotency-key-in-use" => StatusCode::CONFLICT,
        "too-large" | "sparql-too-large" => StatusCode::PAYLOAD_TOO_LARGE,
        "too-many-requests" => StatusCode::TOO_MANY_REQUESTS,
        "unsupported-media-type" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "wrong-host" => StatusCode::MISDIRECTED_REQUEST,
        "invalid-request"
        | "invalid-record"
        | "invalid-event"
        | "audit-size"
        | "idempotency-key-reused"
        | "sparql-evaluation"
        | "unknown-mapping"
        | "nothing-to-read"
        | "source-name" => StatusCode::UNPROCESSABLE_ENTITY,
        "overloaded" | "not-ready" | "provider-unreachable" | "writer-stopped" | "queue-full" => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        "disk-full" => StatusCode::INSUFFICIENT_STORAGE,
        "timeout" | "sparql-timeout" => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The code of an error that the framework made: an unknown path, a wrong method, a parameter that cannot be read.
fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "invalid-query",
        StatusCode::NOT_FOUND => "no-such-route",
        StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported-media-type",
        StatusCode::UNPROCESSABLE_ENTITY => "invalid-request",
        _ => "internal",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes a problem out, ours or the framework's; any other response passes. Returns the problem for the log.
pub(crate) async fn written(response: Response, request_id: &str) -> (Response, Option<Problem>) {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return (response, None);
    }
    let (mut parts, body) = response.into_parts();
    let problem = match parts.extensions.remove::<Problem>() {
        Some(problem) => problem,
        None => foreign(status, body).await,
    };
    parts.status = problem.status();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    match parts.status {
        StatusCode::UNAUTHORIZED => {
            parts.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => {
            parts.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    let bytes = serde_json::to_vec(&problem.body(Some(request_id))).unwrap_or_default();
    (Response::from_parts(parts, Body::from(bytes)), Some(problem))
}

async fn foreign(status: StatusCode, body: Body) -> Problem {
    let said = axum::body::to_bytes(body, DETAIL_BYTES).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            "this path does not take this method: the header Allow says which".to_owned()
        }
        StatusCode::NOT_FOUND => "nothing is served at this path: see /docs".to_owned(),
        _ if said.is_empty() => "the request cannot be answered".to_owned(),
        _ => said,
    };
    Problem::new(code_of(status), detail)
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SparqlError> for Problem {
    fn from(error: SparqlError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<TriageError> for Problem {
    fn from(error: TriageError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<WorkflowError> for Problem {
    fn from(error: WorkflowError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
