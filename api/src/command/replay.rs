//! `replay`: what would the desk, as it is configured, have done with the tickets of the past?

use std::path::PathBuf;

use clap::Args;
use engine::Desk;
use jiff::Timestamp;
use triage::policy::Watched;
use triage::{ReplayOptions, Tally, Totals, Workflow, replay};

use crate::cli::Outcome;
use crate::output::{self, BAD, BOLD, DIM, paint};
use crate::settings::Global;

/// Have past tickets come again, in their order, each with what was known then, and compare with what people did.
///
/// They come into an empty desk that is thrown away; this desk is only read. Raise a category's level after a look at this report with
/// the level that is meant: `--policy` names a folder with another autonomy.toml.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The latest so many tickets; earlier ones are what these can be held against
    #[arg(long, default_value_t = 200, value_name = "NUMBER")]
    latest: usize,
    /// The folder with the policies to try [default: those of this desk]
    #[arg(long, value_name = "FOLDER")]
    policy: Option<PathBuf>,
}

impl Replay {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let folder = match &self.policy {
            Some(folder) => folder.clone(),
            None => global.policy_folder()?,
        };
        let policies = Watched::open(&folder)?;
        let desk = global.open_to_read("replay")?;
        let temporary = tempfile::tempdir()?;
        let fresh = Desk::open(temporary.path(), &global.tenant, desk.embedder().cloned())?;
        let workflow = Workflow::new(fresh.store(), policies);
        let scope = global.scope();
        let mut tell = |done: usize, all: usize| {
            if done.is_multiple_of(100) && !global.json {
                output::note(format!("{done} of {all} tickets"));
            }
        };
        let options = ReplayOptions { latest: self.latest };
        let made = replay((&desk, &scope), &fresh, &workflow, options, Timestamp::now(), &mut tell)?;
        let is_fine = made.all.adrift == 0 && made.all.unexplained == 0;
        if global.json {
            output::json(&serde_json::json!({ "digest": made.digest(), "report": made }))?;
        } else {
            shown(&made);
        }
        Ok(if is_fine { Outcome::Fine } else { Outcome::Attention })
    }
}

fn shown(made: &triage::Replay) {
    let title = format!("{} tickets replayed under policies {}", made.all.tickets, &made.policy[..12]);
    output::line(paint(BOLD, title));
    output::line(paint(DIM, format!("report {}", made.digest())));
    head();
    let mut categories: Vec<_> = made.by_category.iter().collect();
    categories.sort_by_key(|(category, totals)| (std::cmp::Reverse(totals.tickets), *category));
    for (category, totals) in categories {
        row(if category.is_empty() { "(no category)" } else { category }, totals);
    }
    row("all", &made.all);
    let states: Vec<String> =
        made.all.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    output::line(format!("they rest as: {}", states.join(", ")));
    output::line(format!(
        "{} decisions or sentences without a reason or source, {} tickets that came to no rest, {} answers on a page that was \
         changed later",
        made.all.unexplained, made.all.adrift, made.all.on_changed_page
    ));
    for ticket in made.tickets.iter().filter(|ticket| !ticket.warnings.is_empty()) {
        output::line(paint(BAD, format!("{}: {}", ticket.ticket, ticket.warnings.join("; "))));
    }
}

/// The names of the columns of [`row`].
pub(crate) fn head() {
    const COLUMNS: [&str; 8] =
        ["all", "team right", "category", "priority", "page right", "answered", "alone", "wrong"];
    columns(&paint(DIM, format!("{:<24}", "as people decided")).to_string(), &COLUMNS.map(str::to_owned));
}

/// One line: how many tickets, what was right of what people decided, and what agents would have done alone.
pub(crate) fn row(name: &str, totals: &Totals) {
    let share = |tally: Tally| match tally.share() {
        Some(share) => format!("{:.0} % of {}", share * 100.0, tally.asked),
        None => "–".to_owned(),
    };
    let cells = [
        totals.tickets.to_string(),
        share(totals.team),
        share(totals.category),
        share(totals.priority),
        share(totals.page),
        totals.answered.to_string(),
        totals.alone.to_string(),
        totals.false_positives.to_string(),
    ];
    columns(&format!("{name:<24}"), &cells);
}

fn columns(name: &str, cells: &[String; 8]) {
    const WIDTHS: [usize; 8] = [5, 13, 13, 13, 13, 8, 6, 5];
    let cells = cells.iter().zip(WIDTHS).map(|(cell, width)| format!("{cell:>width$}"));
    output::line(format!("{name} {}", cells.collect::<Vec<_>>().join("  ")));
}
