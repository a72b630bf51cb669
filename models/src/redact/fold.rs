//! How does a text read when its way of writing does not count, and where in the original does each part stand?

use std::borrow::Cow;
use std::ops::Range;

/// A text with some characters written another way, and the way back.
pub(super) struct Folded<'a> {
    text: Cow<'a, str>,
    /// For each byte, and for the end, where the character that it comes from starts; empty when nothing changed.
    origins: Vec<usize>,
}

impl<'a> Folded<'a> {
    /// Typographic spaces and hyphens as the ASCII ones that rules look for.
    pub(super) fn spacing(text: &'a str) -> Self {
        if text.chars().all(|c| spacing(c) == c) {
            return Self { text: Cow::Borrowed(text), origins: Vec::new() };
        }
        Self::new(text, |c| std::iter::once(spacing(c)))
    }

    /// Every letter in its folded case, so that `GROẞ`, `Groß` and `gross` read the same; ASCII text stays as it is.
    pub(super) fn case(text: &'a str) -> Self {
        if text.is_ascii() {
            return Self { text: Cow::Borrowed(text), origins: Vec::new() };
        }
        Self::new(text, folded_case)
    }

    fn new<I: Iterator<Item = char>>(text: &str, fold: impl Fn(char) -> I) -> Self {
        let mut folded = String::with_capacity(text.len());
        let mut origins = Vec::with_capacity(text.len() + 1);
        for (at, c) in text.char_indices() {
            folded.extend(fold(c));
            origins.resize(folded.len(), at);
        }
        origins.push(text.len());
        Self { text: Cow::Owned(folded), origins }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The original range of a folded one; none if it splits a character of the original.
    pub(super) fn origin(&self, range: Range<usize>) -> Option<Range<usize>> {
        if self.origins.is_empty() {
            return Some(range);
        }
        let at = |at: usize| {
            let origin = self.origins[at];
            (at == 0 || self.origins[at - 1] != origin).then_some(origin)
        };
        Some(at(range.start)?..at(range.end)?)
    }
}

/// A value in folded case, to compare by.
pub(super) fn caseless(value: &str) -> String {
    value.chars().flat_map(folded_case).collect()
}

fn spacing(c: char) -> char {
    match c {
        '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' => ' ',
        '\u{2010}'..='\u{2013}' => '-',
        other => other,
    }
}

/// Lower case by way of upper case, which writes `ß` and `ẞ` as two letters.
fn folded_case(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}
