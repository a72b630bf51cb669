//! `desk`: how does the desk do, and what is coming?

mod bursts;
mod forecast;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::cli::Outcome;
use crate::command::search::parse_moment;
use crate::settings::Global;

/// How the desk does.
#[derive(Debug, Args)]
pub(crate) struct DeskCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Try the search for bursts on the desk's own past: what it would have called, how often wrongly, and what it would have missed
    Bursts,
    /// Forecast tickets of the next week, what comes again, and which open tickets will miss their target, each tried on the past
    Forecast {
        /// As of a moment
        #[arg(long, value_parser = parse_moment, value_name = "MOMENT")]
        at: Option<Timestamp>,
    },
}

impl DeskCommand {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::Bursts => bursts::run(global),
            Action::Forecast { at } => forecast::run(global, *at),
        }
    }
}
