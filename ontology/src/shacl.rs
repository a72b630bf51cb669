//! Does a graph have the shape that we ask for? Validation with the core of SHACL, without its SPARQL extension.
//!
//! Shapes are read once and checked many times; a check borrows everything and allocates only what it finds. Held to the core
//! cases of the W3C test suite in `tests/shacl_core.rs`. Shapes that look into themselves, which SHACL leaves undefined, are
//! refused when read, so that a check always ends.
//!
//! ```
//! use ontology::shacl::Shapes;
//! use oxttl::TurtleParser;
//!
//! let shapes = Shapes::parse(
//!     "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <urn:ex:> .
//!      ex:Named sh:targetSubjectsOf ex:age ; sh:property [ sh:path ex:name ; sh:minCount 1 ; sh:message \"add a name\" ] .",
//! )?;
//! let data = TurtleParser::new().for_slice("<urn:ex:ann> <urn:ex:age> 7 .").collect::<Result<_, _>>()?;
//! let report = shapes.validate(&data);
//! assert!(!report.conforms);
//! assert_eq!(report.results[0].to_string(), "<urn:ex:ann> <urn:ex:name>: add a name");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod classes;
mod parameter;
mod path;
mod read;
mod report;
mod shape;
mod value;

use oxrdf::Graph;
use oxttl::{TurtleParser, TurtleSyntaxError};

pub use path::Path;
pub use report::{Report, Severity, ValidationResult};

use check::Check;
use classes::Classes;
use shape::Shape;

/// Shapes, ready to be checked against any number of graphs.
#[derive(Debug)]
pub struct Shapes {
    shapes: Vec<Shape>,
    classes: Classes,
}

impl Shapes {
    /// Reads the shapes of a Turtle text.
    pub fn parse(turtle: &str) -> Result<Self, ShapesError> {
        let graph = TurtleParser::new().for_slice(turtle).collect::<Result<Graph, _>>()?;
        Self::read(&graph)
    }

    /// Reads the shapes of a graph.
    pub fn read(graph: &Graph) -> Result<Self, ShapesError> {
        Ok(Self { shapes: read::read(graph)?, classes: Classes::default() })
    }

    /// Lets every check know the `rdfs:subClassOf` axioms of an ontology, as if the data repeated them.
    #[must_use]
    pub fn with_classes(mut self, ontology: &Graph) -> Self {
        self.classes.learn(ontology);
        self
    }

    /// Checks all focus nodes that the shapes' targets find in the data.
    pub fn validate(&self, data: &Graph) -> Report {
        Report::of(Check { shapes: self, data }.run())
    }
}

/// Why a shapes graph cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShapesError {
    /// The text is not Turtle.
    #[error("the shapes are not Turtle: {0}")]
    Syntax(#[from] TurtleSyntaxError),
    /// A parameter has a value that SHACL does not allow.
    #[error("shape {shape}: {parameter} takes {expected}")]
    Parameter {
        /// The shape.
        shape: String,
        /// The parameter, such as `sh:minCount`.
        parameter: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A literal stands where a shape must.
    #[error("{node} is used as a shape: name an IRI or a blank node")]
    NotAShape {
        /// The literal.
        node: String,
    },
    /// A path cannot be read.
    #[error("the path at {node} is ill-formed: {problem}")]
    Path {
        /// Where the path stands.
        node: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A pattern is not a regular expression.
    #[error("shape {shape}: sh:pattern is not a regular expression: {source}")]
    Pattern {
        /// The shape.
        shape: String,
        /// What is wrong.
        source: Box<regex::Error>,
    },
    /// A shape looks into itself.
    #[error("shape {shape} looks into itself: take one of the references out of the circle")]
    Recursive {
        /// A shape in the circle.
        shape: String,
    },
    /// Shapes look into shapes too many times.
    #[error("shape {shape} is nested more than {limit} deep: flatten it")]
    TooDeep {
        /// A shape at the limit.
        shape: String,
        /// How deep shapes may look.
        limit: usize,
    },
}

impl ShapesError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "shapes-syntax",
            Self::Parameter { .. } | Self::NotAShape { .. } => "shapes-parameter",
            Self::Path { .. } => "shapes-path",
            Self::Pattern { .. } => "shapes-pattern",
            Self::Recursive { .. } => "shapes-recursive",
            Self::TooDeep { .. } => "shapes-too-deep",
        }
    }
}

#[cfg(test)]
mod tests {
    use oxrdf::Graph;
    use oxttl::TurtleParser;

    use super::{Shapes, ShapesError};

    const PREFIXES: &str = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <urn:ex:> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .";

    fn shapes(turtle: &str) -> Result<Shapes, ShapesError> {
        Shapes::parse(&format!("{PREFIXES}\n{turtle}"))
    }

    fn graph(turtle: &str) -> Graph {
        TurtleParser::new()
            .for_slice(&format!("{PREFIXES}\n{turtle}"))
            .collect::<Result<_, _>>()
            .expect("Turtle")
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let chain = |links: usize| {
            (0..links).map(|link| format!("ex:s{link} sh:node ex:s{} . ", link + 1)).collect::<String>()
        };
        let long_list = "ex:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> ex:a ;
            <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> ex:l .";
        let cases = [
            ("ex:s sh:property".to_owned(), "shapes-syntax"),
            ("ex:s sh:minCount \"two\"".to_owned() + " .", "shapes-parameter"),
            ("ex:s sh:minCount 1 , 2 .".to_owned(), "shapes-parameter"),
            ("ex:s sh:datatype \"text\" .".to_owned(), "shapes-parameter"),
            ("ex:s sh:nodeKind ex:Other .".to_owned(), "shapes-parameter"),
            ("ex:s sh:node \"text\" .".to_owned(), "shapes-parameter"),
            (format!("ex:s sh:in ex:l . {long_list}"), "shapes-parameter"),
            ("ex:s sh:in ex:nothing .".to_owned(), "shapes-parameter"),
            ("ex:s sh:pattern \"(\" .".to_owned(), "shapes-pattern"),
            ("ex:s sh:pattern \"a\" ; sh:flags \"z\" .".to_owned(), "shapes-parameter"),
            ("ex:s sh:path [ sh:oneOrMorePath \"text\" ] .".to_owned(), "shapes-path"),
            ("ex:s sh:path _:p . _:p sh:inversePath _:p .".to_owned(), "shapes-path"),
            ("ex:s sh:path ( ex:only ) .".to_owned(), "shapes-path"),
            ("ex:s sh:not ex:s .".to_owned(), "shapes-recursive"),
            (
                "ex:a sh:or ( ex:b ) . ex:b sh:property ex:c . ex:c sh:path ex:p ; sh:node ex:a .".to_owned(),
                "shapes-recursive",
            ),
            (chain(64), "shapes-too-deep"),
        ];
        for (turtle, code) in cases {
            match shapes(&turtle) {
                Ok(_) => panic!("read without error: {turtle}"),
                Err(error) => assert_eq!(error.code(), code, "{turtle}: {error}"),
            }
        }
        assert!(shapes(&chain(63)).is_ok());
    }

    #[test]
    fn subclasses_come_from_the_data_and_from_the_ontology() {
        let asked = "ex:s sh:targetClass ex:Ticket ; sh:property [ sh:path ex:id ; sh:minCount 1 ] .";
        let axioms = "ex:Incident rdfs:subClassOf ex:Disruption . ex:Disruption rdfs:subClassOf ex:Ticket .";
        let alone = shapes(asked).expect("shapes");
        assert!(alone.validate(&graph("ex:i a ex:Incident .")).conforms);
        assert!(!alone.validate(&graph(&format!("ex:i a ex:Incident . {axioms}"))).conforms);
        let knowing = shapes(asked).expect("shapes").with_classes(&graph(axioms));
        assert_eq!(knowing.validate(&graph("ex:i a ex:Incident .")).results.len(), 1);
        let circle = graph("ex:A rdfs:subClassOf ex:B . ex:B rdfs:subClassOf ex:A . ex:i a ex:A .");
        assert!(knowing.validate(&circle).conforms);
    }

    #[test]
    fn results_come_in_the_same_order_whatever_the_order_of_the_triples() {
        let asked = shapes("ex:s sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:maxLength 1 ] .")
            .expect("shapes");
        let triples: Vec<String> =
            (10..40).map(|number| format!("ex:n{number} ex:p \"v{number}\" . ")).collect();
        let backwards: String = triples.iter().rev().map(String::as_str).collect();
        let report = asked.validate(&graph(&triples.concat()));
        assert_eq!(report.results.len(), 30);
        assert_eq!(report, asked.validate(&graph(&backwards)));
        assert!(report.results.is_sorted_by_key(|result| result.focus.to_string()));
    }

    #[test]
    fn paths_walk_backwards_through_sequences_and_around_circles() {
        let asked = shapes(
            "ex:s sh:targetNode ex:c ; sh:property [ sh:path [ sh:inversePath ( ex:p [ sh:zeroOrMorePath ex:q ] ) ] ; sh:hasValue ex:a ] .",
        )
        .expect("shapes");
        assert!(asked.validate(&graph("ex:a ex:p ex:b . ex:b ex:q ex:c . ex:c ex:q ex:b .")).conforms);
        let report = asked.validate(&graph("ex:a ex:q ex:b . ex:b ex:q ex:c . ex:c ex:q ex:b ."));
        assert_eq!(report.results.len(), 1);
        let path = report.results[0].path.as_ref().map(ToString::to_string);
        assert_eq!(path.as_deref(), Some("^(<urn:ex:p>/(<urn:ex:q>)*)"));
    }
}
