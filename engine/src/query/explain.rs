//! Why this record? Hits with every leg's score, the matching words, the shared names, the graph path and the passage.

use std::collections::BTreeSet;

use ontology::{Record, SectionKind};

use crate::database::LogError;
use crate::derive::{self, PassageSpan};
use crate::query::analyse::Analysis;
use crate::query::fusion::Fused;
use crate::query::legs::{self, Evidence, Found};
use crate::query::{Hit, Leg, Passage, PathStep, Query};
use crate::snapshot::Snapshot;
use crate::table::Revision;

/// Reads the record at a position of the log.
pub(crate) type ReadRecord<'a> = dyn Fn(u64) -> Result<Option<Record>, ReadError> + Sync + 'a;
/// Why it could not be read.
pub(crate) type ReadError = LogError;

/// Words shown of those that matched.
const TERMS_SHOWN: usize = 8;
/// Steps of a path at most; the graph leg walks three.
const PATH_LIMIT: usize = 4;

/// What a ranking was made of.
pub(super) struct Grounds<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) found: &'a [(Leg, Found)],
    pub(super) embedding: Option<&'a [f32]>,
}

pub(super) fn explain(
    snapshot: &Snapshot,
    query: &Query,
    grounds: &Grounds<'_>,
    shown: &[Fused],
    read: &ReadRecord<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Hit>, ReadError> {
    let Grounds { analysis, found, embedding } = *grounds;
    let mut hits = Vec::with_capacity(shown.len());
    for fused in shown {
        let Some(revision) = snapshot.table.revision(fused.position) else { continue };
        let passage = match read(fused.position)? {
            Some(record) => best_passage(snapshot, revision, &record, found, embedding),
            None => None,
        };
        hits.push(Hit {
            record: revision.id.clone(),
            kind: revision.kind,
            title: revision.title.to_string(),
            score: fused.score,
            legs: fused.legs.clone(),
            path: path(snapshot, fused.position, found),
            terms: terms(fused.position, found, warnings),
            shared: shared(snapshot, analysis, revision),
            passage,
            revision: revision.revision.to_string(),
            position: revision.position,
            state: revision.state,
            created: revision.created,
            modified: revision.modified,
            valid_until: revision.valid_until,
            expired: revision.valid_until.is_some_and(|until| until < query.moment()),
            url: None,
        });
    }
    Ok(hits)
}

fn terms(position: u64, found: &[(Leg, Found)], warnings: &mut Vec<String>) -> Vec<String> {
    let evidence = found.iter().find_map(|(_, found)| match &found.evidence {
        Evidence::Terms(hits) => Some(hits.terms(position)),
        _ => None,
    });
    let mut terms = evidence.unwrap_or(Ok(Vec::new())).unwrap_or_else(|error| {
        let warning = format!("the words of a hit are not shown: {error}");
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
        Vec::new()
    });
    terms.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.term.cmp(&b.term)));
    terms.into_iter().take(TERMS_SHOWN).map(|term| term.term).collect()
}

fn shared(snapshot: &Snapshot, analysis: &Analysis, revision: &Revision) -> Vec<String> {
    let carried: BTreeSet<_> =
        revision.names.iter().copied().chain(crate::table::referred_keys(revision)).collect();
    let keys = analysis.keys.iter().filter(|key| carried.contains(key));
    keys.map(|key| snapshot.table.key_text(*key).to_owned()).collect()
}

/// The steps from a seed to the record, when the graph leg came to it.
fn path(snapshot: &Snapshot, position: u64, found: &[(Leg, Found)]) -> Vec<PathStep> {
    let arrivals = found.iter().find_map(|(_, found)| match &found.evidence {
        Evidence::Steps(arrivals) => Some(arrivals),
        _ => None,
    });
    let Some(arrivals) = arrivals else { return Vec::new() };
    let id = |position| snapshot.table.revision(position).map(|revision| revision.id.clone());
    let mut steps = Vec::new();
    let mut seen = BTreeSet::from([position]);
    let mut here = position;
    while let Some(arrival) = arrivals.get(here) {
        if steps.len() == PATH_LIMIT || !seen.insert(arrival.from) {
            break;
        }
        let (Some(from), Some(to)) = (id(arrival.from), id(here)) else { break };
        steps.push(PathStep { from, relation: arrival.relation, reversed: arrival.reversed, to });
        here = arrival.from;
    }
    steps.reverse();
    steps
}

/// The passage that the dense leg chose, else the nearest one, else the first.
fn best_passage(
    snapshot: &Snapshot,
    revision: &Revision,
    record: &Record,
    found: &[(Leg, Found)],
    embedding: Option<&[f32]>,
) -> Option<Passage> {
    let chosen = found.iter().find_map(|(_, found)| match &found.evidence {
        Evidence::Passages(best) => best.get(&revision.position).map(|best| best.ordinal),
        _ => None,
    });
    let nearest = || {
        let vectors = snapshot.vectors.as_ref()?;
        let best = legs::nearest_passages(vectors, embedding?, &[revision.position]).pop()??;
        Some(best.ordinal)
    };
    let ordinal = chosen.or_else(nearest).unwrap_or(0);
    passage(record, *revision.passages.get(usize::from(ordinal))?)
}

/// A passage with its text, as it is cited.
pub(crate) fn passage(record: &Record, place: PassageSpan) -> Option<Passage> {
    let text = derive::passage_text(record, place)?.to_owned();
    if place.section == derive::TITLE {
        return Some(Passage {
            section: None,
            kind: SectionKind::Description,
            heading: String::new(),
            span: place.span,
            text,
        });
    }
    let section = record.sections.get(usize::from(place.section))?;
    Some(Passage {
        section: Some(place.section),
        kind: section.kind,
        heading: section.heading.clone(),
        span: place.span,
        text,
    })
}
