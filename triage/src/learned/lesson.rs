//! What does a resolved ticket teach? The text with which it came in, and what people decided.

use std::fmt;
use std::str::FromStr;

use engine::DeskError;
use jiff::Timestamp;
use models::{RedactionPolicy, Redactor};
use ontology::{Kind, Record, Relation, SectionKind};
use serde::{Deserialize, Serialize};

use crate::evidence::Gather;

/// Bytes of a ticket's text that are read.
const TEXT_BYTES: usize = 4_000;

/// What is told of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Its category, the first of the path.
    Category,
    /// Its priority, 1 to 5.
    Priority,
    /// The team that works on it.
    Team,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 3] = [Self::Category, Self::Priority, Self::Team];

    /// The name in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Priority => "priority",
            Self::Team => "team",
        }
    }

    /// What people decided on a ticket, as its record says.
    pub(super) fn label_of(
        self,
        gather: &mut Gather<'_>,
        record: &Record,
    ) -> Result<Option<String>, DeskError> {
        Ok(match self {
            Self::Category => record.category.first().cloned(),
            Self::Priority => record.priority.map(|priority| priority.to_string()),
            Self::Team => gather.team(record, Relation::AssignedTo)?,
        })
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|task| task.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no task: say category, priority or team"))
    }
}

/// Which tickets are learnt from: those that people resolved, of some kinds, made after a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Their kinds.
    pub kinds: Vec<Kind>,
    /// Made at this moment or later.
    pub since: Option<Timestamp>,
}

impl Default for Query {
    fn default() -> Self {
        Self { kinds: vec![Kind::Incident, Kind::ServiceRequest], since: None }
    }
}

impl Query {
    pub(super) fn has(&self, record: &Record) -> bool {
        record.state.is_some_and(ontology::State::is_resolved) && self.is_late_enough(record)
    }

    pub(super) fn is_late_enough(&self, record: &Record) -> bool {
        self.since.is_none_or(|since| record.created.is_some_and(|at| at >= since))
    }
}

/// The text with which a ticket came in, redacted: title, then what was seen and where. What was written later is not part of it.
pub(super) fn text_of(record: &Record) -> String {
    let told =
        |kind| matches!(kind, SectionKind::Description | SectionKind::Symptom | SectionKind::Environment);
    let mut text = record.title.clone();
    for section in record.sections.iter().filter(|section| told(section.kind)) {
        text.push('\n');
        text.push_str(&section.text);
    }
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    Redactor::new(&RedactionPolicy::default(), &[]).redact(&text).text().to_owned()
}
