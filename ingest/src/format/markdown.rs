//! What does a Markdown file hold? Its front matter, its first heading and its body, as the fields of one item.

use std::io::Read;

use ontology::Place;
use serde_json::{Map, Value};

use super::{whole, yaml};
use crate::raw::Raw;

/// One item: `front` (the fields of the front matter), `heading` (the first one of level 1), `headings`, `body`.
pub(super) fn read(bytes: impl Read) -> impl Iterator<Item = Raw> + Send {
    std::iter::once(whole(bytes).map_or_else(
        |bad| bad,
        |text| match document(&text) {
            Ok(value) => Raw::Item { place: None, value },
            Err(reason) => Raw::bad(Some(Place::Line(1)), reason, text.as_bytes()),
        },
    ))
}

/// The fields of a document.
fn document(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front, body) = front_matter(text)?;
    let mut fields = Map::new();
    fields.insert("front".to_owned(), front);
    let headings = crate::text::markdown_headings(body);
    if let Some((_, heading)) = headings.iter().find(|(level, _)| *level == 1) {
        fields.insert("heading".to_owned(), heading.as_str().into());
    }
    fields.insert(
        "headings".to_owned(),
        headings.into_iter().map(|(_, heading)| Value::from(heading)).collect(),
    );
    fields.insert("body".to_owned(), body.into());
    Ok(Value::Object(fields))
}

fn front_matter(text: &str) -> Result<(Value, &str), String> {
    let none = || Ok((Value::Object(Map::new()), text));
    for (fence, is_yaml) in [("---", true), ("+++", false)] {
        let Some(after) = text.strip_prefix(fence).map(|rest| rest.trim_start_matches([' ', '\t', '\r']))
        else {
            continue;
        };
        let Some(after) = after.strip_prefix('\n') else { return none() };
        let Some((front, body)) = split_at_fence(after, fence) else { return none() };
        let value = if is_yaml { yaml::parse(front, 2)? } else { toml_value(front)? };
        return match value {
            Value::Null => Ok((Value::Object(Map::new()), body)),
            Value::Object(_) => Ok((value, body)),
            _ => none(),
        };
    }
    none()
}

fn toml_value(front: &str) -> Result<Value, String> {
    toml::from_str(front).map_err(|error| format!("no TOML in the front matter: {}", error.message()))
}

fn split_at_fence<'t>(text: &'t str, fence: &str) -> Option<(&'t str, &'t str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == fence {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn front_matter_and_heading_are_fields() {
        let value =
            document("---\ntitle: Reset\nservices: [vpn, mail]\n---\n# VPN reset\n\n## Steps\nDo it.\n")
                .unwrap();
        assert_eq!(value["front"]["services"][1], "mail");
        assert_eq!((&value["heading"], &value["headings"][1]), (&"VPN reset".into(), &"Steps".into()));
        assert_eq!(document("+++\ntitle = 'T'\n+++\nText").unwrap()["front"]["title"], "T");
        assert_eq!(document("---\nNo front matter, a rule.\n").unwrap()["front"], Value::Object(Map::new()));
        assert!(document("---\ntitle: [x\n---\nText").unwrap_err().contains("line "));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "[-#+:`>*0-9. \n\\[\\](){}<a-c\\PC]{0,120}") {
            let _ = document(&text);
        }
    }
}
