//! Which tickets are like this one, and in what way? Search for a ticket's neighbours, each with the reasons a person would give.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ontology::{Kind, RecordId, Relation, Scope};
use serde::{Deserialize, Serialize};

use crate::bundle::Subject;
use crate::desk::{Desk, DeskError};
use crate::query::{Degraded, Filters, Hit, Leg, Query};
use crate::snapshot::Snapshot;
use crate::table::{KeyId, Revision};
use crate::visible::Visible;

/// Cosine from which two symptoms are called similar; below it the embedder's neighbours are mostly of another matter.
const SIMILAR_COSINE: f64 = 0.55;
/// Hits looked at for each related ticket asked for.
const LOOKED_AT: usize = 3;

/// Related tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Related {
    /// Best first.
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
    /// A source says so: duplicate, cause, parent.
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

/// What one ticket hangs on.
struct Ties {
    items: BTreeSet<u64>,
    solutions: BTreeSet<u64>,
    linked: Vec<(Relation, u64)>,
    keys: BTreeSet<KeyId>,
}

impl Desk {
    /// Finds tickets related to a ticket of the desk, or to one that it has never seen.
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
        let snapshot = self.snapshot();
        let visible = snapshot.visible(scope, None);
        let asked = self.asked(&snapshot, scope, subject, None)?;
        let query = Query {
            filters: Filters {
                kinds: vec![Kind::Incident, Kind::ServiceRequest, Kind::Problem],
                ..Filters::default()
            },
            limit: limit.saturating_mul(LOOKED_AT),
            about: asked.about.clone(),
            exclude: asked.itself.clone().into_iter().collect(),
            ..Query::new(asked.question.clone(), now)
        };
        let answer = self.answer(&snapshot, scope, &query)?;
        let mine = self.ties_of_asked(&snapshot, &visible, &asked);
        let mut tickets: Vec<RelatedTicket> = Vec::new();
        for hit in answer.hits.hits {
            if tickets.len() == limit {
                break;
            }
            let Some(revision) = snapshot.table.revision(hit.position) else { continue };
            let its = ties(&snapshot, &visible, revision);
            let reasons = reasons(&snapshot, &mine, &its, revision.position, &hit);
            if !reasons.is_empty() {
                tickets.push(RelatedTicket { hit, reasons });
            }
        }
        let (degraded, warnings) = (answer.hits.degraded, answer.hits.warnings);
        Ok(Related { tickets, generation: answer.hits.generation, degraded, warnings })
    }

    fn ties_of_asked(&self, snapshot: &Snapshot, visible: &Visible, asked: &crate::bundle::Asked) -> Ties {
        let known = asked.itself.as_ref().and_then(|id| snapshot.table.shown(id, visible));
        let mut ties = known.and_then(|position| snapshot.table.revision(position)).map_or_else(
            || Ties {
                items: BTreeSet::new(),
                solutions: BTreeSet::new(),
                linked: Vec::new(),
                keys: BTreeSet::new(),
            },
            |revision| self::ties(snapshot, visible, revision),
        );
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

fn ties(snapshot: &Snapshot, visible: &Visible, revision: &Revision) -> Ties {
    let table = &snapshot.table;
    let mut ties = Ties {
        items: BTreeSet::new(),
        solutions: BTreeSet::new(),
        linked: Vec::new(),
        keys: revision.mentions.iter().map(|mention| mention.key).collect(),
    };
    for link in &revision.links {
        for target in table.resolve_first(&link.keys, revision.id.source(), visible) {
            let kind = table.revision(target).map(|target| target.kind);
            match (link.relation, kind) {
                (Relation::Affects, _) => {
                    ties.items.insert(target);
                }
                (Relation::ResolvedBy | Relation::CausedBy, _)
                | (Relation::RelatedTo, Some(Kind::Problem | Kind::Change)) => {
                    ties.solutions.insert(target);
                    ties.linked.push((link.relation, target));
                }
                (Relation::AssignedTo | Relation::OwnedBy | Relation::ReportedBy, _) => {}
                (relation, _) => ties.linked.push((relation, target)),
            }
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

fn reasons(snapshot: &Snapshot, mine: &Ties, its: &Ties, position: u64, hit: &Hit) -> Vec<Reason> {
    let table = &snapshot.table;
    let id = |position: &u64| table.revision(*position).map(|revision| revision.id.clone());
    let mut reasons = Vec::new();
    let stated = mine.linked.iter().find(|(_, target)| *target == position).map(|(relation, _)| *relation);
    if let Some(relation) = stated {
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
    let identifiers: Vec<String> = shared.map(|key| table.key_text(*key).to_owned()).collect();
    if !identifiers.is_empty() {
        reasons.push(Reason::SharedIdentifier { identifiers });
    }
    let dense = hit.legs.iter().find(|leg| leg.leg == Leg::Dense && leg.raw >= SIMILAR_COSINE);
    if let Some(dense) = dense {
        reasons.push(Reason::SimilarSymptom { cosine: dense.raw });
    }
    reasons
}
