//! How much does each word of a question count? A question that was read, before its words are weighed.
//!
//! A mean over all tokens lets `please`, `the` and a signature say as much as the name of the product. Which words tell
//! records apart is known to the index, not to the model; so the model reads, and whoever knows weighs.

use std::ops::Range;

/// The rows of a question's tokens, and which word each belongs to.
#[derive(Clone)]
pub struct Reading {
    text: String,
    /// Of each row, the bytes of its word; none for the model's own marks.
    words: Vec<Option<Range<usize>>>,
    rows: Vec<f32>,
    width: usize,
}

impl Reading {
    /// Of `rows` of `width` numbers, one for each of `words`.
    pub(crate) fn new(text: &str, words: Vec<Option<Range<usize>>>, rows: Vec<f32>, width: usize) -> Self {
        Self { text: text.to_owned(), words, rows, width }
    }

    /// Of a vector that is what it is, whatever counts.
    pub(crate) fn settled(vector: Vec<f32>) -> Self {
        Self { text: String::new(), words: vec![None], width: vector.len(), rows: vector }
    }

    /// The question; empty where it was only read as a whole.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The unit vector of the weighted mean. `weight` is asked of each word as it stands in the question, and gives a
    /// positive number; the model's own marks count one. With one for all, it is what `embed` gives, but for rounding.
    #[must_use]
    pub fn vector(&self, weight: impl Fn(&str) -> f32) -> Vec<f32> {
        let mut sum = vec![0.0_f32; self.width];
        let mut last: Option<(&Range<usize>, f32)> = None;
        for (word, row) in self.words.iter().zip(self.rows.chunks_exact(self.width.max(1))) {
            let counts = match (word, last) {
                (None, _) => 1.0,
                (Some(word), Some((before, counts))) if before == word => counts,
                (Some(word), _) => self.text.get(word.clone()).map_or(1.0, &weight),
            };
            last = word.as_ref().map(|word| (word, counts));
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += counts * value);
        }
        let length = sum.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if length > 1e-6 {
            return sum.iter().map(|value| (f64::from(*value) / length) as f32).collect();
        }
        // Nothing to say, or everything cancelled out: one fixed direction keeps the length at 1.
        sum.fill(0.0);
        sum.iter_mut().take(1).for_each(|first| *first = 1.0);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::Reading;

    #[test]
    fn a_word_counts_as_much_as_is_said() {
        let words = vec![None, Some(0..3), Some(4..8), Some(4..8)];
        let rows = vec![0.0, 0.0, 3.0, 0.0, 0.0, 1.0, 0.0, 1.0];
        let reading = Reading::new("the disk", words, rows, 2);
        let vector = reading.vector(|word| if word == "disk" { 2.0 } else { 1.0 });
        assert_eq!(vector, [0.6, 0.8]);
        assert_eq!(Reading::settled(vec![0.0, 1.0]).vector(|_| 7.0), [0.0, 1.0]);
        assert_eq!(Reading::new("", Vec::new(), Vec::new(), 2).vector(|_| 1.0), [1.0, 0.0]);
    }
}
