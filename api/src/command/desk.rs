//! `desk report`: how does the desk do? A page for the terminal, JSON, or one file of HTML.

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
        let Command::Report(report) = &self.command;
        report.run(global)
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
