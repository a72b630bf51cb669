//! The triage agent: what is this ticket, who should have it, and what is to be done, each with its sources.
//!
//! [`triage`] takes a ticket along one way: received → redacted → enriched → classified → context → drafted → checked →
//! answered or handed over. Decisions come from neighbours and graph alone; text of tickets and documents is data, and a
//! language model, where one is given, only words the answer, which is then checked sentence by sentence.

mod cited;
mod result;

mod evidence;
mod finding;
mod words;

mod changed;
mod classify;
mod doubt;
mod page;
mod place;
mod sources;
mod strength;
mod warnings;

mod check;
mod draft;
mod extract;
mod fit;
mod hiding;
mod lead;
mod material;
mod names;
mod story;

mod answer;
mod steps;

mod agent;

pub mod access;
pub mod audit;
pub mod learned;
pub mod policy;
pub mod vault;

pub mod service;

mod counting;

mod burst;
mod course;
mod forecast;

mod event;
mod feedback;
mod proposal;
mod runbook;
mod workflow;

mod replay;

pub use agent::{TriageError, TriageOptions, triage};
pub use burst::{Alarm, Burst, BurstState, BurstTest, Cause, Declare, Injected, burst_test};
pub use changed::ChangeBefore;
pub use cited::{Answer, Claim, Dropped, Earlier, Otherwise, Source};
pub use course::{ChangeCourse, ChangeStage, Course, ProblemCourse, ProblemStage, course};
pub use event::{Event, EventKind};
pub use feedback::{Did, Feedback, FeedbackLine, FeedbackShare, Ruled, Settled, Told, feedback_shares};
pub use forecast::{Breach, Forecast, Group, Recurrence, Scored, Targets, Volume, VolumeTest, forecast};
pub use proposal::{Arguments, Bound, Citation, Judgement, PROPOSAL_SCHEMA, Proposal, Reply, Route, Ruling};
pub use replay::{REPLAY_SCHEMA, Replay, ReplayOptions, Replayed, Tally, Totals, replay};
pub use result::{
    Affected, BundleRef, Decision, ModelCall, Outcome, PageChoice, RelatedLine, StepTrace, Strength,
    TRIAGE_SCHEMA, Triage,
};
pub use runbook::{Action, Call, Delivery, Executor, Run, RunAnswer, RunState, Step};
pub use workflow::{
    Accepted, DeadLetter, Decided, Held, HeldReply, HeldValue, LevelChange, Notice, Order, Override,
    TicketState, TicketStatus, Transition, Turn, TurnOptions, Warning, Workflow, WorkflowError,
};
