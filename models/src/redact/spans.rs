//! Which stretches of a text are taken, and which are still to be searched?

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Category;

/// A placeholder: of this run, or of an earlier one.
pub(super) static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    let labels = Category::ALL.map(Category::label).join("|");
    pattern(&format!(r"\[({labels})_[1-9][0-9]{{0,8}}\]"))
});

/// The category of a placeholder's word.
pub(super) fn category_of(label: &str) -> Option<Category> {
    Category::ALL.into_iter().find(|category| category.label() == label)
}

/// Compiles a rule of this crate.
pub(super) fn pattern(rule: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "rules are constants, and the tests compile each of them")]
    Regex::new(rule).expect("a rule of this crate is well-formed")
}

/// A stretch that one rule wants replaced, in byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) category: Category,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Claim {
    pub(super) fn new(category: Category, range: Range<usize>) -> Self {
        Self { category, start: range.start, end: range.end }
    }
}

/// A text, the claims on it that hold, and the gaps between them.
///
/// Rules see one gap at a time and nothing beside it. That is what makes redaction idempotent: the second run starts
/// from the very gaps in which the first one found nothing more.
pub(super) struct Gaps<'a> {
    text: &'a str,
    open: Vec<Range<usize>>,
    claims: BTreeMap<usize, Claim>,
}

impl<'a> Gaps<'a> {
    /// The text between the placeholders that stand in it. One that `is_taken` by another value is claimed like a value.
    pub(super) fn around_placeholders(text: &'a str, mut is_taken: impl FnMut(&str) -> bool) -> Self {
        let mut gaps = Self { text, open: Vec::new(), claims: BTreeMap::new() };
        let mut behind = 0;
        for found in PLACEHOLDER.captures_iter(text) {
            let (whole, [label]) = (found.get_match(), found.extract().1);
            gaps.leave_open(behind..whole.start());
            behind = whole.end();
            if let Some(category) = category_of(label).filter(|_| is_taken(whole.as_str())) {
                gaps.claims.insert(whole.start(), Claim::new(category, whole.range()));
            }
        }
        gaps.leave_open(behind..text.len());
        gaps
    }

    /// Lets `find` claim parts of each gap; where claims overlap, the earlier category wins, then the earlier place.
    /// True when anything was claimed.
    pub(super) fn claim(&mut self, find: impl Fn(&str) -> Vec<Claim>) -> bool {
        let before = self.claims.len();
        for gap in std::mem::take(&mut self.open) {
            let mut candidates = find(&self.text[gap.clone()]);
            candidates.retain(|claim| claim.start < claim.end);
            candidates.sort_by_key(|claim| (claim.category, claim.start, std::cmp::Reverse(claim.end)));
            let mut held: BTreeMap<usize, Claim> = BTreeMap::new();
            for claim in candidates {
                let nearest = held.range(..claim.end).next_back();
                if nearest.is_none_or(|(_, other)| other.end <= claim.start) {
                    held.insert(claim.start, claim);
                }
            }
            let mut behind = gap.start;
            for claim in held.into_values() {
                let (start, end) = (gap.start + claim.start, gap.start + claim.end);
                self.leave_open(behind..start);
                behind = end;
                self.claims.insert(start, Claim::new(claim.category, start..end));
            }
            self.leave_open(behind..gap.end);
        }
        self.claims.len() > before
    }

    /// The claims in order of place.
    pub(super) fn claims(&self) -> Vec<Claim> {
        self.claims.values().copied().collect()
    }

    fn leave_open(&mut self, gap: Range<usize>) {
        if !gap.is_empty() {
            self.open.push(gap);
        }
    }
}

/// True when a token that starts at `at` is not the tail of a longer word.
pub(super) fn starts_clean(text: &str, at: usize, joiners: &str) -> bool {
    !text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || joiners.contains(c))
}

/// True when a token that ends at `at` is not the head of a longer word: neither a letter or digit follows, nor a
/// joiner with a letter or digit behind it.
pub(super) fn ends_clean(text: &str, at: usize, joiners: &str) -> bool {
    let mut rest = text[at..].chars();
    match rest.next() {
        Some(c) if c.is_alphanumeric() || c == '_' => false,
        Some(c) if joiners.contains(c) => !rest.next().is_some_and(char::is_alphanumeric),
        _ => true,
    }
}
