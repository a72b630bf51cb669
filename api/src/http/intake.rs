//! How do many events become few writes? One thread keeps all that came in the meantime in one transaction, then tells each caller.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::oneshot;
use triage::{Accepted, Event, Workflow, WorkflowError};

use super::problem::Problem;
use super::worker::Wake;

/// Requests whose events wait to be written; more are turned away.
const WAITING: usize = 4096;
/// Requests that are written together.
const TOGETHER: usize = 256;

struct Delivery {
    events: Vec<Event>,
    answer: oneshot::Sender<Result<Vec<Accepted>, Problem>>,
}

/// The way in for events.
pub(crate) struct Intake {
    sender: SyncSender<Delivery>,
    receiver: Mutex<Option<Receiver<Delivery>>>,
}

impl Default for Intake {
    fn default() -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Intake {
    /// Keeps events; durable when it answers.
    pub(crate) async fn take(&self, events: Vec<Event>) -> Result<Vec<Accepted>, Problem> {
        let (answer, answered) = oneshot::channel();
        self.sender.try_send(Delivery { events, answer }).map_err(|error| match error {
            TrySendError::Full(_) => {
                Problem::new("overloaded", "too many events are on their way: send this again")
            }
            TrySendError::Disconnected(_) => Problem::bug(),
        })?;
        answered.await.unwrap_or_else(|_| Err(Problem::bug()))
    }

    /// Starts the thread that writes, once.
    pub(crate) fn start(&self, workflow: &Arc<Workflow>, wake: &Arc<Wake>) -> std::io::Result<()> {
        let Some(receiver) = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let (workflow, wake) = (Arc::clone(workflow), Arc::clone(wake));
        let write = move || {
            while let Ok(first) = receiver.recv() {
                let deliveries: Vec<Delivery> =
                    std::iter::once(first).chain(receiver.try_iter()).take(TOGETHER).collect();
                keep(&workflow, deliveries);
                wake.now();
            }
        };
        std::thread::Builder::new().name("intake".to_owned()).spawn(write).map(drop)
    }
}

/// Writes all deliveries at once; where that fails, each by itself, so that only the wrong one is refused.
fn keep(workflow: &Workflow, deliveries: Vec<Delivery>) {
    let now = Timestamp::now();
    let all: Vec<Event> = deliveries.iter().flat_map(|delivery| &delivery.events).cloned().collect();
    match workflow.accept(&all, now) {
        Ok(accepted) => {
            let mut accepted = accepted.into_iter();
            for delivery in deliveries {
                let own = accepted.by_ref().take(delivery.events.len()).collect();
                let _ = delivery.answer.send(Ok(own));
            }
        }
        Err(error @ WorkflowError::Event { .. }) if deliveries.len() > 1 => {
            tracing::debug!(%error, "writing each delivery by itself");
            for delivery in deliveries {
                let accepted = workflow.accept(&delivery.events, now).map_err(Problem::from);
                let _ = delivery.answer.send(accepted);
            }
        }
        Err(error) => {
            let problem = Problem::from(error);
            for delivery in deliveries {
                let _ = delivery.answer.send(Err(problem.clone()));
            }
        }
    }
}
