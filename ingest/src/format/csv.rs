//! What does a table hold? Rows as objects of header and cell; repeated headers become lists.

mod limited;

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, Reader, ReaderBuilder};
use ontology::Place;
use serde_json::{Map, Value};

use super::not_utf8;
use crate::raw::Raw;
use limited::Limited;

/// Most columns of a table; those of real exports are hundreds, some of them under one header.
const COLUMNS_LIMIT: usize = 10_000;

/// The rows of a table.
pub(super) struct Rows<R> {
    state: State<R>,
    /// Bytes read since the last row.
    since: Arc<AtomicU64>,
    number: u64,
}

enum State<R> {
    Start(R),
    Rows(Box<Reader<Limited<BufReader<R>>>>, Vec<String>),
    Done,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(bytes: R) -> Self {
        Self { state: State::Start(bytes), since: Arc::default(), number: 0 }
    }

    fn start(&mut self, bytes: R) -> Result<State<R>, Raw> {
        let mut bytes = BufReader::with_capacity(1 << 16, bytes);
        let failed = |error: std::io::Error| Raw::bad(None, format!("reading failed: {error}"), &[]);
        let head = bytes.fill_buf().map_err(failed)?;
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let delimiter = delimiter(&head[mark..]);
        bytes.consume(mark);
        let limited = Limited::new(bytes, delimiter, Arc::clone(&self.since));
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(limited);
        let mut row = ByteRecord::new();
        match reader.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return Ok(State::Done),
            Err(error) => return Err(Raw::bad(None, format!("no header: {error}"), &[])),
        }
        if row.len() > COLUMNS_LIMIT {
            let reason =
                format!("the header has {} columns, {COLUMNS_LIMIT} at most: split the table", row.len());
            return Err(Raw::bad(None, reason, row.as_slice()));
        }
        let name = |(at, cell)| match std::str::from_utf8(cell).map(str::trim) {
            Ok("") => Ok(format!("column {}", at + 1)),
            Ok(name) => Ok(name.to_owned()),
            Err(error) => {
                let what = not_utf8(error.valid_up_to());
                let reason = format!("the header has {what} in column {}: save the table as UTF-8", at + 1);
                Err(Raw::bad(None, reason, cell))
            }
        };
        let header = row.iter().enumerate().map(name).collect::<Result<_, _>>()?;
        Ok(State::Rows(Box::new(reader), header))
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Raw;

    fn next(&mut self) -> Option<Raw> {
        let (mut reader, header) = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return None,
            State::Start(bytes) => match self.start(bytes) {
                Ok(State::Rows(reader, header)) => (reader, header),
                Ok(_) => return None,
                Err(raw) => return Some(raw),
            },
            State::Rows(reader, header) => (reader, header),
        };
        self.since.store(0, Ordering::Relaxed);
        self.number += 1;
        let place = Some(Place::Row(self.number));
        let line = reader.position().line();
        let mut row = ByteRecord::new();
        match reader.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                let reason = format!(
                    "row {} in line {line} cannot be read, nor what follows it: {error}",
                    self.number
                );
                return Some(Raw::bad(place, reason, row.as_slice()));
            }
        }
        let line = row.position().map_or(line, csv::Position::line);
        let raw = match fields(&header, &row) {
            Ok(value) => Raw::Item { place, value },
            Err(reason) => {
                let cells: Vec<_> = row.iter().map(String::from_utf8_lossy).collect();
                Raw::bad(
                    place,
                    format!("row {} in line {line} {reason}", self.number),
                    cells.join(",").as_bytes(),
                )
            }
        };
        self.state = State::Rows(reader, header);
        Some(raw)
    }
}

/// The object of a row; cells under the same header become a list, empty ones null.
fn fields(header: &[String], row: &ByteRecord) -> Result<Value, String> {
    if row.len() != header.len() {
        return Err(format!(
            "has {} columns, the header has {}: quote cells that hold the delimiter",
            row.len(),
            header.len()
        ));
    }
    let mut fields = Map::new();
    for (name, cell) in header.iter().zip(row) {
        let cell = std::str::from_utf8(cell).map_err(|error| {
            format!("has {} in column {name:?}: save the table as UTF-8", not_utf8(error.valid_up_to()))
        })?;
        let value = if cell.trim().is_empty() { Value::Null } else { Value::from(cell) };
        match fields.get_mut(name) {
            None => {
                fields.insert(name.clone(), value);
            }
            Some(_) if value.is_null() => {}
            Some(Value::Array(list)) => list.push(value),
            Some(first @ Value::Null) => *first = value,
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(Value::Object(fields))
}

/// The delimiter that occurs most in the first line, outside of quotes.
fn delimiter(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [0_usize; 4];
    const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let mut best = 0;
    for at in 1..DELIMITERS.len() {
        if counts[at] > counts[best] {
            best = at;
        }
    }
    DELIMITERS[best]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &[u8]) -> Vec<Raw> {
        Rows::new(text).collect()
    }

    #[test]
    fn repeated_headers_become_lists_and_delimiters_are_found() {
        let rows = read("\u{feff}Key;Comment;Comment;Comment\nA;one;;\"two\nlines\"\nB;;;\n".as_bytes());
        let Raw::Item { value, place: Some(Place::Row(1)) } = &rows[0] else { panic!("{rows:?}") };
        assert_eq!(*value, json!({"Key": "A", "Comment": ["one", "two\nlines"]}));
        let Raw::Item { value, .. } = &rows[1] else { panic!("{rows:?}") };
        assert_eq!(*value, json!({"Key": "B", "Comment": null}));
    }

    #[test]
    fn a_row_with_a_wrong_column_count_or_encoding_is_rejected_and_the_rest_is_read() {
        let rows = read(b"a,b\n1,2\n1,2,3\n\xff,2\n3,4\n");
        let reason = |at: usize| match &rows[at] {
            Raw::Bad { reason, place: Some(place), .. } => format!("{place}: {reason}"),
            other => panic!("{other:?}"),
        };
        assert!(
            reason(1).starts_with("row 2: row 2 in line 3 has 3 columns, the header has 2"),
            "{}",
            reason(1)
        );
        assert!(reason(2).contains("in column \"a\"") && reason(2).contains("UTF-8"), "{}", reason(2));
        assert!(matches!(&rows[3], Raw::Item { .. }));
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn a_quote_that_is_not_closed_stops_at_the_limit() {
        let input = (&b"a,b\n1,\""[..]).chain(std::io::repeat(b'x').take(200 << 20));
        let rows: Vec<Raw> = Rows::new(input).collect();
        assert_eq!(rows.len(), 1);
        assert!(
            matches!(&rows[0], Raw::Bad { reason, .. } if reason.contains("16 MiB") && reason.contains("line 2"))
        );
    }

    #[test]
    fn a_table_that_ends_in_quotes_is_rejected_from_there() {
        let rows = read(b"a,b\n1,\"x\"\n2,\"open\n3,y\n4,z\n");
        assert_eq!(rows.len(), 2, "{rows:?}");
        let Raw::Bad { reason, place: Some(Place::Row(2)), .. } = &rows[1] else { panic!("{rows:?}") };
        assert!(reason.contains("a quote opened in line 3 is never closed"), "{reason}");
        let closed = read(b"a,b\n1,\"say \"\"hi\"\"\"\n2,5\" disk\n3,\"x\" y\n4,\"end\"");
        assert!(closed.len() == 4 && closed.iter().all(|raw| matches!(raw, Raw::Item { .. })), "{closed:?}");
    }

    #[test]
    fn a_header_that_is_no_utf8_is_rejected() {
        let rows = read(b"a,Stra\xdfe\n1,2\n");
        let [Raw::Bad { reason, .. }] = &rows[..] else { panic!("{rows:?}") };
        assert!(reason.contains("header has invalid UTF-8 after 4 bytes in column 2"), "{reason}");
    }

    proptest! {
        #[test]
        fn any_bytes_end_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).len() <= bytes.len());
        }
    }
}
