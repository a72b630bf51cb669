//! What does a JSON file hold? The elements of its array one by one, found by a scanner that keeps no tree of the file.

use std::io::{BufRead, BufReader, Read};

use ontology::Place;
use serde_json::Value;

use crate::raw::{ITEM_LIMIT_BYTES, Raw};

/// Names under which systems put the array of their records, in an object around it.
const LISTS: [&str; 24] = [
    "result",
    "results",
    "records",
    "record",
    "items",
    "data",
    "rows",
    "value",
    "values",
    "issues",
    "tickets",
    "incidents",
    "problems",
    "changes",
    "requests",
    "articles",
    "users",
    "groups",
    "organizations",
    "configuration_items",
    "cis",
    "assets",
    "services",
    "documents",
];

/// Fields that tell an object with an array in it to be a record, not an envelope.
const RECORD_FIELDS: [&str; 5] = ["id", "number", "key", "sys_id", "_id"];

/// Parses one item that begins in `line`.
pub(super) fn parse(text: &[u8], line: u64) -> Result<Value, String> {
    if let Err(error) = std::str::from_utf8(text) {
        let at = error.valid_up_to();
        let line = line + text[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        return Err(format!("invalid UTF-8 in line {line}, after {at} bytes of the item: save it as UTF-8"));
    }
    serde_json::from_slice(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let line = line + (error.line() as u64).saturating_sub(1);
        format!("no JSON in line {line}, column {}: {message}", error.column())
    })
}

enum State {
    /// Before a value at the top.
    Top,
    /// Between the elements of an array; its name, when it lies in an envelope.
    Array(Option<String>),
    /// Between the members of an object at the top.
    Object,
    Done,
}

/// The items of a JSON file.
pub(super) struct Elements<R> {
    scanner: Scanner<R>,
    state: State,
    /// Items given so far.
    count: u64,
    /// The members of the object at the top that hold no items, as JSON text.
    rest: Vec<u8>,
    /// Whether that object held items, and whether it looks like a record itself.
    is_envelope: bool,
    is_record: bool,
}

impl<R: Read> Elements<R> {
    pub(super) fn new(bytes: R) -> Self {
        let scanner = Scanner { reader: BufReader::with_capacity(1 << 16, bytes), line: 1 };
        Self { scanner, state: State::Top, count: 0, rest: Vec::new(), is_envelope: false, is_record: false }
    }

    fn top(&mut self) -> Result<Option<Raw>, Stop> {
        match self.scanner.token()? {
            None => self.state = State::Done,
            Some(b'[') => {
                self.scanner.bump();
                self.state = State::Array(None);
            }
            Some(b'{') => {
                self.scanner.bump();
                self.rest = vec![b'{'];
                (self.is_envelope, self.is_record) = (false, false);
                self.state = State::Object;
            }
            Some(_) => return self.item(None).map(Some),
        }
        Ok(None)
    }

    fn array(&mut self, list: Option<String>) -> Result<Option<Raw>, Stop> {
        match self.scanner.token()? {
            None => Err(Stop::Cut(Vec::new())),
            Some(b',') => {
                self.scanner.bump();
                self.state = State::Array(list);
                Ok(None)
            }
            Some(b']') => {
                self.scanner.bump();
                self.state = if list.is_some() { State::Object } else { State::Top };
                Ok(None)
            }
            Some(_) => {
                let raw = self.item(list.as_deref())?;
                self.state = State::Array(list);
                Ok(Some(raw))
            }
        }
    }

    fn object(&mut self) -> Result<Option<Raw>, Stop> {
        match self.scanner.token()? {
            None => Err(Stop::Cut(std::mem::take(&mut self.rest))),
            Some(b',') => {
                self.scanner.bump();
                Ok(None)
            }
            Some(b'}') => {
                self.scanner.bump();
                self.state = State::Top;
                if self.is_envelope {
                    return Ok(None);
                }
                let mut text = std::mem::take(&mut self.rest);
                text.push(b'}');
                let line = self.scanner.line - text.iter().filter(|byte| **byte == b'\n').count() as u64;
                self.count += 1;
                Ok(Some(finished(text, self.count, line, None)))
            }
            Some(_) => self.member(),
        }
    }

    /// A member of the object at the top: items, or a field.
    fn member(&mut self) -> Result<Option<Raw>, Stop> {
        let mut key = Vec::new();
        self.scanner.value(&mut key, 0)?;
        if self.scanner.token()? == Some(b':') {
            self.scanner.bump();
        }
        let name: String = serde_json::from_slice(&key).unwrap_or_default();
        self.is_record |= RECORD_FIELDS.contains(&name.as_str());
        let first = self.scanner.token()?;
        let holds_items = !self.is_record && LISTS.contains(&name.as_str());
        if holds_items && first == Some(b'{') && name == "result" {
            self.is_envelope = true;
            return self.item(Some(&name)).map(Some);
        }
        let mut value = Vec::new();
        let mut depth = 0;
        if holds_items && first == Some(b'[') {
            self.scanner.bump();
            if matches!(self.scanner.token()?, Some(b'{' | b']')) {
                self.is_envelope = true;
                self.state = State::Array(Some(name));
                return Ok(None);
            }
            value.push(b'[');
            depth = 1;
        }
        self.scanner.value(&mut value, depth)?;
        if self.rest.len() > 1 {
            self.rest.push(b',');
        }
        self.rest.extend_from_slice(&key);
        self.rest.push(b':');
        self.rest.extend_from_slice(&value);
        if self.rest.len() > ITEM_LIMIT_BYTES { Err(Stop::TooLong) } else { Ok(None) }
    }

    fn item(&mut self, list: Option<&str>) -> Result<Raw, Stop> {
        self.count += 1;
        let line = self.scanner.line;
        let mut text = Vec::new();
        let length = self.scanner.value(&mut text, 0)?;
        if length > ITEM_LIMIT_BYTES {
            let limit = ITEM_LIMIT_BYTES >> 20;
            let reason = format!("item in line {line} is {length} bytes long, {limit} MiB at most: split it");
            return Ok(Raw::bad(Some(Place::Item(self.count)), reason, &text));
        }
        Ok(finished(text, self.count, line, list))
    }

    fn stopped(&self, stop: Stop) -> Raw {
        let line = self.scanner.line;
        let place = Some(Place::Item(self.count.max(1)));
        match stop {
            Stop::Cut(text) => {
                let reason =
                    format!("the file ends in line {line} inside a value: it was cut off, export it again");
                Raw::bad(place, reason, &text)
            }
            Stop::TooLong => Raw::bad(
                place,
                format!(
                    "the object around line {line} is longer than {} MiB: split it",
                    ITEM_LIMIT_BYTES >> 20
                ),
                &self.rest,
            ),
            Stop::Unexpected(byte) => {
                let reason = format!(
                    "unexpected {:?} in line {line}: what follows it was not read, export it again",
                    char::from(byte)
                );
                Raw::bad(place, reason, &[])
            }
            Stop::Failed(error) => Raw::bad(place, format!("reading failed in line {line}: {error}"), &[]),
        }
    }
}

fn finished(text: Vec<u8>, count: u64, line: u64, list: Option<&str>) -> Raw {
    let place = Some(Place::Item(count));
    match parse(&text, line) {
        Ok(mut value) => {
            if let (Some(list), Value::Object(fields)) = (list, &mut value) {
                fields.insert("$list".to_owned(), list.into());
            }
            Raw::Item { place, value }
        }
        Err(reason) => Raw::bad(place, reason, &text),
    }
}

impl<R: Read> Iterator for Elements<R> {
    type Item = Raw;

    fn next(&mut self) -> Option<Raw> {
        loop {
            let step = match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return None,
                State::Top => {
                    self.state = State::Top;
                    self.top()
                }
                State::Array(list) => self.array(list),
                State::Object => {
                    self.state = State::Object;
                    self.object()
                }
            };
            match step {
                Ok(Some(raw)) => return Some(raw),
                Ok(None) => {}
                Err(stop) => {
                    self.state = State::Done;
                    return Some(self.stopped(stop));
                }
            }
        }
    }
}

/// Why a file cannot be read on.
enum Stop {
    /// It ended inside this value.
    Cut(Vec<u8>),
    TooLong,
    Unexpected(u8),
    Failed(std::io::Error),
}

/// Finds where values begin and end, without understanding them.
struct Scanner<R> {
    reader: BufReader<R>,
    line: u64,
}

impl<R: Read> Scanner<R> {
    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Failed(error)),
            }
        }
    }

    fn bump(&mut self) {
        self.reader.consume(1);
    }

    /// The next byte that is no white space and no byte order mark; it stays to be read.
    fn token(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            match self.peek()? {
                Some(b'\n') => self.line += 1,
                Some(b' ' | b'\t' | b'\r' | 0xef | 0xbb | 0xbf) => {}
                other => return Ok(other),
            }
            self.bump();
        }
    }

    /// Copies one value, or the rest of one that is open `depth` times, and returns its length; what goes over the limit is
    /// counted, not kept.
    fn value(&mut self, into: &mut Vec<u8>, mut depth: usize) -> Result<usize, Stop> {
        if depth == 0
            && let Some(byte @ (b'}' | b']' | b':' | b',')) = self.peek()?
        {
            return Err(Stop::Unexpected(byte));
        }
        let (mut in_string, mut escaped) = (false, false);
        let mut length = into.len();
        loop {
            let Some(byte) = self.peek()? else {
                let is_whole = depth == 0 && !in_string && length > 0;
                return if is_whole { Ok(length) } else { Err(Stop::Cut(std::mem::take(into))) };
            };
            let is_scalar_end = matches!(byte, b',' | b']' | b'}' | b':') || byte.is_ascii_whitespace();
            if depth == 0 && !in_string && length > 0 && is_scalar_end {
                return Ok(length);
            }
            self.bump();
            length += 1;
            if length <= ITEM_LIMIT_BYTES {
                into.push(byte);
            }
            self.line += u64::from(byte == b'\n');
            if in_string {
                if escaped {
                    escaped = false;
                } else if byte == b'\\' {
                    escaped = true;
                } else if byte == b'"' {
                    in_string = false;
                    if depth == 0 {
                        return Ok(length);
                    }
                }
                continue;
            }
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(length);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<Raw> {
        Elements::new(text.as_bytes()).collect()
    }

    fn values(text: &str) -> Vec<Value> {
        read(text)
            .into_iter()
            .map(|raw| match raw {
                Raw::Item { value, .. } => value,
                other => panic!("{other:?} in {text}"),
            })
            .collect()
    }

    fn last_reason(text: &str) -> String {
        match read(text).pop() {
            Some(Raw::Bad { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_are_found_in_arrays_envelopes_and_alone() {
        assert_eq!(values(r#"[{"a":1}, {"a":"]"}]"#).len(), 2);
        assert_eq!(values(r#"{"total":2,"issues":[{"a":1},{"a":2}],"names":{}}"#).len(), 2);
        assert_eq!(values(r#"{"result":{"a":1}}"#)[0]["a"], 1);
        assert_eq!(values("{\"a\":1}\n{\"a\":2}\n").len(), 2);
        let alone = &values("\u{feff}{\"number\":\"INC1\",\"users\":[{\"n\":1}],\"tags\":[1,2]}")[0];
        assert_eq!(alone["users"][0]["n"], 1);
        let side_loaded = values(r#"{"tickets":[{"n":1}],"users":[{"n":2}]}"#);
        assert_eq!(
            (&side_loaded[0]["$list"], &side_loaded[1]["$list"]),
            (&"tickets".into(), &"users".into())
        );
        assert_eq!(values(r#"{"items":[1,[2]],"x":"y"}"#)[0]["items"][1][0], 2);
        assert!(values("[]").is_empty());
    }

    #[test]
    fn what_is_cut_off_names_the_line_and_keeps_what_came_before() {
        let read = read("[\n{\"a\":1},\n{\"a\":\n");
        assert!(matches!(&read[0], Raw::Item { place: Some(Place::Item(1)), .. }));
        let Raw::Bad { place: Some(Place::Item(2)), reason, text } = &read[1] else { panic!("{read:?}") };
        assert!(reason.contains("line 4") && reason.contains("cut off"), "{reason}");
        assert_eq!(text.trim(), "{\"a\":");
        assert!(last_reason("[{\"a\":1}").contains("cut off"));
        assert!(last_reason("{\"a\":1").contains("cut off"));
    }

    #[test]
    fn a_bad_element_is_one_rejection_and_the_rest_is_read() {
        let read = read("[{\"a\":1},\n{\"b\" 2},\n{\"c\":3}]");
        assert_eq!(read.len(), 3);
        let Raw::Bad { reason, .. } = &read[1] else { panic!("{read:?}") };
        assert!(reason.contains("line 2, column 6"), "{reason}");
        assert!(last_reason("[}").contains("'}' in line 1"));
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let deep = format!("[{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert!(last_reason(&deep).contains("recursion limit"), "{}", last_reason(&deep));
    }

    #[test]
    fn an_element_over_the_limit_is_rejected_without_being_kept() {
        let long = std::io::repeat(b'x').take(40 << 20);
        let input = (&b"[{\"a\":1},\""[..]).chain(long).chain(&b"\",{\"a\":3}]"[..]);
        let read: Vec<Raw> = Elements::new(input).collect();
        assert_eq!(read.len(), 3);
        assert!(matches!(&read[1], Raw::Bad { reason, .. } if reason.contains("16 MiB")), "{:?}", read[1]);
    }

    proptest! {
        #[test]
        fn any_bytes_end_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let count = Elements::new(&bytes[..]).count();
            prop_assert!(count <= bytes.len() + 1);
        }

        #[test]
        fn any_json_like_text_ends_and_never_panics(text in "[\\[\\]{}:,\"\\\\a1 \n]{0,60}") {
            let count = Elements::new(text.as_bytes()).count();
            prop_assert!(count <= text.len() + 1);
        }
    }
}
