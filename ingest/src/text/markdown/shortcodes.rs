//! What of a page is for its generator only? The shortcodes of Hugo and Jekyll, taken out.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Takes out the shortcodes of Hugo and Jekyll; one that refers to a page leaves the page's name.
pub(super) fn without_shortcodes(markdown: &str) -> Cow<'_, str> {
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\{[{%][<%]?\s*(?:ref|relref|page|link|site\.\w+)?\s*"([^"\n]*)"[^{}\n]*\}"#)
            .expect("a constant pattern")
    });
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^[ \t]*\{(?:\{[<%]|%)[^{}\n]*\}?\}[ \t]*$").expect("a constant pattern")
    });
    if !markdown.contains("{%") && !markdown.contains("{{") {
        return Cow::Borrowed(markdown);
    }
    let markdown = REFERENCE.replace_all(markdown, "$1");
    Cow::Owned(OTHER.replace_all(&markdown, "").into_owned())
}
