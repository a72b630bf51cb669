//! What does the executor answer? One signed POST, to the address that was configured or nowhere, within a size and a time.

use std::io::ErrorKind;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use triage::{Delivery, RunAnswer};
use ureq::Agent;

use super::sign::Secret;

/// Bytes of an answer at most.
const ANSWER_BYTES: u64 = 64 * 1024;
/// Characters of a refusal that are kept.
const REASON: usize = 300;

/// Speaks to the executor. Follows no redirect, asks no proxy, keeps no connection: what it did not answer is not sent anew without our knowing.
pub(super) struct Client(Agent);

#[derive(Deserialize)]
struct Answer {
    status: Status,
    #[serde(default)]
    summary: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Succeeded,
    Failed,
}

impl Client {
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .user_agent(concat!("triagraph/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(Agent::new_with_config(config))
    }

    /// Tells the executor once.
    pub(super) fn tell(&self, secret: &Secret, delivery: &Delivery, now: Timestamp) -> RunAnswer {
        let seconds = now.as_second();
        let timeout = Duration::from_secs(delivery.timeout_seconds.into());
        let request = self.0.post(&delivery.url).config().timeout_global(Some(timeout)).build();
        let sent = request
            .content_type("application/json")
            .header("webhook-id", &delivery.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", secret.signature(&delivery.id, seconds, &delivery.body))
            .send(&delivery.body[..]);
        let mut answer = match sent {
            Ok(answer) => answer,
            Err(error) => return no_answer(&error),
        };
        let status = answer.status().as_u16();
        let after =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let after = after.map(|seconds: u32| SignedDuration::from_secs(seconds.into()));
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        let again = |reason: String, may_have_run| RunAnswer::Again { reason, may_have_run, after };
        match (status, body) {
            (200..=299, Ok(body)) => done(&body),
            (200..=299, Err(error)) => no_answer(&error),
            (429, _) => again("the executor is busy: it answers with status 429".to_owned(), false),
            (408 | 425 | 500.., _) => again(format!("the executor answers with status {status}"), true),
            (_, body) => {
                let said = String::from_utf8_lossy(&body.unwrap_or_default())
                    .chars()
                    .take(REASON)
                    .collect::<String>();
                RunAnswer::Refused { reason: format!("status {status} {}", said.trim()).trim().to_owned() }
            }
        }
    }
}

fn done(body: &[u8]) -> RunAnswer {
    match serde_json::from_slice(body) {
        Ok(Answer { status: Status::Succeeded, summary }) => RunAnswer::Succeeded { summary },
        Ok(Answer { status: Status::Failed, summary }) => RunAnswer::Failed { summary },
        Err(error) => {
            let reason = format!("the executor's answer has no status `succeeded` or `failed`: {error}");
            RunAnswer::Again { reason, may_have_run: true, after: None }
        }
    }
}

fn no_answer(error: &ureq::Error) -> RunAnswer {
    use ureq::{Error, Timeout};
    let is_unreached = match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::Tls(_) | Error::BadUri(_) => true,
        Error::Timeout(timeout) => matches!(timeout, Timeout::Resolve | Timeout::Connect),
        Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        _ => false,
    };
    RunAnswer::Again {
        reason: format!("the executor gives no answer: {error}"),
        may_have_run: !is_unreached,
        after: None,
    }
}
