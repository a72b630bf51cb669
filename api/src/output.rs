//! How does an answer look? JSON for programs; for people text with colour, which a pipe does not get.

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

/// Emphasis.
pub(crate) const BOLD: Style = Style::new().bold();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Handles, ids.
pub(crate) const ID: Style = AnsiColor::Cyan.on_default();
/// Good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// To be looked at.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// Bad.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Text in a style; the stream strips it where it is no terminal.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a line to standard output. A reader that went away (`| head`) ends the program quietly; a full disk does not.
pub(crate) fn line(text: impl Display) {
    if let Err(error) = writeln!(anstream::stdout(), "{text}") {
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            note(format!("{} the answer cannot be written: {error}", paint(BAD, "error:")));
            std::process::exit(2);
        }
        std::process::exit(0);
    }
}

/// Writes a line to standard error.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// The chain of an error's causes in one line, without repeating what a cause already said.
pub(crate) fn in_one_line(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !message.contains(&cause) {
            if !message.is_empty() {
                message.push_str(": ");
            }
            message.push_str(&cause);
        }
    }
    message
}

/// Width of the terminal in columns, between 60 and 110.
pub(crate) fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100usize).clamp(60, 110)
}

/// Breaks text into lines of at most `width` columns, each after `indent` spaces; line breaks of the text stay.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut current = String::new();
        for word in paragraph.split_whitespace() {
            if !current.is_empty()
                && current.chars().count() + 1 + word.chars().count() > width.saturating_sub(indent)
            {
                lines.push(format!("{pad}{current}"));
                current.clear();
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(if current.is_empty() { String::new() } else { format!("{pad}{current}") });
    }
    lines.join("\n")
}

/// The beginning of a text, in one line of at most `length` characters.
pub(crate) fn shorten(text: &str, length: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= length {
        return flat;
    }
    let mut short: String = flat.chars().take(length.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A moment as people read it: the day, and the time in UTC where there is one.
pub(crate) fn moment(at: Timestamp) -> String {
    let text = at.strftime("%Y-%m-%d %H:%M").to_string();
    text.strip_suffix(" 00:00").map_or_else(|| text.clone(), str::to_owned)
}

/// A number with what it counts: `1 record`, `2 records`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_counts_read_well() {
        assert_eq!(moment("2026-11-01T00:00:00Z".parse().unwrap()), "2026-11-01");
        assert_eq!(moment("2026-11-01T08:05:59Z".parse().unwrap()), "2026-11-01 08:05");
        assert_eq!(
            (count(1, "page", "pages"), count(0, "page", "pages")),
            ("1 page".into(), "0 pages".into())
        );
    }

    #[test]
    fn text_is_wrapped_by_words_and_keeps_its_lines() {
        assert_eq!(wrap("one two three\n\nfour", 9, 2), "  one two\n  three\n\n  four");
        assert_eq!(shorten("a\n b   c", 10), "a b c");
        assert_eq!(shorten("abcdef", 4), "abc…");
    }
}
