//! What can be typed? The commands and their flags, and which error becomes which exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::code;
use crate::command;
use crate::log;
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
    /// Take in files and folders: tickets, runbooks, articles, CMDB records, alert rules, RDF
    Ingest(command::ingest::Ingest),
    /// Try a mapping on a sample and show the records that it gives
    Mapping(command::mapping::Mapping),
    /// Look at what could not be read, and try it again
    Quarantine(command::quarantine::Quarantine),
    /// Show, delete or purge records
    Record(command::record::RecordCommand),
    /// Find records by words, meaning, identifiers and graph
    Search(command::search::Search),
    /// Find tickets related to a ticket, and why
    Related(command::related::Related),
    /// Make, get, replay or compare context bundles
    Bundle(command::bundle::Bundle),
    /// What a knowledge manager should look at: stale, never cited, near-duplicates, alerts without a runbook
    Articles(command::articles::Articles),
    /// Ask the graph in SPARQL 1.1
    Sparql(command::graph::Sparql),
    /// Write the whole graph as TriG or N-Quads
    Export(command::graph::Export),
    /// Measure retrieval on BEIR folders or on this desk
    Eval(command::eval::Eval),
    /// List, fetch and check models; train the desk's own, and let them count
    Models(command::models::Models),
    /// What is in the desk
    Status(command::status::Status),
    /// Prove that log, graph, text and vectors hold the same
    Verify(command::status::Verify),
    /// Build the indexes anew from the record log, with the embedder at hand
    Reindex(command::status::Reindex),
    /// Copy a desk, also while it is served
    Backup(command::backup::Backup),
    /// Bring a copied desk back
    Restore(command::backup::Restore),
    /// How the desk does: times, targets, agents, pages
    Desk(command::desk::DeskCommand),
    /// What agents and people may do, and whether that is what is wanted
    Policy(command::policy::Policy),
    /// Have past tickets come again, and hold what agents would do against what people did
    Replay(command::replay::Replay),
    /// Verify, sign and export the audit log
    Audit(command::audit::Audit),
    /// Make, list and revoke keys for those who come over HTTP
    Keys(command::keys::Keys),
    /// Triage a ticket: category, priority, team, related tickets, runbook, and an answer with its sources
    Triage(command::triage::Triage),
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
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") {
                output::note(as_json("invalid-arguments", error.to_string().trim_end()));
            } else {
                let _ = error.print();
            }
            return if error.use_stderr() { FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    match dispatch(&cli) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Attention) => ATTENTION.into(),
        Err(error) => {
            let message = output::in_one_line(&error);
            if cli.global.json {
                output::note(as_json(code::of(&error), &message));
            } else {
                output::note(format!("{} {message}", paint(BAD, "error:")));
            }
            FAILED.into()
        }
    }
}

/// An error as `--json` has it: the stable code and the message.
fn as_json(code: &str, message: &str) -> String {
    serde_json::json!({ "code": code, "message": message }).to_string()
}

fn dispatch(cli: &Cli) -> anyhow::Result<Outcome> {
    let global = &cli.global;
    if !matches!(cli.command, Command::Serve(_)) {
        log::start_for_command()?;
    }
    match &cli.command {
        Command::Init => command::init::init(global),
        Command::Ingest(command) => command.run(global),
        Command::Mapping(command) => command.run(global),
        Command::Quarantine(command) => command.run(global),
        Command::Record(command) => command.run(global),
        Command::Search(command) => command.run(global),
        Command::Related(command) => command.run(global),
        Command::Bundle(command) => command.run(global),
        Command::Articles(command) => command.run(global),
        Command::Sparql(command) => command.run(global),
        Command::Export(command) => command.run(global),
        Command::Eval(command) => command.run(global),
        Command::Models(command) => command.run(global),
        Command::Status(command) => command.run(global),
        Command::Verify(command) => command.run(global),
        Command::Reindex(command) => command.run(global),
        Command::Backup(command) => command.run(global),
        Command::Restore(command) => command.run(global),
        Command::Policy(command) => command.run(global),
        Command::Replay(command) => command.run(global),
        Command::Audit(command) => command.run(global),
        Command::Desk(command) => command.run(global),
        Command::Keys(command) => command.run(global),
        Command::Triage(command) => command.run(global),
        Command::Serve(command) => command.run(global),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "triagraph", &mut script);
            output::line(String::from_utf8(script)?.trim_end());
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
