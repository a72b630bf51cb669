//! How deep do a text's tags stand in each other? Counted without building their tree, and never too low.

/// Tags that hold nothing, and those that the next of their kind or the end of what is around them closes.
const FLAT: [&str; 26] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr", "p", "li", "td", "th", "tr", "tbody", "thead", "tfoot", "dd", "dt", "option", "colgroup",
];

/// How many tags begin, and the most that are open at once, when only the end tag that fits the innermost one closes it.
pub(super) fn depth(html: &str) -> (usize, usize) {
    let bytes = html.as_bytes();
    let mut open: Vec<&[u8]> = Vec::new();
    let (mut tags, mut deepest, mut at) = (0, 0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'<') {
        at += found + 1;
        let rest = &bytes[at..];
        let is_end = rest.first() == Some(&b'/');
        let name = &rest[usize::from(is_end)..];
        let length = name.iter().position(|byte| b" \t\r\n\x0c/>".contains(byte)).unwrap_or(name.len());
        let (name, after) = name.split_at(length);
        if name.first().is_some_and(u8::is_ascii_alphabetic) {
            tags += usize::from(!is_end);
            if !is_end && !FLAT.iter().any(|flat| name.eq_ignore_ascii_case(flat.as_bytes())) {
                open.push(name);
                deepest = deepest.max(open.len());
            } else if is_end && open.last().is_some_and(|last| name.eq_ignore_ascii_case(last)) {
                open.pop();
            }
            at = bytes.len() - after.len() + attributes(after);
        } else if rest.starts_with(b"!--") {
            at += comment(&rest[3..]) + 3;
        } else if is_end || rest.starts_with(b"!") || rest.starts_with(b"?") {
            at += rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
        }
    }
    (tags, deepest)
}

/// Where the attributes of a tag end: quotes count only behind `=`.
fn attributes(text: &[u8]) -> usize {
    let is_space = |at: usize| text.get(at).is_some_and(u8::is_ascii_whitespace);
    let until = |from: usize, ends: &[u8]| {
        text[from..].iter().position(|byte| ends.contains(byte)).map_or(text.len(), |length| from + length)
    };
    let mut at = 0;
    while at < text.len() && text[at] != b'>' {
        if is_space(at) || text[at] == b'/' {
            at += 1;
            continue;
        }
        at = until(at + 1, b" \t\r\n\x0c/>=");
        let mut value = at;
        while is_space(value) {
            value += 1;
        }
        if text.get(value) == Some(&b'=') {
            value += 1;
            while is_space(value) {
                value += 1;
            }
            at = match text.get(value) {
                Some(quote @ (b'"' | b'\'')) => (until(value + 1, &[*quote]) + 1).min(text.len()),
                _ => until(value, b" \t\r\n\x0c>"),
            };
        }
    }
    at
}

/// Where a comment ends.
fn comment(text: &[u8]) -> usize {
    if text.starts_with(b">") || text.starts_with(b"->") {
        return 1;
    }
    let ends = |at: &usize| text[*at..].starts_with(b"-->") || text[*at..].starts_with(b"--!>");
    (0..text.len()).find(ends).map_or(text.len(), |at| at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_in_each_other_are_counted_and_nothing_hides_them() {
        let check = |html: &str, expected: usize| assert_eq!(depth(html).1, expected, "{html}");
        check("<div><P>a<br><ul><li>b<li>c</ul></DIV> 1 < 2 > 1", 2);
        check(&"<div class='a'>x</div>".repeat(50), 1);
        for piece in [
            "<div><!--</div>-->",
            "<div><p title=\"</div>\">",
            "<div><p a = '</div>'>",
            "<div></b>",
            "<div></p>",
            "<div><textarea></div></textarea>",
            "<div><!--></div><div>",
            "<p \"><div>",
            "<p a=b\"><div>",
            "<div><?</div>",
            "<div/>",
        ] {
            assert!(depth(&piece.repeat(50)).1 >= 50, "{piece}: {:?}", depth(&piece.repeat(50)));
        }
    }
}
