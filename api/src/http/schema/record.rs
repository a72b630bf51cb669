//! What does a caller send? Records, what a bundle is about, filters, and the words these are made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Everything the desk knows about one thing of one source.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "api:T-1", "kind": "incident", "title": "Mail is slow", "audience": ["staff"], "state": "open",
    "sections": [{"kind": "description", "text": "Sending takes minutes since the update of mx-01."}],
    "links": [{"relation": "affects", "target": {"name": "mx-01"}}]
}))]
pub(crate) struct Record {
    /// `SOURCE:ID`.
    id: String,
    kind: Kind,
    /// One line.
    title: String,
    /// The text, in its order.
    #[serde(default)]
    sections: Vec<Section>,
    /// What people and systems call it: number, key, host name, alias.
    #[serde(default)]
    names: Vec<String>,
    /// Typed relations to other records.
    #[serde(default)]
    links: Vec<Link>,
    state: Option<State>,
    /// 1 is highest, 5 lowest.
    #[schema(minimum = 1, maximum = 5)]
    priority: Option<u8>,
    /// How much is hit.
    #[schema(minimum = 1, maximum = 5)]
    impact: Option<u8>,
    /// How soon it matters.
    #[schema(minimum = 1, maximum = 5)]
    urgency: Option<u8>,
    /// Category, then sub-categories.
    #[serde(default)]
    category: Vec<String>,
    #[schema(format = DateTime)]
    created: Option<String>,
    #[schema(format = DateTime)]
    modified: Option<String>,
    #[schema(format = DateTime)]
    resolved: Option<String>,
    /// After this moment it is marked expired.
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    /// Who may see it.
    #[schema(min_items = 1)]
    audience: Vec<String>,
    /// Where a person opens it.
    url: Option<String>,
    /// Fields that nothing above names.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// A part of a record's text with one purpose.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    kind: SectionKind,
    #[serde(default)]
    heading: String,
    /// Plain text.
    text: String,
    /// The ordered steps inside the text.
    #[serde(default)]
    steps: Vec<Span>,
    author: Option<String>,
    #[schema(format = DateTime)]
    written: Option<String>,
}

/// A stretch of a text: UTF-8 byte offsets, the end not included.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A relation from the record that holds it to another one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    relation: Relation,
    target: Reference,
}

/// The other end of a link.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reference {
    /// A record's id.
    Record(String),
    /// What it is called; pending until a record of that name comes.
    Name(String),
}

/// A ticket that need not be in the desk: a record whose audience may be left out.
pub(crate) struct AskedTicket;

impl PartialSchema for AskedTicket {
    fn schema() -> RefOr<Schema> {
        let mut schema = Record::schema();
        if let RefOr::T(Schema::Object(record)) = &mut schema {
            record.required.retain(|field| field != "audience");
        }
        schema
    }
}

impl ToSchema for AskedTicket {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Record::schemas(schemas);
    }
}

/// What a bundle or a list of related tickets is about.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "says in the document what `wire` reads")]
pub(crate) enum Subject {
    /// A question in words.
    Text(String),
    /// The id of a record of the desk.
    Record(String),
    /// A ticket that need not be in the desk.
    Ticket(Box<AskedTicket>),
}

/// Which records may answer. What is left out admits everything.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    #[serde(default)]
    kinds: Vec<Kind>,
    #[serde(default)]
    states: Vec<State>,
    /// Linked to, or named like, this service.
    service: Option<String>,
    /// Linked to, or named like, this configuration item.
    configuration_item: Option<String>,
    /// Created at or after this moment.
    #[schema(format = DateTime)]
    created_from: Option<String>,
    /// Created before this moment.
    #[schema(format = DateTime)]
    created_until: Option<String>,
    /// Only tickets with a solution.
    #[serde(default)]
    resolved_only: bool,
}

/// One way of finding records.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Leg {
    Identifier,
    Lexical,
    Dense,
    Graph,
}

/// What a record is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Incident,
    ServiceRequest,
    Problem,
    Change,
    Article,
    Runbook,
    ConfigurationItem,
    Service,
    Alert,
    Team,
    Person,
    Relationship,
    Dataset,
}

/// Where a ticket is in its life.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Open,
    InProgress,
    OnHold,
    Resolved,
    Closed,
    Cancelled,
}

/// What a section is for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SectionKind {
    Description,
    Symptom,
    Environment,
    Impact,
    Diagnosis,
    Steps,
    RootCause,
    Resolution,
    Verification,
    Escalation,
    WorkNote,
    Comment,
    Other,
}

/// How two records hang together.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Relation {
    Affects,
    DependsOn,
    RunsOn,
    PartOf,
    OwnedBy,
    AssignedTo,
    ReportedBy,
    CausedBy,
    ResolvedBy,
    DuplicateOf,
    RelatedTo,
    Documents,
    Supersedes,
    Contradicts,
    MemberOf,
    Mentions,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word of the ontology is one of the schema, so that no answer has a word that the document does not know.
    #[test]
    fn the_words_are_those_of_the_ontology() {
        fn check<T: serde::de::DeserializeOwned + Serialize>(words: impl IntoIterator<Item = &'static str>) {
            for word in words {
                let read: T = serde_json::from_value(word.into()).unwrap();
                assert_eq!(serde_json::to_value(read).unwrap(), word);
            }
        }
        check::<Kind>(ontology::Kind::ALL.map(ontology::Kind::as_str));
        check::<State>(ontology::State::ALL.map(ontology::State::as_str));
        check::<SectionKind>(ontology::SectionKind::ALL.map(ontology::SectionKind::as_str));
        check::<Relation>(ontology::Relation::ALL.map(ontology::Relation::as_str));
        check::<Leg>(engine::Leg::ALL.map(engine::Leg::as_str));
    }
}
