//! Which cosines are told besides those that the dense leg found? Those of the lexical leg's first records, before the fusion, and
//! those of what is shown, after it.

use std::time::Instant;

use crate::query::fusion::{COUNTED, Fused, Trust, unscaled};
use crate::query::legs::{self, Evidence, Found};
use crate::query::{Leg, Query};
use crate::snapshot::Snapshot;

/// Gives the lexical leg's first records their exact cosine, so that none of those that count is punished for the dense leg's
/// depth.
///
/// # Errors
/// The reason when the deadline passes before the end: ranks from half of the cosines would mislead.
pub(super) fn fill_in(
    snapshot: &Snapshot,
    embedding: &[f32],
    mut dense: Found,
    lexical: &Found,
    deadline: Option<Instant>,
) -> Result<Found, String> {
    let (Some(vectors), Evidence::Passages(best)) = (&snapshot.vectors, &mut dense.evidence) else {
        return Ok(dense);
    };
    legs::in_time(deadline)?;
    let others: Vec<u64> = lexical
        .scores
        .iter()
        .take(COUNTED)
        .map(|(position, _)| *position)
        .filter(|position| !best.contains_key(position))
        .collect();
    for (position, passage) in others.iter().zip(legs::nearest_passages(vectors, embedding, &others)) {
        let Some(passage) = passage else { continue };
        best.insert(*position, passage);
        dense.scores.push((*position, f64::from(passage.cosine)));
    }
    dense.scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(dense)
}

/// Tells the cosines of the shown hits that only the words found, which are too low to count.
pub(super) fn tell_cosines(
    snapshot: &Snapshot,
    embedding: &[f32],
    trust: Trust,
    fused: &mut [Fused],
    query: &Query,
) {
    let (Some(vectors), true) = (&snapshot.vectors, legs::in_time(query.deadline).is_ok()) else { return };
    let has = |fused: &Fused, wanted| fused.legs.iter().any(|score| score.leg == wanted);
    let untold = fused.iter_mut().filter(|fused| has(fused, Leg::Lexical) && !has(fused, Leg::Dense));
    let mut untold: Vec<&mut Fused> = untold.collect();
    let positions: Vec<u64> = untold.iter().map(|fused| fused.position).collect();
    for (fused, passage) in untold.iter_mut().zip(legs::nearest_passages(vectors, embedding, &positions)) {
        let Some(passage) = passage.filter(|passage| passage.cosine > 0.0) else { continue };
        fused.legs.push(unscaled(Leg::Dense, f64::from(passage.cosine), trust));
        fused.legs.sort_by_key(|score| score.leg);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::Kind;

    use crate::query::{Leg, Query};
    use crate::trial::{Trial, operator, record};

    #[test]
    fn every_hit_of_the_words_tells_its_cosine_and_the_limit_changes_no_rank() {
        let trial = Trial::with_embedder();
        let ticket = |n| record(&format!("s:INC-{n}"), Kind::Incident, &format!("disk {n} is full"), &[]);
        trial.apply((0..180).map(ticket));
        let found = |limit| {
            let query = Query { limit, ..Query::new("the disk is full", Timestamp::UNIX_EPOCH) };
            trial.desk.search(&operator(), &query).unwrap().hits
        };
        let all = found(180);
        assert_eq!(all.len(), 180);
        for hit in &all {
            let legs: Vec<Leg> = hit.legs.iter().map(|score| score.leg).collect();
            assert!(
                legs.contains(&Leg::Lexical) && legs.contains(&Leg::Dense) && legs.is_sorted(),
                "{hit:?}"
            );
        }
        assert_eq!(found(30), all[..30]);
    }
}
