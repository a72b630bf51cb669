//! `triage`: what is this ticket, who should have it, and what is to be done?

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use engine::Desk;
use jiff::Timestamp;
use ontology::Record;
use triage::learned::Learned;
use triage::policy::Policies;
use triage::{TriageOptions, triage};

use crate::cli::Outcome;
use crate::command::redaction::Redaction;
use crate::command::related::called;
use crate::command::subject::tickets;
use crate::command::triage_show::show;
use crate::command::wording::Wording;
use crate::output;
use crate::settings::Global;

/// Triage a ticket: category, priority, team, related tickets, runbook, and an answer with its sources.
#[derive(Debug, Args)]
pub(crate) struct Triage {
    /// A ticket of the desk, by number or id; `-`, or nothing and no --file, reads standard input
    #[arg(conflicts_with = "file")]
    ticket: Option<String>,
    /// Tickets in any format that `ingest` reads, or one in plain text; `-` is standard input. With --json a list
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to read the file: a built-in mapping or a file of your own
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<String>,
    #[command(flatten)]
    wording: Wording,
    /// Tokens of each context bundle
    #[arg(long, value_name = "TOKENS", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(200..=100_000))]
    budget_tokens: u32,
    /// Leave out search legs that are not ready within this time
    #[arg(long, value_name = "MILLIS")]
    deadline_millis: Option<u64>,
    #[command(flatten)]
    redaction: Redaction,
    /// Show what the agent did, step by step
    #[arg(long)]
    explain: bool,
}

impl Triage {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let model = self.wording.model()?;
        let desk = global.open_to_read("triage")?;
        let (tickets, is_list) = self.tickets(&desk, global)?;
        let scope = global.scope();
        let learned = Learned::default().refreshed(&desk.store())?;
        let options = TriageOptions {
            learned: Some(&learned),
            language_model: model.as_deref(),
            model_limits: self.wording.limits(),
            budget_tokens: self.budget_tokens,
            deadline_millis: self.deadline_millis,
            policy: self.redaction.policy()?,
            boundaries: Policies::read(&global.policy_folder()?)?.boundaries().clone(),
            ..TriageOptions::default()
        };
        let mut outcome = Outcome::Fine;
        let mut all = Vec::new();
        for ticket in &tickets {
            let triaged = triage(&desk, &scope, ticket, &options, Timestamp::now())?;
            if triaged.outcome != triage::Outcome::Answered {
                outcome = Outcome::Attention;
            }
            if global.json {
                all.push(triaged);
            } else {
                show(&triaged, self.explain, &|id| called(&desk, &scope, id));
            }
        }
        match all.as_slice() {
            [one] if !is_list => output::json(one)?,
            many if global.json => output::json(&many)?,
            _ => {}
        }
        Ok(outcome)
    }

    /// The tickets, and whether they are a list in JSON, as the tickets of a file are.
    fn tickets(&self, desk: &Desk, global: &Global) -> anyhow::Result<(Vec<Record>, bool)> {
        let path = match (self.ticket.as_deref(), &self.file) {
            (Some(name), _) if name != "-" => return Ok((vec![of_desk(desk, global, name)?], false)),
            (None, Some(file)) => file.as_path(),
            (None, None) if std::io::stdin().is_terminal() => anyhow::bail!(
                "there is no ticket: name one of the desk, or give --file, or write one to standard input"
            ),
            _ => Path::new("-"),
        };
        let tickets = tickets(path, self.mapping.as_deref(), Timestamp::now())?;
        if let Some(other) = tickets.iter().find(|record| !record.kind.is_ticket()) {
            let kind = other.kind.as_str().replace('_', " ");
            anyhow::bail!("{} is no ticket but of kind {kind}: name a mapping with --mapping", other.id);
        }
        let is_list = self.file.is_some() || tickets.len() > 1;
        Ok((tickets, is_list))
    }
}

fn of_desk(desk: &Desk, global: &Global, name: &str) -> anyhow::Result<Record> {
    let scope = global.scope();
    let mut found = Vec::new();
    for id in desk.find(&scope, name)? {
        let record = desk.record(&scope, &id, None)?.map(|observation| observation.record);
        found.extend(record.filter(|record| record.kind.is_ticket()));
    }
    match found.len() {
        0 => anyhow::bail!(
            "there is no ticket {name} here: look for it with `triagraph search`, or give it with --file"
        ),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found.iter().map(|record| record.id.to_string()).collect();
            anyhow::bail!("{name} is several tickets, name one by its id: {}", ids.join(", "))
        }
    }
}
