//! Would the answer still be the same? A stored bundle asked again now, and what differs.

use jiff::Timestamp;
use ontology::{RecordId, Scope};
use serde::{Deserialize, Serialize};

use super::{Bundle, BundleItem, BundleRequest};
use crate::desk::{Desk, DeskError};

/// How two bundles differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleDifference {
    /// Id of the first.
    pub before: String,
    /// Id of the second.
    pub after: String,
    /// Generation of the first.
    pub before_generation: u64,
    /// Generation of the second.
    pub after_generation: u64,
    /// Whether the same passages of the same revisions stand in the same order.
    pub same: bool,
    /// Records only in the second.
    pub added: Vec<RecordId>,
    /// Records only in the first.
    pub removed: Vec<RecordId>,
    /// Records in both whose passages or revision changed.
    pub changed: Vec<Changed>,
}

/// A record that stands in both bundles, differently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The record.
    pub record: RecordId,
    /// Its revision in the first.
    pub before: String,
    /// Its revision in the second.
    pub after: String,
}

impl Desk {
    /// The stored bytes of a bundle, if the scope may see all that the bundle's maker saw.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn stored_bundle(&self, scope: &Scope, id: &str) -> Result<Option<Vec<u8>>, DeskError> {
        self.check_tenant(scope)?;
        if self.readable_bundle(scope, id)?.is_none() {
            return Ok(None);
        }
        Ok(self.database.bundle_bytes(id)?)
    }

    /// Asks a stored bundle's request again now. Returns the new bundle and how it differs.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn replay(
        &self,
        scope: &Scope,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<(Bundle, BundleDifference)>, DeskError> {
        self.check_tenant(scope)?;
        let Some((request, before)) = self.readable_bundle(scope, id)? else { return Ok(None) };
        let (audiences, hidden) = (before.audiences.clone(), before.hidden.clone());
        let as_made = Scope { tenant: scope.tenant.clone(), audiences, hidden };
        let after = self.make_bundle(&as_made, &request, now)?;
        let difference = difference(&before, &after);
        Ok(Some((after, difference)))
    }

    /// How two stored bundles differ.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn compare_bundles(
        &self,
        scope: &Scope,
        before: &str,
        after: &str,
    ) -> Result<Option<BundleDifference>, DeskError> {
        self.check_tenant(scope)?;
        Ok(match (self.readable_bundle(scope, before)?, self.readable_bundle(scope, after)?) {
            (Some((_, before)), Some((_, after))) => Some(difference(&before, &after)),
            _ => None,
        })
    }

    /// A stored bundle and its request, if the scope may see all that the bundle's maker saw, and may still see it.
    fn readable_bundle(&self, scope: &Scope, id: &str) -> Result<Option<(BundleRequest, Bundle)>, DeskError> {
        let Some((request, bundle)) = self.database.bundle(id)? else { return Ok(None) };
        let snapshot = self.snapshot();
        let hidden = |record: &RecordId| {
            snapshot.table.latest(record).is_some_and(|revision| !revision.is_shown(scope))
        };
        let is_readable = covers(scope, &bundle)
            && !request.about.record().is_some_and(hidden)
            && !named(&bundle).any(hidden);
        Ok(is_readable.then_some((request, bundle)))
    }
}

/// The records that a bundle tells of.
fn named(bundle: &Bundle) -> impl Iterator<Item = &RecordId> {
    let items = bundle.items.iter().flat_map(|item| {
        let path = item.path.iter().flat_map(|step| [&step.from, &step.to]);
        path.chain([&item.record])
    });
    let facts = bundle.facts.iter().flat_map(|fact| [&fact.subject, &fact.object]);
    items.chain(facts).chain(bundle.left_out.iter().map(|left| &left.record))
}

/// Whether a scope sees at least what the bundle's maker saw.
fn covers(scope: &Scope, bundle: &Bundle) -> bool {
    use ontology::Audiences::{All, Only};
    match (&scope.audiences, &bundle.audiences) {
        (All, _) => true,
        (Only(mine), Only(its)) => its.is_subset(mine),
        (Only(_), All) => false,
    }
}

pub(super) fn difference(before: &Bundle, after: &Bundle) -> BundleDifference {
    let cited = |bundle: &Bundle, record: &RecordId| -> Vec<_> {
        let items = bundle.items.iter().filter(|item| item.record == *record);
        items.map(|item| (item.position, item.section, item.span)).collect()
    };
    let (first, second) = (records(before), records(after));
    let changed = first
        .iter()
        .filter(|record| second.contains(record) && cited(before, record) != cited(after, record));
    let revision = |bundle: &Bundle, record: &RecordId| {
        bundle
            .items
            .iter()
            .find(|item| item.record == *record)
            .map(|item| item.revision.clone())
            .unwrap_or_default()
    };
    let key = |item: &BundleItem| (item.record.clone(), item.position, item.section, item.span);
    BundleDifference {
        before: before.id.clone(),
        after: after.id.clone(),
        before_generation: before.generation,
        after_generation: after.generation,
        same: before.items.iter().map(key).eq(after.items.iter().map(key)),
        added: second.iter().filter(|record| !first.contains(record)).cloned().collect(),
        removed: first.iter().filter(|record| !second.contains(record)).cloned().collect(),
        changed: changed
            .map(|record| Changed {
                record: record.clone(),
                before: revision(before, record),
                after: revision(after, record),
            })
            .collect(),
    }
}

/// The records of a bundle in their order, each once.
fn records(bundle: &Bundle) -> Vec<RecordId> {
    let mut records: Vec<RecordId> = Vec::new();
    for item in &bundle.items {
        if !records.contains(&item.record) {
            records.push(item.record.clone());
        }
    }
    records
}
