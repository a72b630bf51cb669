//! `sparql`, `export`: what does the graph say, and how does it get out?

mod table;

use std::fs::Permissions;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use engine::{Desk, ExportFormat, SparqlFormat, SparqlLimits, SparqlOutcome};
use ontology::Scope;

use crate::cli::Outcome;
use crate::command::subject::stdin;
use crate::output::{self, WARN, paint};
use crate::settings::Global;

/// Rows of a table on a terminal, unless a limit is given.
const TABLE_ROWS: u64 = 200;
/// What the rows of a query may hold in memory at once.
const MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Ask the graph in SPARQL 1.1.
#[derive(Debug, Args)]
pub(crate) struct Sparql {
    /// The query; `-` or nothing reads it from standard input
    query: Option<String>,
    /// Read the query from a file
    #[arg(long, conflicts_with = "query", value_name = "FILE")]
    file: Option<PathBuf>,
    /// table, json, xml, csv or tsv; for triples turtle, ntriples, rdfxml or json-ld [default: table on a terminal, else tsv; turtle for triples]
    #[arg(long, value_parser = parse_format, value_name = "FORMAT")]
    format: Option<Shape>,
    /// Give up after this time
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    timeout_seconds: u64,
    /// How many rows or triples at most [default: 200 in a table, else all]
    #[arg(long, short = 'n', value_name = "ROWS")]
    limit: Option<u64>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Table,
    Format(SparqlFormat),
}

fn parse_format(name: &str) -> Result<Shape, String> {
    if name == "table" {
        return Ok(Shape::Table);
    }
    let known =
        "the formats are table, json, xml, csv, tsv, turtle, ntriples, rdfxml, json-ld, trig and nquads";
    SparqlFormat::from_name(name).map(Shape::Format).ok_or_else(|| known.to_owned())
}

impl Sparql {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let query = self.query()?;
        let shape = match self.format {
            None if global.json => Shape::Format(SparqlFormat::Json),
            None if io::stdout().is_terminal() => Shape::Table,
            None => Shape::Format(SparqlFormat::Tsv),
            Some(shape) => shape,
        };
        let formats = match (shape, self.format) {
            (Shape::Table, _) => vec![SparqlFormat::Json, SparqlFormat::Turtle],
            (Shape::Format(SparqlFormat::Json), None) => vec![SparqlFormat::Json, SparqlFormat::JsonLd],
            (Shape::Format(format), None) => vec![format, SparqlFormat::Turtle],
            (Shape::Format(format), Some(_)) => vec![format],
        };
        let rows = if shape == Shape::Table { TABLE_ROWS } else { u64::MAX };
        let limits = SparqlLimits {
            timeout: Duration::from_secs(self.timeout_seconds),
            max_rows: self.limit.unwrap_or(rows),
            max_bytes: u64::MAX,
            memory_bytes: MEMORY_BYTES,
        };
        let desk = global.open_to_read("sparql")?;
        let scope = global.scope();
        let outcome = if shape == Shape::Table {
            let mut answer = Vec::new();
            let outcome = desk.sparql(&scope, &query, &formats, limits, &mut answer)?;
            match outcome.format {
                SparqlFormat::Json => output::line(table::render(&answer, output::width())?),
                _ => output::line(String::from_utf8_lossy(&answer).trim_end()),
            }
            outcome
        } else {
            stream(&desk, &scope, &query, &formats, limits)?
        };
        if outcome.truncated.is_some() {
            let told = format!("cut after {} rows; for more give a higher --limit", outcome.rows);
            output::note(paint(WARN, told));
        }
        Ok(Outcome::Fine)
    }

    fn query(&self) -> anyhow::Result<String> {
        let query = match (&self.file, self.query.as_deref()) {
            (Some(file), _) => {
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
            }
            (None, None | Some("-")) => stdin()?,
            (None, Some(query)) => query.to_owned(),
        };
        ensure!(
            !query.trim().is_empty(),
            "there is no query: give it as an argument, with --file, or on standard input"
        );
        Ok(query)
    }
}

/// Writes an answer as it comes. A reader that went away ends the program quietly.
fn stream(
    desk: &Desk,
    scope: &Scope,
    query: &str,
    formats: &[SparqlFormat],
    limits: SparqlLimits,
) -> anyhow::Result<SparqlOutcome> {
    let mut out = BufWriter::new(Quiet(io::stdout()));
    let outcome = desk.sparql(scope, query, formats, limits, &mut out)?;
    if matches!(outcome.format, SparqlFormat::Json | SparqlFormat::Xml | SparqlFormat::JsonLd) {
        writeln!(out)?;
    }
    out.flush()?;
    Ok(outcome)
}

/// Write the whole graph as TriG or N-Quads.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// trig or nquads
    #[arg(long, default_value = "trig", value_parser = parse_export_format, value_name = "FORMAT")]
    format: ExportFormat,
    /// The file to write; it appears whole or not at all [default: standard output]
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
}

fn parse_export_format(name: &str) -> Result<ExportFormat, String> {
    match name {
        "trig" => Ok(ExportFormat::TriG),
        "nquads" | "nq" => Ok(ExportFormat::NQuads),
        _ => Err("the formats are trig and nquads".to_owned()),
    }
}

impl Export {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open_to_read("export")?;
        let scope = global.scope();
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"));
        let Some(path) = path else {
            let mut out = Quiet(io::stdout().lock());
            desk.export(&scope, self.format, &mut out)?;
            return Ok(Outcome::Fine);
        };
        let quads = write_whole(path, |file| Ok(desk.export(&scope, self.format, file)?))?;
        if global.json {
            output::json(
                &serde_json::json!({ "file": path, "quads": quads, "generation": desk.generation() }),
            )?;
        } else {
            output::line(format!("{} written to {}", output::count(quads, "quad", "quads"), path.display()));
        }
        Ok(Outcome::Fine)
    }
}

/// Writes a file under another name first, so that nobody sees half of it. What is no plain file, such as a pipe, is written
/// as it is.
fn write_whole<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let cannot = || format!("cannot write {}", path.display());
    if path.metadata().is_ok_and(|known| !known.is_file()) {
        let mut file = std::fs::File::options().write(true).open(path).with_context(cannot)?;
        return write(&mut file);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".export-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .with_context(cannot)?;
    let written = write(&mut file)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(written)
}

/// Standard output whose reader may go away: then the program ends quietly.
struct Quiet<W>(W);

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self.0.write(buffer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            flushed => flushed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.nq");
        let failed = write_whole(&path, |file| {
            file.write_all(b"half")?;
            anyhow::bail!("no more") as anyhow::Result<()>
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        write_whole(&path, |file| Ok(file.write_all(b"whole")?)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_ne!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o044, 0, "others may read it");
    }

    #[test]
    fn formats_are_known_by_name_and_ending() {
        assert_eq!(parse_format("table"), Ok(Shape::Table));
        assert_eq!(parse_format("ttl"), Ok(Shape::Format(SparqlFormat::Turtle)));
        assert!(parse_format("docx").unwrap_err().contains("turtle"));
    }
}
