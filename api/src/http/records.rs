//! What is in the desk, one by one? `/v1/records`: show, write, delete, and what stands around a record.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::{DeskError, Neighbours};
use ingest::Item;
use jiff::Timestamp;
use ontology::{Kind, Lineage, Observation, Place, Record, RecordId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::app::App;
use super::extract::{Caller, Json, Operator};
use super::jobs::{self, Job, JobKind, Work};
use super::problem::{Problem, ProblemBody};
use super::wire::Written;
use super::{schema, search};

/// Sections of one record at most; the engine numbers them with 16 bits.
const SECTIONS: usize = 10_000;
/// Neighbours given at most.
const NEIGHBOURS: usize = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowParameters {
    /// As it was known at a moment.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
}

/// Shows a record as it is now, or as it was known at a moment
#[utoipa::path(get, path = "/v1/records/{id}", tag = "records",
    params(("id" = String, Path, description = "`SOURCE:ID`, percent-encoded as one segment"), ShowParameters),
    responses(
        (status = 200, body = schema::Observation),
        (status = 404, description = "No such record for this caller", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show(
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Query<ShowParameters>,
) -> Result<axum::Json<Observation>, Problem> {
    let id = RecordId::new(&id)?;
    let shown = caller.shown.clone();
    let read = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let found = desk.record(scope, &id, parameters.as_of)?;
        let found = found.ok_or(DeskError::NoSuchRecord { id })?;
        shown.records([&found.record.id]);
        Ok(axum::Json(found))
    };
    caller.run(read).await
}

/// Writes records: a list in their canonical form, which a job takes in
///
/// Records that are there already, word for word, change nothing. Either all of the list can be read or nothing is written;
/// records that the shapes refuse go to quarantine and are named by the job.
#[utoipa::path(post, path = "/v1/records", tag = "records", request_body = Vec<schema::Record>,
    responses(
        (status = 202, description = "A job was made; `Location` says where to ask for it", body = Job),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A record cannot be read; the detail says which", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Too many jobs are waiting", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn write(
    State(app): State<App>,
    _operator: Operator,
    body: Json<Vec<serde_json::Value>>,
) -> Result<Response, Problem> {
    app.writing_desk()?;
    if body.value.is_empty() {
        return Err(Problem::new("invalid-request", "the list has no records"));
    }
    let read = body.value.into_iter().enumerate().map(|(index, value)| {
        let Written(record) = serde_json::from_value(value).map_err(|error| {
            Problem::new("invalid-record", format!("record {} of the list: {error}", index + 1))
        })?;
        check(&record).map_err(|why| {
            Problem::new("invalid-record", format!("record {} of the list: {why}", index + 1))
        })?;
        Ok(record)
    });
    let records = read.collect::<Result<Vec<_>, Problem>>()?;
    let mut ids = BTreeSet::new();
    if let Some(twice) = records.iter().find(|record| !ids.insert(&record.id)) {
        return Err(Problem::new(
            "invalid-record",
            format!("{} stands in the list twice: send its last state", twice.id),
        ));
    }
    let total = records.len() as u64;
    let items =
        (1..).zip(records).map(|(item, record)| Item::Observation(Box::new(observation(item, record))));
    Ok(jobs::accepted(&app.jobs.submit(Work::Items {
        kind: JobKind::Records,
        total,
        items: Box::new(items),
    })?))
}

fn observation(item: u64, record: Record) -> Observation {
    let lineage = Lineage {
        origin: "POST /v1/records".to_owned(),
        place: Some(Place::Item(item)),
        mapping: "canonical".to_owned(),
        observed: Timestamp::now(),
    };
    Observation::unversioned(record, lineage)
}

/// What no mapping would make and the indexes rely on.
pub(crate) fn check(record: &Record) -> Result<(), String> {
    if record.kind == Kind::Dataset {
        return Err("RDF as it is comes in as a file (/v1/files), which checks its syntax".to_owned());
    }
    if record.audience.is_empty() {
        return Err("audience is empty: say who may see it, for instance [\"staff\"]".to_owned());
    }
    if record.sections.len() > SECTIONS {
        return Err(format!("it has {} sections, {SECTIONS} at most", record.sections.len()));
    }
    for (number, section) in (1..).zip(&record.sections) {
        if let Some(step) = section.steps.iter().find(|step| step.of(&section.text).is_none()) {
            let (start, end) = (step.start, step.end);
            return Err(format!(
                "section {number} has a step at bytes {start} to {end}, which its text has not"
            ));
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteParameters {
    /// Erase its text from the log, the vectors and stored bundles too.
    #[serde(default)]
    purge: bool,
}

/// Deletes a record from every index; with `purge=true` its text is erased for good
#[utoipa::path(delete, path = "/v1/records/{id}", tag = "records",
    params(("id" = String, Path, description = "`SOURCE:ID`, percent-encoded as one segment"), DeleteParameters),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such record", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete(
    Operator(caller): Operator,
    Path(id): Path<String>,
    Query(parameters): Query<DeleteParameters>,
) -> Result<StatusCode, Problem> {
    let id = RecordId::new(&id)?;
    let app = caller.app.clone();
    app.writing_desk()?;
    let removed = caller.run(move |desk, _| {
        let now = Timestamp::now();
        let removed = if parameters.purge { desk.purge(&id, now)? } else { desk.delete(&id, now)? };
        if removed { Ok(()) } else { Err(DeskError::NoSuchRecord { id }.into()) }
    });
    removed.await?;
    app.recount();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NeighbourParameters {
    /// How many relations.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

fn hundred() -> usize {
    100
}

/// Shows the records around a record and how they hang together
#[utoipa::path(get, path = "/v1/records/{id}/neighbours", tag = "records",
    params(("id" = String, Path, description = "`SOURCE:ID`, percent-encoded as one segment"), NeighbourParameters),
    responses(
        (status = 200, body = schema::Neighbours),
        (status = 404, description = "No such record for this caller", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn neighbours(
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Query<NeighbourParameters>,
) -> Result<axum::Json<Neighbours>, Problem> {
    let id = RecordId::new(&id)?;
    search::check_limit(parameters.limit, NEIGHBOURS)?;
    let shown = caller.shown.clone();
    let work = move |desk: &engine::Desk, scope: &ontology::Scope| {
        let neighbours = desk.neighbours(scope, &id, parameters.limit)?;
        let ends: BTreeSet<&RecordId> =
            neighbours.edges.iter().flat_map(|edge| [&edge.from, &edge.to]).chain([&id]).collect();
        shown.records(ends);
        Ok(axum::Json(neighbours))
    };
    caller.run(work).await
}
