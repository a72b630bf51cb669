//! `ingest`: files in, records and quarantine out. The pump between the readers and the desk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use engine::{Applied, Desk};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::{Item, MappingChoice, QuadBlock, Reader, Request};
use jiff::Timestamp;
use ontology::{Audience, Kind, Observation, Record, RecordId, Rejected, Section, SectionKind, SourceId};
use serde::Serialize;

use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, GOOD, WARN, paint};
use crate::settings::Global;

/// Records that are written at a time.
const BATCH: usize = 512;
/// Bytes of text that are written at a time; a single item may have half as many.
const BATCH_BYTES: usize = 32 * 1024 * 1024;
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
#[derive(Debug, Default, Serialize)]
struct Summary {
    files: usize,
    /// Things that stood in the files; each is in exactly one of the counts below.
    items: u64,
    #[serde(flatten)]
    applied: Applied,
    quarantined: u64,
    skipped: u64,
    /// Why things were skipped.
    skipped_for: BTreeMap<String, u64>,
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
            Some(ref folder) => Desk::open(folder.path(), &global.tenant, None)?,
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
        let outcome = pump(&mut reader, &desk, self.plan);
        if let Some(job) = job {
            let detail = match &outcome {
                Ok(summary) => serde_json::to_string(summary)?,
                Err(error) => format!("{error:#}"),
            };
            desk.jobs().end(job, outcome.is_ok(), &detail, Timestamp::now())?;
        }
        let mut summary = outcome?;
        if !self.plan && desk.seal()? {
            output::note(paint(DIM, "the vector graph was built over the new passages"));
        }
        summary.seconds = started.elapsed().as_secs_f64();
        if global.json {
            output::json(&summary)?;
        } else {
            show(&summary, desk.generation());
        }
        Ok(if summary.quarantined > 0 { Outcome::Attention } else { Outcome::Fine })
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

fn pump(reader: &mut Reader, desk: &Desk, plan: bool) -> anyhow::Result<Summary> {
    let bar = progress_bar(reader.progress().bytes);
    let mut summary = Summary { files: reader.files().len(), planned: plan, ..Summary::default() };
    let mut batch = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    let mut rejected: Vec<Rejected> = Vec::new();
    let mut blocks: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let item = reader.next();
        let ended = item.is_none();
        summary.items += u64::from(!ended);
        match item {
            Some(Item::Observation(observation)) => {
                bytes += text_bytes(&observation);
                batch.push(*observation);
            }
            Some(Item::Rejected(item)) => rejected.push(*item),
            Some(Item::Skipped(skipped)) => {
                summary.skipped += 1;
                *summary.skipped_for.entry(skipped.reason).or_default() += 1;
            }
            Some(Item::Quads(block)) => {
                let ordinal = blocks.entry(block.lineage.origin.clone()).or_default();
                *ordinal += 1;
                let observation = dataset(block, *ordinal)?;
                bytes += text_bytes(&observation);
                batch.push(observation);
            }
            None => {}
        }
        if batch.len() >= BATCH || bytes >= BATCH_BYTES || rejected.len() >= BATCH || ended {
            bytes = 0;
            let observations = std::mem::take(&mut batch);
            let applied = if plan { desk.preview(&observations)? } else { desk.apply(observations)? };
            summary.take(applied);
            summary.quarantined += rejected.len() as u64;
            if !plan {
                desk.quarantine().add(&rejected)?;
            }
            rejected.clear();
            let progress = reader.progress();
            bar.set_position(progress.bytes_read);
            bar.set_message(format!(
                "{} records",
                summary.applied.new + summary.applied.changed + summary.applied.unchanged
            ));
        }
        if ended {
            if !plan {
                let late = desk.end_run()?;
                summary.applied.changed += late;
                summary.applied.unchanged -= late;
            }
            bar.finish_and_clear();
            return Ok(summary);
        }
    }
}

fn text_bytes(observation: &Observation) -> usize {
    observation.record.sections.iter().map(|section| section.text.len()).sum()
}

impl Summary {
    fn take(&mut self, applied: Applied) {
        self.applied.new += applied.new;
        self.applied.changed += applied.changed;
        self.applied.unchanged += applied.unchanged;
        self.applied.embedded += applied.embedded;
        self.quarantined += applied.rejected.len() as u64;
    }
}

/// RDF as a record: its statements stand in its text, as N-Quads.
fn dataset(block: QuadBlock, ordinal: u64) -> anyhow::Result<Observation> {
    let name = format!("{}#{ordinal}", block.lineage.origin);
    let id = RecordId::from_parts(&block.source, &name)?;
    let mut record = Record::new(id, Kind::Dataset, name);
    let text: String = block.quads.iter().map(|quad| format!("{quad} .\n")).collect();
    record.sections.push(Section::new(SectionKind::Other, text));
    Ok(Observation::unversioned(record, block.lineage))
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
    let Applied { new, changed, unchanged, embedded, .. } = &summary.applied;
    if !summary.planned && new + changed == 0 && summary.quarantined == 0 {
        output::line(paint(GOOD, "nothing changed: the desk has all of this already"));
    }
    let would = if summary.planned { "would give" } else { "gave" };
    output::line(format!(
        "{} files, {} items {would} {} new, {} changed, {} unchanged records; {} to quarantine, {} skipped",
        summary.files,
        summary.items,
        paint(BOLD, new),
        paint(BOLD, changed),
        unchanged,
        summary.quarantined,
        summary.skipped
    ));
    let mut reasons: Vec<_> = summary.skipped_for.iter().collect();
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
    if summary.quarantined > 0 && !summary.planned {
        output::line(paint(WARN, "look at what could not be read with `triagraph quarantine list`"));
    }
    if !summary.planned {
        output::line(paint(
            DIM,
            format!("{embedded} passages embedded, generation {generation}, {:.1} s", summary.seconds),
        ));
    }
}
