//! Triagraph's own models: embedder, classifiers, language models, and the redaction in front of them.

mod catalog;
mod circuit;
mod classifier;
mod convention;
mod embedder;
mod encoder;
mod fetch;
mod language;
mod minilm;
mod redact;

pub use catalog::{Catalog, CatalogEntry, CatalogError, ModelFile, ModelRole, Place};
pub use circuit::Circuit;
pub use classifier::{
    Classifier, ClassifierError, Coverage, LabelMetrics, Metrics, Outcome, Prediction, Sample, TrainOptions,
};
pub use convention::agent_span;
pub use embedder::conformance::conformance as embedder_conformance;
pub use embedder::hash::HashEmbedder;
pub use embedder::reading::Reading;
pub use embedder::{EmbedError, Embedder, EmbedderId, TextRole};
pub use fetch::fetch;
pub use language::chat::ChatModel;
pub use language::conformance::conformance as language_model_conformance;
pub use language::gguf::GgufModel;
pub use language::guarded::GuardedModel;
pub use language::scripted::ScriptedModel;
pub use language::{Completion, LanguageModel, LanguageModelError, Limits, Prompt, ask};
pub use minilm::MiniLm;
pub use minilm::reference::ReferenceMiniLm;
pub use redact::{
    Category, Hidden, KnownName, NameKind, Redacted, RedactionPolicy, RedactionSession, Redactor, Replacement,
};
