//! `bundle`: what context does an agent get for a ticket or question, and would it still be the same?

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use engine::{Bundle as Made, BundleDifference, BundleItem, BundleRequest, LeftOutReason};
use jiff::Timestamp;

use crate::cli::Outcome;
use crate::command::search::{Narrow, tell_limits};
use crate::command::subject::{TicketFile, record_or_text};
use crate::output::{self, BOLD, DIM, ID, WARN, moment, paint};
use crate::settings::Global;
use crate::unknown::unknown_names;

/// Make, get, replay or compare context bundles.
#[derive(Debug, Args)]
pub(crate) struct Bundle {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a bundle about a record, a question or a ticket out of a file, and keep it
    Make(Box<Make>),
    /// Show a bundle as it was handed out
    Get {
        /// The bundle's id
        bundle: String,
        /// Write it as text for a prompt
        #[arg(long)]
        prompt: bool,
    },
    /// Ask a bundle's question again now and show what differs; exit code 1 when something does
    Replay {
        /// The bundle's id
        bundle: String,
    },
    /// Compare two bundles; exit code 1 when they differ
    Diff {
        /// The first bundle's id
        before: String,
        /// The second bundle's id
        after: String,
    },
}

#[derive(Debug, Args)]
struct Make {
    /// A record's id or name, or a question in words; `-` or nothing reads standard input
    #[arg(value_name = "ID|TEXT", conflicts_with = "ticket")]
    about: Vec<String>,
    #[command(flatten)]
    file: TicketFile,
    #[command(flatten)]
    narrow: Narrow,
    /// Tokens that the passages may take together
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(200..=100_000), value_name = "TOKENS")]
    budget: u32,
    /// How many records are looked at
    #[arg(long, short = 'n', default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Refuse unless the desk shows at least this log position
    #[arg(long, value_name = "POSITION")]
    minimum_generation: Option<u64>,
    /// Write it as text for a prompt
    #[arg(long)]
    prompt: bool,
}

impl Bundle {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match &self.action {
            Action::Make(make) => make.run(global),
            Action::Get { bundle, prompt } => get(global, bundle, *prompt),
            Action::Replay { bundle } => replay(global, bundle),
            Action::Diff { before, after } => diff(global, before, after),
        }
    }
}

impl Make {
    fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let now = Timestamp::now();
        let ticket = self.file.read(now)?;
        let desk = global.open_to_read("bundle")?;
        let scope = global.scope();
        let about = match ticket {
            Some(ticket) => ticket,
            None => record_or_text(&desk, &scope, &self.about)?,
        };
        let request = BundleRequest {
            filters: self.narrow.filters(),
            budget_tokens: self.budget,
            limit: usize::from(self.limit),
            as_of: self.narrow.as_of,
            deadline_millis: self.narrow.deadline_millis,
            minimum_generation: self.minimum_generation,
            ..BundleRequest::new(about)
        };
        let unknown = unknown_names(&desk, &scope, &request.filters)?;
        let bundle = desk.bundle(&scope, &request, now)?;
        if !global.json {
            show(&bundle, self.prompt);
        } else if self.prompt {
            output::json(&as_prompt(&bundle))?;
        } else {
            output::json(&bundle)?;
        }
        tell_limits(&[], &unknown);
        Ok(Outcome::Fine)
    }
}

fn get(global: &Global, id: &str, prompt: bool) -> anyhow::Result<Outcome> {
    let stored = global.open_to_read("bundle")?.stored_bundle(&global.scope(), id)?;
    let bytes = stored.with_context(|| unknown(id))?;
    if global.json && prompt {
        output::json(&as_prompt(&serde_json::from_slice(&bytes)?))?;
    } else if global.json {
        // As it was handed out, byte for byte; only the line break at the end is ours.
        output::line(String::from_utf8(bytes)?);
    } else {
        show(&serde_json::from_slice(&bytes)?, prompt);
    }
    Ok(Outcome::Fine)
}

fn replay(global: &Global, id: &str) -> anyhow::Result<Outcome> {
    let replayed = global.open_to_read("bundle")?.replay(&global.scope(), id, Timestamp::now())?;
    let (bundle, difference) = replayed.with_context(|| unknown(id))?;
    if global.json {
        output::json(&serde_json::json!({ "difference": difference, "bundle": bundle }))?;
    } else {
        show_difference(&difference);
    }
    Ok(if difference.same { Outcome::Fine } else { Outcome::Attention })
}

fn diff(global: &Global, before: &str, after: &str) -> anyhow::Result<Outcome> {
    let desk = global.open_to_read("bundle")?;
    let scope = global.scope();
    for id in [before, after] {
        ensure!(desk.stored_bundle(&scope, id)?.is_some(), unknown(id));
    }
    let difference = desk.compare_bundles(&scope, before, after)?.with_context(|| unknown(after))?;
    if global.json {
        output::json(&difference)?;
    } else {
        show_difference(&difference);
    }
    Ok(if difference.same { Outcome::Fine } else { Outcome::Attention })
}

/// The text for a prompt, with what says which bundle it is.
fn as_prompt(bundle: &Made) -> serde_json::Value {
    serde_json::json!({
        "id": bundle.id, "generation": bundle.generation, "tokens": bundle.tokens, "prompt": bundle.prompt_text(),
    })
}

fn unknown(id: &str) -> String {
    format!("there is no bundle {id} here: its id is in the answer that it was made for")
}

fn show(bundle: &Made, prompt: bool) {
    if prompt {
        output::line(bundle.prompt_text().trim_end());
        return;
    }
    output::line(paint(DIM, output::shorten(&bundle.question, output::width())));
    let mut before = None;
    for item in &bundle.items {
        if before.replace(&item.record) != Some(&item.record) {
            output::line("");
            output::line(record_heading(item));
        }
        output::line(format!("{}{}", paint(ID, format!("{:<5}", item.handle)), paint(DIM, part(item))));
        output::line(output::wrap(&item.text, output::width(), 5));
    }
    if !bundle.facts.is_empty() {
        output::line("");
    }
    for fact in &bundle.facts {
        output::line(format!("{}{}", paint(ID, format!("{:<5}", fact.handle)), fact.text));
    }
    for left in &bundle.left_out {
        let reason = match left.reason {
            LeftOutReason::Budget => "over the budget",
            LeftOutReason::Duplicate => "says the same as another",
        };
        output::note(paint(DIM, format!("left out, {reason}: {} {}", left.record, left.title)));
    }
    tell_limits(&bundle.degraded, &bundle.warnings);
    output::line("");
    let as_of = bundle.as_of.map(|at| format!(", as of {}", moment(at))).unwrap_or_default();
    output::line(format!(
        "bundle {}: {} of {} tokens, log position {}{as_of}",
        paint(BOLD, &bundle.id),
        bundle.tokens,
        bundle.budget_tokens,
        bundle.generation
    ));
}

fn record_heading(item: &BundleItem) -> String {
    let mut notes = vec![item.kind.as_str().replace('_', " ")];
    notes.extend(item.state.map(|state| state.as_str().replace('_', " ")));
    notes.extend(item.modified.map(|at| format!("changed {}", moment(at))));
    let expired = if item.expired { paint(WARN, "  expired") } else { String::new() };
    let title = paint(BOLD, output::shorten(&item.title, 90));
    format!("{title}{expired}\n     {} {}", paint(ID, &item.record), notes.join(", "))
}

/// The part of the record that an item is from.
fn part(item: &BundleItem) -> String {
    if item.heading.is_empty() { item.section_kind.as_str().replace('_', " ") } else { item.heading.clone() }
}

fn show_difference(difference: &BundleDifference) {
    if difference.same {
        output::line("the same passages in the same order");
    }
    for record in &difference.removed {
        output::line(format!("- {record}"));
    }
    for record in &difference.added {
        output::line(format!("+ {record}"));
    }
    for changed in &difference.changed {
        let revisions = if changed.before == changed.after {
            "other passages of the same revision".to_owned()
        } else {
            format!("revision {} became {}", changed.before, changed.after)
        };
        output::line(format!("~ {}: {revisions}", changed.record));
    }
    if !difference.same
        && difference.removed.is_empty()
        && difference.added.is_empty()
        && difference.changed.is_empty()
    {
        output::line("the same passages in another order");
    }
    let (before, after) = (difference.before_generation, difference.after_generation);
    output::line(paint(
        DIM,
        format!("{} at log position {before}, {} at {after}", difference.before, difference.after),
    ));
}
