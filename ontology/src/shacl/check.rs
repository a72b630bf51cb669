//! Does a node have a shape? Walks focus nodes and constraints and gathers what does not hold.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use oxrdf::{Graph, NamedNode, NamedNodeRef, TermRef, TripleRef};

use super::Shapes;
use super::path::as_subject;
use super::report::Finding;
use super::shape::{Bound, Constraint, NodeKind, Qualified, Shape, ShapeId, Target};
use super::value::{compare, is_well_formed};

/// One validation: shapes against data.
pub(super) struct Check<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) data: &'a Graph,
}

/// What was found so far, and whether one finding is enough.
struct Findings<'a> {
    list: Vec<Finding<'a>>,
    first_only: bool,
}

impl Findings<'_> {
    fn are_enough(&self) -> bool {
        self.first_only && !self.list.is_empty()
    }
}

/// A shape at a focus node, with the nodes that its path reaches.
struct Visit<'a> {
    shape: &'a Shape,
    focus: TermRef<'a>,
    values: Vec<TermRef<'a>>,
}

impl<'a> Visit<'a> {
    fn finding(&self, constraint: &'a Constraint, value: Option<TermRef<'a>>) -> Finding<'a> {
        Finding { focus: self.focus, value, shape: self.shape, constraint, predicate: None }
    }
}

impl<'a> Check<'a> {
    /// Every finding of every shape with a target.
    pub(super) fn run(&self) -> Vec<Finding<'a>> {
        let mut findings = Findings { list: Vec::new(), first_only: false };
        for shape in &self.shapes.shapes {
            for focus in self.focus_nodes(shape) {
                self.visit(shape, focus, &mut findings);
            }
        }
        findings.list
    }

    fn focus_nodes(&self, shape: &'a Shape) -> Vec<TermRef<'a>> {
        let mut seen = HashSet::new();
        let mut nodes = Vec::new();
        for target in &shape.targets {
            let mut add = |node: TermRef<'a>| {
                if seen.insert(node) {
                    nodes.push(node);
                }
            };
            let triples = |predicate: &'a NamedNode| self.data.triples_for_predicate(predicate.as_ref());
            match target {
                Target::Node(node) => add(node.as_ref()),
                Target::Class(class) => {
                    self.shapes.classes.instances(self.data, class.as_ref()).into_iter().for_each(add);
                }
                Target::SubjectsOf(predicate) => {
                    triples(predicate).for_each(|triple| add(triple.subject.into()))
                }
                Target::ObjectsOf(predicate) => triples(predicate).for_each(|triple| add(triple.object)),
            }
        }
        nodes
    }

    fn has_shape(&self, node: TermRef<'a>, shape: ShapeId) -> bool {
        let mut findings = Findings { list: Vec::new(), first_only: true };
        self.visit(&self.shapes.shapes[shape.0], node, &mut findings);
        findings.list.is_empty()
    }

    fn visit(&self, shape: &'a Shape, focus: TermRef<'a>, findings: &mut Findings<'a>) {
        if shape.is_deactivated {
            return;
        }
        let values = match &shape.path {
            Some(path) => path.reach(self.data, focus),
            None => vec![focus],
        };
        let visit = Visit { shape, focus, values };
        for constraint in &shape.constraints {
            self.check(&visit, constraint, findings);
            if findings.are_enough() {
                return;
            }
        }
    }

    /// Constraints on the values as a whole; the others are asked of each value.
    fn check(&self, visit: &Visit<'a>, constraint: &'a Constraint, findings: &mut Findings<'a>) {
        let values = &visit.values;
        let count = values.len() as u64;
        let whole_holds = match constraint {
            Constraint::MinCount(least) => count >= *least,
            Constraint::MaxCount(most) => count <= *most,
            Constraint::HasValue(wanted) => values.contains(&wanted.as_ref()),
            Constraint::QualifiedMin(asked) => self.qualified(values, asked) >= asked.count,
            Constraint::QualifiedMax(asked) => self.qualified(values, asked) <= asked.count,
            Constraint::UniqueLang => return check_languages(visit, constraint, findings),
            Constraint::Equals(other) => return self.check_equal(visit, constraint, other, findings),
            Constraint::LessThan(other) => {
                let holds = |order| order == Some(Ordering::Less);
                return self.check_order(visit, constraint, other, holds, findings);
            }
            Constraint::LessThanOrEquals(other) => {
                let holds = |order| matches!(order, Some(Ordering::Less | Ordering::Equal));
                return self.check_order(visit, constraint, other, holds, findings);
            }
            Constraint::Closed(known) => {
                return self.check_closed(visit, constraint, |predicate| known.contains(predicate), findings);
            }
            Constraint::Property(shape) => {
                for value in values {
                    self.visit(&self.shapes.shapes[shape.0], *value, findings);
                }
                return;
            }
            _ => {
                let wrong =
                    values.iter().copied().filter(|value| !self.holds(visit.focus, *value, constraint));
                findings.list.extend(wrong.map(|value| visit.finding(constraint, Some(value))));
                return;
            }
        };
        if !whole_holds {
            findings.list.push(visit.finding(constraint, None));
        }
    }

    /// Whether a constraint that is asked of each value holds for this one.
    fn holds(&self, focus: TermRef<'a>, value: TermRef<'a>, constraint: &'a Constraint) -> bool {
        match constraint {
            Constraint::Class(class) => self.shapes.classes.is_instance(self.data, value, class.as_ref()),
            Constraint::Datatype(datatype) => match value {
                TermRef::Literal(literal) => {
                    literal.datatype() == datatype.as_ref() && is_well_formed(literal)
                }
                _ => false,
            },
            Constraint::NodeKind(kind) => is_kind(value, *kind),
            Constraint::Bound(bound, limit) => is_within(compare(value, limit.as_ref().into()), *bound),
            Constraint::MinLength(least) => {
                *least == 0 && text(value).is_some() || length(value) >= Some(*least)
            }
            Constraint::MaxLength(most) => length(value).is_some_and(|length| length <= *most),
            Constraint::Pattern(pattern) => text(value).is_some_and(|text| pattern.is_match(text)),
            Constraint::LanguageIn(ranges) => match value {
                TermRef::Literal(literal) => {
                    literal.language().is_some_and(|tag| is_language_in(tag, ranges))
                }
                _ => false,
            },
            Constraint::Disjoint(other) => !self.says(focus, other.as_ref(), value),
            Constraint::Not(shape) => !self.has_shape(value, *shape),
            Constraint::And(shapes) => shapes.iter().all(|shape| self.has_shape(value, *shape)),
            Constraint::Or(shapes) => shapes.iter().any(|shape| self.has_shape(value, *shape)),
            Constraint::Xone(shapes) => {
                shapes.iter().filter(|shape| self.has_shape(value, **shape)).count() == 1
            }
            Constraint::Node(shape) => self.has_shape(value, *shape),
            Constraint::In(allowed) => allowed.iter().any(|allowed| allowed.as_ref() == value),
            // asked of the values as a whole, in `check`
            Constraint::MinCount(_)
            | Constraint::MaxCount(_)
            | Constraint::HasValue(_)
            | Constraint::QualifiedMin(_)
            | Constraint::QualifiedMax(_)
            | Constraint::UniqueLang
            | Constraint::Equals(_)
            | Constraint::LessThan(_)
            | Constraint::LessThanOrEquals(_)
            | Constraint::Closed(_)
            | Constraint::Property(_) => true,
        }
    }

    fn says(&self, subject: TermRef<'_>, predicate: NamedNodeRef<'_>, object: TermRef<'_>) -> bool {
        as_subject(subject)
            .is_some_and(|subject| self.data.contains(TripleRef::new(subject, predicate, object)))
    }

    fn objects(&self, subject: TermRef<'a>, predicate: &NamedNode) -> Vec<TermRef<'a>> {
        let subject = as_subject(subject);
        subject
            .map(|subject| self.data.objects_for_subject_predicate(subject, predicate).collect())
            .unwrap_or_default()
    }

    fn qualified(&self, values: &[TermRef<'a>], asked: &Qualified) -> u64 {
        let counts = |value: &&TermRef<'a>| {
            self.has_shape(**value, asked.shape)
                && !asked.siblings.iter().any(|sibling| self.has_shape(**value, *sibling))
        };
        values.iter().filter(counts).count() as u64
    }

    fn check_equal(
        &self,
        visit: &Visit<'a>,
        constraint: &'a Constraint,
        other: &NamedNode,
        findings: &mut Findings<'a>,
    ) {
        let others = self.objects(visit.focus, other);
        let values: HashSet<TermRef<'a>> = visit.values.iter().copied().collect();
        let extra = visit.values.iter().filter(|value| !self.says(visit.focus, other.as_ref(), **value));
        let missing = others.iter().filter(|other| !values.contains(*other));
        findings.list.extend(extra.chain(missing).map(|value| visit.finding(constraint, Some(*value))));
    }

    fn check_order(
        &self,
        visit: &Visit<'a>,
        constraint: &'a Constraint,
        other: &NamedNode,
        holds: impl Fn(Option<Ordering>) -> bool,
        findings: &mut Findings<'a>,
    ) {
        let others = self.objects(visit.focus, other);
        for value in &visit.values {
            let wrong = others.iter().filter(|other| !holds(compare(*value, **other)));
            findings.list.extend(wrong.map(|_| visit.finding(constraint, Some(*value))));
        }
    }

    fn check_closed(
        &self,
        visit: &Visit<'a>,
        constraint: &'a Constraint,
        is_known: impl Fn(&str) -> bool,
        findings: &mut Findings<'a>,
    ) {
        for subject in visit.values.iter().filter_map(|value| as_subject(*value)) {
            let unknown =
                self.data.triples_for_subject(subject).filter(|triple| !is_known(triple.predicate.as_str()));
            findings.list.extend(unknown.map(|triple| Finding {
                predicate: Some(triple.predicate),
                ..visit.finding(constraint, Some(triple.object))
            }));
        }
    }
}

/// One finding for each language that two values or more have.
fn check_languages<'a>(visit: &Visit<'a>, constraint: &'a Constraint, findings: &mut Findings<'a>) {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for value in &visit.values {
        if let TermRef::Literal(literal) = value
            && let Some(language) = literal.language()
        {
            *uses.entry(language.to_ascii_lowercase()).or_default() += 1;
        }
    }
    let repeated = uses.values().filter(|count| **count > 1);
    findings.list.extend(repeated.map(|_| visit.finding(constraint, None)));
}

fn is_kind(value: TermRef<'_>, kind: NodeKind) -> bool {
    kind.iri && value.is_named_node()
        || kind.blank_node && value.is_blank_node()
        || kind.literal && value.is_literal()
}

fn is_within(order: Option<Ordering>, bound: Bound) -> bool {
    match bound {
        Bound::Above => order == Some(Ordering::Greater),
        Bound::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Bound::Below => order == Some(Ordering::Less),
        Bound::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// The text of an IRI or literal; a blank node has none.
fn text(value: TermRef<'_>) -> Option<&str> {
    match value {
        TermRef::NamedNode(iri) => Some(iri.as_str()),
        TermRef::Literal(literal) => Some(literal.value()),
        _ => None,
    }
}

/// Length of the text, in Unicode characters.
fn length(value: TermRef<'_>) -> Option<u64> {
    text(value).map(|text| text.chars().count() as u64)
}

/// Basic filtering of RFC 4647, as SPARQL's `langMatches` has it.
fn is_language_in(tag: &str, ranges: &[String]) -> bool {
    ranges.iter().any(|range| {
        let head = tag.get(..range.len()).is_some_and(|head| head.eq_ignore_ascii_case(range));
        range == "*" || head && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
    })
}
