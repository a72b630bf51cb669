//! What does one document of the index hold?

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};

use super::TextDocument;
use super::analysis::{ANALYSIS_NAME, Analyzer};

/// How many fields hold terms.
pub(super) const TERM_FIELDS: usize = 2;
/// The field of the words, and of the identifiers that are more than one word (`TERM_FIELDS`).
pub(super) const TEXT: usize = 0;
/// The field of the parts of identifiers (`TERM_FIELDS`).
pub(super) const PARTS: usize = 1;

/// The fast field of the log position.
pub(super) const POSITION: &str = "position";
/// The fast field of the content hash.
pub(super) const DIGEST: &str = "digest";
/// The fast fields of the exact number of terms; tantivy's own field norms are rounded to one byte.
pub(super) const LENGTHS: [&str; TERM_FIELDS] = ["text_length", "parts_length"];

/// The schema of the index. The name of the analysis is in it, so that one comparison of schemas tells whether an
/// index on disk can be used.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) position: Field,
    pub(super) terms: [Field; TERM_FIELDS],
    digest: Field,
    lengths: [Field; TERM_FIELDS],
}

impl Fields {
    pub(super) fn new() -> Self {
        let mut schema = Schema::builder();
        let position = schema.add_u64_field(POSITION, FAST | INDEXED);
        let digest = schema.add_u64_field(DIGEST, FAST);
        let lengths = LENGTHS.map(|name| schema.add_u64_field(name, FAST));
        let terms = ["text", "parts"].map(|name| add_terms(&mut schema, name));
        Self { schema: schema.build(), position, terms, digest, lengths }
    }

    /// The terms of `document`, counted and ready to be indexed.
    pub(super) fn document(&self, analyzer: &mut Analyzer, document: &TextDocument<'_>) -> TantivyDocument {
        let TextDocument { position, title, body, names, digest } = *document;
        let mut text = Vec::new();
        for part in [title, title, names, body] {
            analyzer.words(part, &mut |term, _| text.push(token(term)));
            analyzer.compounds(part, &mut |term, _| text.push(token(term)));
        }
        let mut parts = Vec::new();
        for part in [title, names, body] {
            analyzer.parts(part, &mut |term, _| parts.push(token(term)));
        }

        let mut indexed = TantivyDocument::new();
        indexed.add_u64(self.position, position);
        indexed.add_u64(self.digest, digest);
        for (field, tokens) in [text, parts].into_iter().enumerate() {
            indexed.add_u64(self.lengths[field], tokens.len() as u64);
            let tokens = PreTokenizedString { text: String::new(), tokens };
            indexed.add_pre_tokenized_text(self.terms[field], tokens);
        }
        indexed
    }
}

fn add_terms(schema: &mut SchemaBuilder, name: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYSIS_NAME)
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(false);
    schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

fn token(term: &str) -> Token {
    Token { text: term.to_owned(), position: 0, ..Token::default() }
}
