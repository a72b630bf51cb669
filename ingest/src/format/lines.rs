//! What stands in each line? Lines with a length limit, and JSON lines on top of them.

use std::io::{BufRead, BufReader, Read};

use ontology::Place;

use super::json::parse;
use crate::raw::{ITEM_LIMIT_BYTES, Raw};

/// One object a line; a bad line is rejected and reading goes on.
pub(super) fn objects(bytes: impl Read + Send) -> impl Iterator<Item = Raw> + Send {
    let reader = BufReader::with_capacity(1 << 16, bytes);
    Lines { reader, number: 0, has_failed: false }.filter_map(|(number, line)| {
        let place = Some(Place::Line(number));
        match line {
            Line::Failed(error) => {
                Some(Raw::bad(place, format!("reading failed in line {number}: {error}"), &[]))
            }
            Line::TooLong { head, bytes } => {
                let limit = ITEM_LIMIT_BYTES >> 20;
                let reason = format!("line {number} is {bytes} bytes long, {limit} MiB at most: split it");
                Some(Raw::bad(place, reason, &head))
            }
            Line::Whole(text) => {
                let text =
                    if number == 1 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text) } else { &text };
                let text = text.trim_ascii();
                if text.is_empty() {
                    return None;
                }
                Some(match parse(text, number) {
                    Ok(value) => Raw::Item { place, value },
                    Err(reason) => Raw::bad(place, reason, text),
                })
            }
        }
    })
}

enum Line {
    Whole(Vec<u8>),
    TooLong { head: Vec<u8>, bytes: u64 },
    Failed(std::io::Error),
}

/// Lines and their numbers from 1, none longer in memory than the limit.
struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    has_failed: bool,
}

impl<R: Read> Iterator for Lines<R> {
    type Item = (u64, Line);

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let mut line = Vec::new();
        let mut bytes = 0_u64;
        self.number += 1;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.has_failed = true;
                    return Some((self.number, Line::Failed(error)));
                }
            };
            if available.is_empty() && bytes == 0 {
                return None;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(available.len(), |at| at + 1);
            let room = (ITEM_LIMIT_BYTES + 1).saturating_sub(line.len());
            line.extend_from_slice(&available[..used.min(room)]);
            let at_end = available.is_empty() || end.is_some();
            bytes += used as u64;
            self.reader.consume(used);
            if at_end {
                let too_long = line.len() > ITEM_LIMIT_BYTES;
                let line = if too_long { Line::TooLong { head: line, bytes } } else { Line::Whole(line) };
                return Some((self.number, line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_200_megabytes_is_rejected_with_its_number_and_the_rest_is_read() {
        let long = std::io::repeat(b'x').take(200 << 20);
        let input = (&b"{\"a\":1}\n"[..]).chain(long).chain(&b"\n{\"a\":3}"[..]);
        let read: Vec<Raw> = objects(input).collect();
        assert!(matches!(&read[0], Raw::Item { place: Some(Place::Line(1)), .. }));
        let Raw::Bad { place: Some(Place::Line(2)), reason, text } = &read[1] else {
            panic!("{:?}", read[1])
        };
        assert!(reason.contains("line 2 is 209715201 bytes long, 16 MiB at most"), "{reason}");
        assert!(text.len() < 300_000);
        assert!(matches!(&read[2], Raw::Item { place: Some(Place::Line(3)), .. }));
        assert_eq!(read.len(), 3);
    }

    #[test]
    fn reading_ends_with_the_first_failure() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        let read: Vec<Raw> = objects((&b"{}\n{"[..]).chain(Failing)).take(10).collect();
        assert_eq!(read.len(), 2);
        assert!(matches!(&read[1], Raw::Bad { reason, .. } if reason.contains("the disk is gone")));
    }

    #[test]
    fn a_bad_line_names_itself() {
        let read: Vec<Raw> = objects(&b"\n{\"a\": 1\n{\"b\": \"\xff\"}\n{}\n"[..]).collect();
        let reasons: Vec<_> = read
            .iter()
            .filter_map(|raw| match raw {
                Raw::Bad { reason, .. } => Some(reason.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(reasons.len(), 2);
        assert!(reasons[0].contains("line 2"), "{reasons:?}");
        assert!(reasons[1].contains("line 3") && reasons[1].contains("UTF-8"), "{reasons:?}");
    }
}
