//! Which value stands behind which placeholder, in all texts of one prompt?

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use regex::Captures;

use super::fold::{Folded, caseless};
use super::secrets::{Echoes, is_telling};
use super::spans::{Gaps, PLACEHOLDER, category_of};
use super::{Category, Redacted, Redactor, Replacement};

/// A text is searched again between its finds until nothing more turns up; real texts need two rounds.
const MAX_ROUNDS: usize = 12;

/// Redacts several texts with one numbering: the same value has the same placeholder in all of them, and no two values share one.
///
/// Each text is to be redacted once: a placeholder that stands in one already and means another value here is itself replaced.
///
/// ```
/// use models::{RedactionPolicy, Redactor};
///
/// let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
/// let session = redactor.session();
/// assert_eq!(session.redact("ann@example.org wrote").text(), "[EMAIL_1] wrote");
/// assert_eq!(session.redact("bob@example.org and ann@example.org").text(), "[EMAIL_2] and [EMAIL_1]");
/// assert_eq!(session.redact("[EMAIL_1], literally").text(), "[EMAIL_3], literally");
/// ```
#[derive(Clone)]
pub struct RedactionSession<'a> {
    redactor: &'a Redactor,
    given: Rc<RefCell<Placeholders>>,
}

/// What was hidden, by placeholder. It does not show the values where it is written to a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    values: BTreeMap<String, String>,
}

#[derive(Default)]
struct Placeholders {
    /// The last number of each category.
    last: BTreeMap<Category, u32>,
    by_value: BTreeMap<(Category, String), String>,
    hidden: Hidden,
    /// Placeholders that stood in a text before.
    foreign: BTreeSet<String>,
    /// A secret that was found once must not stand elsewhere without its label.
    secrets: BTreeSet<String>,
}

impl<'a> RedactionSession<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, given: Rc::default() }
    }

    /// The same numbering, under what another redactor hides.
    #[must_use]
    pub fn under<'b>(&self, redactor: &'b Redactor) -> RedactionSession<'b> {
        RedactionSession { redactor, given: Rc::clone(&self.given) }
    }

    /// Replaces everything in a text that the policy does not let out.
    #[must_use]
    pub fn redact(&self, text: &str) -> Redacted {
        let mut given = self.given.borrow_mut();
        let folded = Folded::spacing(text);
        let mut gaps = Gaps::around_placeholders(folded.text(), |literal| given.is_taken(literal));
        for _ in 0..MAX_ROUNDS {
            let mut changed = gaps.claim(|gap| self.redactor.find(gap));
            let claims = gaps.claims();
            let secrets = claims.iter().filter(|claim| claim.category == Category::Secret);
            let secrets = secrets.map(|claim| &folded.text()[claim.start..claim.end]);
            given.secrets.extend(secrets.filter(|secret| is_telling(secret)).map(str::to_owned));
            if let Some(echoes) = Echoes::of(&given.secrets).filter(|_| self.redactor.policy.secrets) {
                changed |= gaps.claim(|gap| echoes.find(gap));
            }
            if !changed {
                break;
            }
        }
        given.replace(text, &folded, &gaps)
    }

    /// Puts values back that this session's redactor would let out, into what a language model said of texts of this numbering.
    #[must_use]
    pub fn restore(&self, text: &str) -> String {
        let given = self.given.borrow();
        let value = |found: &Captures<'_>| {
            let (placeholder, [label]) = (found.get_match().as_str(), found.extract().1);
            let is_open = category_of(label).is_some_and(|category| !self.redactor.policy.hides(category));
            let value = given.hidden.values.get(placeholder).filter(|_| is_open);
            value.map_or(placeholder, String::as_str).to_owned()
        };
        PLACEHOLDER.replace_all(text, value).into_owned()
    }

    /// All that was hidden so far.
    #[must_use]
    pub fn hidden(&self) -> Hidden {
        self.given.borrow().hidden.clone()
    }
}

impl Placeholders {
    /// Whether a placeholder that stands in a text means something else here; from now on it does not.
    fn is_taken(&mut self, literal: &str) -> bool {
        let is_taken = self.hidden.values.contains_key(literal);
        if !is_taken {
            self.foreign.insert(literal.to_owned());
        }
        is_taken
    }

    fn replace(&mut self, text: &str, folded: &Folded<'_>, gaps: &Gaps<'_>) -> Redacted {
        let mut redacted = String::with_capacity(text.len());
        let mut replacements = Vec::new();
        let mut behind = 0;
        for claim in gaps.claims() {
            let value = caseless(&folded.text()[claim.start..claim.end]);
            // Spacing is folded character by character, so every claim has its place in the original.
            let Some(Range { start, end }) = folded.origin(claim.start..claim.end) else { continue };
            let placeholder = self.placeholder(claim.category, value, &text[start..end]);
            redacted.push_str(&text[behind..start]);
            redacted.push_str(&placeholder);
            behind = end;
            replacements.push(Replacement { category: claim.category, start, end, placeholder });
        }
        redacted.push_str(&text[behind..]);
        Redacted { text: redacted, replacements }
    }

    fn placeholder(&mut self, category: Category, value: String, written: &str) -> String {
        if let Some(known) = self.by_value.get(&(category, value.clone())) {
            return known.clone();
        }
        let last = self.last.entry(category).or_default();
        let placeholder = loop {
            *last += 1;
            let placeholder = format!("[{}_{last}]", category.label());
            if !self.foreign.contains(&placeholder) {
                break placeholder;
            }
        };
        self.by_value.insert((category, value), placeholder.clone());
        self.hidden.values.insert(placeholder.clone(), written.to_owned());
        placeholder
    }
}

impl Hidden {
    /// The values, each by its placeholder, as they were written where they stood first.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} hidden values", self.values.len())
    }
}
