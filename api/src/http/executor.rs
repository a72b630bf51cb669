//! Who tells the executor which steps of runbooks are to be done? One thread, one step at a time, as long as the executor answers: after
//! failures a circuit breaker leaves it alone for a while.

mod client;
mod sign;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use engine::Desk;
use jiff::Timestamp;
use models::Circuit;
use serde::{Deserialize, Serialize};
use triage::{Delivery, RunAnswer, Workflow};
use utoipa::ToSchema;

use super::app::App;
use super::extract::Operator;
use super::metrics::{head, line};
use super::problem::{Problem, ProblemBody};
use super::worker::Wake;
use client::Client;

pub(crate) use sign::Secret;

/// Longest sleep: the switch may have been released, the executor be there again.
const SLEEP: Duration = Duration::from_secs(1);
/// What may become of telling it something.
const OUTCOMES: [&str; 4] = ["succeeded", "failed", "refused", "no_answer"];

/// What is known of the executor.
#[derive(Default)]
pub(crate) struct Executor {
    secret: OnceLock<Secret>,
    circuit: Circuit,
    /// Wakes who tells it.
    pub(crate) wake: Wake,
    /// Held by who tells it for as long as that runs.
    pub(crate) held: Arc<tokio::sync::Mutex<()>>,
    told: [AtomicU64; OUTCOMES.len()],
    /// Whether somebody was warned that there is no secret.
    is_warned: AtomicBool,
}

impl Executor {
    /// Gives what the executor knows the desk by.
    pub(crate) fn arm(&self, secret: Secret) {
        let _ = self.secret.set(secret);
    }

    /// Whether there is something to sign with.
    pub(crate) fn is_armed(&self) -> bool {
        self.secret.get().is_some()
    }

    /// What Prometheus reads.
    pub(crate) fn render(&self, text: &mut String) {
        let name = "triagraph_executor_told_total";
        head(
            text,
            name,
            "counter",
            "Steps of runbooks and dry runs that the executor was told, by its answer.",
        );
        for (outcome, counted) in OUTCOMES.iter().zip(&self.told) {
            line(text, name, &format!("outcome=\"{outcome}\""), counted.load(Ordering::Relaxed));
        }
        let name = "triagraph_executor_circuit_open";
        head(text, name, "gauge", "Whether the executor is left alone after failures.");
        line(text, name, "", u64::from(self.circuit.is_open()));
    }

    /// Notes an answer, and says so where it makes a difference to the next.
    fn note(&self, delivery: &Delivery, answer: &RunAnswer) {
        let was_open = self.circuit.is_open();
        let (outcome, reason) = match answer {
            RunAnswer::Succeeded { .. } => (0, ""),
            RunAnswer::Failed { .. } => (1, ""),
            // What the executor says itself may be any text: it stands with the run, not in the log.
            RunAnswer::Refused { .. } => (2, ""),
            RunAnswer::Again { reason, .. } => (3, reason.as_str()),
        };
        self.told[outcome].fetch_add(1, Ordering::Relaxed);
        match answer {
            RunAnswer::Again { after, .. } => {
                let after = after.and_then(|after| Duration::try_from(after).ok());
                self.circuit.failed(Instant::now(), after);
            }
            _ => self.circuit.went_well(),
        }
        let (run, tries, correlation) = (&delivery.id, delivery.tries, &delivery.correlation);
        let outcome = OUTCOMES[outcome];
        tracing::info!(run, tries, correlation, outcome, reason, "the executor was told");
        match (was_open, self.circuit.is_open()) {
            (false, true) => {
                tracing::warn!("the executor fails again and again: it is left alone for a while")
            }
            (true, false) => tracing::info!("the executor answers again"),
            _ => {}
        }
    }
}

/// Starts telling, until the jobs are stopped.
pub(crate) fn start(app: &App, desk: &Arc<Desk>, workflow: &Arc<Workflow>) -> std::io::Result<()> {
    let (app, desk, workflow) = (app.clone(), Arc::clone(desk), Arc::clone(workflow));
    let held = Arc::clone(&app.executor.held).try_lock_owned();
    let work = move || {
        let _held = held;
        let client = Client::new();
        while !app.jobs.is_stopped() {
            let told = catch_unwind(AssertUnwindSafe(|| tell_next(&app, &client, &desk, &workflow)));
            let pause = match told {
                Ok(Ok(pause)) => pause,
                Ok(Err(problem)) => {
                    tracing::error!(code = problem.code, "{}", problem.detail);
                    free(&workflow)
                }
                Err(_) => {
                    tracing::error!("telling the executor broke: please report it");
                    free(&workflow)
                }
            };
            if !pause.is_zero() {
                app.executor.wake.wait(pause);
            }
        }
    };
    std::thread::Builder::new().name("executor".to_owned()).spawn(work).map(drop)
}

/// Has what was on its way told again: the executor knows it by its id.
fn free(workflow: &Workflow) -> Duration {
    if let Err(error) = workflow.recover_runs(Timestamp::now()) {
        tracing::error!(code = error.code(), "{error}");
    }
    SLEEP
}

/// Tells the executor what is due next; gives how long there is nothing to tell.
fn tell_next(app: &App, client: &Client, desk: &Desk, workflow: &Workflow) -> Result<Duration, Problem> {
    let Some(due) = workflow.next_run_due()? else { return Ok(SLEEP) };
    if let Ok(wait) = Duration::try_from(due.duration_since(Timestamp::now()))
        && !wait.is_zero()
    {
        return Ok(wait.min(SLEEP));
    }
    let executor = &app.executor;
    let Some(secret) = executor.secret.get() else {
        if !executor.is_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "steps of runbooks wait: there is no secret to sign them with, start `serve` with one"
            );
        }
        return Ok(SLEEP);
    };
    if let Err(error) = workflow.policies().reload_executor_if_changed() {
        tracing::warn!("{error}");
    }
    if let Err(wait) = executor.circuit.admit(Instant::now()) {
        return Ok(wait.min(SLEEP));
    }
    let next = workflow.next_run(desk, &app.scope, Timestamp::now());
    let Some(delivery) = next.inspect_err(|_| executor.circuit.gave_up())? else {
        executor.circuit.gave_up();
        return Ok(SLEEP);
    };
    let answer = client.tell(secret, &delivery, Timestamp::now());
    executor.note(&delivery, &answer);
    workflow.delivered(&delivery, answer, Timestamp::now())?;
    app.wake.now();
    Ok(Duration::ZERO)
}

/// What the executor is, and how it does.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ExecutorState {
    /// Whether there is a secret to sign with: without one nothing is told.
    is_armed: bool,
    /// Whether it is left alone after failures.
    is_circuit_open: bool,
    /// What it may be told to do, from `policy/executor.toml`.
    actions: Vec<ExecutorAction>,
    /// How many dry runs and steps are in each state: `waiting`, `sending`, `succeeded`, `failed`, `refused`, `unknown`, `undelivered`,
    /// `cancelled`.
    runs: BTreeMap<String, u64>,
}

/// Something that the executor may be told to do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ExecutorAction {
    name: String,
    /// Whether it can be tried without effect.
    has_dry_run: bool,
    timeout_seconds: u32,
}

/// Tells what the executor of runbooks' steps may be told, and whether it answers
#[utoipa::path(get, path = "/v1/executor", tag = "workflow", responses(
    (status = 200, body = ExecutorState),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn show(Operator(caller): Operator) -> Result<axum::Json<ExecutorState>, Problem> {
    let (app, workflow) = (caller.app.clone(), caller.app.workflow()?);
    caller
        .run(move |_, _| {
            let executor = workflow.policies().executor();
            let actions = executor.actions().iter().map(|(name, action)| ExecutorAction {
                name: name.clone(),
                has_dry_run: action.has_dry_run,
                timeout_seconds: action.timeout_seconds,
            });
            Ok(axum::Json(ExecutorState {
                is_armed: app.executor.is_armed(),
                is_circuit_open: app.executor.circuit.is_open(),
                actions: actions.collect(),
                runs: workflow.runs()?,
            }))
        })
        .await
}
