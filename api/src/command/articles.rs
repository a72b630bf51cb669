//! `articles`: what should a knowledge manager look at?

use clap::Args;
use engine::{PagePair, PageRef, StalePage};
use jiff::Timestamp;

use crate::cli::Outcome;
use crate::output::{self, BOLD, DIM, GOOD, ID, WARN, moment, paint};
use crate::settings::Global;

/// What a knowledge manager should look at.
#[derive(Debug, Args)]
pub(crate) struct Articles {}

impl Articles {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let report = global.open_to_read("articles")?.knowledge(&global.scope(), Timestamp::now())?;
        if global.json {
            output::json(&report)?;
            return Ok(Outcome::Fine);
        }
        output::line(output::count(
            report.pages,
            "article or runbook looked at",
            "articles and runbooks looked at",
        ));
        list("Stale", "past their end, or not changed for two years", &report.stale, stale);
        list("Superseded or contradicted", "and still in force", &report.contradictions, pair);
        list("Near-duplicates", "say nearly the same", &report.near_duplicates, pair);
        list("Never cited", "in no answer, and no ticket or alert leads to them", &report.never_cited, page);
        list("Alerts without a runbook", "nobody is told what to do", &report.alerts_without_runbook, page);
        for warning in &report.warnings {
            output::note(paint(WARN, warning));
        }
        Ok(Outcome::Fine)
    }
}

fn list<T>(title: &str, meaning: &str, found: &[T], tell: fn(&T) -> String) {
    output::line("");
    let number = if found.is_empty() { paint(GOOD, "none") } else { paint(WARN, found.len()) };
    output::line(format!("{}: {number}  {}", paint(BOLD, title), paint(DIM, meaning)));
    for one in found {
        output::line(format!("  {}", tell(one)));
    }
}

fn page(page: &PageRef) -> String {
    format!("{}  {}", paint(ID, &page.record), page.title)
}

fn stale(stale: &StalePage) -> String {
    let why = match (stale.valid_until, stale.modified) {
        (Some(until), _) => format!("held until {}", moment(until)),
        (None, Some(modified)) => format!("last changed {}", moment(modified)),
        (None, None) => String::new(),
    };
    format!("{}  {}", page(&stale.page), paint(DIM, why))
}

fn pair(pair: &PagePair) -> String {
    let share = pair.share.map(|share| format!(" ({:.0} % alike)", share * 100.0)).unwrap_or_default();
    format!("{}\n    {}{share}  {}", page(&pair.first), paint(DIM, &pair.relation), page(&pair.second))
}
