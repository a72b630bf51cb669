//! How is a file written? Its format by name and content, and a stream of raw items from its bytes.

mod csv;
mod json;
mod lines;
mod markdown;
mod rdf;
mod yaml;
mod zip;

use std::io::Read;

use oxrdfio::RdfFormat;

use crate::raw::RawItems;

pub(crate) use zip::{member as zip_member, open as open_zip};

/// The bytes of a file, wherever they come from.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// A format that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One document with YAML or TOML front matter.
    Markdown,
    /// A table with a header; the delimiter is found out.
    Csv,
    /// An array, an object that holds one, or a single object.
    Json,
    /// One object a line.
    JsonLines,
    /// One or more documents.
    Yaml,
    /// Statements, taken as they are.
    Rdf(RdfFormat),
}

impl Format {
    /// The formats by the endings of their names, for error messages.
    pub const KNOWN: &str = "Markdown (.md), CSV and TSV, also in .zip, JSON (.json), JSON lines (.jsonl, .ndjson), YAML (.yaml, .yml), \
         Turtle (.ttl), TriG (.trig), N-Triples (.nt), N-Quads (.nq) and RDF/XML (.rdf)";

    /// The format that the ending of a file's name tells.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        Some(match ending.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Self::Markdown,
            "csv" | "tsv" => Self::Csv,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "yaml" | "yml" => Self::Yaml,
            "ttl" => Self::Rdf(RdfFormat::Turtle),
            "trig" => Self::Rdf(RdfFormat::TriG),
            "nt" => Self::Rdf(RdfFormat::NTriples),
            "nq" => Self::Rdf(RdfFormat::NQuads),
            "rdf" | "owl" => Self::Rdf(RdfFormat::RdfXml),
            _ => return None,
        })
    }

    /// The format that the beginning of a file without a telling name shows: JSON, or Markdown with headings.
    pub fn of_content(head: &str) -> Option<Self> {
        let text = head.trim_start_matches('\u{feff}').trim_start();
        let has_heading = || text.lines().any(|line| line.starts_with("## "));
        match text.bytes().next()? {
            b'{' | b'[' => Some(Self::Json),
            b'#' if text.starts_with("# ") && has_heading() => Some(Self::Markdown),
            b'-' if text.starts_with("---\n") && has_heading() => Some(Self::Markdown),
            _ => None,
        }
    }

    /// The name in plans and mappings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::JsonLines => "json-lines",
            Self::Yaml => "yaml",
            Self::Rdf(_) => "rdf",
        }
    }

    /// Reads a file's items as a stream.
    pub(crate) fn read(self, bytes: Bytes) -> RawItems {
        match self {
            Self::Markdown => Box::new(markdown::read(bytes)),
            Self::Csv => Box::new(csv::Rows::new(bytes)),
            Self::Json => Box::new(json::Elements::new(bytes)),
            Self::JsonLines => Box::new(lines::objects(bytes)),
            Self::Yaml => Box::new(yaml::read(bytes)),
            Self::Rdf(format) => Box::new(rdf::Blocks::new(bytes, format)),
        }
    }
}

/// Reads all of a document that cannot be streamed, up to the limit of an item.
fn whole(bytes: impl Read) -> Result<String, crate::raw::Raw> {
    use crate::raw::{ITEM_LIMIT_BYTES, Raw};
    let mut buffer = Vec::new();
    if let Err(error) = bytes.take(ITEM_LIMIT_BYTES as u64 + 1).read_to_end(&mut buffer) {
        return Err(Raw::bad(None, format!("reading failed: {error}"), &buffer));
    }
    if buffer.len() > ITEM_LIMIT_BYTES {
        let reason = format!("longer than {} MiB: split it", ITEM_LIMIT_BYTES >> 20);
        return Err(Raw::bad(None, reason, &buffer));
    }
    String::from_utf8(buffer).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        let place = Some(ontology::Place::Line(line as u64));
        Raw::bad(place, format!("{}: save it as UTF-8", not_utf8(valid)), error.as_bytes())
    })
}

/// What to say of bytes that are no UTF-8.
fn not_utf8(valid_up_to: usize) -> String {
    format!("invalid UTF-8 after {valid_up_to} bytes")
}
