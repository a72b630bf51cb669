//! How are things named? The identifiers of tenants, sources, records and audiences, each a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text cannot be an identifier.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty or blank.
    #[error("{what} is empty: give it a name")]
    Empty {
        /// Which identifier was asked for.
        what: &'static str,
    },
    /// The text is longer than an identifier may be.
    #[error("{what} is {length} bytes long, {limit} at most: use the source's own short id")]
    TooLong {
        /// Which identifier was asked for.
        what: &'static str,
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text has a character that the identifier must not have.
    #[error("{what} {text:?} has the character {found:?}, which it must not: {rule}")]
    Character {
        /// Which identifier was asked for.
        what: &'static str,
        /// The text given.
        text: String,
        /// The first character that is not allowed.
        found: char,
        /// What is allowed.
        rule: &'static str,
    },
    /// A record id without the colon between source and external id.
    #[error("record id {text:?} is not SOURCE:ID, as in servicenow:INC0010023")]
    NotARecordId {
        /// The text given.
        text: String,
    },
}

impl IdError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "invalid-id"
    }
}

/// Longest identifier, in bytes. Paths and URLs of real systems fit; a whole document pasted as an id does not.
const ID_LIMIT_BYTES: usize = 1024;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// One customer's desk; also the name of its folder, so only `a-z 0-9 - _`.
    TenantId
}
text_id! {
    /// Where records come from, as the operator named it: `servicenow`, `runbooks`. Only `A-Z a-z 0-9 - _ .`.
    SourceId
}
text_id! {
    /// A group of readers a record may be shown to: `staff`, `security`. Only `A-Z a-z 0-9 - _ .`.
    Audience
}
text_id! {
    /// A record across all sources: `SOURCE:ID`, where ID is the source's own and may hold any printable character.
    RecordId
}

impl TenantId {
    /// Checks a tenant's name.
    ///
    /// # Errors
    /// [`IdError`] when empty, too long, or not made of `a-z 0-9 - _`.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        checked("tenant", text, allowed, "use a-z, 0-9, - and _").map(Self)
    }
}

impl SourceId {
    /// Checks a source's name.
    ///
    /// # Errors
    /// [`IdError`] when empty, too long, or not made of `A-Z a-z 0-9 - _ .`.
    pub fn new(text: &str) -> Result<Self, IdError> {
        checked("source", text, is_name_character, "use letters, digits, -, _ and .").map(Self)
    }
}

impl Audience {
    /// The audience of records that say nothing else: everybody who works at the desk.
    pub const DEFAULT: &'static str = "staff";

    /// Checks an audience's name.
    ///
    /// # Errors
    /// [`IdError`] when empty, too long, or not made of `A-Z a-z 0-9 - _ .`.
    pub fn new(text: &str) -> Result<Self, IdError> {
        checked("audience", text, is_name_character, "use letters, digits, -, _ and .").map(Self)
    }

    /// The audience `staff`.
    pub fn staff() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl RecordId {
    /// Reads `SOURCE:ID`.
    ///
    /// # Errors
    /// [`IdError`] when there is no colon, the source is no [`SourceId`], or the id is empty, too long or has control characters.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let (source, external) =
            text.split_once(':').ok_or_else(|| IdError::NotARecordId { text: text.to_owned() })?;
        Self::from_parts(&SourceId::new(source)?, external)
    }

    /// Joins a source and its own id of the record; outer white space of the id is dropped.
    ///
    /// # Errors
    /// [`IdError`] when the id is empty, too long or has control characters.
    pub fn from_parts(source: &SourceId, external: &str) -> Result<Self, IdError> {
        let external =
            checked("record id", external.trim(), |c| !c.is_control(), "control characters are not allowed")?;
        Ok(Self(format!("{source}:{external}").into()))
    }

    /// The source's name.
    pub fn source(&self) -> &str {
        self.0.split_once(':').map_or("", |(source, _)| source)
    }

    /// The source as an id of its own.
    pub fn source_id(&self) -> SourceId {
        SourceId(self.source().into())
    }

    /// The id that the source itself uses.
    pub fn external(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, external)| external)
    }

    /// The record's IRI, also the name of its graph: `urn:triagraph:record:SOURCE:ID`, percent-encoded.
    pub fn iri(&self) -> String {
        format!("urn:triagraph:record:{}:{}", percent_encode(self.source()), percent_encode(self.external()))
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn checked(
    what: &'static str,
    text: &str,
    allowed: impl Fn(char) -> bool,
    rule: &'static str,
) -> Result<Box<str>, IdError> {
    if text.trim().is_empty() {
        return Err(IdError::Empty { what });
    }
    if text.len() > ID_LIMIT_BYTES {
        return Err(IdError::TooLong { what, length: text.len(), limit: ID_LIMIT_BYTES });
    }
    match text.chars().find(|c| !allowed(*c)) {
        Some(found) => Err(IdError::Character { what, text: text.to_owned(), found, rule }),
        None => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_id_keeps_its_parts_and_has_an_iri() {
        let id = RecordId::new("wiki:net/VPN reset.md").unwrap();
        assert_eq!((id.source(), id.external()), ("wiki", "net/VPN reset.md"));
        assert_eq!(id.iri(), "urn:triagraph:record:wiki:net%2FVPN%20reset.md");
    }

    #[test]
    fn what_is_no_id_is_refused_with_a_reason() {
        let check = |result: Result<(), IdError>, expected: &str| {
            assert!(result.unwrap_err().to_string().contains(expected), "{expected}");
        };
        check(RecordId::new("INC001").map(drop), "SOURCE:ID");
        check(RecordId::new("a b:1").map(drop), "' '");
        check(RecordId::new("a:\u{7}").map(drop), "control");
        check(TenantId::new("../x").map(drop), "'.'");
        check(Audience::new("  ").map(drop), "empty");
        check(SourceId::new(&"x".repeat(2000)).map(drop), "1024");
    }
}
