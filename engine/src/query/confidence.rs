//! How likely is it that the first hit answers the question? A calibrated chance from what the text legs show.
//!
//! No threshold on one score tells it: BM25 grows with the question, and a cosine is high wherever all records are of one
//! kind. What tells is how far the first hit stands out, whether both legs mean the same record, how much of the question's
//! words it has, and how near it is. Weights by logistic regression on six sets, each set
//! counting the same (`benches/README.md`).

use serde::{Deserialize, Serialize};

use crate::query::fusion::Fused;
use crate::query::legs::{Evidence, Found};
use crate::query::{Leg, LegScore};

/// What speaks for the first hit, and the chance that it is right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// The chance that the first hit answers the question, 0 to 1.
    pub chance: f64,
    /// How far the first hit's scaled text scores lie above those of the second.
    pub over_second: f64,
    /// The same, above the fifth.
    pub over_fifth: f64,
    /// BM25 of the record that is nearest in meaning, as a share of the best.
    pub agreement: f64,
    /// The best BM25 as a share of what a record with all words that the desk knows could have.
    pub words: f64,
    /// The best cosine.
    pub cosine: f64,
}

/// The constant, and the weights of `over_second`, `over_fifth`, `agreement`, `words`, `cosine`.
const WEIGHTS: [f64; 6] = [-3.73, 4.29, 1.08, 0.73, 4.28, 1.38];

impl Confidence {
    /// The features, in the order of the weights behind the constant.
    pub fn features(&self) -> [f64; 5] {
        [self.over_second, self.over_fifth, self.agreement, self.words, self.cosine]
    }
}

/// Records that must have been found: among fewer, the scaled scores say little, since the last one always has none.
pub(crate) const LEAST_FOUND: usize = 20;

/// Looks at what the legs found; nothing where a text leg did not run, or where they found too little to compare.
pub(crate) fn confidence(found: &[(Leg, Found)], fused: &[Fused]) -> Option<Confidence> {
    let of = |wanted| found.iter().find(|(leg, _)| *leg == wanted).map(|(_, found)| found);
    let (lexical, dense) = (of(Leg::Lexical)?, of(Leg::Dense)?);
    if fused.len() < LEAST_FOUND {
        return None;
    }
    let ((_, best_words), (nearest, cosine)) = (lexical.scores.first()?, dense.scores.first()?);
    let Evidence::Terms(terms) = &lexical.evidence else { return None };
    let text = |place: usize| fused.get(place).map_or(0.0, |fused| text_score(&fused.legs));
    let shared =
        lexical.scores.iter().find(|(position, _)| position == nearest).map_or(0.0, |(_, score)| *score);
    let mut confidence = Confidence {
        chance: 0.0,
        over_second: text(0) - text(1),
        over_fifth: text(0) - text(4),
        agreement: shared / best_words,
        words: best_words / f64::from(terms.possible()).max(*best_words),
        cosine: *cosine,
    };
    let weighed =
        confidence.features().into_iter().zip(&WEIGHTS[1..]).map(|(feature, weight)| feature * weight);
    confidence.chance = 1.0 / (1.0 + (-WEIGHTS[0] - weighed.sum::<f64>()).exp());
    Some(confidence)
}

fn text_score(legs: &[LegScore]) -> f64 {
    let text = legs.iter().filter(|leg| matches!(leg.leg, Leg::Lexical | Leg::Dense));
    text.map(|leg| leg.normalised * leg.weight).sum()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::{Audience, Kind, Scope, TenantId};

    use super::*;
    use crate::query::Query;
    use crate::trial::{Trial, record};

    fn confidence(trial: &Trial) -> Option<Confidence> {
        let staff = Scope::of(TenantId::new("main").unwrap(), [Audience::staff()]);
        let query = Query::new("the disk of the takeover is full", Timestamp::UNIX_EPOCH);
        trial.desk.search(&staff, &query).unwrap().confidence
    }

    #[test]
    fn few_hits_give_none_and_hidden_records_change_none() {
        let trial = Trial::with_embedder();
        trial.apply((0..10).map(|n| record(&format!("s:INC-{n}"), Kind::Incident, "disk full", &[])));
        assert_eq!(confidence(&trial), None);
        let more = |n| record(&format!("s:INC-{n}"), Kind::Incident, &format!("disk {n} is slow"), &[]);
        trial.apply((10..40).map(more));
        let before = confidence(&trial);
        assert!(before.is_some_and(|before| before.chance > 0.0 && before.chance < 1.0), "{before:?}");
        let mut plan = record("kb:plan", Kind::Article, "takeover", &[]);
        plan.audience = vec![Audience::new("board").unwrap()];
        trial.apply([plan]);
        assert_eq!(confidence(&trial), before);
    }
}
