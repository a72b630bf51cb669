//! Which open tickets will miss their target? The share of like tickets that took longer, of those that lasted as long already.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ontology::RecordId;
use serde::{Deserialize, Serialize};

use super::gather::Past;
use super::survival::Survival;
use super::{Scored, Targets};

/// A category leans on its priority, and that on all, as if so many of their tickets were its own.
const LEANS: f64 = 10.0;
/// How often the past is looked at.
const STEP: SignedDuration = SignedDuration::from_hours(12);
/// The first weeks are what later ones are known by.
const LEARNING: SignedDuration = SignedDuration::from_hours(24 * 42);

/// An open ticket and its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    /// The ticket.
    pub ticket: RecordId,
    /// Its title.
    pub title: String,
    /// 1 is highest, 5 lowest.
    pub priority: Option<u8>,
    /// When it has to be solved.
    pub due: Timestamp,
    /// The chance that it is not solved by then; 1 where that has passed.
    pub chance: f64,
}

/// Open tickets by their chance to miss the target, and how well that was known in the past.
pub(super) fn breaches(past: &[Past], targets: &Targets, now: Timestamp) -> (Vec<Breach>, Scored) {
    let known = Known::at(past, targets, now);
    let open = past.iter().filter(|one| one.is_open && one.resolved.is_none());
    let mut found: Vec<Breach> = open
        .map(|one| Breach {
            ticket: one.ticket.clone(),
            title: one.title.clone(),
            priority: one.priority,
            due: one.at.saturating_add(targets.of(one.priority)).unwrap_or(now),
            chance: known.chance(one, targets, now),
        })
        .collect();
    found.sort_by(|a, b| b.chance.total_cmp(&a.chance).then_with(|| a.due.cmp(&b.due)));
    (found, tried(past, targets, now))
}

type Like = (Option<u8>, Option<String>);

/// What is known at a moment of how long tickets take.
struct Known {
    all: Survival,
    by_priority: BTreeMap<Option<u8>, Survival>,
    like: BTreeMap<Like, Survival>,
    /// Share of each priority that took longer than its target.
    late: BTreeMap<Option<u8>, f64>,
}

impl Known {
    fn at(past: &[Past], targets: &Targets, now: Timestamp) -> Self {
        let mut like: BTreeMap<Like, Vec<(f64, bool)>> = BTreeMap::new();
        let mut by_priority: BTreeMap<Option<u8>, Vec<(f64, bool)>> = BTreeMap::new();
        for one in past.iter().filter(|one| one.at < now) {
            let ended = one.resolved.filter(|resolved| *resolved <= now);
            if ended.is_none() && !one.is_open && one.resolved.is_none() {
                // Given up: nothing is known of how long it would have taken.
                continue;
            }
            let took = (hours(ended.unwrap_or(now).duration_since(one.at)), ended.is_some());
            like.entry((one.priority, one.category.clone())).or_default().push(took);
            by_priority.entry(one.priority).or_default().push(took);
        }
        let all = Survival::of(by_priority.values().flatten().copied().collect());
        let by_priority: BTreeMap<Option<u8>, Survival> =
            by_priority.into_iter().map(|(key, times)| (key, Survival::of(times))).collect();
        let late = by_priority.iter().map(|(key, one)| (*key, one.beyond(hours(targets.of(*key))))).collect();
        let like = like.into_iter().map(|(key, times)| (key, Survival::of(times))).collect();
        Self { all, by_priority, like, late }
    }

    /// The share of like tickets that last longer than a time.
    fn beyond(&self, one: &Past, time: f64) -> f64 {
        let wide = self.all.beyond(time);
        let middle = self.by_priority.get(&one.priority).map_or(wide, |it| it.leaning(wide, LEANS, time));
        let like = self.like.get(&(one.priority, one.category.clone()));
        like.map_or(middle, |it| it.leaning(middle, LEANS, time))
    }

    fn chance(&self, one: &Past, targets: &Targets, now: Timestamp) -> f64 {
        let (age, target) = (hours(now.duration_since(one.at)), hours(targets.of(one.priority)));
        if age >= target {
            return 1.0;
        }
        let lasted = self.beyond(one, age);
        // Longer than any like ticket: nothing says that it will end in time.
        if lasted <= 0.0 { 1.0 } else { (self.beyond(one, target) / lasted).clamp(0.0, 1.0) }
    }
}

fn hours(duration: SignedDuration) -> f64 {
    duration.as_secs_f64() / 3600.0
}

/// Twice a day, what was known then of the tickets that were open and not late yet.
fn tried(past: &[Past], targets: &Targets, now: Timestamp) -> Scored {
    let mut pairs = Vec::new();
    let Some(first) = past.first() else { return Scored::default() };
    let mut origin = first.at.saturating_add(LEARNING).unwrap_or(now);
    let (mut known, mut learnt) = (Known::at(past, targets, origin), origin);
    while origin < now {
        // Learnt anew once a week.
        if origin.duration_since(learnt) >= STEP * 14 {
            (known, learnt) = (Known::at(past, targets, origin), origin);
        }
        let begun = past.partition_point(|one| one.at <= origin);
        for one in &past[..begun] {
            let due = one.at.saturating_add(targets.of(one.priority)).unwrap_or(now);
            let was_open = one.resolved.map_or(one.is_open, |resolved| resolved > origin);
            if !was_open || due <= origin || due > now {
                continue;
            }
            let is_late = one.resolved.is_none_or(|resolved| resolved > due);
            let naive = known.late.get(&one.priority).copied().unwrap_or(0.5);
            pairs.push((known.chance(one, targets, origin), naive, is_late));
        }
        origin = origin.saturating_add(STEP).unwrap_or(now);
    }
    Scored::of(&pairs)
}
