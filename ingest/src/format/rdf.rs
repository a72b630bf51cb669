//! What do RDF files say? Their quads in blocks, as they are.

use std::io::Read;

use ontology::Place;
use oxrdf::Quad;
use oxrdfio::{RdfFormat, RdfParseError, RdfParser, ReaderQuadParser};

use crate::raw::Raw;

/// Quads in a block: enough to write at once, few enough to hold.
const BLOCK_QUADS: usize = 10_000;
/// Broken statements of a line-based file that are told one by one; what comes after that many is no RDF.
const BROKEN_LIMIT: usize = 1_000;

/// The quads of a file in blocks; blank nodes are renamed, since other files use the same labels.
pub(super) struct Blocks<R: Read> {
    quads: ReaderQuadParser<R>,
    goes_on_after_error: bool,
    pending: Option<Raw>,
    broken: usize,
    is_done: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(bytes: R, format: RdfFormat) -> Self {
        let quads = RdfParser::from_format(format).rename_blank_nodes().for_reader(bytes);
        let goes_on_after_error = matches!(format, RdfFormat::NTriples | RdfFormat::NQuads);
        Self { quads, goes_on_after_error, pending: None, broken: 0, is_done: false }
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Raw;

    fn next(&mut self) -> Option<Raw> {
        if let Some(raw) = self.pending.take() {
            return Some(raw);
        }
        let mut block: Vec<Quad> = Vec::new();
        while !self.is_done && block.len() < BLOCK_QUADS {
            match self.quads.next() {
                None => self.is_done = true,
                Some(Ok(quad)) => block.push(quad),
                Some(Err(error)) => {
                    self.broken += 1;
                    let is_syntax = matches!(error, RdfParseError::Syntax(_));
                    self.is_done = !(self.goes_on_after_error && is_syntax && self.broken < BROKEN_LIMIT);
                    let rejected = rejection(&error, self.is_done);
                    if block.is_empty() {
                        return Some(rejected);
                    }
                    self.pending = Some(rejected);
                    return Some(Raw::Quads(block));
                }
            }
        }
        (!block.is_empty()).then_some(Raw::Quads(block))
    }
}

fn rejection(error: &RdfParseError, is_last: bool) -> Raw {
    let line = match error {
        RdfParseError::Syntax(error) => error.location().map(|at| at.start.line + 1),
        RdfParseError::Io(_) => None,
    };
    let consequence = if is_last { "; what follows was not read" } else { "" };
    Raw::bad(line.map(Place::Line), format!("{error}{consequence}"), &[])
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
}
