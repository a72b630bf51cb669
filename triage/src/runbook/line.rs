//! What does a line of a runbook say that a machine can do? `Run: ACTION name=value …; undo: ACTION name=value …`, read strictly.
//!
//! ```text
//! Run: restart-service service=print-spooler host={ci}; undo: start-service service=print-spooler host={ci}
//! ```
//! A value is plain (letters, digits and `. _ : / @ + , -`), quoted (`"Tray 2"`, with `\"` and `\\`), or one placeholder: `{ci}`, `{service}` or
//! `{ticket}`. The line may stand in a list and be marked as code.

use super::Call;
use super::actions::Hit;

/// What such a line begins with.
const RUN: &str = "Run:";
/// What stands before its undoing.
const UNDO: &str = "undo:";
/// Characters of a line, of a name, of a value; arguments of an action.
const LINE: usize = 1000;
const NAME: usize = 64;
const VALUE: usize = 256;
const ARGUMENTS: usize = 16;

/// A line as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) call: Written,
    pub(super) undo: Option<Written>,
}

/// An action as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) action: String,
    pub(super) arguments: Vec<(String, Value)>,
}

/// What an argument is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Fill(Fill),
}

/// What of the ticket stands in the place of a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// The configuration item that its source says is hit.
    Item,
    /// The service that its source says is hit.
    Service,
    /// The ticket's own number.
    Ticket,
}

/// Reads a line; nothing where it is none for a machine.
///
/// # Errors
/// What is wrong with it, for whoever wrote it.
pub(super) fn read(line: &str) -> Option<Result<Line, String>> {
    let line = without_marker(line.trim());
    let line = line.strip_prefix('`').and_then(|line| line.strip_suffix('`')).unwrap_or(line);
    let rest = line.strip_prefix(RUN)?;
    if rest.chars().count() > LINE {
        return Some(Err(format!("it is longer than {LINE} characters")));
    }
    Some(Reader { rest }.line())
}

/// A line without the mark of its list.
fn without_marker(line: &str) -> &str {
    let bullet = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark));
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let numbered = || {
        let rest = line.get(digits..).filter(|_| digits > 0)?;
        rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "))
    };
    bullet.or_else(numbered).unwrap_or(line).trim_start()
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn line(mut self) -> Result<Line, String> {
        let call = self.call()?;
        let undo = if self.skipped(';') {
            self.rest = self.rest.trim_start();
            let after = self.rest.strip_prefix(UNDO);
            self.rest = after.ok_or_else(|| format!("{UNDO} has to stand behind the semicolon"))?;
            Some(self.call()?)
        } else {
            None
        };
        match self.rest.trim_start().chars().next() {
            None => Ok(Line { call, undo }),
            Some(other) => Err(format!("{other:?} is not understood there")),
        }
    }

    fn call(&mut self) -> Result<Written, String> {
        let action = self.name("the name of an action")?;
        let mut arguments: Vec<(String, Value)> = Vec::new();
        loop {
            let is_apart = self.rest.starts_with(char::is_whitespace);
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(';') {
                return Ok(Written { action, arguments });
            }
            if !is_apart {
                return Err(format!("a space has to stand before {:?}", first_word(self.rest)));
            }
            let name = self.name("the name of an argument")?;
            if !self.skipped('=') {
                return Err(format!("{name} has no value: write {name}=value"));
            }
            let value = self.value().map_err(|problem| format!("{name}: {problem}"))?;
            if arguments.iter().any(|(earlier, _)| *earlier == name) {
                return Err(format!("{name} is given twice"));
            }
            if arguments.len() == ARGUMENTS {
                return Err(format!("more than {ARGUMENTS} arguments"));
            }
            arguments.push((name, value));
        }
    }

    /// A small letter, then small letters, digits, `-` and `_`.
    fn name(&mut self, what: &str) -> Result<String, String> {
        self.rest = self.rest.trim_start();
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let length = self.rest.len() - self.rest.trim_start_matches(is_part).len();
        let (name, rest) = self.rest.split_at(length);
        if !is_name(name) {
            return Err(format!(
                "{what} is wanted before {:?}: a small letter, then small letters, digits, - and _",
                first_word(self.rest)
            ));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.skipped('"') {
            return self.quoted().map(Value::Text);
        }
        if self.skipped('{') {
            let (name, rest) = self.rest.split_once('}').ok_or("the brace is not closed")?;
            let fill = match name {
                "ci" => Fill::Item,
                "service" => Fill::Service,
                "ticket" => Fill::Ticket,
                _ => return Err("only {ci}, {service} and {ticket} can be filled in".to_owned()),
            };
            self.rest = rest;
            return Ok(Value::Fill(fill));
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._:/@+,-".contains(c);
        let length = self.rest.len() - self.rest.trim_start_matches(is_part).len();
        let (value, rest) = self.rest.split_at(length);
        if value.is_empty() {
            return Err("it has no value; put other characters between straight quotes".to_owned());
        }
        self.rest = rest;
        short(value.to_owned()).map(Value::Text)
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return short(value);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    _ => return Err("behind a backslash only a quote or a backslash stands".to_owned()),
                },
                _ => value.push(c),
            }
        }
        Err("the quote is not closed".to_owned())
    }

    fn skipped(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// Whether this is the name of an action or an argument.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= NAME && text.chars().all(is_part)
}

fn short(value: String) -> Result<String, String> {
    if is_plain(&value) { Ok(value) } else { Err(format!("a value has 1 to {VALUE} visible characters")) }
}

/// Whether a value may stand in an argument at all, whoever wrote it.
pub(super) fn is_plain(value: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !value.trim().is_empty() && value.chars().count() <= VALUE && !value.chars().any(hidden)
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or("the end").chars().take(20).collect()
}

impl Written {
    /// With what is known of the ticket in the place of placeholders.
    ///
    /// # Errors
    /// Why one of them cannot be filled in.
    pub(super) fn fill(&self, hit: &Hit) -> Result<Call, String> {
        let filled = |(name, value): &(String, Value)| {
            let value = match value {
                Value::Text(text) => text.clone(),
                Value::Fill(Fill::Item) => only(&hit.items, "{ci}", "configuration item")?,
                Value::Fill(Fill::Service) => only(&hit.services, "{service}", "service")?,
                Value::Fill(Fill::Ticket) => hit.ticket.clone(),
            };
            Ok((name.clone(), value))
        };
        let arguments = self.arguments.iter().map(filled).collect::<Result<_, String>>()?;
        Ok(Call { action: self.action.clone(), arguments })
    }
}

/// The only one, since a machine does not choose.
fn only(names: &std::collections::BTreeSet<String>, placeholder: &str, what: &str) -> Result<String, String> {
    match names.len() {
        1 => Ok(names.iter().next().cloned().unwrap_or_default()),
        0 => Err(format!("nothing stands for {placeholder}: the ticket's own fields name no {what}")),
        several => Err(format!("{several} of the ticket's {what}s could stand for {placeholder}")),
    }
}

#[cfg(test)]
mod tests;
