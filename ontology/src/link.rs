//! How do records hang together? Typed links whose other end may still be unknown.

use serde::{Deserialize, Serialize};

use crate::RecordId;

/// A relation from the record that holds it to another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// What the relation says.
    pub relation: Relation,
    /// The other end.
    pub target: Reference,
}

impl Link {
    /// A link to whatever is called `name`; pending until a record of that name comes.
    pub fn by_name(relation: Relation, name: impl Into<String>) -> Self {
        Self { relation, target: Reference::Name(name.into()) }
    }

    /// A link to a known record.
    pub fn to(relation: Relation, id: RecordId) -> Self {
        Self { relation, target: Reference::Record(id) }
    }
}

/// The other end of a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A record by its id.
    Record(RecordId),
    /// A number, key, host, alias, file or address, resolved against the [`names`](crate::Record::names) of all records.
    Name(String),
}

/// What a link says. Each is a property of the ontology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// A ticket or alert hits a configuration item or service.
    Affects,
    /// A thing does not work without another.
    DependsOn,
    /// A thing is executed by another.
    RunsOn,
    /// A thing belongs to a larger one.
    PartOf,
    /// A team answers for it.
    OwnedBy,
    /// A team works on it.
    AssignedTo,
    /// Somebody reported it.
    ReportedBy,
    /// A ticket was caused by a change, problem or other ticket.
    CausedBy,
    /// A ticket was solved with an article, runbook or change.
    ResolvedBy,
    /// A ticket tells the same as another.
    DuplicateOf,
    /// Related, the source says no more.
    RelatedTo,
    /// Knowledge is about a configuration item, service or alert.
    Documents,
    /// Knowledge replaces older knowledge.
    Supersedes,
    /// Knowledge says the opposite of other knowledge.
    Contradicts,
    /// A person is in a team.
    MemberOf,
    /// The text names the other record; found by the engine, never given by a source.
    Mentions,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 16] = [
        Self::Affects,
        Self::DependsOn,
        Self::RunsOn,
        Self::PartOf,
        Self::OwnedBy,
        Self::AssignedTo,
        Self::ReportedBy,
        Self::CausedBy,
        Self::ResolvedBy,
        Self::DuplicateOf,
        Self::RelatedTo,
        Self::Documents,
        Self::Supersedes,
        Self::Contradicts,
        Self::MemberOf,
        Self::Mentions,
    ];

    /// The name in JSON and in mappings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Affects => "affects",
            Self::DependsOn => "depends_on",
            Self::RunsOn => "runs_on",
            Self::PartOf => "part_of",
            Self::OwnedBy => "owned_by",
            Self::AssignedTo => "assigned_to",
            Self::ReportedBy => "reported_by",
            Self::CausedBy => "caused_by",
            Self::ResolvedBy => "resolved_by",
            Self::DuplicateOf => "duplicate_of",
            Self::RelatedTo => "related_to",
            Self::Documents => "documents",
            Self::Supersedes => "supersedes",
            Self::Contradicts => "contradicts",
            Self::MemberOf => "member_of",
            Self::Mentions => "mentions",
        }
    }
}
