//! What do RDF files say? Their quads in blocks, as they are.

mod bounded;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ontology::Place;
use oxrdf::{GraphName, NamedOrBlankNode, Quad, Term};
use oxrdfio::{RdfFormat, RdfParseError, RdfParser, ReaderQuadParser};

use crate::raw::{ITEM_LIMIT_BYTES, Raw};
use bounded::Bounded;

/// Quads in a block: enough to write at once, few enough to hold.
const BLOCK_QUADS: usize = 10_000;
/// Longest IRI: a prefix that stands for more would make a small file fill any disk.
const IRI_LIMIT_BYTES: usize = 4 << 10;
/// Broken statements of a line-based file that are told one by one; what comes after that many is no RDF.
const BROKEN_LIMIT: usize = 1_000;

/// The quads of a file in blocks; blank nodes are renamed, since other files use the same labels.
pub(super) struct Blocks<R: Read> {
    quads: ReaderQuadParser<Bounded<R>>,
    /// Bytes read since the last statement.
    since: Arc<AtomicU64>,
    goes_on_after_error: bool,
    pending: Option<Raw>,
    broken: usize,
    is_done: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(bytes: R, format: RdfFormat) -> Self {
        let since = Arc::default();
        let bytes = Bounded::new(bytes, format == RdfFormat::RdfXml, Arc::clone(&since));
        let quads = RdfParser::from_format(format).rename_blank_nodes().for_reader(bytes);
        let goes_on_after_error = matches!(format, RdfFormat::NTriples | RdfFormat::NQuads);
        Self { quads, since, goes_on_after_error, pending: None, broken: 0, is_done: false }
    }

    /// The next statement and its length, or why there is none.
    fn quad(&mut self) -> Option<Result<(usize, Quad), Raw>> {
        let refused = match self.quads.next() {
            None => {
                self.is_done = true;
                return None;
            }
            Some(Ok(quad)) => {
                self.since.store(0, Ordering::Relaxed);
                match length(&quad) {
                    Some(length) => return Some(Ok((length, quad))),
                    None => Err((quad, IRI_LIMIT_BYTES)),
                }
            }
            Some(Err(error)) => Ok(error),
        };
        self.broken += 1;
        let goes_on = match &refused {
            Ok(RdfParseError::Syntax(_)) => self.goes_on_after_error,
            Ok(RdfParseError::Io(_)) => false,
            Err(_) => true,
        };
        self.is_done = !(goes_on && self.broken < BROKEN_LIMIT);
        Some(Err(match refused {
            Ok(error) => rejection(&error, self.is_done),
            Err((quad, limit)) => {
                let reason = format!("an IRI of a statement is longer than {limit} bytes");
                Raw::bad(None, format!("{reason}{}", consequence(self.is_done)), quad.to_string().as_bytes())
            }
        }))
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Raw;

    fn next(&mut self) -> Option<Raw> {
        if let Some(raw) = self.pending.take() {
            return Some(raw);
        }
        let (mut block, mut bytes) = (Vec::new(), 0);
        while !self.is_done && block.len() < BLOCK_QUADS && bytes < ITEM_LIMIT_BYTES {
            match self.quad() {
                None => {}
                Some(Ok((length, quad))) => {
                    bytes += length;
                    block.push(quad);
                }
                Some(Err(rejected)) if block.is_empty() => return Some(rejected),
                Some(Err(rejected)) => {
                    self.pending = Some(rejected);
                    break;
                }
            }
        }
        (!block.is_empty()).then_some(Raw::Quads(block))
    }
}

/// About the bytes of a statement; nothing when an IRI in it is too long.
fn length(quad: &Quad) -> Option<usize> {
    let iri = |iri: &str| (iri.len() <= IRI_LIMIT_BYTES).then_some(iri.len());
    let subject = match &quad.subject {
        NamedOrBlankNode::NamedNode(node) => iri(node.as_str())?,
        NamedOrBlankNode::BlankNode(node) => node.as_str().len(),
    };
    let object = match &quad.object {
        Term::NamedNode(node) => iri(node.as_str())?,
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => literal.value().len() + iri(literal.datatype().as_str())?,
    };
    let graph = match &quad.graph_name {
        GraphName::NamedNode(node) => iri(node.as_str())?,
        GraphName::BlankNode(_) | GraphName::DefaultGraph => 0,
    };
    Some(subject + iri(quad.predicate.as_str())? + object + graph)
}

fn rejection(error: &RdfParseError, is_last: bool) -> Raw {
    let line = match error {
        RdfParseError::Syntax(error) => error.location().map(|at| at.start.line + 1),
        RdfParseError::Io(_) => None,
    };
    Raw::bad(line.map(Place::Line), format!("{error}{}", consequence(is_last)), &[])
}

fn consequence(is_last: bool) -> &'static str {
    if is_last { "; what follows was not read" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: RdfFormat) -> Vec<Raw> {
        Blocks::new(text.as_bytes(), format).collect()
    }

    #[test]
    fn quads_come_in_blocks_and_a_broken_line_is_told() {
        let text = "<urn:a> <urn:b> <urn:c> .\nbroken\n<urn:a> <urn:b> \"d\" <urn:g> .\n";
        let read = read(text, RdfFormat::NQuads);
        let quads: usize =
            read.iter().map(|raw| if let Raw::Quads(quads) = raw { quads.len() } else { 0 }).sum();
        assert_eq!(quads, 2);
        assert!(
            read.iter().any(|raw| matches!(raw, Raw::Bad { place: Some(Place::Line(2)), .. })),
            "{read:?}"
        );
    }

    #[test]
    fn turtle_stops_at_its_first_error_and_says_so() {
        let read = read("@prefix e: <urn:> . e:a e:b e:c . e:a e:b", RdfFormat::Turtle);
        assert!(matches!(&read[0], Raw::Quads(quads) if quads.len() == 1));
        assert!(matches!(&read[1], Raw::Bad { reason, .. } if reason.contains("not read")), "{read:?}");
        assert_eq!(read.len(), 2);
    }

    /// RDF/XML with these entities, and the last of them as a text.
    fn with_entities(declared: &str, text: &str) -> String {
        format!(
            "<!DOCTYPE rdf:RDF [{declared}]><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"urn:\">\
             <rdf:Description rdf:about=\"urn:a\"><e:b>{text}</e:b></rdf:Description></rdf:RDF>"
        )
    }

    #[test]
    fn entities_are_read_and_a_bomb_of_them_is_refused() {
        let declared = "<!ENTITY a \"urn:\"><!ENTITY % b \"&a;b\">";
        assert!(
            matches!(&read(&with_entities(declared, "&b;"), RdfFormat::RdfXml)[0], Raw::Quads(quads) if quads.len() == 1)
        );
        let tenfold = |from: &str, to: &str| format!("<!ENTITY {to} \"{}\">", format!("&{from};").repeat(10));
        // White space that only the parser takes for such hides nothing.
        let mut bomb = "<!ENTITY x0 \u{a0}\"0123456789\">".to_owned();
        (0..11).for_each(|n| bomb.push_str(&tenfold(&format!("x{n}"), &format!("x{}", n + 1))));
        let Some(Raw::Bad { reason, .. }) = read(&with_entities(&bomb, "&x11;"), RdfFormat::RdfXml).pop()
        else {
            panic!()
        };
        assert!(reason.contains("1024 bytes"), "{reason}");
        // A name may hold a quote.
        let many =
            with_entities(&format!("<!ENTITY a\"b \"{}\">", "x".repeat(1000)), &"&a\"b;".repeat(30_000));
        let Some(Raw::Bad { reason, .. }) = read(&many, RdfFormat::RdfXml).pop() else { panic!() };
        assert!(reason.contains("16 MiB"), "{reason}");
    }

    #[test]
    fn what_prefixes_stand_for_is_bounded_by_statement_and_block() {
        let long = |bytes: usize| {
            format!("@prefix e: <urn:{}> .\n{}", "x".repeat(bytes), "e:a e:b e:c .\n".repeat(3_000))
        };
        let blocks = read(&long(4_000), RdfFormat::Turtle);
        assert_eq!(blocks.len(), 3, "36 MB in blocks of 16 MiB");
        let refused = read(&long(5_000), RdfFormat::Turtle);
        assert_eq!(refused.len(), BROKEN_LIMIT);
        assert!(
            matches!(&refused[0], Raw::Bad { reason, .. } if reason.contains("4096 bytes")),
            "{:?}",
            refused[0]
        );
        let told = |raw: &Raw| match raw {
            Raw::Bad { reason, text, .. } => (reason.contains("not read"), text.starts_with("<urn:xxx")),
            _ => panic!("{raw:?}"),
        };
        assert_eq!((told(&refused[0]), told(&refused[BROKEN_LIMIT - 1])), ((false, true), (true, true)));
    }
}
