//! Triagraph's own models: embedder, language models, and the redaction in front of them.
