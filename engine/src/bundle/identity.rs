//! When are two bundles the same? When they answer the same request and tell their reader the same, whenever they were made.

use ontology::Scope;
use sha2::{Digest, Sha256};

use super::{BUNDLE_SCHEMA, Bundle, BundleItem, BundleRequest};

/// Hash of query, scope, as-of, settings, embedder, degraded legs, the ordered spans with their revisions, and all else that a
/// reader is told; no scores, no times.
pub(super) fn identity(bundle: &Bundle, scope: &Scope, request: &BundleRequest) -> String {
    let spans: Vec<_> = bundle
        .items
        .iter()
        .map(|item| {
            let BundleItem { record, revision, position, section, span, expired, .. } = item;
            (record.as_str(), revision, position, section, span, expired)
        })
        .collect();
    let facts: Vec<_> = bundle
        .facts
        .iter()
        .map(|fact| (fact.subject.as_str(), fact.relation, fact.object.as_str(), &fact.text))
        .collect();
    let legs: Vec<_> = bundle.degraded.iter().map(|degraded| degraded.leg).collect();
    let settings = (&request.filters, bundle.budget_tokens, request.limit);
    let said = serde_json::json!([
        BUNDLE_SCHEMA,
        bundle.question,
        scope,
        bundle.as_of,
        settings,
        bundle.embedder,
        legs,
        spans,
        facts,
        bundle.left_out,
        bundle.warnings
    ]);
    let digest = Sha256::digest(said.to_string().as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
