//! What does Markdown say? Sections at its headings, plain text, ordered steps.

mod shortcodes;

use ontology::{Section, SectionKind};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::html::without_tags;
use super::{plain, purpose, push};
use shortcodes::without_shortcodes;

/// Headings below this level are lines of the section above them.
const SECTION_LEVELS: usize = 3;

/// Lists in lists that are indented; what is deeper stands below the last of them, or each line would be longer than the one before.
const INDENTED_LISTS: usize = 20;

/// All headings with their level, as plain text.
pub(crate) fn headings(markdown: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for event in Parser::new_ext(markdown, options()) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                found.push((level_number(level), String::new()));
                is_open = true;
            }
            Event::End(TagEnd::Heading(_)) => is_open = false,
            Event::Text(text) | Event::Code(text) if is_open => {
                if let Some((_, heading)) = found.last_mut() {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

/// The sections of a text: what stands before the first heading below the title has the given kind, a heading whose words tell
/// nothing takes over the purpose of the heading above it.
pub(super) fn sections(markdown: &str, kind: SectionKind, is_runbook: bool) -> Vec<Section> {
    let markdown = without_shortcodes(markdown);
    let mut writer = Writer::new(kind, is_runbook);
    for event in Parser::new_ext(&markdown, options()) {
        writer.take(event);
    }
    writer.finish_section();
    writer.done
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM
}

fn level_number(level: HeadingLevel) -> usize {
    level as usize
}

struct Writer {
    is_runbook: bool,
    done: Vec<Section>,
    current: Section,
    /// Purposes of the headings that are open, with their levels.
    above: Vec<(usize, SectionKind)>,
    /// Text of a heading that is being read, and its level.
    heading: Option<(usize, String)>,
    /// Lists that are open: the next number, or a bullet.
    lists: Vec<Option<u64>>,
    /// Where the open items of the outermost list began.
    item_start: Option<usize>,
    /// Ends of line due before the next text.
    breaks: usize,
    /// Bullets of the outermost list, in case they are all the steps there are.
    bullets: Vec<ontology::Span>,
    html: Option<String>,
}

impl Writer {
    fn new(kind: SectionKind, is_runbook: bool) -> Self {
        Self {
            is_runbook,
            done: Vec::new(),
            current: Section::new(kind, ""),
            above: Vec::new(),
            heading: None,
            lists: Vec::new(),
            item_start: None,
            breaks: 0,
            bullets: Vec::new(),
            html: None,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text)
            }
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            Event::Rule => self.block(),
            Event::Html(html) => match &mut self.html {
                Some(block) => block.push_str(&html),
                None => self.markup(&html),
            },
            Event::InlineHtml(html) => {
                if html.to_ascii_lowercase().starts_with("<br") {
                    self.text("\n");
                }
            }
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some((level_number(*level), String::new())),
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(*first);
            }
            Tag::Item => self.item(),
            Tag::Paragraph | Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::Table(_) => self.block(),
            Tag::TableRow => self.line(),
            Tag::HtmlBlock => self.html = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.block();
            }
            TagEnd::Item => {
                if self.lists.len() == 1
                    && let Some(start) = self.item_start.take()
                {
                    let is_ordered = matches!(self.lists[..], [Some(_)]);
                    let spans = if is_ordered { &mut self.current.steps } else { &mut self.bullets };
                    push(spans, &self.current.text, start, self.current.text.len());
                }
                self.line();
            }
            TagEnd::Paragraph | TagEnd::BlockQuote(_) | TagEnd::Table => self.block(),
            TagEnd::CodeBlock => {
                let trimmed = self.current.text.trim_end_matches('\n').len();
                self.current.text.truncate(trimmed);
                self.block();
            }
            TagEnd::TableCell => self.text(" | "),
            TagEnd::TableHead | TagEnd::TableRow => {
                let trimmed = self.current.text.trim_end_matches(" | ").len();
                self.current.text.truncate(trimmed);
                self.line();
            }
            TagEnd::HtmlBlock => {
                if let Some(html) = self.html.take() {
                    self.markup(&html);
                }
            }
            _ => {}
        }
    }

    /// Text of an HTML block: tags and remarks go.
    fn markup(&mut self, html: &str) {
        let text = without_tags(html, "");
        if !text.trim().is_empty() {
            self.block();
            self.text(text.trim());
            self.block();
        }
    }

    fn item(&mut self) {
        self.breaks = self.breaks.max(1);
        let depth = self.lists.len();
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        // The marker is written one level further out than the item's own lines.
        let own = self.lists.pop();
        self.write(&marker);
        self.lists.extend(own);
        if depth == 1 {
            self.item_start = Some(self.current.text.len());
        }
        self.breaks = 0;
    }

    fn block(&mut self) {
        let is_fresh_item =
            self.item_start == Some(self.current.text.len()) || self.current.text.ends_with("- ");
        if !is_fresh_item {
            self.breaks = self.breaks.max(if self.lists.is_empty() { 2 } else { 1 });
        }
    }

    fn line(&mut self) {
        self.breaks = self.breaks.max(1);
    }

    fn text(&mut self, text: &str) {
        match &mut self.heading {
            Some((_, heading)) => heading.push_str(text),
            None => self.write(text),
        }
    }

    /// Writes text, its lines indented below the item that they belong to.
    fn write(&mut self, text: &str) {
        let indent = "   ".repeat(self.lists.len().min(INDENTED_LISTS));
        let out = &mut self.current.text;
        if !out.is_empty() && self.breaks > 0 {
            let have = out.len() - out.trim_end_matches('\n').len();
            out.push_str(&"\n".repeat(self.breaks.saturating_sub(have)));
            out.push_str(&indent);
        }
        self.breaks = 0;
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                out.push('\n');
                if !line.is_empty() {
                    out.push_str(&indent);
                }
            }
            out.extend(line.chars().filter(|c| !c.is_control() || *c == '\t'));
        }
    }

    fn end_heading(&mut self) {
        let Some((level, heading)) = self.heading.take() else { return };
        let heading = heading.trim();
        if level > SECTION_LEVELS || !self.lists.is_empty() {
            self.block();
            self.write(heading);
            self.block();
            return;
        }
        self.finish_section();
        self.above.retain(|(above, _)| *above < level);
        let is_title = level == 1 && self.done.is_empty();
        if is_title {
            return;
        }
        let inherited = self.above.last().map(|(_, kind)| *kind);
        let kind = purpose(heading, self.is_runbook).or(inherited).unwrap_or(SectionKind::Other);
        if level > 1 {
            self.above.push((level, kind));
        }
        self.current = Section { heading: heading.to_owned(), ..Section::new(kind, "") };
    }

    fn finish_section(&mut self) {
        let kind = self.current.kind;
        let mut section = std::mem::replace(&mut self.current, Section::new(kind, ""));
        let bullets = std::mem::take(&mut self.bullets);
        (self.breaks, self.item_start) = (0, None);
        self.lists.clear();
        if section.steps.is_empty() && section.kind == SectionKind::Steps {
            section.steps = bullets;
        }
        section.text.truncate(section.text.trim_end().len());
        if !plain(&section.text).is_empty() {
            self.done.push(section);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(section: &Section) -> Vec<&str> {
        section.steps.iter().filter_map(|step| step.of(&section.text)).collect()
    }

    #[test]
    fn a_runbook_has_sections_with_ordered_steps() {
        let markdown = "# T\nIntro\nline.\n\n## Meaning\nIt `fails`.\n\n## Diagnosis\n1. Set it:\n\n   ```bash\n   $ export A=1\n   ```\n\
            2. Check [the page](x.md)\n   - one\n   - two\n\n## Mitigation\n\nTry:\n\n### Fast\n- Stop\n- Start\n\n#### Why\nbecause\n";
        let sections = sections(markdown, SectionKind::Description, true);
        let kinds: Vec<_> = sections.iter().map(|section| (section.kind, section.heading.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (SectionKind::Description, ""),
                (SectionKind::Description, "Meaning"),
                (SectionKind::Diagnosis, "Diagnosis"),
                (SectionKind::Steps, "Mitigation"),
                (SectionKind::Steps, "Fast"),
            ]
        );
        assert_eq!((sections[0].text.as_str(), sections[1].text.as_str()), ("Intro line.", "It fails."));
        assert_eq!(sections[2].text, "1. Set it:\n   $ export A=1\n2. Check the page\n   - one\n   - two");
        assert_eq!(steps(&sections[2]), ["Set it:\n   $ export A=1", "Check the page\n   - one\n   - two"]);
        assert_eq!(steps(&sections[4]), ["Stop", "Start"]);
        assert_eq!(sections[4].text, "- Stop\n- Start\n\nWhy\n\nbecause");
    }

    #[test]
    fn shortcodes_tables_remarks_and_tags_leave_their_text() {
        let markdown = "{{< hint info >}}\nSee [x]({{< ref \"./B.md\" >}}) and [y]({% page \"/t/#u\" %}).<br>Next\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n\
            <!-- gone -->\n<details><summary>More</summary>\n\ninside\n";
        let sections = sections(markdown, SectionKind::Description, false);
        assert_eq!(sections[0].text, "See x and y.\nNext\n\na | b\n1 | 2\n\nMore\n\ninside");
    }
}
