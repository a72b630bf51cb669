//! Which known names does a text mention? A dictionary of all names, searched in one pass.

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use super::key::{Folded, fold};

/// Fewest characters of a name that is looked for in running text: shorter ones ("it", "hr") are words far more often.
const NAME_CHARS_MIN: usize = 3;

/// Most bytes of a name that is looked for in running text; a longer one is a sentence used as a title.
const NAME_BYTES_MAX: usize = 200;

/// The known names of configuration items, services, teams and so on.
pub(crate) struct Names {
    automaton: AhoCorasick,
    /// The ids of pattern `i` are `ids[starts[i]..starts[i + 1]]`: one name may belong to several records.
    starts: Vec<usize>,
    ids: Vec<u32>,
}

/// A known name at a place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    /// First byte.
    pub(crate) start: usize,
    /// One past the last byte.
    pub(crate) end: usize,
    /// Who is called so.
    pub(crate) id: u32,
}

impl Names {
    /// Takes names in their normal form (see [`key`](super::key)). Names that running text cannot show are left out:
    /// very short or long ones and those without a letter.
    ///
    /// # Errors
    /// When the names are more than an automaton can hold.
    pub(crate) fn new(keys: impl Iterator<Item = (String, u32)>) -> Result<Self, BuildError> {
        let mut keys: Vec<(String, u32)> = keys.filter(|(name, _)| can_be_mentioned(name)).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut patterns: Vec<&str> = Vec::new();
        let mut starts = Vec::new();
        let mut ids = Vec::with_capacity(keys.len());
        for (name, id) in &keys {
            if patterns.last() != Some(&name.as_str()) {
                patterns.push(name);
                starts.push(ids.len());
            }
            ids.push(*id);
        }
        starts.push(ids.len());
        // Standard, not leftmost-longest: a longest match that is not a whole word would hide a shorter one that is.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns)?;
        Ok(Self { automaton, starts, ids })
    }

    /// The names in a text, leftmost first and the longest of those that overlap, whole words only, whatever their case
    /// and white space. Names of which `keep` keeps no id are as if they were not known: they hide no shorter one. Places are
    /// byte offsets of `text` itself.
    pub(crate) fn mentions(&self, text: &str, keep: impl Fn(u32) -> bool) -> Vec<Mention> {
        let copy = Normalised::of(text);
        let mut found: Vec<(usize, usize, usize)> = self
            .automaton
            .find_overlapping_iter(&copy.text)
            .filter(|hit| copy.is_whole_word(hit.start(), hit.end()))
            .map(|hit| (hit.start(), hit.end(), hit.pattern().as_usize()))
            .filter(|(_, _, pattern)| self.ids(*pattern).iter().any(|id| keep(*id)))
            .collect();
        found.sort_unstable_by_key(|&(start, end, _)| (start, std::cmp::Reverse(end)));

        let mut mentions = Vec::new();
        let mut free_from = 0;
        for (start, end, pattern) in found {
            if start < free_from {
                continue;
            }
            free_from = end;
            let ids = self.ids(pattern).iter().filter(|id| keep(**id));
            let (start, end) = copy.original(start, end, text);
            mentions.extend(ids.map(|&id| Mention { start, end, id }));
        }
        mentions
    }

    fn ids(&self, pattern: usize) -> &[u32] {
        &self.ids[self.starts[pattern]..self.starts[pattern + 1]]
    }
}

fn can_be_mentioned(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.chars().nth(NAME_CHARS_MIN - 1).is_some()
        && name.chars().any(char::is_alphabetic)
}

/// A text folded as names are, and where each of its bytes comes from.
struct Normalised {
    text: String,
    origin: Vec<usize>,
}

impl Normalised {
    fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut origin = Vec::with_capacity(original.len());
        for (at, c) in original.char_indices() {
            if c.is_ascii_graphic() {
                text.push(c.to_ascii_lowercase());
                origin.push(at);
                continue;
            }
            match fold(c) {
                Folded::Nothing => {}
                Folded::Space if text.ends_with(' ') => {}
                Folded::Space => text.push(' '),
                Folded::Letters(letters) => text.extend(letters),
            }
            origin.resize(text.len(), at);
        }
        Self { text, origin }
    }

    /// Whether no word goes on at either side. A hyphen ends a word ("VPN-Verbindung" has "VPN") unless a digit follows or
    /// leads ("web" is not in "web-01"); a full stop or underscore inside a token never does.
    fn is_whole_word(&self, start: usize, end: usize) -> bool {
        let mut before = self.text[..start].chars().rev();
        let mut after = self.text[end..].chars();
        !goes_on(before.next(), before.next()) && !goes_on(after.next(), after.next())
    }

    fn original(&self, start: usize, end: usize, text: &str) -> (usize, usize) {
        let last = self.origin[end - 1];
        let width = text[last..].chars().next().map_or(0, char::len_utf8);
        (self.origin[start], last + width)
    }
}

fn goes_on(next: Option<char>, beyond: Option<char>) -> bool {
    match next {
        Some('_') => true,
        Some('.' | '@') => beyond.is_some_and(char::is_alphanumeric),
        Some('-') => beyond.is_some_and(char::is_numeric),
        Some(c) => c.is_alphanumeric(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::Names;
    use crate::derive::key::key;

    fn dictionary(names: &[&str]) -> Names {
        Names::new(names.iter().zip(0_u32..).filter_map(|(name, id)| Some((key(name)?, id)))).unwrap()
    }

    #[test]
    fn names_are_found_as_whole_words() {
        let names = dictionary(&[
            "Exchange",
            "Exchange Server",
            "VPN",
            "mail01.corp.example.com",
            "web",
            "it",
            "4711",
            "İstanbul DC",
            "Team Netz",
        ]);
        let check = |text: &str, expected: &[(&str, u32)]| {
            let found: Vec<(&str, u32)> = names
                .mentions(text, |_| true)
                .iter()
                .map(|mention| (&text[mention.start..mention.end], mention.id))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("the exchange\r\n  SERVER is down", &[("exchange\r\n  SERVER", 1)]);
        check("two exchange servers", &[("exchange", 0)]);
        check("exchanges, VPNs, vpn_a, vpn.b", &[]);
        check("VPN-Verbindung, non-VPN (vpn).", &[("VPN", 2), ("VPN", 2), ("vpn", 2)]);
        check("Mail01.Corp.example.com.", &[("Mail01.Corp.example.com", 3)]);
        check("web-01 and 3-web but web", &[("web", 4)]);
        check("it is 4711", &[]);
        check("in İSTANBUL\u{a0}DC?", &[("İSTANBUL\u{a0}DC", 7)]);
        check("äTeam Netzö Team\u{ad} Netz", &[("Team\u{ad} Netz", 8)]);
        check("", &[]);
    }

    #[test]
    fn a_name_of_two_records_is_a_mention_of_both() {
        let names = Names::new([("citrix".to_owned(), 7), ("citrix".to_owned(), 3)].into_iter()).unwrap();
        let ids: Vec<u32> = names.mentions("Citrix", |_| true).iter().map(|mention| mention.id).collect();
        assert_eq!(ids, [3, 7]);
        assert!(Names::new(std::iter::empty()).unwrap().mentions("Citrix", |_| true).is_empty());
    }

    #[test]
    fn a_name_that_is_not_kept_hides_no_shorter_one() {
        let names = dictionary(&["mail server legacy", "mail server"]);
        let found = |keep: &dyn Fn(u32) -> bool| -> Vec<u32> {
            names.mentions("the mail server legacy", keep).iter().map(|mention| mention.id).collect()
        };
        assert_eq!(found(&|_| true), [0]);
        assert_eq!(found(&|id| id != 0), [1]);
        assert!(found(&|_| false).is_empty());
    }

    proptest! {
        #[test]
        fn mentions_lie_on_characters_in_order(text in "(ab|aB c|İ|ß| |\u{a0}|\u{ad}|-|[a-cA-C .]|\\PC){0,30}") {
            let names = dictionary(&["abc", "ab c", "i̇ab", "ßab", "b c"]);
            let mut free_from = 0;
            for mention in names.mentions(&text, |_| true) {
                prop_assert!(mention.start >= free_from && mention.start < mention.end);
                prop_assert!(text.get(mention.start..mention.end).is_some());
                prop_assert!(key(&text[mention.start..mention.end]).is_some());
                free_from = mention.end;
            }
        }
    }
}
