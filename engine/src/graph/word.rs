//! What is a term while a query runs? A shared one; each copy of it is counted as work and as memory.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use oxigraph::model::{NamedNodeRef, Term};

use super::{deadline, memory};

/// What a copy takes: its place in a row, and its part of the row's own allocation.
const HANDLE_BYTES: u64 = 40;
/// What a term takes beside its text.
const TERM_BYTES: u64 = 96;

/// A term in the evaluation. To copy it is the work that the [`deadline`] counts.
pub(crate) struct Word(Rc<Term>);

impl Word {
    pub(super) fn new(term: impl Into<Term>) -> Self {
        let term = term.into();
        memory::take(HANDLE_BYTES + bytes(&term));
        Self(Rc::new(term))
    }

    pub(super) fn term(&self) -> &Term {
        &self.0
    }

    pub(super) fn into_term(self) -> Term {
        let shared = Rc::clone(&self.0);
        if Rc::strong_count(&shared) == 2 {
            memory::give_back(bytes(&shared));
        }
        drop(self);
        Rc::unwrap_or_clone(shared)
    }

    pub(super) fn as_subject(&self) -> Option<oxigraph::model::NamedOrBlankNodeRef<'_>> {
        match &*self.0 {
            Term::NamedNode(node) => Some(node.as_ref().into()),
            Term::BlankNode(node) => Some(node.as_ref().into()),
            Term::Literal(_) => None,
        }
    }

    pub(super) fn as_name(&self) -> Option<NamedNodeRef<'_>> {
        match &*self.0 {
            Term::NamedNode(node) => Some(node.as_ref()),
            _ => None,
        }
    }
}

impl Clone for Word {
    fn clone(&self) -> Self {
        deadline::tick();
        memory::take(HANDLE_BYTES);
        Self(Rc::clone(&self.0))
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        let last = Rc::strong_count(&self.0) == 1;
        memory::give_back(HANDLE_BYTES + if last { bytes(&self.0) } else { 0 });
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Word {}

impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

fn bytes(term: &Term) -> u64 {
    let text = match term {
        Term::NamedNode(node) => node.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => {
            literal.value().len()
                + literal.language().map_or_else(|| literal.datatype().as_str().len(), str::len)
        }
    };
    TERM_BYTES + text as u64
}
