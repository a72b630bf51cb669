//! What do bursts and forecasts look like?

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a burst is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BurstState {
    /// The policies let no agent propose it.
    Watched,
    /// People have to say whether it is a major incident.
    Proposed,
    /// It is a major incident.
    Declared,
    Refused,
    /// Nothing joins it any more.
    Over,
}

/// Tickets that probably go back to one thing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Burst {
    id: String,
    state: BurstState,
    /// The ticket that came first: the major incident, once people say so.
    lead: String,
    members: BTreeSet<String>,
    /// What is probably behind it, the likeliest first.
    causes: Vec<Cause>,
    #[schema(format = DateTime)]
    found: String,
    /// When its last ticket came.
    #[schema(format = DateTime)]
    last: String,
    /// The chance of so many tickets in such an hour.
    chance: f64,
    /// The chance below which this desk called it a burst.
    bar: f64,
    /// The proposal that people rule on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<String>,
    /// The members that the proposal names.
    named: BTreeSet<String>,
    /// Those that people took out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    taken_out: BTreeSet<String>,
}

/// Something that explains a burst.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Cause {
    thing: Thing,
    /// Log-likelihood ratio, in nats.
    score: f64,
    /// Share of the members that rest on it or name it.
    coverage: f64,
    /// Tickets that were to be expected.
    expected: f64,
    /// Share of the things resting on it that the members hit.
    hit: f64,
    /// Changes of the thing itself shortly before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
}

/// Something that tickets hit: a record, or a name that no record has.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Thing {
    Known(String),
    Named(String),
}

/// What is coming, and how far that can be trusted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Forecast {
    #[schema(format = DateTime)]
    made: String,
    /// Incidents and service requests of the next seven days: all, by service, by category.
    volume: Vec<Volume>,
    /// What comes again within 30 days after it was solved.
    recurrence: Vec<Recurrence>,
    recurrence_test: Scored,
    /// Open tickets by the chance that they miss their target.
    breach: Vec<Breach>,
    breach_test: Scored,
}

/// Tickets of the next seven days.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Volume {
    group: Group,
    expected: f64,
    /// With 80 % chance not fewer.
    low: u64,
    /// With 80 % chance not more.
    high: u64,
    /// By day, the first is today.
    days: Vec<f64>,
    last_week: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<VolumeTest>,
}

/// What tickets are counted together by.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", content = "name", rename_all = "snake_case")]
pub(crate) enum Group {
    All,
    Service(String),
    Category(String),
}

/// Forecasts of a week, made at the end of each past week.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct VolumeTest {
    weeks: u64,
    /// Mean absolute error of a day over that of "as on this weekday last week" on the past that was known.
    mase: f64,
    /// The same of "as on this weekday last week".
    naive_mase: f64,
    /// Share of the weeks inside the range; 0.8 is wanted.
    coverage: f64,
}

/// How likely something comes again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Recurrence {
    thing: String,
    category: String,
    chance: f64,
    solved: u64,
    came_again: u64,
    #[schema(format = DateTime)]
    last_solved: String,
}

/// Chances held against what happened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Scored {
    given: u64,
    happened: f64,
    /// Mean squared difference of chance and outcome.
    brier: f64,
    naive_brier: f64,
}

/// An open ticket and its target.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Breach {
    ticket: String,
    title: String,
    #[serde(default)]
    priority: Option<u8>,
    #[schema(format = DateTime)]
    due: String,
    /// The chance that it is not solved by then.
    chance: f64,
}

/// A change that was done shortly before an incident.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChangeBefore {
    change: String,
    title: String,
    #[schema(format = DateTime)]
    done: String,
    /// The thing that was changed.
    thing: String,
    thing_title: String,
    /// What the incident hits, and what rests on the thing.
    from: String,
    /// Steps of dependence between both; 0 where it is the same.
    steps: u8,
    /// Minutes between the change and the incident.
    minutes: i64,
}

/// The life of a problem or a change, and what hangs on it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "course", rename_all = "snake_case")]
pub(crate) enum Course {
    Problem(ProblemCourse),
    Change(ChangeCourse),
}

/// A problem, and what it gathers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ProblemCourse {
    /// `investigated`, `known_error`, `solved`, `given_up`.
    stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// What helps until it is solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workaround: Option<String>,
    incidents: Vec<String>,
    /// Of them those that nobody has solved yet.
    open: Vec<String>,
    /// Changes that caused it or solve it.
    changes: Vec<String>,
}

/// A change, and what it touches.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChangeCourse {
    /// `planned`, `underway`, `done`, `given_up`.
    stage: String,
    things: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    begins: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ends: Option<String>,
    /// In its source's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    risk: Option<String>,
    /// Incidents that a source says it caused.
    caused: Vec<String>,
    /// Other incidents within three days after it, on what it changed or what rests on that.
    after: Vec<String>,
}
