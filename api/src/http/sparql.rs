//! What does the graph answer? `/sparql`, the query part of the SPARQL 1.1 Protocol.

use std::sync::Arc;

use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use engine::{SparqlFormat, Truncation};

use super::app::App;
use super::extract::{self, Caller};
use super::problem::{Problem, ProblemBody};

/// The log position that an answer shows.
const GENERATION: HeaderName = HeaderName::from_static("x-triagraph-generation");
/// Which limit cut an answer: `rows` or `bytes`; absent when it is whole.
const TRUNCATED: HeaderName = HeaderName::from_static("x-triagraph-truncated");

/// Parameters in their order; one may be given more than once.
type Parameters = Vec<(String, String)>;

/// Answers a SPARQL 1.1 query, read-only, in the format that `Accept` asks for
///
/// The default graph is the union of the graphs of all records that the caller sees. An answer that a limit cut says so in
/// the header `x-triagraph-truncated` (`rows` or `bytes`).
#[utoipa::path(get, path = "/sparql", tag = "graph",
    params(
        ("query" = String, Query, description = "The query", example = "SELECT ?class (COUNT(*) AS ?n) WHERE { ?s a ?class } GROUP BY ?class"),
        ("x-triagraph-audience" = Option<String>, Header, description = "Narrows what is seen to these audiences, separated by commas"),
    ),
    responses(
        (status = 200, description = "The answer", body = String, content_type = "application/sparql-results+json"),
        (status = 400, description = "The query cannot be read, writes, or calls another server", body = ProblemBody, content_type = "application/problem+json"),
        (status = 406, description = "No format asked for fits", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "It took too long", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = sole_query(decoded(&query.unwrap_or_default())?)?;
    answer(caller, &headers, query).await
}

/// Answers a SPARQL 1.1 query, sent as a form or as it is
#[utoipa::path(post, path = "/sparql", tag = "graph",
    request_body(content = String, content_type = "application/sparql-query", description = "The query; or a form with the field `query`"),
    responses(
        (status = 200, description = "The answer", body = String, content_type = "application/sparql-results+json"),
        (status = 400, description = "The query cannot be read, writes, or calls another server", body = ProblemBody, content_type = "application/problem+json"),
        (status = 406, description = "No format asked for fits", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is neither a form nor a query", body = ProblemBody, content_type = "application/problem+json"),
        (status = 504, description = "It took too long", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn post(
    caller: Caller,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let in_path = decoded(request.uri().query().unwrap_or_default())?;
    let kind = extract::media_type(&headers);
    let text = |bytes: axum::body::Bytes| {
        let invalid = |error| Problem::new("invalid-query", format!("the body is not UTF-8: {error}"));
        String::from_utf8(bytes.into()).map_err(invalid)
    };
    let query = match kind.as_str() {
        "application/sparql-query" => {
            let mut parameters = in_path;
            parameters.push(("query".to_owned(), text(extract::body(request, &app).await?)?));
            sole_query(parameters)?
        }
        "application/x-www-form-urlencoded" => {
            let mut parameters = in_path;
            parameters.extend(form(request, &app).await?);
            sole_query(parameters)?
        }
        "application/sparql-update" => return Err(engine::SparqlError::Update.into()),
        _ => {
            let detail = "send `application/sparql-query`, or `application/x-www-form-urlencoded` with the field query";
            return Err(Problem::new("unsupported-media-type", detail));
        }
    };
    answer(caller, &headers, query).await
}

async fn form(request: Request, app: &App) -> Result<Parameters, Problem> {
    let read = axum::Form::<Parameters>::from_request(request, app).await.map_err(|rejection| {
        let is_large = rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
        Problem::new(if is_large { "too-large" } else { "invalid-query" }, rejection.body_text())
    });
    Ok(read?.0)
}

/// Reads `a=1&b=2`.
fn decoded(text: &str) -> Result<Parameters, Problem> {
    let invalid =
        |error: String| Problem::new("invalid-query", format!("the parameters cannot be read: {error}"));
    let uri = Uri::builder()
        .path_and_query(format!("/?{text}"))
        .build()
        .map_err(|error| invalid(error.to_string()))?;
    let read =
        axum::extract::Query::<Parameters>::try_from_uri(&uri).map_err(|error| invalid(error.body_text()))?;
    Ok(read.0)
}

/// The one query among parameters. What would change its meaning is refused, never overlooked.
fn sole_query(parameters: Parameters) -> Result<String, Problem> {
    let mut query = None;
    for (name, value) in parameters {
        match name.as_str() {
            "query" if query.is_none() => query = Some(value),
            "query" => {
                return Err(Problem::new(
                    "invalid-query",
                    "the parameter query stands there twice: send one",
                ));
            }
            "update" => return Err(engine::SparqlError::Update.into()),
            "default-graph-uri" | "named-graph-uri" => {
                let detail =
                    format!("{name} is not supported: name the graphs in the query with FROM and FROM NAMED");
                return Err(Problem::new("invalid-query", detail));
            }
            _ => {}
        }
    }
    query.ok_or_else(|| Problem::new("invalid-query", "there is no query: send the parameter query"))
}

async fn answer(caller: Caller, headers: &HeaderMap, query: String) -> Result<Response, Problem> {
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let formats = SparqlFormat::accepted(&accept.join(","));
    let limits = caller.app.limits;
    let Ok(place) = Arc::clone(&caller.app.sparql).try_acquire_owned() else {
        let detail =
            format!("{} queries are at work, which is the limit: try again", limits.sparql_in_flight);
        return Err(Problem::new("overloaded", detail));
    };
    let shown = caller.shown.clone();
    let work = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let _place = place;
        let mut out = Vec::new();
        let outcome = desk.sparql(scope, &query, &formats, limits.sparql, &mut out)?;
        let kind = outcome.format.media_type();
        shown.query(&query, outcome.rows);
        let mut response =
            ([(CONTENT_TYPE, kind)], [(GENERATION, outcome.position.to_string())], out).into_response();
        let cut = outcome.truncated.map(|truncated| match truncated {
            Truncation::Rows => "rows",
            Truncation::Bytes => "bytes",
        });
        if let Some(cut) = cut {
            response.headers_mut().insert(TRUNCATED, axum::http::HeaderValue::from_static(cut));
        }
        Ok(response)
    };
    caller.run(work).await
}
