//! Who works on tickets that wait? One thread that takes turns as long as there is something to do, and sleeps until there is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use engine::Desk;
use jiff::{SignedDuration, Timestamp};
use triage::learned::Registry;
use triage::{TriageOptions, TurnOptions, Workflow};

use super::app::App;

/// Tickets that are triaged at the same time.
const THREADS: usize = 2;
/// Tickets of one turn: enough to write their records together, few enough that the first need not wait long.
const TICKETS: u32 = 64;
/// The same where a language model words answers: each takes seconds, and a ticket that comes in waits for the turn.
const WORDED_TICKETS: u32 = 8;
/// Tickets that wait from which no answer is worded: in a burst an extractive answer now is better than a worded one in an hour.
const BUSY: u64 = 100;
/// Milliseconds for each search of a triage.
const DEADLINE_MILLIS: u64 = 10_000;
/// Longest sleep: settings and policies may have changed.
const SLEEP: Duration = Duration::from_secs(5);
/// How often the desk's own models are looked at.
const WATCH: SignedDuration = SignedDuration::from_hours(1);
/// Pause after a turn that could not be taken.
const PAUSE: Duration = Duration::from_secs(1);

/// Wakes the worker.
#[derive(Default)]
pub(crate) struct Wake {
    is_due: Mutex<bool>,
    changed: Condvar,
}

impl Wake {
    /// There is something to do.
    pub(crate) fn now(&self) {
        *self.is_due.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Sleeps until there is, or for so long.
    pub(super) fn wait(&self, longest: Duration) {
        let is_due = self.is_due.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut is_due, _) = self
            .changed
            .wait_timeout_while(is_due, longest, |is_due| !*is_due)
            .unwrap_or_else(PoisonError::into_inner);
        *is_due = false;
    }
}

/// Starts the worker, until the jobs are stopped.
pub(crate) fn start(app: &App, desk: &Arc<Desk>, workflow: &Arc<Workflow>) -> std::io::Result<()> {
    let (app, desk, workflow) = (app.clone(), Arc::clone(desk), Arc::clone(workflow));
    let held = Arc::clone(&app.worker).try_lock_owned();
    let work = move || {
        let _held = held;
        work(&app, &desk, &workflow);
    };
    std::thread::Builder::new().name("worker".to_owned()).spawn(work).map(drop)
}

fn work(app: &App, desk: &Desk, workflow: &Workflow) {
    let mut watched = Timestamp::now();
    while !app.jobs.is_stopped() {
        let learned = app.learned();
        let mut triage = TriageOptions {
            learned: Some(&learned),
            policy: app.redaction.clone(),
            deadline_millis: Some(DEADLINE_MILLIS),
            ..TriageOptions::default()
        };
        let is_quiet = || workflow.waiting().is_ok_and(|waiting| waiting < BUSY);
        let wording = app.wording.as_ref().filter(|_| is_quiet());
        if let Some(wording) = wording {
            wording.word(&mut triage, Duration::MAX);
        }
        let tickets = if wording.is_some() { WORDED_TICKETS } else { TICKETS };
        let options = TurnOptions { scope: &app.scope, triage, threads: THREADS, tickets };
        let turn = catch_unwind(AssertUnwindSafe(|| workflow.turn(desk, &options, Timestamp::now())));
        let pause = match turn {
            Err(_) => {
                tracing::error!("the worker broke on a turn: please report it");
                PAUSE
            }
            Ok(Ok(turn)) => {
                for warning in &turn.warnings {
                    tracing::warn!(correlation = warning.correlation, "{}", warning.text);
                }
                if turn.handled + turn.failed + turn.dead > 0 {
                    tracing::debug!(turn.handled, turn.failed, turn.dead, "turn");
                    app.recount();
                    app.metrics.count_turn(&turn);
                    app.wording.iter().for_each(|wording| wording.count(&turn.calls));
                    app.executor.wake.now();
                }
                let pause = until_due(workflow);
                if !pause.is_zero() {
                    watch(app, desk, &mut watched);
                    seal(app);
                }
                pause
            }
            Ok(Err(error)) => {
                tracing::error!(code = error.code(), "{error}");
                PAUSE
            }
        };
        if !pause.is_zero() {
            app.wake.wait(pause);
        }
    }
}

/// Looks once an hour whether the desk's own models still do as they did when they were measured.
fn watch(app: &App, desk: &Desk, watched: &mut Timestamp) {
    let now = Timestamp::now();
    if now.duration_since(*watched) < WATCH {
        return;
    }
    *watched = now;
    let _held = app.promoting.lock().unwrap_or_else(PoisonError::into_inner);
    match Registry::new(desk.store()).watch(desk, &app.scope, now) {
        Ok(said) => said.iter().for_each(|said| tracing::warn!("{said}")),
        Err(error) => tracing::error!(code = error.code(), "{error}"),
    }
    if let Err(error) = app.refresh_learned(desk) {
        tracing::error!(code = error.code(), "{error}");
    }
}

/// Signs what was noted, once there is nothing else to do.
fn seal(app: &App) {
    if let Err(problem) = app.audit().and_then(|audit| Ok(audit.seal()?)) {
        tracing::error!(code = problem.code, "{}", problem.detail);
    }
}

/// How long nothing is due.
fn until_due(workflow: &Workflow) -> Duration {
    let Ok(next) = workflow.next_due() else { return PAUSE };
    let wait = next.map(|next| Timestamp::now().until(next).and_then(Duration::try_from));
    match wait {
        None => SLEEP,
        // In the past.
        Some(Err(_)) => Duration::ZERO,
        Some(Ok(wait)) => wait.min(SLEEP),
    }
}
