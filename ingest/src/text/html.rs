//! What does HTML say? Its text, cut into sections at its headings.

mod depth;

use std::borrow::Cow;
use std::sync::LazyLock;

use html2text::config;
use html2text::render::TextDecorator;
use ontology::{Section, SectionKind};
use regex::Regex;

use super::{numbered_steps, plain, purpose};
use depth::depth;

/// Wide enough that no line of prose is wrapped.
const WIDTH: usize = 100_000;

/// Tags times their depth, and bytes times that depth, of a text that is rendered: the tree is built in as many steps as the one, and
/// what it says is copied as often as the other says.
const TAG_WORK: usize = 32 << 20;
const BYTE_WORK: usize = 1 << 30;

/// Whether a text holds tags of HTML.
pub(super) fn looks_like(text: &str) -> bool {
    static TAGS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)</?(p|br|div|span|ul|ol|li|table|tr|td|h[1-6]|strong|em|b|i|a|pre|code|font)(\s[^<>]*)?/?>",
        )
        .expect("a constant pattern")
    });
    TAGS.is_match(text)
}

/// The sections of a text in HTML; what stands before its first heading has the given kind.
pub(super) fn sections(html: &str, kind: SectionKind, is_runbook: bool) -> Vec<Section> {
    let text = text(html);
    let mut sections = Vec::new();
    let mut current = Section::new(kind, "");
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix(HEADING) {
            keep(current, &mut sections);
            let heading = heading.trim();
            let kind = purpose(heading, is_runbook).unwrap_or(SectionKind::Other);
            current = Section { heading: heading.to_owned(), ..Section::new(kind, "") };
        } else {
            current.text.push_str(line);
            current.text.push('\n');
        }
    }
    keep(current, &mut sections);
    sections
}

fn keep(section: Section, into: &mut Vec<Section>) {
    let text = plain(&section.text);
    if !text.is_empty() {
        let steps = numbered_steps(&text);
        into.push(Section { text, steps, ..section });
    }
}

/// Marks a line as a heading; no text has it, since control characters are taken out before.
const HEADING: char = '\u{1}';

fn text(html: &str) -> String {
    let html: String = html.chars().filter(|c| *c != HEADING && *c != '\0').collect();
    let (tags, depth) = depth(&html);
    if tags.saturating_mul(depth) > TAG_WORK || html.len().saturating_mul(depth) > BYTE_WORK {
        return without_tags(&html, " ").trim().to_owned();
    }
    config::with_decorator(Headings)
        .raw_mode(true)
        .allow_width_overflow()
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), WIDTH)
        .unwrap_or(html)
}

/// The text between tags and remarks, with something else in their place.
pub(super) fn without_tags<'h>(html: &'h str, instead: &str) -> Cow<'h, str> {
    static TAGS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)(?:<!--.*?(?:-->|\z)|</?[A-Za-z][^<>]*>)+").expect("a constant pattern")
    });
    TAGS.replace_all(html, instead)
}

/// Marks headings and items, and nothing else.
#[derive(Clone)]
struct Headings;

impl TextDecorator for Headings {
    type Annotation = ();

    fn decorate_link_start(&mut self, _url: &str) -> (String, ()) {
        Default::default()
    }
    fn decorate_link_end(&mut self) -> String {
        String::new()
    }
    fn decorate_em_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_em_end(&self) -> String {
        String::new()
    }
    fn decorate_strong_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_strong_end(&self) -> String {
        String::new()
    }
    fn decorate_strikeout_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }
    fn decorate_code_start(&self) -> (String, ()) {
        Default::default()
    }
    fn decorate_code_end(&self) -> String {
        String::new()
    }
    fn decorate_preformat_first(&self) {}
    fn decorate_preformat_cont(&self) {}
    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }
    fn header_prefix(&self, _level: usize) -> String {
        HEADING.to_string()
    }
    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }
    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }
    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }
    fn make_subblock_decorator(&self) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_cut_and_ordered_lists_are_steps() {
        let html = "<p>It <b>fails</b> &amp; stops.</p><h2>Resolution</h2><ol><li>Open <a href='x'>it</a></li>\
            <li>Close it</li></ol><h3>Notes</h3><pre>a\n  b</pre>";
        let sections = sections(html, SectionKind::Description, false);
        assert_eq!(sections[0].text, "It fails & stops.");
        assert_eq!((sections[1].kind, sections[1].heading.as_str()), (SectionKind::Resolution, "Resolution"));
        let steps: Vec<_> = sections[1].steps.iter().filter_map(|step| step.of(&sections[1].text)).collect();
        assert_eq!(steps, ["Open it", "Close it"]);
        assert_eq!((sections[2].kind, sections[2].text.as_str()), (SectionKind::Other, "a\n  b"));
    }

    #[test]
    fn deep_nesting_and_plain_text_are_borne() {
        assert!(!looks_like("if a < b and c > d"));
        let deep = format!("{}x{}", "<div>".repeat(20_000), "</div>".repeat(20_000));
        assert_eq!(sections(&deep, SectionKind::Description, false)[0].text, "x");
        let deeper = format!("{}&amp; x<hr>", "<ul><li>".repeat(1 << 20));
        assert_eq!(sections(&deeper, SectionKind::Description, false)[0].text, "&amp; x");
        let cells = format!("{}<td>srv01</td><td>10.0.0.1</td>", "<ul><li>".repeat(1 << 20));
        assert_eq!(sections(&cells, SectionKind::Description, false)[0].text, "srv01 10.0.0.1");
    }
}
