//! What must be done to a query before it runs? `SERVICE` and too many parts are refused, and rows that hold no term at all
//! are given one.
//!
//! The [`deadline`](super::deadline) counts copies of terms. Only rows without any bound variable are multiplied without a
//! copy: `{} UNION {}`, `VALUES ?x { UNDEF UNDEF }`, a sub-select of variables that nothing binds. Forty such pairs make
//! 2⁴⁰ rows. So wherever such rows can come about, each is given a constant under a fresh variable. Nothing a caller sees
//! changes: the variable is in no projection and on no other side of a join, and `COUNT(DISTINCT *)`, which would see it,
//! gets a projection of what the query can see.
//!
//! Planning takes time that grows with the cube of the query and more, and looks at no clock. So a query has at most [`PARTS_LIMIT`]
//! parts.

use std::collections::BTreeSet;

use oxigraph::model::{Literal, Variable};
use spargebra::Query;
use spargebra::algebra::{
    AggregateExpression, Expression, GraphPattern, OrderExpression, PropertyPathExpression,
};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

/// How many triples, groups, path steps and operators a query may have; rows of `VALUES` and members of `IN` are free.
pub(crate) const PARTS_LIMIT: usize = 100;

/// Why a query is not run.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It calls another server.
    Service,
    /// It has too many parts.
    Parts(usize),
}

/// Prepares a query; see the module's text.
pub(crate) fn prepare(query: &mut Query) -> Result<(), Refused> {
    let (Query::Select { pattern, .. }
    | Query::Construct { pattern, .. }
    | Query::Describe { pattern, .. }
    | Query::Ask { pattern, .. }) = query;
    let mut walk = Walk { fresh: 0, parts: 0, calls_service: false };
    walk.top(pattern);
    if walk.parts > PARTS_LIMIT {
        return Err(Refused::Parts(walk.parts));
    }
    if walk.calls_service { Err(Refused::Service) } else { Ok(()) }
}

struct Walk {
    fresh: u32,
    parts: usize,
    calls_service: bool,
}

impl Walk {
    /// The outermost projection stays outermost, since it says which columns there are.
    fn top(&mut self, pattern: &mut GraphPattern) {
        match pattern {
            GraphPattern::Project { inner, .. } => self.pattern(inner),
            GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.top(inner),
            other => self.pattern(other),
        }
    }

    fn pattern(&mut self, pattern: &mut GraphPattern) {
        self.parts += 1;
        match pattern {
            GraphPattern::Bgp { patterns } => self.parts += patterns.len(),
            GraphPattern::Path { path, .. } => self.path(path),
            GraphPattern::Values { .. } => self.mark_unless_bound(pattern),
            GraphPattern::Join { left, right }
            | GraphPattern::Lateral { left, right }
            | GraphPattern::Minus { left, right } => {
                self.pattern(left);
                self.pattern(right);
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.pattern(left);
                self.pattern(right);
                expression.iter_mut().for_each(|expression| self.expression(expression));
            }
            GraphPattern::Filter { expr, inner } => {
                self.pattern(inner);
                self.expression(expr);
            }
            GraphPattern::Union { left, right } => {
                for side in [left, right] {
                    self.pattern(side);
                    self.mark_unless_bound(side);
                }
            }
            GraphPattern::Extend { inner, expression, .. } => {
                self.pattern(inner);
                self.expression(expression);
            }
            GraphPattern::Graph { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::Slice { inner, .. } => self.pattern(inner),
            GraphPattern::OrderBy { inner, expression } => {
                self.pattern(inner);
                for OrderExpression::Asc(expression) | OrderExpression::Desc(expression) in expression {
                    self.expression(expression);
                }
            }
            GraphPattern::Project { inner, .. } => {
                self.pattern(inner);
                self.mark_unless_bound(pattern);
            }
            GraphPattern::Group { inner, aggregates, .. } => {
                let is_counting = |(_, aggregate): &(_, _)| {
                    matches!(aggregate, AggregateExpression::CountSolutions { distinct: true })
                };
                let seen = aggregates.iter().any(is_counting).then(|| in_scope(inner));
                self.pattern(inner);
                if let Some(variables) = seen {
                    let whole = std::mem::take(&mut **inner);
                    **inner = GraphPattern::Project { inner: Box::new(whole), variables };
                }
                for (_, aggregate) in aggregates {
                    if let AggregateExpression::FunctionCall { expr, .. } = aggregate {
                        self.expression(expr);
                    }
                }
            }
            GraphPattern::Service { .. } => self.calls_service = true,
        }
    }

    fn path(&mut self, path: &PropertyPathExpression) {
        self.parts += 1;
        match path {
            PropertyPathExpression::NamedNode(_) => {}
            PropertyPathExpression::NegatedPropertySet(names) => self.parts += names.len(),
            PropertyPathExpression::Reverse(inner)
            | PropertyPathExpression::ZeroOrMore(inner)
            | PropertyPathExpression::OneOrMore(inner)
            | PropertyPathExpression::ZeroOrOne(inner) => self.path(inner),
            PropertyPathExpression::Sequence(left, right)
            | PropertyPathExpression::Alternative(left, right) => {
                self.path(left);
                self.path(right);
            }
        }
    }

    fn expression(&mut self, expression: &mut Expression) {
        self.parts += 1;
        match expression {
            Expression::NamedNode(_)
            | Expression::Literal(_)
            | Expression::Variable(_)
            | Expression::Bound(_) => self.parts -= 1,
            Expression::Or(a, b)
            | Expression::And(a, b)
            | Expression::Equal(a, b)
            | Expression::SameTerm(a, b)
            | Expression::Greater(a, b)
            | Expression::GreaterOrEqual(a, b)
            | Expression::Less(a, b)
            | Expression::LessOrEqual(a, b)
            | Expression::Add(a, b)
            | Expression::Subtract(a, b)
            | Expression::Multiply(a, b)
            | Expression::Divide(a, b) => {
                self.expression(a);
                self.expression(b);
            }
            Expression::UnaryPlus(a) | Expression::UnaryMinus(a) | Expression::Not(a) => self.expression(a),
            Expression::If(a, b, c) => [a, b, c].into_iter().for_each(|each| self.expression(each)),
            Expression::In(a, list) => {
                self.expression(a);
                list.iter_mut().for_each(|each| self.expression(each));
            }
            Expression::Coalesce(list) | Expression::FunctionCall(_, list) => {
                list.iter_mut().for_each(|each| self.expression(each));
            }
            Expression::Exists(pattern) => self.pattern(pattern),
        }
    }

    fn mark_unless_bound(&mut self, pattern: &mut GraphPattern) {
        if binds(pattern) {
            return;
        }
        let inner = std::mem::take(pattern);
        // No query can spell this name: variables of SPARQL have no space.
        let variable = Variable::new_unchecked(format!("row {}", self.fresh));
        self.fresh += 1;
        let expression = Expression::Literal(Literal::from(true));
        *pattern = GraphPattern::Extend { inner: Box::new(inner), variable, expression };
    }
}

fn in_scope(pattern: &GraphPattern) -> Vec<Variable> {
    let mut found = BTreeSet::new();
    pattern.on_in_scope_variable(|variable| {
        found.insert(variable.clone());
    });
    found.into_iter().collect()
}

/// Whether every row surely holds a term.
fn binds(pattern: &GraphPattern) -> bool {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns.iter().any(has_variable),
        GraphPattern::Path { subject, object, .. } => is_variable(subject) || is_variable(object),
        GraphPattern::Join { left, right } | GraphPattern::Lateral { left, right } => {
            binds(left) || binds(right)
        }
        GraphPattern::Union { left, right } => binds(left) && binds(right),
        GraphPattern::LeftJoin { left, .. } | GraphPattern::Minus { left, .. } => binds(left),
        GraphPattern::Graph { name, inner } => matches!(name, NamedNodePattern::Variable(_)) || binds(inner),
        GraphPattern::Extend { inner, expression, .. } => {
            matches!(expression, Expression::Literal(_) | Expression::NamedNode(_)) || binds(inner)
        }
        GraphPattern::Filter { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. } => binds(inner),
        GraphPattern::Values { bindings, .. } => bindings.iter().all(|row| row.iter().any(Option::is_some)),
        GraphPattern::Project { .. } | GraphPattern::Group { .. } | GraphPattern::Service { .. } => false,
    }
}

fn has_variable(triple: &TriplePattern) -> bool {
    is_variable(&triple.subject)
        || matches!(triple.predicate, NamedNodePattern::Variable(_))
        || is_variable(&triple.object)
}

fn is_variable(term: &TermPattern) -> bool {
    matches!(term, TermPattern::Variable(_) | TermPattern::BlankNode(_))
}
