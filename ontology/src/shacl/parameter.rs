//! Which values does a shape give its parameters? Reads them from the shapes graph, each as the kind of term that it must be.

use std::collections::BTreeSet;

use oxrdf::{Graph, Literal, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, TermRef};
use regex::{Regex, RegexBuilder};

use super::ShapesError;
use super::path::{as_subject, read_list};
use super::shape::Constraint;
use crate::vocabulary::sh;

/// A shape's node in the graph, and reading its parameters.
pub(super) struct Place<'g> {
    graph: &'g Graph,
    pub(super) node: TermRef<'g>,
    subject: NamedOrBlankNodeRef<'g>,
}

impl<'g> Place<'g> {
    pub(super) fn new(graph: &'g Graph, node: TermRef<'g>) -> Result<Self, ShapesError> {
        let subject = as_subject(node).ok_or_else(|| ShapesError::NotAShape { node: node.to_string() })?;
        Ok(Self { graph, node, subject })
    }

    pub(super) fn error(&self, parameter: NamedNodeRef<'static>, expected: &'static str) -> ShapesError {
        let local = parameter.as_str().strip_prefix(sh::NAMESPACE).unwrap_or(parameter.as_str());
        ShapesError::Parameter { shape: self.node.to_string(), parameter: format!("sh:{local}"), expected }
    }

    pub(super) fn values(
        &self,
        parameter: NamedNodeRef<'static>,
    ) -> impl Iterator<Item = TermRef<'g>> + use<'g> {
        self.graph.objects_for_subject_predicate(self.subject, parameter)
    }

    pub(super) fn single(
        &self,
        parameter: NamedNodeRef<'static>,
    ) -> Result<Option<TermRef<'g>>, ShapesError> {
        let mut values = self.values(parameter);
        let first = values.next();
        if values.next().is_some() {
            return Err(self.error(parameter, "one value at most"));
        }
        Ok(first)
    }

    pub(super) fn each(
        &self,
        parameter: NamedNodeRef<'static>,
        found: &mut Vec<Constraint>,
        mut read: impl FnMut(TermRef<'g>) -> Result<Constraint, ShapesError>,
    ) -> Result<(), ShapesError> {
        for value in self.values(parameter) {
            found.push(read(value)?);
        }
        Ok(())
    }

    pub(super) fn each_iri(
        &self,
        parameter: NamedNodeRef<'static>,
        found: &mut Vec<Constraint>,
        constraint: fn(NamedNode) -> Constraint,
    ) -> Result<(), ShapesError> {
        self.each(parameter, found, |value| Ok(constraint(self.iri(parameter, value)?)))
    }

    pub(super) fn each_count(
        &self,
        parameter: NamedNodeRef<'static>,
        found: &mut Vec<Constraint>,
        constraint: fn(u64) -> Constraint,
    ) -> Result<(), ShapesError> {
        found.extend(self.count(parameter)?.map(constraint));
        Ok(())
    }

    pub(super) fn iri(
        &self,
        parameter: NamedNodeRef<'static>,
        value: TermRef<'_>,
    ) -> Result<NamedNode, ShapesError> {
        match value {
            TermRef::NamedNode(iri) => Ok(iri.into_owned()),
            _ => Err(self.error(parameter, "an IRI")),
        }
    }

    pub(super) fn literal(
        &self,
        parameter: NamedNodeRef<'static>,
        value: TermRef<'_>,
    ) -> Result<Literal, ShapesError> {
        match value {
            TermRef::Literal(literal) => Ok(literal.into_owned()),
            _ => Err(self.error(parameter, "a literal")),
        }
    }

    pub(super) fn count(&self, parameter: NamedNodeRef<'static>) -> Result<Option<u64>, ShapesError> {
        let Some(value) = self.single(parameter)? else {
            return Ok(None);
        };
        let text = self.literal(parameter, value)?;
        text.value()
            .parse()
            .map(Some)
            .map_err(|_not_a_count| self.error(parameter, "an integer that is not negative"))
    }

    pub(super) fn flag(&self, parameter: NamedNodeRef<'static>) -> Result<bool, ShapesError> {
        let Some(value) = self.single(parameter)? else {
            return Ok(false);
        };
        match self.literal(parameter, value)?.value() {
            "true" => Ok(true),
            // SHACL asks for the term `true`; the suite's uniqueLang-002 holds "1" to be another one
            "false" | "0" | "1" => Ok(false),
            _ => Err(self.error(parameter, "true or false")),
        }
    }

    pub(super) fn list(
        &self,
        parameter: NamedNodeRef<'static>,
        list: TermRef<'g>,
    ) -> Result<Vec<TermRef<'g>>, ShapesError> {
        read_list(self.graph, list).ok_or_else(|| self.error(parameter, "a list that ends in rdf:nil"))
    }

    /// The shape's message: the one without language tag, else the English one, else the first by tag.
    pub(super) fn message(&self) -> Option<String> {
        let messages = self.values(sh::MESSAGE).filter_map(|value| match value {
            TermRef::Literal(text) => Some(text),
            _ => None,
        });
        let rank = |language: Option<&'g str>| match language {
            None => (0, ""),
            Some(tag) => (if tag.starts_with("en") { 1 } else { 2 }, tag),
        };
        let first = messages.min_by_key(|text| (rank(text.language()), text.value()));
        first.map(|text| text.value().to_owned())
    }

    pub(super) fn pattern(&self, value: TermRef<'_>) -> Result<Regex, ShapesError> {
        let pattern = self.literal(sh::PATTERN, value)?;
        let flags = self.single(sh::FLAGS)?.map(|flags| self.literal(sh::FLAGS, flags)).transpose()?;
        let flags = flags.as_ref().map_or("", Literal::value);
        if !flags.chars().all(|flag| "ismxq".contains(flag)) {
            return Err(self.error(sh::FLAGS, "letters of i, s, m, x, q"));
        }
        let pattern =
            if flags.contains('q') { regex::escape(pattern.value()) } else { pattern.value().to_owned() };
        RegexBuilder::new(&pattern)
            .case_insensitive(flags.contains('i'))
            .dot_matches_new_line(flags.contains('s'))
            .multi_line(flags.contains('m'))
            .ignore_whitespace(flags.contains('x'))
            .build()
            .map_err(|source| ShapesError::Pattern { shape: self.node.to_string(), source: Box::new(source) })
    }

    /// What a closed shape allows: the predicates of its property shapes, and those that it says to ignore.
    pub(super) fn known_properties(&self) -> Result<BTreeSet<String>, ShapesError> {
        let mut known = BTreeSet::new();
        for property in self.values(sh::PROPERTY).filter_map(as_subject) {
            let paths = self.graph.objects_for_subject_predicate(property, sh::PATH);
            known.extend(paths.filter_map(|path| match path {
                TermRef::NamedNode(predicate) => Some(predicate.as_str().to_owned()),
                _ => None,
            }));
        }
        for list in self.values(sh::IGNORED_PROPERTIES) {
            for property in self.list(sh::IGNORED_PROPERTIES, list)? {
                known.insert(self.iri(sh::IGNORED_PROPERTIES, property)?.into_string());
            }
        }
        Ok(known)
    }

    /// The qualified value shapes of the properties beside this one, without its own.
    pub(super) fn siblings(&self, own: TermRef<'g>) -> Vec<TermRef<'g>> {
        let parents = self.graph.subjects_for_predicate_object(sh::PROPERTY, self.node);
        let properties =
            parents.flat_map(|parent| self.graph.objects_for_subject_predicate(parent, sh::PROPERTY));
        let shapes = properties.filter_map(as_subject).flat_map(|property| {
            self.graph.objects_for_subject_predicate(property, sh::QUALIFIED_VALUE_SHAPE)
        });
        shapes.filter(|shape| *shape != own).collect()
    }
}
