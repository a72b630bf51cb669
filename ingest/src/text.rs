//! What does a field's text say without its markup? Plain text, sections with their purpose, and ordered steps.

mod adf;
mod headings;
mod html;
mod jira;
mod journal;
mod labels;
mod markdown;

use ontology::{Section, SectionKind, Span};

pub(crate) use adf::text as adf_text;
pub(crate) use headings::purpose;
pub(crate) use journal::{Entry, jira_comment, servicenow_journal};
pub(crate) use markdown::headings as markdown_headings;

/// How a text is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Markup {
    /// Not at all.
    #[default]
    Text,
    /// HTML where there are tags, none otherwise.
    Auto,
    Html,
    Markdown,
    /// The wiki markup of Jira.
    Jira,
    /// Plain text of a form, with parts such as `Environment:` and what stands behind it.
    Labels,
}

/// Turns a text into sections: one of the given kind, more where its headings say so.
pub(crate) fn sections(text: &str, markup: Markup, kind: SectionKind, is_runbook: bool) -> Vec<Section> {
    let mut sections = match markup {
        Markup::Markdown => markdown::sections(text, kind, is_runbook),
        Markup::Html => html::sections(text, kind, is_runbook),
        Markup::Auto if html::looks_like(text) => html::sections(text, kind, is_runbook),
        Markup::Labels if html::looks_like(text) => html::sections(text, kind, is_runbook),
        Markup::Labels => labels::sections(text, kind),
        Markup::Jira => one(&jira::text(text), kind),
        Markup::Text | Markup::Auto => one(text, kind),
    };
    for section in sections.iter_mut().filter(|section| section.heading.contains(char::is_control)) {
        section.heading = one_line(&section.heading, usize::MAX);
    }
    sections
}

fn one(text: &str, kind: SectionKind) -> Vec<Section> {
    let text = plain(text);
    if text.is_empty() {
        return Vec::new();
    }
    let steps = numbered_steps(&text);
    vec![Section { steps, ..Section::new(kind, text) }]
}

/// Text with `\n` line ends, without control characters, outer white space and more than one empty line in a row.
pub(crate) fn plain(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        let line: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let line = line.trim_end();
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n").trim_end().to_owned()
}

/// One line without control characters, cut at a number of characters.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= limit {
        return line;
    }
    let cut: String = line.chars().take(limit - 1).collect();
    format!("{}…", cut.trim_end())
}

/// Lines that are numbered from 1 without a gap, each up to the next one or an empty line.
pub(crate) fn numbered_steps(text: &str) -> Vec<Span> {
    let mut steps: Vec<Span> = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let next = if open.is_some() { steps.len() + 2 } else { 1 };
        let body = line.trim_start();
        let digits = body.bytes().take_while(u8::is_ascii_digit).count();
        let number = body[..digits].parse::<usize>().ok();
        let rest = body[digits..].strip_prefix(['.', ')']);
        let is_next = number == Some(next) && rest.is_some_and(|rest| rest.starts_with([' ', '\t']));
        if is_next {
            close(&mut steps, &mut open, text, at);
            let rest = rest.unwrap_or_default();
            let gap = rest.len() - rest.trim_start().len();
            open = Some(at + indent + digits + 1 + gap);
        } else if body.trim().is_empty()
            && !text[at + line.len()..].trim_start().starts_with(char::is_numeric)
        {
            if let Some(start) = open.take() {
                push(&mut steps, text, start, at);
            }
            if !steps.is_empty() {
                break;
            }
        }
        at += line.len();
    }
    close(&mut steps, &mut open, text, text.len());
    if steps.len() < 2 { Vec::new() } else { steps }
}

fn close(steps: &mut Vec<Span>, open: &mut Option<usize>, text: &str, end: usize) {
    if let Some(start) = open.take() {
        push(steps, text, start, end);
    }
}

/// Adds the span of a step without the white space after it.
fn push(steps: &mut Vec<Span>, text: &str, start: usize, end: usize) {
    let end = start + text.get(start..end).unwrap_or_default().trim_end().len();
    if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end))
        && end > start
    {
        steps.push(Span { start, end });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(text: &str) -> Vec<&str> {
        numbered_steps(text).into_iter().filter_map(|span| span.of(text)).collect()
    }

    #[test]
    fn numbered_lines_are_steps() {
        assert_eq!(
            steps("Do:\n1. Stop it\n   gently\n2. Start it\n\nThanks"),
            ["Stop it\n   gently", "Start it"]
        );
        assert_eq!(steps("1) a\n\n2) b\n"), ["a", "b"]);
        assert!(steps("Version\n1. is the only one").is_empty());
        assert!(steps("2. b\n3. c").is_empty());
    }

    #[test]
    fn plain_text_has_no_control_characters() {
        assert_eq!(plain("a\r\nb\0\u{7}\n\n\n\nc  \n"), "a\nb\n\nc");
        assert_eq!(one_line(" a\n b\0c ", 80), "a b c");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }

    #[test]
    fn headings_have_no_control_characters() {
        for (text, markup) in [
            ("x\n## a\u{1b}\tb", Markup::Markdown),
            ("x<h2>a\u{1b}b</h2>c", Markup::Html),
            ("x\nRoot\u{1b}cause: c", Markup::Labels),
        ] {
            let text = format!("{text}\n\nmore");
            let sections = sections(&text, markup, SectionKind::Description, false);
            assert!(["a b", "ab", "Root cause"].contains(&sections[1].heading.as_str()), "{sections:?}");
        }
    }

    proptest! {
        #[test]
        fn every_markup_gives_spans_that_fit(text in "(\\PC|[\n<>#*1-3.\\-`|\\[\\]{}/a-c ]){0,120}") {
            for markup in [Markup::Text, Markup::Auto, Markup::Html, Markup::Markdown, Markup::Jira, Markup::Labels] {
                for section in sections(&text, markup, SectionKind::Description, true) {
                    for step in &section.steps {
                        prop_assert!(step.of(&section.text).is_some_and(|step| !step.trim().is_empty()));
                    }
                }
            }
        }
    }
}
