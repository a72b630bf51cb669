//! Why was a query not answered?

use std::io;
use std::time::Duration;

use spareval::QueryEvaluationError;
use spargebra::SparqlSyntaxError;

use super::size::{DEPTH_LIMIT, QUERY_BYTES_LIMIT};
use crate::graph::error::GraphError;
use crate::graph::format::QueryForm;
use crate::graph::rows::PARTS_LIMIT;

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SparqlError {
    /// It is no SPARQL.
    #[error("the query cannot be read: {0}")]
    Syntax(#[source] Box<SparqlSyntaxError>),
    /// It would change the graph.
    #[error(
        "the graph is read-only: records change at their sources, so ask with SELECT, ASK, CONSTRUCT or DESCRIBE"
    )]
    Update,
    /// It calls another server.
    #[error(
        "SERVICE is not supported: Triagraph makes no calls of its own, so ask the other server yourself"
    )]
    Service,
    /// It is too long.
    #[error("the query is {length} bytes long, {QUERY_BYTES_LIMIT} at most: ask in parts")]
    TooLong {
        /// Its bytes.
        length: usize,
    },
    /// It nests too deep.
    #[error("brackets of the query nest deeper than {DEPTH_LIMIT}: ask in parts")]
    TooDeep,
    /// Its negations and calls nest so that reading it would not end.
    #[error(
        "negations and calls of REGEX, SUBSTR, REPLACE or GROUP_CONCAT stand too deep in each other: ask in parts"
    )]
    TooTwisted,
    /// It has too many parts.
    #[error(
        "the query has {parts} triples, groups, path steps and operators, {PARTS_LIMIT} at most: ask in parts"
    )]
    TooComplex {
        /// How many it has.
        parts: usize,
    },
    /// None of the formats asked for can hold such an answer.
    #[error("a {form:?} query cannot be written in the formats asked for: ask for one of {fitting}")]
    Format {
        /// What the query asks for.
        form: QueryForm,
        /// Media types that would do.
        fitting: String,
    },
    /// It ran longer than it may.
    #[error("the query ran longer than {} ms: narrow it, or add a LIMIT", .timeout.as_millis())]
    Timeout {
        /// How long it may run.
        timeout: Duration,
    },
    /// It computes a text that is too long.
    #[error(transparent)]
    TooLarge(Box<dyn std::error::Error + Send + Sync>),
    /// It holds too much at once.
    #[error("the query needs more than {} MiB of memory: narrow it, sort and group less, or add a LIMIT", .bytes >> 20)]
    Memory {
        /// How much it may hold.
        bytes: u64,
    },
    /// It cannot be evaluated.
    #[error("the query cannot be evaluated: {0}")]
    Evaluation(#[source] Box<QueryEvaluationError>),
    /// The store failed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The answer could not be written.
    #[error("the answer cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The evaluator broke: a bug.
    #[error("the query broke its evaluator ({0}): please report it")]
    Broken(String),
}

impl SparqlError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "sparql-syntax",
            Self::Update => "sparql-update",
            Self::Service => "sparql-service",
            Self::TooLong { .. }
            | Self::TooDeep
            | Self::TooTwisted
            | Self::TooComplex { .. }
            | Self::TooLarge(_)
            | Self::Memory { .. } => "sparql-too-large",
            Self::Format { .. } => "sparql-format",
            Self::Timeout { .. } => "sparql-timeout",
            Self::Evaluation(_) => "sparql-evaluation",
            Self::Graph(error) => error.code(),
            Self::Write(_) => "sparql-write",
            Self::Broken(_) => "sparql-broken",
        }
    }
}
