//! Is this old news? Where one file has an id twice, the earlier row is what its record was for a moment; reading the file
//! again must not bring that moment back.

use ontology::{Lineage, Observation, Place};
use rusqlite::{Connection, params};

use super::decode;
use crate::database::LogError;

/// The entry that says what `observation` says, if the record's next entry came from a later place of the same origin in the
/// same reading. Looks no further back than the last delete.
pub(super) fn superseded(
    connection: &Connection,
    observation: &Observation,
    hash: &[u8; 32],
) -> Result<Option<u64>, LogError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, operation, content_hash FROM log WHERE record = ?1 ORDER BY position DESC",
    )?;
    let mut rows = statement.query([observation.record.id.as_str()])?;
    let mut next: Option<i64> = None;
    while let Some(row) = rows.next()? {
        let position: i64 = row.get(0)?;
        if row.get::<_, String>(1)? != "upsert" {
            return Ok(None);
        }
        if let Some(next) = next
            && row.get_ref(2)?.as_blob().is_ok_and(|kept| kept == hash)
            && let (Some(lineage), Some(later)) = (lineage(connection, position)?, lineage(connection, next)?)
            && lineage.origin == observation.lineage.origin
            && follows(&lineage, &later)
        {
            return Ok(Some(position.cast_unsigned()));
        }
        next = Some(position);
    }
    Ok(None)
}

fn lineage(connection: &Connection, position: i64) -> Result<Option<Lineage>, LogError> {
    let payload: Option<Vec<u8>> = connection
        .prepare_cached("SELECT payload FROM log WHERE position = ?1")?
        .query_row(params![position], |row| row.get(0))?;
    let observation = payload.map(|bytes| decode(position.cast_unsigned(), &bytes)).transpose()?;
    Ok(observation.map(|observation| observation.lineage))
}

/// Whether `later` stood further down in the same reading of the same origin.
fn follows(lineage: &Lineage, later: &Lineage) -> bool {
    let further_down = match (lineage.place, later.place) {
        (Some(Place::Line(a)), Some(Place::Line(b)))
        | (Some(Place::Row(a)), Some(Place::Row(b)))
        | (Some(Place::Item(a)), Some(Place::Item(b))) => a < b,
        _ => false,
    };
    further_down && lineage.origin == later.origin && lineage.observed == later.observed
}
