//! The shared language of Triagraph: records, ids, vocabulary and shapes.

pub mod shacl;
pub mod shapes;
pub mod vocabulary;

pub use shacl::{Report, Severity, Shapes, ShapesError, ValidationResult};
pub use shapes::{SHAPES, record_shapes};
