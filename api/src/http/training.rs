//! May the desk learn while it is served? `POST /v1/models/train`: a job, one at a time of each task, that makes a candidate.

use axum::response::Response;
use engine::Desk;
use jiff::Timestamp;
use ontology::Scope;
use serde::Deserialize;
use triage::learned::{Query, Registry, Task, Version, train as learn};
use triage::policy::PersonId;
use utoipa::ToSchema;

use super::extract::{Json, Operator};
use super::jobs::{self, Job, Work};
use super::problem::{Problem, ProblemBody};

/// What is to be learnt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"task": "category"}))]
pub(crate) struct TrainRequest {
    /// `category`, `priority` or `team`.
    #[schema(value_type = String)]
    task: Task,
    /// Only of tickets that were made at this moment or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// What a job learns, and for whom.
pub(crate) struct Learning {
    pub(crate) task: Task,
    query: Query,
    by: PersonId,
}

impl Learning {
    /// Learns, and keeps the version as a candidate: nobody hears it until somebody brings it further.
    pub(crate) fn learn(&self, desk: &Desk, scope: &Scope) -> Result<Version, Problem> {
        let now = Timestamp::now();
        let trained = learn(desk, scope, self.task, &self.query, &self.by, now)?;
        Ok(Registry::new(desk.store()).register(trained, now)?)
    }
}

/// Has a task learnt from the desk's tickets and from what people decided, as a job; the version it gives is a candidate
///
/// Where the task is being learnt already, the answer is that job. The server goes on serving.
#[utoipa::path(post, path = "/v1/models/train", tag = "models", request_body = TrainRequest, responses(
    (status = 202, description = "A job learns; `Location` says where to look", body = Job),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, description = "The request is not as described", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn train(Operator(caller): Operator, body: Json<TrainRequest>) -> Result<Response, Problem> {
    let TrainRequest { task, since } = body.value;
    caller.app.writing_desk()?;
    let query = Query { since, ..Query::default() };
    let learning = Learning { task, query, by: caller.person().0 };
    Ok(jobs::accepted(&caller.app.jobs.submit(Work::Learn(learning))?))
}
