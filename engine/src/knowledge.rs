//! What should a knowledge manager look at? Pages that are stale, never cited, near-duplicates or contradicted, and alerts without a runbook.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use ontology::{Kind, RecordId, Relation, Scope};
use serde::{Deserialize, Serialize};

use crate::desk::{Desk, DeskError};
use crate::query::neighbours;
use crate::snapshot::Snapshot;
use crate::table::Revision;
use crate::vectors::{PassageKey, SearchMode};
use crate::visible::Visible;

/// A page not changed for this many days is stale even where nobody set an end.
const STALE_DAYS: i64 = 730;
/// Cosine from which two passages say nearly the same; text cut and pasted with small edits lies above.
const NEAR_DUPLICATE_COSINE: f32 = 0.92;
/// Share of the shorter page's passages that must have a near-duplicate in the other.
const NEAR_DUPLICATE_SHARE: f64 = 0.5;
/// Neighbours looked at for each passage.
const NEIGHBOURS_OF_PASSAGE: usize = 20;

/// What to look at, each list in the order of record ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnowledgeReport {
    /// Articles and runbooks looked at.
    pub pages: u64,
    /// Past their end, or not changed for two years.
    pub stale: Vec<StalePage>,
    /// Never cited in an answer, nor linked by a ticket or alert.
    pub never_cited: Vec<PageRef>,
    /// Pairs that say nearly the same.
    pub near_duplicates: Vec<PagePair>,
    /// Pairs of which one supersedes or contradicts the other while both are in force.
    pub contradictions: Vec<PagePair>,
    /// Alerts that no runbook answers.
    pub alerts_without_runbook: Vec<PageRef>,
    /// What could not be looked at, and why.
    pub warnings: Vec<String>,
}

/// A record by id and title.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PageRef {
    /// The record.
    pub record: RecordId,
    /// Its title.
    pub title: String,
}

/// A page whose time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StalePage {
    /// The page.
    #[serde(flatten)]
    pub page: PageRef,
    /// Until when it held, where somebody said so.
    pub valid_until: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
}

/// Two pages and how they hang together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PagePair {
    /// The first by id, or the one that makes the statement.
    pub first: PageRef,
    /// The other.
    pub second: PageRef,
    /// `near-duplicate`, `supersedes` or `contradicts`.
    pub relation: String,
    /// Share of passages alike, for near-duplicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl Desk {
    /// Looks through the knowledge that a scope sees.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope or a damaged log.
    pub fn knowledge(&self, scope: &Scope, now: Timestamp) -> Result<KnowledgeReport, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let usage = self.database.usage()?;
        let mut report = KnowledgeReport::default();
        for page in current(&snapshot, &visible, Kind::is_knowledge) {
            report.pages += 1;
            if is_stale(page, now) {
                report.stale.push(StalePage {
                    page: reference(page),
                    valid_until: page.valid_until,
                    modified: page.modified,
                });
            }
            let cited = usage.get(page.id.as_str()).is_some_and(|(_, cited)| *cited > 0);
            if !cited && !is_linked(&snapshot, page, &visible) {
                report.never_cited.push(reference(page));
            }
            report.contradictions.extend(contradictions(&snapshot, page, &visible, now));
        }
        for alert in current(&snapshot, &visible, |kind| kind == Kind::Alert) {
            if !has_runbook(&snapshot, alert, &visible) {
                report.alerts_without_runbook.push(reference(alert));
            }
        }
        report.near_duplicates = near_duplicates(&snapshot, &visible, &mut report.warnings)?;
        Ok(report)
    }
}

/// What a scope sees of some kinds.
fn current<'s>(
    snapshot: &'s Snapshot,
    visible: &Visible,
    is_wanted: impl Fn(Kind) -> bool,
) -> impl Iterator<Item = &'s Arc<Revision>> {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| is_wanted(*kind)).collect();
    let mut wanted = snapshot.table.of_kinds(&kinds);
    wanted.keep(visible);
    snapshot.table.current_among(&wanted)
}

fn reference(revision: &Revision) -> PageRef {
    PageRef { record: revision.id.clone(), title: revision.title.to_string() }
}

fn is_stale(page: &Revision, now: Timestamp) -> bool {
    let ended = page.valid_until.is_some_and(|until| until < now);
    let earliest = now.checked_sub((24 * STALE_DAYS).hours()).ok();
    ended || page.modified.is_some_and(|modified| earliest.is_some_and(|earliest| modified < earliest))
}

fn is_linked(snapshot: &Snapshot, page: &Revision, visible: &Visible) -> bool {
    let edges = neighbours(&snapshot.table, page.position, visible, usize::MAX);
    edges.iter().any(|edge| {
        let other = snapshot.table.revision(edge.to);
        edge.reversed && other.is_some_and(|other| other.kind.is_ticket() || other.kind == Kind::Alert)
    })
}

fn has_runbook(snapshot: &Snapshot, alert: &Revision, visible: &Visible) -> bool {
    let edges = neighbours(&snapshot.table, alert.position, visible, usize::MAX);
    edges.iter().any(|edge| {
        let stated = matches!(edge.relation, Relation::ResolvedBy | Relation::Documents);
        stated && snapshot.table.revision(edge.to).is_some_and(|other| other.kind.is_knowledge())
    })
}

fn contradictions(snapshot: &Snapshot, page: &Revision, visible: &Visible, now: Timestamp) -> Vec<PagePair> {
    let in_force = |revision: &Revision| revision.valid_until.is_none_or(|until| until >= now);
    let edges = neighbours(&snapshot.table, page.position, visible, usize::MAX).into_iter();
    edges
        .filter(|edge| {
            !edge.reversed && matches!(edge.relation, Relation::Supersedes | Relation::Contradicts)
        })
        .filter_map(|edge| Some((edge.relation, snapshot.table.revision(edge.to)?)))
        .filter(|(_, other)| in_force(page) && in_force(other))
        .map(|(relation, other)| PagePair {
            first: reference(page),
            second: reference(other),
            relation: relation.as_str().to_owned(),
            share: None,
        })
        .collect()
}

fn near_duplicates(
    snapshot: &Snapshot,
    visible: &Visible,
    warnings: &mut Vec<String>,
) -> Result<Vec<PagePair>, DeskError> {
    let Some(vectors) = &snapshot.vectors else {
        warnings.push("near-duplicates were not looked for: no embedder is at hand".to_owned());
        return Ok(Vec::new());
    };
    let pages = current(snapshot, visible, Kind::is_knowledge);
    let pages: BTreeMap<u64, &Revision> = pages.map(|page| (page.position, &**page)).collect();
    let mut among = Visible::none(snapshot.generation());
    for position in pages.keys() {
        among.insert(*position);
    }
    let mut alike: BTreeMap<(u64, u64), BTreeSet<u16>> = BTreeMap::new();
    for page in pages.values() {
        for ordinal in 0..u16::try_from(page.passages.len()).unwrap_or(u16::MAX) {
            let Some(vector) = vectors.vector(PassageKey::new(page.position, ordinal)) else { continue };
            let found = vectors.search(&vector, &among, NEIGHBOURS_OF_PASSAGE, SearchMode::Auto, None)?;
            for hit in found.hits.iter().filter(|hit| hit.cosine >= NEAR_DUPLICATE_COSINE) {
                if hit.key.position() != page.position {
                    alike.entry((page.position, hit.key.position())).or_default().insert(ordinal);
                }
            }
        }
    }
    let mut pairs = Vec::new();
    for ((first, second), passages) in alike {
        let (Some(first), Some(second)) = (pages.get(&first), pages.get(&second)) else { continue };
        let shorter = first.passages.len() < second.passages.len()
            || (first.passages.len() == second.passages.len() && first.id < second.id);
        let share = passages.len() as f64 / first.passages.len().max(1) as f64;
        if shorter && share >= NEAR_DUPLICATE_SHARE {
            let (first, second) = (reference(first), reference(second));
            pairs.push(PagePair { first, second, relation: "near-duplicate".to_owned(), share: Some(share) });
        }
    }
    pairs.sort_by(|a, b| (&a.first, &a.second).cmp(&(&b.first, &b.second)));
    Ok(pairs)
}
