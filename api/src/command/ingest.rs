//! `ingest`: files in, records and quarantine out. The pump between the readers and the desk.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use engine::{Applied, Desk};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::{MappingChoice, Reader, Request};
use jiff::Timestamp;
use ontology::{Audience, SourceId};
use serde::Serialize;

use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, GOOD, WARN, paint};
use crate::pump::{Pump, Pumped};
use crate::settings::Global;

/// Reasons for skipping that are shown.
const REASONS_SHOWN: usize = 12;

/// Take in files and folders.
#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// Files and folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Name of the source [default: the mapping's, else the folder's]
    #[arg(long, value_name = "NAME")]
    source: Option<SourceId>,
    /// A built-in mapping by name, or a mapping file of your own [default: found out for each file]
    #[arg(long, value_name = "NAME|FILE")]
    mapping: Option<String>,
    /// Who may see records of which the mapping says nothing
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    visible_to: Vec<Audience>,
    /// Say what the run would do, and write nothing
    #[arg(long)]
    plan: bool,
}

/// What a run did.
#[derive(Debug, Serialize)]
struct Summary {
    files: usize,
    #[serde(flatten)]
    pumped: Pumped,
    seconds: f64,
    planned: bool,
}

impl Ingest {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let started = std::time::Instant::now();
        let request = Request {
            paths: self.paths.clone(),
            source: self.source.clone(),
            mapping: self.mapping.as_deref().map(mapping_choice).transpose()?,
            observed: Timestamp::now(),
            audience: self.visible_to.clone(),
        };
        let mut reader = ingest::open(&request)?;
        // A plan for a desk that is not there is one for an empty desk, and leaves none behind.
        let empty = (self.plan && !Desk::exists(&global.data, &global.tenant)).then(tempfile::tempdir);
        let desk = match empty.transpose()? {
            Some(ref folder) => Desk::open(folder.path(), &global.tenant, global.embedder()?)?,
            None => global.open_or_create()?,
        };
        if desk.embedder().is_none() {
            output::note(paint(WARN, format!("{}: the vectors catch up then", global.why_no_embedder())));
        }
        if self.plan && !global.json {
            show_plan(&reader);
        }
        let job =
            (!self.plan).then(|| desk.jobs().start("ingest", &format!("{:?}", self.paths), Timestamp::now()));
        let job = job.transpose()?;
        let outcome = pump(&mut reader, &desk, self.plan).map(|pumped| Summary {
            files: reader.files().len(),
            pumped,
            seconds: started.elapsed().as_secs_f64(),
            planned: self.plan,
        });
        let noted = job.map(|job| {
            let detail = match &outcome {
                Ok(summary) => serde_json::to_string(summary)?,
                Err(error) => format!("{error:#}"),
            };
            anyhow::Ok(desk.jobs().end(job, outcome.is_ok(), &detail, Timestamp::now())?)
        });
        // Why the run failed says more than that this could not be noted.
        let mut summary = outcome?;
        noted.transpose()?;
        if !self.plan && desk.seal()? {
            output::note(paint(DIM, "the vector graph was built over the new passages"));
        }
        summary.seconds = started.elapsed().as_secs_f64();
        if global.json {
            output::json(&summary)?;
        } else {
            show(&summary, desk.generation());
        }
        Ok(if summary.pumped.quarantined > 0 { Outcome::Attention } else { Outcome::Fine })
    }
}

/// A mapping by the name of a built-in one, or a file.
pub(crate) fn mapping_choice(text: &str) -> anyhow::Result<MappingChoice> {
    let path = std::path::Path::new(text);
    if !path.is_file() {
        return Ok(MappingChoice::Builtin(text.to_owned()));
    }
    let content = std::fs::read_to_string(path).with_context(|| text.to_owned())?;
    Ok(MappingChoice::File { name: text.to_owned(), text: content })
}

fn pump(reader: &mut Reader, desk: &Desk, is_plan: bool) -> anyhow::Result<Pumped> {
    let bar = progress_bar(reader.progress().bytes);
    let mut pump = Pump::new(desk, is_plan);
    while let Some(item) = reader.next() {
        if pump.take(item)? {
            let Applied { new, changed, unchanged, .. } = &pump.so_far().applied;
            bar.set_position(reader.progress().bytes_read);
            bar.set_message(format!("{} records", new + changed + unchanged));
        }
    }
    let pumped = pump.end()?;
    bar.finish_and_clear();
    Ok(pumped)
}

fn progress_bar(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {elapsed} gone, {eta} left");
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

fn show_plan(reader: &Reader) {
    for file in reader.files() {
        let size = format!("{:>9} bytes, about {} items", file.bytes, file.estimated_items);
        output::line(format!(
            "{}  {} by mapping {} into source {}  {}",
            file.path.display(),
            file.format.as_str(),
            paint(BOLD, file.mapping_name()),
            paint(BOLD, &file.source),
            paint(DIM, size)
        ));
    }
}

fn show(summary: &Summary, generation: u64) {
    let Pumped { items, applied, quarantined, skipped, skipped_for, .. } = &summary.pumped;
    let Applied { new, changed, unchanged, embedded, .. } = applied;
    if !summary.planned && new + changed == 0 && *quarantined == 0 {
        output::line(paint(GOOD, "nothing changed: the desk has all of this already"));
    }
    let would = if summary.planned { "would give" } else { "gave" };
    output::line(format!(
        "{} files, {} items {would} {} new, {} changed, {} unchanged records; {} to quarantine, {} skipped",
        summary.files,
        items,
        paint(BOLD, new),
        paint(BOLD, changed),
        unchanged,
        quarantined,
        skipped
    ));
    let mut reasons: Vec<_> = skipped_for.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (reason, count) in reasons.iter().take(REASONS_SHOWN) {
        output::line(paint(DIM, format!("  skipped {count}: {reason}")));
    }
    if reasons.len() > REASONS_SHOWN {
        output::line(paint(
            DIM,
            format!("  and {} other reasons (see --json)", reasons.len() - REASONS_SHOWN),
        ));
    }
    if *quarantined > 0 && !summary.planned {
        output::line(paint(WARN, "look at what could not be read with `triagraph quarantine list`"));
    }
    if !summary.planned {
        output::line(paint(
            DIM,
            format!("{embedded} passages embedded, generation {generation}, {:.1} s", summary.seconds),
        ));
    }
}
