//! `desk forecast`: what is coming, and how far can that be trusted?

use jiff::Timestamp;
use triage::{Forecast, Group, Recurrence, Scored, Targets, Volume};

use crate::cli::Outcome;
use crate::output::{self, BAD, BOLD, DIM, GOOD, ID, WARN, moment, paint};
use crate::settings::Global;

/// Open tickets that are shown.
const SHOWN: usize = 15;

pub(super) fn run(global: &Global, at: Option<Timestamp>) -> anyhow::Result<Outcome> {
    let desk = global.open()?;
    let now = at.unwrap_or_else(Timestamp::now);
    let forecast = triage::forecast(&desk, &global.scope(), &Targets::default(), now)?;
    if global.json {
        output::json(&forecast)?;
        return Ok(Outcome::Fine);
    }
    volumes(&forecast);
    recurrences(&forecast);
    breaches(&forecast);
    Ok(Outcome::Fine)
}

fn volumes(forecast: &Forecast) {
    let about = "incidents and requests of the next seven days; 80 % range; tried on each past week";
    output::line(format!("{}  {}", paint(BOLD, "Volume"), paint(DIM, about)));
    for volume in &forecast.volume {
        output::line(format!("  {}", shown(volume)));
    }
}

fn shown(volume: &Volume) -> String {
    let name = match &volume.group {
        Group::All => "all".to_owned(),
        Group::Service(name) => format!("service {name}"),
        Group::Category(name) => format!("category {name}"),
    };
    let range = format!("{} to {}", volume.low, volume.high);
    let tried = volume.test.as_ref().map(|test| {
        let better = if test.mase < test.naive_mase { GOOD } else { WARN };
        let error = paint(better, format!("error {:.2}", test.mase));
        format!(
            "{error} (as last week: {:.2}), {:.0} % of {} weeks in range",
            test.naive_mase,
            test.coverage * 100.0,
            test.weeks
        )
    });
    format!(
        "{name:38} {:>6.1}  {range:>10}  last week {:>3}  {}",
        volume.expected,
        volume.last_week,
        tried.unwrap_or_default()
    )
}

fn recurrences(forecast: &Forecast) {
    output::line("");
    let about = "within 30 days after it was solved, on the same thing and of the same category";
    output::line(format!("{}  {}", paint(BOLD, "Comes again"), paint(DIM, about)));
    for one in &forecast.recurrence {
        let Recurrence { thing, category, chance, solved, came_again, last_solved } = one;
        output::line(format!(
            "  {:>3.0} %  {}, {category}: {came_again} of {solved} came again, last solved {}",
            chance * 100.0,
            paint(ID, thing),
            moment(*last_solved)
        ));
    }
    scored(&forecast.recurrence_test, "the share of all");
}

fn breaches(forecast: &Forecast) {
    output::line("");
    let about = "open tickets that may miss their target of 4, 8, 24, 72 or 120 hours by priority";
    output::line(format!("{}  {}", paint(BOLD, "At risk"), paint(DIM, about)));
    let late = forecast.breach.iter().filter(|one| one.chance >= 1.0).count();
    for one in forecast.breach.iter().filter(|one| one.chance < 1.0).take(SHOWN) {
        let colour = if one.chance >= 0.5 { BAD } else { DIM };
        output::line(format!(
            "  {}  {}  due {}  {}",
            paint(colour, format!("{:>3.0} %", one.chance * 100.0)),
            paint(ID, one.ticket.external()),
            moment(one.due),
            output::shorten(&one.title, 60)
        ));
    }
    output::line(format!("  {}", output::count(late as u64, "open ticket is late", "open tickets are late")));
    scored(&forecast.breach_test, "the share that is late of its priority");
}

fn scored(scored: &Scored, naive: &str) {
    let better = if scored.brier < scored.naive_brier { GOOD } else { WARN };
    output::line(format!(
        "  tried {} times on the past: {} ({naive}: {:.3}); it happened in {:.0} %",
        scored.given,
        paint(better, format!("Brier {:.3}", scored.brier)),
        scored.naive_brier,
        scored.happened * 100.0
    ));
}
