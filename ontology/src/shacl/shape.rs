//! What does a shape ask for? Shapes after reading: targets, constraints, severity, message.

use std::collections::BTreeSet;

use oxrdf::{Literal, NamedNode, NamedNodeRef, Term};
use regex::Regex;

use super::path::Path;
use super::report::Severity;
use crate::vocabulary::sh;

/// A shape's place in [`Shapes`](super::Shapes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShapeId(pub(super) usize);

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: Term,
    /// A property shape has one, a node shape has none.
    pub(super) path: Option<Path>,
    pub(super) targets: Vec<Target>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) is_deactivated: bool,
    pub(super) severity: Severity,
    pub(super) message: Option<String>,
}

#[derive(Debug)]
pub(super) enum Target {
    Node(Term),
    Class(NamedNode),
    SubjectsOf(NamedNode),
    ObjectsOf(NamedNode),
}

#[derive(Debug)]
pub(super) enum Constraint {
    Class(NamedNode),
    Datatype(NamedNode),
    NodeKind(NodeKind),
    MinCount(u64),
    MaxCount(u64),
    Bound(Bound, Literal),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Regex),
    LanguageIn(Vec<String>),
    UniqueLang,
    Equals(NamedNode),
    Disjoint(NamedNode),
    LessThan(NamedNode),
    LessThanOrEquals(NamedNode),
    Not(ShapeId),
    And(Vec<ShapeId>),
    Or(Vec<ShapeId>),
    Xone(Vec<ShapeId>),
    Node(ShapeId),
    /// Its findings are those of the property shape itself.
    Property(ShapeId),
    QualifiedMin(Qualified),
    QualifiedMax(Qualified),
    Closed(BTreeSet<String>),
    HasValue(Term),
    In(Vec<Term>),
}

/// How many values must, or may, have a shape.
#[derive(Debug, Clone)]
pub(super) struct Qualified {
    pub(super) shape: ShapeId,
    /// A value that has one of these does not count.
    pub(super) siblings: Vec<ShapeId>,
    pub(super) count: u64,
}

/// Which side of the bound a value must be on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// Which of the three kinds of term are allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeKind {
    pub(super) iri: bool,
    pub(super) blank_node: bool,
    pub(super) literal: bool,
}

impl NodeKind {
    pub(super) fn named(kind: NamedNodeRef<'_>) -> Option<Self> {
        let kinds = [
            (sh::IRI, [true, false, false]),
            (sh::BLANK_NODE, [false, true, false]),
            (sh::LITERAL, [false, false, true]),
            (sh::BLANK_NODE_OR_IRI, [true, true, false]),
            (sh::BLANK_NODE_OR_LITERAL, [false, true, true]),
            (sh::IRI_OR_LITERAL, [true, false, true]),
        ];
        let (_, [iri, blank_node, literal]) = kinds.into_iter().find(|(name, _)| *name == kind)?;
        Some(Self { iri, blank_node, literal })
    }
}

impl Constraint {
    /// The constraint component that a finding names. `sh:property` has none of its own.
    pub(super) fn component(&self) -> NamedNodeRef<'static> {
        match self {
            Self::Class(_) => sh::CLASS_CONSTRAINT_COMPONENT,
            Self::Datatype(_) => sh::DATATYPE_CONSTRAINT_COMPONENT,
            Self::NodeKind(_) => sh::NODE_KIND_CONSTRAINT_COMPONENT,
            Self::MinCount(_) => sh::MIN_COUNT_CONSTRAINT_COMPONENT,
            Self::MaxCount(_) => sh::MAX_COUNT_CONSTRAINT_COMPONENT,
            Self::Bound(Bound::Above, _) => sh::MIN_EXCLUSIVE_CONSTRAINT_COMPONENT,
            Self::Bound(Bound::AtLeast, _) => sh::MIN_INCLUSIVE_CONSTRAINT_COMPONENT,
            Self::Bound(Bound::Below, _) => sh::MAX_EXCLUSIVE_CONSTRAINT_COMPONENT,
            Self::Bound(Bound::AtMost, _) => sh::MAX_INCLUSIVE_CONSTRAINT_COMPONENT,
            Self::MinLength(_) => sh::MIN_LENGTH_CONSTRAINT_COMPONENT,
            Self::MaxLength(_) => sh::MAX_LENGTH_CONSTRAINT_COMPONENT,
            Self::Pattern(_) => sh::PATTERN_CONSTRAINT_COMPONENT,
            Self::LanguageIn(_) => sh::LANGUAGE_IN_CONSTRAINT_COMPONENT,
            Self::UniqueLang => sh::UNIQUE_LANG_CONSTRAINT_COMPONENT,
            Self::Equals(_) => sh::EQUALS_CONSTRAINT_COMPONENT,
            Self::Disjoint(_) => sh::DISJOINT_CONSTRAINT_COMPONENT,
            Self::LessThan(_) => sh::LESS_THAN_CONSTRAINT_COMPONENT,
            Self::LessThanOrEquals(_) => sh::LESS_THAN_OR_EQUALS_CONSTRAINT_COMPONENT,
            Self::Not(_) => sh::NOT_CONSTRAINT_COMPONENT,
            Self::And(_) => sh::AND_CONSTRAINT_COMPONENT,
            Self::Or(_) => sh::OR_CONSTRAINT_COMPONENT,
            Self::Xone(_) => sh::XONE_CONSTRAINT_COMPONENT,
            Self::Node(_) => sh::NODE_CONSTRAINT_COMPONENT,
            Self::Property(_) => sh::PROPERTY,
            Self::QualifiedMin(_) => sh::QUALIFIED_MIN_COUNT_CONSTRAINT_COMPONENT,
            Self::QualifiedMax(_) => sh::QUALIFIED_MAX_COUNT_CONSTRAINT_COMPONENT,
            Self::Closed(_) => sh::CLOSED_CONSTRAINT_COMPONENT,
            Self::HasValue(_) => sh::HAS_VALUE_CONSTRAINT_COMPONENT,
            Self::In(_) => sh::IN_CONSTRAINT_COMPONENT,
        }
    }

    /// What to do about a finding, for shapes that bring no message.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Class(class) => format!("give a node of class {class}"),
            Self::Datatype(datatype) => format!("give a well-formed {datatype}"),
            Self::NodeKind(_) => "give a node of the kind that sh:nodeKind names".to_owned(),
            Self::MinCount(count) => format!("give at least {count} value(s)"),
            Self::MaxCount(count) => format!("give at most {count} value(s)"),
            Self::Bound(Bound::Above, bound) => format!("give a value above {bound}"),
            Self::Bound(Bound::AtLeast, bound) => format!("give a value of at least {bound}"),
            Self::Bound(Bound::Below, bound) => format!("give a value below {bound}"),
            Self::Bound(Bound::AtMost, bound) => format!("give a value of at most {bound}"),
            Self::MinLength(length) => format!("give at least {length} character(s)"),
            Self::MaxLength(length) => format!("give at most {length} character(s)"),
            Self::Pattern(pattern) => format!("give a text that matches {pattern}"),
            Self::LanguageIn(languages) => format!("give a text in one of: {}", languages.join(", ")),
            Self::UniqueLang => "give one text per language".to_owned(),
            Self::Equals(other) => format!("give the same values as {other}"),
            Self::Disjoint(other) => format!("give no value that {other} has too"),
            Self::LessThan(other) => format!("give a value below every value of {other}"),
            Self::LessThanOrEquals(other) => format!("give a value not above any value of {other}"),
            Self::Not(_) => "give a value that does not have the shape of sh:not".to_owned(),
            Self::And(_) => "give a value that has every shape of sh:and".to_owned(),
            Self::Or(_) => "give a value that has a shape of sh:or".to_owned(),
            Self::Xone(_) => "give a value that has exactly one shape of sh:xone".to_owned(),
            Self::Node(_) | Self::Property(_) => "give a value that has the shape".to_owned(),
            Self::QualifiedMin(asked) => {
                format!("give at least {} value(s) that have the shape", asked.count)
            }
            Self::QualifiedMax(asked) => format!("give at most {} value(s) that have the shape", asked.count),
            Self::Closed(_) => "leave this property out: the shape is closed".to_owned(),
            Self::HasValue(value) => format!("give the value {value}"),
            Self::In(allowed) => {
                let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                format!("give one of: {}", allowed.join(", "))
            }
        }
    }

    /// The shapes that this constraint looks into.
    pub(super) fn shapes(&self) -> Vec<ShapeId> {
        match self {
            Self::Not(shape) | Self::Node(shape) | Self::Property(shape) => vec![*shape],
            Self::And(shapes) | Self::Or(shapes) | Self::Xone(shapes) => shapes.clone(),
            Self::QualifiedMin(asked) | Self::QualifiedMax(asked) => {
                asked.siblings.iter().copied().chain([asked.shape]).collect()
            }
            _ => Vec::new(),
        }
    }
}
