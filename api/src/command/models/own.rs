//! `models train | versions | promote | roll-back | drift`: what did the desk learn from its own tickets, and does it count?

use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use triage::access::Grant;
use triage::learned::{Drift, Query, Registry, Stage, Task, Version, Wordings, train};

use super::wording;
use crate::cli::Outcome;
use crate::output::{self, BAD, BOLD, DIM, GOOD, paint};
use crate::settings::Global;

#[derive(Debug, Subcommand)]
pub(super) enum Own {
    /// Learn category, priority or team from this desk's resolved tickets, and keep the model as a candidate
    Train(Train),
    /// List the models that this desk learnt, how good they are, and which of them counts
    Versions,
    /// List everything that this desk works with: what it learnt, language models with their prompts, embedder, rules of redaction
    Registry,
    /// Let a version be heard (shadow), count for a share of tickets (canary) or count (active), where its gates hold
    Promote(Promote),
    /// Take the version that counts back at once; the one before it counts again
    RollBack {
        /// What it tells, or `wording` for the language model
        subject: Subject,
    },
    /// Are tickets still like those that were learnt from, and do people agree? Exit code 1 when there is an alarm
    Drift,
}

#[derive(Debug, Args)]
pub(super) struct Train {
    /// What is to be told: category, priority, team
    task: Task,
    /// Only of tickets that were made at this moment or later
    #[arg(long, value_name = "MOMENT")]
    since: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(super) struct Promote {
    /// What it tells, or `wording` for a language model with its prompt
    subject: Subject,
    /// Its number
    number: u32,
    /// How far
    #[arg(long)]
    to: To,
    /// Percentage of tickets for which a canary counts
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    share: u8,
}

/// Which registry is meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    Task(Task),
    Wording,
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "wording" {
            return Ok(Self::Wording);
        }
        text.parse().map(Self::Task).map_err(|why: String| format!("{why}, or wording"))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum To {
    Shadow,
    Canary,
    Active,
}

impl Own {
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open()?;
        let registry = Registry::new(desk.store());
        let (by, now) = (Grant::operator().person, Timestamp::now());
        match self {
            Self::Train(Train { task, since }) => {
                let query = Query { since: *since, ..Query::default() };
                let trained = train(&desk, &global.scope(), *task, &query, &by, now)?;
                shown(global, &[registry.register(trained, now)?])
            }
            Self::Versions => shown(global, &registry.versions()?),
            Self::Registry => wording::registry(global, &desk, &registry.versions()?),
            Self::Promote(Promote { subject, number, to, share }) => {
                let stage = match to {
                    To::Shadow => (Stage::Shadow, 0),
                    To::Canary => (Stage::Canary, *share),
                    To::Active => (Stage::Active, 0),
                };
                let Subject::Task(task) = subject else {
                    let promoted = Wordings::new(desk.store()).promote(*number, stage, &by, now)?;
                    return wording::moved(global, Some(&promoted));
                };
                let drift = registry.drift(&desk, &global.scope(), now)?;
                shown(global, &[registry.promote((*task, *number), stage, Some(&drift), &by, now)?])
            }
            Self::RollBack { subject } => {
                let Subject::Task(task) = subject else {
                    let back = Wordings::new(desk.store()).roll_back(&by, now)?;
                    return wording::moved(global, back.as_ref());
                };
                let back = registry.roll_back(*task, &by, now)?;
                if back.is_none() && !global.json {
                    output::line(format!(
                        "no version of {task} counts any more: like tickets vote as before"
                    ));
                }
                shown(global, back.as_slice())
            }
            Self::Drift => drifted(global, &registry.drift(&desk, &global.scope(), now)?),
        }
    }
}

pub(super) fn shown(global: &Global, versions: &[Version]) -> anyhow::Result<Outcome> {
    if global.json {
        output::json(&versions)?;
        return Ok(Outcome::Fine);
    }
    for version in versions {
        let stage = match version.stage {
            Stage::Active => paint(GOOD, "active"),
            Stage::Canary => format!("canary for {} %", version.share),
            other => paint(DIM, other),
        };
        let name = format!("{} {}", version.task, version.number);
        output::line(format!("{}  {stage}  {}", paint(BOLD, name), paint(DIM, &version.digest[..12])));
        let measured = &version.held_out;
        output::line(format!(
            "    learnt from {} tickets; on the {} latest, unseen: accuracy {:.3} (commonest {:.3}), macro-F1 {:.3}, \
             calibration error {:.3}",
            version.tickets,
            measured.count,
            measured.accuracy,
            version.commonest,
            measured.macro_f1,
            measured.calibration_error
        ));
        let sure = &version.sure;
        output::line(format!("    sure of {:.0} %, right then {:.3}", sure.share * 100.0, sure.precision));
    }
    Ok(Outcome::Fine)
}

fn drifted(global: &Global, drift: &Drift) -> anyhow::Result<Outcome> {
    let is_fine = drift.tasks.iter().all(|one| one.alarms.is_empty());
    if global.json {
        output::json(&drift)?;
    } else if drift.tasks.is_empty() {
        output::line("no model of this desk is heard: `triagraph models promote` brings one to shadow");
    } else {
        for one in &drift.tasks {
            output::line(format!(
                "{}  heard on {} tickets; stability index: labels {:.2}, confidence {:.2}, length {:.2}, sources {:.2}; \
                 people decided {}, agreed {:.3}",
                paint(BOLD, format!("{} {}", one.task, one.version)),
                one.heard,
                one.labels_psi,
                one.confidence_psi,
                one.length_psi,
                one.sources_psi,
                one.decided,
                one.precision
            ));
            for alarm in &one.alarms {
                output::line(format!("    {}", paint(BAD, alarm)));
            }
        }
    }
    Ok(if is_fine { Outcome::Fine } else { Outcome::Attention })
}
