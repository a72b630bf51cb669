//! Which passages mean the same? Nearest neighbours of the question's embedding, grouped by record: the best passage counts.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Evidence, Found};
use crate::query::fusion::COUNTED;
use crate::vectors::{SearchMode, VectorError, VectorView};
use crate::visible::Visible;

/// How many passages are asked for, and how many where those are of fewer records than count or this leg is alone with what it
/// finds. Fixed, for the same reason as [`super::DEPTH`].
const PASSAGES: [usize; 2] = [128, 512];

/// The passage of a record that is nearest to the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BestPassage {
    pub(crate) ordinal: u16,
    pub(crate) cosine: f32,
}

pub(crate) fn dense(
    vectors: &VectorView,
    embedding: &[f32],
    admitted: &Visible,
    is_alone: bool,
    deadline: Option<Instant>,
) -> Result<Found, VectorError> {
    let mut best: BTreeMap<u64, BestPassage> = BTreeMap::new();
    for passages in PASSAGES.into_iter().skip(usize::from(is_alone)) {
        let hits = vectors.search(embedding, admitted, passages, SearchMode::Auto, deadline)?.hits;
        let are_all = hits.len() < passages;
        for hit in hits {
            best.entry(hit.key.position())
                .or_insert(BestPassage { ordinal: hit.key.ordinal(), cosine: hit.cosine });
        }
        if are_all || best.len() >= COUNTED {
            break;
        }
    }
    let scores: Vec<(u64, f64)> =
        best.iter().map(|(position, passage)| (*position, f64::from(passage.cosine))).collect();
    Ok(Found::ranked(scores, Evidence::Passages(best)))
}

/// The nearest passage of each of some revisions, exactly, for records that another leg found.
pub(crate) fn nearest_passages(
    vectors: &VectorView,
    embedding: &[f32],
    positions: &[u64],
) -> Vec<Option<BestPassage>> {
    let nearest = vectors.nearest_of(embedding, positions).into_iter();
    nearest.map(|hit| hit.map(|hit| BestPassage { ordinal: hit.key.ordinal(), cosine: hit.cosine })).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::Kind;

    use crate::query::{Leg, Query};
    use crate::trial::{Trial, id, operator, record};

    #[test]
    fn a_question_means_its_rare_words_most() {
        let trial = Trial::with_embedder();
        trial.apply((0..30).map(|n| record(&format!("s:INC-{n}"), Kind::Incident, "disk", &[])));
        trial.apply([record("kb:plan", Kind::Article, "takeover", &[])]);
        let mut query = Query::new("disk takeover", Timestamp::UNIX_EPOCH);
        query.legs = vec![Leg::Dense];
        let first = trial.desk.search(&operator(), &query).unwrap().hits.remove(0);
        // Were both words to count alike, it would be .76.
        assert_eq!((first.record, first.legs[0].raw > 0.9), (id("kb:plan"), true), "{:?}", first.legs);
    }
}
