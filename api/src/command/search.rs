//! `search`: which records answer a question, and why each?

use clap::Args;
use engine::{Degraded, Filters, Hit, Hits, Leg, Query};
use jiff::Timestamp;
use ontology::{Kind, RecordId, State};

use crate::cli::Outcome;
use crate::command::subject::text_or_stdin;
use crate::output::{self, BOLD, DIM, ID, WARN, paint};
use crate::settings::Global;
use crate::unknown::unknown_names;

/// Find records by words, meaning, identifiers and graph.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The question; `-` or nothing reads it from standard input
    text: Vec<String>,
    #[command(flatten)]
    narrow: Narrow,
    /// How many hits
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Use only these legs, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = parse_leg, value_name = "LEGS")]
    leg: Vec<Leg>,
    /// Show every leg's score
    #[arg(long)]
    explain: bool,
}

/// Flags that narrow down which records may answer.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Narrow {
    /// Only these kinds: incident, service_request, problem, change, article, runbook, configuration_item, service, alert, team
    #[arg(long, value_delimiter = ',', value_parser = parse_kind, value_name = "KINDS")]
    kind: Vec<Kind>,
    /// Only these states: open, in_progress, on_hold, resolved, closed, cancelled
    #[arg(long, value_delimiter = ',', value_parser = parse_state, value_name = "STATES")]
    state: Vec<State>,
    /// Only what concerns a service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only what concerns a configuration item
    #[arg(long, value_name = "NAME")]
    ci: Option<String>,
    /// Only records made since a moment (2026-11-01 or 2026-11-01T08:00:00Z)
    #[arg(long, value_parser = parse_moment, value_name = "MOMENT")]
    since: Option<Timestamp>,
    /// Only records made before a moment
    #[arg(long, value_parser = parse_moment, value_name = "MOMENT")]
    until: Option<Timestamp>,
    /// Only tickets that were solved
    #[arg(long)]
    resolved: bool,
    /// Answer as of what was known at a moment
    #[arg(long, value_parser = parse_moment, value_name = "MOMENT")]
    pub(crate) as_of: Option<Timestamp>,
    /// Leave out what is not ready within this time
    #[arg(long, value_name = "MILLIS")]
    pub(crate) deadline_millis: Option<u64>,
}

impl Narrow {
    pub(crate) fn filters(&self) -> Filters {
        Filters {
            records: Vec::new(),
            kinds: self.kind.clone(),
            states: self.state.clone(),
            service: self.service.clone(),
            configuration_item: self.ci.clone(),
            created_from: self.since,
            created_until: self.until,
            resolved_only: self.resolved,
        }
    }

    pub(crate) fn deadline(&self) -> Option<std::time::Instant> {
        self.deadline_millis
            .map(|millis| std::time::Instant::now() + std::time::Duration::from_millis(millis))
    }
}

impl Search {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let text = text_or_stdin(&self.text)?;
        let desk = global.open_to_read("search")?;
        let mut query = Query::new(text, Timestamp::now());
        query.filters = self.narrow.filters();
        query.limit = usize::from(self.limit);
        query.as_of = self.narrow.as_of;
        query.deadline = self.narrow.deadline();
        if !self.leg.is_empty() {
            query.legs.clone_from(&self.leg);
        }
        let scope = global.scope();
        let mut hits = desk.search(&scope, &query)?;
        hits.warnings.extend(unknown_names(&desk, &scope, &query.filters)?);
        if global.json {
            output::json(&hits)?;
        } else {
            show(&hits, self.explain);
        }
        Ok(Outcome::Fine)
    }
}

fn show(hits: &Hits, explain: bool) {
    for (index, hit) in hits.hits.iter().enumerate() {
        output::line(headline(index + 1, hit));
        if let Some(passage) = &hit.passage {
            output::line(output::wrap(&output::shorten(&passage.text, 240), output::width(), 6));
        }
        output::line(format!("      {}", paint(DIM, why(hit))));
        if explain {
            for leg in &hit.legs {
                let score = format!(
                    "{:<10} {:>8.3}  scaled {:.3} × {:.2}",
                    leg.leg.as_str(),
                    leg.raw,
                    leg.normalised,
                    leg.weight
                );
                output::line(format!("      {}", paint(DIM, score)));
            }
        }
    }
    if hits.hits.is_empty() {
        output::line("nothing found");
    }
    tell_limits(&hits.degraded, &hits.warnings);
}

/// What did not take part in an answer, and what its reader should know.
pub(crate) fn tell_limits(degraded: &[Degraded], warnings: &[String]) {
    for degraded in degraded {
        output::note(paint(WARN, format!("without the {} leg: {}", degraded.leg.as_str(), degraded.reason)));
    }
    for warning in warnings {
        output::note(paint(WARN, warning));
    }
}

/// Place, id, kind, state and title of a hit.
pub(crate) fn headline(place: usize, hit: &Hit) -> String {
    let state = hit.state.map(|state| format!(", {}", state.as_str().replace('_', " "))).unwrap_or_default();
    let expired = if hit.expired { paint(WARN, "  expired") } else { String::new() };
    format!(
        "{place:>3}  {}  {}{expired}\n      {}",
        paint(BOLD, output::shorten(&hit.title, 90)),
        paint(DIM, format!("{:.3}", hit.score)),
        format_args!("{} {}{state}", paint(ID, &hit.record), hit.kind.as_str().replace('_', " ")),
    )
}

/// Why a hit was found, in words.
pub(crate) fn why(hit: &Hit) -> String {
    let mut reasons = Vec::new();
    if !hit.shared.is_empty() {
        reasons.push(format!("shares {}", hit.shared.join(", ")));
    }
    if !hit.terms.is_empty() {
        reasons.push(format!("words {}", hit.terms.join(", ")));
    }
    if let Some(dense) = hit.legs.iter().find(|leg| leg.leg == Leg::Dense) {
        reasons.push(format!("similar meaning {:.2}", dense.raw));
    }
    if !hit.path.is_empty() {
        reasons.push(path(&hit.path));
    }
    reasons.join("; ")
}

/// A graph path in one line: `A ←affects− B −owned_by→ C`.
pub(crate) fn path(steps: &[engine::PathStep]) -> String {
    let name = |id: &RecordId| id.external().to_owned();
    let mut line = steps.first().map(|step| name(&step.from)).unwrap_or_default();
    for step in steps {
        let relation = step.relation.as_str();
        let arrow = if step.reversed { format!(" ←{relation}− ") } else { format!(" −{relation}→ ") };
        line.push_str(&arrow);
        line.push_str(&name(&step.to));
    }
    line
}

fn parse_leg(text: &str) -> Result<Leg, String> {
    let found = Leg::ALL.into_iter().find(|leg| leg.as_str() == text);
    found.ok_or_else(|| "the legs are identifier, lexical, dense and graph".to_owned())
}

pub(crate) fn parse_kind(text: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.map(Kind::as_str).join(", ");
    Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("the kinds are {}", known()))
}

fn parse_state(text: &str) -> Result<State, String> {
    let known = || State::ALL.map(State::as_str).join(", ");
    State::ALL
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| format!("the states are {}", known()))
}

/// A date (its first moment in UTC) or an RFC 3339 moment.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day = text.parse::<jiff::civil::Date>();
    let zoned = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC));
    zoned.map(|zoned| zoned.timestamp()).map_err(|error| {
        format!("{error}: give a date like 2026-11-01 or a moment like 2026-11-01T08:00:00Z")
    })
}
