//! What is a command about? A record by any of its names, a ticket out of a file, or a question in words.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use engine::{Desk, Subject};
use ingest::{Item, Request};
use jiff::Timestamp;
use ontology::{Record, RecordId, Scope};

use crate::command::ingest::mapping_choice;
use crate::output::{self, WARN, paint};

/// Records listed when a name has several.
const LISTED: usize = 10;

/// A ticket that is not in the desk.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TicketFile {
    /// A file with one ticket, which need not be in the desk; `-` is standard input
    #[arg(long, value_name = "FILE")]
    ticket: Option<PathBuf>,
    /// The mapping to read the ticket with: a built-in one or a file [default: found out]
    #[arg(long, value_name = "NAME", requires = "ticket")]
    mapping: Option<String>,
}

impl TicketFile {
    /// Reads the ticket, if one was named.
    pub(crate) fn read(&self, now: Timestamp) -> anyhow::Result<Option<Subject>> {
        let Some(path) = &self.ticket else { return Ok(None) };
        let choice = self.mapping.as_deref().map(mapping_choice).transpose()?;
        if path != Path::new("-") {
            return Ok(Some(Subject::Ticket(Box::new(first_record(path, choice, now)?))));
        }
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let copy = folder.path().join("ticket");
        std::fs::write(&copy, stdin()?).context("cannot write to the temporary folder")?;
        Ok(Some(Subject::Ticket(Box::new(first_record(&copy, choice, now)?))))
    }
}

/// The first record of a file.
fn first_record(
    path: &Path,
    mapping: Option<ingest::MappingChoice>,
    now: Timestamp,
) -> anyhow::Result<Record> {
    let request =
        Request { paths: vec![path.to_owned()], source: None, mapping, observed: now, audience: Vec::new() };
    let mut found = None;
    let mut reasons = Vec::new();
    let mut others = 0_u64;
    for item in ingest::open(&request)? {
        match item {
            Item::Observation(observation) if found.is_none() => found = Some(observation.record),
            Item::Observation(_) => others += 1,
            Item::Rejected(rejected) => reasons.push(rejected.reason),
            Item::Skipped(skipped) => reasons.push(skipped.reason),
            Item::Quads(_) => reasons.push("it holds RDF, not a ticket".to_owned()),
        }
    }
    let Some(record) = found else {
        reasons.dedup();
        bail!("{} holds no ticket that can be read: {}", path.display(), reasons.join("; "));
    };
    if others > 0 {
        let more = output::count(others, "more record", "more records");
        output::note(paint(WARN, format!("{} is taken; {more} of the file left aside", record.id)));
    }
    Ok(record)
}

/// All of standard input, after a word to somebody who sits before it.
pub(crate) fn stdin() -> anyhow::Result<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        output::note("reading from the terminal; end with Ctrl-D");
    }
    let mut text = String::new();
    input.read_to_string(&mut text).context("cannot read standard input as UTF-8 text")?;
    Ok(text)
}

/// The one record that `name` names: its id (`servicenow:INC0010023`), number, host name or alias.
pub(crate) fn named(desk: &Desk, scope: &Scope, name: &str) -> anyhow::Result<RecordId> {
    let found = lookup(desk, scope, name)?;
    match found.as_slice() {
        [] => bail!("no record is called {name:?}: look for it with `triagraph search`"),
        [only] => Ok(only.clone()),
        several => bail!("{name:?} names {}: give one by its id", listed(several)),
    }
}

/// How many records, and the first of them.
fn listed(ids: &[RecordId]) -> String {
    let first: Vec<&str> = ids.iter().take(LISTED).map(RecordId::as_str).collect();
    let more = if ids.len() > LISTED { ", …" } else { "" };
    format!("{} records ({}{more})", ids.len(), first.join(", "))
}

fn lookup(desk: &Desk, scope: &Scope, name: &str) -> anyhow::Result<Vec<RecordId>> {
    if let Ok(id) = RecordId::new(name)
        && desk.record(scope, &id, None)?.is_some()
    {
        return Ok(vec![id]);
    }
    Ok(desk.find(scope, name)?)
}

/// A record when a single word names one, else a question in these words, else standard input.
pub(crate) fn record_or_text(desk: &Desk, scope: &Scope, words: &[String]) -> anyhow::Result<Subject> {
    let text = match words {
        [] => stdin()?,
        [only] if only == "-" => stdin()?,
        [only] if !only.trim().is_empty() => {
            let found = lookup(desk, scope, only)?;
            let is_word = !only.trim().contains(char::is_whitespace);
            match found.as_slice() {
                [id] if is_word || id.as_str() == only => return Ok(Subject::Record(id.clone())),
                [] if is_word => {
                    output::note(format!("no record is called {only:?}; it is taken as a question"))
                }
                several if is_word => {
                    output::note(format!("{only:?} names {}; it is taken as a question", listed(several)));
                }
                _ => {}
            }
            only.clone()
        }
        several => several.join(" "),
    };
    ensure!(
        !text.trim().is_empty(),
        "there is no question: give words, a record's name, or text on standard input"
    );
    Ok(Subject::Text(text))
}
