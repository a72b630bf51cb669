//! Which IRI is meant by each word that Triagraph writes into the graph?
//!
//! One module per vocabulary. The words of [`tg`] are our own and are declared, with label and comment, in [`ONTOLOGY`];
//! the others are reused and keep the meaning that their owners give them. Every module has an `ALL` list, so that
//! code and Turtle can be held against each other.

use oxrdf::NamedNodeRef;
pub use oxrdf::vocab::{rdf, rdfs, xsd};

/// The ontology as a Turtle file: classes and properties of [`tg`] with labels and comments.
pub const ONTOLOGY: &str = include_str!("../triagraph.ttl");

/// Declares one vocabulary: a namespace and its terms as `NamedNodeRef` constants, and the list of them.
macro_rules! vocabulary {
    ($(#[$about:meta])* $module:ident, $namespace:literal, { $($constant:ident = $local:literal,)* }) => {
        $(#[$about])*
        pub mod $module {
            use super::NamedNodeRef;

            /// What the IRI of every term here begins with.
            pub const NAMESPACE: &str = $namespace;
            $(
                #[doc = concat!("`", stringify!($module), ":", $local, "`")]
                pub const $constant: NamedNodeRef<'static> = NamedNodeRef::new_unchecked(concat!($namespace, $local));
            )*
            /// Every term of this module.
            pub const ALL: &[NamedNodeRef<'static>] = &[$($constant),*];
        }
    };
}

vocabulary!(
    /// Triagraph's own terms; see [`ONTOLOGY`] for what each means.
    tg, "urn:triagraph:ontology#", {
    RECORD = "Record",
    TICKET = "Ticket",
    INCIDENT = "Incident",
    SERVICE_REQUEST = "ServiceRequest",
    PROBLEM = "Problem",
    CHANGE = "Change",
    ARTICLE = "Article",
    RUNBOOK = "Runbook",
    CONFIGURATION_ITEM = "ConfigurationItem",
    SERVICE = "Service",
    ALERT = "Alert",
    TEAM = "Team",
    PERSON = "Person",
    SECTION = "Section",
    PASSAGE = "Passage",
    STEP = "Step",
    ERROR_SIGNATURE = "ErrorSignature",
    CONTEXT_BUNDLE = "ContextBundle",
    TRIAGE_DECISION = "TriageDecision",
    SIMILARITY_STATEMENT = "SimilarityStatement",
    AFFECTS = "affects",
    DEPENDS_ON = "dependsOn",
    RUNS_ON = "runsOn",
    PART_OF = "partOf",
    OWNED_BY = "ownedBy",
    ASSIGNED_TO = "assignedTo",
    REPORTED_BY = "reportedBy",
    EXHIBITS = "exhibits",
    CAUSED_BY = "causedBy",
    RESOLVED_BY = "resolvedBy",
    DUPLICATE_OF = "duplicateOf",
    RELATED_TO = "relatedTo",
    DOCUMENTS = "documents",
    SUPERSEDES = "supersedes",
    CONTRADICTS = "contradicts",
    MEMBER_OF = "memberOf",
    MENTIONS = "mentions",
    SIMILAR_TO = "similarTo",
    SCORE = "score",
    METHOD = "method",
    NAME = "name",
    AUDIENCE = "audience",
    VALID_UNTIL = "validUntil",
    RESOLVED_AT = "resolvedAt",
    REVISION = "revision",
    IMPACT = "impact",
    URGENCY = "urgency",
    CATEGORY = "category",
    PENDING_LINK = "pendingLink",
    HAS_SECTION = "hasSection",
    SECTION_KIND = "sectionKind",
    SECTION_ORDER = "sectionOrder",
    HAS_STEP = "hasStep",
    STEP_ORDER = "stepOrder",
    HAS_PASSAGE = "hasPassage",
});

vocabulary!(
    /// Dublin Core terms: identifier, title, dates, source.
    dcterms, "http://purl.org/dc/terms/", {
    IDENTIFIER = "identifier",
    TITLE = "title",
    CREATOR = "creator",
    CREATED = "created",
    MODIFIED = "modified",
    SOURCE = "source",
    IS_PART_OF = "isPartOf",
    RELATION = "relation",
    REPLACES = "replaces",
    CONFORMS_TO = "conformsTo",
});

vocabulary!(
    /// OSLC Change Management 3.0: a ticket's status, priority and severity.
    oslc_cm, "http://open-services.net/ns/cm#", {
    CHANGE_REQUEST = "ChangeRequest",
    PRIORITY = "priority",
    SEVERITY = "severity",
    STATUS = "status",
    CLOSE_DATE = "closeDate",
});

vocabulary!(
    /// PROV-O: what was derived from what, when and by whom.
    prov, "http://www.w3.org/ns/prov#", {
    ENTITY = "Entity",
    ACTIVITY = "Activity",
    AGENT = "Agent",
    SOFTWARE_AGENT = "SoftwareAgent",
    WAS_DERIVED_FROM = "wasDerivedFrom",
    WAS_REVISION_OF = "wasRevisionOf",
    WAS_GENERATED_BY = "wasGeneratedBy",
    WAS_ATTRIBUTED_TO = "wasAttributedTo",
    WAS_ASSOCIATED_WITH = "wasAssociatedWith",
    HAD_PRIMARY_SOURCE = "hadPrimarySource",
    USED = "used",
    GENERATED_AT_TIME = "generatedAtTime",
    INVALIDATED_AT_TIME = "invalidatedAtTime",
    STARTED_AT_TIME = "startedAtTime",
    ENDED_AT_TIME = "endedAtTime",
});

vocabulary!(
    /// SKOS: categories and synonyms.
    skos, "http://www.w3.org/2004/02/skos/core#", {
    CONCEPT = "Concept",
    CONCEPT_SCHEME = "ConceptScheme",
    IN_SCHEME = "inScheme",
    BROADER = "broader",
    PREF_LABEL = "prefLabel",
    ALT_LABEL = "altLabel",
    SCOPE_NOTE = "scopeNote",
});

vocabulary!(
    /// FOAF: people.
    foaf, "http://xmlns.com/foaf/0.1/", {
    PERSON = "Person",
    NAME = "name",
    MBOX = "mbox",
});

vocabulary!(
    /// The Organization ontology: teams and who belongs to them.
    org, "http://www.w3.org/ns/org#", {
    ORGANIZATIONAL_UNIT = "OrganizationalUnit",
    MEMBER_OF = "memberOf",
});

vocabulary!(
    /// schema.org: articles, procedures and their steps.
    schema, "https://schema.org/", {
    TECH_ARTICLE = "TechArticle",
    HOW_TO = "HowTo",
    HOW_TO_STEP = "HowToStep",
    ABOUT = "about",
    MENTIONS = "mentions",
    EXPIRES = "expires",
    TEXT = "text",
    URL = "url",
});

vocabulary!(
    /// DCAT: generations and the dumps made of them.
    dcat, "http://www.w3.org/ns/dcat#", {
    DATASET = "Dataset",
    DISTRIBUTION = "Distribution",
    DATASET_DISTRIBUTION = "distribution",
    MEDIA_TYPE = "mediaType",
    BYTE_SIZE = "byteSize",
});

vocabulary!(
    /// Web Annotation: which characters of a text a passage spans.
    oa, "http://www.w3.org/ns/oa#", {
    SPECIFIC_RESOURCE = "SpecificResource",
    TEXT_POSITION_SELECTOR = "TextPositionSelector",
    HAS_SOURCE = "hasSource",
    HAS_SELECTOR = "hasSelector",
    START = "start",
    END = "end",
});

vocabulary!(
    /// SHACL Core: shapes, their parameters, constraint components and reports.
    sh, "http://www.w3.org/ns/shacl#", {
    NODE_SHAPE = "NodeShape",
    PROPERTY_SHAPE = "PropertyShape",
    TARGET_CLASS = "targetClass",
    TARGET_NODE = "targetNode",
    TARGET_SUBJECTS_OF = "targetSubjectsOf",
    TARGET_OBJECTS_OF = "targetObjectsOf",
    PATH = "path",
    INVERSE_PATH = "inversePath",
    ALTERNATIVE_PATH = "alternativePath",
    ZERO_OR_MORE_PATH = "zeroOrMorePath",
    ONE_OR_MORE_PATH = "oneOrMorePath",
    ZERO_OR_ONE_PATH = "zeroOrOnePath",
    DEACTIVATED = "deactivated",
    SEVERITY = "severity",
    MESSAGE = "message",
    NAME = "name",
    DESCRIPTION = "description",
    VIOLATION = "Violation",
    WARNING = "Warning",
    INFO = "Info",
    CLASS = "class",
    DATATYPE = "datatype",
    NODE_KIND = "nodeKind",
    IRI = "IRI",
    BLANK_NODE = "BlankNode",
    LITERAL = "Literal",
    BLANK_NODE_OR_IRI = "BlankNodeOrIRI",
    BLANK_NODE_OR_LITERAL = "BlankNodeOrLiteral",
    IRI_OR_LITERAL = "IRIOrLiteral",
    MIN_COUNT = "minCount",
    MAX_COUNT = "maxCount",
    MIN_EXCLUSIVE = "minExclusive",
    MIN_INCLUSIVE = "minInclusive",
    MAX_EXCLUSIVE = "maxExclusive",
    MAX_INCLUSIVE = "maxInclusive",
    MIN_LENGTH = "minLength",
    MAX_LENGTH = "maxLength",
    PATTERN = "pattern",
    FLAGS = "flags",
    LANGUAGE_IN = "languageIn",
    UNIQUE_LANG = "uniqueLang",
    EQUALS = "equals",
    DISJOINT = "disjoint",
    LESS_THAN = "lessThan",
    LESS_THAN_OR_EQUALS = "lessThanOrEquals",
    NOT = "not",
    AND = "and",
    OR = "or",
    XONE = "xone",
    NODE = "node",
    PROPERTY = "property",
    QUALIFIED_VALUE_SHAPE = "qualifiedValueShape",
    QUALIFIED_VALUE_SHAPES_DISJOINT = "qualifiedValueShapesDisjoint",
    QUALIFIED_MIN_COUNT = "qualifiedMinCount",
    QUALIFIED_MAX_COUNT = "qualifiedMaxCount",
    CLOSED = "closed",
    IGNORED_PROPERTIES = "ignoredProperties",
    HAS_VALUE = "hasValue",
    IN = "in",
    CONFORMS = "conforms",
    RESULT = "result",
    FOCUS_NODE = "focusNode",
    RESULT_PATH = "resultPath",
    VALUE = "value",
    RESULT_SEVERITY = "resultSeverity",
    RESULT_MESSAGE = "resultMessage",
    SOURCE_SHAPE = "sourceShape",
    SOURCE_CONSTRAINT_COMPONENT = "sourceConstraintComponent",
    CLASS_CONSTRAINT_COMPONENT = "ClassConstraintComponent",
    DATATYPE_CONSTRAINT_COMPONENT = "DatatypeConstraintComponent",
    NODE_KIND_CONSTRAINT_COMPONENT = "NodeKindConstraintComponent",
    MIN_COUNT_CONSTRAINT_COMPONENT = "MinCountConstraintComponent",
    MAX_COUNT_CONSTRAINT_COMPONENT = "MaxCountConstraintComponent",
    MIN_EXCLUSIVE_CONSTRAINT_COMPONENT = "MinExclusiveConstraintComponent",
    MIN_INCLUSIVE_CONSTRAINT_COMPONENT = "MinInclusiveConstraintComponent",
    MAX_EXCLUSIVE_CONSTRAINT_COMPONENT = "MaxExclusiveConstraintComponent",
    MAX_INCLUSIVE_CONSTRAINT_COMPONENT = "MaxInclusiveConstraintComponent",
    MIN_LENGTH_CONSTRAINT_COMPONENT = "MinLengthConstraintComponent",
    MAX_LENGTH_CONSTRAINT_COMPONENT = "MaxLengthConstraintComponent",
    PATTERN_CONSTRAINT_COMPONENT = "PatternConstraintComponent",
    LANGUAGE_IN_CONSTRAINT_COMPONENT = "LanguageInConstraintComponent",
    UNIQUE_LANG_CONSTRAINT_COMPONENT = "UniqueLangConstraintComponent",
    EQUALS_CONSTRAINT_COMPONENT = "EqualsConstraintComponent",
    DISJOINT_CONSTRAINT_COMPONENT = "DisjointConstraintComponent",
    LESS_THAN_CONSTRAINT_COMPONENT = "LessThanConstraintComponent",
    LESS_THAN_OR_EQUALS_CONSTRAINT_COMPONENT = "LessThanOrEqualsConstraintComponent",
    NOT_CONSTRAINT_COMPONENT = "NotConstraintComponent",
    AND_CONSTRAINT_COMPONENT = "AndConstraintComponent",
    OR_CONSTRAINT_COMPONENT = "OrConstraintComponent",
    XONE_CONSTRAINT_COMPONENT = "XoneConstraintComponent",
    NODE_CONSTRAINT_COMPONENT = "NodeConstraintComponent",
    QUALIFIED_MIN_COUNT_CONSTRAINT_COMPONENT = "QualifiedMinCountConstraintComponent",
    QUALIFIED_MAX_COUNT_CONSTRAINT_COMPONENT = "QualifiedMaxCountConstraintComponent",
    CLOSED_CONSTRAINT_COMPONENT = "ClosedConstraintComponent",
    HAS_VALUE_CONSTRAINT_COMPONENT = "HasValueConstraintComponent",
    IN_CONSTRAINT_COMPONENT = "InConstraintComponent",
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use oxrdf::{Graph, NamedNodeRef, TermRef};
    use oxttl::TurtleParser;

    use super::{ONTOLOGY, dcat, dcterms, foaf, oa, org, oslc_cm, prov, rdfs, schema, sh, skos, tg};

    fn ontology() -> Graph {
        TurtleParser::new()
            .for_slice(ONTOLOGY)
            .map(|triple| triple.expect("the ontology is Turtle"))
            .collect()
    }

    fn has_text(graph: &Graph, subject: NamedNodeRef<'_>, predicate: NamedNodeRef<'_>) -> bool {
        graph
            .objects_for_subject_predicate(subject, predicate)
            .any(|object| matches!(object, TermRef::Literal(text) if !text.value().trim().is_empty()))
    }

    #[test]
    fn every_own_constant_is_declared_with_label_and_comment() {
        let graph = ontology();
        for &term in tg::ALL {
            assert!(has_text(&graph, term, rdfs::LABEL), "{term} has no rdfs:label in triagraph.ttl");
            assert!(has_text(&graph, term, rdfs::COMMENT), "{term} has no rdfs:comment in triagraph.ttl");
        }
    }

    #[test]
    fn every_own_term_of_the_ontology_has_a_constant() {
        let graph = ontology();
        let constants: BTreeSet<&str> = tg::ALL.iter().map(|term| term.as_str()).collect();
        assert_eq!(constants.len(), tg::ALL.len(), "two constants name the same term");
        for iri in iris(&graph).into_iter().filter(|iri| iri.starts_with(tg::NAMESPACE)) {
            assert!(constants.contains(iri.as_str()), "{iri} is in triagraph.ttl and has no constant");
        }
    }

    #[test]
    fn reused_terms_of_the_ontology_have_constants() {
        let reused = [
            dcterms::ALL,
            oslc_cm::ALL,
            prov::ALL,
            skos::ALL,
            foaf::ALL,
            org::ALL,
            schema::ALL,
            dcat::ALL,
            oa::ALL,
            sh::ALL,
        ];
        let constants: BTreeSet<&str> = reused.concat().iter().map(|term| term.as_str()).collect();
        let built_in = [
            "http://www.w3.org/2002/07/owl#",
            tg::NAMESPACE,
            rdfs::LABEL.as_str().trim_end_matches("label"),
            "urn:triagraph:",
        ];
        for iri in iris(&ontology()) {
            let known = constants.contains(iri.as_str())
                || built_in.iter().any(|start| iri.starts_with(start))
                || iri.starts_with("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
                || iri.starts_with("http://www.w3.org/2001/XMLSchema#");
            assert!(known, "{iri} is reused in triagraph.ttl and has no constant");
        }
    }

    /// Every IRI in the graph, datatypes aside.
    fn iris(graph: &Graph) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for triple in graph {
            found.insert(triple.predicate.as_str().to_owned());
            for term in [triple.subject.into(), triple.object] {
                if let TermRef::NamedNode(iri) = term {
                    found.insert(iri.as_str().to_owned());
                }
            }
        }
        found
    }
}
