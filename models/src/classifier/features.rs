//! Which numbers does a linear model read off a text?
//!
//! Whatever changes the numbers changes what the weights in files mean: raise the format in `file.rs` with it.

use std::collections::HashMap;
use std::ops::Range;

/// Words of one letter say little.
const MIN_WORD_CHARS: usize = 2;
/// What of a text is read: more is a log file, not what somebody wrote.
const MAX_WORDS: usize = 4_000;
/// Lengths of the letter groups, the marks at both ends of a word counted.
const GROUPS: Range<usize> = 3..6;
/// Where a word is longer, only its first letters make groups.
const MAX_GROUP_CHARS: usize = 40;

/// How much a vector counts beside the words; chosen by cross-validation, as are the lengths of the families.
pub(super) const VECTOR_LENGTH: f32 = 0.7;

/// The families of text features; each is brought to a length of its own, so that a long text speaks no louder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Words and pairs of neighbours.
    Words,
    /// Groups of letters within a word, which survive inflection, typing errors and compounds.
    Letters,
    /// Words and pairs of the first of several lines, in which people say what it is about.
    Title,
}

impl Family {
    /// How much the whole family counts beside the words.
    fn length(self) -> f32 {
        match self {
            Self::Words => 1.0,
            Self::Letters | Self::Title => 0.5,
        }
    }

    /// In how many texts a feature must stand to be learnt from.
    fn min_texts(self) -> u32 {
        match self {
            Self::Words | Self::Title => 2,
            Self::Letters => 3,
        }
    }
}

/// One occurrence of a feature: a word, a pair of words or a group of letters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gram {
    /// The same for the same feature everywhere.
    pub(super) hash: u64,
    /// The first word that it covers, by its place in the text.
    pub(super) word: usize,
    /// How many words it covers.
    pub(super) words: usize,
    family: Family,
}

/// A text taken apart.
#[derive(Debug)]
pub(super) struct Reading {
    /// Its words in lower case, the first 4,000 of them.
    pub(super) words: Vec<String>,
    /// Everything that is read off them.
    pub(super) grams: Vec<Gram>,
}

impl Reading {
    pub(super) fn new(text: &str) -> Self {
        let words: Vec<String> = words(text).take(MAX_WORDS).map(str::to_lowercase).collect();
        let mut grams = Vec::new();
        add_words(&words, Family::Words, *b"wp", &mut grams);
        if let Some((title, _)) = text.split_once('\n') {
            let title = self::words(title).count().min(MAX_WORDS);
            add_words(&words[..title], Family::Title, *b"tu", &mut grams);
        }
        add_letters(&words, &mut grams);
        Self { words, grams }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.chars().nth(MIN_WORD_CHARS - 1).is_some())
}

fn add_words(words: &[String], family: Family, [single, pair]: [u8; 2], grams: &mut Vec<Gram>) {
    for (word, text) in words.iter().enumerate() {
        grams.push(Gram { hash: hash(single, text.as_bytes()), word, words: 1, family });
        if let Some(next) = words.get(word + 1) {
            let hash = extend(extend(hash(pair, text.as_bytes()), b" "), next.as_bytes());
            grams.push(Gram { hash, word, words: 2, family });
        }
    }
}

fn add_letters(words: &[String], grams: &mut Vec<Gram>) {
    let (mut marked, mut starts) = (String::new(), Vec::new());
    for (word, text) in words.iter().enumerate() {
        marked.clear();
        marked.push(' ');
        marked.extend(text.chars().take(MAX_GROUP_CHARS));
        marked.push(' ');
        starts.clear();
        starts.extend(marked.char_indices().map(|(byte, _)| byte).chain([marked.len()]));
        for length in GROUPS {
            for ends in starts.windows(length + 1) {
                let hash = hash(b'l', &marked.as_bytes()[ends[0]..ends[length]]);
                grams.push(Gram { hash, word, words: 1, family: Family::Letters });
            }
        }
    }
}

/// FNV-1a with 64 bits: the same on every machine, so that it may stand in files.
fn hash(kind: u8, bytes: &[u8]) -> u64 {
    extend(extend(0xcbf2_9ce4_8422_2325, &[kind]), bytes)
}

fn extend(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// The features that count, known by their hashes alone: it holds no word of anybody's text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vocabulary {
    /// Ascending; a feature's number is its place here.
    hashes: Vec<u64>,
    /// How rare each is.
    rarity: Vec<f32>,
    numbers: HashMap<u64, u32>,
}

impl Vocabulary {
    /// Learns from texts; when more features qualify than the limit, those in most texts stay.
    pub(super) fn learn<'a>(texts: impl Iterator<Item = &'a str>, limit: usize) -> Self {
        let mut counts: HashMap<u64, (u32, Family)> = HashMap::new();
        let mut total = 0_u32;
        for text in texts {
            total += 1;
            let mut grams = Reading::new(text).grams;
            grams.sort_unstable_by_key(|gram| gram.hash);
            grams.dedup_by_key(|gram| gram.hash);
            for gram in grams {
                counts.entry(gram.hash).or_insert((0, gram.family)).0 += 1;
            }
        }
        let kept = counts.into_iter().filter(|(_, (texts, family))| *texts >= family.min_texts());
        let mut kept: Vec<(u64, u32)> = kept.map(|(hash, (texts, _))| (hash, texts)).collect();
        kept.sort_unstable_by_key(|(hash, texts)| (u32::MAX - texts, *hash));
        kept.truncate(limit);
        kept.sort_unstable();
        let rarity = |texts: u32| (f64::from(total + 1) / f64::from(texts + 1)).ln() + 1.0;
        let (hashes, rarity) = kept.into_iter().map(|(hash, texts)| (hash, rarity(texts) as f32)).unzip();
        Self::new(hashes, rarity)
    }

    /// From what a file holds: hashes ascending, as many rarities.
    pub(super) fn new(hashes: Vec<u64>, rarity: Vec<f32>) -> Self {
        let numbers = (0..).zip(&hashes).map(|(number, hash)| (*hash, number)).collect();
        Self { hashes, rarity, numbers }
    }

    pub(super) fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    pub(super) fn rarity(&self) -> &[f32] {
        &self.rarity
    }

    pub(super) fn number(&self, gram: &Gram) -> Option<u32> {
        self.numbers.get(&gram.hash).copied()
    }

    /// What is known of a text: feature numbers ascending, each with its weight; empty when nothing is known.
    ///
    /// A feature weighs (1 + ln count) × rarity, as in tf-idf with a damped count, before its family is brought to length.
    pub(super) fn row(&self, grams: &[Gram]) -> Vec<(u32, f32)> {
        let known = |gram: &Gram| Some((self.number(gram)?, gram.family));
        let mut known: Vec<(u32, Family)> = grams.iter().filter_map(known).collect();
        known.sort_unstable_by_key(|(number, _)| *number);
        let mut squares = [0.0_f32; 3];
        let mut row = Vec::new();
        for same in known.chunk_by(|a, b| a.0 == b.0) {
            let (number, family) = same[0];
            let weight = (1.0 + (same.len() as f32).ln()) * self.rarity[number as usize];
            squares[family as usize] += weight * weight;
            row.push((number, weight, family));
        }
        let scaled = |family: Family| family.length() / squares[family as usize].sqrt();
        row.into_iter().map(|(number, weight, family)| (number, weight * scaled(family))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Reading, Vocabulary};

    #[test]
    fn words_pairs_letters_and_the_title_are_read() {
        let hashes = |text: &str| Reading::new(text).grams.iter().map(|gram| gram.hash).collect::<Vec<_>>();
        let check = |text: &str, features| assert_eq!(hashes(text).len(), features, "{text:?}");
        check("", 0);
        check("a . -", 0);
        // " vpn " has 3 groups of three letters, 2 of four and 1 of five
        check("VPN", 1 + 6);
        check("vpn vpn", 2 + 1 + 12);
        check("vpn\nvpn", 2 + 1 + 12 + 1);
        let twice = hashes("vpn\nvpn");
        assert!(twice[0] == twice[2] && twice[0] != twice[3], "a word of the title is another feature");
        assert_eq!(hashes("Größe"), hashes("GRÖßE"));
        assert_ne!(hashes("disk full")[1], hashes("diskfull")[0], "a pair is not a word");
        let long = Reading::new(&"word\n".repeat(10_000));
        assert_eq!(
            (long.words.len(), long.grams.iter().filter(|gram| gram.words == 2).count()),
            (4_000, 3_999)
        );
    }

    #[test]
    fn each_family_has_its_own_length() {
        let texts = ["disk full\nserver db01", "disk full\nhost", "disk broken", "printer full"];
        let vocabulary = Vocabulary::learn(texts.into_iter(), 1_000);
        let length = |text: &str| {
            let row = vocabulary.row(&Reading::new(text).grams);
            row.iter().map(|(_, value)| value * value).sum::<f32>()
        };
        let check = |text: &str, expected: f32| assert!((length(text) - expected).abs() < 1e-5, "{text:?}");
        check("disk full\ndisk disk disk", 1.0 + 0.25 + 0.25);
        check("disk", 1.0 + 0.25);
        check("disks", 0.25);
        check("router", 0.0);
    }

    #[test]
    fn the_limit_keeps_what_stands_in_most_texts() {
        let texts = ["disk full", "disk full", "disk"];
        let all = Vocabulary::learn(texts.into_iter(), 1_000);
        let few = Vocabulary::learn(texts.into_iter(), 5);
        assert_eq!(few.hashes().len(), 5);
        assert!(few.hashes().is_sorted() && few.rarity().iter().all(|rarity| *rarity <= 1.0 + 1e-6));
        assert!(all.hashes().len() > 5 && few.hashes().iter().all(|hash| all.hashes().contains(hash)));
    }
}
