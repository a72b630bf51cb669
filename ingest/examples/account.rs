//! Is anything lost? Reads folders and counts, for each file, what went in and what came out of it.
//!
//! `cargo run -p ingest --example account -- DIR…` (`-v` also shows the reasons with one example each).

#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use ingest::{Item, Request};
use jiff::Timestamp;

#[derive(Default, Clone)]
struct Counts {
    records: usize,
    relations: usize,
    rejected: usize,
    skipped: usize,
    quads: usize,
    links: usize,
    steps: usize,
}

fn main() -> Result<(), ingest::IngestError> {
    let (flags, paths): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let is_verbose = flags.iter().any(|flag| flag == "-v");
    let shows_records = flags.iter().any(|flag| flag == "--records");
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
    let plans: BTreeMap<String, (String, u64)> = reader
        .files()
        .iter()
        .map(|file| {
            let how = format!("{}/{}", file.format.as_str(), file.mapping_name());
            (file.path.display().to_string(), (how, file.estimated_items))
        })
        .collect();
    let mut files: BTreeMap<String, Counts> = BTreeMap::new();
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut sources: BTreeSet<String> = BTreeSet::new();
    for item in &mut reader {
        match item {
            Item::Observation(observation) => {
                let record = &observation.record;
                let counts = files.entry(observation.lineage.origin.clone()).or_default();
                counts.records += 1;
                counts.relations += usize::from(record.kind == ontology::Kind::Relationship);
                counts.links += record.links.len();
                counts.steps += record.sections.iter().map(|section| section.steps.len()).sum::<usize>();
                *kinds.entry(record.kind.as_str()).or_default() += 1;
                *ids.entry(record.id.as_str().to_owned()).or_default() += 1;
                sources.insert(record.id.source().to_owned());
                if shows_records {
                    println!("{}", serde_json::to_string(record).unwrap_or_default());
                }
            }
            Item::Rejected(rejected) => {
                files.entry(rejected.lineage.origin.clone()).or_default().rejected += 1;
                let place = rejected.lineage.place.map(|place| place.to_string()).unwrap_or_default();
                let example = format!("{} {place}", rejected.lineage.origin);
                reasons.entry(format!("rejected: {}", rejected.reason)).or_insert((0, example)).0 += 1;
            }
            Item::Skipped(skipped) => {
                files.entry(skipped.origin.clone()).or_default().skipped += 1;
                let place = skipped.place.map(|place| place.to_string()).unwrap_or_default();
                let example = format!("{} {place}", skipped.origin);
                let reason = skipped.reason.split(" as ").next().unwrap_or_default();
                reasons.entry(format!("skipped: {reason}")).or_insert((0, example)).0 += 1;
            }
            Item::Quads(block) => {
                files.entry(block.lineage.origin.clone()).or_default().quads += block.quads.len()
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    if shows_records {
        return Ok(());
    }
    report(&files, &plans, &paths, is_verbose);
    let total = files.values().fold(Counts::default(), |sum, one| Counts {
        records: sum.records + one.records,
        relations: sum.relations + one.relations,
        rejected: sum.rejected + one.rejected,
        skipped: sum.skipped + one.skipped,
        quads: sum.quads + one.quads,
        links: sum.links + one.links,
        steps: sum.steps + one.steps,
    });
    let items = total.records + total.rejected + total.skipped;
    println!(
        "total: {} files, {items} items in = {} records + {} rejected + {} skipped; {} quads",
        files.len(),
        total.records,
        total.rejected,
        total.skipped,
        total.quads
    );
    let repeated: usize = ids.values().map(|count| count - 1).sum();
    println!(
        "       {} distinct ids, {repeated} revisions of one seen before, sources {sources:?}",
        ids.len()
    );
    println!("       kinds {kinds:?}");
    println!("       {:.2} s to plan, {seconds:.2} s in all, {:?}", planned.as_secs_f64(), reader.progress());
    for (reason, (count, example)) in reasons {
        println!("{count:>7} × {reason}   e.g. {example}");
    }
    Ok(())
}

/// One line a file, or with less detail one a folder of single-document files.
fn report(
    files: &BTreeMap<String, Counts>,
    plans: &BTreeMap<String, (String, u64)>,
    roots: &[String],
    is_verbose: bool,
) {
    println!(
        "{:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6}  format/mapping  file",
        "in", "estimate", "records", "rejected", "skipped", "links", "steps"
    );
    let mut rows: BTreeMap<(String, String), (Counts, u64, usize)> = BTreeMap::new();
    for (file, counts) in files {
        let (how, estimate) = plans.get(file).cloned().unwrap_or(("-".to_owned(), 0));
        let is_single = how.starts_with("markdown") || how == "-";
        let root = roots.iter().find(|root| file.starts_with(root.as_str())).cloned().unwrap_or_default();
        let name = if is_single && !is_verbose { format!("{root}/**") } else { file.clone() };
        let (sum, estimated, count) = rows.entry((name, how)).or_default();
        sum.records += counts.records;
        sum.relations += counts.relations;
        sum.rejected += counts.rejected;
        sum.skipped += counts.skipped;
        sum.links += counts.links;
        sum.steps += counts.steps;
        *estimated += estimate;
        *count += 1;
    }
    for ((name, how), (counts, estimate, count)) in rows {
        let items = counts.records + counts.rejected + counts.skipped;
        println!(
            "{items:>8} {estimate:>8} {:>8} {:>8} {:>8} {:>7} {:>6}  {how}  {name} ({count})",
            counts.records, counts.rejected, counts.skipped, counts.links, counts.steps
        );
    }
}
