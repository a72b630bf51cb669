//! What are the figures of a desk in a period? All of them, each with its definition, beside the period before.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use ontology::RecordId;
use serde::Serialize;

use super::burn::{Attainment, Burn, attainments, burns};
use super::figures::{CategoryFigures, Figure, PageUse, View, categories, figures, pages};
use super::levels::ServiceLevels;
use super::life::TicketLife;
use super::standing::{Clocks, Kept, Standing};

/// Version of the JSON of desk metrics. Fields are added within a version, never changed or taken away.
pub const DESK_METRICS_SCHEMA: &str = "triagraph.desk-metrics/1";
/// Tickets that are named as at risk, at most.
const NAMED: usize = 20;
/// Stretches into which a period is cut for charts, at most.
const STRETCHES: i64 = 28;

/// A stretch of time; its end is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// Its beginning.
    pub from: Timestamp,
    /// The moment behind it.
    pub to: Timestamp,
}

/// The figures of a desk in a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeskMetrics {
    /// [`DESK_METRICS_SCHEMA`].
    pub schema: &'static str,
    /// What they are of.
    #[serde(flatten)]
    pub period: Period,
    /// Version of the service levels that tickets were held against.
    pub levels: String,
    /// Share of tickets that shall keep their target.
    pub objective: f64,
    /// The figures, each with its definition.
    pub figures: Vec<Figure>,
    /// How often each target was kept.
    pub attainment: Vec<Attainment>,
    /// How fast the budget of misses is used up at the end of the period.
    pub burn: Vec<Burn>,
    /// How well agents told each category, by what people made of it in the end.
    pub categories: Vec<CategoryFigures>,
    /// The pages that most tickets were solved by.
    pub pages: Vec<PageUse>,
    /// Tickets that came, were solved and were open, stretch by stretch.
    pub days: Vec<Day>,
    /// Open tickets near the end of their time, the soonest due first, then those behind it; 20 at most.
    pub at_risk: Vec<AtRisk>,
}

/// A stretch of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Day {
    /// What it is of.
    #[serde(flatten)]
    pub period: Period,
    /// Tickets that came.
    pub received: u64,
    /// Tickets that were solved.
    pub resolved: u64,
    /// Tickets that were open at its end.
    pub open: u64,
}

/// A ticket near the end of its time, or behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtRisk {
    /// The ticket.
    pub ticket: RecordId,
    /// Its title.
    pub title: String,
    /// Who has it.
    pub team: Option<String>,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

impl Period {
    /// Whether a moment is in it.
    pub fn has(self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.to
    }

    /// The one of the same length before.
    pub fn before(self) -> Self {
        let length = self.from.duration_until(self.to);
        Self { from: self.from.checked_sub(length).unwrap_or(Timestamp::MIN), to: self.from }
    }
}

impl DeskMetrics {
    /// The figures of tickets in a period. What happened after it is not looked at.
    pub fn of(lives: &[TicketLife], levels: &ServiceLevels, period: Period) -> Self {
        let oldest = lives.iter().map(|life| life.created).min().unwrap_or(period.from).min(period.from);
        let clocks = Clocks::new(levels, oldest, period.to);
        let earlier: Vec<TicketLife> = lives.iter().filter_map(|life| life.as_of(period.from)).collect();
        let before =
            figures(&View { lives: &earlier, period: period.before(), clocks: &clocks, levels }, &[]);
        let known: Vec<TicketLife> = lives.iter().filter_map(|life| life.as_of(period.to)).collect();
        let view = View { lives: &known, period, clocks: &clocks, levels };
        let held: Vec<(&TicketLife, Vec<Standing>)> =
            known.iter().map(|life| (life, clocks.standings(life, period.to))).collect();
        let standings: Vec<Standing> = held.iter().flat_map(|(_, standings)| standings.clone()).collect();
        Self {
            schema: DESK_METRICS_SCHEMA,
            period,
            levels: levels.version.clone(),
            objective: levels.objective,
            figures: figures(&view, &before),
            attainment: attainments(&standings, period),
            burn: burns(&standings, levels.objective, period.to),
            categories: categories(&view),
            pages: pages(&view),
            days: days(&known, period),
            at_risk: at_risk(&held, period.to),
        }
    }

    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

/// The period in stretches of whole days where there are so many, counted.
fn days(lives: &[TicketLife], period: Period) -> Vec<Day> {
    let seconds = period.from.duration_until(period.to).as_secs().max(1);
    let length = if seconds > STRETCHES * 86_400 { (seconds + STRETCHES - 1) / STRETCHES } else { 86_400 };
    let mut days = Vec::new();
    let mut from = period.from;
    while from < period.to {
        let to = from.checked_add(SignedDuration::from_secs(length)).unwrap_or(period.to).min(period.to);
        let part = Period { from, to };
        let count = |of: &dyn Fn(&TicketLife) -> bool| lives.iter().filter(|life| of(life)).count() as u64;
        days.push(Day {
            period: part,
            received: count(&|life| part.has(life.created)),
            resolved: count(&|life| life.resolved().is_some_and(|moment| part.has(moment))),
            open: count(&|life| life.is_open(to)),
        });
        from = to;
    }
    days
}

fn at_risk(held: &[(&TicketLife, Vec<Standing>)], now: Timestamp) -> Vec<AtRisk> {
    let mut found: Vec<AtRisk> = Vec::new();
    for (life, standings) in held.iter().filter(|(life, _)| life.ended().is_none()) {
        for standing in standings {
            let is_warned =
                standing.state == Kept::Running && standing.warns.is_some_and(|warns| warns <= now);
            let was_answered = standing.target == super::levels::Target::Response && life.responded.is_some();
            if (is_warned || standing.state == Kept::Missed) && !was_answered {
                let (ticket, title, team) = (life.ticket.clone(), life.title.clone(), life.team.clone());
                found.push(AtRisk { ticket, title, team, standing: standing.clone() });
            }
        }
    }
    found.sort_by(|one, other| {
        let key = |risk: &AtRisk| (risk.standing.state == Kept::Missed, risk.standing.due);
        key(one).cmp(&key(other)).then_with(|| one.ticket.cmp(&other.ticket))
    });
    found.truncate(NAMED);
    found
}
