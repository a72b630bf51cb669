//! What does the store hold of one record? The triples of its graphs, and a digest to compare them by.

use std::collections::{BTreeMap, HashSet};

use ontology::RecordId;
use ontology::vocabulary::dcterms;
use oxigraph::model::{GraphName, NamedNode, Quad, Triple};
use sha2::{Digest, Sha256};

use super::names::{canonical, dataset_graph, own_subject, own_term, provenance_graph, record_graph};

/// What becomes of one record's graphs.
pub(crate) struct GraphChange {
    /// Whose graphs.
    pub(crate) record: RecordId,
    /// What they hold from now on; nothing when the record is deleted.
    pub(crate) content: Option<GraphContent>,
}

/// All that the graphs of one record hold.
#[derive(Default)]
pub(crate) struct GraphContent {
    /// What the record says: [`triples`](super::render::triples).
    pub(crate) triples: Vec<Triple>,
    /// Where it came from: [`provenance`](super::render::provenance).
    pub(crate) provenance: Vec<Triple>,
    /// RDF ingested as it is. Blank nodes must keep their labels from one reading of the file to the next.
    pub(crate) dataset: Vec<Quad>,
}

impl GraphContent {
    /// The graphs as they are kept, by name, each as a set; empty graphs are left out.
    ///
    /// A graph of `dataset` goes to a graph of the record's own, see [`names`](super::names); the record's graph tells
    /// which graphs these are and what they were called.
    pub(crate) fn graphs(&self, record: &RecordId) -> BTreeMap<NamedNode, HashSet<Triple>> {
        let own = record_graph(record);
        let mut graphs: BTreeMap<NamedNode, HashSet<Triple>> = BTreeMap::new();
        for (name, triples) in [(&own, &self.triples), (&provenance_graph(record), &self.provenance)] {
            if !triples.is_empty() {
                let kept = triples
                    .iter()
                    .map(|triple| Triple { object: canonical(triple.object.clone()), ..triple.clone() });
                graphs.entry(name.clone()).or_default().extend(kept);
            }
        }
        for quad in &self.dataset {
            let name = dataset_graph(record, &quad.graph_name);
            if !graphs.contains_key(&name) {
                let listed = graphs.entry(own.clone()).or_default();
                listed.insert(Triple::new(name.clone(), dcterms::IS_PART_OF, own.clone()));
                if let GraphName::NamedNode(called) = &quad.graph_name {
                    listed.insert(Triple::new(name.clone(), dcterms::SOURCE, called.clone()));
                }
            }
            graphs.entry(name).or_default().insert(Triple::new(
                own_subject(record, quad.subject.clone()),
                quad.predicate.clone(),
                own_term(record, quad.object.clone()),
            ));
        }
        graphs
    }
}

/// A digest of a set of triples, whatever their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GraphDigest(u128);

/// The sum over the hashes of the triples, which must be all different: equal sets, equal digest.
pub(crate) fn digest<'a>(triples: impl IntoIterator<Item = &'a Triple>) -> GraphDigest {
    let sum = triples.into_iter().fold(0_u128, |sum, triple| {
        let hash = Sha256::digest(triple.to_string());
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        sum.wrapping_add(u128::from_be_bytes(half))
    });
    GraphDigest(sum)
}
