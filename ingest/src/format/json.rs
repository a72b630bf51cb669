//! What does a JSON file hold? The elements of its array one by one, found by a scanner that keeps no tree of the file.

mod look;
mod scanner;

use std::io::{BufReader, Read};

use ontology::Place;
use serde_json::Value;

use crate::raw::{ITEM_LIMIT_BYTES, Raw};
use look::{LISTS, Look, RESULT};
use scanner::{Scanner, Stop};

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
    scanner: Scanner<BufReader<R>>,
    state: State,
    /// Items given so far.
    count: u64,
    /// The members of the object at the top that hold no items, as JSON text.
    rest: Vec<u8>,
    /// Whether that object holds items.
    is_envelope: bool,
    /// Its arrays of objects that were taken for fields, before it was known to hold items.
    left: Vec<String>,
}

impl<R: Read> Elements<R> {
    pub(super) fn new(bytes: R) -> Self {
        Self {
            scanner: Scanner::new(BufReader::with_capacity(1 << 16, bytes)),
            state: State::Top,
            count: 0,
            rest: Vec::new(),
            is_envelope: false,
            left: Vec::new(),
        }
    }

    fn top(&mut self) -> Result<Option<Raw>, Stop> {
        match self.scanner.token()? {
            None => self.state = State::Done,
            Some(b'[') => {
                self.scanner.bump();
                self.state = State::Array(None);
            }
            Some(b'{') => {
                let mut look = Look::default();
                self.scanner.look(|ahead| look.at(ahead));
                if look.is_record {
                    return self.item(None).map(Some);
                }
                self.scanner.bump();
                self.rest = vec![b'{'];
                self.is_envelope = look.is_envelope;
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
                let left = std::mem::take(&mut self.left);
                if self.is_envelope {
                    return Ok((!left.is_empty()).then(|| self.unread(&left)));
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
        let first = self.scanner.token()?;
        let is_list = LISTS.contains(&name.as_str());
        if is_list && first == Some(b'{') && name == RESULT {
            self.is_envelope = true;
            return self.item(Some(&name)).map(Some);
        }
        let mut value = Vec::new();
        let mut depth = 0;
        if first == Some(b'[') {
            self.scanner.bump();
            let second = self.scanner.token()?;
            if is_list && matches!(second, Some(b'{' | b']')) || self.is_envelope && second == Some(b'{') {
                self.is_envelope = true;
                self.state = State::Array(Some(name));
                return Ok(None);
            }
            if second == Some(b'{') {
                self.left.push(name);
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

    /// Lists that came so long before the first one that is known that they were not seen to be items.
    fn unread(&mut self, lists: &[String]) -> Raw {
        self.count += 1;
        let reason = format!("the lists {} of the file were not read: put them last", lists.join(", "));
        Raw::bad(Some(Place::Item(self.count)), reason, &[])
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
    fn an_object_is_a_record_or_an_envelope_whatever_the_order_of_its_keys() {
        let titled = r#"{"services":[{"name":"mail"}],"title":"Mail down","description":"Nobody gets mail"}"#;
        let [ticket] = &values(titled)[..] else { panic!("{:?}", values(titled)) };
        assert_eq!((&ticket["title"], &ticket["services"][0]["name"]), (&"Mail down".into(), &"mail".into()));
        for text in [
            r#"{"tickets":[{"id":1}],"runbooks":[{"id":"rb"}],"total":2}"#,
            r#"{"runbooks":[{"id":"rb"}],"total":2,"tickets":[{"id":1}]}"#,
        ] {
            let mut lists: Vec<_> = values(text).iter().map(|value| value["$list"].to_string()).collect();
            lists.sort();
            assert_eq!(lists, ["\"runbooks\"", "\"tickets\""], "{text}");
        }
        assert_eq!(values(r#"{"host":"db1","disks":[{"n":1}]}"#).len(), 1);
        assert_eq!(values(r#"{"id":null,"title":"","tickets":[{"n":1},{"n":2}]}"#).len(), 2);
    }

    #[test]
    fn a_list_far_before_the_first_known_one_is_named() {
        let long = "x".repeat(2 << 20);
        let text = format!(r#"{{"runbooks":[{{"n":1}}],"note":"{long}","tickets":[{{"n":1}}]}}"#);
        assert_eq!(read(&text).len(), 2);
        assert!(last_reason(&text).contains("runbooks"), "{}", last_reason(&text));
        let text = format!(r#"{{"note":"{long}","tickets":[{{"n":1}},{{"n":2}}],"runbooks":[{{"n":1}}]}}"#);
        assert_eq!(values(&text).len(), 3);
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
