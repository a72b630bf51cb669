//! Which JSON goes in and out? Schemas of the engine's types, which know nothing of OpenAPI; a test holds them against real answers.

mod agents;
mod answer;
mod bundle;
mod coming;
mod desk;
mod feedback;
mod model;
mod record;
mod registry;
mod step;
mod triage;
mod workflow;

pub(crate) use agents::{AgentDeclared, HandOver};
pub(crate) use answer::{Hits, KnowledgeReport, Neighbours, Observation, Related, Status, Verification};
pub(crate) use bundle::{Bundle, BundleDifference};
pub(crate) use coming::{Burst, BurstState, Course, Forecast};
pub(crate) use desk::{DeskMetrics, Notice, Standing};
pub(crate) use feedback::{EventData, FeedbackLine, FeedbackShare, Override};
pub(crate) use model::{ModelDrift, ModelVersion};
pub(crate) use record::{AskedTicket, Filters, Leg, Record, Subject};
pub(crate) use registry::{Listed, Wording, WordingVersion};
pub(crate) use triage::Triage;
pub(crate) use workflow::{
    Accepted, AlertmanagerMessage, Arguments, CloudEvent, DeadLetter, Proposal, TicketState, TicketStatus,
    Transition,
};
