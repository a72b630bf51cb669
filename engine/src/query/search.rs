//! Which way does a query go? Analyse, run the legs, fuse, explain.

use std::collections::BTreeMap;

use models::{Embedder, Reading};
use ontology::Scope;

use crate::query::analyse::{Analysis, analyse};
use crate::query::confidence::{Confidence, LEAST_FOUND, confidence};
use crate::query::cosines::{fill_in, tell_cosines};
use crate::query::explain::{Grounds, ReadError, ReadRecord, explain};
use crate::query::filter::admitted;
use crate::query::fusion::{Fused, Trust, fuse};
use crate::query::legs::{self, Evidence, Found};
use crate::query::{Degraded, HITS_LIMIT, Hits, Leg, QUERY_LIMIT_BYTES, Query};
use crate::snapshot::Snapshot;
use crate::text::TextView;
use crate::visible::Visible;

/// First hits of each text leg that seed the graph leg, and what the best of them weighs beside a named record.
const GRAPH_SEEDS: usize = 10;
const GRAPH_SEED_WEIGHT: f64 = 0.5;

/// Hits, and the fused ranking that they are the beginning of.
pub(crate) struct Answer {
    pub(crate) hits: Hits,
    /// Embedding of the question, where the dense leg ran.
    pub(crate) embedding: Option<Vec<f32>>,
}

/// Answers a query on one snapshot. `read` gives the record at a position of the log.
pub(crate) fn search(
    snapshot: &Snapshot,
    embedder: Option<&dyn Embedder>,
    scope: &Scope,
    query: &Query,
    read: &ReadRecord<'_>,
) -> Result<Answer, ReadError> {
    let mut ranking = rank(snapshot, embedder, scope, query);
    let shown = std::mem::take(&mut ranking.fused);
    ranking.explain(snapshot, query, &shown, read)
}

/// The fused ranking, cut to the query's limit, and what it was made of.
pub(crate) struct Ranking {
    pub(crate) fused: Vec<Fused>,
    pub(crate) confidence: Option<Confidence>,
    analysis: Analysis,
    found: Vec<(Leg, Found)>,
    embedding: Option<Vec<f32>>,
    degraded: Vec<Degraded>,
    warnings: Vec<String>,
}

impl Ranking {
    /// The hits that are shown, each with the reasons why.
    pub(crate) fn explain(
        mut self,
        snapshot: &Snapshot,
        query: &Query,
        shown: &[Fused],
        read: &ReadRecord<'_>,
    ) -> Result<Answer, ReadError> {
        let (analysis, found) = (&self.analysis, self.found.as_slice());
        let grounds = Grounds { analysis, found, embedding: self.embedding.as_deref() };
        let hits = explain(snapshot, query, &grounds, shown, read, &mut self.warnings)?;
        let hits = Hits {
            hits,
            confidence: self.confidence,
            generation: snapshot.generation(),
            entities: self.analysis.entities,
            language: self.analysis.language.map(|language| language.code.to_owned()),
            degraded: self.degraded,
            warnings: self.warnings,
        };
        Ok(Answer { hits, embedding: self.embedding })
    }
}

/// Runs the legs and fuses them.
pub(crate) fn rank(
    snapshot: &Snapshot,
    embedder: Option<&dyn Embedder>,
    scope: &Scope,
    query: &Query,
) -> Ranking {
    let mut warnings = Vec::new();
    let text = cut(&query.text, &mut warnings);
    let visible = snapshot.visible(scope, query.as_of);
    let narrowed = admitted(&snapshot.table, query, &visible);
    let admitted = narrowed.as_ref().unwrap_or(&visible);
    let analysis = analyse(snapshot, query, text, &visible);
    let run = |leg| query.legs.contains(&leg);

    // The dense leg weighs the question's words by how rare the text index finds them, so that is asked in any case.
    let (words, reading) = rayon::join(
        || lexical_leg(&snapshot.text, text, admitted, query),
        || run(Leg::Dense).then(|| read(snapshot, embedder, text, query)),
    );
    if let (Err(reason), true, false) = (&words, run(Leg::Dense), run(Leg::Lexical)) {
        warnings.push(format!("all words of the question count alike: {reason}"));
    }
    let (dense, embedding) = match reading {
        Some(reading) => dense_leg(snapshot, reading, words.as_ref().ok(), admitted, query),
        None => (None, None),
    };
    let lexical = run(Leg::Lexical).then_some(words);
    let mut degraded = Vec::new();
    let mut settle = |leg, found: Option<Result<Found, String>>| match found? {
        Ok(found) => Some(found),
        Err(reason) => {
            degraded.push(Degraded { leg, reason });
            None
        }
    };
    let lexical = settle(Leg::Lexical, lexical);
    let dense = match (dense, &lexical, &embedding) {
        (Some(Ok(dense)), Some(lexical), Some(embedding)) => {
            Some(fill_in(snapshot, embedding, dense, lexical, query.deadline))
        }
        (dense, _, _) => dense,
    };
    let dense = settle(Leg::Dense, dense);
    let identifier = run(Leg::Identifier)
        .then(|| legs::identifier(&snapshot.table, &analysis.keys, admitted, query.deadline));
    let identifier = settle(Leg::Identifier, identifier);
    let graph = run(Leg::Graph).then(|| {
        let seeds = graph_seeds(&analysis, lexical.as_ref(), dense.as_ref());
        legs::graph(&snapshot.table, &seeds, &visible, admitted, query.deadline)
    });
    let graph = settle(Leg::Graph, graph);
    let found: Vec<(Leg, Found)> =
        [(Leg::Identifier, identifier), (Leg::Lexical, lexical), (Leg::Dense, dense), (Leg::Graph, graph)]
            .into_iter()
            .filter_map(|(leg, found)| Some((leg, found?)))
            .collect();
    let trust = trust(&analysis, &mut warnings);
    let limit = query.limit.clamp(1, HITS_LIMIT);
    let mut fused = fuse(&found, trust, limit.max(LEAST_FOUND), |a, b| {
        let id = |position| snapshot.table.revision(position).map(|revision| &revision.id);
        id(a).cmp(&id(b))
    });
    let confidence = confidence(&found, &fused);
    fused.truncate(limit);
    if let Some(embedding) = &embedding {
        tell_cosines(snapshot, embedding, trust, &mut fused, query);
    }
    Ranking { fused, confidence, analysis, found, embedding, degraded, warnings }
}

fn cut<'a>(text: &'a str, warnings: &mut Vec<String>) -> &'a str {
    if text.len() <= QUERY_LIMIT_BYTES {
        return text;
    }
    warnings.push(format!("only the first {QUERY_LIMIT_BYTES} bytes of the question were used"));
    &text[..text.floor_char_boundary(QUERY_LIMIT_BYTES)]
}

fn trust(analysis: &Analysis, warnings: &mut Vec<String>) -> Trust {
    let foreign = analysis.language.filter(|language| language.confident && !language.is_english());
    if let Some(language) = foreign {
        warnings.push(format!(
            "the question looks like language {:?}; the embedder reads English, so equal words count more than meaning",
            language.code
        ));
    }
    Trust { identifier_share: analysis.identifier_share, embedder_language: foreign.is_none() }
}

fn lexical_leg(view: &TextView, text: &str, admitted: &Visible, query: &Query) -> Result<Found, String> {
    let hits = view.search(text, admitted, legs::DEPTH, query.deadline).map_err(|error| error.to_string())?;
    let scores: Vec<(u64, f64)> = hits.iter().map(|hit| (hit.position, f64::from(hit.score))).collect();
    Ok(Found::ranked(scores, Evidence::Terms(hits)))
}

/// Has the embedder read the question.
fn read(
    snapshot: &Snapshot,
    embedder: Option<&dyn Embedder>,
    text: &str,
    query: &Query,
) -> Result<Reading, String> {
    let (Some(_), Some(embedder)) = (&snapshot.vectors, embedder) else {
        return Err(
            "no embedder is at hand: `triagraph models pull all-MiniLM-L6-v2`, or run without --no-embedder"
                .to_owned(),
        );
    };
    legs::in_time(query.deadline)?;
    embedder.read(text).map_err(|error| error.to_string())
}

type DenseOutcome = (Option<Result<Found, String>>, Option<Vec<f32>>);

fn dense_leg(
    snapshot: &Snapshot,
    reading: Result<Reading, String>,
    words: Option<&Found>,
    admitted: &Visible,
    query: &Query,
) -> DenseOutcome {
    let (vectors, reading) = match (&snapshot.vectors, reading) {
        (Some(vectors), Ok(reading)) => (vectors, reading),
        (_, reading) => return (reading.err().map(Err), None),
    };
    let embedding = match words.map(|found| &found.evidence) {
        Some(Evidence::Terms(words)) => reading.vector(words.rarity()),
        _ => reading.vector(|_| 1.0),
    };
    let is_alone = !query.legs.contains(&Leg::Lexical);
    let found = legs::dense(vectors, &embedding, admitted, is_alone, query.deadline);
    (Some(found.map_err(|error| error.to_string())), Some(embedding))
}

/// Named records weigh one each; the first hits of the text legs share less, by their place.
fn graph_seeds(analysis: &Analysis, lexical: Option<&Found>, dense: Option<&Found>) -> BTreeMap<u64, f64> {
    let mut seeds: BTreeMap<u64, f64> = analysis.seeds.iter().map(|position| (*position, 1.0)).collect();
    for found in [lexical, dense].into_iter().flatten() {
        for (place, (position, _)) in found.scores.iter().take(GRAPH_SEEDS).enumerate() {
            *seeds.entry(*position).or_default() += GRAPH_SEED_WEIGHT / (place + 1) as f64;
        }
    }
    seeds
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;
    use models::TextRole;
    use ontology::{Kind, Relation};

    use super::*;
    use crate::trial::{Trial, operator, record};

    #[test]
    fn a_leg_that_is_not_ready_in_time_is_left_out_and_named() {
        let trial = Trial::with_embedder();
        let server = record("cmdb:mail-01", Kind::ConfigurationItem, "mail-01", &[]);
        let ticket = record("s:INC-1", Kind::Incident, "mail-01 is down", &[(Relation::Affects, "mail-01")]);
        trial.apply([server, ticket]);
        let mut query = Query::new("mail-01 is down", Timestamp::UNIX_EPOCH);
        let degraded = |query: &Query| {
            let hits = trial.desk.search(&operator(), query).unwrap();
            (hits.hits.len(), hits.degraded.into_iter().map(|degraded| degraded.leg).collect::<Vec<_>>())
        };
        assert_eq!(degraded(&query), (2, vec![]));
        query.deadline = Some(Instant::now());
        let (hits, mut legs) = degraded(&query);
        legs.sort();
        assert_eq!((hits, legs), (0, Leg::ALL.to_vec()));
    }

    #[test]
    fn half_of_the_cosines_are_none() {
        let trial = Trial::with_embedder();
        trial.apply([record("s:INC-1", Kind::Incident, "mail-01 is down", &[])]);
        let snapshot = trial.desk.snapshot();
        let embedding = trial.desk.embedder().unwrap().embed(TextRole::Query, &["mail"]).unwrap().remove(0);
        let lexical = Found::ranked([(1, 1.0)], Evidence::None);
        let fill = |deadline| {
            let dense = Found::ranked([], Evidence::Passages(BTreeMap::new()));
            fill_in(&snapshot, &embedding, dense, &lexical, deadline).map(|dense| dense.scores.len())
        };
        assert_eq!(fill(None), Ok(1));
        assert_eq!(fill(Some(Instant::now() + Duration::from_secs(60))), Ok(1));
        assert_eq!(fill(Some(Instant::now())), Err("the deadline had passed".to_owned()));
    }
}
