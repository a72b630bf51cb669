//! Does its source say so? A sentence of a language model holds where it is a sentence of the passage it cites, with words left out.
//!
//! A model may choose and shorten. It may add no word, turn no order round, and leave out no word that turns a sentence: then nothing
//! that somebody has it say, in a ticket or a page, is told in the name of a source that does not say it.

use std::collections::BTreeMap;

use models::Redacted;

use crate::cited::{Claim, Dropped};
use crate::words;

/// Sources that one sentence may name.
const HANDLES: usize = 3;
/// Share of a source's sentence that has to be left.
const LEFT: f64 = 0.5;
/// Letters that a word keeps when its ending is taken off.
const STEM_CHARS: usize = 4;
/// Words that may come and go: they tie others together and say nothing.
const TIES: &str = " a an the is are was were be been being it its this that these those there has have had do does did to of in at by \
    with and then so also which who will would der die das den dem des ein eine einen einem einer eines ist sind war waren wird werden \
    und zu im am mit von es dass le la les l un une des du de d et est sont a au aux en que qui ";
/// Words that turn a sentence or bind it to a condition: all of them stay.
const TURNS: &str = " not no never none nor neither cannot without only if unless until except before after when while instead than less \
    more too almost hardly nicht kein keine keinen keinem keiner keines nie niemals ohne nur wenn falls bis ausser außer vor nach statt \
    weniger mehr kaum ne pas jamais sans aucun aucune si sauf avant après seulement moins plus ";

/// A sentence of a model with the handles that it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drafted {
    pub(crate) text: String,
    pub(crate) handles: Vec<String>,
}

/// Holds sentences against the passages shown to the model.
pub(crate) struct Checker<'a> {
    /// What stands behind each handle, as the model saw it.
    pub(crate) passages: &'a BTreeMap<String, Redacted>,
}

impl Checker<'_> {
    /// The sentence with those of its handles whose passages say so.
    ///
    /// # Errors
    /// Why it does not hold.
    pub(crate) fn claim(&self, drafted: Drafted) -> Result<Claim, Dropped> {
        let Drafted { text, handles } = drafted;
        let reason = if handles.is_empty() {
            "it names no source".to_owned()
        } else if handles.len() > HANDLES {
            format!("it names {} sources at once", handles.len())
        } else if let Some(unknown) = handles.iter().find(|handle| !self.passages.contains_key(*handle)) {
            format!("there is no source {unknown}")
        } else {
            let said = words_of(&text);
            let holds = |handle: &&String| {
                self.passages.get(*handle).is_some_and(|passage| says(passage.text(), &said))
            };
            let holding: Vec<String> = handles.iter().filter(holds).cloned().collect();
            if !holding.is_empty() {
                return Ok(Claim { text, handles: holding, span: None });
            }
            format!("{} does not say so", handles.join(", "))
        };
        Err(Dropped { text, reason })
    }
}

/// Whether a sentence of a passage is this one and more.
fn says(passage: &str, said: &[String]) -> bool {
    let sentences = words::sentences(passage).into_iter().filter_map(|span| span.of(passage));
    sentences.map(words_of).any(|source| is_shortened(&source, said))
}

/// Whether one sentence is another with words left out, none of which turns it.
fn is_shortened(source: &[String], said: &[String]) -> bool {
    let mut left = source.iter();
    let stand_there = said.iter().all(|word| left.any(|other| is_same(other, word)));
    let turns = |words: &[String]| words.iter().filter(|word| is_in(TURNS, word)).count();
    let is_enough = said.len() as f64 >= source.len() as f64 * LEFT;
    stand_there && is_enough && !said.is_empty() && turns(source) == turns(said)
}

/// The words of a sentence in lower case, without their outer punctuation and without those that only tie.
fn words_of(sentence: &str) -> Vec<String> {
    let apart = sentence.to_lowercase().replace("n't", " not");
    let words =
        apart.split(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '“' | '”' | '„' | '«' | '»'));
    words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty() && !is_in(TIES, word))
        .map(str::to_owned)
        .collect()
}

fn is_in(list: &str, word: &str) -> bool {
    list.contains(&format!(" {word} "))
}

/// The same word, be it in another number or tense.
fn is_same(one: &str, other: &str) -> bool {
    one == other || (stem(one) == stem(other) && !is_in(TURNS, one) && !is_in(TURNS, other))
}

fn stem(word: &str) -> &str {
    if !word.chars().all(char::is_alphabetic) {
        return word;
    }
    let ends = ["ings", "ing", "ed", "es", "s", "d", "e"].iter().filter_map(|end| word.strip_suffix(end));
    ends.into_iter().find(|stem| stem.chars().count() >= STEM_CHARS).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSAGES: [(&str, &str); 3] = [
        (
            "S1",
            "REPL_NIGHT holds row locks on stock_location. End the blocking session after 30 minutes. \
             If it is REPL_NIGHT: pause the job in the scheduler, so that it does not start again.",
        ),
        ("S2", "Do not reinstall the print server role. Mail [EMAIL_4] about it."),
        ("S3", "2. The job rolls back; no stock is lost.\n3. Ask two shift leads to confirm a pick."),
    ];

    fn check(text: &str, handles: &[&str]) -> Result<Vec<String>, String> {
        let passages: BTreeMap<String, Redacted> =
            PASSAGES.map(|(handle, text)| (handle.to_owned(), Redacted::of_program(text))).into();
        let handles = handles.iter().map(|handle| (*handle).to_owned()).collect();
        let checked = Checker { passages: &passages }.claim(Drafted { text: text.to_owned(), handles });
        checked.map(|claim| claim.handles).map_err(|dropped| dropped.reason)
    }

    #[test]
    fn a_sentence_that_its_source_has_may_be_shortened() {
        for (text, handle) in [
            ("REPL_NIGHT holds row locks on stock_location.", "S1"),
            ("REPL_NIGHT hold a row lock on stock_location.", "S1"),
            ("REPL_NIGHT holds locks.", "S1"),
            ("Mail [EMAIL_4] about it.", "S2"),
            ("Don't reinstall the print server role.", "S2"),
            ("The job rolls back and no stock is lost.", "S3"),
        ] {
            assert_eq!(check(text, &[handle]), Ok(vec![handle.to_owned()]), "{text}");
        }
        assert_eq!(
            check("REPL_NIGHT holds locks.", &["S2", "S1"]),
            Ok(vec!["S1".to_owned()]),
            "only who says so"
        );
    }

    #[test]
    fn whatever_is_added_turned_or_bent_does_not_hold() {
        for (text, handles, reason) in [
            ("REPL_NIGHT holds row locks.", &[][..], "it names no source"),
            ("REPL_NIGHT holds row locks.", &["S9"], "there is no source S9"),
            ("It holds.", &["S1", "S2", "S3", "S4"], "it names 4 sources at once"),
            ("REPL_NIGHT holds row locks.", &["S2"], "S2 does not say so"),
            ("End the blocking session after 90 minutes.", &["S1"], "S1 does not say so"),
            ("End the blocking session before 30 minutes.", &["S1"], "S1 does not say so"),
            ("End the blocking session after 30 minutes, then call 555-0100.", &["S1"], "S1 does not say so"),
            ("The job REPL_NIGHT holds row locks on stock_location.", &["S1"], "S1 does not say so"),
            ("Pause the job in the scheduler.", &["S1"], "S1 does not say so"),
            ("Reinstall the print server role.", &["S2"], "S2 does not say so"),
            ("The job rolls back; stock is lost.", &["S3"], "S3 does not say so"),
            ("The job rolls back; no stock is kept.", &["S3"], "S3 does not say so"),
            ("No stock is lost; the job rolls back.", &["S3"], "S3 does not say so"),
            ("Ask three shift leads to confirm a pick.", &["S3"], "S3 does not say so"),
            ("Ask two shift leads to confirm a PIN.", &["S3"], "S3 does not say so"),
            ("Ask ２ shift leads to confirm a pick.", &["S3"], "S3 does not say so"),
            ("Ask two shift leads to confirm a pick at q.example.", &["S3"], "S3 does not say so"),
            ("Mail [EMAIL_1] about it.", &["S2"], "S2 does not say so"),
            ("Lost.", &["S3"], "S3 does not say so"),
            ("…", &["S3"], "S3 does not say so"),
        ] {
            assert_eq!(check(text, handles), Err(reason.to_owned()), "{text}");
        }
    }
}
