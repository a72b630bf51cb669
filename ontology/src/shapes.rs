//! What must a record's graph look like? The shapes that every record is held to before it is written.

use std::sync::LazyLock;

use oxttl::TurtleParser;

use crate::shacl::Shapes;
use crate::vocabulary::ONTOLOGY;

/// The shapes of records and their parts as a Turtle file. Every shape says in `sh:message` what a person should do.
pub const SHAPES: &str = include_str!("../shapes.ttl");

/// [`SHAPES`], read once, with the sub-classes of the ontology known: a graph that only says `tg:Incident` is held to the
/// shapes of tickets and records too.
#[expect(clippy::expect_used, reason = "both texts are part of the program, and a test reads them")]
pub fn record_shapes() -> &'static Shapes {
    static READ: LazyLock<Shapes> = LazyLock::new(|| {
        let ontology = TurtleParser::new().for_slice(ONTOLOGY).collect::<Result<_, _>>();
        let shapes = Shapes::parse(SHAPES).expect("shapes.ttl holds shapes");
        shapes.with_classes(&ontology.expect("triagraph.ttl is Turtle"))
    });
    &READ
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use oxrdf::{Graph, NamedNodeRef, TermRef};
    use oxttl::TurtleParser;

    use super::{SHAPES, record_shapes};
    use crate::shacl::Severity;
    use crate::vocabulary::{dcterms, oa, oslc_cm, sh, tg};

    const PREFIXES: &str = "@prefix tg: <urn:triagraph:ontology#> . @prefix dcterms: <http://purl.org/dc/terms/> .
        @prefix oslc_cm: <http://open-services.net/ns/cm#> . @prefix oa: <http://www.w3.org/ns/oa#> .
        @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
        @prefix ex: <urn:ex:> .";

    const INCIDENT: &str = r#"ex:inc a tg:Incident ; dcterms:identifier "INC1" ; dcterms:title "VPN drops" ; tg:audience "staff" ;
        dcterms:created "2026-01-01T10:00:00Z"^^xsd:dateTime ; dcterms:modified "2026-01-01T12:00:00+02:00"^^xsd:dateTime ;
        oslc_cm:status "open" ; oslc_cm:priority 2 ; tg:impact 1 ; tg:urgency 5 ; tg:affects ex:vpn ; tg:hasSection ex:s .
        ex:s a tg:Section ; tg:sectionKind "symptom" ; tg:sectionOrder 0 ."#;

    fn graph(turtle: &str) -> Graph {
        let text = format!("{PREFIXES}\n{turtle}");
        TurtleParser::new().for_slice(&text).collect::<Result<_, _>>().expect("Turtle")
    }

    /// The last parts of the paths that have a result, each with the number of results.
    fn complaints(turtle: &str) -> Vec<String> {
        let report = record_shapes().validate(&graph(turtle));
        assert_eq!(report.conforms, report.results.is_empty());
        for result in &report.results {
            assert_eq!(result.severity, Severity::Violation);
        }
        let last = |path: String| {
            path.rsplit(['#', '/']).next().unwrap_or_default().trim_end_matches('>').to_owned()
        };
        report
            .results
            .iter()
            .map(|result| result.path.as_ref().map_or_else(String::new, |path| last(path.to_string())))
            .collect()
    }

    #[test]
    fn whole_records_conform() {
        let whole = [
            INCIDENT,
            r#"ex:r a tg:Runbook ; dcterms:identifier "rb" ; dcterms:title "Restart" ; tg:audience "staff" , "night shift" ;
                tg:hasStep ex:one . ex:one a tg:Step ; tg:stepOrder 0 ."#,
            r#"ex:p a tg:Person ; dcterms:identifier "ann" ; dcterms:title "Ann" ; tg:audience "staff" ; tg:memberOf ex:t ."#,
            r#"ex:l a tg:SimilarityStatement ; rdf:subject ex:a ; rdf:predicate tg:similarTo ; rdf:object ex:b ;
                tg:score "0.8"^^xsd:double ; tg:method "dense" ."#,
            "[] a oa:TextPositionSelector ; oa:start 0 ; oa:end 120 .",
        ];
        for turtle in whole {
            assert_eq!(complaints(turtle), Vec::<String>::new(), "{turtle}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let replaced = |from: &str, to: &str| {
            assert!(INCIDENT.contains(from), "{from}");
            INCIDENT.replace(from, to)
        };
        let long = format!("dcterms:title \"{}\"", "x".repeat(2001));
        let cases = [
            (replaced(r#"dcterms:identifier "INC1" ;"#, ""), vec!["identifier"]),
            (replaced(r#""INC1""#, r#""INC1" , "INC2""#), vec!["identifier"]),
            (replaced(r#""VPN drops""#, r#"" ""#), vec!["title"]),
            (replaced(r#"dcterms:title "VPN drops""#, &long), vec!["title"]),
            (replaced(r#"tg:audience "staff" ;"#, ""), vec!["audience"]),
            (replaced("12:00:00+02:00", "11:59:59+02:00"), vec!["created"]),
            (replaced("12:00:00+02:00", "12:00:00"), vec!["created"]),
            (
                replaced(r#""2026-01-01T12:00:00+02:00"^^xsd:dateTime"#, r#""yesterday""#),
                vec!["created", "modified"],
            ),
            (replaced(r#""open""#, r#""New""#), vec!["status"]),
            (replaced("priority 2", "priority 0"), vec!["priority"]),
            (replaced("priority 2", r#"priority "P2""#), vec!["priority"; 3]),
            (replaced("tg:impact 1", "tg:impact 6"), vec!["impact"]),
            (replaced("tg:urgency 5", "tg:urgency 5.0"), vec!["urgency"]),
            (replaced("tg:affects ex:vpn", r#"tg:affects "vpn""#), vec!["affects"]),
            (replaced("tg:affects ex:vpn", "tg:affects ex:inc"), vec![""]),
            (replaced("tg:sectionOrder 0", r#"tg:sectionOrder "first""#), vec!["sectionOrder"; 2]),
            ("ex:s a tg:Step ; tg:stepOrder 1 , 2 .".to_owned(), vec!["stepOrder"]),
            ("[] a oa:TextPositionSelector ; oa:start 9 ; oa:end 3 .".to_owned(), vec!["start"]),
        ];
        for (turtle, expected) in cases {
            assert_eq!(complaints(&turtle), expected, "{turtle}");
        }
    }

    #[test]
    fn every_relation_refuses_text_and_itself() {
        let relations = [
            tg::AFFECTS,
            tg::DEPENDS_ON,
            tg::RUNS_ON,
            tg::PART_OF,
            tg::OWNED_BY,
            tg::ASSIGNED_TO,
            tg::REPORTED_BY,
            tg::CAUSED_BY,
            tg::RESOLVED_BY,
            tg::DUPLICATE_OF,
            tg::RELATED_TO,
            tg::DOCUMENTS,
            tg::SUPERSEDES,
            tg::CONTRADICTS,
            tg::MEMBER_OF,
            tg::MENTIONS,
            tg::SIMILAR_TO,
        ];
        for relation in relations {
            assert_eq!(
                complaints(&format!("{INCIDENT} ex:inc {relation} \"text\" .")).len(),
                1,
                "{relation}"
            );
            assert_eq!(complaints(&format!("{INCIDENT} ex:inc {relation} ex:inc .")), [""], "{relation}");
        }
    }

    #[test]
    fn a_message_says_what_to_do() {
        let report = record_shapes().validate(&graph(&INCIDENT.replace("\"open\"", "\"New\"")));
        let [result] = report.results.as_slice() else { panic!("one result: {report:?}") };
        assert_eq!(
            result.to_string(),
            "<urn:ex:inc> <http://open-services.net/ns/cm#status> \"New\": map the ticket's status to one of open, \
             in_progress, on_hold, resolved, closed, cancelled"
        );
    }

    #[test]
    fn every_shape_that_can_complain_has_a_message() {
        let shapes = graph(SHAPES);
        let paths = shapes.triples_for_predicate(sh::PATH).map(|triple| triple.subject);
        for shape in paths.chain(shapes.triples_for_predicate(sh::DISJOINT).map(|triple| triple.subject)) {
            let messages = shapes.objects_for_subject_predicate(shape, sh::MESSAGE).count();
            assert_eq!(messages, 1, "{shape} has one sh:message");
        }
    }

    #[test]
    fn every_term_in_the_shapes_has_a_constant() {
        let known: BTreeSet<NamedNodeRef<'_>> =
            [tg::ALL, dcterms::ALL, oslc_cm::ALL, oa::ALL, sh::ALL].concat().into_iter().collect();
        let elsewhere = [
            "urn:triagraph:shapes#",
            "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "http://www.w3.org/2001/XMLSchema#",
        ];
        for triple in &graph(SHAPES) {
            for term in [triple.subject.into(), triple.predicate.into(), triple.object] {
                if let TermRef::NamedNode(iri) = term {
                    let is_known =
                        known.contains(&iri) || elsewhere.iter().any(|start| iri.as_str().starts_with(start));
                    assert!(is_known, "{iri} is used in shapes.ttl and has no constant");
                }
            }
        }
    }
}
