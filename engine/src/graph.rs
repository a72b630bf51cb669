//! How are the records a graph? Triples of each record in a graph of its own, asked with SPARQL inside the caller's scope.
//!
//! [`render`] turns a record into triples, [`store`] keeps them with the log position, [`view`] is what one caller may see
//! of them, [`sparql`] answers queries over a view, and [`export`] writes everything as a file.

pub(crate) mod check;
mod content;
mod deadline;
mod error;
pub(crate) mod export;
mod format;
mod memory;
mod meta;
mod names;
pub(crate) mod render;
mod rows;
pub(crate) mod sparql;
pub(crate) mod store;
pub(crate) mod text;
mod view;
mod word;

#[cfg(test)]
mod tests;

pub(crate) use content::{GraphChange, GraphContent, digest};
pub use error::GraphError;
pub use export::ExportFormat;
pub use format::{QueryForm, SparqlFormat};
pub(crate) use render::{provenance, triples};
pub use sparql::{SparqlError, SparqlLimits, SparqlOutcome, Truncation};
pub(crate) use store::{FLUSH_AT_CLOSE, GraphStore, Snapshot as GraphSnapshot};
pub(crate) use text::text_triples;
