//! What are the words of a text? Sentences, content words, and identifiers, for checks that must not depend on an embedder.

use std::collections::BTreeSet;

use ontology::{Record, SectionKind, Span};

/// English, German and French words that say nothing about a subject.
const EMPTY_WORDS: &str = " a about after again all also am an and any are as at be because been before being both but by can cannot \
    could did do does done down during each few for from further get got had has have having he her here hers him his how i \
    if in into is it its just like me more most my no nor not now of off on once only or other our out over own please same \
    she should since so some such than thanks that the their them then there these they this those through to too under until up us \
    use used using very was we were what when where which while who whom why will with would you your \
    aber als am an auch auf aus bei bin bis da das dass dem den der des die doch ein eine einen einer es für hat haben ich ihr im in \
    ist ja kann kein mehr mit nach nicht noch nur ob oder sehr sein seit sich sie sind so um und uns von vor war was wenn wie wir \
    wird zu zum zur au aux avec ce ces cette dans de des du elle en est et eux il ils je la le les leur mais ne nous on ou par pas \
    pour qu que qui sa se ses son sur un une vous ";

/// Letters that make up a word's stem here: longer words are compared by their first ones, so that `confirms` meets `confirmed`.
const STEM_CHARS: usize = 6;

/// The words that carry a text's subject, by their stems.
pub(crate) fn content_words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() > 2 || word.chars().any(|c| c.is_ascii_digit()))
        .filter(|word| !EMPTY_WORDS.contains(&format!(" {word} ")))
        .map(|word| stem(&word))
        .collect()
}

fn stem(word: &str) -> String {
    let is_plain = word.chars().all(char::is_alphabetic);
    if is_plain { word.chars().take(STEM_CHARS).collect() } else { word.to_owned() }
}

/// Numbers, codes, hosts, paths: whatever must be the same letter by letter. Lower case, without outer punctuation.
pub(crate) fn identifiers(text: &str) -> BTreeSet<String> {
    text.split(|c: char| {
        c.is_whitespace()
            || matches!(c, ',' | ';' | '(' | ')' | '"' | '`' | '\'' | '“' | '”' | '=' | '[' | ']')
    })
    .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
    .filter(|word| is_identifier(word))
    .map(str::to_lowercase)
    .collect()
}

fn is_identifier(word: &str) -> bool {
    let has_digit = word.chars().any(|c| c.is_ascii_digit());
    let is_joined =
        word.chars().any(|c| matches!(c, '_' | '\\' | '@')) || word.contains("://") || word.contains("::");
    word.len() > 1 && (has_digit || is_joined)
}

/// Error codes such as `LL-2201` and `ORA12154`, and names of alerts such as `WmsDbLockWaits`.
pub(crate) fn codes(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    words
        .map(|word| word.trim_matches('-'))
        .filter(|word| family(word).is_some())
        .map(str::to_owned)
        .collect()
}

/// The family of alerts' names.
pub(crate) const ALERT: &str = "alert";

/// What codes of one system have in common: the letters before the number; of alerts that they are alerts.
pub(crate) fn family(word: &str) -> Option<&str> {
    const LETTERS: std::ops::RangeInclusive<usize> = 1..=6;
    const DIGITS: std::ops::RangeInclusive<usize> = 3..=6;
    let start = word.len() - word.trim_start_matches(|c: char| c.is_ascii_uppercase()).len();
    let number = word[start..].strip_prefix('-').unwrap_or(&word[start..]);
    let is_code = LETTERS.contains(&start)
        && DIGITS.contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_code {
        return Some(&word[..start]);
    }
    let humps = word
        .bytes()
        .zip(word.bytes().skip(1))
        .filter(|(a, b)| !a.is_ascii_uppercase() && b.is_ascii_uppercase());
    let is_alert = word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && humps.count() >= 2;
    is_alert.then_some(ALERT)
}

/// The sentences of a text with their places. Lines end a sentence too.
pub(crate) fn sentences(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut from = start;
        while from < start + line.len() {
            let rest = &text[from..start + line.len()];
            let end = sentence_end(rest).unwrap_or(rest.len());
            push(text, from, from + end, &mut spans);
            from += end;
        }
        start += line.len();
    }
    spans
}

fn push(text: &str, start: usize, end: usize, spans: &mut Vec<Span>) {
    let inner = &text[start..end];
    let from = start + inner.len() - inner.trim_start().len();
    let to = start + inner.trim_end().len();
    if let (true, Ok(start), Ok(end)) = (from < to, u32::try_from(from), u32::try_from(to)) {
        spans.push(Span { start, end });
    }
}

/// After the first `.`, `!` or `?` that white space and then no small letter follows; abbreviations go on in small letters.
fn sentence_end(text: &str) -> Option<usize> {
    let mut ended = false;
    for (at, c) in text.char_indices() {
        match c {
            '.' | '!' | '?' => ended = true,
            ')' | '"' | '”' | '\'' | '`' if ended => {}
            _ if ended && c.is_whitespace() => {
                let next = text[at..].trim_start().chars().next();
                if next.is_none_or(|next| !next.is_lowercase()) {
                    return Some(at);
                }
                ended = false;
            }
            _ => ended = false,
        }
    }
    None
}

/// All words of a record.
pub(crate) fn of_record(record: &Record) -> BTreeSet<String> {
    let texts = record.sections.iter().map(|section| section.text.as_str()).chain([record.title.as_str()]);
    texts.flat_map(content_words).collect()
}

/// The words of a ticket's cause and solution.
pub(crate) fn story(record: &Record) -> BTreeSet<String> {
    let told = record
        .sections
        .iter()
        .filter(|section| matches!(section.kind, SectionKind::RootCause | SectionKind::Resolution));
    told.flat_map(|section| content_words(&section.text)).collect()
}

/// Share of the words of `of` that `with` has too, 0 to 1.
pub(crate) fn overlap(of: &BTreeSet<String>, with: &BTreeSet<String>) -> f64 {
    if of.is_empty() {
        return 0.0;
    }
    of.intersection(with).count() as f64 / of.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_at_stops_and_lines_but_not_inside_names() {
        let text = "Read wms-db.md first. See e.g. the log!\nIs it on? \"Yes.\" Then 10.1.2.3 goes";
        let found: Vec<&str> = sentences(text).into_iter().filter_map(|span| span.of(text)).collect();
        assert_eq!(
            found,
            ["Read wms-db.md first.", "See e.g. the log!", "Is it on?", "\"Yes.\"", "Then 10.1.2.3 goes"]
        );
    }

    #[test]
    fn codes_have_families() {
        let found =
            codes("LL-3307 on wms-db-01, alert WmsDbLockWaits (INC0042), not Ledgerline 12.2 or PostgreSQL");
        assert_eq!(found, ["LL-3307", "WmsDbLockWaits", "INC0042"]);
        assert_eq!(family("LL-3307"), family("LL2201"));
        assert_eq!((family("LL-33"), family("R2-D2")), (None, None));
    }

    #[test]
    fn identifiers_are_kept_and_plain_words_are_stemmed() {
        assert_eq!(
            identifiers("Set `pg_stat_activity` on wms-db-01, then E-4107 (twice)."),
            ["e-4107", "pg_stat_activity", "wms-db-01"].map(str::to_owned).into()
        );
        assert_eq!(
            content_words("The confirmed picks, and confirms"),
            ["confir", "picks"].map(str::to_owned).into()
        );
    }
}
