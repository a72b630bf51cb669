//! Triagraph's own models: embedder, language models, and the redaction in front of them.

mod catalog;
mod embedder;
mod encoder;
mod minilm;
mod redact;

pub use catalog::{Catalog, CatalogEntry, CatalogError, ModelFile, ModelRole, Place};
pub use embedder::conformance::conformance as embedder_conformance;
pub use embedder::hash::HashEmbedder;
pub use embedder::{EmbedError, Embedder, EmbedderId, TextRole};
pub use minilm::MiniLm;
pub use minilm::reference::ReferenceMiniLm;
pub use redact::{Category, KnownName, NameKind, Redacted, RedactionPolicy, Redactor, Replacement};
