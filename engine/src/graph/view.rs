//! What of the graph does a caller see? A snapshot without the graphs of hidden records and the quads that name them.
//!
//! Every read of a query goes through [`View`], so a hidden graph shows in no pattern, path, count or description. The
//! default graph is the union of all visible graphs as RDF merges them: a triple in two graphs is there once.

use oxigraph::model::{GraphName, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, TermRef, Triple};
use oxigraph::store::{QuadIter, StorageError, Transaction};
use spareval::{InternalQuad, QueryableDataset};

use super::names::{META, canonical, owner};
use super::word::Word;
use super::{deadline, store::Snapshot};

/// Longest literal that a query may compute, in bytes. Without it, forty times `BIND(CONCAT(?a, ?a) AS ?b)` fills any memory.
const COMPUTED_BYTES_LIMIT: usize = 1 << 20;

/// Says by a record's IRI whether the caller may see it.
pub(crate) type Allowed<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// A snapshot as one caller sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    transaction: &'a Transaction<'a>,
    allowed: Option<Allowed<'a>>,
}

/// Why a view could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "the query computes a text of {length} bytes, {COMPUTED_BYTES_LIMIT} at most: shorten what it concatenates"
    )]
    TooLong { length: usize },
}

impl<'a> View<'a> {
    /// All that `allowed` lets through, or everything.
    pub(crate) fn new(snapshot: &'a Snapshot<'a>, allowed: Option<Allowed<'a>>) -> Self {
        Self { transaction: &snapshot.transaction, allowed }
    }

    /// Every visible quad, graph by graph.
    pub(crate) fn quads(self) -> impl Iterator<Item = Result<Quad, StorageError>> + use<'a> {
        self.transaction.iter().filter(move |quad| match quad {
            Ok(quad) => self.shows(quad),
            Err(_) => true,
        })
    }

    /// Whether a quad stands in a visible graph and names no hidden record: a ticket for all may link to a page for few.
    fn shows(&self, quad: &Quad) -> bool {
        let hides = |name: &NamedNode| !self.shows_name(name.as_ref());
        self.shows_graph(&quad.graph_name)
            && !matches!(&quad.subject, NamedOrBlankNode::NamedNode(name) if hides(name))
            && !matches!(&quad.object, Term::NamedNode(name) if hides(name))
    }

    fn shows_graph(&self, graph: &GraphName) -> bool {
        match graph {
            GraphName::NamedNode(name) => self.shows_named_graph(name.as_ref()),
            GraphName::BlankNode(_) | GraphName::DefaultGraph => false,
        }
    }

    fn shows_named_graph(&self, graph: NamedNodeRef<'_>) -> bool {
        if graph == META {
            return false;
        }
        self.allowed.is_none_or(|allowed| owner(graph.as_str()).is_some_and(|record| allowed(&record)))
    }

    /// Whether a name may be told: it is no hidden record's, nor that of a part of one.
    fn shows_name(&self, name: NamedNodeRef<'_>) -> bool {
        self.allowed.is_none_or(|allowed| owner(name.as_str()).is_none_or(|record| allowed(&record)))
    }

    /// Whether `quad` is the one of its triple that the union shows: that of the graph named like its subject, or else the
    /// first visible one.
    fn stands_for_its_triple(&self, quad: &Quad) -> Result<bool, StorageError> {
        let NamedOrBlankNode::NamedNode(subject) = &quad.subject else {
            // Blank nodes are the record's own, but one file may use a node in several graphs.
            return self.is_first(quad);
        };
        let own = |graph: &GraphName| matches!(graph, GraphName::NamedNode(name) if name == subject);
        if own(&quad.graph_name) {
            return Ok(true);
        }
        let in_own = QuadIter::next(&mut self.transaction.quads_for_pattern(
            Some(subject.as_ref().into()),
            Some(quad.predicate.as_ref()),
            Some(quad.object.as_ref()),
            Some(subject.as_ref().into()),
        ));
        if in_own.transpose()?.is_some() && self.shows_named_graph(subject.as_ref()) {
            return Ok(false);
        }
        self.is_first(quad)
    }

    fn is_first(&self, quad: &Quad) -> Result<bool, StorageError> {
        for other in self.transaction.quads_for_pattern(
            Some(quad.subject.as_ref()),
            Some(quad.predicate.as_ref()),
            Some(quad.object.as_ref()),
            None,
        ) {
            let other = other?;
            if self.shows_graph(&other.graph_name) {
                return Ok(other.graph_name == quad.graph_name);
            }
        }
        Ok(true)
    }

    /// The quads of the union, one a triple.
    ///
    /// With a term given, the store's indexes bring the quads of one triple one after another; a scan of everything goes
    /// graph by graph, and each quad is looked up.
    fn union(
        self,
        pattern: QuadIter<'a>,
        is_scan: bool,
    ) -> impl Iterator<Item = Result<Quad, StorageError>> + use<'a> {
        let mut last: Option<Triple> = None;
        pattern.filter_map(move |quad| {
            deadline::tick();
            let quad = match quad {
                Ok(quad) => quad,
                Err(error) => return Some(Err(error)),
            };
            if !self.shows(&quad) {
                return None;
            }
            if is_scan {
                return match self.stands_for_its_triple(&quad) {
                    Ok(true) => Some(Ok(quad)),
                    Ok(false) => None,
                    Err(error) => Some(Err(error)),
                };
            }
            if last.as_ref().is_some_and(|last| is_same(last, &quad)) {
                return None;
            }
            last = Some(quad.clone().into());
            Some(Ok(quad))
        })
    }
}

impl<'a> QueryableDataset<'a> for View<'a> {
    type InternalTerm = Word;
    type Error = ViewError;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&Word>,
        predicate: Option<&Word>,
        object: Option<&Word>,
        graph_name: Option<Option<&Word>>,
    ) -> impl Iterator<Item = Result<InternalQuad<Word>, ViewError>> + use<'a> {
        let (view, transaction) = (*self, self.transaction);
        let given = (subject.cloned(), predicate.cloned(), object.cloned());
        let pattern = || {
            let subject = each(subject, Word::as_subject)?;
            let predicate = each(predicate, Word::as_name)?;
            let object = object.map(|object| TermRef::from(object.term()));
            let graph = each(graph_name.flatten(), Word::as_name)?;
            Some(transaction.quads_for_pattern(subject, predicate, object, graph.map(Into::into)))
        };
        let is_scan = subject.is_none() && predicate.is_none() && object.is_none();
        // A literal as subject or graph matches nothing.
        let quads: Box<dyn Iterator<Item = Result<Quad, StorageError>> + 'a> = match (pattern(), graph_name) {
            (None, _) => Box::new(std::iter::empty()),
            (Some(quads), Some(None)) => Box::new(view.union(quads, is_scan)),
            (Some(quads), _) => Box::new(quads.filter(move |quad| {
                deadline::tick();
                quad.as_ref().map_or(true, |quad| view.shows(quad))
            })),
        };
        let in_default = graph_name == Some(None);
        quads.map(move |quad| {
            let quad = quad?;
            let graph = match quad.graph_name {
                GraphName::NamedNode(name) if !in_default => Some(Word::new(name)),
                _ => None,
            };
            let (subject, predicate, object) = given.clone();
            Ok(InternalQuad {
                subject: subject.unwrap_or_else(|| Word::new(quad.subject)),
                predicate: predicate.unwrap_or_else(|| Word::new(quad.predicate)),
                object: object.unwrap_or_else(|| Word::new(quad.object)),
                graph_name: graph,
            })
        })
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<Word, ViewError>> + use<'a> {
        let view = *self;
        self.transaction.named_graphs().filter_map(move |name| {
            deadline::tick();
            match name {
                Ok(NamedOrBlankNode::NamedNode(name)) => {
                    view.shows_named_graph(name.as_ref()).then(|| Ok(Word::new(name)))
                }
                Ok(NamedOrBlankNode::BlankNode(_)) => None,
                Err(error) => Some(Err(error.into())),
            }
        })
    }

    fn contains_internal_graph_name(&self, graph_name: &Word) -> Result<bool, ViewError> {
        Ok(match graph_name.term() {
            Term::NamedNode(name) => {
                self.shows_named_graph(name.as_ref()) && self.transaction.contains_named_graph(name)?
            }
            _ => false,
        })
    }

    fn internalize_term(&self, term: Term) -> Result<Word, ViewError> {
        deadline::tick();
        if let Term::Literal(literal) = &term
            && literal.value().len() > COMPUTED_BYTES_LIMIT
        {
            return Err(ViewError::TooLong { length: literal.value().len() });
        }
        Ok(Word::new(canonical(term)))
    }

    fn externalize_term(&self, term: Word) -> Result<Term, ViewError> {
        deadline::tick();
        Ok(term.into_term())
    }
}

/// The given term in the form asked for: nothing when none was given, no pattern at all when it has not that form.
fn each<'w, T>(word: Option<&'w Word>, form: impl Fn(&'w Word) -> Option<T>) -> Option<Option<T>> {
    match word {
        None => Some(None),
        Some(word) => form(word).map(Some),
    }
}

fn is_same(last: &Triple, quad: &Quad) -> bool {
    last.object == quad.object && last.subject == quad.subject && last.predicate == quad.predicate
}
