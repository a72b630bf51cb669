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

    /// The set that [`Visible::words`] gave.
    pub(crate) fn of_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    /// One bit for each position.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
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

    /// Takes `position` out.
    pub fn remove(&mut self, position: u64) {
        if let Some(word) = self.words.get_mut(word_of(position)) {
            *word &= !(1 << (position % 64));
        }
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: &Self) {
        self.words.resize(self.words.len().max(other.words.len()), 0);
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Takes out what is not in another set.
    pub fn keep(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Takes out what is in another set.
    pub fn take_out(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// The positions in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        (0..).zip(&self.words).flat_map(|(index, &word): (u64, &u64)| {
            let left = |word: u64| (word != 0).then_some(word);
            let words = std::iter::successors(left(word), move |word| left(word & (word - 1)));
            words.map(move |word| index * 64 + u64::from(word.trailing_zeros()))
        })
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
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 10, 700]);
        set.remove(10);
        set.remove(100_000);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 700]);
    }

    #[test]
    fn sets_are_joined_and_met_whatever_their_lengths() {
        let set = |positions: &[u64]| {
            let mut set = Visible::default();
            positions.iter().for_each(|position| set.insert(*position));
            set
        };
        let (short, long) = (set(&[1, 5, 64]), set(&[5, 64, 300]));
        for (one, other) in [(&short, &long), (&long, &short)] {
            let (mut all, mut both) = (one.clone(), one.clone());
            all.extend(other);
            both.keep(other);
            assert_eq!(all.iter().collect::<Vec<_>>(), [1, 5, 64, 300]);
            assert_eq!(both.iter().collect::<Vec<_>>(), [5, 64]);
        }
    }
}
