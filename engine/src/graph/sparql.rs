//! What does the graph answer? SPARQL 1.1 queries over what the caller may see, on one snapshot, within limits.

mod error;
mod size;

use std::cell::Cell;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use oxigraph::io::RdfSerializer;
use oxigraph::sparql::results::QueryResultsSerializer;
use spareval::{QueryEvaluationError, QueryEvaluator, QueryResults};
use spargebra::{Query, SparqlParser};

use super::deadline;
use super::export::{PREFIXES, with_prefixes};
use super::format::{QueryForm, Serializer, SparqlFormat};
use super::memory;
use super::rows::{Refused, prepare};
use super::store::Snapshot;
use super::view::{Allowed, View, ViewError};

pub use error::SparqlError;

/// Stack of the thread that evaluates; reserved, not used, by queries that do not need it.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// What a query may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SparqlLimits {
    /// How long it may run, from parsing to the last byte.
    pub timeout: Duration,
    /// How many rows (or triples) are given at most.
    pub max_rows: u64,
    /// After how many bytes no further row is given.
    pub max_bytes: u64,
    /// How many bytes its rows may hold in memory at once, roughly.
    pub memory_bytes: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SparqlOutcome {
    /// What the query asked for.
    pub form: QueryForm,
    /// The format that was chosen.
    pub format: SparqlFormat,
    /// Rows or triples given; 1 for `ASK`.
    pub rows: u64,
    /// Why there are no more rows, when there might be more.
    pub truncated: Option<Truncation>,
    /// The log position that the answer shows.
    pub position: u64,
}

/// Which limit cut an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    /// [`SparqlLimits::max_rows`].
    Rows,
    /// [`SparqlLimits::max_bytes`].
    Bytes,
}

impl Snapshot<'_> {
    /// Answers a query in the first of `formats` that fits its form.
    ///
    /// The default graph is the union of all graphs that `allowed` lets through (given the IRI of the record that a graph
    /// belongs to), and the named graphs are these. The prefixes of our vocabularies need no declaration. After an error,
    /// what `out` holds is no whole answer.
    ///
    /// It runs on a thread of its own: that one's stack is deep enough for the recursion of any query that the limits let
    /// in, and at the deadline, or when it holds too much, it is unwound.
    ///
    /// # Errors
    /// [`SparqlError`].
    pub(crate) fn sparql(
        self,
        query: &str,
        formats: &[SparqlFormat],
        limits: SparqlLimits,
        allowed: Option<Allowed<'_>>,
        out: &mut (impl Write + Send),
    ) -> Result<SparqlOutcome, SparqlError> {
        let until = Instant::now() + limits.timeout;
        size::check(query)?;
        let joined = std::thread::scope(|scope| {
            let run = move || {
                deadline::set(until);
                memory::set(limits.memory_bytes);
                self.evaluate(query, formats, limits, allowed, out)
            };
            let thread = std::thread::Builder::new().name("sparql".into()).stack_size(STACK_BYTES);
            thread.spawn_scoped(scope, run).map(std::thread::ScopedJoinHandle::join)
        });
        joined.map_err(SparqlError::Write)?.unwrap_or_else(|payload| {
            if deadline::is_expired(&*payload) {
                return Err(SparqlError::Timeout { timeout: limits.timeout });
            }
            if memory::is_exceeded(&*payload) {
                return Err(SparqlError::Memory { bytes: limits.memory_bytes });
            }
            let said = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
            Err(SparqlError::Broken(said.unwrap_or_default()))
        })
    }

    fn evaluate(
        &self,
        query: &str,
        formats: &[SparqlFormat],
        limits: SparqlLimits,
        allowed: Option<Allowed<'_>>,
        out: &mut impl Write,
    ) -> Result<SparqlOutcome, SparqlError> {
        let mut query = parse(query)?;
        let form = form(&query);
        let format = choose(formats, form)?;
        prepare(&mut query).map_err(|refused| match refused {
            Refused::Service => SparqlError::Service,
            Refused::Parts(parts) => SparqlError::TooComplex { parts },
        })?;
        let evaluator = QueryEvaluator::new();
        let results = evaluator.prepare(&query).execute(View::new(self, allowed)).map_err(evaluation)?;
        let (rows, truncated) = write(results, format, limits, out)?;
        Ok(SparqlOutcome { form, format, rows, truncated, position: self.position() })
    }
}

/// Writes rows until there are no more or a limit is reached; returns how many, and the limit.
fn write(
    results: QueryResults<'_>,
    format: SparqlFormat,
    limits: SparqlLimits,
    out: &mut impl Write,
) -> Result<(u64, Option<Truncation>), SparqlError> {
    let bytes = Cell::new(0);
    let out = Counted { out, bytes: &bytes };
    match (results, format.serializer()) {
        (QueryResults::Boolean(yes), Serializer::Table(format)) => {
            QueryResultsSerializer::from_format(format)
                .serialize_boolean_to_writer(out, yes)
                .map_err(SparqlError::Write)?;
            Ok((1, None))
        }
        (QueryResults::Solutions(solutions), Serializer::Table(format)) => {
            let mut table = QueryResultsSerializer::from_format(format)
                .serialize_solutions_to_writer(out, solutions.variables().to_vec())
                .map_err(SparqlError::Write)?;
            let written = each_row(solutions, limits, &bytes, |row| table.serialize(&row))?;
            table.finish().map_err(SparqlError::Write)?;
            Ok(written)
        }
        (QueryResults::Graph(triples), Serializer::Triples(format)) => {
            let mut graph = with_prefixes(RdfSerializer::from_format(format)).for_writer(out);
            let written = each_row(triples, limits, &bytes, |triple| graph.serialize_triple(&triple))?;
            graph.finish().map_err(SparqlError::Write)?;
            Ok(written)
        }
        (QueryResults::Boolean(_) | QueryResults::Solutions(_) | QueryResults::Graph(_), _) => {
            Err(SparqlError::Broken("the format does not fit the form".into()))
        }
    }
}

fn each_row<T>(
    rows: impl Iterator<Item = Result<T, QueryEvaluationError>>,
    limits: SparqlLimits,
    bytes: &Cell<u64>,
    mut write: impl FnMut(T) -> io::Result<()>,
) -> Result<(u64, Option<Truncation>), SparqlError> {
    let mut written = 0;
    for row in rows {
        deadline::tick();
        let row = row.map_err(evaluation)?;
        if written >= limits.max_rows {
            return Ok((written, Some(Truncation::Rows)));
        }
        if bytes.get() >= limits.max_bytes {
            return Ok((written, Some(Truncation::Bytes)));
        }
        write(row).map_err(SparqlError::Write)?;
        written += 1;
    }
    Ok((written, None))
}

/// Counts what goes through.
struct Counted<'a, W> {
    out: W,
    bytes: &'a Cell<u64>,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.bytes.set(self.bytes.get() + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn parser() -> SparqlParser {
    PREFIXES.into_iter().fold(SparqlParser::new(), |parser, (prefix, namespace)| {
        // The namespaces are constants and IRIs, so this never keeps the parser as it was.
        let plain = parser.clone();
        parser.with_prefix(prefix, namespace).unwrap_or(plain)
    })
}

fn parse(query: &str) -> Result<Query, SparqlError> {
    parser().parse_query(query).map_err(|error| match parser().parse_update(query) {
        Ok(update) if !update.operations.is_empty() => SparqlError::Update,
        _ => SparqlError::Syntax(Box::new(error)),
    })
}

fn form(query: &Query) -> QueryForm {
    match query {
        Query::Select { .. } => QueryForm::Select,
        Query::Ask { .. } => QueryForm::Ask,
        Query::Construct { .. } => QueryForm::Construct,
        Query::Describe { .. } => QueryForm::Describe,
    }
}

fn choose(formats: &[SparqlFormat], form: QueryForm) -> Result<SparqlFormat, SparqlError> {
    formats.iter().copied().find(|format| format.fits(form)).ok_or_else(|| {
        let fitting = SparqlFormat::ALL.into_iter().filter(|format| format.fits(form));
        let fitting: Vec<&str> = fitting.map(SparqlFormat::media_type).collect();
        SparqlError::Format { form, fitting: fitting.join(", ") }
    })
}

fn evaluation(error: QueryEvaluationError) -> SparqlError {
    match error {
        QueryEvaluationError::Dataset(source) => match source.downcast::<ViewError>() {
            Ok(too_long) if matches!(*too_long, ViewError::TooLong { .. }) => SparqlError::TooLarge(too_long),
            Ok(other) => SparqlError::Evaluation(Box::new(QueryEvaluationError::Dataset(other))),
            Err(other) => SparqlError::Evaluation(Box::new(QueryEvaluationError::Dataset(other))),
        },
        other => SparqlError::Evaluation(Box::new(other)),
    }
}
