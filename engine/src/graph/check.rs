//! Do all orders in which the store keeps its quads hold the same? Each is read to its end, and the counts are held together.
//!
//! The store's own validation counts errors like quads, and a damaged file gives its error for ever.

use std::collections::HashSet;

use oxigraph::model::{
    GraphNameRef, NamedNode, NamedNodeRef, NamedOrBlankNode, NamedOrBlankNodeRef, Term, TermRef,
};
use oxigraph::store::{StorageError, Store};

/// Why a store is not whole.
pub(super) enum Damage {
    /// Something cannot be read.
    Unreadable(StorageError),
    /// An order has other quads than the first.
    Differs { order: &'static str, expected: usize, found: usize },
}

impl From<StorageError> for Damage {
    fn from(error: StorageError) -> Self {
        Self::Unreadable(error)
    }
}

type Pattern<'a> = (
    Option<NamedOrBlankNodeRef<'a>>,
    Option<NamedNodeRef<'a>>,
    Option<TermRef<'a>>,
    Option<GraphNameRef<'a>>,
);

/// Reads every order of a store, in which all quads stand in named graphs.
pub(super) fn check(store: &Store) -> Result<(), Damage> {
    let mut quads = 0;
    let (mut subjects, mut predicates, mut objects) = (HashSet::new(), HashSet::new(), HashSet::new());
    for graph in store.named_graphs() {
        let graph = graph?;
        let name = Some(GraphNameRef::from(graph.as_ref()));
        let mut own = Terms::default();
        for quad in store.quads_for_pattern(None, None, None, name) {
            let quad = quad?;
            own.quads += 1;
            own.predicates.insert(quad.predicate);
            own.objects.insert(quad.object);
            subjects.insert(quad.subject);
        }
        let by_predicate = own.predicates.iter().map(|term| (None, Some(term.as_ref()), None, name));
        hold(own.quads, count(store, by_predicate)?, "graph, predicate")?;
        let by_object = own.objects.iter().map(|term| (None, None, Some(term.as_ref()), name));
        hold(own.quads, count(store, by_object)?, "graph, object")?;
        quads += own.quads;
        predicates.extend(own.predicates);
        objects.extend(own.objects);
    }
    let by_subject = subjects.iter().map(|term: &NamedOrBlankNode| (Some(term.as_ref()), None, None, None));
    hold(quads, count(store, by_subject)?, "subject")?;
    let by_predicate = predicates.iter().map(|term: &NamedNode| (None, Some(term.as_ref()), None, None));
    hold(quads, count(store, by_predicate)?, "predicate")?;
    let by_object = objects.iter().map(|term: &Term| (None, None, Some(term.as_ref()), None));
    hold(quads, count(store, by_object)?, "object")
}

#[derive(Default)]
struct Terms {
    quads: usize,
    predicates: HashSet<NamedNode>,
    objects: HashSet<Term>,
}

fn count<'a>(store: &Store, patterns: impl Iterator<Item = Pattern<'a>>) -> Result<usize, StorageError> {
    let mut count = 0;
    for (subject, predicate, object, graph) in patterns {
        for quad in store.quads_for_pattern(subject, predicate, object, graph) {
            quad?;
            count += 1;
        }
    }
    Ok(count)
}

fn hold(expected: usize, found: usize, order: &'static str) -> Result<(), Damage> {
    if expected == found { Ok(()) } else { Err(Damage::Differs { order, expected, found }) }
}
