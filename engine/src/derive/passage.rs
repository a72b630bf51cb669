//! Which stretches of a record are embedded and cited? Its passages, and the texts made from them.

use ontology::{Record, Section, Span};

/// The section number of a passage that is the record's title: a record without text is found and cited by it.
pub(crate) const TITLE: u16 = u16::MAX;

/// Heaviest passage. The default embedder reads 256 tokens; ordinary English has about 1.3 a word, and the title and
/// heading stand before the passage, so 180 words fill the window and little is cut off.
const PASSAGE_WEIGHT: usize = 180;

/// Characters that weigh as much as one word. Class names, paths and encoded blobs are many tokens without a space.
const WORD_CHARS: usize = 12;

/// A passage: a stretch of one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct PassageSpan {
    /// Position in [`Record::sections`], or [`TITLE`].
    pub(crate) section: u16,
    /// Where in its text.
    pub(crate) span: Span,
}

/// Cuts a record into passages, in order and without overlap. A cut falls between paragraphs or steps, else between
/// sentences, else lines, else words; inside a step only when the step alone is too long.
pub(crate) fn passages(record: &Record) -> Vec<PassageSpan> {
    let mut passages = Vec::new();
    for (number, section) in (0..TITLE).zip(&record.sections) {
        let mut cutter = Cutter { text: &section.text, spans: Vec::new(), open: None };
        for block in blocks(section) {
            cutter.add(block, Level::Block);
        }
        passages.extend(cutter.finish().into_iter().map(|span| PassageSpan { section: number, span }));
    }
    if passages.is_empty() && !record.title.trim().is_empty() {
        passages.push(PassageSpan { section: TITLE, span: span(0, record.title.len()) });
    }
    passages
}

/// The words of a passage as the record has them; nothing when the passage is not of this record.
pub(crate) fn passage_text(record: &Record, passage: PassageSpan) -> Option<&str> {
    if passage.section == TITLE {
        return passage.span.of(&record.title);
    }
    passage.span.of(&record.sections.get(usize::from(passage.section))?.text)
}

/// What the embedder reads: title, heading and passage, each on its line. The title is not said twice.
pub(crate) fn embedding_text(record: &Record, passage: PassageSpan) -> String {
    let text = passage_text(record, passage).unwrap_or_default();
    let title = record.title.trim();
    let heading =
        record.sections.get(usize::from(passage.section)).map_or("", |section| section.heading.trim());
    let mut lines = Vec::with_capacity(3);
    if !begins_with(text, title) && !is_title_made_of_text(record) {
        lines.push(title);
    }
    if !heading.is_empty() && heading != title && !text.starts_with(heading) {
        lines.push(heading);
    }
    lines.push(text);
    lines.join("\n")
}

/// Whether the record has no title of its own: its source gave none, and the beginning of its text stands in.
pub(crate) fn is_title_made_of_text(record: &Record) -> bool {
    record.sections.first().is_some_and(|section| begins_with(&section.text, &record.title))
}

/// Whether a text begins with the words of a title, which may be cut with an ellipsis.
fn begins_with(text: &str, title: &str) -> bool {
    let title = title.trim().trim_end_matches('…');
    let mut words = text.split_whitespace();
    let mut wanted = title.split_whitespace().peekable();
    while let Some(word) = wanted.next() {
        let Some(found) = words.next() else { return false };
        let fits = if wanted.peek().is_none() { found.starts_with(word) } else { found == word };
        if !fits {
            return false;
        }
    }
    true
}

/// All headings and texts, for the lexical index; title and names have fields of their own.
pub(crate) fn lexical_body(record: &Record) -> String {
    let parts = record.sections.iter().flat_map(|section| [section.heading.trim(), section.text.trim()]);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A stretch being cut: byte offsets into a section's text.
type Range = std::ops::Range<usize>;

/// Where a stretch that is too long is cut next.
#[derive(Clone, Copy)]
enum Level {
    Block,
    Sentence,
    Line,
    Word,
}

/// Fills passages with stretches as they come.
struct Cutter<'a> {
    text: &'a str,
    spans: Vec<Span>,
    open: Option<(Range, usize)>,
}

impl Cutter<'_> {
    fn add(&mut self, range: Range, level: Level) {
        let Some(range) = trimmed(self.text, range) else { return };
        let weight = weight(&self.text[range.clone()]);
        if weight > PASSAGE_WEIGHT {
            return self.add_parts(range, level);
        }
        match &mut self.open {
            Some((open, sum)) if *sum + weight <= PASSAGE_WEIGHT => {
                open.end = range.end;
                *sum += weight;
            }
            _ => {
                self.close();
                self.open = Some((range, weight));
            }
        }
    }

    fn add_parts(&mut self, range: Range, level: Level) {
        // A block that must be cut anyway begins its own passage; its parts then fill up what the last one left.
        if matches!(level, Level::Block) {
            self.close();
        }
        let (ends, next): (fn(&str) -> Option<usize>, Level) = match level {
            Level::Block => (sentence_end, Level::Sentence),
            Level::Sentence => (line_end, Level::Line),
            Level::Line => (word_end, Level::Word),
            Level::Word => (chunk_end, Level::Word),
        };
        let mut start = range.start;
        while start < range.end {
            let rest = &self.text[start..range.end];
            let end = start + ends(rest).unwrap_or(rest.len());
            self.add(start..end, next);
            start = end;
        }
        if matches!(level, Level::Block) {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some((open, _)) = self.open.take() {
            self.spans.push(span(open.start, open.end));
        }
    }

    fn finish(mut self) -> Vec<Span> {
        self.close();
        self.spans
    }
}

/// The stretches that stay whole if they can: steps, and the paragraphs around them.
fn blocks(section: &Section) -> Vec<Range> {
    let text = section.text.as_str();
    let mut steps: Vec<Range> = section
        .steps
        .iter()
        .filter(|step| step.of(text).is_some())
        .map(|step| step.start as usize..step.end as usize)
        .collect();
    steps.sort_unstable_by_key(|step| (step.start, std::cmp::Reverse(step.end)));

    let mut blocks = Vec::new();
    let mut start = 0;
    for step in steps {
        // A step inside another one stays with it.
        if step.start >= start {
            paragraphs(text, start..step.start, &mut blocks);
            start = step.end;
            blocks.push(step);
        }
    }
    paragraphs(text, start..text.len(), &mut blocks);
    blocks
}

/// Cuts at blank lines.
fn paragraphs(text: &str, range: Range, blocks: &mut Vec<Range>) {
    let mut start = range.start;
    let mut at = range.start;
    for line in text[range.clone()].split_inclusive('\n') {
        if line.trim().is_empty() {
            blocks.push(start..at);
            start = at + line.len();
        }
        at += line.len();
    }
    blocks.push(start..range.end);
}

/// After the first full stop, question or exclamation mark that white space follows, or after an ideographic one.
fn sentence_end(text: &str) -> Option<usize> {
    let mut closing = false;
    for (at, c) in text.char_indices() {
        match c {
            '。' | '！' | '？' => return Some(at + c.len_utf8()),
            '.' | '!' | '?' => closing = true,
            ')' | '"' | '\'' | '”' | ']' if closing => {}
            _ if closing && c.is_whitespace() => return Some(at),
            _ => closing = false,
        }
    }
    None
}

fn line_end(text: &str) -> Option<usize> {
    text.find('\n').map(|at| at + 1)
}

fn word_end(text: &str) -> Option<usize> {
    let blank = text.find(char::is_whitespace)?;
    text[blank..].find(|c: char| !c.is_whitespace()).map(|rest| blank + rest)
}

/// Cuts a word that alone is too heavy into passages of characters.
fn chunk_end(text: &str) -> Option<usize> {
    text.char_indices().nth(PASSAGE_WEIGHT * WORD_CHARS).map(|(at, _)| at)
}

/// How much of a passage a stretch fills, in words of ordinary length.
fn weight(text: &str) -> usize {
    text.split_whitespace().map(|word| word.chars().count().div_ceil(WORD_CHARS)).sum()
}

fn trimmed(text: &str, range: Range) -> Option<Range> {
    let inner = &text[range.clone()];
    let start = range.start + (inner.len() - inner.trim_start().len());
    let end = range.start + inner.trim_end().len();
    (start < end).then_some(start..end)
}

/// Offsets as records keep them. A text of 4 GiB does not fit; its span then covers nothing.
fn span(start: usize, end: usize) -> Span {
    Span { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use ontology::{Kind, Record, RecordId, Section, SectionKind, Span};
    use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};

    use super::{PASSAGE_WEIGHT, TITLE, embedding_text, lexical_body, passage_text, passages, span, weight};

    fn record(sections: impl IntoIterator<Item = Section>) -> Record {
        let mut record = Record::new(RecordId::new("kb:1").unwrap(), Kind::Article, "Reset the VPN");
        record.sections = sections.into_iter().collect();
        record
    }

    fn section(text: impl Into<String>) -> Section {
        Section::new(SectionKind::Description, text)
    }

    fn texts(record: &Record) -> Vec<&str> {
        passages(record).into_iter().map(|passage| passage_text(record, passage).unwrap()).collect()
    }

    fn words(count: usize, word: &str) -> String {
        vec![word; count].join(" ")
    }

    #[test]
    fn short_sections_are_passages_of_their_own() {
        let record = record([section(" Ping.\n"), section(" \n\n "), section("One.\n\nTwo.")]);
        assert_eq!(texts(&record), ["Ping.", "One.\n\nTwo."]);
        assert_eq!(passages(&record).iter().map(|passage| passage.section).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn cuts_fall_at_paragraphs_then_sentences_then_lines_then_words() {
        let (long, short) = (words(100, "ab"), words(60, "cd"));
        let by_paragraph = record([section(format!("{long}\n\n{short}\n \n{short}\n\n{short}"))]);
        assert_eq!(
            texts(&by_paragraph),
            [format!("{long}\n\n{short}").as_str(), &format!("{short}\n\n{short}")]
        );
        let by_sentence = record([section(format!("{long}. {short}? {short}\nand {short}."))]);
        assert_eq!(
            texts(&by_sentence),
            [format!("{long}. {short}?").as_str(), &format!("{short}\nand {short}.")]
        );
        let by_line = record([section(format!("{long}\n{short}\n{short}"))]);
        assert_eq!(texts(&by_line), [format!("{long}\n{short}").as_str(), &short]);
        let by_word = record([section(words(400, "ab"))]);
        assert_eq!(texts(&by_word), [words(180, "ab"), words(180, "ab"), words(40, "ab")]);
        let by_character = record([section("ä".repeat(5000))]);
        assert_eq!(
            texts(&by_character).iter().map(|text| text.chars().count()).collect::<Vec<_>>(),
            [2160, 2160, 680]
        );
    }

    #[test]
    fn a_step_is_cut_only_when_it_is_too_long_alone() {
        let steps = [words(100, "one"), words(100, "two"), words(200, "three"), words(20, "four")];
        let mut steps_section = section("");
        for step in &steps {
            let start = steps_section.text.len();
            steps_section.text.push_str(step);
            steps_section.steps.push(span(start, start + step.len()));
            steps_section.text.push('\n');
        }
        // Spans that do not fit the text are left aside.
        steps_section.steps.push(Span { start: 9, end: 4 });
        steps_section.steps.push(Span { start: 0, end: 1_000_000 });
        let record = record([steps_section]);
        assert_eq!(
            texts(&record),
            [&steps[0], &steps[1], &words(180, "three"), &words(20, "three"), &steps[3]]
        );
    }

    #[test]
    fn a_record_without_text_is_its_title() {
        let mut empty = record([section(" ")]);
        assert_eq!(texts(&empty), ["Reset the VPN"]);
        assert_eq!(passages(&empty)[0].section, TITLE);
        assert_eq!(embedding_text(&empty, passages(&empty)[0]), "Reset the VPN");
        empty.title = "  ".into();
        assert!(passages(&empty).is_empty());
    }

    #[test]
    fn texts_for_the_indexes_say_title_and_heading_once() {
        let mut fix = section("Press the button.");
        fix.heading = "Fix".into();
        let mut title_again = section("Reset the VPN as follows");
        title_again.heading = "Reset the VPN".into();
        let record = record([fix, title_again, section("")]);
        let [first, second] = passages(&record)[..] else { panic!("two passages") };
        assert_eq!(embedding_text(&record, first), "Reset the VPN\nFix\nPress the button.");
        assert_eq!(embedding_text(&record, second), "Reset the VPN as follows");
        assert_eq!(lexical_body(&record), "Fix\nPress the button.\nReset the VPN\nReset the VPN as follows");
    }

    fn any_section() -> impl Strategy<Value = Section> {
        let piece = prop::sample::select(vec![
            "word ",
            "Wort. ",
            "\n\n",
            "\n",
            "ü€ ",
            "。",
            "org.apache.hadoop.hdfs.server.namenode.FSNamesystem ",
            "\u{2003}",
            "?",
        ]);
        let steps = prop::collection::vec((0_u32..4000, 0_u32..4000), 0..5);
        (prop::collection::vec((piece, 1_usize..120), 0..14), steps).prop_map(|(pieces, steps)| {
            let mut section =
                section(pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect::<String>());
            section.steps = steps.into_iter().map(|(start, end)| Span { start, end }).collect();
            section
        })
    }

    proptest! {
        #[test]
        fn passages_cover_each_section_once_and_in_order(sections in prop::collection::vec(any_section(), 0..4)) {
            let record = record(sections);
            for (number, section) in record.sections.iter().enumerate() {
                let mut at = 0;
                for passage in passages(&record).iter().filter(|passage| usize::from(passage.section) == number) {
                    let (start, end) = (passage.span.start as usize, passage.span.end as usize);
                    prop_assert!(at <= start && start < end);
                    prop_assert!(section.text.get(at..start).is_some_and(|gap| gap.trim().is_empty()));
                    let text = passage_text(&record, *passage).unwrap();
                    prop_assert_eq!(text, text.trim());
                    prop_assert!(weight(text) <= PASSAGE_WEIGHT);
                    at = end;
                }
                prop_assert!(section.text[at..].trim().is_empty());
            }
        }
    }
}
