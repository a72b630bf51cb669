//! Which context was handed out? Bundles as they were given, kept for `get`, replay and the question who used what.

use jiff::Timestamp;
use ontology::RecordId;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::bundle::{Bundle, BundleRequest, Subject};
use crate::database::{Database, LogError};

/// What stands in a stored bundle instead of the text of a purged record.
pub(crate) const ERASED: &str = "[erased]";

impl Database {
    /// Keeps a bundle. One with the same id that is kept already stands and is returned, unless `is_whole` says that its text
    /// was erased since; then the new one takes its place.
    pub(crate) fn store_bundle(
        &self,
        bundle: &Bundle,
        request: &BundleRequest,
        now: Timestamp,
        is_whole: &dyn Fn(&Bundle) -> bool,
    ) -> Result<Option<Bundle>, LogError> {
        let mut writer = self.writer();
        let transaction = writer.transaction()?;
        let stored: Option<Vec<u8>> = transaction
            .prepare_cached("SELECT body FROM bundle WHERE id = ?1")?
            .query_row([&bundle.id], |row| row.get(0))
            .optional()?;
        let stored: Option<Bundle> = stored.map(|body| parse(&body)).transpose()?;
        if let Some(stored) = stored.filter(is_whole) {
            return Ok(Some(stored));
        }
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO bundle (id, made, request, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![bundle.id, now.as_microsecond(), json(request)?, json(bundle)?])?;
        for item in &bundle.items {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO bundle_item (record, bundle) VALUES (?1, ?2)")?
                .execute(params![item.record.as_str(), bundle.id])?;
        }
        transaction.commit()?;
        Ok(None)
    }

    /// The stored bytes of a bundle: the same JSON that was handed out.
    pub(crate) fn bundle_bytes(&self, id: &str) -> Result<Option<Vec<u8>>, LogError> {
        let bytes = self
            .reader()
            .query_row("SELECT body FROM bundle WHERE id = ?1", [id], |row| row.get(0))
            .optional()?;
        Ok(bytes)
    }

    /// A stored bundle and the request it answered.
    pub(crate) fn bundle(&self, id: &str) -> Result<Option<(BundleRequest, Bundle)>, LogError> {
        let found: Option<(Vec<u8>, Vec<u8>)> = self
            .reader()
            .query_row("SELECT request, body FROM bundle WHERE id = ?1", [id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((request, body)) = found else { return Ok(None) };
        Ok(Some((parse(&request)?, parse(&body)?)))
    }

    /// Notes which records of a bundle an answer cited.
    pub(crate) fn cite(&self, bundle: &str, records: &[RecordId], now: Timestamp) -> Result<(), LogError> {
        let mut writer = self.writer();
        let transaction = writer.transaction()?;
        for record in records {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO citation (record, bundle, cited) VALUES (?1, ?2, ?3)")?
                .execute(params![record.as_str(), bundle, now.as_microsecond()])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// How often each record was shown in bundles, and cited in answers.
    pub(crate) fn usage(&self) -> Result<std::collections::BTreeMap<String, (u64, u64)>, LogError> {
        let reader = self.reader();
        let mut statement = reader.prepare(
            "SELECT record, sum(shown), sum(cited) FROM (
                 SELECT record, 1 AS shown, 0 AS cited FROM bundle_item
                 UNION ALL SELECT record, 0, 1 FROM citation
             ) GROUP BY record",
        )?;
        let rows = statement.query_map([], |row| {
            let count = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
            Ok((row.get::<_, String>(0)?, (count(1)?, count(2)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Takes the text of a record out of every stored bundle that shows it or is about it; ids, spans and hashes stay. Returns
/// whether there was one.
pub(crate) fn erase_record(transaction: &Transaction<'_>, id: &RecordId) -> Result<bool, LogError> {
    let named = String::from_utf8_lossy(&json(id)?).into_owned();
    let mut statement = transaction.prepare(
        "SELECT id, request, body FROM bundle
         WHERE instr(CAST(body AS TEXT), ?1) > 0 OR instr(CAST(request AS TEXT), ?1) > 0",
    )?;
    let bundles: Vec<(String, Vec<u8>, Vec<u8>)> = statement
        .query_map([named], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (bundle_id, request, body) in &bundles {
        let mut bundle: Bundle = parse(body)?;
        let mut request: BundleRequest = parse(request)?;
        bundle.erase(id, ERASED);
        if request.about.record() == Some(id) {
            ERASED.clone_into(&mut bundle.question);
            request.about = Subject::Record(id.clone());
        }
        transaction.execute(
            "UPDATE bundle SET request = ?2, body = ?3 WHERE id = ?1",
            params![bundle_id, json(&request)?, json(&bundle)?],
        )?;
    }
    Ok(!bundles.is_empty())
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, LogError> {
    serde_json::from_slice(bytes)
        .map_err(|error| LogError::Damaged { position: 0, reason: error.to_string() })
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, LogError> {
    serde_json::to_vec(value).map_err(|error| LogError::Damaged { position: 0, reason: error.to_string() })
}
