//! What does a format yield? Items before any mapping: a tree of fields and its place, or what is wrong there.

use ontology::Place;
use oxrdf::Quad;
use serde_json::Value;

/// Longest item that is read: a line, a row, an element of an array, a document. Longer ones are rejected with their place.
pub const ITEM_LIMIT_BYTES: usize = 16 << 20;

/// How much of an item that cannot be read is kept in quarantine.
pub(crate) const RAW_KEPT_BYTES: usize = 256 << 10;

/// One thing out of a file.
#[derive(Debug)]
pub(crate) enum Raw {
    /// Fields.
    Item { place: Option<Place>, value: Value },
    /// Something that cannot be read, and why; the rest of the file may still follow.
    Bad { place: Option<Place>, reason: String, text: String },
    /// Statements as they are.
    Quads(Vec<Quad>),
}

impl Raw {
    /// Something unreadable, with as much of its bytes as is kept.
    pub(crate) fn bad(place: Option<Place>, reason: impl Into<String>, bytes: &[u8]) -> Self {
        Self::Bad {
            place,
            reason: reason.into(),
            text: kept(&String::from_utf8_lossy(cut(bytes))).to_owned(),
        }
    }
}

/// The items of one file, in its order.
pub(crate) type RawItems = Box<dyn Iterator<Item = Raw> + Send>;

/// The beginning of a text that is kept in quarantine.
pub(crate) fn kept(text: &str) -> &str {
    &text[..text.floor_char_boundary(RAW_KEPT_BYTES)]
}

fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(RAW_KEPT_BYTES)]
}
