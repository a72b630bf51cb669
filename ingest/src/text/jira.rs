//! What does Jira's wiki markup say? The text with its marks taken out, code and quotes kept.

use std::sync::LazyLock;

use regex::Regex;

/// Marks and what stands for them.
static MARKS: LazyLock<[(Regex, &str); 9]> = LazyLock::new(|| {
    let mark = |pattern: &str| Regex::new(pattern).expect("a constant pattern");
    [
        (mark(r"\{(?:code|noformat|quote|panel|color)(?::[^{}\n]*)?\}"), ""),
        (mark(r"\{\{([^{}\n]+)\}\}"), "$1"),
        (mark(r"(?m)^h[1-6]\.\s+"), ""),
        (mark(r"(?m)^bq\.\s+"), "> "),
        (mark(r"\[([^\]|\n]+)\|[^\]\n]+\]"), "$1"),
        (mark(r"\[(https?://[^\]\s]+)\]"), "$1"),
        (mark(r"\[~([^\]\n]+)\]"), "@$1"),
        (mark(r"(?m)^\*{1,4}\s+"), "- "),
        (mark(r"(?m)(^|[\s(])\*([^*\s][^*\n]*[^*\s]|[^*\s])\*"), "$1$2"),
    ]
});

pub(super) fn text(wiki: &str) -> String {
    let mut text = numbered(wiki);
    for (mark, plain) in MARKS.iter() {
        if let std::borrow::Cow::Owned(replaced) = mark.replace_all(&text, *plain) {
            text = replaced;
        }
    }
    text
}

/// Lists of `#` as numbers; not inside of code, where `#` begins remarks.
fn numbered(wiki: &str) -> String {
    let mut lines = Vec::new();
    let (mut count, mut in_code) = (0, false);
    for line in wiki.lines() {
        let fences = line.matches("{code").count() + line.matches("{noformat").count();
        if let (false, Some(item)) = (in_code, line.strip_prefix("# ")) {
            count += 1;
            lines.push(format!("{count}. {item}"));
        } else {
            if !line.trim().is_empty() && !line.starts_with([' ', '#', '*']) {
                count = 0;
            }
            lines.push(line.to_owned());
        }
        in_code ^= fences % 2 == 1;
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_code_stays() {
        let wiki = "h2. Steps\n# open {{a.xml}}\n# see [the page|https://x.y] or [https://z]\n{code:java}\n# no step\nint *a* = 1;\n{code}\n\
            *bold* by [~jdoe], 2*3*4\n* item";
        assert_eq!(
            text(wiki),
            "Steps\n1. open a.xml\n2. see the page or https://z\n\n# no step\nint a = 1;\n\nbold by @jdoe, 2*3*4\n- item"
        );
    }
}
