//! What is a command about? A record by any of its names, tickets from outside, or a question in words.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use engine::{Desk, Subject};
use ingest::{Format, Item, MappingChoice, Request};
use jiff::Timestamp;
use ontology::{Kind, Record, RecordId, Scope, Section, SectionKind};

use crate::command::ingest::mapping_choice;
use crate::output::{self, WARN, paint};

/// Records listed when a name has several.
const LISTED: usize = 10;
/// Characters of the first line of a plain text that make a title.
const TITLE_CHARS: usize = 120;
/// Longest plain text that is taken as a ticket.
const PLAIN_BYTES: u64 = 1 << 20;
/// Longest name of a column.
const COLUMN_CHARS: usize = 40;

/// A ticket that is not in the desk.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TicketFile {
    /// A file with one ticket, which need not be in the desk; `-` is standard input. Plain text is a ticket too
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
        let mut records = tickets(path, self.mapping.as_deref(), now)?.into_iter();
        let record = records.next().context("there is no ticket")?;
        if records.len() > 0 {
            let more = output::count(records.len() as u64, "more record", "more records");
            output::note(paint(WARN, format!("{} is taken; {more} of the file left aside", record.id)));
        }
        Ok(Some(Subject::Ticket(Box::new(record))))
    }
}

/// The tickets of a file, or of standard input for `-`: in any format that `ingest` reads, else as plain text. What looks
/// like JSON or a table is never taken for plain text: what is wrong with it is the error.
pub(crate) fn tickets(path: &Path, mapping: Option<&str>, now: Timestamp) -> anyhow::Result<Vec<Record>> {
    let mapping = mapping.map(mapping_choice).transpose()?;
    if path == Path::new("-") {
        return of_text(&stdin()?, "stdin", "standard input", mapping, now);
    }
    let name = path.to_string_lossy();
    let is_zip = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
    if is_zip || Format::of_name(&name).is_some() || !path.is_file() {
        return structured(path, &name, mapping, now);
    }
    let bytes = std::fs::metadata(path).with_context(|| format!("cannot read {name}"))?.len();
    ensure!(
        bytes <= PLAIN_BYTES,
        "{name} is too long for a ticket in plain text, and its ending names no format: {}",
        Format::KNOWN
    );
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name} as UTF-8 text"))?;
    of_text(&text, "file", &name, mapping, now)
}

/// Reads a text of which no name tells the format; `place` is what errors call it.
fn of_text(
    text: &str,
    source: &str,
    place: &str,
    mapping: Option<MappingChoice>,
    now: Timestamp,
) -> anyhow::Result<Vec<Record>> {
    let text = text.trim_start_matches('\u{feff}');
    ensure!(!text.trim().is_empty(), "there is no ticket on {place}: it is empty");
    let look = look(text);
    let is_asked = mapping.is_some();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let ending = match text.trim_start().chars().next() {
        Some('{') if lines.clone().count() > 1 && lines.all(|line| line.starts_with('{')) => "jsonl",
        Some('{' | '[') => "json",
        _ if mapping.is_some() || look != Look::Prose => "csv",
        _ => return Ok(vec![plain(text.trim(), source)?]),
    };
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let copy = folder.path().join(format!("{source}.{ending}"));
    std::fs::write(&copy, text).context("cannot write to the temporary folder")?;
    match structured(&copy, place, mapping, now) {
        Err(_) if ending == "csv" && !is_asked && look == Look::PerhapsTable => {
            Ok(vec![plain(text.trim(), source)?])
        }
        read => read,
    }
}

/// What a text looks like that is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Table,
    /// Its first line might be a header, or words between commas.
    PerhapsTable,
    Prose,
}

/// A table begins with a header, names of columns that are short and in no sentence, and has rows below.
fn look(text: &str) -> Look {
    let mut lines = text.trim_start().lines();
    let header = lines.next().unwrap_or_default();
    let Some(separator) = [',', ';', '\t'].into_iter().find(|separator| header.contains(*separator)) else {
        return Look::Prose;
    };
    let cells: Vec<&str> = header.trim_end_matches(separator).split(separator).collect();
    let is_name = |cell: &&str| {
        let name = cell.trim().trim_matches('"');
        (1..=COLUMN_CHARS).contains(&name.chars().count())
            && name.chars().all(|char| char.is_alphanumeric() || " _-./()#".contains(char))
    };
    if cells.len() < 2 || !cells.iter().all(is_name) || !lines.any(|line| line.contains(separator)) {
        return Look::Prose;
    }
    if cells.iter().any(|cell| cell.starts_with(' ')) { Look::PerhapsTable } else { Look::Table }
}

/// Reads a file as `ingest` does. Anything wrong in it is an error; what is left out on purpose is said.
fn structured(
    file: &Path,
    place: &str,
    mapping: Option<MappingChoice>,
    now: Timestamp,
) -> anyhow::Result<Vec<Record>> {
    let paths = vec![file.to_owned()];
    let request = Request { paths, source: None, mapping, observed: now, audience: Vec::new() };
    let named = |text: String| text.replace(&file.display().to_string(), place);
    let mut records = Vec::new();
    let mut skipped = 0_u64;
    let mut reasons = BTreeSet::new();
    let reader = ingest::open(&request);
    for item in reader.map_err(|error| anyhow!(named(output::in_one_line(&error.into()))))? {
        match item {
            Item::Observation(observation) => records.push(observation.record),
            Item::Rejected(rejected) => {
                let at = rejected.lineage.place.map(|at| format!(", {at}")).unwrap_or_default();
                bail!("{place} cannot be read{at}: {}", named(rejected.reason));
            }
            Item::Skipped(item) => {
                skipped += 1;
                reasons.insert(named(item.reason));
            }
            Item::Quads(_) => bail!("{place} holds RDF, not a ticket"),
        }
    }
    let reasons = reasons.into_iter().collect::<Vec<_>>().join("; ");
    ensure!(
        !records.is_empty(),
        "there is no ticket in {place}{}{reasons}",
        if skipped > 0 { ": " } else { "" }
    );
    if skipped > 0 {
        let items = output::count(skipped, "item", "items");
        output::note(paint(WARN, format!("{items} of {place} left out: {reasons}")));
    }
    Ok(records)
}

/// A ticket that somebody typed: the first line is the title.
fn plain(text: &str, source: &str) -> anyhow::Result<Record> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let title = output::shorten(first, TITLE_CHARS);
    let told = if rest.trim().is_empty() || title.ends_with('…') { text } else { rest.trim() };
    let mut record = Record::new(RecordId::new(&format!("{source}:ticket"))?, Kind::Incident, title);
    record.sections.push(Section::new(SectionKind::Description, told));
    Ok(record)
}

/// All of standard input, after a word to somebody who sits before it; without the mark that some editors begin with.
pub(crate) fn stdin() -> anyhow::Result<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        output::note("reading from the terminal; end with Ctrl-D");
    }
    let mut text = String::new();
    input.read_to_string(&mut text).context("cannot read standard input as UTF-8 text")?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The words of the command line, or standard input for none and for `-`.
pub(crate) fn text_or_stdin(words: &[String]) -> anyhow::Result<String> {
    let text = if words.is_empty() || words == ["-"] { stdin()? } else { words.join(" ") };
    ensure!(!text.trim().is_empty(), "there is no question: give it as words, or on standard input");
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
    if let [only] = words
        && only != "-"
        && !only.trim().is_empty()
    {
        let found = lookup(desk, scope, only)?;
        let is_word = !only.trim().contains(char::is_whitespace);
        match found.as_slice() {
            [id] if is_word || id.as_str() == only => return Ok(Subject::Record(id.clone())),
            [] if is_word => output::note(format!("no record is called {only:?}; it is taken as a question")),
            several if is_word => {
                output::note(format!("{only:?} names {}; it is taken as a question", listed(several)));
            }
            _ => {}
        }
    }
    Ok(Subject::Text(text_or_stdin(words)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_told_from_a_sentence() {
        let check = |text: &str, expected: Look| assert_eq!(look(text), expected, "{text}");
        check("number,short_description\nINC1,Mail", Look::Table);
        check("Ticket #;Summary;Opened (UTC)\n1;Mail;2026", Look::Table);
        check("\"id\"\t\"title\"\n1\tMail", Look::Table);
        check("id, title\n1, Mail", Look::PerhapsTable);
        check("Mail is slow, please help\nSince noon, all of it", Look::PerhapsTable);
        check("Mail is slow, since: noon\nThanks, Ada", Look::Prose);
        check("Hello,\nmail is slow, again.", Look::Prose);
        check("number,short_description", Look::Prose);
        check("Mail is slow", Look::Prose);
    }

    #[test]
    fn a_text_is_a_ticket_and_damaged_structure_is_an_error() {
        let read = |text: &str| of_text(text, "stdin", "standard input", None, Timestamp::UNIX_EPOCH);
        let titles = |text: &str| {
            let records = read(text).unwrap_or_else(|error| panic!("{error:#} in {text}"));
            records.into_iter().map(|record| record.title).collect::<Vec<_>>()
        };
        assert_eq!(titles("\u{feff}Mail is slow\nsince noon"), ["Mail is slow"]);
        assert_eq!(titles("Mail is slow, please help\nSince noon, all of it"), ["Mail is slow, please help"]);
        assert_eq!(titles("number,short_description\nINC1,Mail\nINC2,Disk\n"), ["Mail", "Disk"]);
        assert_eq!(titles("id, title\n1, Mail\n2, Disk\n"), ["Mail", "Disk"]);
        assert_eq!(titles("\u{feff}{\"id\": \"a\", \"title\": \"Mail\"}"), ["Mail"]);
        assert_eq!(
            titles("{\"id\": \"a\", \"title\": \"A\"}\n{\"id\": \"b\", \"title\": \"B\"}\n"),
            ["A", "B"]
        );
        for text in ["{\"id\": \"a\", \"title\": \"Ma", "[1, 2", "", "a,b\n1,2\n", "{} and so on"] {
            let said = read(text).expect_err(text).to_string();
            assert!(said.contains("standard input") && !said.contains("tmp"), "{said}");
        }
        assert_eq!(read("Mail is slow").unwrap()[0].id.as_str(), "stdin:ticket");
    }
}
