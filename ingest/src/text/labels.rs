//! What do the parts of a filled-in form say? Sections at lines such as `Environment: …`.

use ontology::{Section, SectionKind};

use super::{one, purpose};

/// Words of a label at most: longer ones are sentences that happen to have a colon.
const LABEL_WORDS: usize = 3;

/// The sections of a text; what stands before the first label has the given kind.
pub(super) fn sections(text: &str, kind: SectionKind) -> Vec<Section> {
    let mut parts = vec![(kind, "", String::new())];
    for line in text.lines() {
        let begun = label(line);
        if let Some((kind, label, rest)) = begun {
            parts.push((kind, label, rest.to_owned()));
        } else if let Some((_, _, part)) = parts.last_mut() {
            if line.trim().is_empty() && part.is_empty() {
                continue;
            }
            part.push('\n');
            part.push_str(line);
        }
        // An empty line ends a labelled part: what follows is told by the caller again.
        let is_labelled =
            parts.last().is_some_and(|(_, label, text)| !label.is_empty() && !text.trim().is_empty());
        if line.trim().is_empty() && is_labelled {
            parts.push((kind, "", String::new()));
        }
    }
    let mut sections = Vec::new();
    for (kind, label, text) in parts {
        let made = one(text.trim_matches('\n'), kind);
        sections.extend(made.into_iter().map(|section| Section { heading: label.to_owned(), ..section }));
    }
    sections
}

/// The purpose, the label and what stands behind it, when a line begins with a label.
fn label(line: &str) -> Option<(SectionKind, &str, &str)> {
    let (label, rest) = line.split_once(':')?;
    let label = label.trim();
    let is_label = label.chars().next().is_some_and(char::is_uppercase)
        && label.split_whitespace().count() <= LABEL_WORDS;
    let ends_well = rest.is_empty() || rest.starts_with([' ', '\t']);
    if !is_label || !ends_well {
        return None;
    }
    let kind = purpose(label, false)?;
    Some((kind, label, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_begin_sections_and_an_empty_line_ends_them() {
        let text = "It hangs.\nError: timeout at 05:11\n\nEnvironment: TS-70, shed 1\nAlready tried: restart,\nswap\n\nPlease call.";
        let sections = sections(text, SectionKind::Description);
        let told: Vec<_> = sections
            .iter()
            .map(|section| (section.kind, section.heading.as_str(), section.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (SectionKind::Description, "", "It hangs.\nError: timeout at 05:11"),
                (SectionKind::Environment, "Environment", "TS-70, shed 1"),
                (SectionKind::Diagnosis, "Already tried", "restart,\nswap"),
                (SectionKind::Description, "", "Please call."),
            ]
        );
    }
}
