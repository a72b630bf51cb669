//! Which graph belongs to which record? The names of graphs, and how a graph's name tells whose it is.
//!
//! | graph | holds |
//! | --- | --- |
//! | `urn:triagraph:record:SOURCE:ID` | what the record says |
//! | `urn:triagraph:provenance:SOURCE:ID` | where this revision came from |
//! | `urn:triagraph:record:SOURCE:ID#graph` | the default graph of RDF that was ingested as it is |
//! | `urn:triagraph:record:SOURCE:ID#graph=NAME` | a named graph of it, NAME percent-encoded |
//! | `urn:triagraph:meta` | log position and format; no query sees it |
//!
//! A graph of ingested RDF does not keep its own name: two files may use the same one and have other readers, and then
//! neither hiding nor deleting one of them would be possible. Its own name is kept as `dcterms:source`.

use std::borrow::Cow;

use ontology::RecordId;
use oxigraph::model::{BlankNode, GraphName, NamedNode, NamedNodeRef, NamedOrBlankNode, Term};
use sha2::{Digest, Sha256};
use spareval::ExpressionTerm;

/// The graph with the log position and the format.
pub(crate) const META: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:meta");

const RECORD: &str = "urn:triagraph:record:";
const PROVENANCE: &str = "urn:triagraph:provenance:";
const DATASET_MARK: &str = "#graph";

/// The record's IRI, also the name of its graph.
pub(crate) fn record_graph(record: &RecordId) -> NamedNode {
    NamedNode::new_unchecked(record.iri())
}

/// The graph that says where the record came from.
pub(crate) fn provenance_graph(record: &RecordId) -> NamedNode {
    NamedNode::new_unchecked(record.iri().replacen(RECORD, PROVENANCE, 1))
}

/// The graph in which a graph of ingested RDF is kept.
pub(crate) fn dataset_graph(record: &RecordId, name: &GraphName) -> NamedNode {
    let name = match name {
        GraphName::DefaultGraph => String::new(),
        GraphName::NamedNode(name) => format!("={}", percent_encode(name.as_str())),
        GraphName::BlankNode(label) => format!("=_:{}", percent_encode(label.as_str())),
    };
    NamedNode::new_unchecked(format!("{}{DATASET_MARK}{name}", record.iri()))
}

/// Whether `graph` is a graph of RDF that was ingested as `record`.
pub(crate) fn is_dataset_graph(graph: &str, record: &NamedNode) -> bool {
    graph.strip_prefix(record.as_str()).is_some_and(|rest| rest.starts_with(DATASET_MARK))
}

/// The IRI of the record that a graph, or a part of a record, belongs to; none for the graph `meta` and for what is no
/// record's.
///
/// Record IRIs are percent-encoded, so a `#` can only be ours.
pub(crate) fn owner(iri: &str) -> Option<Cow<'_, str>> {
    let whole = iri.split_once('#').map_or(iri, |(whole, _)| whole);
    if whole.starts_with(RECORD) {
        return Some(Cow::Borrowed(whole));
    }
    Some(Cow::Owned(format!("{RECORD}{}", whole.strip_prefix(PROVENANCE)?)))
}

/// The term as it is kept: blank nodes get a label of the record's own, literals their canonical form.
///
/// Two files may both say `_:b0` and mean different things. The new label depends on record and label alone, so the same
/// file gives the same graph every time.
pub(crate) fn own_term(record: &RecordId, term: Term) -> Term {
    match term {
        Term::BlankNode(node) => own_blank_node(record, &node).into(),
        other => canonical(other),
    }
}

/// [`own_term`] for subjects.
pub(crate) fn own_subject(record: &RecordId, subject: NamedOrBlankNode) -> NamedOrBlankNode {
    match subject {
        NamedOrBlankNode::BlankNode(node) => own_blank_node(record, &node).into(),
        named @ NamedOrBlankNode::NamedNode(_) => named,
    }
}

/// Numbers, dates and booleans in the one form that the store gives back: `"01"^^xsd:integer` becomes `1`.
pub(crate) fn canonical(term: Term) -> Term {
    match term {
        Term::Literal(_) => ExpressionTerm::from(term).into(),
        other => other,
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn own_blank_node(record: &RecordId, node: &BlankNode) -> BlankNode {
    let hash =
        Sha256::new().chain_update(record.as_str()).chain_update([0]).chain_update(node.as_str()).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    BlankNode::new_from_unique_id(u128::from_be_bytes(id))
}
