//! `record`: what does the desk hold of one thing, and how does it go away?

mod remove;

use clap::{Args, Subcommand};
use engine::Desk;
use jiff::Timestamp;
use ontology::{Observation, Record, Reference, Scope, Section};

use self::remove::{delete, purge};
use crate::cli::Outcome;
use crate::command::search::parse_moment;
use crate::command::subject::named;
use crate::output::{self, BOLD, DIM, ID, WARN, moment, paint};
use crate::settings::Global;

/// Show, delete or purge records.
#[derive(Debug, Args)]
pub(crate) struct RecordCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show a record: its text, links and where it came from
    Show {
        /// Its id (servicenow:INC0010023) or any of its names (INC0010023)
        #[arg(value_name = "ID")]
        name: String,
        /// As it was known at a moment
        #[arg(long, value_parser = parse_moment, value_name = "MOMENT")]
        as_of: Option<Timestamp>,
    },
    /// Take records out of the desk; they come back when their source gives them again
    Delete {
        /// Their ids or names
        #[arg(value_name = "ID", required = true)]
        names: Vec<String>,
    },
    /// Erase records for good: every revision in the log, their vectors, their text in stored bundles
    Purge {
        /// Their ids or names; the full id of one that was deleted before
        #[arg(value_name = "ID", required = true)]
        names: Vec<String>,
        /// Yes, erase them
        #[arg(long)]
        yes: bool,
    },
    /// Show what stands around a record in the graph
    Neighbours {
        /// Its id or any of its names
        #[arg(value_name = "ID")]
        name: String,
        /// How many relations
        #[arg(long, short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
        limit: u16,
    },
}

impl RecordCommand {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let desk = global.open_to_read("record")?;
        let scope = global.scope();
        match &self.action {
            Action::Show { name, as_of } => show(global, &desk, &scope, name, *as_of),
            Action::Delete { names } => delete(global, &desk, &scope, names),
            Action::Purge { names, yes } => purge(global, &desk, &scope, names, *yes),
            Action::Neighbours { name, limit } => {
                neighbours(global, &desk, &scope, name, usize::from(*limit))
            }
        }
    }
}

fn show(
    global: &Global,
    desk: &Desk,
    scope: &Scope,
    name: &str,
    as_of: Option<Timestamp>,
) -> anyhow::Result<Outcome> {
    let id = named(desk, scope, name)?;
    let observation = desk.record(scope, &id, as_of)?;
    let Some(observation) = observation else {
        let when = as_of.map(|at| format!(" at {}", moment(at))).unwrap_or_default();
        anyhow::bail!("{id} was not known{when}: ask for a later moment");
    };
    if global.json {
        output::json(&observation)?;
        return Ok(Outcome::Fine);
    }
    let record = &observation.record;
    output::line(paint(BOLD, &record.title));
    output::line(format!("{} {}", paint(ID, &record.id), facts(record, Timestamp::now()).join(", ")));
    let mut rows = fields(record);
    for link in &record.links {
        rows.push((
            "link",
            format!(
                "{} {}",
                link.relation.as_str().replace('_', " "),
                far_end(desk, scope, record, &link.target)?
            ),
        ));
    }
    let widest = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, value) in rows {
        output::line(format!("{}  {value}", paint(DIM, format!("{label:<widest$}"))));
    }
    for section in &record.sections {
        output::line("");
        output::line(section_heading(section));
        output::line(output::wrap(&section.text, output::width(), 2));
    }
    output::line("");
    output::line(paint(DIM, lineage(&observation)));
    Ok(Outcome::Fine)
}

/// Kind, state and the numbers of a ticket.
fn facts(record: &Record, now: Timestamp) -> Vec<String> {
    let mut facts = vec![record.kind.as_str().replace('_', " ")];
    facts.extend(record.state.map(|state| state.as_str().replace('_', " ")));
    facts.extend(record.priority.map(|priority| format!("priority {priority}")));
    facts.extend(record.impact.map(|impact| format!("impact {impact}")));
    facts.extend(record.urgency.map(|urgency| format!("urgency {urgency}")));
    if record.is_expired(now) {
        facts.push(paint(WARN, "expired"));
    }
    facts
}

/// What else is known of a record, with the names of the fields.
fn fields(record: &Record) -> Vec<(&str, String)> {
    let mut fields = Vec::new();
    let others: Vec<&str> =
        record.names.iter().map(String::as_str).filter(|name| *name != record.id.external()).collect();
    let audience: Vec<&str> = record.audience.iter().map(ontology::Audience::as_str).collect();
    let mut add = |label, value: String| {
        if !value.is_empty() {
            fields.push((label, value));
        }
    };
    add("category", record.category.join(" / "));
    add("names", others.join(", "));
    add("audience", audience.join(", "));
    let moments = [
        ("created", record.created),
        ("modified", record.modified),
        ("resolved", record.resolved),
        ("until", record.valid_until),
    ];
    for (label, at) in moments {
        add(label, at.map(moment).unwrap_or_default());
    }
    add("url", record.url.clone().unwrap_or_default());
    for (name, value) in &record.attributes {
        add(name, output::shorten(value, 200));
    }
    fields
}

/// The other end of a link: what it is called there, and the record that it leads to now.
fn far_end(desk: &Desk, scope: &Scope, from: &Record, target: &Reference) -> anyhow::Result<String> {
    let name = match target {
        Reference::Record(id) => id.as_str(),
        Reference::Name(name) => name.as_str(),
    };
    let found = desk.find(scope, name)?;
    let near = found.iter().find(|id| id.source() == from.id.source());
    Ok(match near.or(found.first()) {
        None => format!("{name} {}", paint(DIM, "(no such record yet)")),
        Some(id) if id.as_str() == name => paint(ID, id),
        Some(id) => format!("{name} {} {}", paint(DIM, "is"), paint(ID, id)),
    })
}

fn section_heading(section: &Section) -> String {
    let kind = section.kind.as_str().replace('_', " ");
    let title = if section.heading.is_empty() { kind.clone() } else { section.heading.clone() };
    let mut notes = Vec::new();
    if !section.heading.is_empty() && !section.heading.eq_ignore_ascii_case(&kind) {
        notes.push(kind);
    }
    notes.extend(section.author.clone());
    notes.extend(section.written.map(moment));
    let notes = if notes.is_empty() { String::new() } else { paint(DIM, format!(" ({})", notes.join(", "))) };
    format!("{}{notes}", paint(BOLD, title))
}

/// Where a revision came from, in one line.
fn lineage(observation: &Observation) -> String {
    let lineage = &observation.lineage;
    let place = lineage.place.map(|place| format!(", {place}")).unwrap_or_default();
    format!(
        "revision {} from {}{place}, read with mapping {} on {}",
        observation.revision,
        lineage.origin,
        lineage.mapping,
        moment(lineage.observed)
    )
}

fn neighbours(
    global: &Global,
    desk: &Desk,
    scope: &Scope,
    name: &str,
    limit: usize,
) -> anyhow::Result<Outcome> {
    let id = named(desk, scope, name)?;
    let around = desk.neighbours(scope, &id, limit)?;
    if global.json {
        output::json(&around)?;
        return Ok(Outcome::Fine);
    }
    output::line(paint(ID, &id));
    for edge in &around.edges {
        let title = desk.record(scope, &edge.to, None)?.map(|observation| observation.record.title);
        let relation = edge.relation.as_str().replace('_', " ");
        let arrow = if edge.reversed { format!("← {relation} −") } else { format!("− {relation} →") };
        let title = output::shorten(&title.unwrap_or_default(), 60);
        output::line(format!("  {arrow:<18} {}  {title}", paint(ID, &edge.to)));
    }
    if around.edges.is_empty() {
        output::line("  nothing is linked to it");
    }
    if around.truncated {
        output::note(format!("there are more than {limit}: ask for more with --limit"));
    }
    Ok(Outcome::Fine)
}

#[cfg(test)]
mod tests {
    use ontology::{Kind, Lineage, Place, RecordId, SectionKind, State};

    use super::*;

    #[test]
    fn a_record_is_told_in_words() {
        let mut record = Record::new(RecordId::new("s:INC1").unwrap(), Kind::ServiceRequest, "Badge");
        record.state = Some(State::OnHold);
        record.priority = Some(2);
        record.names = vec!["INC1".into(), "abc123".into()];
        assert_eq!(facts(&record, Timestamp::UNIX_EPOCH).join(", "), "service request, on hold, priority 2");
        assert_eq!(fields(&record), [("names", "abc123".to_owned()), ("audience", "staff".to_owned())]);
        let origin = Lineage {
            origin: "a.csv".into(),
            place: Some(Place::Row(3)),
            mapping: "generic".into(),
            observed: Timestamp::UNIX_EPOCH,
        };
        let observation = Observation { record, revision: "7".into(), lineage: origin };
        assert_eq!(
            lineage(&observation),
            "revision 7 from a.csv, row 3, read with mapping generic on 1970-01-01"
        );
    }

    #[test]
    fn a_section_is_headed_by_its_heading_or_its_purpose() {
        let plain = |section: &Section| anstream::adapter::strip_str(&section_heading(section)).to_string();
        let mut section = Section::new(SectionKind::RootCause, "x");
        assert_eq!(plain(&section), "root cause");
        section.heading = "Why".into();
        section.author = Some("Ada".into());
        assert_eq!(plain(&section), "Why (root cause, Ada)");
    }
}
