//! Which parts of a text must not leave this machine, and what stands in their place?
//!
//! Rules and checksums find e-mail addresses, phone numbers, addresses of machines, payment cards, bank accounts, national ids and
//! secrets; known names come from the CMDB. Each find is replaced by a placeholder such as `[EMAIL_1]`; the same value gets the same
//! placeholder throughout a text, or throughout all texts of a session, so that they stay readable.

mod accounts;
mod addresses;
mod fold;
mod names;
mod national_ids;
mod phones;
mod redacted;
mod secrets;
mod session;
mod spans;

use serde::{Deserialize, Serialize};

use names::NameFinder;
use spans::Claim;

pub use redacted::{Redacted, Replacement};
pub use session::{Hidden, RedactionSession};

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
    /// A number that a state gave a person (right form, right check digits).
    NationalId,
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
    const ALL: [Self; 9] = [
        Self::Secret,
        Self::PaymentCard,
        Self::Iban,
        Self::NationalId,
        Self::Email,
        Self::IpAddress,
        Self::Phone,
        Self::Person,
        Self::Host,
    ];

    /// The word in a placeholder.
    fn label(self) -> &'static str {
        match self {
            Self::Secret => "SECRET",
            Self::PaymentCard => "CARD",
            Self::Iban => "IBAN",
            Self::NationalId => "NATIONAL_ID",
            Self::Email => "EMAIL",
            Self::IpAddress => "IP",
            Self::Phone => "PHONE",
            Self::Person => "PERSON",
            Self::Host => "HOST",
        }
    }
}

/// Which categories are replaced; by default all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactionPolicy {
    /// Passwords, keys and tokens.
    pub secrets: bool,
    /// Payment cards.
    pub payment_cards: bool,
    /// Bank accounts.
    pub ibans: bool,
    /// National ids.
    pub national_ids: bool,
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
            national_ids: true,
            emails: true,
            ip_addresses: true,
            phones: true,
            people: true,
            hosts: true,
        }
    }
}

impl RedactionPolicy {
    /// Whether what is of this category is replaced.
    #[must_use]
    pub fn hides(&self, category: Category) -> bool {
        match category {
            Category::Secret => self.secrets,
            Category::PaymentCard => self.payment_cards,
            Category::Iban => self.ibans,
            Category::NationalId => self.national_ids,
            Category::Email => self.emails,
            Category::IpAddress => self.ip_addresses,
            Category::Phone => self.phones,
            Category::Person => self.people,
            Category::Host => self.hosts,
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

impl NameKind {
    fn category(self) -> Category {
        match self {
            Self::Person => Category::Person,
            Self::Host => Category::Host,
        }
    }
}

/// Finds what is of one category.
type Rule = fn(&str, &mut Vec<Claim>);

/// Finds and replaces what a policy does not let out.
#[derive(Debug)]
pub struct Redactor {
    policy: RedactionPolicy,
    names: NameFinder,
}

impl Redactor {
    /// A redactor for a policy and the names that the CMDB knows; names that the policy does not ask for are dropped.
    #[must_use]
    pub fn new(policy: &RedactionPolicy, names: &[KnownName]) -> Self {
        let wanted = names.iter().filter(|known| policy.hides(known.kind.category()));
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
        self.session().redact(text)
    }

    /// One numbering for several texts.
    #[must_use]
    pub fn session(&self) -> RedactionSession<'_> {
        RedactionSession::new(self)
    }

    /// Candidates in one stretch of text, the ones that matter most first.
    fn find(&self, text: &str) -> Vec<Claim> {
        let mut claims = Vec::new();
        let rules: [(Category, Rule); 7] = [
            (Category::Secret, secrets::find),
            (Category::PaymentCard, accounts::find_cards),
            (Category::Iban, accounts::find_ibans),
            (Category::NationalId, national_ids::find),
            (Category::Email, addresses::find_emails),
            (Category::IpAddress, addresses::find_ips),
            (Category::Phone, phones::find),
        ];
        for (_, find) in rules.into_iter().filter(|(category, _)| self.policy.hides(*category)) {
            find(text, &mut claims);
        }
        self.names.find(text, &mut claims);
        claims
    }
}

#[cfg(test)]
mod tests;
