//! Record log, graph, text and vector indexes; hybrid query and context bundles.

mod graph;

pub use graph::{GraphError, QueryForm, SparqlError, SparqlFormat, SparqlLimits, SparqlOutcome, Truncation};
