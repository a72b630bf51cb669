//! `quarantine`: what could not be read, why, and does it go in now?

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use engine::{Desk, Quarantined};
use ingest::Mapping;
use jiff::Timestamp;
use ontology::{RecordId, Rejected};

use crate::cli::Outcome;
use crate::command::ingest::mapping_choice;
use crate::command::mapping::where_and_why;
use crate::output::{self, BAD, BOLD, DIM, GOOD, ID, paint};
use crate::settings::Global;

/// Items that are tried and written together.
const BATCH: u32 = 512;

/// Look at what could not be read, and try it again.
#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the items, oldest first
    List {
        /// Only items after this number
        #[arg(long, default_value_t = 0, value_name = "NUMBER")]
        after: u64,
        /// How many
        #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Show an item: where it stood, what is wrong, and the item itself
    Show {
        /// Its number
        number: u64,
    },
    /// Try items again, after their mapping was mended; exit code 1 when some stay
    Retry {
        /// The item's number
        #[arg(required_unless_present = "all")]
        number: Option<u64>,
        /// Every item
        #[arg(long, conflicts_with = "number")]
        all: bool,
        /// The mapping: a file, or the name of a built-in one [default: the one that it was read with]
        #[arg(long, value_name = "NAME")]
        mapping: Option<String>,
    },
    /// Throw an item away
    Forget {
        /// Its number
        number: u64,
    },
}

impl Quarantine {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open()?;
        match &self.action {
            Action::List { after, limit } => list(global, &desk, *after, *limit),
            Action::Show { number } => show(global, &get(&desk, *number)?),
            Action::Retry { number, all: _, mapping } => {
                let chosen =
                    mapping.as_deref().map(|name| mapping_choice(name)?.load().map_err(anyhow::Error::from));
                let retry = Retry { desk: &desk, chosen: chosen.transpose()?, now: Timestamp::now() };
                let tried = match number {
                    Some(number) => retry.batch(vec![get(&desk, *number)?])?,
                    None => retry.all()?,
                };
                tell(global, &tried)
            }
            Action::Forget { number } => {
                ensure!(desk.quarantine().remove(*number)?, unknown(*number));
                if global.json {
                    output::json(&serde_json::json!({ "forgotten": number }))?;
                } else {
                    output::line(format!("item {number} is thrown away"));
                }
                Ok(Outcome::Fine)
            }
        }
    }
}

fn unknown(number: u64) -> String {
    format!("there is no item {number} in quarantine: `triagraph quarantine list` shows the numbers")
}

fn get(desk: &Desk, number: u64) -> anyhow::Result<Quarantined> {
    desk.quarantine().get(number)?.with_context(|| unknown(number))
}

fn list(global: &Global, desk: &Desk, after: u64, limit: u32) -> anyhow::Result<Outcome> {
    let items = desk.quarantine().list(after, limit)?;
    if global.json {
        output::json(&items)?;
        return Ok(Outcome::Fine);
    }
    for item in &items {
        output::line(format!(
            "{}  {}",
            paint(BOLD, format!("{:>5}", item.id)),
            where_and_why(&item.rejected)
        ));
    }
    let total = desk.quarantine().count()?;
    match items.last() {
        None if total == 0 => output::line("nothing is in quarantine"),
        None => output::line(format!("no item after {after}")),
        Some(last) if (items.len() as u64) < total => {
            output::note(format!("{} of {total} shown; the next ones with --after {}", items.len(), last.id));
        }
        Some(_) => {}
    }
    Ok(Outcome::Fine)
}

fn show(global: &Global, item: &Quarantined) -> anyhow::Result<Outcome> {
    if global.json {
        output::json(item)?;
        return Ok(Outcome::Fine);
    }
    let Rejected { source, lineage, record, reason, raw, retry: _ } = &item.rejected;
    let place = lineage.place.map(|place| format!(", {place}")).unwrap_or_default();
    output::line(format!("{} {}{place}", paint(DIM, "from   "), lineage.origin));
    output::line(format!(
        "{} {source}, mapping {}, {}",
        paint(DIM, "source "),
        lineage.mapping,
        output::moment(lineage.observed)
    ));
    if let Some(record) = record {
        output::line(format!("{} {}", paint(DIM, "record "), paint(ID, record)));
    }
    output::line(format!("{} {}", paint(DIM, "wrong  "), paint(BAD, reason)));
    output::line("");
    output::line(if raw.is_empty() { "nothing of it was kept" } else { raw });
    Ok(Outcome::Fine)
}

/// What came of a retry.
#[derive(Debug, Default, serde::Serialize)]
struct Tried {
    ingested: Vec<RecordId>,
    staying: Vec<Staying>,
}

#[derive(Debug, serde::Serialize)]
struct Staying {
    id: u64,
    reason: String,
}

struct Retry<'a> {
    desk: &'a Desk,
    chosen: Option<Mapping>,
    now: Timestamp,
}

impl Retry<'_> {
    fn all(&self) -> anyhow::Result<Tried> {
        let mut tried = Tried::default();
        let mut after = 0;
        loop {
            let items = self.desk.quarantine().list(after, BATCH)?;
            let Some(last) = items.last() else { return Ok(tried) };
            after = last.id;
            let batch = self.batch(items)?;
            tried.ingested.extend(batch.ingested);
            tried.staying.extend(batch.staying);
        }
    }

    /// Writes what can be read now and takes it out of quarantine.
    fn batch(&self, items: Vec<Quarantined>) -> anyhow::Result<Tried> {
        let mut tried = Tried::default();
        let mut read = Vec::new();
        for item in items {
            match ingest::retry(&item.rejected, self.chosen.as_ref(), self.now) {
                Ok(observation) => read.push((item, *observation)),
                Err(reason) => tried.staying.push(Staying { id: item.id, reason }),
            }
        }
        let quarantine = self.desk.quarantine();
        let applied = self.desk.apply(read.iter().map(|(_, observation)| observation.clone()).collect())?;
        let refused: BTreeMap<&RecordId, &Rejected> = applied
            .rejected
            .iter()
            .filter_map(|rejected| Some((rejected.record.as_ref()?, rejected)))
            .collect();
        for (item, observation) in read {
            match refused.get(&observation.record.id) {
                // The desk has set the record aside once more; the item itself, which a mapping can read, is kept instead.
                Some(rejected) => {
                    self.drop_copy(&item, rejected)?;
                    tried.staying.push(Staying { id: item.id, reason: rejected.reason.clone() });
                }
                None => {
                    quarantine.remove(item.id)?;
                    tried.ingested.push(observation.record.id);
                }
            }
        }
        tried.staying.sort_by_key(|staying| staying.id);
        Ok(tried)
    }

    fn drop_copy(&self, item: &Quarantined, copy: &Rejected) -> anyhow::Result<()> {
        let quarantine = self.desk.quarantine();
        let later = quarantine.list(item.id, u32::MAX)?;
        for other in later.iter().filter(|other| other.rejected == *copy) {
            quarantine.remove(other.id)?;
        }
        Ok(())
    }
}

fn tell(global: &Global, tried: &Tried) -> anyhow::Result<Outcome> {
    if global.json {
        output::json(tried)?;
    } else {
        for id in &tried.ingested {
            output::line(format!("{} {}", paint(GOOD, "ingested"), paint(ID, id)));
        }
        for staying in &tried.staying {
            output::line(format!(
                "{} {}: {}",
                paint(BAD, "still in quarantine,"),
                staying.id,
                staying.reason
            ));
        }
        let (inside, outside) = (tried.ingested.len() as u64, tried.staying.len());
        output::line(format!(
            "{} ingested, {outside} still in quarantine",
            output::count(inside, "item", "items")
        ));
    }
    if tried.staying.is_empty() {
        return Ok(Outcome::Fine);
    }
    output::note(
        "mend the mapping and name it with --mapping, or mend the file, ingest it again and `triagraph quarantine forget` the item",
    );
    Ok(Outcome::Attention)
}
