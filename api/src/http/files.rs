//! How does a file come in? `POST /v1/files`: read as `triagraph ingest` reads it, and taken in by a job.

use std::ffi::OsStr;
use std::path::Path;

use axum::extract::{Query, Request};
use axum::response::Response;
use ingest::{Item, MappingChoice, Reader};
use jiff::Timestamp;
use ontology::SourceId;
use serde::Deserialize;
use tempfile::TempDir;
use utoipa::IntoParams;

use super::extract::{self, Operator};
use super::jobs::{self, Job, JobKind, Work};
use super::problem::{Problem, ProblemBody};

/// Longest name of a file, in bytes.
const NAME_BYTES: usize = 200;
/// The folder that a posted file lies in, as a mapping reads it.
const FOLDER: &str = "posted";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileParameters {
    /// What the file is called. Its ending says how it is written; its name stands in the lineage, and in ids of records that have none.
    #[param(example = "incidents.csv")]
    name: String,
    /// A built-in mapping; without it the mapping is found out.
    mapping: Option<String>,
    /// The name of the source; without it the mapping's own, else the file's.
    #[param(value_type = Option<String>)]
    source: Option<SourceId>,
}

/// Writes the records of a file in any format that `triagraph ingest` reads, which a job takes in
///
/// The body is the file as it is, whatever its `Content-Type`. The same file again changes nothing.
#[utoipa::path(post, path = "/v1/files", tag = "records", params(FileParameters),
    request_body(content = String, content_type = "application/octet-stream"),
    responses(
        (status = 202, description = "A job was made; `Location` says where to ask for it", body = Job),
        (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The file cannot be read as a whole, or there is no such mapping", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "Too many jobs are waiting", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn take(
    Operator(caller): Operator,
    Query(parameters): Query<FileParameters>,
    request: Request,
) -> Result<Response, Problem> {
    let app = caller.app.clone();
    app.writing_desk()?;
    check_name(&parameters.name)?;
    let bytes = extract::body(request, &app).await?;
    let work = caller.run(move |_, _| read(parameters, &bytes)).await?;
    Ok(jobs::accepted(&app.jobs.submit(work)?))
}

fn check_name(name: &str) -> Result<(), Problem> {
    if Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
        let detail = format!("{name}: archives are not taken over HTTP: send the file that is in it");
        return Err(Problem::new("invalid-request", detail));
    }
    let is_name = Path::new(name).file_name() == Some(OsStr::new(name));
    if is_name && name.len() <= NAME_BYTES && !name.contains(|char: char| char.is_control() || char == '\\') {
        return Ok(());
    }
    let detail = format!("{name:?} is no name of a file: give one like incidents.csv, without its folder");
    Err(Problem::new("invalid-request", detail))
}

/// Puts a file where the reader finds it, and begins to read.
fn read(parameters: FileParameters, bytes: &[u8]) -> Result<Work, Problem> {
    let FileParameters { name, mapping, source } = parameters;
    let failed = |error: std::io::Error| Problem::new("temporary-folder", error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let path = folder.path().join(FOLDER).join(&name);
    std::fs::create_dir(folder.path().join(FOLDER))
        .and_then(|()| std::fs::write(&path, bytes))
        .map_err(failed)?;
    let request = ingest::Request {
        paths: vec![path.clone()],
        source,
        mapping: mapping.map(MappingChoice::Builtin),
        observed: Timestamp::now(),
        audience: Vec::new(),
    };
    let named = |text: String| text.replace(&path.display().to_string(), &name);
    let opened = ingest::open(&request);
    let mut reader = opened.map_err(|error| Problem::new(error.code(), named(error.to_string())))?;
    if reader.files().is_empty() {
        let reason = match reader.next() {
            Some(Item::Rejected(rejected)) => rejected.reason,
            _ => "nothing in it can be read".to_owned(),
        };
        return Err(Problem::new("nothing-to-read", format!("{name}: {}", named(reason))));
    }
    let total = reader.files().iter().map(|file| file.estimated_items).sum();
    Ok(Work::Items { kind: JobKind::File, total, items: Box::new(Posted { reader, name, _folder: folder }) })
}

/// The items of a posted file, under the name that it was sent with.
struct Posted {
    reader: Reader,
    name: String,
    _folder: TempDir,
}

impl Iterator for Posted {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let mut item = self.reader.next()?;
        let origin = match &mut item {
            Item::Observation(observation) => &mut observation.lineage.origin,
            Item::Rejected(rejected) => &mut rejected.lineage.origin,
            Item::Skipped(skipped) => &mut skipped.origin,
            Item::Quads(block) => &mut block.lineage.origin,
        };
        origin.clone_from(&self.name);
        Some(item)
    }
}
