//! Which triples does a record make? Its short facts and links, and where its revision came from; never its long texts.

use jiff::Timestamp;
use ontology::vocabulary::{dcat, dcterms, oslc_cm, prov, rdf, schema, skos, tg, xsd};
use ontology::{Kind, Observation, Place, Record, RecordId, Reference, Relation};
use oxigraph::model::{Literal, NamedNode, NamedNodeRef, Term, Triple};

use super::names::{percent_encode, provenance_graph, record_graph};

/// What the record says of itself and its links.
///
/// `resolve` gives the records that a link's other end stands for: all of them are linked; where there are none, the link
/// stays as a `tg:pendingLink`.
pub(crate) fn triples(record: &Record, resolve: &dyn Fn(&Reference) -> Vec<RecordId>) -> Vec<Triple> {
    let mut about = About { subject: record_graph(&record.id), triples: Vec::new() };
    for class in classes(record.kind) {
        about.say(rdf::TYPE, class.into_owned());
    }
    about.say(dcterms::IDENTIFIER, text(record.id.external()));
    about.say(dcterms::TITLE, text(&record.title));
    about.say(dcterms::SOURCE, named("source", record.id.source()));
    about.say_all(dcterms::CREATED, record.created.map(time));
    about.say_all(dcterms::MODIFIED, record.modified.map(time));
    about.say_all(oslc_cm::CLOSE_DATE, record.resolved.map(time));
    about.say_all(tg::VALID_UNTIL, record.valid_until.map(time));
    about.say_all(oslc_cm::STATUS, record.state.map(|state| text(state.as_str())));
    about.say_all(oslc_cm::PRIORITY, record.priority.map(integer));
    about.say_all(tg::IMPACT, record.impact.map(integer));
    about.say_all(tg::URGENCY, record.urgency.map(integer));
    about.say_all(tg::NAME, record.names.iter().map(|name| text(name)));
    about.say_all(tg::AUDIENCE, record.audience.iter().map(|audience| text(audience.as_str())));
    about.say_all(schema::URL, record.url.as_deref().map(address));
    // A relationship speaks of its subject, not of itself.
    let subject = record.attributes.get(Kind::SUBJECT).filter(|_| record.kind == Kind::Relationship);
    let speakers = match subject {
        None => vec![about.subject.clone()],
        Some(name) => resolve(&Reference::Name(name.clone())).iter().map(record_graph).collect(),
    };
    let itself = about.subject.clone();
    for speaker in speakers {
        about.subject = speaker;
        for link in &record.links {
            about.link(link.relation, &link.target, resolve);
        }
    }
    about.subject = itself;
    category(&mut about, record.id.source(), &record.category);
    about.triples
}

/// Where the revision came from, as PROV-O: the record was derived from a place in an origin, by a reading with a mapping.
pub(crate) fn provenance(observation: &Observation) -> Vec<Triple> {
    let lineage = &observation.lineage;
    let id = &observation.record.id;
    let origin = origin(&lineage.origin);
    let place = match lineage.place {
        Some(place) => NamedNode::new_unchecked(format!("{}{}", origin.as_str(), fragment(place))),
        None => origin.clone(),
    };
    let reading = NamedNode::new_unchecked(format!("{}#reading", provenance_graph(id).as_str()));
    let mapping = named("mapping", &lineage.mapping);

    let mut about = About { subject: record_graph(id), triples: Vec::new() };
    about.say(tg::REVISION, text(&observation.revision));
    about.say(prov::GENERATED_AT_TIME, time(lineage.observed));
    about.say(prov::WAS_DERIVED_FROM, place.clone());
    about.say(prov::WAS_GENERATED_BY, reading.clone());
    about.triples.push(Triple::new(reading.clone(), rdf::TYPE, prov::ACTIVITY));
    about.triples.push(Triple::new(reading.clone(), prov::USED, origin.clone()));
    about.triples.push(Triple::new(reading, prov::WAS_ASSOCIATED_WITH, mapping.clone()));
    about.triples.push(Triple::new(mapping, rdf::TYPE, prov::SOFTWARE_AGENT));
    if place != origin {
        about.triples.push(Triple::new(place, dcterms::IS_PART_OF, origin));
    }
    about.triples
}

/// The property of the ontology that a relation is.
pub(crate) fn property(relation: Relation) -> NamedNodeRef<'static> {
    match relation {
        Relation::Affects => tg::AFFECTS,
        Relation::DependsOn => tg::DEPENDS_ON,
        Relation::RunsOn => tg::RUNS_ON,
        Relation::PartOf => tg::PART_OF,
        Relation::OwnedBy => tg::OWNED_BY,
        Relation::AssignedTo => tg::ASSIGNED_TO,
        Relation::ReportedBy => tg::REPORTED_BY,
        Relation::CausedBy => tg::CAUSED_BY,
        Relation::ResolvedBy => tg::RESOLVED_BY,
        Relation::DuplicateOf => tg::DUPLICATE_OF,
        Relation::RelatedTo => tg::RELATED_TO,
        Relation::Documents => tg::DOCUMENTS,
        Relation::Supersedes => tg::SUPERSEDES,
        Relation::Contradicts => tg::CONTRADICTS,
        Relation::MemberOf => tg::MEMBER_OF,
        Relation::Mentions => tg::MENTIONS,
    }
}

/// The class of a kind; tickets are also said to be [`tg::TICKET`], since queries do not infer classes.
pub(crate) fn classes(kind: Kind) -> impl Iterator<Item = NamedNodeRef<'static>> {
    let class = match kind {
        Kind::Incident => tg::INCIDENT,
        Kind::ServiceRequest => tg::SERVICE_REQUEST,
        Kind::Problem => tg::PROBLEM,
        Kind::Change => tg::CHANGE,
        Kind::Article => tg::ARTICLE,
        Kind::Runbook => tg::RUNBOOK,
        Kind::ConfigurationItem => tg::CONFIGURATION_ITEM,
        Kind::Service => tg::SERVICE,
        Kind::Alert => tg::ALERT,
        Kind::Team => tg::TEAM,
        Kind::Person => tg::PERSON,
        Kind::Relationship => rdf::STATEMENT,
        Kind::Dataset => dcat::DATASET,
    };
    [Some(class), kind.is_ticket().then_some(tg::TICKET)].into_iter().flatten()
}

/// A moment as `xsd:dateTime`.
pub(crate) fn time(moment: Timestamp) -> Literal {
    Literal::new_typed_literal(moment.to_string(), xsd::DATE_TIME)
}

pub(crate) fn text(value: &str) -> Literal {
    Literal::new_simple_literal(value)
}

struct About {
    subject: NamedNode,
    triples: Vec<Triple>,
}

impl About {
    fn say(&mut self, property: NamedNodeRef<'_>, object: impl Into<Term>) {
        self.triples.push(Triple::new(self.subject.clone(), property, object));
    }

    fn say_all<T: Into<Term>>(&mut self, property: NamedNodeRef<'_>, objects: impl IntoIterator<Item = T>) {
        for object in objects {
            self.say(property, object);
        }
    }

    fn link(
        &mut self,
        relation: Relation,
        target: &Reference,
        resolve: &dyn Fn(&Reference) -> Vec<RecordId>,
    ) {
        let found = resolve(target);
        if found.is_empty() {
            let name = match target {
                Reference::Record(id) => id.as_str(),
                Reference::Name(name) => name,
            };
            self.say(tg::PENDING_LINK, text(&format!("{} {name}", relation.as_str())));
        }
        self.say_all(property(relation), found.iter().map(record_graph));
    }
}

/// The category as SKOS concepts of the source: the record has the narrowest, each names its broader one.
fn category(about: &mut About, source: &str, path: &[String]) {
    let mut broader: Option<NamedNode> = None;
    let mut iri = format!("urn:triagraph:category:{source}");
    for label in path {
        iri = format!("{iri}:{}", percent_encode(label));
        let concept = NamedNode::new_unchecked(iri.clone());
        about.triples.push(Triple::new(concept.clone(), skos::PREF_LABEL, text(label)));
        if let Some(broader) = broader {
            about.triples.push(Triple::new(concept.clone(), skos::BROADER, broader));
        }
        broader = Some(concept);
    }
    about.say_all(tg::CATEGORY, broader);
}

fn named(what: &str, name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("urn:triagraph:{what}:{}", percent_encode(name)))
}

fn integer(value: u8) -> Literal {
    Literal::from(i64::from(value))
}

/// A web address as an IRI; what is none stays text.
fn address(url: &str) -> Term {
    NamedNode::new(url).map_or_else(|_| text(url).into(), Term::from)
}

/// An address as it is, a file's name as a URN.
fn origin(origin: &str) -> NamedNode {
    match NamedNode::new(origin) {
        Ok(iri) if origin.contains("://") && !origin.contains('#') => iri,
        _ => named("origin", origin),
    }
}

/// A place as a fragment: lines as in RFC 5147 (which counts from the gap before the first), rows as in RFC 7111.
fn fragment(place: Place) -> String {
    match place {
        Place::Line(line) => format!("#line={},{line}", line.saturating_sub(1)),
        Place::Row(row) => format!("#row={row}"),
        Place::Item(item) => format!("#item={item}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ontology::vocabulary::ONTOLOGY;
    use ontology::{Lineage, Link, State};

    use super::*;

    fn lines(triples: &[Triple]) -> BTreeSet<String> {
        triples.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_ticket_gives_its_facts_its_links_and_its_pending_links() {
        let mut record = Record::new(RecordId::new("desk:INC 1").unwrap(), Kind::Incident, "Mail \"down\"");
        record.state = Some(State::InProgress);
        record.priority = Some(2);
        record.category = vec!["Network".into(), "VPN/DSL".into()];
        record.url = Some("https://desk.example/INC1".into());
        record.created = Some("2026-01-02T03:04:05Z".parse().unwrap());
        record.links =
            vec![Link::by_name(Relation::Affects, "mail"), Link::by_name(Relation::CausedBy, "CHG9")];
        let mails = vec![RecordId::new("cmdb:mail-1").unwrap(), RecordId::new("cmdb:mail-2").unwrap()];
        let resolve = |reference: &Reference| match reference {
            Reference::Name(name) if name == "mail" => mails.clone(),
            _ => Vec::new(),
        };
        let found = lines(&triples(&record, &resolve));
        let subject = "<urn:triagraph:record:desk:INC%201>";
        for expected in [
            format!("{subject} {} {}", rdf::TYPE, tg::INCIDENT),
            format!("{subject} {} {}", rdf::TYPE, tg::TICKET),
            format!("{subject} {} \"INC 1\"", dcterms::IDENTIFIER),
            format!("{subject} {} \"Mail \\\"down\\\"\"", dcterms::TITLE),
            format!("{subject} {} \"in_progress\"", oslc_cm::STATUS),
            format!("{subject} {} \"2\"^^{}", oslc_cm::PRIORITY, xsd::INTEGER),
            format!("{subject} {} \"2026-01-02T03:04:05Z\"^^{}", dcterms::CREATED, xsd::DATE_TIME),
            format!("{subject} {} <https://desk.example/INC1>", schema::URL),
            format!("{subject} {} <urn:triagraph:record:cmdb:mail-1>", tg::AFFECTS),
            format!("{subject} {} <urn:triagraph:record:cmdb:mail-2>", tg::AFFECTS),
            format!("{subject} {} \"caused_by CHG9\"", tg::PENDING_LINK),
            format!("{subject} {} <urn:triagraph:category:desk:Network:VPN%2FDSL>", tg::CATEGORY),
            format!(
                "<urn:triagraph:category:desk:Network:VPN%2FDSL> {} <urn:triagraph:category:desk:Network>",
                skos::BROADER
            ),
        ] {
            assert!(found.contains(&expected), "{expected} is not in {found:#?}");
        }
    }

    #[test]
    fn every_relation_and_kind_is_a_term_of_the_ontology() {
        for relation in Relation::ALL {
            assert!(tg::ALL.contains(&property(relation)), "{relation:?}");
        }
        let properties: BTreeSet<&str> =
            Relation::ALL.iter().map(|relation| property(*relation).as_str()).collect();
        assert_eq!(properties.len(), Relation::ALL.len());
        for kind in Kind::ALL {
            for class in classes(kind) {
                let local = class.as_str().trim_start_matches(tg::NAMESPACE);
                let is_declared = ONTOLOGY.contains(&format!("tg:{local} a owl:Class"));
                assert!(
                    is_declared || [rdf::STATEMENT, ontology::vocabulary::dcat::DATASET].contains(&class),
                    "{class}"
                );
            }
        }
    }

    #[test]
    fn provenance_names_place_mapping_revision_and_time() {
        let record = Record::new(RecordId::new("desk:1").unwrap(), Kind::Incident, "x");
        let lineage = Lineage {
            origin: "export/tickets 2026.csv".into(),
            place: Some(Place::Row(7)),
            mapping: "servicenow".into(),
            observed: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        let observation = Observation { record, revision: "12".into(), lineage };
        let found = lines(&provenance(&observation));
        for expected in [
            format!(
                "<urn:triagraph:record:desk:1> {} <urn:triagraph:origin:export%2Ftickets%202026.csv#row=7>",
                prov::WAS_DERIVED_FROM
            ),
            format!("<urn:triagraph:record:desk:1> {} \"12\"", tg::REVISION),
            format!(
                "<urn:triagraph:provenance:desk:1#reading> {} <urn:triagraph:mapping:servicenow>",
                prov::WAS_ASSOCIATED_WITH
            ),
        ] {
            assert!(found.contains(&expected), "{expected} is not in {found:#?}");
        }
        assert_eq!(found.len(), 9);
    }
}
