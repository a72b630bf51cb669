//! Does the validator find exactly what the W3C SHACL test suite's core cases say that it must?

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ontology::shacl::{Shapes, ValidationResult};
use ontology::shapes::SHAPES;
use ontology::vocabulary::{rdf, sh};
use oxrdf::{Graph, NamedNode, NamedNodeRef, NamedOrBlankNode, Term, TermRef};
use oxttl::TurtleParser;

/// Where the suite pretends to live; its files name each other relative to this.
const BASE: &str = "http://localhost/core/";

/// Cases of the suite. It grows or shrinks only with the files beside it.
const CASES: usize = 98;

const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const SHT: &str = "http://www.w3.org/ns/shacl-test#";

#[test]
fn every_core_case_gives_the_expected_report() {
    let mut suite = Suite::default();
    suite.include(&format!("{BASE}manifest.ttl"));
    let cases = std::mem::take(&mut suite.cases);
    assert_eq!(cases.len(), CASES, "cases found through the manifests");
    let failures: Vec<String> = cases.iter().filter_map(|case| suite.run(case).err()).collect();
    assert!(failures.is_empty(), "{} of {CASES} cases differ:\n{}", failures.len(), failures.join("\n"));
    println!("{CASES} cases run, none left out");
}

/// The suite has shapes for shapes; ours must have them too.
#[test]
fn our_own_shapes_are_well_formed() {
    let mut suite = Suite::default();
    let shapes_for_shapes = suite.load(&format!("{BASE}complex/shacl-shacl-data-shapes.ttl"));
    let shapes_for_shapes = Shapes::read(shapes_for_shapes).expect("shapes");
    let ours: Graph = TurtleParser::new().for_slice(SHAPES).collect::<Result<_, _>>().expect("Turtle");
    let report = shapes_for_shapes.validate(&ours);
    assert!(report.conforms, "{:#?}", report.results);
}

#[derive(Default)]
struct Suite {
    graphs: BTreeMap<String, Graph>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    manifest: String,
    node: NamedOrBlankNode,
}

impl Suite {
    fn load(&mut self, url: &str) -> &Graph {
        self.graphs.entry(url.to_owned()).or_insert_with(|| {
            let file = url.strip_prefix(BASE).expect("inside the suite");
            let path = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default())
                .join("tests/w3c-shacl-core")
                .join(file);
            let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let parser = TurtleParser::new().with_base_iri(url).expect("base");
            parser
                .for_slice(&text)
                .map(|triple| triple.unwrap_or_else(|error| panic!("{file}: {error}")))
                .collect()
        })
    }

    fn include(&mut self, url: &str) {
        let graph = self.load(url);
        let manifest = NamedNode::new(url).expect("IRI");
        let entries: Vec<Term> = objects(graph, &manifest.clone().into(), &mf("entries"))
            .into_iter()
            .flat_map(|entries| list(graph, entries))
            .collect();
        let mut includes = objects(graph, &manifest.into(), &mf("include"));
        includes.sort_by_key(ToString::to_string);
        for entry in entries {
            let node = subject(&entry);
            self.cases.push(Case { name: entry.to_string(), manifest: url.to_owned(), node });
        }
        for include in includes {
            let Term::NamedNode(include) = include else { panic!("{url}: an include is an IRI") };
            self.include(include.as_str());
        }
    }

    fn run(&mut self, case: &Case) -> Result<(), String> {
        let manifest = self.load(&case.manifest).clone();
        let action = subject(&object(&manifest, &case.node, &mf("action")));
        let [shapes, data] = ["shapesGraph", "dataGraph"].map(|role| {
            let Term::NamedNode(url) = object(&manifest, &action, &sht(role)) else {
                panic!("{role} is an IRI")
            };
            self.load(url.as_str()).clone()
        });
        let shapes = Shapes::read(&shapes).map_err(|error| format!("{}: {error}", case.name))?;
        let report = shapes.validate(&data);
        let expected = subject(&object(&manifest, &case.node, &mf("result")));

        let conforms = object(&manifest, &expected, &sh::CONFORMS.into_owned());
        let conforms = conforms == Term::from(oxrdf::Literal::from(true));
        let mut wanted: Vec<String> = objects(&manifest, &expected, &sh::RESULT.into_owned())
            .iter()
            .map(|result| wanted(&manifest, &subject(result)))
            .collect();
        let mut found: Vec<String> = report.results.iter().map(found).collect();
        wanted.sort();
        found.sort();
        if conforms == report.conforms && wanted == found {
            return self.compare_messages(case, &manifest, &expected, &report.results);
        }
        Err(format!(
            "{}:\n  wanted {conforms}: {wanted:#?}\n  found {}: {found:#?}",
            case.name, report.conforms
        ))
    }

    /// A message is part of the expected report only where the case brings one.
    fn compare_messages(
        &self,
        case: &Case,
        manifest: &Graph,
        expected: &NamedOrBlankNode,
        results: &[ValidationResult],
    ) -> Result<(), String> {
        for result in objects(manifest, expected, &sh::RESULT.into_owned()) {
            for message in objects(manifest, &subject(&result), &sh::RESULT_MESSAGE.into_owned()) {
                let Term::Literal(message) = message else { panic!("a message is a literal") };
                if !results.iter().any(|result| result.message == message.value()) {
                    return Err(format!("{}: no result says {message}", case.name));
                }
            }
        }
        Ok(())
    }
}

/// An expected result as one line: focus, path, value, component, severity, shape.
fn wanted(manifest: &Graph, result: &NamedOrBlankNode) -> String {
    let optional = |predicate: NamedNodeRef<'_>| objects(manifest, result, &predicate.into_owned()).pop();
    let required = |predicate| optional(predicate).unwrap_or_else(|| panic!("{result} has no {predicate}"));
    line(
        &required(sh::FOCUS_NODE),
        optional(sh::RESULT_PATH).map(|path| path_text(manifest, &path)),
        optional(sh::VALUE).as_ref(),
        &required(sh::SOURCE_CONSTRAINT_COMPONENT).to_string(),
        &required(sh::RESULT_SEVERITY).to_string(),
        &required(sh::SOURCE_SHAPE),
    )
}

fn found(result: &ValidationResult) -> String {
    line(
        &result.focus,
        result.path.as_ref().map(ToString::to_string),
        result.value.as_ref(),
        &result.component.to_string(),
        &result.severity.iri().to_string(),
        &result.source_shape,
    )
}

fn line(
    focus: &Term,
    path: Option<String>,
    value: Option<&Term>,
    component: &str,
    severity: &str,
    shape: &Term,
) -> String {
    // blank nodes have no name to compare across files
    let text = |term: &Term| if term.is_blank_node() { "_:blank".to_owned() } else { term.to_string() };
    let (focus, value, shape) = (text(focus), value.map(text), text(shape));
    format!(
        "focus {focus} path {path:?} value {value:?} component {component} severity {severity} shape {shape}"
    )
}

/// The path at a node, written as SPARQL has it; on purpose not by the code under test.
fn path_text(graph: &Graph, node: &Term) -> String {
    let Term::BlankNode(blank) = node else { return node.to_string() };
    let blank = NamedOrBlankNode::from(blank.clone());
    let joined = |list_node: Term, between: &str| {
        let members: Vec<String> =
            list(graph, list_node).iter().map(|member| path_text(graph, member)).collect();
        format!("({})", members.join(between))
    };
    let of = |predicate: NamedNodeRef<'_>| objects(graph, &blank, &predicate.into_owned()).pop();
    if of(rdf::FIRST).is_some() {
        return joined(node.clone(), "/");
    }
    if let Some(alternatives) = of(sh::ALTERNATIVE_PATH) {
        return joined(alternatives, "|");
    }
    let wrapped = [
        (sh::INVERSE_PATH, "^", ""),
        (sh::ZERO_OR_MORE_PATH, "(", ")*"),
        (sh::ONE_OR_MORE_PATH, "(", ")+"),
        (sh::ZERO_OR_ONE_PATH, "(", ")?"),
    ];
    let wrapped = wrapped.into_iter().find_map(|(predicate, before, after)| {
        Some(format!("{before}{}{after}", path_text(graph, &of(predicate)?)))
    });
    wrapped.unwrap_or_else(|| panic!("{node} is no path"))
}

fn mf(local: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{MF}{local}"))
}

fn sht(local: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{SHT}{local}"))
}

fn subject(term: &Term) -> NamedOrBlankNode {
    match term {
        Term::NamedNode(node) => node.clone().into(),
        Term::BlankNode(node) => node.clone().into(),
        _ => panic!("{term} cannot be a subject"),
    }
}

fn objects(graph: &Graph, subject: &NamedOrBlankNode, predicate: &NamedNode) -> Vec<Term> {
    graph.objects_for_subject_predicate(subject, predicate).map(TermRef::into_owned).collect()
}

fn object(graph: &Graph, subject: &NamedOrBlankNode, predicate: &NamedNode) -> Term {
    objects(graph, subject, predicate).pop().unwrap_or_else(|| panic!("{subject} has no {predicate}"))
}

fn list(graph: &Graph, mut node: Term) -> Vec<Term> {
    let mut members = Vec::new();
    while node != Term::from(rdf::NIL.into_owned()) {
        let cell = subject(&node);
        members.push(object(graph, &cell, &rdf::FIRST.into_owned()));
        node = object(graph, &cell, &rdf::REST.into_owned());
    }
    members
}
