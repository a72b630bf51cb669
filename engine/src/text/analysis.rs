//! Which terms does a text hold?
//!
//! A *word* is a run of two or more letters, digits and underscores; it is lowercased, left out if it is a stop word,
//! and stemmed. Identifiers are kept whole as well as split: a *compound* is words joined by `. / \ : - @ # +` as in
//! `4.1.1.2`, `openshift-dns` or `org.apache.hadoop.hdfs`, and a *part* is a piece of a word that changes case, has
//! underscores or mixes letters and digits, as in `KubePodCrashLooping` or `node_filesystem_avail`.

use std::ops::Range;

use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};

/// The name and version of the analysis, kept in the schema of the index: a change of what this module gives needs a
/// new version, so that older indexes are rebuilt.
pub(super) const ANALYSIS_NAME: &str = "identifiers-english-1";

/// What of a longer term is kept; tantivy takes no term above 64 KiB, and nobody types one of 256 bytes.
const MAX_TERM_BYTES: usize = 256;

/// The default English stop words of Lucene, which are those of bm25s too.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

/// Takes a term, and the piece of the text that it stands for.
pub(super) type Emit<'e, 't> = &'e mut dyn FnMut(&str, &'t str);

/// Splits text into terms, the same way for documents and queries.
#[derive(Clone)]
pub(super) struct Analyzer {
    words: TextAnalyzer,
    parts: TextAnalyzer,
}

impl Analyzer {
    pub(super) fn new() -> Self {
        let stemmed =
            |split| TextAnalyzer::builder(Pieces { split }).filter(Stemmer::new(Language::English)).build();
        Self { words: stemmed(words), parts: stemmed(parts) }
    }

    /// The stemmed words of `text`.
    pub(super) fn words<'t>(&mut self, text: &'t str, emit: Emit<'_, 't>) {
        run(&mut self.words, text, emit);
    }

    /// The stemmed parts of those words of `text` that have several.
    pub(super) fn parts<'t>(&mut self, text: &'t str, emit: Emit<'_, 't>) {
        run(&mut self.parts, text, emit);
    }

    /// The compounds of `text`, lowercased. No word is equal to one, since a compound holds a joining character.
    pub(super) fn compounds<'t>(&self, text: &'t str, emit: Emit<'_, 't>) {
        for span in compounds(text) {
            let surface = &text[span];
            emit(&lowercased(surface), surface);
        }
    }
}

fn run<'t>(analyzer: &mut TextAnalyzer, text: &'t str, emit: Emit<'_, 't>) {
    let mut stream = analyzer.token_stream(text);
    while stream.advance() {
        let token = stream.token();
        emit(&token.text, &text[token.offset_from..token.offset_to]);
    }
}

/// tantivy's view of the splitting, for its stemmer to stand behind.
#[derive(Clone)]
struct Pieces {
    split: fn(&str) -> Vec<Range<usize>>,
}

impl Tokenizer for Pieces {
    type TokenStream<'a> = PieceStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> PieceStream<'a> {
        PieceStream { text, spans: (self.split)(text).into_iter(), token: Token::default() }
    }
}

struct PieceStream<'a> {
    text: &'a str,
    spans: std::vec::IntoIter<Range<usize>>,
    token: Token,
}

impl TokenStream for PieceStream<'_> {
    fn advance(&mut self) -> bool {
        for span in self.spans.by_ref() {
            let term = lowercased(&self.text[span.clone()]);
            if STOP_WORDS.binary_search(&term.as_str()).is_err() {
                self.token.text = term;
                self.token.offset_from = span.start;
                self.token.offset_to = span.end;
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Runs of word characters, two at least.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut spans = runs(text);
    spans.retain(|span| is_long_enough(&text[span.clone()]));
    spans
}

/// Two or more runs of word characters with nothing but joining characters between.
fn compounds(text: &str) -> Vec<Range<usize>> {
    let mut joined: Vec<(Range<usize>, usize)> = Vec::new();
    for run in runs(text) {
        match joined.last_mut() {
            Some((span, runs)) if text[span.end..run.start].chars().all(joins) => {
                span.end = run.end;
                *runs += 1;
            }
            _ => joined.push((run, 1)),
        }
    }
    joined.into_iter().filter(|(_, runs)| *runs > 1).map(|(span, _)| span).collect()
}

/// The parts, two characters at least, of the words that have more than one.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for word in words(text) {
        let first = spans.len();
        split_word(text, word, &mut spans);
        if spans.len() == first + 1 {
            spans.truncate(first);
        }
    }
    spans.retain(|span| is_long_enough(&text[span.clone()]));
    spans
}

/// Cuts a word at underscores, between letters and digits, before a capital after a small letter, and before the
/// last capital of a run of them when a small letter follows: `HTTPServer_v2` is `HTTP`, `Server`, `v`, `2`.
fn split_word(text: &str, word: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let characters: Vec<(usize, char)> = text[word.clone()].char_indices().collect();
    let mut start = word.start;
    for (index, &(at, character)) in characters.iter().enumerate() {
        let at = word.start + at;
        let Some(&(_, before)) = index.checked_sub(1).and_then(|before| characters.get(before)) else {
            continue;
        };
        let next_is_small = characters.get(index + 1).is_some_and(|(_, next)| next.is_lowercase());
        let cut = (before == '_') != (character == '_')
            || before.is_numeric() != character.is_numeric()
            || character.is_uppercase() && (!before.is_uppercase() || next_is_small);
        if cut {
            push_part(text, start..at, spans);
            start = at;
        }
    }
    push_part(text, start..word.end, spans);
}

fn push_part(text: &str, span: Range<usize>, spans: &mut Vec<Range<usize>>) {
    if !text[span.clone()].starts_with('_') {
        spans.push(span);
    }
}

fn runs(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        match (start, character.is_alphanumeric() || character == '_') {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                spans.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    spans.extend(start.map(|from| from..text.len()));
    spans
}

fn joins(character: char) -> bool {
    matches!(character, '.' | '/' | '\\' | ':' | '-' | '@' | '#' | '+')
}

fn is_long_enough(piece: &str) -> bool {
    piece.chars().nth(1).is_some()
}

fn lowercased(piece: &str) -> String {
    let mut term = piece.to_lowercase();
    term.truncate(term.floor_char_boundary(MAX_TERM_BYTES));
    term
}

#[cfg(test)]
mod tests {
    use super::{Analyzer, MAX_TERM_BYTES, STOP_WORDS};

    fn check(text: &str, words: &str, compounds: &str, parts: &str) {
        let mut analyzer = Analyzer::new();
        let mut found = [Vec::new(), Vec::new(), Vec::new()];
        analyzer.words(text, &mut |term, _| found[0].push(term.to_owned()));
        analyzer.compounds(text, &mut |term, _| found[1].push(term.to_owned()));
        analyzer.parts(text, &mut |term, _| found[2].push(term.to_owned()));
        let expected = [words, compounds, parts].map(|terms| terms.split_whitespace().collect::<Vec<_>>());
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn texts_give_their_words_compounds_and_parts() {
        check("The Disks are failing!", "disk fail", "", "");
        check("a I x 7", "", "", "");
        check("KubePodCrashLooping", "kubepodcrashloop", "", "kube pod crash loop");
        check("HTTPServer_v2", "httpserver_v2", "", "http server");
        check("node_filesystem_avail__bytes", "node_filesystem_avail__byt", "", "node filesystem avail byte");
        check("upgrade to 4.1.1.2.", "upgrad", "4.1.1.2", "");
        check(
            "openshift-dns/CoreDNSErrorsHigh.md",
            "openshift dns corednserrorshigh md",
            "openshift-dns/corednserrorshigh.md",
            "core dns error high",
        );
        check("C:\\Temp\\x.log ORA-00942", "temp log ora 00942", "c:\\temp\\x.log ora-00942", "");
        check("see: - dash, end. Next", "see dash end next", "", "");
        check("Größe über 10GB", "größe über 10gb", "", "10 gb");
        check("MAPREDUCE-7386 3.0.0-M7", "mapreduc 7386 m7", "mapreduce-7386 3.0.0-m7", "");
    }

    #[test]
    fn a_term_tells_which_piece_of_the_text_it_stands_for() {
        let mut found = Vec::new();
        Analyzer::new().parts("two FailedDisks", &mut |term, surface| found.push((term.to_owned(), surface)));
        assert_eq!(found, [("fail".to_owned(), "Failed"), ("disk".to_owned(), "Disks")]);
    }

    #[test]
    fn a_long_term_is_cut_between_characters() {
        let mut analyzer = Analyzer::new();
        let mut longest = 0;
        analyzer.words(&"é".repeat(5_000), &mut |term, _| longest = term.len());
        assert_eq!(longest, MAX_TERM_BYTES);
    }

    #[test]
    fn the_stop_words_are_in_order_for_their_search() {
        assert!(STOP_WORDS.is_sorted());
    }
}
