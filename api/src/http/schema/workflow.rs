//! What comes in and out of the workflow?

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::feedback::Held;
use super::step::{Run, Step};
use super::triage::BundleRef;

/// An event, after CloudEvents 1.0.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "specversion": "1.0", "id": "4711", "source": "servicenow", "type": "triagraph.ticket.created",
    "data": {"id": "servicenow:INC0010023", "kind": "incident", "title": "Mail is slow",
        "sections": [{"kind": "description", "text": "Sending takes minutes since this morning."}]}
}))]
pub(crate) struct CloudEvent {
    /// `1.0`.
    specversion: String,
    /// Unique within its source.
    id: String,
    source: String,
    /// `triagraph.ticket.created` and the like.
    r#type: String,
    /// The ticket's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    time: Option<String>,
    /// W3C trace context, taken over as the correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    /// The ticket as it is now, or what people did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::EventData>)]
    data: Option<Value>,
}

/// What Alertmanager sends (webhook, version 4); only what is read of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertmanagerMessage {
    #[schema(value_type = Vec<Object>)]
    alerts: Vec<Value>,
}

/// What became of an event.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Accepted {
    id: String,
    ticket: String,
    /// Its place among the events of its ticket.
    sequence: u64,
    /// Whether it came before.
    is_duplicate: bool,
}

/// Where a ticket is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TicketState {
    Received,
    Redacted,
    Enriched,
    Classified,
    Context,
    Drafted,
    Checked,
    /// The caller has an answer.
    Answered,
    /// People have to rule on a proposal.
    Proposed,
    /// A team has it.
    Routed,
    /// A step of a runbook that people approved is being done.
    Executing,
    /// A person has to look, with the reason.
    Escalated,
    Closed,
}

/// A ticket as the workflow sees it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TicketStatus {
    ticket: String,
    title: String,
    state: TicketState,
    #[schema(format = DateTime)]
    since: String,
    /// Why it is there, in words.
    reason: String,
    #[schema(format = DateTime)]
    received: String,
    /// When its caller first got an answer, or a team the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    acknowledged: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed: Option<String>,
    /// How often it came back.
    reopened: u32,
    /// Content hash of the revision that was looked at last, in hex.
    revision: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    route: Option<Route>,
    is_answered: bool,
    /// The burst that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    burst: Option<String>,
    /// What people decided, which agents do not set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    /// What agents wanted to do, and what the policies said.
    decisions: Vec<Decided>,
    correlation: String,
}

/// What an agent wanted, and what the policies said.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Decided {
    agent: String,
    action: String,
    verdict: Verdict,
}

/// Whether something may be done, and which policies say so.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Verdict {
    is_allowed: bool,
    /// Ids of the policies that determined it.
    policies: Vec<String>,
    /// Why, in plain words.
    reasons: Vec<String>,
    /// Version of the policies.
    version: String,
}

/// One move of a ticket.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Transition {
    #[schema(format = DateTime)]
    at: String,
    from: Option<TicketState>,
    to: TicketState,
    /// What was used: bundle, model, policy, who.
    used: String,
    /// Why, in words.
    why: String,
    correlation: String,
}

/// Where a ticket goes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Route {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    category: Vec<String>,
    /// 1 is highest, 5 lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
}

/// What the caller is told.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reply {
    /// The text; `[S1]` names a citation.
    text: String,
    #[serde(default)]
    citations: Vec<Citation>,
}

/// A source of a reply.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Citation {
    handle: String,
    record: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    bundle: String,
}

/// A deed, with what it needs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub(crate) enum Arguments {
    Route(Route),
    Reply(Reply),
    Declare(Declare),
    Execute(Step),
}

/// Makes a ticket a major incident, with others as its members.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Declare {
    burst: String,
    /// Its members, the lead among them. What joins the burst later becomes a member too.
    members: Vec<String>,
    /// What is probably behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Why, in words, strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    because: Vec<String>,
}

/// All that an approval holds for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Bound {
    ticket: String,
    /// Content hash of the ticket's revision, in hex.
    revision: String,
    bundles: Vec<BundleRef>,
    arguments: Arguments,
    /// Version of the policies.
    policy: String,
}

/// Something that an agent wants to do and that people rule on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Proposal {
    /// Version of this JSON: `triagraph.proposal/1`.
    schema: String,
    id: String,
    agent: String,
    bound: Bound,
    /// SHA-256 over `bound`, in hex: what people approve.
    binding: String,
    /// The ticket as policies saw it.
    #[schema(value_type = Object)]
    facts: Value,
    /// `open`, `executed`, `rejected`, `superseded`, `expired`, `withdrawn`.
    state: String,
    #[schema(format = DateTime)]
    made: String,
    #[schema(format = DateTime)]
    expires: String,
    approved_by: BTreeSet<String>,
    edited_by: BTreeSet<String>,
    /// The arguments as the agent made them, where people changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<Arguments>,
    /// Of a step of a runbook: its dry run. Before that `succeeded` nobody can approve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dry_run: Option<Run>,
    /// Of a step that people approved: the step itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    correlation: String,
}

/// An event that could not be handled.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeadLetter {
    /// What to retry it by.
    key: String,
    ticket: String,
    sequence: u64,
    tries: u32,
    reason: String,
    #[schema(format = DateTime)]
    at: String,
}
