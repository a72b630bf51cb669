//! Which parts of a text must not leave this machine, and what stands in their place?
//!
//! Rules and checksums find e-mail addresses, phone numbers, addresses of machines, payment cards, bank accounts and
//! secrets; known names come from the CMDB where the policy asks for them. Each find is replaced by a placeholder
//! such as `[EMAIL_1]`; the same value gets the same placeholder throughout a text, so the text stays readable.

mod accounts;
mod addresses;
mod fold;
mod names;
mod phones;
mod secrets;
mod spans;

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use fold::{Folded, caseless};
use names::NameFinder;
use secrets::Echoes;
use spans::{Claim, Gaps};

/// What kind of thing was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Category {
    /// A password, key, token, or the credentials in a URL.
    Secret,
    /// A payment card's number (right length for its issuer, right Luhn digit).
    PaymentCard,
    /// A bank account (right length for its country, right check digits).
    Iban,
    /// An e-mail address.
    Email,
    /// An IPv4 or IPv6 address, unless it is the loopback or unspecified one, which names no machine.
    IpAddress,
    /// A phone number.
    Phone,
    /// A person known to the CMDB.
    Person,
    /// A host known to the CMDB.
    Host,
}

impl Category {
    /// The word in a placeholder.
    fn label(self) -> &'static str {
        match self {
            Self::Secret => "SECRET",
            Self::PaymentCard => "CARD",
            Self::Iban => "IBAN",
            Self::Email => "EMAIL",
            Self::IpAddress => "IP",
            Self::Phone => "PHONE",
            Self::Person => "PERSON",
            Self::Host => "HOST",
        }
    }
}

/// Which categories are replaced; by default everything that a rule finds, and no names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactionPolicy {
    /// Passwords, keys and tokens.
    pub secrets: bool,
    /// Payment cards.
    pub payment_cards: bool,
    /// Bank accounts.
    pub ibans: bool,
    /// E-mail addresses.
    pub emails: bool,
    /// IP addresses.
    pub ip_addresses: bool,
    /// Phone numbers.
    pub phones: bool,
    /// Known people.
    pub people: bool,
    /// Known hosts.
    pub hosts: bool,
}

impl Default for RedactionPolicy {
    fn default() -> Self {
        Self {
            secrets: true,
            payment_cards: true,
            ibans: true,
            emails: true,
            ip_addresses: true,
            phones: true,
            people: false,
            hosts: false,
        }
    }
}

/// A name that the CMDB knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownName {
    /// The name as people write it; case does not matter.
    pub name: String,
    /// Whose name it is.
    pub kind: NameKind,
}

/// Whose name a known name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A person.
    Person,
    /// A host.
    Host,
}

/// Text that went through a [`Redactor`], the only thing that can make one.
///
/// Prompts are built from nothing else, so text that was not redacted cannot reach a language model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    text: String,
    replacements: Vec<Replacement>,
}

impl Redacted {
    /// The text with placeholders.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A part of the original text, from one byte to another, as it stands here. Secrets that only their surroundings betray, a key's
    /// lines or a password told twice, stay hidden in it.
    #[must_use]
    pub fn part(&self, original: &str, start: usize, end: usize) -> String {
        let mut part = String::new();
        let mut at = start;
        for replaced in self.replacements.iter().filter(|one| one.start < end && one.end > start) {
            part.push_str(original.get(at..replaced.start.max(at)).unwrap_or_default());
            part.push_str(&replaced.placeholder);
            at = replaced.end.min(end);
        }
        part.push_str(original.get(at..end).unwrap_or_default());
        part
    }

    /// What was replaced, in order of place.
    #[must_use]
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }
}

/// One replaced stretch of the original text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replacement {
    /// What it was.
    pub category: Category,
    /// First byte in the original text.
    pub start: usize,
    /// Byte behind the last one in the original text.
    pub end: usize,
    /// What stands there now.
    pub placeholder: String,
}

/// Finds and replaces what a policy does not let out.
#[derive(Debug)]
pub struct Redactor {
    policy: RedactionPolicy,
    names: NameFinder,
}

/// A text is searched again between its finds until nothing more turns up; real texts need two rounds.
const MAX_ROUNDS: usize = 12;

impl Redactor {
    /// A redactor for a policy and the names that the CMDB knows; names that the policy does not ask for are dropped.
    #[must_use]
    pub fn new(policy: &RedactionPolicy, names: &[KnownName]) -> Self {
        let wanted = names.iter().filter(|known| match known.kind {
            NameKind::Person => policy.people,
            NameKind::Host => policy.hosts,
        });
        Self { policy: policy.clone(), names: NameFinder::new(wanted) }
    }

    /// Replaces everything that the policy does not let out; takes time in proportion to the text.
    ///
    /// Placeholders that stand in the text already are left alone, so redacting twice changes nothing.
    ///
    /// ```
    /// use models::{RedactionPolicy, Redactor};
    ///
    /// let redactor = Redactor::new(&RedactionPolicy::default(), &[]);
    /// let redacted = redactor.redact("ann@example.org wrote: mail ann@example.org from 10.1.2.3");
    /// assert_eq!(redacted.text(), "[EMAIL_1] wrote: mail [EMAIL_1] from [IP_1]");
    /// ```
    #[must_use]
    pub fn redact(&self, text: &str) -> Redacted {
        let folded = Folded::spacing(text);
        let mut gaps = Gaps::around_placeholders(folded.text());
        for _ in 0..MAX_ROUNDS {
            let mut changed = gaps.claim(|gap| self.find(gap));
            // A secret that was found once must not stand elsewhere without its label.
            if let Some(echoes) = Echoes::of(&gaps.claims(), folded.text()) {
                changed |= gaps.claim(|gap| echoes.find(gap));
            }
            if !changed {
                break;
            }
        }
        replace(text, &folded, &gaps)
    }

    /// Candidates in one stretch of text, the ones that matter most first.
    fn find(&self, text: &str) -> Vec<Claim> {
        let policy = &self.policy;
        let mut claims = Vec::new();
        if policy.secrets {
            secrets::find(text, &mut claims);
        }
        if policy.payment_cards {
            accounts::find_cards(text, &mut claims);
        }
        if policy.ibans {
            accounts::find_ibans(text, &mut claims);
        }
        if policy.emails {
            addresses::find_emails(text, &mut claims);
        }
        if policy.ip_addresses {
            addresses::find_ips(text, &mut claims);
        }
        if policy.phones {
            phones::find(text, &mut claims);
        }
        self.names.find(text, &mut claims);
        claims
    }
}

fn replace(text: &str, folded: &Folded<'_>, gaps: &Gaps<'_>) -> Redacted {
    let mut taken = gaps.highest_numbers();
    let mut known: HashMap<(Category, String), String> = HashMap::new();
    let mut redacted = String::with_capacity(text.len());
    let mut replacements = Vec::new();
    let mut behind = 0;
    for claim in gaps.claims() {
        let value = caseless(&folded.text()[claim.start..claim.end]);
        // Spacing is folded character by character, so every claim has its place in the original.
        let Some(Range { start, end }) = folded.origin(claim.start..claim.end) else { continue };
        let placeholder = known.entry((claim.category, value)).or_insert_with(|| {
            let number = taken.entry(claim.category.label()).or_default();
            *number += 1;
            format!("[{}_{number}]", claim.category.label())
        });
        redacted.push_str(&text[behind..start]);
        redacted.push_str(placeholder);
        behind = end;
        let category = claim.category;
        replacements.push(Replacement { category, start, end, placeholder: placeholder.clone() });
    }
    redacted.push_str(&text[behind..]);
    Redacted { text: redacted, replacements }
}

#[cfg(test)]
mod tests;
