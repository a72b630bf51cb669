//! What do all requests share? The desk, once it is open, what lets callers in, the limits, and what is counted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use engine::{Desk, DeskError, SparqlLimits, Status};
use jiff::Timestamp;
use models::RedactionPolicy;
use ontology::Scope;
use tokio::sync::Semaphore;
use triage::Workflow;
use triage::access::Keys;
use triage::audit::Signer;
use triage::learned::{Learned, LearnedError};
use triage::policy::Watched;
use triage::vault::Vault;

use super::audit::Audit;
use super::desk::Figures;
use super::entrance::Entrance;
use super::executor::{self, Executor};
use super::intake::Intake;
use super::jobs::Jobs;
use super::metrics::Metrics;
use super::problem::Problem;
use super::rates::{Rate, Rates};
use super::reads::Reads;
use super::registry;
use super::wording::Wording;
use super::worker::{self, Wake};

/// How long a caller waits for fresh counts while records are being written; after that it gets the last ones.
const COUNTING: Duration = Duration::from_secs(1);

/// What one request, and all of them together, may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a request's body.
    pub(crate) body_bytes: usize,
    /// From the end of a request's head to the answer's.
    pub(crate) request: Duration,
    /// Connections at once; more wait until one ends.
    pub(crate) connections: usize,
    /// From the start of a connection, or the end of its last request, to the end of the next request's head.
    pub(crate) head: Duration,
    /// How often one caller may ask, other than who runs the desk.
    pub(crate) rate: Rate,
    /// Requests at work at once; more are turned away.
    pub(crate) in_flight: usize,
    /// SPARQL queries at work at once: each has a thread with a large stack.
    pub(crate) sparql_in_flight: usize,
    /// What one SPARQL query may cost.
    pub(crate) sparql: SparqlLimits,
    /// How long requests and jobs may go on after the server is told to stop.
    pub(crate) shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let sparql = SparqlLimits {
            timeout: Duration::from_secs(20),
            max_rows: 100_000,
            max_bytes: 32 * 1024 * 1024,
            memory_bytes: 512 * 1024 * 1024,
        };
        Self {
            body_bytes: 8 * 1024 * 1024,
            request: Duration::from_secs(30),
            connections: 512,
            head: Duration::from_secs(10),
            rate: Rate { per_second: 500.0, burst: 2000.0 },
            in_flight: 64,
            sparql_in_flight: 4,
            sparql,
            shutdown: Duration::from_secs(10),
        }
    }
}

/// The shared state; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    /// The most that any caller sees; a caller's own audiences narrow it further.
    pub(crate) scope: Scope,
    /// What lets callers in.
    pub(crate) entrance: Entrance,
    pub(crate) rates: Rates,
    /// Who read what, on its way to the audit log.
    pub(crate) reads: Arc<Reads>,
    pub(crate) limits: Limits,
    /// What a triage hides.
    pub(crate) redaction: RedactionPolicy,
    /// Who words its answer, where anybody does.
    pub(crate) wording: Option<Wording>,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) sparql: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    /// How the desk does, for Prometheus.
    pub(crate) figures: Figures,
    pub(crate) jobs: Jobs,
    /// Idempotency keys whose first request is still at work.
    pub(crate) keys_at_work: Mutex<BTreeSet<String>>,
    /// The way in for events.
    pub(crate) intake: Intake,
    /// Wakes who works on tickets.
    pub(crate) wake: Arc<Wake>,
    /// Who does steps of runbooks.
    pub(crate) executor: Executor,
    /// Held by who works on tickets for as long as it runs.
    pub(crate) worker: Arc<tokio::sync::Mutex<()>>,
    /// Held by who brings a model further or takes it back, until all hear of it.
    pub(crate) promoting: Mutex<()>,
    /// The desk's own models that are heard.
    learned: RwLock<Arc<Learned>>,
    workflow: OnceLock<Arc<Workflow>>,
    keys: OnceLock<Keys>,
    audit: OnceLock<Audit>,
    desk: OnceLock<Arc<Desk>>,
    counted: Mutex<Option<Arc<Status>>>,
    /// Set by a write that may change counts without moving the log, such as one that fills the quarantine.
    is_recount_due: AtomicBool,
    counting: Arc<tokio::sync::Mutex<()>>,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// A server for the desk of a scope's tenant, which is [attached](Self::attach) when it is open.
    pub(crate) fn new(
        scope: Scope,
        entrance: Entrance,
        limits: Limits,
        redaction: RedactionPolicy,
        wording: Option<Wording>,
    ) -> Self {
        Self(Arc::new(Shared {
            scope,
            entrance,
            rates: Rates::default(),
            reads: Arc::default(),
            limits,
            redaction,
            wording,
            requests: Arc::new(Semaphore::new(limits.in_flight)),
            sparql: Arc::new(Semaphore::new(limits.sparql_in_flight)),
            metrics: Metrics::default(),
            figures: Figures::default(),
            jobs: Jobs::default(),
            keys_at_work: Mutex::default(),
            intake: Intake::default(),
            wake: Arc::default(),
            executor: Executor::default(),
            worker: Arc::default(),
            promoting: Mutex::default(),
            learned: RwLock::default(),
            workflow: OnceLock::new(),
            keys: OnceLock::new(),
            audit: OnceLock::new(),
            desk: OnceLock::new(),
            counted: Mutex::default(),
            is_recount_due: AtomicBool::new(false),
            counting: Arc::default(),
        }))
    }

    /// Puts the open desk behind the server: from now on it is ready.
    pub(crate) fn attach(
        &self,
        desk: Desk,
        policies: Watched,
        signer: Signer,
        vault: Vault,
    ) -> anyhow::Result<()> {
        let desk = Arc::new(desk);
        Jobs::start(self, &desk)?;
        let workflow = Arc::new(Workflow::new(desk.store(), policies).with_vault(vault));
        workflow.recover(Timestamp::now())?;
        let _ = self.keys.set(Keys::open(desk.store(), self.scope.tenant.clone())?);
        self.reads.start(desk.store())?;
        self.refresh_learned(&desk)?;
        registry::list(&desk, &self.redaction)?;
        self.wording.iter().try_for_each(|wording| wording.enter(&desk.store()))?;
        let audit = Audit::open(desk.store(), signer)?;
        let _ = self.audit.set(audit);
        self.intake.start(&workflow, &self.wake)?;
        worker::start(self, &desk, &workflow)?;
        executor::start(self, &desk, &workflow)?;
        let _ = self.workflow.set(workflow);
        let _ = self.desk.set(desk);
        Ok(())
    }

    /// The desk's own models that are heard.
    pub(crate) fn learned(&self) -> Arc<Learned> {
        Arc::clone(&self.learned.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the next triage hear those that the registry says now.
    pub(crate) fn refresh_learned(&self, desk: &Desk) -> Result<(), LearnedError> {
        let fresh = self.learned().refreshed(&desk.store())?;
        *self.learned.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// Counts what is in the desk, so that the first caller who asks need not wait for that.
    pub(crate) fn count(&self) -> anyhow::Result<()> {
        if let Some(desk) = self.desk.get() {
            self.keep(Arc::new(desk.status()?));
        }
        Ok(())
    }

    /// The desk.
    pub(crate) fn desk(&self) -> Result<&Arc<Desk>, Problem> {
        self.desk.get().ok_or_else(opening)
    }

    /// The workflow of the desk.
    pub(crate) fn workflow(&self) -> Result<Arc<Workflow>, Problem> {
        self.desk()?;
        self.workflow.get().cloned().ok_or_else(Problem::bug)
    }

    /// The keys of the desk.
    pub(crate) fn keys(&self) -> Result<&Keys, Problem> {
        self.keys.get().ok_or_else(opening)
    }

    /// The audit log of the desk.
    pub(crate) fn audit(&self) -> Result<&Audit, Problem> {
        self.desk()?;
        self.audit.get().ok_or_else(Problem::bug)
    }

    /// The desk, as long as it takes writes.
    pub(crate) fn writing_desk(&self) -> Result<&Arc<Desk>, Problem> {
        let desk = self.desk()?;
        if desk.is_writing() { Ok(desk) } else { Err(DeskError::Stopped.into()) }
    }

    /// Counts of the desk: fresh ones, or the last where a writer keeps the desk busy.
    pub(crate) async fn status(&self) -> Result<Arc<Status>, Problem> {
        let desk = Arc::clone(self.desk()?);
        let is_current = |kept: &Arc<Status>| kept.generation == desk.generation();
        if let Some(kept) =
            self.kept().filter(is_current).filter(|_| !self.is_recount_due.load(Ordering::Acquire))
        {
            return Ok(kept);
        }
        if let Ok(turn) = Arc::clone(&self.counting).try_lock_owned() {
            let app = self.clone();
            let count = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                app.is_recount_due.store(false, Ordering::Release);
                let status = Arc::new(desk.status()?);
                app.keep(Arc::clone(&status));
                Ok(status)
            });
            if let Ok(counted) = tokio::time::timeout(COUNTING, count).await {
                return counted.unwrap_or_else(|_| Err(Problem::bug()));
            }
        }
        let busy =
            || Problem::new("not-ready", "records are being written and were not counted yet: try again");
        self.kept().ok_or_else(busy)
    }

    /// Has the desk counted again at the next occasion, after a write.
    pub(crate) fn recount(&self) {
        self.is_recount_due.store(true, Ordering::Release);
    }

    fn keep(&self, status: Arc<Status>) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }

    fn kept(&self) -> Option<Arc<Status>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn opening() -> Problem {
    Problem::new("not-ready", "the desk is being opened: try again when /health/ready says 200")
}
