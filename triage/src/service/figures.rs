//! Which figures are there, and what exactly is each? A definition in words, what is counted over what, and nothing where that would be a
//! share of nothing.

mod agents;
mod categories;
mod tickets;
mod times;

use std::collections::BTreeMap;

use serde::Serialize;

use super::levels::ServiceLevels;
use super::life::TicketLife;
use super::metrics::Period;
use super::standing::Clocks;

pub use agents::PageUse;
pub use categories::CategoryFigures;

pub(super) use agents::pages;
pub(super) use categories::categories;

/// What is looked at: tickets as they were known at the end of a period.
pub(super) struct View<'a> {
    pub(super) lives: &'a [TicketLife],
    pub(super) period: Period,
    pub(super) clocks: &'a Clocks<'a>,
    pub(super) levels: &'a ServiceLevels,
}

/// One figure of a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Its name for programs.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is, exactly.
    pub definition: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// The figure; nothing where there is not enough data.
    pub value: Option<f64>,
    /// The same of the period of the same length before.
    pub previous: Option<f64>,
    /// What was counted, or summed.
    pub numerator: f64,
    /// Over how many.
    pub denominator: u64,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The same of parts, such as priorities; only those that have something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A figure of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Of what.
    pub label: String,
    /// The figure.
    pub value: f64,
    /// What was counted, or summed.
    pub numerator: f64,
    /// Over how many.
    pub denominator: u64,
}

/// What a figure is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Tickets.
    Count,
    /// Seconds.
    Seconds,
    /// From 0 to 1.
    Share,
    /// The difference of two shares, −1 to 1.
    Difference,
}

/// What a figure is.
struct Definition {
    name: &'static str,
    title: &'static str,
    definition: &'static str,
    unit: Unit,
}

/// What is counted over what, altogether and by part.
#[derive(Default)]
struct Tally {
    all: (f64, u64),
    parts: BTreeMap<String, (f64, u64)>,
}

/// All figures, with those of the period before where they are given.
pub(super) fn figures(view: &View<'_>, before: &[Figure]) -> Vec<Figure> {
    let mut all = tickets::flow(view);
    all.push(tickets::attained(view));
    all.extend(times::times(view));
    all.extend(tickets::quality(view));
    all.extend(agents::agents(view));
    all.extend(categories::overall(view));
    for figure in &mut all {
        figure.previous = before.iter().find(|one| one.name == figure.name).and_then(|one| one.value);
    }
    if let Some(at) = all.iter().position(|figure| figure.name == agents::AUTOMATION) {
        let drift = agents::drift(&all[at]);
        all.insert(at + 1, drift);
    }
    all
}

impl Tally {
    /// Counts one, with what it adds to the sum.
    fn add(&mut self, part: Option<String>, amount: f64) {
        let parts = part.map(|part| self.parts.entry(part).or_default());
        for (sum, count) in parts.into_iter().chain([&mut self.all]) {
            *sum += amount;
            *count += 1;
        }
    }

    /// Counts one that has something, or has not.
    fn ask(&mut self, part: Option<String>, has: bool) {
        self.add(part, f64::from(u8::from(has)));
    }

    fn figure(self, definition: &Definition) -> Figure {
        let (numerator, denominator) = self.all;
        let part = |(label, (numerator, denominator)): (String, (f64, u64))| {
            (denominator > 0).then(|| Part {
                label,
                value: numerator / denominator as f64,
                numerator,
                denominator,
            })
        };
        let value = (denominator > 0).then(|| numerator / denominator as f64);
        Figure {
            name: definition.name,
            title: definition.title,
            definition: definition.definition,
            unit: definition.unit,
            value,
            previous: None,
            numerator,
            denominator,
            note: value
                .is_none()
                .then(|| "not enough data: nothing of the kind happened in the period".to_owned()),
            parts: self.parts.into_iter().filter_map(part).collect(),
        }
    }
}

/// The part of a figure that a ticket's priority is.
fn by_priority(view: &View<'_>, life: &TicketLife) -> Option<String> {
    let (priority, _) = view.levels.promise(life.kind, life.priority)?;
    Some(format!("priority {priority}"))
}
