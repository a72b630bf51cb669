//! Is anything lost? Reads folders and counts, for each file, what went in and what came out of it.
//!
//! `cargo run -p ingest --example account -- DIR…`; `-v` gives every file a line of its own, `--records` prints the records as JSON
//! lines instead.

#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::time::Instant;

use ingest::{Item, Reader, Request};
use jiff::Timestamp;
use ontology::{Place, Record};

fn main() -> Result<(), ingest::IngestError> {
    let (flags, paths): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let request = Request {
        paths: paths.iter().map(Into::into).collect(),
        source: None,
        mapping: None,
        observed: Timestamp::UNIX_EPOCH,
        audience: Vec::new(),
    };
    let started = Instant::now();
    let mut reader = ingest::open(&request)?;
    let planned = started.elapsed();
    if flags.iter().any(|flag| flag == "--records") {
        for item in &mut reader {
            if let Item::Observation(observation) = item {
                println!("{}", serde_json::to_string(&observation.record).unwrap_or_default());
            }
        }
        return Ok(());
    }
    let mut tally = Tally::default();
    for item in &mut reader {
        tally.take(item);
    }
    tally.print(&reader, &paths, flags.iter().any(|flag| flag == "-v"));
    println!("{:.2} s to plan, {:.2} s in all", planned.as_secs_f64(), started.elapsed().as_secs_f64());
    Ok(())
}

#[derive(Default, Clone, Copy)]
struct Counts {
    files: usize,
    estimate: u64,
    records: usize,
    rejected: usize,
    skipped: usize,
    quads: usize,
    links: usize,
    steps: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.estimate += other.estimate;
        self.records += other.records;
        self.rejected += other.rejected;
        self.skipped += other.skipped;
        self.quads += other.quads;
        self.links += other.links;
        self.steps += other.steps;
    }
}

#[derive(Default)]
struct Tally {
    files: BTreeMap<String, Counts>,
    kinds: BTreeMap<&'static str, usize>,
    ids: BTreeMap<String, usize>,
    sources: BTreeSet<String>,
    /// How often something was rejected or skipped, and the first case.
    reasons: BTreeMap<String, (usize, String)>,
}

impl Tally {
    fn take(&mut self, item: Item) {
        match item {
            Item::Observation(observation) => self.record(&observation.lineage.origin, &observation.record),
            Item::Rejected(rejected) => {
                self.file(&rejected.lineage.origin).rejected += 1;
                self.reason("rejected", &rejected.reason, &rejected.lineage.origin, rejected.lineage.place);
            }
            Item::Skipped(skipped) => {
                self.file(&skipped.origin).skipped += 1;
                let reason = skipped.reason.split(" as ").next().unwrap_or_default();
                self.reason("skipped", reason, &skipped.origin, skipped.place);
            }
            Item::Quads(block) => self.file(&block.lineage.origin).quads += block.quads.len(),
        }
    }

    fn record(&mut self, origin: &str, record: &Record) {
        let counts = self.file(origin);
        counts.records += 1;
        counts.links += record.links.len();
        counts.steps += record.sections.iter().map(|section| section.steps.len()).sum::<usize>();
        *self.kinds.entry(record.kind.as_str()).or_default() += 1;
        *self.ids.entry(record.id.as_str().to_owned()).or_default() += 1;
        self.sources.insert(record.id.source().to_owned());
    }

    fn file(&mut self, origin: &str) -> &mut Counts {
        self.files.entry(origin.to_owned()).or_default()
    }

    fn reason(&mut self, what: &str, reason: &str, origin: &str, place: Option<Place>) {
        let case = || format!("{origin} {}", place.map(|place| place.to_string()).unwrap_or_default());
        self.reasons.entry(format!("{what}: {reason}")).or_insert_with(|| (0, case())).0 += 1;
    }

    /// One line a file; without detail, one a folder for files of a single document.
    fn print(&self, reader: &Reader, roots: &[String], is_detailed: bool) {
        let mut rows: BTreeMap<(String, String), Counts> = BTreeMap::new();
        let mut total = Counts::default();
        for (file, counts) in &self.files {
            let plan = reader.files().iter().find(|plan| plan.path.display().to_string() == *file);
            let how = plan.map_or("not read".to_owned(), |plan| {
                format!("{}/{}", plan.format.as_str(), plan.mapping_name())
            });
            let estimate = plan.map_or(0, |plan| plan.estimated_items);
            let is_single = plan.is_none() || how.starts_with("markdown");
            let root = roots.iter().find(|root| file.starts_with(root.as_str())).cloned().unwrap_or_default();
            let name = if is_single && !is_detailed { format!("{root}/**") } else { file.clone() };
            let counts = Counts { files: 1, estimate, ..*counts };
            *rows.entry((name, how)).or_default() += counts;
            total += counts;
        }
        println!("   files       in  planned  records rejected  skipped    quads    links    steps");
        for ((name, how), counts) in rows {
            println!("{}  {how}  {name}", line(counts));
        }
        println!("{}  total", line(total));
        let repeated: usize = self.ids.values().map(|count| count - 1).sum();
        println!("{} ids, {repeated} times one that came before; sources {:?}", self.ids.len(), self.sources);
        println!("kinds {:?}", self.kinds);
        for (reason, (count, case)) in &self.reasons {
            println!("{count:>8} × {reason}   first: {case}");
        }
    }
}

fn line(counts: Counts) -> String {
    let Counts { files, estimate, records, rejected, skipped, quads, links, steps } = counts;
    let items = records + rejected + skipped;
    format!(
        "{files:>8} {items:>8} {estimate:>8} {records:>8} {rejected:>8} {skipped:>8} {quads:>8} {links:>8} {steps:>8}"
    )
}
