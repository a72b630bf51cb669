//! Which call is which action of the policies? The table that says for every route what a caller must be let do; which roles that are is
//! said in `triage/policy/access.cedar`.

use std::sync::Arc;

use axum::http::Method;
use triage::Workflow;
use triage::access::{Grant, permit};
use triage::policy::Action;

use super::problem::Problem;

/// The action of a call. A route that is not in the table is for who runs the desk, until it gets its line here.
pub(crate) fn action(method: &Method, route: &str) -> Option<Action> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    Some(match (method, route) {
        ("POST", "/v1/search" | "/v1/related" | "/v1/triage" | "/v1/bundles" | "/v1/bundles/{id}/replay")
        | ("GET", "/v1/bundles/{id}" | "/v1/bundles/{id}/diff/{other}" | "/v1/bundles/{id}/prompt")
        | ("GET", "/v1/records/{id}" | "/v1/records/{id}/neighbours" | "/v1/articles")
        | ("GET", "/v1/desk/metrics" | "/v1/desk/forecast")
        | ("GET" | "POST", "/sparql") => Action::ReadRecords,
        ("GET", "/v1/tickets" | "/v1/tickets/{id}" | "/v1/proposals" | "/v1/proposals/{id}")
        | ("GET", "/v1/bursts" | "/v1/bursts/{id}")
        | ("GET", "/v1/dead-letters" | "/v1/agents" | "/v1/agents/stop" | "/v1/stream") => {
            Action::ReadWorkflow
        }
        ("GET", "/v1/tickets/{id}/hidden") => Action::ReadHidden,
        // What somebody says to a proposal, a ticket, a burst or the switch is asked again, of just that.
        ("POST", "/v1/proposals/{id}/ruling" | "/v1/bursts/{id}/answer" | "/v1/tickets/{id}/override")
        | ("PUT", "/v1/agents/stop") => Action::ReadWorkflow,
        ("GET", "/v1/feedback") => Action::ReadFeedback,
        ("POST", "/v1/events" | "/v1/events/alertmanager") => Action::SendEvents,
        ("POST", "/v1/dead-letters/{key}/retry") => Action::RetryEvents,
        ("POST", "/v1/records" | "/v1/files") => Action::WriteRecords,
        ("DELETE", "/v1/records/{id}") => Action::EraseRecords,
        ("GET", "/v1/status" | "/v1/jobs" | "/v1/jobs/{id}" | "/v1/models" | "/v1/executor" | "/metrics") => {
            Action::ReadState
        }
        ("POST", "/v1/models/train" | "/v1/models/{task}/stage" | "/v1/models/{task}/roll-back")
        | ("POST", "/v1/models/wording/stage" | "/v1/models/wording/roll-back") => Action::ManageModels,
        ("POST", "/v1/verify") => Action::Operate,
        ("GET" | "POST", "/v1/keys") | ("DELETE", "/v1/keys/{id}") => Action::ManageKeys,
        (
            "GET",
            "/v1/audit/checkpoint" | "/v1/audit/entries" | "/v1/audit/inclusion" | "/v1/audit/consistency",
        ) => Action::ReadAudit,
        _ => return None,
    })
}

/// Asks the policies whether a caller may do what it wants.
pub(crate) async fn check(workflow: Arc<Workflow>, grant: &Grant, action: Action) -> Result<(), Problem> {
    let grant = grant.clone();
    let ask = move || {
        let is_stopped = workflow.is_stopped()?;
        Ok(permit(&workflow.policies().current(), &grant, action, is_stopped)?)
    };
    tokio::task::spawn_blocking(ask).await.unwrap_or_else(|_| Err(Problem::bug()))
}
