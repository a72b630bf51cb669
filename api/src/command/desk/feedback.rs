//! `desk feedback`: how often did people use what agents made, change it or refuse it, and what did they do one by one?

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use engine::Desk;
use triage::{FeedbackLine, FeedbackShare, feedback_shares};

use super::said;
use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, paint};
use crate::settings::Global;

#[derive(Debug, Args)]
pub(super) struct Feedback {
    /// Write each one as a line of JSON, its texts redacted: a set to measure agents and models by
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl Feedback {
    pub(super) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open_to_read("desk-feedback")?;
        if let Some(path) = &self.export {
            let lines = export(global, &desk, path)?;
            if global.json {
                output::json(&serde_json::json!({ "lines": lines, "file": path }))?;
            } else {
                output::line(format!("{lines} lines are in {}", path.display()));
            }
            return Ok(Outcome::Fine);
        }
        let shares = feedback_shares(&desk.store())?;
        if global.json {
            output::json(&shares)?;
        } else if shares.is_empty() {
            output::line("nobody has said anything to the work of this desk's agents yet");
        } else {
            shares.iter().for_each(show);
        }
        Ok(Outcome::Fine)
    }
}

/// Writes all lines.
fn export(global: &Global, desk: &Desk, path: &Path) -> anyhow::Result<u64> {
    let unwritten = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(unwritten)?);
    let lines = FeedbackLine::each::<anyhow::Error>(desk, &global.scope(), &mut |line| {
        serde_json::to_writer(&mut file, line)?;
        writeln!(file).with_context(unwritten)
    })?;
    file.flush().with_context(unwritten)?;
    Ok(lines)
}

fn show(share: &FeedbackShare) {
    let category = share.category.as_deref().unwrap_or("no category");
    let by = share.made_by.join(", ");
    output::line(format!(
        "{}  {category}  {}",
        paint(BOLD, share.agent),
        paint(DIM, if by.is_empty() { "unknown" } else { &by })
    ));
    let percent = |value| said::share(Some(value));
    output::line(format!(
        "    {} ruled on: used {}, changed {} (of the words {}), refused {}; helped {}, did not {}",
        share.deeds,
        percent(share.used),
        percent(share.edited),
        percent(share.edited_words),
        percent(share.rejected),
        share.helpful,
        share.unhelpful
    ));
}
