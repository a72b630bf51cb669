//! What may each agent read and do? `/v1/agents`, as the policies in force say it.

use ontology::Scope;
use serde::Serialize;
use triage::policy::{AgentDeclared, HandOver};
use utoipa::ToSchema;

use super::extract::Operator;
use super::problem::{Problem, ProblemBody};
use super::schema;

/// The agents of this desk.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentsBody {
    /// Version of the policies.
    version: String,
    #[schema(value_type = schema::HandOver)]
    hand_over: HandOver,
    #[schema(value_type = Vec<schema::AgentDeclared>)]
    agents: Vec<AgentDeclared>,
}

/// Shows what each agent may read and do, with the policies that say so, and when it hands over
#[utoipa::path(get, path = "/v1/agents", tag = "workflow", responses(
    (status = 200, body = AgentsBody),
    (status = 403, description = "The caller is narrowed", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list(Operator(caller): Operator) -> Result<axum::Json<AgentsBody>, Problem> {
    let workflow = caller.app.workflow()?;
    let list = move |_: &engine::Desk, _: &Scope| {
        let policies = workflow.policies().current();
        let (version, hand_over) = (policies.version().to_owned(), policies.boundaries().hand_over());
        Ok(axum::Json(AgentsBody { version, hand_over, agents: policies.agents() }))
    };
    caller.run(list).await
}
