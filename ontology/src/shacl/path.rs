//! Which nodes does a property path reach? Reading a path from a shapes graph, writing it, walking it.

use std::collections::HashSet;
use std::fmt;

use oxrdf::{Graph, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, TermRef};

use super::ShapesError;
use crate::vocabulary::{rdf, sh};

/// Paths inside paths, at most: real ones have three or four, and the limit keeps reading and walking off the stack's end.
const DEPTH_LIMIT: usize = 32;

/// A property path. `Display` writes it as SPARQL does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Path {
    /// The objects of a predicate.
    Predicate(NamedNode),
    /// The other way round.
    Inverse(Box<Path>),
    /// One after the other.
    Sequence(Vec<Path>),
    /// Any of them.
    Alternative(Vec<Path>),
    /// Again and again, or not at all.
    ZeroOrMore(Box<Path>),
    /// Again and again, at least once.
    OneOrMore(Box<Path>),
    /// Once or not at all.
    ZeroOrOne(Box<Path>),
}

impl Path {
    /// Reads the path at `node` of a shapes graph.
    pub(super) fn read(graph: &Graph, node: TermRef<'_>) -> Result<Self, ShapesError> {
        Self::read_at(graph, node, DEPTH_LIMIT)
    }

    fn read_at(graph: &Graph, node: TermRef<'_>, depth_left: usize) -> Result<Self, ShapesError> {
        let ill_formed = |problem| ShapesError::Path { node: node.to_string(), problem };
        let subject = match node {
            TermRef::NamedNode(predicate) => return Ok(Self::Predicate(predicate.into_owned())),
            TermRef::BlankNode(blank) => NamedOrBlankNodeRef::from(blank),
            _ => return Err(ill_formed("a path is an IRI or a blank node")),
        };
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return Err(ill_formed("it is nested more than 32 deep, or contains itself"));
        };
        let of = |predicate: NamedNodeRef<'_>| graph.object_for_subject_predicate(subject, predicate);
        let inner = |node| Self::read_at(graph, node, depth_left);
        let members = |list| -> Result<Vec<Self>, ShapesError> {
            let members =
                read_list(graph, list).ok_or_else(|| ill_formed("its list does not end in rdf:nil"))?;
            if members.len() < 2 {
                return Err(ill_formed("a sequence or an alternative has at least two members"));
            }
            members.into_iter().map(inner).collect()
        };
        // A node may carry a list and something else besides: the suite reads the list.
        if of(rdf::FIRST).is_some() {
            Ok(Self::Sequence(members(node)?))
        } else if let Some(path) = of(sh::INVERSE_PATH) {
            Ok(Self::Inverse(Box::new(inner(path)?)))
        } else if let Some(list) = of(sh::ALTERNATIVE_PATH) {
            Ok(Self::Alternative(members(list)?))
        } else if let Some(path) = of(sh::ZERO_OR_MORE_PATH) {
            Ok(Self::ZeroOrMore(Box::new(inner(path)?)))
        } else if let Some(path) = of(sh::ONE_OR_MORE_PATH) {
            Ok(Self::OneOrMore(Box::new(inner(path)?)))
        } else if let Some(path) = of(sh::ZERO_OR_ONE_PATH) {
            Ok(Self::ZeroOrOne(Box::new(inner(path)?)))
        } else {
            Err(ill_formed("it is none of the kinds that SHACL has"))
        }
    }

    /// The nodes reached from `start`, each once.
    pub(super) fn reach<'a>(&self, data: &'a Graph, start: TermRef<'a>) -> Vec<TermRef<'a>> {
        if let Self::Predicate(predicate) = self {
            // The usual case; a graph gives each object once.
            let subject = as_subject(start);
            return subject
                .map(|subject| data.objects_for_subject_predicate(subject, predicate).collect())
                .unwrap_or_default();
        }
        let mut found = NodeSet::default();
        self.walk(data, start, Direction::Forward, &mut found);
        found.nodes
    }

    fn walk<'a>(&self, data: &'a Graph, start: TermRef<'a>, direction: Direction, found: &mut NodeSet<'a>) {
        match (self, direction) {
            (Self::Predicate(predicate), Direction::Forward) => {
                if let Some(subject) = as_subject(start) {
                    data.objects_for_subject_predicate(subject, predicate).for_each(|node| found.add(node));
                }
            }
            (Self::Predicate(predicate), Direction::Backward) => {
                data.subjects_for_predicate_object(predicate, start).for_each(|node| found.add(node.into()));
            }
            (Self::Inverse(path), _) => path.walk(data, start, direction.turned(), found),
            (Self::Sequence(paths), Direction::Forward) => {
                walk_sequence(paths.iter(), data, start, direction, found);
            }
            (Self::Sequence(paths), Direction::Backward) => {
                walk_sequence(paths.iter().rev(), data, start, direction, found);
            }
            (Self::Alternative(paths), _) => {
                for path in paths {
                    path.walk(data, start, direction, found);
                }
            }
            (Self::ZeroOrOne(path), _) => {
                found.add(start);
                path.walk(data, start, direction, found);
            }
            (Self::ZeroOrMore(path), _) => {
                let mut reached = NodeSet::default();
                reached.add(start);
                walk_on(path, data, direction, reached, found);
            }
            (Self::OneOrMore(path), _) => {
                let mut reached = NodeSet::default();
                path.walk(data, start, direction, &mut reached);
                walk_on(path, data, direction, reached, found);
            }
        }
    }
}

/// Nodes in the order in which they were found, each once.
#[derive(Default)]
struct NodeSet<'a> {
    nodes: Vec<TermRef<'a>>,
    seen: HashSet<TermRef<'a>>,
}

impl<'a> NodeSet<'a> {
    fn add(&mut self, node: TermRef<'a>) {
        if self.seen.insert(node) {
            self.nodes.push(node);
        }
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn turned(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

fn walk_sequence<'a, 'p>(
    paths: impl Iterator<Item = &'p Path>,
    data: &'a Graph,
    start: TermRef<'a>,
    direction: Direction,
    found: &mut NodeSet<'a>,
) {
    let mut nodes = vec![start];
    for path in paths {
        let mut next = NodeSet::default();
        for node in nodes {
            path.walk(data, node, direction, &mut next);
        }
        nodes = next.nodes;
    }
    nodes.into_iter().for_each(|node| found.add(node));
}

/// Walks the path from each node in `reached` and from whatever that reaches, until nothing new comes.
fn walk_on<'a>(
    path: &Path,
    data: &'a Graph,
    direction: Direction,
    mut reached: NodeSet<'a>,
    found: &mut NodeSet<'a>,
) {
    let mut next = 0;
    while let Some(&node) = reached.nodes.get(next) {
        path.walk(data, node, direction, &mut reached);
        next += 1;
    }
    reached.nodes.into_iter().for_each(|node| found.add(node));
}

/// The node as the subject of a triple, which a literal cannot be.
pub(super) fn as_subject(term: TermRef<'_>) -> Option<NamedOrBlankNodeRef<'_>> {
    match term {
        TermRef::NamedNode(node) => Some(node.into()),
        TermRef::BlankNode(node) => Some(node.into()),
        _ => None,
    }
}

/// The members of an RDF list; `None` where it is broken or bites its own tail.
pub(super) fn read_list<'g>(graph: &'g Graph, list: TermRef<'g>) -> Option<Vec<TermRef<'g>>> {
    let mut members = Vec::new();
    let mut node = list;
    while node != TermRef::from(rdf::NIL) {
        let subject = as_subject(node)?;
        members.push(graph.object_for_subject_predicate(subject, rdf::FIRST)?);
        node = graph.object_for_subject_predicate(subject, rdf::REST)?;
        if members.len() > graph.len() {
            return None;
        }
    }
    Some(members)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, paths: &[Self], between: &str| {
            f.write_str("(")?;
            for (position, path) in paths.iter().enumerate() {
                f.write_str(if position == 0 { "" } else { between })?;
                path.fmt(f)?;
            }
            f.write_str(")")
        };
        match self {
            Self::Predicate(predicate) => predicate.fmt(f),
            Self::Inverse(path) => write!(f, "^{path}"),
            Self::Sequence(paths) => joined(f, paths, "/"),
            Self::Alternative(paths) => joined(f, paths, "|"),
            Self::ZeroOrMore(path) => write!(f, "({path})*"),
            Self::OneOrMore(path) => write!(f, "({path})+"),
            Self::ZeroOrOne(path) => write!(f, "({path})?"),
        }
    }
}
