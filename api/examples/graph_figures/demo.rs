//! What do text, structure and both tell on the demo desk? Page and team of tickets that are not in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use engine::{Desk, Filters, Leg, PrecedentRequest, Query, Sought, Subject};
use jiff::Timestamp;
use models::Embedder;
use ontology::{Kind, Record, Relation, Scope, TenantId};
use toml::Value;

use crate::cases::{Case, current, duplicates, incoming, solved};
use crate::tally::Tally;
use crate::{linked, read};

/// What a precedent's share counts beside the best score of a search, or beside all votes of like tickets.
const SHARE_WEIGHT: f64 = 0.5;
/// Like tickets that vote for a team, and how fast the vote falls with the score, as the agent does it.
const VOTERS: usize = 12;
const VOTE_POWER: i32 = 4;

struct Demo {
    desk: Desk,
    scope: Scope,
    now: Timestamp,
}

const TEXT: [Leg; 2] = [Leg::Lexical, Leg::Dense];
const PAGES: [Kind; 2] = [Kind::Article, Kind::Runbook];
const TICKETS: [Kind; 3] = [Kind::Incident, Kind::ServiceRequest, Kind::Problem];

pub(crate) fn demo(embedder: Arc<dyn Embedder>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tenant = TenantId::new("demo")?;
    let desk = Desk::open(folder.path(), &tenant, Some(embedder))?;
    let root = PathBuf::from("datasets/demo");
    let folders = ["cmdb", "knowledge", "alerts", "tickets"].map(|folder| root.join(folder));
    for chunk in read(&folders, None)?.chunks(256) {
        desk.apply(chunk.to_vec())?;
    }
    let demo = Demo { desk, scope: Scope::operator(tenant), now: "2026-11-23T12:00:00Z".parse()? };
    let expected: Value = toml::from_str(&std::fs::read_to_string(root.join("expected.toml"))?)?;
    let sets = [
        ("incoming", incoming(&root, &expected)?),
        ("solved", solved(&root, &expected)?),
        ("duplicates", duplicates(&root, &expected)?),
    ];
    for (name, cases) in sets {
        let mut tallies = Tallies::new();
        for case in &cases {
            if let Some(kept) = &case.kept {
                demo.desk.delete(&kept.record.id, demo.now)?;
            }
            demo.ask(case, &mut tallies)?;
            demo.desk.apply(case.kept.iter().cloned().collect())?;
        }
        for (what, tallies) in tallies {
            println!("{name}: {what} ({} tickets)", tallies.values().next().map_or(0, |tally| tally.asked));
            tallies.iter().for_each(|(way, tally)| tally.show(way));
        }
    }
    Ok(())
}

/// By what was asked for, and by which way.
type Tallies = BTreeMap<&'static str, BTreeMap<String, Tally>>;

impl Demo {
    fn ask(&self, case: &Case, tallies: &mut Tallies) -> Result<()> {
        let ticket = &case.ticket;
        let mut add = |what, way: &str, ranked: Vec<String>, right: &[String]| {
            tallies.entry(what).or_default().entry(way.to_owned()).or_default().add(&ranked, right);
        };
        if !case.twins.is_empty() {
            for (way, legs) in ways() {
                let ids = self.search(ticket, &legs, &TICKETS)?.into_iter();
                add(
                    "duplicate",
                    &way,
                    ids.map(|hit| hit.record.external().to_owned()).collect(),
                    &case.twins,
                );
            }
            return Ok(());
        }
        if !case.pages.is_empty() {
            let share = self.precedents(ticket, Sought::Page)?;
            for (way, legs) in ways() {
                let found = self.pages(ticket, &legs)?;
                add("page", &way, order(&found), &case.pages);
                let with = format!("{way}, and precedents");
                add("page", &with, order(&sum(&found, &share)), &case.pages);
            }
            add("page", "precedents alone", order(&share), &case.pages);
        }
        let share = self.precedents(ticket, Sought::Team)?;
        for (way, legs) in ways().into_iter().take(2) {
            let found = self.teams(ticket, &legs)?;
            add("team", &way, order(&found), &case.teams);
            add("team", &format!("{way}, and precedents"), order(&sum(&found, &share)), &case.teams);
        }
        add("team", "precedents alone", order(&share), &case.teams);
        Ok(())
    }

    fn search(&self, ticket: &Record, legs: &[Leg], kinds: &[Kind]) -> Result<Vec<engine::Hit>> {
        let mut about = Vec::new();
        for name in linked(ticket, Relation::Affects).filter(|_| legs.contains(&Leg::Graph)) {
            about.extend(self.desk.find(&self.scope, name)?);
        }
        let told: Vec<&str> = ticket.sections.iter().map(|section| section.text.as_str()).collect();
        let filters = Filters { kinds: kinds.to_vec(), ..Filters::default() };
        let text = format!("{}\n{}", ticket.title, told.join("\n"));
        let query =
            Query { filters, about, legs: legs.to_vec(), limit: VOTERS, ..Query::new(text, self.now) };
        Ok(self.desk.search(&self.scope, &query)?.hits)
    }

    /// Pages by score, the best 1.
    fn pages(&self, ticket: &Record, legs: &[Leg]) -> Result<BTreeMap<String, f64>> {
        let hits = self.search(ticket, legs, &PAGES)?;
        let best = hits.first().map_or(1.0, |hit| hit.score);
        Ok(hits.iter().map(|hit| (file(hit.record.external()), hit.score / best)).collect())
    }

    /// Teams by the votes of like tickets, all together 1.
    fn teams(&self, ticket: &Record, legs: &[Leg]) -> Result<BTreeMap<String, f64>> {
        let hits = self.search(ticket, legs, &TICKETS)?;
        let best = hits.first().map_or(1.0, |hit| hit.score);
        let mut votes: BTreeMap<String, f64> = BTreeMap::new();
        for hit in &hits {
            let record =
                self.desk.record(&self.scope, &hit.record, None)?.context("a hit is a record")?.record;
            for team in linked(&record, Relation::AssignedTo) {
                *votes.entry(team.to_owned()).or_default() += (hit.score / best).powi(VOTE_POWER);
            }
        }
        let all: f64 = votes.values().sum();
        votes.values_mut().for_each(|vote| *vote /= all);
        Ok(votes)
    }

    fn precedents(&self, ticket: &Record, sought: Sought) -> Result<BTreeMap<String, f64>> {
        let request = PrecedentRequest::new(Subject::Ticket(Box::new(ticket.clone())), sought);
        let found = self.desk.precedents(&self.scope, &request)?.found.into_iter();
        let name = |record: &ontology::RecordId| file(record.external());
        Ok(found
            .map(|one| match (&one.record, sought) {
                (Some(record), Sought::Page) => (name(record), one.share),
                _ => (one.name, one.share),
            })
            .collect())
    }
}

fn sum(scores: &BTreeMap<String, f64>, shares: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let mut sum = scores.clone();
    for (name, share) in shares {
        *sum.entry(name.clone()).or_default() += SHARE_WEIGHT * share;
    }
    sum
}

fn order(scores: &BTreeMap<String, f64>) -> Vec<String> {
    let mut names: Vec<(&String, f64)> = scores.iter().map(|(name, score)| (name, *score)).collect();
    names.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    names.into_iter().map(|(name, _)| current(name)).collect()
}

/// The last part of a page's id.
fn file(external: &str) -> String {
    current(external.rsplit('/').next().unwrap_or(external))
}

/// All legs, each left out in turn, and the text legs alone.
fn ways() -> Vec<(String, Vec<Leg>)> {
    let mut ways = vec![("text alone".to_owned(), TEXT.to_vec()), ("all legs".to_owned(), Leg::ALL.to_vec())];
    for leg in Leg::ALL {
        let others = Leg::ALL.into_iter().filter(|other| *other != leg).collect();
        ways.push((format!("all legs but {}", leg.as_str()), others));
    }
    ways
}
