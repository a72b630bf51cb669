//! How does the graph leave? Everything that a caller may see as one TriG or N-Quads file.

use std::io::{BufWriter, Write};

use ontology::RecordId;
use ontology::vocabulary::{dcat, dcterms, foaf, oa, org, oslc_cm, prov, rdf, schema, skos, tg};
use oxigraph::io::{RdfFormat, RdfSerializer, WriterQuadSerializer};
use oxigraph::model::{GraphName, Literal, NamedNodeRef, QuadRef, TermRef, Triple};

use super::error::GraphError;
use super::names::record_graph;
use super::store::{GraphStore, Snapshot};
use super::view::{Allowed, View};

/// Prefix and namespace of every vocabulary that queries may use without declaring it, and that exports declare.
pub(crate) const PREFIXES: [(&str, &str); 13] = [
    ("tg", tg::NAMESPACE),
    ("dcterms", dcterms::NAMESPACE),
    ("oslc_cm", oslc_cm::NAMESPACE),
    ("prov", prov::NAMESPACE),
    ("skos", skos::NAMESPACE),
    ("foaf", foaf::NAMESPACE),
    ("org", org::NAMESPACE),
    ("schema", schema::NAMESPACE),
    ("dcat", dcat::NAMESPACE),
    ("oa", oa::NAMESPACE),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
];

const DATASET: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:dataset");
const ONTOLOGY: NamedNodeRef<'static> = NamedNodeRef::new_unchecked("urn:triagraph:ontology");

/// A format with named graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// TriG: short, with prefixes.
    TriG,
    /// N-Quads: a line a quad.
    NQuads,
}

impl GraphStore {
    /// Writes every quad of a snapshot that `allowed` lets through, then the texts of the records that it lets through, each in its
    /// record's graph. Three quads in the default graph say which ontology and which log position it is.
    ///
    /// `texts` gives [`text_triples`](super::text::text_triples) record by record. Nothing is held in memory. Returns how
    /// many quads were written, and the position.
    ///
    /// # Errors
    /// [`GraphError`] when the store cannot be read or `out` not be written; what was written by then is no whole file.
    pub(crate) fn export(
        &self,
        snapshot: &Snapshot<'_>,
        format: ExportFormat,
        allowed: Option<Allowed<'_>>,
        texts: impl IntoIterator<Item = (RecordId, Vec<Triple>)>,
        out: impl Write,
    ) -> Result<(u64, u64), GraphError> {
        let mut file =
            ExportFile { quads: 0, serializer: serializer(format).for_writer(BufWriter::new(out)) };
        let position = Literal::new_simple_literal(snapshot.position().to_string());
        file.write(QuadRef::new(DATASET, rdf::TYPE, dcat::DATASET, GraphName::DefaultGraph.as_ref()))?;
        file.write(QuadRef::new(DATASET, dcterms::CONFORMS_TO, ONTOLOGY, GraphName::DefaultGraph.as_ref()))?;
        file.write(QuadRef::new(
            DATASET,
            dcterms::IDENTIFIER,
            TermRef::from(position.as_ref()),
            GraphName::DefaultGraph.as_ref(),
        ))?;
        for quad in View::new(snapshot, allowed).quads() {
            file.write(quad.map_err(|source| self.storage(source))?.as_ref())?;
        }
        for (record, triples) in texts {
            if allowed.is_none_or(|allowed| allowed(&record.iri())) {
                let graph = record_graph(&record);
                for triple in &triples {
                    file.write(triple.as_ref().in_graph(&graph))?;
                }
            }
        }
        let quads = file.quads;
        let mut out = file.serializer.finish().map_err(GraphError::Write)?;
        out.flush().map_err(GraphError::Write)?;
        Ok((quads, snapshot.position()))
    }
}

struct ExportFile<W: Write> {
    quads: u64,
    serializer: WriterQuadSerializer<W>,
}

impl<W: Write> ExportFile<W> {
    fn write(&mut self, quad: QuadRef<'_>) -> Result<(), GraphError> {
        self.serializer.serialize_quad(quad).map_err(GraphError::Write)?;
        self.quads += 1;
        Ok(())
    }
}

fn serializer(format: ExportFormat) -> RdfSerializer {
    match format {
        ExportFormat::NQuads => RdfSerializer::from_format(RdfFormat::NQuads),
        ExportFormat::TriG => with_prefixes(RdfSerializer::from_format(RdfFormat::TriG)),
    }
}

/// The serializer with our prefixes declared, where its format has prefixes.
pub(crate) fn with_prefixes(serializer: RdfSerializer) -> RdfSerializer {
    PREFIXES.into_iter().fold(serializer, |serializer, (prefix, namespace)| {
        // The namespaces are constants and IRIs, so this never keeps the serializer as it was.
        let plain = serializer.clone();
        serializer.with_prefix(prefix, namespace).unwrap_or(plain)
    })
}
