//! What takes longer than a request? Jobs: writing records and files, verifying the desk, learning from its tickets, one after the other,
//! told by number.
//!
//! Jobs live in memory: after a restart they are forgotten. What a job wrote by then is in the log, and sending the same
//! records again changes nothing.

mod job;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use engine::Desk;
use ingest::Item;
use jiff::Timestamp;

use super::app::App;
use super::extract::Operator;
use super::problem::{Problem, ProblemBody};
use super::training::Learning;
use crate::pump::Pump;

use job::JobCounts;
pub(crate) use job::{Job, JobKind, JobState};

/// Jobs that may wait; each holds its records in memory.
const WAITING: usize = 16;
/// Finished jobs that are remembered.
const REMEMBERED: usize = 1000;

/// What a job writes.
pub(crate) type Items = Box<dyn Iterator<Item = Item> + Send>;

/// What a job has to do.
pub(crate) enum Work {
    Items { kind: JobKind, total: u64, items: Items },
    Verify,
    Learn(Learning),
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
        let task = if let Work::Learn(learning) = &work { Some(learning.task) } else { None };
        // One task is learnt once at a time: who asks meanwhile waits for the same.
        let is_same = |job: &&Job| task.is_some() && job.task == task && job.is_at_work();
        if let Some(same) = queue.jobs.values().find(is_same) {
            return Ok(same.clone());
        }
        if queue.waiting.len() >= WAITING {
            return Err(Problem::new(
                "queue-full",
                format!("{WAITING} jobs are waiting: try again when one is done"),
            ));
        }
        queue.last += 1;
        let (kind, total) = match &work {
            Work::Items { kind, total, .. } => (*kind, *total),
            Work::Verify => (JobKind::Verify, 0),
            Work::Learn(_) => (JobKind::Train, 0),
        };
        let job = Job {
            id: queue.last,
            kind,
            state: JobState::Queued,
            submitted: Timestamp::now().to_string(),
            ended: None,
            counts: JobCounts { total, ..JobCounts::default() },
            skipped_for: BTreeMap::new(),
            refused: Vec::new(),
            verification: None,
            task,
            model: None,
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
        self.queue().jobs.values().filter(|job| job.is_at_work()).count()
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
            let outcome = catch_unwind(AssertUnwindSafe(|| self.perform(app, desk, id, work)));
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

    fn perform(&self, app: &App, desk: &Desk, id: u64, work: Work) -> Result<JobState, Problem> {
        match work {
            Work::Learn(learning) => {
                let version = learning.learn(desk, &app.scope)?;
                self.update(id, |job| job.model = Some(version));
                Ok(JobState::Done)
            }
            Work::Verify => {
                let verification = desk.verify()?;
                self.update(id, |job| job.verification = Some(verification));
                Ok(JobState::Done)
            }
            Work::Items { items, .. } => self.write(desk, id, items),
        }
    }

    fn write(&self, desk: &Desk, id: u64, items: Items) -> Result<JobState, Problem> {
        let mut pump = Pump::new(desk, false);
        for item in items {
            if pump.take(item)? {
                self.update(id, |job| job.tell(pump.so_far()));
                if self.is_stopped() {
                    return Ok(JobState::Interrupted);
                }
            }
        }
        let pumped = pump.end()?;
        self.update(id, |job| {
            job.tell(&pumped);
            job.counts.total = pumped.items;
        });
        Ok(desk.seal().map(|_| JobState::Done)?)
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
