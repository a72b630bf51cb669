//! Which records carry the identifiers of the question? Owners of a key first, then those that mention it; rare keys count more.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Evidence, Found, in_time};
use crate::table::{KeyId, Table};
use crate::visible::Visible;

/// A record that is called so counts this much more than one that mentions it.
const OWNER_WEIGHT: f64 = 2.0;

/// Scores a record by the summed rarity (idf) of the keys it shares with the question.
///
/// # Errors
/// The reason when the deadline passes before the end.
pub(crate) fn identifier(
    table: &Table,
    keys: &[KeyId],
    admitted: &Visible,
    deadline: Option<Instant>,
) -> Result<Found, String> {
    let documents = admitted.count() as f64;
    let mut scores: BTreeMap<u64, f64> = BTreeMap::new();
    for key in keys {
        in_time(deadline)?;
        let seen = |positions: &[u64]| -> Vec<u64> {
            let seen = positions.iter().copied().filter(|position| admitted.contains(*position));
            seen.filter(|position| table.is_searchable(*position)).collect()
        };
        let (owners, referrers) = (seen(table.owners(*key)), seen(table.referrers(*key)));
        let frequency = (owners.len() + referrers.len()) as f64;
        let rarity = (1.0 + documents / (1.0 + frequency)).ln();
        for owner in owners {
            *scores.entry(owner).or_default() += OWNER_WEIGHT * rarity;
        }
        for referrer in referrers {
            *scores.entry(referrer).or_default() += rarity;
        }
    }
    Ok(Found::ranked(scores, Evidence::None))
}
