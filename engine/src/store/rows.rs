//! How is a row of the store read?

use jiff::Timestamp;
use ontology::RecordId;
use rusqlite::{Connection, Row, params};

use super::{Item, JournalEntry};
use crate::database::LogError;

const ENTRY: &str = "SELECT position, stream, sequence, kind, at, record, body FROM journal";
const ITEM: &str = "SELECT collection, key, state, due, record, body FROM item";

pub(super) fn length(connection: &Connection, stream: &str) -> Result<u64, LogError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(sequence) FROM journal WHERE stream = ?1")?
        .query_row([stream], |row| row.get(0))?;
    Ok(last.unwrap_or(0).cast_unsigned())
}

pub(super) fn item(connection: &Connection, collection: &str, key: &str) -> Result<Option<Item>, LogError> {
    Ok(items(connection, "WHERE collection = ?1 AND key = ?2", params![collection, key])?.pop())
}

pub(super) fn items(
    connection: &Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Item>, LogError> {
    let mut statement = connection.prepare_cached(&format!("{ITEM} {which}"))?;
    let read = |row: &Row<'_>| {
        Ok(Item {
            collection: row.get(0)?,
            key: row.get(1)?,
            state: row.get(2)?,
            due: row.get::<_, Option<i64>>(3)?.map(moment),
            record: record(row.get(4)?),
            body: row.get(5)?,
        })
    };
    let found = statement.query_map(parameters, read)?.collect::<Result<_, _>>()?;
    Ok(found)
}

pub(super) fn entries(
    connection: &Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<JournalEntry>, LogError> {
    let mut statement = connection.prepare_cached(&format!("{ENTRY} {which}"))?;
    let read = |row: &Row<'_>| {
        Ok(JournalEntry {
            position: row.get::<_, i64>(0)?.cast_unsigned(),
            stream: row.get(1)?,
            sequence: row.get::<_, i64>(2)?.cast_unsigned(),
            kind: row.get(3)?,
            at: moment(row.get(4)?),
            record: record(row.get(5)?),
            body: row.get(6)?,
        })
    };
    let found = statement.query_map(parameters, read)?.collect::<Result<_, _>>()?;
    Ok(found)
}

pub(super) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

pub(super) fn record(text: Option<String>) -> Option<RecordId> {
    text.and_then(|text| RecordId::new(&text).ok())
}
