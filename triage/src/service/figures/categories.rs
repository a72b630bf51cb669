//! How well do agents tell what a ticket is about? Their first word for its category against what people made of it in the end.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::life::TicketLife;
use super::{Definition, Figure, Tally, Unit, View};
use crate::learned::Task;

/// Decided tickets that a calibration wants: with fewer it says more of chance than of agents.
const CALIBRATED: usize = 20;
/// Bins of confidence.
const BINS: usize = 10;

const RIGHT: Definition = Definition {
    name: "category_accuracy",
    title: "Category right",
    definition: "Of the tickets that ended in the period with a category, and for which agents had named one, the share where the agents' first \
                 word was the category in the end, or the one that people decided on here. Only the uppermost category counts.",
    unit: Unit::Share,
};
const CALIBRATION: Definition = Definition {
    name: "category_calibration_error",
    title: "Confidence off by",
    definition: "Expected calibration error of the category: the confidence of proposals in ten bins of equal width, in each the distance between \
                 mean confidence and share that was right, weighed by how many are in it. Of the tickets of category_accuracy that were proposed; 20 at least.",
    unit: Unit::Share,
};

/// How well agents told one category.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryFigures {
    /// The category.
    pub category: String,
    /// Tickets that ended with it.
    pub tickets: u64,
    /// Of the tickets that agents gave it to, the share that ended with it.
    pub precision: Option<f64>,
    /// Of those that ended with it, the share to which agents gave it.
    pub recall: Option<f64>,
    /// Mean confidence less the share that was right, of the tickets that agents proposed it for: above 0 they are too sure.
    pub overconfidence: Option<f64>,
}

/// What an agent said first, and what it was.
struct Told {
    said: String,
    was: String,
    confidence: Option<f64>,
}

/// The figures over all categories.
pub(super) fn overall(view: &View<'_>) -> [Figure; 2] {
    let told = told(view);
    let mut right = Tally::default();
    for one in &told {
        right.ask(None, one.said == one.was);
    }
    let sure: Vec<(f64, bool)> =
        told.iter().filter_map(|one| Some((one.confidence?, one.said == one.was))).collect();
    let mut calibration = Tally::default().figure(&CALIBRATION);
    calibration.denominator = sure.len() as u64;
    if sure.len() >= CALIBRATED {
        let error = calibration_error(&sure);
        (calibration.value, calibration.note) = (Some(error), None);
        calibration.numerator = error * sure.len() as f64;
    } else {
        let note =
            format!("not enough data: {} of the {CALIBRATED} decided tickets that it wants", sure.len());
        calibration.note = Some(note);
    }
    [right.figure(&RIGHT), calibration]
}

/// The figures of each category that agents said or tickets ended with, the most frequent first.
pub(crate) fn categories(view: &View<'_>) -> Vec<CategoryFigures> {
    #[derive(Default)]
    struct Counted {
        said: u64,
        was: u64,
        right: u64,
        sure: Vec<(f64, bool)>,
    }
    let mut counted: BTreeMap<String, Counted> = BTreeMap::new();
    for one in told(view) {
        let is_right = one.said == one.was;
        counted.entry(one.was).or_default().was += 1;
        let said = counted.entry(one.said).or_default();
        said.said += 1;
        said.right += u64::from(is_right);
        said.sure.extend(one.confidence.map(|confidence| (confidence, is_right)));
    }
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    let figures = |(category, counted): (String, Counted)| CategoryFigures {
        category,
        tickets: counted.was,
        precision: share(counted.right, counted.said),
        recall: share(counted.right, counted.was),
        overconfidence: (!counted.sure.is_empty()).then(|| {
            let off = |(sure, is_right): &(f64, bool)| sure - f64::from(u8::from(*is_right));
            counted.sure.iter().map(off).sum::<f64>() / counted.sure.len() as f64
        }),
    };
    let mut found: Vec<CategoryFigures> = counted.into_iter().map(figures).collect();
    found.sort_by_key(|figures| std::cmp::Reverse(figures.tickets));
    found
}

/// Tickets that ended in the period and of which both are known.
fn told(view: &View<'_>) -> Vec<Told> {
    let ended = view.lives.iter().filter(|life| life.ended().is_some_and(|moment| view.period.has(moment)));
    ended.filter_map(of_ticket).collect()
}

fn of_ticket(life: &TicketLife) -> Option<Told> {
    let folded = |category: &[String]| category.first().map(|name| name.trim().to_lowercase());
    let decided = life.work.as_ref().and_then(|work| work.decided.get(&Task::Category));
    let was = decided.map(|name| name.trim().to_lowercase()).or_else(|| folded(&life.category))?;
    let deeds = life.work.iter().flat_map(|work| &work.deeds);
    let mut named = deeds.filter_map(|deed| Some((folded(&deed.route.as_ref()?.category)?, deed.confidence)));
    let (said, confidence) = named.next()?;
    Some(Told { said, was, confidence })
}

fn calibration_error(sure: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for (confidence, is_right) in sure {
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += confidence;
        bins[bin].1 += f64::from(u8::from(*is_right));
    }
    bins.iter().map(|(confidence, right): &(f64, f64)| (confidence - right).abs()).sum::<f64>()
        / sure.len() as f64
}
