//! What is a text from which all that must not leave was taken, and what can be made of it?

use serde::Serialize;

use super::Category;

/// Text that went through a [`Redactor`](super::Redactor), or words of this program.
///
/// Prompts are built from nothing else, so text that was not redacted cannot reach a language model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    pub(super) text: String,
    pub(super) replacements: Vec<Replacement>,
}

impl Redacted {
    /// Words of this program, which hold nobody's text.
    #[must_use]
    pub fn of_program(words: &'static str) -> Self {
        Self { text: words.to_owned(), replacements: Vec::new() }
    }

    /// The text as data of a prompt: cut to so many characters, and unable to close a tag around it.
    #[must_use]
    pub fn as_data(&self, chars: usize) -> Self {
        let mut text: String =
            self.text.chars().take(chars).map(|c| if c == '<' { '‹' } else { c }).collect();
        if self.text.chars().nth(chars).is_some() {
            text.push_str(" […]");
        }
        Self { text, replacements: Vec::new() }
    }

    /// The text between words of this program.
    #[must_use]
    pub fn between(&self, before: &'static str, after: &'static str) -> Self {
        Self { text: format!("{before}{}{after}", self.text), replacements: Vec::new() }
    }

    /// Texts one below the other, each behind its label in brackets. Labels are this program's own: letters and digits.
    #[must_use]
    pub fn labelled<'a>(texts: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let mut list = String::new();
        for (label, Self { text, .. }) in texts {
            let label: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
            list.push_str(&format!("[{label}] {text}\n"));
        }
        Self { text: list, replacements: Vec::new() }
    }

    /// The text with placeholders.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A part of the original text, from one byte to another, as it stands here. Secrets that only their surroundings betray, a key's
    /// lines or a password told twice, stay hidden in it.
    #[must_use]
    pub fn part(&self, original: &str, start: usize, end: usize) -> String {
        let mut part = String::new();
        let mut at = start;
        for replaced in self.replacements.iter().filter(|one| one.start < end && one.end > start) {
            part.push_str(original.get(at..replaced.start.max(at)).unwrap_or_default());
            part.push_str(&replaced.placeholder);
            at = replaced.end.min(end);
        }
        part.push_str(original.get(at..end).unwrap_or_default());
        part
    }

    /// What was replaced, in order of place in the original; told of a text as it came out of redaction alone.
    #[must_use]
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }
}

/// One replaced stretch of the original text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replacement {
    /// What it was.
    pub category: Category,
    /// First byte in the original text.
    pub start: usize,
    /// Byte behind the last one in the original text.
    pub end: usize,
    /// What stands there now.
    pub placeholder: String,
}
