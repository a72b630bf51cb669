//! What is told of what people did, and what is shown of it?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::AskedTicket;
use super::workflow::Citation;

/// What an event brings: the ticket as it is now, or of `triagraph.feedback` what people did.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "says in the document what `cloud.rs` reads")]
pub(crate) enum EventData {
    Ticket(Box<AskedTicket>),
    Feedback(Told),
}

/// What people did with the desk's work on a ticket, as another system tells it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"verdict": "edited", "text": "We restart the mail queue at ten.", "by": "ada"}))]
pub(crate) struct Told {
    /// The proposal; without one it is about the latest work of that sort on the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<String>,
    /// `route` or `reply`; may be left out with a proposal, a text, or a correction. Else it is about the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deed: Option<String>,
    verdict: Did,
    /// The reply that was sent, of `edited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100_000)]
    text: Option<String>,
    /// What the category really is, of `edited` and `corrected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    category: Vec<String>,
    /// What the priority really is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 5)]
    priority: Option<u8>,
    /// Whose ticket it really is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 2000)]
    reason: String,
    /// Who, as that system calls them; without, the system itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// What people did.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Did {
    /// They used it as it was.
    Used,
    /// They used it otherwise than it was.
    Edited,
    /// They did not use it.
    Rejected,
    /// It helped.
    Helpful,
    /// It did not help.
    Unhelpful,
    /// Category, priority or team are others.
    Corrected,
}

/// What a person puts in the place of what agents decided.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"team": "Messaging", "reason": "they run the relay"}))]
pub(crate) struct Override {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    category: Vec<String>,
    /// 1 is highest, 5 lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 5)]
    priority: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// What the caller is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    /// What the reply rests on, where it names handles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    citations: Vec<Citation>,
    /// Why: the agents learn from it.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// What people decided of a ticket, which agents do not set back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Held {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<HeldCategory>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<HeldPriority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<HeldTeam>,
    /// Hashes of what the caller had told when a person answered, and of that answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<HeldReply>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HeldCategory {
    value: Vec<String>,
    /// What the source said when it was last heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Vec<String>>,
    by: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HeldPriority {
    value: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<u8>,
    by: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HeldTeam {
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    by: String,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HeldReply {
    told: String,
    sent: String,
}

/// What people did with one thing that agents made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct FeedbackLine {
    /// By which lines are in order.
    key: String,
    ticket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<String>,
    deed: String,
    /// `approve`, `edit`, `reject`, `override` here; `used`, `edited`, `rejected`, `helpful`, `unhelpful`, `corrected` as another system told.
    ruling: String,
    /// Share of the words that they changed, 0 to 1.
    edited_share: f64,
    /// Why, redacted.
    reason: String,
    by: String,
    #[schema(format = DateTime)]
    at: String,
    /// The system that told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The ticket's category, as the agent saw it.
    category: Vec<String>,
    /// How strong the agent's evidence was, in thousandths.
    strength: u16,
    /// Models that counted, or who worded the answer.
    made_by: Vec<String>,
    /// What people decided, against what the agents had.
    settled: Vec<Settled>,
    /// A reply as the agents worded it, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draft: Option<String>,
    /// As it was sent, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
}

/// What people decided of one thing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Settled {
    /// `category`, `priority` or `team`.
    task: String,
    /// What the agents had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    person: String,
    /// What the ticket's source said by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// What people did with the work of one agent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct FeedbackShare {
    agent: String,
    /// As the agent saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    made_by: Vec<String>,
    /// Deeds that people ruled on, or of which they told.
    deeds: u64,
    /// The share of these that they used as it was, changed and used, refused or replaced.
    used: f64,
    edited: f64,
    rejected: f64,
    /// Mean share of the words that they changed, of what was used and edited.
    edited_words: f64,
    /// How often somebody said that it helped, or did not.
    helpful: u64,
    unhelpful: u64,
}
