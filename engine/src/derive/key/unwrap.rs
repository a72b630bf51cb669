//! What stands around a name that is not part of it? Quotes, brackets, punctuation, and the scheme of an address.

/// Rounds of taking something off, and of each within one. No name needs more, and each looks at the whole: without an end, the
/// work on a thousand brackets in each other would grow with their square.
const ROUNDS: usize = 8;

/// The name inside of a folded text.
pub(super) fn unwrapped(mut text: &str) -> &str {
    for _ in 0..ROUNDS {
        let before = text.len();
        text = without_scheme(without_wrapping(text));
        if text.len() == before {
            break;
        }
    }
    text
}

fn without_wrapping(mut text: &str) -> &str {
    const QUOTES: [char; 13] = ['"', '\'', '`', '´', '“', '”', '„', '‚', '‘', '«', '»', '‹', '›'];
    for _ in 0..ROUNDS {
        let before = text.len();
        text = text.trim().trim_matches(QUOTES).trim_end_matches(['.', ',', ';', ':', '!', '?', '…']);
        for (opening, closing) in [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')] {
            text = without_brackets(text, opening, closing);
        }
        if text.len() == before {
            break;
        }
    }
    text
}

/// Takes off a pair of brackets around the whole, and single ones that have lost their partner: `foo (prod)` stays.
fn without_brackets(text: &str, opening: char, closing: char) -> &str {
    let mut depth = 0_usize;
    let mut wraps = text.starts_with(opening) && text.ends_with(closing);
    for (at, c) in text.char_indices() {
        if c == opening {
            depth += 1;
        } else if c == closing {
            depth = depth.saturating_sub(1);
            wraps &= depth > 0 || at + 1 == text.len();
        }
    }
    if wraps {
        return &text[1..text.len() - 1];
    }
    match (text.strip_prefix(opening), text.strip_suffix(closing)) {
        (Some(rest), _) if !rest.contains(closing) => rest,
        (_, Some(rest)) if !rest.contains(opening) => rest,
        _ => text,
    }
}

/// Host and path of a web address that is in lower case already; other text as it is.
fn without_scheme(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return text;
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    rest[..end].trim_matches('/')
}
