//! What can be typed? The commands and their flags, and which error becomes which exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::command;
use crate::output::{self, BAD, paint};
use crate::settings::Global;

/// Exit code of a command that worked but has something to say: quarantined items, a failed check, a hand-over.
const ATTENTION: u8 = 1;
/// Exit code of a command that failed.
const FAILED: u8 = 2;

/// Turns tickets, runbooks, articles and CMDB records into a knowledge graph, and answers incoming tickets from it
#[derive(Debug, Parser)]
#[command(name = "triagraph", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an empty desk
    Init,
    /// Find records by words, meaning, identifiers and graph
    Search(command::search::Search),
    /// Serve HTTP: search, bundles, records, SPARQL, metrics, and a page of documentation
    Serve(command::serve::Serve),
    /// Write a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What a command that worked says with its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Fine,
    /// It worked, and somebody should look at what it printed.
    Attention,
}

/// Runs the command line. 0: fine, 1: worked but needs attention, 2: failed.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    match dispatch(&cli) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Attention) => ATTENTION.into(),
        Err(error) => {
            output::note(format!("{} {}", paint(BAD, "error:"), message(&error)));
            FAILED.into()
        }
    }
}

/// The chain of causes in one line, without repeating what a cause already said.
fn message(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !message.contains(&cause) {
            if !message.is_empty() {
                message.push_str(": ");
            }
            message.push_str(&cause);
        }
    }
    message
}

fn dispatch(cli: &Cli) -> anyhow::Result<Outcome> {
    let global = &cli.global;
    match &cli.command {
        Command::Init => command::init::init(global),
        Command::Search(command) => command.run(global),
        Command::Serve(command) => command.run(global),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "triagraph", &mut std::io::stdout());
            Ok(Outcome::Fine)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
