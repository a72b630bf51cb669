//! What comes again after it was solved? Another ticket on the same thing and of the same category within 30 days.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Scored;
use super::gather::Past;
use super::survival::Survival;

/// What counts as coming again.
const WITHIN_DAYS: f64 = 30.0;
const WITHIN: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A group leans on all as if so many tickets of all were its own.
const LEANS: f64 = 8.0;
/// Groups that are told have solved tickets at least.
const LEAST: usize = 4;
/// Groups that are told.
const TOLD: usize = 12;

/// How likely something comes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The thing.
    pub thing: String,
    /// The category; empty where tickets have none.
    pub category: String,
    /// The chance that another ticket comes within 30 days after one was solved.
    pub chance: f64,
    /// Solved tickets that it rests on.
    pub solved: usize,
    /// Of them those after which another came.
    pub came_again: usize,
    /// When the last one was solved.
    pub last_solved: Timestamp,
}

type Place = (String, String);

/// A solved ticket, and when the next one came in its place.
struct Solved {
    place: Place,
    at: Timestamp,
    again: Option<Timestamp>,
}

/// What may come again, and how well that was known in the past.
pub(super) fn recurrences(past: &[Past], now: Timestamp) -> (Vec<Recurrence>, Scored) {
    let solved = solved(past);
    let known = Known::at(&solved, now);
    let mut found: BTreeMap<&Place, Recurrence> = BTreeMap::new();
    for one in &solved {
        let told = found.entry(&one.place).or_insert_with(|| Recurrence {
            thing: one.place.0.clone(),
            category: one.place.1.clone(),
            chance: known.chance(&one.place),
            solved: 0,
            came_again: 0,
            last_solved: one.at,
        });
        told.solved += 1;
        told.came_again += usize::from(one.is_again(now));
        told.last_solved = told.last_solved.max(one.at);
    }
    let mut found: Vec<Recurrence> = found.into_values().filter(|one| one.solved >= LEAST).collect();
    found.sort_by(|a, b| b.chance.total_cmp(&a.chance).then_with(|| b.solved.cmp(&a.solved)));
    found.truncate(TOLD);
    (found, tried(&solved, now))
}

fn solved(past: &[Past]) -> Vec<Solved> {
    let mut by_place: BTreeMap<Place, Vec<&Past>> = BTreeMap::new();
    for one in past {
        for thing in &one.things {
            let place = (thing.to_string(), one.category.clone().unwrap_or_default());
            by_place.entry(place).or_default().push(one);
        }
    }
    let mut solved = Vec::new();
    for (place, tickets) in by_place {
        for one in &tickets {
            let Some(at) = one.resolved else { continue };
            // They stand in the order in which they came.
            let again = tickets.iter().map(|other| other.at).find(|came| *came > at);
            solved.push(Solved { place: place.clone(), at, again });
        }
    }
    solved.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.place.cmp(&b.place)));
    solved
}

impl Solved {
    /// Whether another came within the time, as far as a moment can tell.
    fn is_again(&self, now: Timestamp) -> bool {
        let until = self.at.saturating_add(WITHIN).unwrap_or(now);
        self.again.is_some_and(|again| again <= until && again <= now)
    }
}

/// What is known at a moment.
struct Known {
    all: f64,
    places: BTreeMap<Place, Survival>,
}

impl Known {
    fn at(solved: &[Solved], now: Timestamp) -> Self {
        let mut times: BTreeMap<Place, Vec<(f64, bool)>> = BTreeMap::new();
        for one in solved.iter().filter(|one| one.at < now) {
            let again = one.again.filter(|again| *again <= now);
            let days = again.unwrap_or(now).duration_since(one.at).as_secs_f64() / 86_400.0;
            times.entry(one.place.clone()).or_default().push((days, again.is_some()));
        }
        let everything = times.values().flatten().copied().collect();
        let all = Survival::of(everything).beyond(WITHIN_DAYS);
        Self { all, places: times.into_iter().map(|(place, times)| (place, Survival::of(times))).collect() }
    }

    fn chance(&self, place: &Place) -> f64 {
        let own = self.places.get(place).map(|own| own.leaning(self.all, LEANS, WITHIN_DAYS));
        1.0 - own.unwrap_or(self.all)
    }
}

/// Every 30 days, what was known then of the tickets that were solved in the 30 days after it.
fn tried(solved: &[Solved], now: Timestamp) -> Scored {
    let mut pairs = Vec::new();
    let Some(first) = solved.first() else { return Scored::default() };
    let mut origin = first.at.saturating_add(WITHIN + WITHIN).unwrap_or(now);
    while origin.saturating_add(WITHIN + WITHIN).is_ok_and(|end| end <= now) {
        let known = Known::at(solved, origin);
        let next = origin.saturating_add(WITHIN).unwrap_or(now);
        for one in solved.iter().filter(|one| one.at >= origin && one.at < next) {
            pairs.push((known.chance(&one.place), 1.0 - known.all, one.is_again(now)));
        }
        origin = next;
    }
    Scored::of(&pairs)
}
