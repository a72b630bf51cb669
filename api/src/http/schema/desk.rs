//! What do the figures of a desk look like?

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The figures of a desk in a period.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeskMetrics {
    /// `triagraph.desk-metrics/1`.
    schema: String,
    #[schema(format = DateTime)]
    from: String,
    /// The moment behind the period.
    #[schema(format = DateTime)]
    to: String,
    /// Version of the service levels that tickets were held against.
    levels: String,
    /// Share of tickets that shall keep their target.
    objective: f64,
    figures: Vec<Figure>,
    /// How often each target was kept.
    attainment: Vec<Attainment>,
    /// How fast the budget of misses is used up at the end of the period.
    burn: Vec<Burn>,
    /// How well agents told each category, by what people made of it in the end.
    categories: Vec<CategoryFigures>,
    /// The pages that most tickets were solved by.
    pages: Vec<PageUse>,
    /// Tickets that came, were solved and were open, stretch by stretch.
    days: Vec<Day>,
    /// Open tickets near the end of their time, the soonest due first, then those behind it; 20 at most.
    at_risk: Vec<AtRisk>,
}

/// One figure of a period.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Figure {
    name: String,
    title: String,
    /// What it is, exactly.
    definition: String,
    /// `count`, `seconds`, `share` (0 to 1) or `difference` (of two shares).
    unit: String,
    /// The figure; nothing where there is not enough data.
    value: Option<f64>,
    /// The same of the period of the same length before.
    previous: Option<f64>,
    /// What was counted, or summed.
    numerator: f64,
    /// Over how many.
    denominator: u64,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The same of parts, such as priorities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

/// A figure of a part.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Part {
    label: String,
    value: f64,
    numerator: f64,
    denominator: u64,
}

/// How often a target of a priority was kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Attainment {
    /// `response` or `resolution`.
    target: String,
    priority: u8,
    met: u64,
    /// Tickets that kept it or did not.
    decided: u64,
    value: Option<f64>,
}

/// How fast the budget of misses is used up, in a window and a short one at its end.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Burn {
    hours: f64,
    /// Share of misses over the share that the objective allows.
    rate: Option<f64>,
    decided: u64,
    short_hours: f64,
    short_rate: Option<f64>,
    short_decided: u64,
    /// The rate from which somebody should act.
    threshold: f64,
    /// Whether both are at least that.
    is_burning: bool,
}

/// How well agents told one category.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CategoryFigures {
    category: String,
    /// Tickets that ended with it.
    tickets: u64,
    precision: Option<f64>,
    recall: Option<f64>,
    /// Mean confidence less the share that was right.
    overconfidence: Option<f64>,
}

/// A page, and how many tickets it helped to solve.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PageUse {
    record: String,
    title: String,
    tickets: u64,
}

/// A stretch of the period.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Day {
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    received: u64,
    resolved: u64,
    /// At its end.
    open: u64,
}

/// A ticket near the end of its time, or behind it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AtRisk {
    ticket: String,
    title: String,
    team: Option<String>,
    #[serde(flatten)]
    standing: Standing,
}

/// That a target comes to its end, or is missed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Notice {
    /// When people were told.
    #[schema(format = DateTime)]
    at: String,
    /// `warning` or `breach`.
    kind: String,
    /// How the ticket stood.
    standing: Standing,
    /// In words, with what was done about it.
    why: String,
    /// Whether the ticket went to people because of it.
    is_escalated: bool,
    correlation: String,
}

/// How a ticket stands towards one target.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Standing {
    /// `response` or `resolution`.
    target: String,
    priority: u8,
    /// Seconds of opening hours that it has.
    goal_seconds: i64,
    /// Those that are used, without pauses.
    used_seconds: i64,
    /// `running`, `paused`, `met`, `missed`, or `void` where the ticket was given up in time.
    state: String,
    /// When people are to be warned, or were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    warns: Option<String>,
    /// When its time ends, or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due: Option<String>,
    /// When it was kept, or its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    decided: Option<String>,
}
