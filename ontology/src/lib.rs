//! The shared language of Triagraph: records, ids, vocabulary and shapes.
//!
//! Every other crate speaks in these types. A [`Record`] is anything that was ingested, in one canonical shape; an
//! [`Observation`] is one revision of it with its [`Lineage`]; a [`Scope`] says who asks.

mod id;
mod link;
mod observation;
mod record;
mod scope;
pub mod vocabulary;

pub use id::{Audience, IdError, RecordId, SourceId, TenantId};
pub use link::{Link, Reference, Relation};
pub use observation::{Lineage, Observation, Place, Rejected};
pub use record::{Kind, Record, Section, SectionKind, Span, State};
pub use scope::{Audiences, Scope};
