//! Which items lie inside of a document? The elements of a list in it, each with what is around it that the mapping reads.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::rest::covers;

/// Bytes that are copied in all, so that each element of one document has what is around it.
const AROUND_LIMIT_BYTES: usize = 64 << 20;

/// The key of what is around an element.
const UP: &str = "$up";

/// How many elements lie at the end of a path of keys.
pub(super) fn count(value: &Value, steps: &[&str]) -> usize {
    match (value, steps) {
        (Value::Array(list), _) => list.iter().map(|value| count(value, steps)).sum(),
        (Value::Object(_), []) => 1,
        (Value::Object(fields), [step, rest @ ..]) => fields.get(*step).map_or(0, |inner| count(inner, rest)),
        _ => 0,
    }
}

/// Takes apart the list at the end of a path of keys; `reads` are the paths, from an element on, that are read.
///
/// # Errors
/// When what is around the elements is too much to be copied for each of them.
pub(super) fn take_apart(value: Value, steps: &[&str], reads: &[String]) -> Result<Vec<Value>, String> {
    let mut parts = Parts { reads, found: Vec::new(), room: AROUND_LIMIT_BYTES };
    let outermost = Arc::new(Around { value: Value::Null, bytes: 0 });
    parts.walk(value, steps, &outermost).ok_or_else(|| {
        let limit = AROUND_LIMIT_BYTES >> 20;
        format!(
            "what stands around its {} is over {limit} MiB when each has it: split the file",
            steps.join(".")
        )
    })?;
    Ok(parts.found)
}

struct Around {
    value: Value,
    bytes: usize,
}

struct Parts<'r> {
    reads: &'r [String],
    found: Vec<Value>,
    /// Bytes that may still be copied.
    room: usize,
}

impl Parts<'_> {
    /// Finds the elements; nothing when there is no room left.
    fn walk(&mut self, value: Value, steps: &[&str], up: &Arc<Around>) -> Option<()> {
        match (value, steps) {
            (Value::Array(list), _) => {
                for value in list {
                    self.walk(value, steps, up)?;
                }
            }
            (Value::Object(mut fields), []) => {
                self.room = self.room.checked_sub(up.bytes)?;
                fields.insert(UP.to_owned(), up.value.clone());
                self.found.push(Value::Object(fields));
            }
            (Value::Object(mut fields), [step, rest @ ..]) => {
                let Some(inner) = fields.remove(*step) else { return Some(()) };
                let around = self.around(fields, rest.len() + 1, up)?;
                self.walk(inner, rest, &Arc::new(around))?;
            }
            _ => {}
        }
        Some(())
    }

    /// What is read of the fields around elements that lie so many lists below them.
    fn around(&mut self, fields: Map<String, Value>, depth: usize, up: &Arc<Around>) -> Option<Around> {
        let before = format!("{UP}.").repeat(depth);
        let is_read = |key: &str| {
            let inside = |path: &String| path.strip_prefix(&before).is_some_and(|path| covers(key, path));
            self.reads.iter().any(inside)
        };
        let mut around: Map<String, Value> = fields.into_iter().filter(|(key, _)| is_read(key)).collect();
        let bytes = up.bytes + around.iter().map(|(key, value)| key.len() + size(value)).sum::<usize>();
        self.room = self.room.checked_sub(bytes)?;
        around.insert(UP.to_owned(), up.value.clone());
        Some(Around { value: Value::Object(around), bytes })
    }
}

/// About the memory of a value.
fn size(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 0,
    };
    inner + size_of::<Value>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STEPS: [&str; 2] = ["groups", "rules"];

    #[test]
    fn elements_keep_what_is_read_around_them() {
        let value = json!({
            "kind": "K", "long": "x",
            "groups": [{"name": "g", "file": "f", "rules": [{"alert": "A"}, {"alert": "B"}]}]
        });
        assert_eq!(count(&value, &STEPS), 2);
        let reads = ["alert", "$up.name", "$up.$up.kind"].map(str::to_owned);
        let found = take_apart(value, &STEPS, &reads).unwrap();
        let up = json!({"name": "g", "$up": {"kind": "K", "$up": null}});
        assert_eq!(found, [json!({"alert": "A", "$up": up}), json!({"alert": "B", "$up": up})]);
    }

    #[test]
    fn what_is_long_is_left_out_or_refused_never_copied_without_end() {
        let rules = vec![json!({"alert": "A"}); 4_000];
        let value = json!({"x": "x".repeat(2 << 20), "groups": [{"rules": rules}]});
        assert_eq!(take_apart(value.clone(), &STEPS, &[]).unwrap().len(), 4_000);
        let error = take_apart(value, &STEPS, &["$up.$up.x".to_owned()]).unwrap_err();
        assert!(error.contains("groups.rules") && error.contains("64 MiB"), "{error}");
    }
}
