//! The shared language of Triagraph: records, ids, vocabulary and shapes.
//!
//! Every other crate speaks in these types. A [`Record`] is anything that was ingested, in one canonical shape; an
//! [`Observation`] is one revision of it with its [`Lineage`]; a [`Scope`] says who asks. The same language stands in Turtle
//! beside the code: [`vocabulary::ONTOLOGY`] for its words, [`SHAPES`] for what a record must look like.

mod id;
mod link;
mod observation;
mod record;
mod scope;

pub mod shacl;
pub mod shapes;
pub mod vocabulary;

pub use id::{Audience, IdError, RecordId, SourceId, TenantId};
pub use link::{Link, Reference, Relation};
pub use observation::{Lineage, Observation, Place, Rejected, Retry};
pub use record::{Kind, Record, Section, SectionKind, Span, State};
pub use scope::{Audiences, Scope};
pub use shacl::{Report, Severity, Shapes, ShapesError, ValidationResult};
pub use shapes::{SHAPES, record_shapes};
