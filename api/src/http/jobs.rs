//! What takes longer than a request? Jobs: writing records and verifying the desk, one after the other, told by number.
//!
//! Jobs live in memory: after a restart they are forgotten. What a job wrote by then is in the log, and sending the same
//! records again changes nothing.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use engine::{Applied, Desk, Verification};
use jiff::Timestamp;
use ontology::{Lineage, Observation, Place, Record};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::extract::Operator;
use super::problem::{Problem, ProblemBody};
use super::schema;

/// Jobs that may wait; each holds its records in memory.
const WAITING: usize = 16;
/// Finished jobs that are remembered.
const REMEMBERED: usize = 1000;
/// Records written at a time: between two blocks others may write, and the job can be stopped.
const BLOCK: usize = 256;
/// Refused records that a job names; all of them are in quarantine.
const REFUSED_SHOWN: usize = 20;

/// A job. Kept in memory: a restart forgets it, but not what it wrote.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Job {
    /// Its number.
    pub(crate) id: u64,
    pub(crate) kind: JobKind,
    pub(crate) state: JobState,
    /// When it was asked for.
    #[schema(format = DateTime)]
    pub(crate) submitted: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) ended: Option<String>,
    pub(crate) counts: JobCounts,
    /// The first records that the shapes refused; all of them are in quarantine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused: Vec<Refused>,
    /// What a verification found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Verification>)]
    pub(crate) verification: Option<Verification>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ProblemBody>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobKind {
    /// Writes records.
    Records,
    /// Holds every index against the log.
    Verify,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobState {
    /// Waiting for the jobs before it.
    Queued,
    /// At work.
    Running,
    /// Done; a verification may have found problems.
    Done,
    /// Ended by an error.
    Failed,
    /// The server was stopped before it was done.
    Interrupted,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct JobCounts {
    /// Records sent.
    pub(crate) total: u64,
    /// Records looked at so far.
    pub(crate) done: u64,
    /// Records that were not there before.
    pub(crate) new: u64,
    /// Records with a new revision.
    pub(crate) changed: u64,
    /// Records that were there already, word for word.
    pub(crate) unchanged: u64,
    /// Records that the shapes refused.
    pub(crate) refused: u64,
    /// Passages that had to be embedded.
    pub(crate) embedded: u64,
}

/// A record that was refused.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refused {
    /// Its id.
    pub(crate) record: String,
    /// What is wrong and what to do.
    pub(crate) reason: String,
}

/// What a job has to do.
pub(crate) enum Work {
    Records(Vec<Record>),
    Verify,
}

/// The jobs of this process.
#[derive(Default)]
pub(crate) struct Jobs {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Held by the worker for as long as it runs.
    worker: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Queue {
    last: u64,
    jobs: BTreeMap<u64, Job>,
    waiting: VecDeque<(u64, Work)>,
    is_stopped: bool,
}

impl Jobs {
    /// Puts work at the end of the queue.
    pub(crate) fn submit(&self, work: Work) -> Result<Job, Problem> {
        let mut queue = self.queue();
        if queue.is_stopped {
            return Err(Problem::new("not-ready", "the server is stopping: send this to the next one"));
        }
        if queue.waiting.len() >= WAITING {
            return Err(Problem::new(
                "queue-full",
                format!("{WAITING} jobs are waiting: try again when one is done"),
            ));
        }
        queue.last += 1;
        let (kind, total) = match &work {
            Work::Records(records) => (JobKind::Records, records.len() as u64),
            Work::Verify => (JobKind::Verify, 0),
        };
        let job = Job {
            id: queue.last,
            kind,
            state: JobState::Queued,
            submitted: Timestamp::now().to_string(),
            ended: None,
            counts: JobCounts { total, ..JobCounts::default() },
            refused: Vec::new(),
            verification: None,
            error: None,
        };
        queue.jobs.insert(job.id, job.clone());
        queue.waiting.push_back((job.id, work));
        while queue.jobs.len() > REMEMBERED + WAITING {
            queue.jobs.pop_first();
        }
        drop(queue);
        self.changed.notify_one();
        Ok(job)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.queue().is_stopped
    }

    /// Jobs that wait or run.
    pub(crate) fn waiting(&self) -> usize {
        let at_work = |job: &&Job| matches!(job.state, JobState::Queued | JobState::Running);
        self.queue().jobs.values().filter(at_work).count()
    }

    /// Ends the worker after the block it is at; jobs that wait are interrupted.
    pub(crate) fn stop(&self) {
        let mut queue = self.queue();
        queue.is_stopped = true;
        let waiting: Vec<_> = queue.waiting.drain(..).collect();
        for (id, _) in waiting {
            end(&mut queue, id, JobState::Interrupted);
        }
        drop(queue);
        self.changed.notify_all();
    }

    /// Waits for the worker to end, after [`stop`](Self::stop).
    pub(crate) async fn rest(&self) {
        drop(self.worker.lock().await);
    }

    /// Starts the thread that does the jobs in their order, until [`stop`](Self::stop) is called.
    pub(crate) fn start(app: &App, desk: &Arc<Desk>) -> std::io::Result<()> {
        let (app, desk) = (app.clone(), Arc::clone(desk));
        let held = Arc::clone(&app.jobs.worker).try_lock_owned();
        let thread = std::thread::Builder::new().name("jobs".to_owned());
        let work = move || {
            let _held = held;
            app.jobs.work(&app, &desk);
        };
        thread.spawn(work).map(drop)
    }

    fn work(&self, app: &App, desk: &Desk) {
        while let Some((id, work)) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(|| self.perform(desk, id, work)));
            let state = match outcome.unwrap_or_else(|_| Err(Problem::bug())) {
                Ok(state) => state,
                Err(problem) => {
                    tracing::error!(job = id, code = problem.code, "{}", problem.detail);
                    self.update(id, |job| job.error = Some(problem.body(None)));
                    JobState::Failed
                }
            };
            app.recount();
            end(&mut self.queue(), id, state);
            tracing::info!(job = id, ?state, "job ended");
        }
    }

    fn next(&self) -> Option<(u64, Work)> {
        let mut queue = self.queue();
        loop {
            if queue.is_stopped {
                return None;
            }
            if let Some((id, work)) = queue.waiting.pop_front() {
                if let Some(job) = queue.jobs.get_mut(&id) {
                    job.state = JobState::Running;
                }
                return Some((id, work));
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn perform(&self, desk: &Desk, id: u64, work: Work) -> Result<JobState, Problem> {
        match work {
            Work::Verify => {
                let verification = desk.verify()?;
                self.update(id, |job| job.verification = Some(verification));
                Ok(JobState::Done)
            }
            Work::Records(records) => self.write(desk, id, records),
        }
    }

    fn write(&self, desk: &Desk, id: u64, records: Vec<Record>) -> Result<JobState, Problem> {
        let mut observations = (1..).zip(records).map(|(item, record)| observation(item, record));
        loop {
            let block: Vec<_> = observations.by_ref().take(BLOCK).collect();
            if block.is_empty() {
                return Ok(desk.seal().map(|_| JobState::Done)?);
            }
            if self.queue().is_stopped {
                return Ok(JobState::Interrupted);
            }
            let sent = block.len() as u64;
            let applied = desk.apply(block)?;
            self.update(id, |job| add(job, sent, &applied));
        }
    }

    fn update(&self, id: u64, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.queue().jobs.get_mut(&id) {
            change(job);
        }
    }

    fn get(&self, id: u64) -> Option<Job> {
        self.queue().jobs.get(&id).cloned()
    }

    fn list(&self) -> Vec<Job> {
        self.queue().jobs.values().rev().cloned().collect()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(queue: &mut Queue, id: u64, state: JobState) {
    if let Some(job) = queue.jobs.get_mut(&id) {
        job.state = state;
        job.ended = Some(Timestamp::now().to_string());
    }
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

fn add(job: &mut Job, sent: u64, applied: &Applied) {
    let counts = &mut job.counts;
    counts.done += sent;
    counts.new += applied.new;
    counts.changed += applied.changed;
    counts.unchanged += applied.unchanged;
    counts.refused += applied.rejected.len() as u64;
    counts.embedded += applied.embedded;
    let room = REFUSED_SHOWN.saturating_sub(job.refused.len());
    let refused = applied.rejected.iter().take(room).map(|rejected| Refused {
        record: rejected.record.as_ref().map(ToString::to_string).unwrap_or_default(),
        reason: rejected.reason.clone(),
    });
    job.refused.extend(refused);
}

/// 202 and where to ask for the job.
pub(crate) fn accepted(job: &Job) -> Response {
    let location = format!("/v1/jobs/{}", job.id);
    (StatusCode::ACCEPTED, [(LOCATION, location)], axum::Json(job)).into_response()
}

/// Lists the jobs of this process, the newest first
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", responses(
    (status = 200, body = Vec<Job>),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(State(app): State<App>, _operator: Operator) -> axum::Json<Vec<Job>> {
    axum::Json(app.jobs.list())
}

/// Shows a job
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = u64, Path, description = "Its number")), responses(
    (status = 200, body = Job),
    (status = 404, description = "No such job in this process", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(
    State(app): State<App>,
    _operator: Operator,
    Path(id): Path<u64>,
) -> Result<axum::Json<Job>, Problem> {
    let missing =
        || Problem::new("no-such-job", format!("there is no job {id}: a restart forgets jobs, see /v1/jobs"));
    app.jobs.get(id).map(axum::Json).ok_or_else(missing)
}
