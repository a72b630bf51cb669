//! Which tickets are like this one, and in what way? Search for a ticket's neighbours, each with the reasons a person would give.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ontology::{Kind, RecordId, Relation, Scope};
use serde::{Deserialize, Serialize};

use crate::bundle::Subject;
use crate::desk::{Desk, DeskError};
use crate::query::{self, Degraded, Filters, Fused, HITS_LIMIT, Hit, Leg, LegScore, Query, neighbours};
use crate::snapshot::Snapshot;
use crate::table::{KeyId, Revision, Table};
use crate::visible::Visible;

/// Cosine from which two symptoms are called similar; below it the embedder's neighbours are mostly of another matter.
const SIMILAR_COSINE: f64 = 0.55;

/// Related tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Related {
    /// Those that a source links with it, then the others; each best first.
    pub tickets: Vec<RelatedTicket>,
    /// Position of the log that was read.
    pub generation: u64,
    /// Legs that did not take part.
    pub degraded: Vec<Degraded>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// One related ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelatedTicket {
    /// The ticket, with every leg's score.
    #[serde(flatten)]
    pub hit: Hit,
    /// Why it is related, strongest first.
    pub reasons: Vec<Reason>,
}

/// Why a ticket is related.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A source says so, of this ticket or of the other: duplicate, cause, parent.
    Linked {
        /// The relation.
        relation: Relation,
    },
    /// Both concern the same configuration items or services.
    SharedItem {
        /// Which ones.
        items: Vec<RecordId>,
    },
    /// Both carry the same error code, host, version or other identifier.
    SharedIdentifier {
        /// Which ones.
        identifiers: Vec<String>,
    },
    /// The texts mean much the same.
    SimilarSymptom {
        /// Cosine of the nearest passages.
        cosine: f64,
    },
    /// Both were solved by, or belong to, the same article, runbook, problem or change.
    SameResolution {
        /// Which ones.
        records: Vec<RecordId>,
    },
}

/// What may be related.
const KINDS: [Kind; 3] = [Kind::Incident, Kind::ServiceRequest, Kind::Problem];

/// What one ticket hangs on.
#[derive(Default)]
struct Ties {
    /// Its own position, where the desk has it.
    itself: Option<u64>,
    items: BTreeSet<u64>,
    solutions: BTreeSet<u64>,
    linked: Vec<(Relation, u64)>,
    keys: BTreeSet<KeyId>,
}

impl Desk {
    /// Finds tickets related to a ticket of the desk, or to one that it has never seen. Scores and order are the same for
    /// every `limit`.
    ///
    /// # Errors
    /// [`DeskError`] for another tenant's scope, an unknown record or a damaged log.
    pub fn related(
        &self,
        scope: &Scope,
        subject: &Subject,
        limit: usize,
        now: Timestamp,
    ) -> Result<Related, DeskError> {
        self.check_tenant(scope)?;
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let asked = self.asked(&snapshot, scope, subject, None)?;
        let query = Query {
            filters: Filters { kinds: KINDS.to_vec(), ..Filters::default() },
            limit: HITS_LIMIT,
            about: asked.about.iter().chain(&asked.itself).cloned().collect(),
            exclude: asked.itself.clone().into_iter().collect(),
            ..Query::new(asked.question.clone(), now)
        };
        let mine = self.ties_of_asked(&snapshot, &visible, &asked);
        let mut ranking = query::rank(&snapshot, self.embedder.as_deref(), scope, &query);
        let stated = stated(&snapshot, &visible, &mine);
        let ranked = std::mem::take(&mut ranking.fused);
        let missed = stated.iter().filter(|position| ranked.iter().all(|hit| hit.position != **position));
        let missed: Vec<Fused> = missed.map(|position| Fused::unfound(*position)).collect();
        let (linked, similar): (Vec<_>, Vec<_>) =
            ranked.into_iter().partition(|hit| stated.contains(&hit.position));
        let candidates = linked.into_iter().chain(missed).chain(similar).filter_map(|hit| {
            let its = ties(&snapshot, &visible, snapshot.table.revision(hit.position)?);
            let reasons = reasons(&snapshot, &mine, &its, hit.position, &hit.legs);
            (!reasons.is_empty()).then_some((hit, reasons))
        });
        let (shown, reasons): (Vec<Fused>, Vec<_>) = candidates.take(limit).unzip();
        let hits = ranking.explain(&snapshot, &query, &shown, &|position| self.read(position))?.hits;
        let tickets = hits.hits.into_iter().zip(reasons);
        let tickets = tickets.map(|(hit, reasons)| RelatedTicket { hit, reasons }).collect();
        let (degraded, warnings) = (hits.degraded, hits.warnings);
        Ok(Related { tickets, generation: hits.generation, degraded, warnings })
    }

    fn ties_of_asked(&self, snapshot: &Snapshot, visible: &Visible, asked: &crate::bundle::Asked) -> Ties {
        let known = asked.itself.as_ref().and_then(|id| snapshot.table.shown(id, visible));
        let mut ties = match known.and_then(|position| snapshot.table.revision(position)) {
            Some(revision) => self::ties(snapshot, visible, revision),
            None => Ties::default(),
        };
        ties.itself = known;
        if known.is_none() {
            for (relation, id) in &asked.linked {
                if let Some(target) = snapshot.table.shown(id, visible) {
                    ties.link(*relation, target, &snapshot.table);
                }
            }
        }
        for position in asked.about.iter().filter_map(|id| snapshot.table.shown(id, visible)) {
            if snapshot.table.revision(position).is_some_and(|revision| is_item(revision.kind)) {
                ties.items.insert(position);
            }
        }
        let identifiers = crate::derive::identifiers(&asked.question).into_iter();
        ties.keys.extend(identifiers.filter_map(|identifier| snapshot.table.key(&identifier.key)));
        ties
    }
}

fn is_item(kind: Kind) -> bool {
    matches!(kind, Kind::ConfigurationItem | Kind::Service)
}

/// Whether a link says that two tickets belong together, rather than what or whom they concern.
fn says_related(relation: Relation) -> bool {
    !matches!(relation, Relation::Affects | Relation::AssignedTo | Relation::OwnedBy | Relation::ReportedBy)
}

impl Ties {
    fn link(&mut self, relation: Relation, target: u64, table: &Table) {
        let kind = table.revision(target).map(|target| target.kind);
        match (relation, kind) {
            (Relation::Affects, _) => {
                self.items.insert(target);
            }
            (Relation::ResolvedBy | Relation::CausedBy, _)
            | (Relation::RelatedTo, Some(Kind::Problem | Kind::Change)) => {
                self.solutions.insert(target);
                self.linked.push((relation, target));
            }
            (relation, _) if says_related(relation) => self.linked.push((relation, target)),
            _ => {}
        }
    }
}

/// The tickets that a source links with mine: those that mine names, then those that name mine, the newest first.
fn stated(snapshot: &Snapshot, visible: &Visible, mine: &Ties) -> Vec<u64> {
    let named = mine.linked.iter().map(|(_, target)| *target);
    let around = mine.itself.map(|itself| neighbours(&snapshot.table, itself, visible, usize::MAX));
    let says = |relation| relation != Relation::Mentions && says_related(relation);
    let naming = around.into_iter().flatten().filter(|edge| edge.reversed && says(edge.relation));
    let mut naming: Vec<u64> = naming.map(|edge| edge.to).collect();
    naming.sort_by_key(|position| std::cmp::Reverse(*position));
    let mut seen: BTreeSet<u64> = mine.itself.into_iter().collect();
    let fits = |position: &u64| {
        let kind = snapshot.table.revision(*position).map(|revision| revision.kind);
        kind.is_some_and(|kind| KINDS.contains(&kind))
            && visible.contains(*position)
            && seen.insert(*position)
    };
    named.chain(naming).filter(fits).collect()
}

fn ties(snapshot: &Snapshot, visible: &Visible, revision: &Revision) -> Ties {
    let table = &snapshot.table;
    let keys = revision.mentions.iter().map(|mention| mention.key).collect();
    let mut ties = Ties { keys, itself: Some(revision.position), ..Ties::default() };
    for link in &revision.links {
        for target in table.resolve_first(&link.keys, revision.id.source(), visible) {
            ties.link(link.relation, target, table);
        }
    }
    for mention in &revision.mentions {
        let owners = table.resolve(mention.key, visible);
        let items =
            owners.into_iter().filter(|position| table.revision(*position).is_some_and(|r| is_item(r.kind)));
        ties.items.extend(items);
    }
    ties
}

fn reasons(snapshot: &Snapshot, mine: &Ties, its: &Ties, position: u64, legs: &[LegScore]) -> Vec<Reason> {
    let table = &snapshot.table;
    let id = |position: &u64| table.revision(*position).map(|revision| revision.id.clone());
    let mut reasons = Vec::new();
    let to = |ties: &Ties, target| ties.linked.iter().find(|(_, to)| Some(*to) == target).map(|link| link.0);
    if let Some(relation) = to(mine, Some(position)).or_else(|| to(its, mine.itself)) {
        reasons.push(Reason::Linked { relation });
    }
    let records: Vec<RecordId> = mine.solutions.intersection(&its.solutions).filter_map(id).collect();
    if !records.is_empty() {
        reasons.push(Reason::SameResolution { records });
    }
    let items: Vec<RecordId> = mine.items.intersection(&its.items).filter_map(id).collect();
    if !items.is_empty() {
        reasons.push(Reason::SharedItem { items });
    }
    let item_keys: BTreeSet<KeyId> = mine
        .items
        .iter()
        .filter_map(|item| table.revision(*item))
        .flat_map(|item| item.names.iter().copied())
        .collect();
    let shared = mine.keys.intersection(&its.keys).filter(|key| !item_keys.contains(key));
    let mut identifiers: Vec<String> = shared.map(|key| table.key_text(*key).to_owned()).collect();
    identifiers.sort();
    if !identifiers.is_empty() {
        reasons.push(Reason::SharedIdentifier { identifiers });
    }
    let dense = legs.iter().find(|leg| leg.leg == Leg::Dense && leg.raw >= SIMILAR_COSINE);
    if let Some(dense) = dense {
        reasons.push(Reason::SimilarSymptom { cosine: dense.raw });
    }
    reasons
}
