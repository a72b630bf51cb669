//! Is an object a record, or an envelope around records? Told by its members, whatever their order.

use super::scanner::Scanner;

/// Names under which systems put the array of their records, in an object around it.
pub(super) const LISTS: [&str; 24] = [
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

/// The one of them that may also hold a single record.
pub(super) const RESULT: &str = "result";

/// Fields that, filled with a text or number, tell an object with an array in it to be a record, not an envelope.
const RECORD_FIELDS: [&str; 11] = [
    "id",
    "number",
    "key",
    "sys_id",
    "_id",
    "title",
    "subject",
    "summary",
    "short_description",
    "description",
    "headline",
];

/// What an object at the top is, by all of its members that can be seen at once.
#[derive(Default)]
pub(super) struct Look {
    pub(super) is_record: bool,
    pub(super) is_envelope: bool,
}

impl Look {
    /// Looks at as much of the object as there is; nothing when more is needed to know.
    pub(super) fn at(&mut self, ahead: &[u8]) -> Option<()> {
        let mut scanner = Scanner::new(ahead.get(1..)?);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        loop {
            match scanner.token().ok()?? {
                b',' => scanner.bump(),
                b'}' => return Some(()),
                _ => {
                    key.clear();
                    value.clear();
                    scanner.value(&mut key, 0).ok()?;
                    if scanner.token().ok()?? == b':' {
                        scanner.bump();
                    }
                    let first = scanner.token().ok()??;
                    scanner.value(&mut value, 0).ok()?;
                    self.member(&key, first, &value);
                    if self.is_record {
                        return Some(());
                    }
                }
            }
        }
    }

    fn member(&mut self, key: &[u8], first: u8, value: &[u8]) {
        let name: String = serde_json::from_slice(key).unwrap_or_default();
        let is_filled = (first == b'"' && value.len() > 2) || first.is_ascii_digit() || first == b'-';
        self.is_record |= is_filled && RECORD_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(&name));
        let inside = value.get(1..).unwrap_or_default().trim_ascii_start();
        let holds_objects = first == b'[' && matches!(inside.first(), Some(b'{' | b']'));
        self.is_envelope |=
            LISTS.contains(&name.as_str()) && (holds_objects || (first == b'{' && name == RESULT));
    }
}
