//! `policy`: what may agents and people do here, and do the policies say what they should?

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use triage::policy::{HandOver, Policies, ReadRule, Watched, run_cases};

use crate::cli::Outcome;
use crate::command::policy_level::SetLevel;
use crate::output::{self, BAD, BOLD, DIM, ID, paint};
use crate::settings::Global;

/// Look at the policies and at what agents may read and do, try them, and say how far agents go alone.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every policy in force with its reason, and what runbooks may have done; the desk's own are files *.cedar, autonomy.toml and executor.toml in the folder `policy` of the desk
    Show,
    /// Check them, and run the cases of a file: who may do what, and by which policy
    Test {
        /// A TOML file of cases
        file: PathBuf,
    },
    /// Show what each agent may read and do, with the policies that say so
    Agents,
    SetLevel(SetLevel),
}

impl Policy {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let watched = Watched::open(&global.policy_folder()?)?;
        let (policies, executor) = (watched.current(), watched.executor());
        match &self.command {
            Command::Show if global.json => {
                output::json(&serde_json::json!({
                    "version": policies.version(),
                    "policies": policies.written(),
                    "actions": executor.actions().keys().collect::<Vec<_>>(),
                }))?;
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
                for (name, action) in executor.actions() {
                    let dry = if action.has_dry_run { "with a dry run" } else { "without a dry run" };
                    output::line(format!(
                        "{}  an action of runbooks' steps, {dry}, {} s  {}",
                        paint(ID, name),
                        action.timeout_seconds,
                        paint(DIM, "executor.toml")
                    ));
                }
                Ok(Outcome::Fine)
            }
            Command::Agents => agents(global, &policies),
            Command::Test { file } => test(global, file, &policies),
            Command::SetLevel(change) => change.run(global),
        }
    }
}

fn agents(global: &Global, policies: &Policies) -> anyhow::Result<Outcome> {
    let agents = policies.agents();
    if global.json {
        output::json(
            &serde_json::json!({ "version": policies.version(), "hand_over": policies.boundaries().hand_over(), "agents": agents }),
        )?;
        return Ok(Outcome::Fine);
    }
    for agent in &agents {
        let (reads, not): (Vec<_>, Vec<_>) = agent.reads.iter().partition(|rule| rule.is_allowed);
        let kinds = |rules: &[&ReadRule]| {
            let names: Vec<&str> = rules.iter().map(|rule| rule.kind.as_str()).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        output::line(paint(BOLD, agent.agent));
        output::line(format!("    reads      {}", kinds(&reads)));
        output::line(format!("    not        {}", kinds(&not)));
        let ids: BTreeSet<&String> = agent.reads.iter().flat_map(|rule| &rule.policies).collect();
        let ids: Vec<&str> = ids.into_iter().map(String::as_str).collect();
        output::line(format!("               {}", paint(DIM, ids.join(", "))));
        for rule in &agent.does {
            let unless = if rule.forbids.is_empty() { "" } else { "; not by " };
            output::line(format!(
                "    {:<16} {}",
                rule.action.as_str(),
                paint(DIM, format!("{}{unless}{}", rule.permits.join(", "), rule.forbids.join(", ")))
            ));
        }
    }
    let HandOver { below_strength, unknown_code, expired_page } = policies.boundaries().hand_over();
    output::line(format!(
        "a ticket is handed over below strength {}; where its code is unknown: {unknown_code}; where the only page has expired: {expired_page}",
        f64::from(below_strength.get()) / 1000.0
    ));
    Ok(Outcome::Fine)
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
