//! Which revisions may a search see?

/// A set of log positions: what one search may see, after scope and time are applied.
///
/// Positions are dense from 1, so the set is one bit for each position of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visible {
    words: Vec<u64>,
}

impl Visible {
    /// The empty set, with room for the positions 1 to `len`.
    pub fn none(len: u64) -> Self {
        Self { words: vec![0; word_of(len) + 1] }
    }

    /// The set of all positions 1 to `len`.
    pub fn all(len: u64) -> Self {
        let mut words = vec![u64::MAX; word_of(len) + 1];
        words[0] &= !1;
        if let Some(last) = words.last_mut() {
            *last &= u64::MAX >> (63 - len % 64);
        }
        Self { words }
    }

    /// Adds `position`; position 0 is before the first record and stays out.
    pub fn insert(&mut self, position: u64) {
        if position == 0 {
            return;
        }
        let word = word_of(position);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (position % 64);
    }

    /// Whether `position` is in the set.
    #[inline]
    pub fn contains(&self, position: u64) -> bool {
        self.words.get(word_of(position)).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }

    /// How many positions are in the set.
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}

/// The word that holds the bit of `position`. A position too large for the address space saturates and is then
/// found outside every set.
fn word_of(position: u64) -> usize {
    usize::try_from(position / 64).unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::Visible;

    #[test]
    fn all_holds_every_position_from_one_to_the_length() {
        for len in [0, 1, 62, 63, 64, 65, 127, 128, 1000] {
            let all = Visible::all(len);
            assert_eq!(all.count(), len, "length {len}");
            assert!(!all.contains(0) && !all.contains(len + 1), "length {len}");
            assert!((1..=len).all(|position| all.contains(position)), "length {len}");
        }
    }

    #[test]
    fn a_set_holds_what_was_inserted_and_nothing_else() {
        let mut set = Visible::none(10);
        for position in [0, 3, 10, 700, 3] {
            set.insert(position);
        }
        assert_eq!(set.count(), 3);
        assert!(set.contains(3) && set.contains(10) && set.contains(700));
        assert!(!set.contains(0) && !set.contains(4) && !set.contains(u64::MAX));
    }
}
