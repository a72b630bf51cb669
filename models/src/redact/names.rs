//! Where do names that the CMDB knows stand in a text?

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::fold::{Folded, caseless};
use super::spans::Claim;
use super::{Category, KnownName};

/// All wanted names, found in one sweep.
#[derive(Debug)]
pub(super) struct NameFinder {
    sweep: Option<AhoCorasick>,
    categories: Vec<Category>,
}

impl NameFinder {
    /// Names of one letter are left out: they would be everywhere.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a KnownName>) -> Self {
        let (mut patterns, mut categories) = (Vec::new(), Vec::new());
        for known in names.filter(|known| known.name.trim().chars().count() > 1) {
            patterns.push(caseless(Folded::spacing(known.name.trim()).text()));
            categories.push(known.kind.category());
        }
        let sweep = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&patterns);
        Self { sweep: sweep.ok().filter(|_| !patterns.is_empty()), categories }
    }

    /// Claims names that stand as whole words; of two that start together the longer one is offered first.
    pub(super) fn find(&self, text: &str, claims: &mut Vec<Claim>) {
        let Some(sweep) = &self.sweep else { return };
        let folded = Folded::case(text);
        for found in sweep.find_overlapping_iter(folded.text()) {
            let Some(range) = folded.origin(found.range()) else { continue };
            let category = self.categories[found.pattern().as_usize()];
            // A hyphen belongs to a host's name: `db-1` does not stand in `db-1-old`.
            let joins = |c: char| c.is_alphanumeric() || c == '_' || (c == '-' && category == Category::Host);
            let before = text[..range.start].chars().next_back();
            let after = text[range.end..].chars().next();
            if !before.is_some_and(joins) && !after.is_some_and(joins) {
                claims.push(Claim::new(category, range));
            }
        }
    }
}
