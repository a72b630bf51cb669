//! What does a caller mean by a record? It is read by its schema first, so that a misspelt field is refused and never lost.
//!
//! The record log reads the same JSON with a tolerant reader: what an older or newer version wrote must stay readable.

use engine::Subject;
use ontology::{Audience, Record, RecordId};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::schema;

/// A record to be written. Who may see it has to be said.
#[derive(Debug)]
pub(crate) struct Written(pub(crate) Record);

/// A ticket that is only asked about: nobody else sees it, so it needs no audience.
#[derive(Debug)]
pub(crate) struct AskedTicket(pub(crate) Record);

/// What a bundle or a list of related tickets is about.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    Text(String),
    Record(RecordId),
    Ticket(Box<AskedTicket>),
}

impl From<Asked> for Subject {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Text(text) => Self::Text(text),
            Asked::Record(id) => Self::Record(id),
            Asked::Ticket(ticket) => Self::Ticket(Box::new(ticket.0)),
        }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict(Value::deserialize(deserializer)?).map(Self)
    }
}

impl<'de> Deserialize<'de> for AskedTicket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        if let Some(fields) = value.as_object_mut() {
            fields.entry("audience").or_insert_with(|| serde_json::json!([Audience::staff()]));
        }
        strict(value).map(Self)
    }
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A text of which some bytes are percent-encoded.
pub(crate) fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn strict<E: Error>(value: Value) -> Result<Record, E> {
    schema::Record::deserialize(&value).map_err(E::custom)?;
    serde_json::from_value(value).map_err(E::custom)
}
