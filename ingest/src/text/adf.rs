//! What does an Atlassian document say? The text of the tree that Jira Cloud has instead of wiki markup.

use serde_json::{Map, Value};

/// Nesting that is followed; deeper text is left out.
const DEPTH_LIMIT: usize = 60;

/// The text of a document, or nothing when the object is none.
pub(crate) fn text(fields: &Map<String, Value>) -> Option<String> {
    let is_document = fields.get("type")? == "doc" && fields.get("content")?.is_array();
    if !is_document {
        return None;
    }
    let mut out = String::new();
    children(fields, &mut out, "", 0);
    Some(out.trim().to_owned())
}

fn children(fields: &Map<String, Value>, out: &mut String, indent: &str, depth: usize) {
    let Some(Value::Array(content)) = fields.get("content") else { return };
    if depth > DEPTH_LIMIT {
        return;
    }
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    for (number, child) in (1..).zip(content) {
        let Value::Object(child) = child else { continue };
        match kind {
            "orderedList" => out.push_str(&format!("{indent}{number}. ")),
            "bulletList" => out.push_str(&format!("{indent}- ")),
            _ => {}
        }
        node(child, out, indent, depth);
    }
}

fn node(fields: &Map<String, Value>, out: &mut String, indent: &str, depth: usize) {
    let attribute = |name: &str| fields.get("attrs").and_then(|attributes| attributes.get(name)?.as_str());
    match fields.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text" => out.push_str(fields.get("text").and_then(Value::as_str).unwrap_or_default()),
        "hardBreak" => out.push('\n'),
        "mention" | "emoji" | "status" | "date" => out.push_str(attribute("text").unwrap_or_default()),
        "inlineCard" | "blockCard" => out.push_str(attribute("url").unwrap_or_default()),
        "paragraph" | "heading" | "codeBlock" | "tableRow" => {
            children(fields, out, indent, depth + 1);
            out.push_str(if indent.is_empty() { "\n\n" } else { "\n" });
        }
        "tableCell" | "tableHeader" => {
            children(fields, out, indent, depth + 1);
            out.truncate(out.trim_end().len());
            out.push_str(" | ");
        }
        "listItem" => {
            children(fields, out, &format!("{indent}   "), depth + 1);
        }
        "orderedList" | "bulletList" => {
            children(fields, out, indent, depth + 1);
            if indent.is_empty() {
                out.push('\n');
            }
        }
        _ => children(fields, out, indent, depth + 1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_its_text() {
        let paragraph =
            |text: &str| json!({"type": "paragraph", "content": [{"type": "text", "text": text}]});
        let document = json!({"type": "doc", "content": [
            paragraph("It fails."),
            {"type": "orderedList", "content": [
                {"type": "listItem", "content": [paragraph("Open"), {"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph("it")]}]}]},
                {"type": "listItem", "content": [paragraph("Close")]}
            ]},
            {"type": "codeBlock", "content": [{"type": "text", "text": "a\n  b"}]}
        ]});
        let text = document.as_object().and_then(text);
        assert_eq!(text.as_deref(), Some("It fails.\n\n1. Open\n   - it\n2. Close\n\na\n  b"));
        assert_eq!(super::text(json!({"type": "doc"}).as_object().unwrap()), None);
    }
}
