//! Which vectors of short texts are still at hand? What is compared again and again is embedded once.
//!
//! Passages have their vectors in the index. Smaller texts, such as the statements of a ticket, are embedded when somebody
//! asks for them, and many are asked for again by the next ticket. They are kept in memory only, and a purge forgets all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use models::TextRole;

use super::{Desk, DeskError};

/// Texts of one half; with vectors of 384 numbers both halves take about 30 MB.
const HALF: usize = 8_192;

/// Vectors by text. When the young half is full it becomes the old one, and what nobody asked for since goes.
#[derive(Default)]
pub(crate) struct Recall(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    /// How often all was forgotten: what was embedded across that moment is not kept.
    forgotten: u64,
    young: HashMap<String, Arc<[f32]>>,
    old: HashMap<String, Arc<[f32]>>,
}

impl Desk {
    /// The vectors of texts that are no passages, in their order; `None` without an embedder.
    ///
    /// # Errors
    /// [`DeskError::Embed`] when the model fails.
    pub fn vectors_of(&self, texts: &[&str]) -> Result<Option<Vec<Arc<[f32]>>>, DeskError> {
        let Some(embedder) = &self.embedder else { return Ok(None) };
        let (mut found, forgotten) = self.recall.find(texts);
        let mut missing: Vec<&str> =
            texts.iter().zip(&found).filter(|(_, vector)| vector.is_none()).map(|(text, _)| *text).collect();
        missing.sort_unstable();
        missing.dedup();
        let made = embedder.embed(TextRole::Passage, &missing)?;
        let made: Vec<Arc<[f32]>> = made.into_iter().map(Into::into).collect();
        self.recall.keep(&missing, &made, forgotten);
        for (text, vector) in texts.iter().zip(&mut found).filter(|(_, vector)| vector.is_none()) {
            *vector = missing.binary_search(text).ok().map(|place| Arc::clone(&made[place]));
        }
        Ok(Some(found.into_iter().flatten().collect()))
    }
}

impl Recall {
    pub(super) fn forget(&self) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *halves = Halves { forgotten: halves.forgotten + 1, ..Halves::default() };
    }

    fn find(&self, texts: &[&str]) -> (Vec<Option<Arc<[f32]>>>, u64) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (texts.iter().map(|text| halves.find(text)).collect(), halves.forgotten)
    }

    fn keep(&self, texts: &[&str], vectors: &[Arc<[f32]>], forgotten: u64) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.forgotten != forgotten {
            return;
        }
        for (text, vector) in texts.iter().zip(vectors) {
            halves.keep((*text).to_owned(), Arc::clone(vector));
        }
    }
}

impl Halves {
    fn find(&mut self, text: &str) -> Option<Arc<[f32]>> {
        if let Some(vector) = self.young.get(text) {
            return Some(Arc::clone(vector));
        }
        let (text, vector) = self.old.remove_entry(text)?;
        self.keep(text, Arc::clone(&vector));
        Some(vector)
    }

    fn keep(&mut self, text: String, vector: Arc<[f32]>) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, vector);
    }
}

#[cfg(test)]
mod tests {
    use models::TextRole;

    use super::*;
    use crate::trial::Trial;

    #[test]
    fn a_text_keeps_the_vector_that_the_embedder_gave_it() {
        let trial = Trial::with_embedder();
        let texts = ["the queue is stuck", "no mail", "the queue is stuck"];
        let embedded = trial.desk.embedder().unwrap().embed(TextRole::Passage, &texts).unwrap();
        for round in 0..2 {
            let vectors = trial.desk.vectors_of(&texts).unwrap().unwrap();
            assert!(vectors.iter().zip(&embedded).all(|(kept, made)| **kept == **made), "round {round}");
        }
        let recall = &trial.desk.recall;
        let (kept, before) = recall.find(&texts);
        assert_eq!(kept.iter().flatten().count(), 3);
        recall.forget();
        recall.keep(&texts[..1], &[vec![1.0].into()], before);
        assert_eq!(recall.find(&texts).0.iter().flatten().count(), 0, "also what was under way");
    }

    #[test]
    fn what_nobody_asks_for_goes_and_what_is_asked_for_stays() {
        let mut halves = Halves::default();
        let vector: Arc<[f32]> = vec![1.0].into();
        halves.keep("asked".to_owned(), Arc::clone(&vector));
        halves.keep("silent".to_owned(), Arc::clone(&vector));
        for number in 0..3 * HALF {
            halves.keep(number.to_string(), Arc::clone(&vector));
            assert!(halves.find("asked").is_some(), "after {number}");
        }
        assert!(halves.find("silent").is_none());
        assert!(halves.young.len() + halves.old.len() <= 2 * HALF);
    }
}
