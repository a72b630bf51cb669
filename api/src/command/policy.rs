//! `policy`: what may agents and people do here, and do the policies say what they should?

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use triage::policy::{Policies, run_cases};

use crate::cli::Outcome;
use crate::command::policy_level::SetLevel;
use crate::output::{self, BAD, BOLD, DIM, ID, paint};
use crate::settings::Global;

/// Look at the policies, try them, and say how far agents go alone.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every policy in force with its reason; the desk's own are files *.cedar and autonomy.toml in the folder `policy` of the desk
    Show,
    /// Check them, and run the cases of a file: who may do what, and by which policy
    Test {
        /// A TOML file of cases
        file: PathBuf,
    },
    SetLevel(SetLevel),
}

impl Policy {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let policies = Policies::read(&global.policy_folder()?)?;
        match &self.command {
            Command::Show if global.json => {
                output::json(
                    &serde_json::json!({"version": policies.version(), "policies": policies.written()}),
                )?;
                Ok(Outcome::Fine)
            }
            Command::Show => {
                output::line(format!("{} {}", paint(BOLD, "version"), policies.version()));
                for policy in policies.written() {
                    output::line(format!(
                        "{}  {}  {}",
                        paint(ID, &policy.id),
                        policy.reason,
                        paint(DIM, &policy.file)
                    ));
                }
                Ok(Outcome::Fine)
            }
            Command::Test { file } => test(global, file, &policies),
            Command::SetLevel(change) => change.run(global),
        }
    }
}

fn test(global: &Global, file: &PathBuf, policies: &Policies) -> anyhow::Result<Outcome> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let results = run_cases(&file.display().to_string(), &text, policies)?;
    let failed = results.iter().filter(|result| !result.has_passed).count();
    if global.json {
        output::json(&results)?;
    } else {
        for result in &results {
            output::line(if result.has_passed { result.to_string() } else { paint(BAD, result).to_string() });
        }
        output::line(format!("{} cases, {failed} failed", results.len()));
    }
    Ok(if failed == 0 { Outcome::Fine } else { Outcome::Attention })
}
