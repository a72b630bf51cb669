//! In which formats are answers to SPARQL written? The W3C's, each with its media type and file extension.

use oxigraph::io::{JsonLdProfileSet, RdfFormat};
use oxigraph::sparql::results::QueryResultsFormat;

/// What a query asks for, which decides the formats that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryForm {
    /// `SELECT`: a table.
    Select,
    /// `ASK`: yes or no.
    Ask,
    /// `CONSTRUCT`: triples.
    Construct,
    /// `DESCRIBE`: triples.
    Describe,
}

/// A format of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SparqlFormat {
    /// SPARQL 1.1 Query Results JSON.
    Json,
    /// SPARQL Query Results XML.
    Xml,
    /// SPARQL 1.1 Query Results CSV.
    Csv,
    /// SPARQL 1.1 Query Results TSV.
    Tsv,
    /// Turtle.
    Turtle,
    /// N-Triples.
    NTriples,
    /// RDF/XML.
    RdfXml,
    /// JSON-LD.
    JsonLd,
    /// TriG.
    TriG,
    /// N-Quads.
    NQuads,
}

/// Where a format is written: by the serializer of tables or by that of triples.
pub(crate) enum Serializer {
    Table(QueryResultsFormat),
    Triples(RdfFormat),
}

impl SparqlFormat {
    /// Every format, those for tables first; in each half the one that is taken when the caller does not mind comes first.
    pub const ALL: [Self; 10] = [
        Self::Json,
        Self::Xml,
        Self::Csv,
        Self::Tsv,
        Self::Turtle,
        Self::NTriples,
        Self::RdfXml,
        Self::JsonLd,
        Self::TriG,
        Self::NQuads,
    ];

    /// The media type, as in an HTTP header.
    pub fn media_type(self) -> &'static str {
        match self.serializer() {
            Serializer::Table(format) => format.media_type(),
            Serializer::Triples(format) => format.media_type(),
        }
    }

    /// The file extension, without the dot. Those of tables are the W3C's: `srj`, `srx`, `csv`, `tsv`.
    pub fn file_extension(self) -> &'static str {
        match self.serializer() {
            Serializer::Table(format) => format.file_extension(),
            Serializer::Triples(format) => format.file_extension(),
        }
    }

    /// Reads a file extension or a name as on a command line: `json`, `srj`, `ttl`, `turtle`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim_start_matches('.').to_ascii_lowercase();
        let by_name = match name.as_str() {
            "json" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            "turtle" => Some(Self::Turtle),
            "ntriples" => Some(Self::NTriples),
            "rdfxml" => Some(Self::RdfXml),
            "json-ld" => Some(Self::JsonLd),
            "nquads" => Some(Self::NQuads),
            _ => None,
        };
        by_name.or_else(|| Self::ALL.into_iter().find(|format| format.file_extension() == name))
    }

    /// The formats that an HTTP `Accept` header lets through, the most wanted first (RFC 9110, section 12.5.1).
    ///
    /// An empty header accepts everything.
    pub fn accepted(header: &str) -> Vec<Self> {
        let ranges: Vec<(String, u16)> = header.split(',').filter_map(media_range).collect();
        if ranges.is_empty() && header.trim().is_empty() {
            return Self::ALL.to_vec();
        }
        let mut found: Vec<(Self, u16)> = Self::ALL
            .into_iter()
            .filter_map(|format| {
                // The most specific range that matches decides, so `*/*, text/turtle;q=0` takes all but Turtle.
                let quality = ranges
                    .iter()
                    .filter_map(|(range, quality)| Some((format.specificity(range)?, *quality)))
                    .max_by_key(|(specificity, _)| *specificity)?;
                (quality.1 > 0).then_some((format, quality.1))
            })
            .collect();
        found.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
        found.into_iter().map(|(format, _)| format).collect()
    }

    /// Whether answers of this form can be written so.
    pub fn fits(self, form: QueryForm) -> bool {
        match self.serializer() {
            Serializer::Table(_) => matches!(form, QueryForm::Select | QueryForm::Ask),
            Serializer::Triples(_) => matches!(form, QueryForm::Construct | QueryForm::Describe),
        }
    }

    pub(crate) fn serializer(self) -> Serializer {
        match self {
            Self::Json => Serializer::Table(QueryResultsFormat::Json),
            Self::Xml => Serializer::Table(QueryResultsFormat::Xml),
            Self::Csv => Serializer::Table(QueryResultsFormat::Csv),
            Self::Tsv => Serializer::Table(QueryResultsFormat::Tsv),
            Self::Turtle => Serializer::Triples(RdfFormat::Turtle),
            Self::NTriples => Serializer::Triples(RdfFormat::NTriples),
            Self::RdfXml => Serializer::Triples(RdfFormat::RdfXml),
            Self::JsonLd => Serializer::Triples(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() }),
            Self::TriG => Serializer::Triples(RdfFormat::TriG),
            Self::NQuads => Serializer::Triples(RdfFormat::NQuads),
        }
    }

    /// How exactly a media range names this format: 0 any, 1 by type, 2 by type and subtype.
    fn specificity(self, range: &str) -> Option<u8> {
        if range == "*/*" {
            return Some(0);
        }
        if let Some(kind) = range.strip_suffix("/*") {
            return self.media_type().split('/').next().filter(|own| *own == kind).map(|_| 1);
        }
        let plain = match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            _ => "",
        };
        let own = self.media_type().split(';').next().unwrap_or_default();
        (range == own || range == plain).then_some(2)
    }
}

/// One media range with its weight in thousandths; nothing when it is none.
fn media_range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    let quality = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.trim().parse::<f32>().ok())
        .map_or(1.0, |quality| quality.clamp(0.0, 1.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    Some((range, (quality * 1000.0).round() as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_extensions_and_media_types_lead_back_to_the_format() {
        for format in SparqlFormat::ALL {
            assert_eq!(SparqlFormat::from_name(format.file_extension()), Some(format));
            assert_eq!(SparqlFormat::accepted(format.media_type()), [format]);
        }
        assert_eq!(SparqlFormat::from_name(".TTL"), Some(SparqlFormat::Turtle));
        assert_eq!(SparqlFormat::from_name("docx"), None);
    }

    #[test]
    fn an_accept_header_is_read_by_weight_and_specificity() {
        use SparqlFormat::{Csv, Json, Turtle, Xml};
        let check = |header: &str, expected: &[SparqlFormat]| {
            let found = SparqlFormat::accepted(header);
            assert_eq!(&found[..expected.len().min(found.len())], expected, "{header}");
        };
        check("", &SparqlFormat::ALL);
        check("text/csv;q=0.5, application/sparql-results+xml", &[Xml, Csv]);
        check("application/json", &[Json]);
        check("text/turtle, */*;q=0.1", &[Turtle, Json]);
        check("image/png", &[]);
        assert!(!SparqlFormat::accepted("*/*, text/turtle;q=0").contains(&Turtle));
        assert!(SparqlFormat::accepted("nonsense").is_empty());
    }
}
