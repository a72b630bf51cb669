//! The shared language of Triagraph: records, ids, vocabulary and shapes.

pub mod shacl;
pub mod vocabulary;

pub use shacl::{Report, Severity, Shapes, ShapesError, ValidationResult};
