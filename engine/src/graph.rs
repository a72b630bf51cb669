//! How are the records a graph? Triples of each record in a graph of its own, asked with SPARQL inside the caller's scope.
//!
//! [`render`] turns a record into triples, [`store`] keeps them with the log position, [`view`] is what one caller may see
//! of them, [`sparql`] answers queries over a view, and [`export`] writes everything as a file.

mod deadline;
pub(crate) mod export;
mod format;
mod names;
pub(crate) mod render;
mod rows;
pub(crate) mod sparql;
pub(crate) mod store;
pub(crate) mod text;
mod view;

#[cfg(test)]
mod tests;

pub use export::ExportFormat;
pub use format::{QueryForm, SparqlFormat};
pub(crate) use render::{provenance, triples};
pub use sparql::{SparqlError, SparqlLimits, SparqlOutcome, Truncation};
pub use store::GraphError;
pub(crate) use store::{GraphChange, GraphContent, GraphStore, Snapshot as GraphSnapshot, digest};
pub(crate) use text::text_triples;
