//! `related`: which tickets are like this one, and why each?

use anyhow::bail;
use clap::Args;
use engine::{Desk, Reason, Subject};
use jiff::Timestamp;
use ontology::{RecordId, Scope};

use crate::cli::Outcome;
use crate::command::search::{headline, tell_limits};
use crate::command::subject::{TicketFile, named, stdin};
use crate::output::{self, DIM, paint};
use crate::settings::Global;

/// Find tickets related to a ticket, and why.
#[derive(Debug, Args)]
pub(crate) struct Related {
    /// A ticket's id or any of its names; `-` reads a text from standard input
    #[arg(value_name = "ID", conflicts_with_all = ["text", "ticket"])]
    name: Option<String>,
    /// What somebody tells, instead of a ticket of the desk
    #[arg(long, conflicts_with = "ticket")]
    text: Option<String>,
    #[command(flatten)]
    file: TicketFile,
    /// How many tickets
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=300))]
    limit: u16,
}

impl Related {
    pub(crate) fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        let now = Timestamp::now();
        let ticket = self.file.read(now)?;
        let desk = global.open_to_read("related")?;
        let scope = global.scope();
        let subject = match ticket {
            Some(ticket) => ticket,
            None => self.subject(&desk, &scope)?,
        };
        let related = desk.related(&scope, &subject, usize::from(self.limit), now)?;
        if global.json {
            output::json(&related)?;
            return Ok(Outcome::Fine);
        }
        let called = |id: &RecordId| called(&desk, &scope, id);
        for (index, ticket) in related.tickets.iter().enumerate() {
            output::line(headline(index + 1, &ticket.hit));
            let reasons: Vec<String> =
                ticket.reasons.iter().map(|reason| in_words(reason, &called)).collect();
            output::line(output::wrap(&reasons.join("; "), output::width(), 6));
        }
        if related.tickets.is_empty() {
            output::line("no related ticket found");
        }
        tell_limits(&related.degraded, &related.warnings);
        output::note(paint(DIM, format!("as of log position {}", related.generation)));
        Ok(Outcome::Fine)
    }

    fn subject(&self, desk: &Desk, scope: &Scope) -> anyhow::Result<Subject> {
        let text = match (&self.name, &self.text) {
            (Some(name), _) if name != "-" => return named(desk, scope, name).map(Subject::Record),
            (_, Some(text)) => text.clone(),
            _ => stdin()?,
        };
        if text.trim().is_empty() {
            bail!("related to what? name a ticket, or tell what is wrong with --text");
        }
        Ok(Subject::Text(text))
    }
}

/// A reason as a person would say it; `called` gives the name that people use for a record.
pub(crate) fn in_words(reason: &Reason, called: &dyn Fn(&RecordId) -> String) -> String {
    let names = |ids: &[RecordId]| ids.iter().map(called).collect::<Vec<_>>().join(", ");
    match reason {
        Reason::Linked { relation } => {
            format!("linked by its source: {}", relation.as_str().replace('_', " "))
        }
        Reason::SharedItem { items } => format!("concerns {} too", names(items)),
        Reason::SharedIdentifier { identifiers } => format!("also names {}", identifiers.join(", ")),
        Reason::SimilarSymptom { cosine } => format!("tells much the same (similarity {cosine:.2})"),
        Reason::SameResolution { records } => format!("goes back to {} too", names(records)),
    }
}

/// A ticket is called by its number, anything else by its title.
pub(crate) fn called(desk: &Desk, scope: &Scope, id: &RecordId) -> String {
    let record = desk.record(scope, id, None).ok().flatten().map(|observation| observation.record);
    match record {
        Some(record) if !record.kind.is_ticket() => record.title,
        _ => id.external().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ontology::Relation;

    use super::*;

    #[test]
    fn reasons_are_told_in_words() {
        let id = RecordId::new("cmdb:mq-wms").unwrap();
        let in_words = |reason: &Reason| in_words(reason, &|id| id.external().to_uppercase());
        assert_eq!(in_words(&Reason::SharedItem { items: vec![id] }), "concerns MQ-WMS too");
        assert_eq!(
            in_words(&Reason::Linked { relation: Relation::DuplicateOf }),
            "linked by its source: duplicate of"
        );
        assert_eq!(
            in_words(&Reason::SimilarSymptom { cosine: 0.615 }),
            "tells much the same (similarity 0.61)"
        );
    }
}
