//! What does the store know of itself? Its format and the log position that it shows, in a graph of their own.

use oxigraph::model::{Literal, NamedNodeRef, QuadRef, Term, TermRef};
use oxigraph::store::{StorageError, Store, Transaction};

use super::names::META;

/// The layout of graphs that this code reads and writes.
pub(super) const FORMAT: &str = "1";
const FORMAT_PROPERTY: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:meta#format");
const POSITION_PROPERTY: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:meta#position");

/// Notes in an empty store its format and position 0.
pub(super) fn start_over(store: &Store) -> Result<(), StorageError> {
    let mut transaction = store.start_transaction()?;
    set_meta(&mut transaction, FORMAT_PROPERTY, FORMAT)?;
    set_meta(&mut transaction, POSITION_PROPERTY, "0")?;
    transaction.commit()
}

/// The format that a store names; empty when it names none.
pub(super) fn read_format(transaction: &Transaction<'_>) -> Result<String, StorageError> {
    Ok(meta(transaction, FORMAT_PROPERTY)?.unwrap_or_default())
}

/// The log position that a store shows.
pub(super) fn read_position(transaction: &Transaction<'_>) -> Result<u64, StorageError> {
    let position = meta(transaction, POSITION_PROPERTY)?;
    Ok(position.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn meta(transaction: &Transaction<'_>, property: NamedNodeRef<'_>) -> Result<Option<String>, StorageError> {
    let mut found = transaction.quads_for_pattern(Some(META.into()), Some(property), None, Some(META.into()));
    Ok(found.next().transpose()?.and_then(|quad| match quad.object {
        Term::Literal(literal) => Some(literal.value().to_owned()),
        _ => None,
    }))
}

fn set_meta(
    transaction: &mut Transaction<'_>,
    property: NamedNodeRef<'_>,
    value: &str,
) -> Result<(), StorageError> {
    if let Some(old) = meta(transaction, property)? {
        let old = Literal::new_simple_literal(old);
        transaction.remove(QuadRef::new(META, property, TermRef::from(old.as_ref()), META));
    }
    let value = Literal::new_simple_literal(value);
    transaction.insert(QuadRef::new(META, property, TermRef::from(value.as_ref()), META));
    Ok(())
}

/// Notes the log position that the graphs show.
pub(super) fn write_position(transaction: &mut Transaction<'_>, position: u64) -> Result<(), StorageError> {
    set_meta(transaction, POSITION_PROPERTY, &position.to_string())
}
