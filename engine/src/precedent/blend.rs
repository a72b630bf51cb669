//! How much does a place with few tickets lean on the wider one? Interpolated back-off with Witten and Bell's weights.

use std::collections::BTreeMap;

/// What solved the tickets of one place. A ticket that names several outcomes counts a part for each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tally<T> {
    outcomes: BTreeMap<T, (f64, u64)>,
    all: u64,
}

impl<T: Ord + Clone> Tally<T> {
    /// Takes the outcomes of each ticket; one without any is none of the place's.
    pub(super) fn new<'a>(tickets: impl IntoIterator<Item = &'a [T]>) -> Self
    where
        T: 'a,
    {
        let mut tally = Self { outcomes: BTreeMap::new(), all: 0 };
        for outcomes in tickets.into_iter().filter(|outcomes| !outcomes.is_empty()) {
            tally.all += 1;
            for outcome in outcomes {
                let (weight, tickets) = tally.outcomes.entry(outcome.clone()).or_default();
                *weight += 1.0 / outcomes.len() as f64;
                *tickets += 1;
            }
        }
        tally
    }

    /// Tickets in it.
    pub(super) fn all(&self) -> u64 {
        self.all
    }

    /// Tickets in it that had an outcome.
    pub(super) fn tickets(&self, outcome: &T) -> u64 {
        self.outcomes.get(outcome).map_or(0, |(_, tickets)| *tickets)
    }
}

/// Blends places, the most general first. For each outcome, what each place adds to its probability.
///
/// A place with `n` tickets and `d` distinct outcomes is believed `n / (n + d)`, and what is before it the rest (Witten and Bell
/// 1991, method C): where every ticket ended in another way the place says little, where all ended alike it says all.
pub(super) fn blend<T: Ord + Clone>(places: &[Tally<T>]) -> BTreeMap<T, Vec<f64>> {
    let mut blended: BTreeMap<T, Vec<f64>> = BTreeMap::new();
    for (index, place) in places.iter().enumerate().filter(|(_, place)| place.all > 0) {
        let (all, distinct) = (place.all as f64, place.outcomes.len() as f64);
        let belief = all / (all + distinct);
        blended.values_mut().flatten().for_each(|part| *part *= 1.0 - belief);
        for (outcome, (weight, _)) in &place.outcomes {
            let parts = blended.entry(outcome.clone()).or_insert_with(|| vec![0.0; places.len()]);
            parts[index] = belief * weight / all;
        }
    }
    blended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(tickets: &[&[&'static str]]) -> Tally<&'static str> {
        Tally::new(tickets.iter().copied())
    }

    #[test]
    fn a_special_place_leans_on_the_general_one_by_how_much_its_tickets_differ() {
        // General: 4 tickets, 2 outcomes, believed 4/6. Special: 2 tickets, 1 outcome, believed 2/3.
        let general = tally(&[&["a"], &["a"], &["a"], &["b"]]);
        let special = tally(&[&["b"], &["b"]]);
        let blended = blend(&[general, special]);
        let expected = [("a", [4.0 / 6.0 * 0.75 / 3.0, 0.0]), ("b", [4.0 / 6.0 * 0.25 / 3.0, 2.0 / 3.0])];
        for (outcome, parts) in expected {
            for (part, expected) in blended[outcome].iter().zip(parts) {
                assert!((part - expected).abs() < 1e-12, "{outcome}: {blended:?}");
            }
        }
        let sum: f64 = blended.values().flatten().sum();
        // A third of a third is left for what never came before.
        assert!((sum - 8.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn an_empty_place_and_a_ticket_without_outcome_change_nothing() {
        let alone = blend(&[tally(&[&["a"], &["b"]])]);
        let with = blend(&[tally(&[]), tally(&[&["a"], &[], &["b"]])]);
        let sums = |blended: &BTreeMap<&str, Vec<f64>>| -> Vec<f64> {
            blended.values().map(|parts| parts.iter().sum()).collect()
        };
        assert_eq!(sums(&alone), [0.25, 0.25]);
        assert_eq!(sums(&with), sums(&alone));
    }

    #[test]
    fn a_ticket_with_two_outcomes_counts_half_for_each() {
        let place = tally(&[&["a", "b"], &["a"]]);
        assert_eq!((place.all(), place.tickets(&"a"), place.tickets(&"b")), (2, 2, 1));
        let blended = blend(&[place]);
        assert_eq!((blended["a"][0], blended["b"][0]), (0.5 * 1.5 / 2.0, 0.5 * 0.5 / 2.0));
    }
}
