//! What do the indexes need from a record? Pure functions, the same for stored records and for the text of a query.

mod identifier;
mod key;
mod language;
mod names;
mod passage;

pub(crate) use identifier::{Scheme, identifiers};
pub(crate) use key::{owned_keys, reference_keys};
pub(crate) use language::{Language, language};
pub(crate) use names::Names;
pub(crate) use passage::{
    PassageSpan, TITLE, embedding_text, is_title_made_of_text, lexical_body, passage_text, passages,
};
