//! What does not conform, and what is to be done about it? The outcome of a validation.

use std::fmt;

use oxrdf::{NamedNode, NamedNodeRef, Term, TermRef};

use super::path::Path;
use super::shape::{Constraint, Shape};
use crate::vocabulary::sh;

/// The outcome of a validation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Report {
    /// Whether there is no result at all, of whatever severity.
    pub conforms: bool,
    /// What does not conform, ordered by focus node, path, component and value.
    pub results: Vec<ValidationResult>,
}

/// One thing that does not conform.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationResult {
    /// The node that was looked at.
    pub focus: Term,
    /// The path from it to the values; none for a node shape.
    pub path: Option<Path>,
    /// The value that is wrong; none where the values are wrong as a whole, as when one is missing.
    pub value: Option<Term>,
    /// The shape that asks for something else.
    pub source_shape: Term,
    /// The constraint component that asks for it, such as `sh:MinCountConstraintComponent`.
    pub component: NamedNodeRef<'static>,
    /// How bad it is.
    pub severity: Severity,
    /// What a person should do: the shape's `sh:message`, else a sentence made from the constraint.
    pub message: String,
}

/// How bad a result is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// `sh:Violation`, which a shape has unless it says otherwise.
    Violation,
    /// `sh:Warning`
    Warning,
    /// `sh:Info`
    Info,
    /// One that the shapes graph brings itself.
    Other(NamedNode),
}

impl Severity {
    /// The severity that an IRI names.
    pub(super) fn named(iri: NamedNodeRef<'_>) -> Self {
        match iri {
            sh::VIOLATION => Self::Violation,
            sh::WARNING => Self::Warning,
            sh::INFO => Self::Info,
            other => Self::Other(other.into_owned()),
        }
    }

    /// Its IRI.
    pub fn iri(&self) -> NamedNodeRef<'_> {
        match self {
            Self::Violation => sh::VIOLATION,
            Self::Warning => sh::WARNING,
            Self::Info => sh::INFO,
            Self::Other(iri) => iri.as_ref(),
        }
    }
}

impl fmt::Display for ValidationResult {
    /// `<focus> <path> value: message`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.focus.fmt(f)?;
        if let Some(path) = &self.path {
            write!(f, " {path}")?;
        }
        if let Some(value) = &self.value {
            write!(f, " {value}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A result before it is known whether anybody wants to read it: everything borrowed.
pub(super) struct Finding<'a> {
    pub(super) focus: TermRef<'a>,
    pub(super) value: Option<TermRef<'a>>,
    pub(super) shape: &'a Shape,
    pub(super) constraint: &'a Constraint,
    /// The predicate that a closed shape does not know; it stands for the shape's own path.
    pub(super) predicate: Option<NamedNodeRef<'a>>,
}

impl Report {
    pub(super) fn of(findings: Vec<Finding<'_>>) -> Self {
        let mut results: Vec<_> = findings.into_iter().map(ValidationResult::from).collect();
        results.sort_by_cached_key(|result| {
            let text = |term: &Option<Term>| term.as_ref().map(ToString::to_string);
            let path = result.path.as_ref().map(ToString::to_string);
            (
                result.focus.to_string(),
                path,
                result.component.as_str(),
                text(&result.value),
                result.message.clone(),
            )
        });
        Self { conforms: results.is_empty(), results }
    }
}

impl From<Finding<'_>> for ValidationResult {
    fn from(finding: Finding<'_>) -> Self {
        Self {
            focus: finding.focus.into_owned(),
            path: match finding.predicate {
                Some(predicate) => Some(Path::Predicate(predicate.into_owned())),
                None => finding.shape.path.clone(),
            },
            value: finding.value.map(TermRef::into_owned),
            source_shape: finding.shape.name.clone(),
            component: finding.constraint.component(),
            severity: finding.shape.severity.clone(),
            message: finding.shape.message.clone().unwrap_or_else(|| finding.constraint.advice()),
        }
    }
}
