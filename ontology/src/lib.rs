//! The shared language of Triagraph: records, ids, vocabulary and shapes.

pub mod vocabulary;
