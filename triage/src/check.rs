//! Does its source say so? Every sentence of a language model is held against the passages it cites.

use std::collections::{BTreeMap, BTreeSet};

use models::{Embedder, TextRole};

use crate::cited::Dropped;
use crate::fit::cosine;
use crate::words;

/// Sources that one sentence may name.
const HANDLES: usize = 3;
/// Share of a sentence's content words that two sentences of one passage, one after the other, must have.
const SUPPORTED: f64 = 0.8;
/// From here a sentence in other words still passes if an embedder finds its meaning in the passage.
const PARAPHRASED: f64 = 0.35;
/// Cosine of a sentence and the nearest sentence of its passages from which they say the same.
const SAME_MEANING: f64 = 0.75;
/// Words that turn a sentence round.
const NEGATIONS: [&str; 10] =
    ["not", "no", "never", "none", "cannot", "without", "nicht", "kein", "keine", "nie"];

/// A sentence of a model with the handles that it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drafted {
    pub(crate) text: String,
    pub(crate) handles: Vec<String>,
}

/// Holds sentences against the passages shown to the model.
pub(crate) struct Checker<'a> {
    /// What stands behind each handle, as the model saw it.
    pub(crate) passages: &'a BTreeMap<String, String>,
    pub(crate) embedder: Option<&'a dyn Embedder>,
}

impl Checker<'_> {
    /// Nothing when the sentence holds, else why it does not.
    pub(crate) fn refusal(&self, drafted: &Drafted) -> Option<Dropped> {
        let dropped = |reason: String| Some(Dropped { text: drafted.text.clone(), reason });
        if drafted.handles.is_empty() {
            return dropped("it names no source".to_owned());
        }
        if drafted.handles.len() > HANDLES {
            return dropped(format!("it names {} sources at once", drafted.handles.len()));
        }
        if let Some(unknown) = drafted.handles.iter().find(|handle| !self.passages.contains_key(*handle)) {
            return dropped(format!("there is no source {unknown}"));
        }
        let cited: Vec<&str> = drafted
            .handles
            .iter()
            .filter_map(|handle| self.passages.get(handle))
            .map(String::as_str)
            .collect();
        let together = without_numbers(&cited.join("\n"));
        let text = without_numbers(&drafted.text);
        let known = numbered(&together);
        if let Some(foreign) = numbered(&text).into_iter().find(|identifier| !known.contains(identifier)) {
            return dropped(format!("{foreign:?} does not stand in {}", drafted.handles.join(", ")));
        }
        let says = words::content_words(&text);
        let share = cited.iter().map(|passage| best_share(&says, passage)).fold(0.0, f64::max);
        let is_paraphrase = || share >= PARAPHRASED && self.means_the_same(&drafted.text, &cited);
        if share < SUPPORTED && !is_paraphrase() {
            return dropped(format!("{} does not say so", drafted.handles.join(", ")));
        }
        if turned_round(&drafted.text, &cited, &says) {
            return dropped(format!("{} says the opposite", drafted.handles.join(", ")));
        }
        None
    }

    fn means_the_same(&self, text: &str, cited: &[&str]) -> bool {
        let Some(embedder) = self.embedder else { return false };
        let sentences = cited
            .iter()
            .flat_map(|passage| words::sentences(passage).into_iter().filter_map(|span| span.of(passage)));
        let texts: Vec<&str> = std::iter::once(text).chain(sentences).collect();
        let Ok(vectors) = embedder.embed(TextRole::Passage, &texts) else { return false };
        let Some((first, others)) = vectors.split_first() else { return false };
        others.iter().map(|other| cosine(first, other)).fold(0.0, f64::max) >= SAME_MEANING
    }
}

/// Identifiers without the endings of units and plurals.
fn numbered(text: &str) -> BTreeSet<String> {
    words::identifiers(text)
        .into_iter()
        .map(|word| word.trim_end_matches(['s', 'x', '%']).to_owned())
        .collect()
}

/// Placeholders of redaction by their kind alone, `[EMAIL]`: each text numbers them for itself.
fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(']') {
        let head = &rest[..end];
        let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        match head.rsplit_once('_') {
            Some((kind, number)) if is_number(number) => plain.push_str(kind),
            _ => plain.push_str(head),
        }
        plain.push(']');
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    plain
}

/// The greatest share of the words that a sentence of a passage has together with the next.
fn best_share(says: &BTreeSet<String>, passage: &str) -> f64 {
    let sentences: Vec<BTreeSet<String>> = words::sentences(passage)
        .into_iter()
        .filter_map(|span| span.of(passage))
        .map(|sentence| words::content_words(&without_numbers(sentence)))
        .collect();
    let pairs = (0..sentences.len()).map(|at| &sentences[at..sentences.len().min(at + 2)]);
    pairs.map(|pair| words::overlap(says, &pair.iter().flatten().cloned().collect())).fold(0.0, f64::max)
}

/// Whether the clause nearest to it in its passages is negated and it is not, or the other way round.
fn turned_round(text: &str, cited: &[&str], says: &BTreeSet<String>) -> bool {
    let clauses = cited
        .iter()
        .flat_map(|passage| words::sentences(passage).into_iter().filter_map(|span| span.of(passage)))
        .flat_map(|sentence| sentence.split([',', ';', ':']));
    let nearest = clauses
        .map(|clause| (words::overlap(says, &words::content_words(clause)), clause))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.is_some_and(|(_, clause)| is_negated(clause) != is_negated(text))
}

fn is_negated(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .any(|word| NEGATIONS.contains(&word.to_lowercase().as_str()) || word.ends_with("n't"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str, handles: &[&str]) -> Option<String> {
        let passages: BTreeMap<String, String> = [
            (
                "S1",
                "REPL_NIGHT holds row locks on stock_location. End the blocking session after 30 minutes. \
                 If it is REPL_NIGHT: pause the job in the scheduler, so that it does not start again.",
            ),
            ("S2", "Do not reinstall the print server role. Mail [EMAIL_4] about it."),
        ]
        .into_iter()
        .map(|(handle, text)| (handle.to_owned(), text.to_owned()))
        .collect();
        let checker = Checker { passages: &passages, embedder: None };
        let handles = handles.iter().map(|handle| (*handle).to_owned()).collect();
        checker.refusal(&Drafted { text: text.to_owned(), handles }).map(|dropped| dropped.reason)
    }

    #[test]
    fn a_sentence_holds_only_by_its_own_sources() {
        let check = |text: &str, handles: &[&str], expected: Option<&str>| {
            assert_eq!(reason(text, handles).as_deref(), expected, "{text}");
        };
        check("The job REPL_NIGHT holds row locks on stock_location.", &["S1"], None);
        check("Mail [EMAIL_1] about it.", &["S2"], None);
        check("REPL_NIGHT holds row locks.", &[], Some("it names no source"));
        check("REPL_NIGHT holds row locks.", &["S9"], Some("there is no source S9"));
        check("REPL_NIGHT holds row locks.", &["S2"], Some("\"repl_night\" does not stand in S2"));
        check("End the blocking session after 90 minutes.", &["S1"], Some("\"90\" does not stand in S1"));
        check("The network cable of the printer was broken.", &["S1"], Some("S1 does not say so"));
        check("Pause the job in the scheduler.", &["S1"], None);
        check(
            "The blocking session is held by shift leads and a database person on call.",
            &["S1", "S2"],
            Some("S1, S2 does not say so"),
        );
        check("It holds.", &["S1", "S2", "S3", "S4"], Some("it names 4 sources at once"));
        check("Reinstall the print server role.", &["S2"], Some("S2 says the opposite"));
    }
}
