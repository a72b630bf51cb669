//! Which record revisions may a reader see?

/// A set of log positions, one bit each; positions start at 1.
///
/// Every leg of a query takes one and applies it before scoring. A position outside the set's length is
/// not visible, so a set made for an older position of the log hides what came later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visible {
    len: u64,
    words: Vec<u64>,
}

impl Visible {
    /// The empty set over positions `1..=len`.
    pub(crate) fn none(len: u64) -> Self {
        Self { len, words: vec![0; word_of(len) + 1] }
    }

    /// The set of all positions `1..=len`.
    pub(crate) fn all(len: u64) -> Self {
        let mut all = Self { len, words: vec![u64::MAX; word_of(len) + 1] };
        all.words[0] &= !1;
        if let Some(last) = all.words.last_mut() {
            *last &= u64::MAX >> (63 - len % 64);
        }
        all
    }

    /// Adds a position; one outside `1..=len` is not added.
    pub(crate) fn insert(&mut self, position: u64) {
        if (1..=self.len).contains(&position) {
            self.words[word_of(position)] |= 1 << (position % 64);
        }
    }

    /// Whether the position is in the set.
    pub(crate) fn contains(&self, position: u64) -> bool {
        self.words.get(word_of(position)).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }

    /// How many positions are in the set.
    pub(crate) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

fn word_of(position: u64) -> usize {
    usize::try_from(position / 64).unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_holds_exactly_its_positions() {
        for len in [0, 1, 62, 63, 64, 65, 127, 128, 1000] {
            let all = Visible::all(len);
            assert_eq!(all.count(), len, "len {len}");
            assert!(!all.contains(0));
            assert!((1..=len).all(|position| all.contains(position)));
            assert!(!all.contains(len + 1));
            assert!(!all.contains(u64::MAX));
        }
    }

    #[test]
    fn inserted_positions_and_no_others() {
        let mut some = Visible::none(130);
        for position in [0, 1, 64, 130, 131, 5000] {
            some.insert(position);
        }
        let found: Vec<u64> = (0..6000).filter(|&position| some.contains(position)).collect();
        assert_eq!(found, [1, 64, 130]);
        assert_eq!(some.count(), 3);
    }
}
