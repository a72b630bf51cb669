//! What stands in the OpenAPI document beyond the handlers' own words? The head, the key, the formats of SPARQL, and the
//! problems that the layers around the handlers answer with.

use axum::http::Method;
use engine::SparqlFormat;
use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
};

use super::problem::MEDIA_TYPE;
use super::rights;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Triagraph",
        description = "Tickets, runbooks, articles and CMDB records as a knowledge graph; search, context bundles and triage over them. Every error is a problem of RFC 9457 with a stable `code`.",
    ),
    tags(
        (name = "search", description = "Find records and related tickets"),
        (name = "triage", description = "What a ticket is, who should have it, and what is to be done"),
        (name = "workflow", description = "Events of tickets, what agents do and propose, and what people say to it"),
        (name = "audit", description = "What was done, by whom, under which policy, provably unchanged"),
        (name = "access", description = "Keys of people and services: who may come in, as what, until when"),
        (name = "models", description = "What the desk learnt from its own tickets, and whether it counts"),
        (name = "bundles", description = "Context for an agent, with its sources"),
        (name = "records", description = "What is in the desk"),
        (name = "jobs", description = "What takes longer than a request"),
        (name = "graph", description = "SPARQL"),
        (name = "operation", description = "Health, metrics, verification"),
    ),
    modifiers(&BearerKey)
)]
pub(crate) struct Document;

struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key of the desk, or the one that the server was started with; where there is none it serves this machine only.",
            ))
            .build();
        document.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
        document.security = Some(vec![SecurityRequirement::new::<_, _, String>("key", [])]);
    }
}

/// Adds to each operation what it answers with because of where it stands; what a handler says itself stays.
pub(crate) struct Surroundings;

impl Modify for Surroundings {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            if path.starts_with("/health/") {
                continue;
            }
            for (method, operation) in operations(item) {
                add_problems(path, operation);
                add_action(&method, path, operation);
                if path == "/sparql" {
                    operation.responses.responses.insert("200".to_owned(), RefOr::T(sparql_answer()));
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Says which action of the policies a call is.
fn add_action(method: &Method, path: &str, operation: &mut Operation) {
    let Some(action) = rights::action(method, path) else { return };
    let said = format!("Action of the policies: `{action}`.");
    let before = operation.description.take().map(|text| format!("{text}\n\n"));
    operation.description = Some(before.unwrap_or_default() + &said);
}

fn add_problems(path: &str, operation: &mut Operation) {
    let mut problems = vec![
        ("400", "A header, parameter or body cannot be read"),
        ("401", "No key was shown, or one that is not good"),
        ("403", "The caller's roles or audiences do not go so far, or a page of another site asks"),
        ("421", "The server has no key, and was asked by a name that is not this machine's"),
        ("429", "The caller asks too often"),
        ("503", "Too many requests are at work, or the desk is not open"),
    ];
    if path != "/metrics" {
        problems.push(("504", "It took too long"));
    }
    if operation.request_body.is_some() {
        problems.push(("413", "The body is too long"));
        problems.push(("415", "The body is of another media type"));
    }
    if operation.request_body.is_some() || operation.parameters.as_ref().is_some_and(|all| !all.is_empty()) {
        problems.push(("422", "A parameter or field is not as described"));
    }
    for (status, description) in problems {
        let known = operation.responses.responses.entry(status.to_owned());
        known.or_insert_with(|| RefOr::T(problem(description)));
    }
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build()
}

/// Tables and graphs in all formats, chosen by `Accept`.
fn sparql_answer() -> Response {
    let text = || Schema::from(ObjectBuilder::new().schema_type(Type::String));
    let object = || ObjectBuilder::new().schema_type(Type::Object);
    let table = || {
        let table = object()
            .description(Some(
                "SPARQL 1.1 Query Results JSON Format: `results` for SELECT, `boolean` for ASK",
            ))
            .property("head", object())
            .property("results", object())
            .property("boolean", ObjectBuilder::new().schema_type(Type::Boolean))
            .required("head");
        Schema::from(table)
    };
    let answer = ResponseBuilder::new().description("The answer, in the format that `Accept` asks for");
    let with = |answer: ResponseBuilder, format: SparqlFormat| {
        let schema = if format == SparqlFormat::Json { table() } else { text() };
        answer.content(format.media_type(), ContentBuilder::new().schema(Some(schema)).build())
    };
    SparqlFormat::ALL.into_iter().fold(answer, with).build()
}
