//! `desk`: how does the desk do, and what is coming? A report for the terminal, as JSON or as one file of HTML; bursts and forecasts.

mod bursts;
mod feedback;
mod forecast;
mod page;
mod said;
mod screen;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use triage::Workflow;
use triage::policy::Watched;
use triage::service::{DeskMetrics, lives};

use crate::cli::Outcome;
use crate::command::search::parse_moment;
use crate::output;
use crate::period::period;
use crate::settings::Global;

/// How the desk does.
#[derive(Debug, Args)]
pub(crate) struct DeskCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Times, targets, what agents and pages contributed; what is promised stands in service.toml in the folder `policy` of the desk
    Report(Report),
    /// What people did with the work of agents: used as it was, changed, refused, by agent, category and model
    Feedback(feedback::Feedback),
    /// Try the search for bursts on the desk's own past: what it would have called, how often wrongly, and what it would have missed
    Bursts,
    /// Forecast tickets of the next week, what comes again, and which open tickets will miss their target, each tried on the past
    Forecast {
        /// As of a moment
        #[arg(long, value_parser = parse_moment, value_name = "MOMENT")]
        at: Option<Timestamp>,
    },
}

#[derive(Debug, Args)]
struct Report {
    /// Begin of the period: a day (UTC) or a moment; four weeks before its end if left out
    #[arg(long)]
    from: Option<String>,
    /// The day or moment behind the period; now if left out
    #[arg(long)]
    to: Option<String>,
    /// Write the page as HTML, in one file that needs no other
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl DeskCommand {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Report(report) => report.run(global),
            Command::Feedback(feedback) => feedback.run(global),
            Command::Bursts => bursts::run(global),
            Command::Forecast { at } => forecast::run(global, *at),
        }
    }
}

impl Report {
    fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let period =
            period(self.from.as_deref(), self.to.as_deref(), Timestamp::now()).map_err(anyhow::Error::msg)?;
        let policies = Watched::open(&global.policy_folder()?)?;
        let desk = global.open()?;
        let workflow = Workflow::new(desk.store(), policies);
        let lives = lives(&desk, &global.scope(), &workflow)?;
        let metrics = DeskMetrics::of(&lives, &workflow.policies().levels(), period);
        if let Some(path) = &self.html {
            let html = page::html(&metrics, global.tenant.as_str());
            std::fs::write(path, html).with_context(|| format!("cannot write {}", path.display()))?;
        }
        if global.json {
            output::json(&metrics)?;
        } else if let Some(path) = &self.html {
            output::line(format!("the report of {} is in {}", said::period(&metrics), path.display()));
        } else {
            screen::show(&metrics, global.tenant.as_str());
        }
        Ok(Outcome::Fine)
    }
}
