//! Who wrote what when? Comments that a system puts into one text, taken apart.

use std::sync::LazyLock;

use ontology::SectionKind;
use regex::Regex;

/// One entry of a journal; its time still as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) author: Option<String>,
    pub(crate) written: Option<String>,
    pub(crate) kind: Option<SectionKind>,
    pub(crate) text: String,
}

/// The entries of a ServiceNow journal field, oldest first: `2024-05-01 10:22:33 - Jane Doe (Work notes)` and the text below.
pub(crate) fn servicenow_journal(journal: &str) -> Vec<Entry> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?m)^(\d{2,4}[-/.]\d{2}[-/.]\d{2,4} \d{2}:\d{2}(?::\d{2})?) - (.+?) \(([^()\n]+)\)[ \t\r]*$",
        )
        .expect("a constant pattern")
    });
    let heads: Vec<_> = HEAD.captures_iter(journal).collect();
    let Some(first) = heads.first().and_then(|head| head.get(0)) else {
        return vec![Entry { author: None, written: None, kind: None, text: journal.to_owned() }];
    };
    let mut entries = Vec::new();
    for (at, head) in heads.iter().enumerate() {
        let start = head.get(0).map_or(0, |found| found.end());
        let end = heads.get(at + 1).and_then(|next| next.get(0)).map_or(journal.len(), |next| next.start());
        let is_note = head[3].to_lowercase().contains("work");
        entries.push(Entry {
            author: Some(head[2].trim().to_owned()),
            written: Some(head[1].to_owned()),
            kind: Some(if is_note { SectionKind::WorkNote } else { SectionKind::Comment }),
            text: journal[start..end].trim().to_owned(),
        });
    }
    entries.reverse();
    let before = journal[..first.start()].trim();
    if !before.is_empty() {
        entries.insert(0, Entry { author: None, written: None, kind: None, text: before.to_owned() });
    }
    entries
}

/// A comment in a cell of Jira's CSV export: `30/Sep/21 17:20;jdoe;text`.
pub(crate) fn jira_comment(cell: &str) -> Entry {
    let mut parts = cell.splitn(3, ';');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(written), Some(author), Some(text)) if written.len() < 40 && author.len() < 120 => Entry {
            author: Some(author.trim().to_owned()).filter(|author| !author.is_empty()),
            written: Some(written.trim().to_owned()),
            kind: None,
            text: text.to_owned(),
        },
        _ => Entry { author: None, written: None, kind: None, text: cell.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_read_oldest_first() {
        let journal = "2024-05-02 08:00:00 - Ann Lee (Additional comments)\nIt works.\n\n2024-05-01 10:22:33 - Bo (ops) (Work notes)\nline 1\nline 2\n\n";
        let entries = servicenow_journal(journal);
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].author.as_deref(), entries[0].text.as_str()),
            (Some("Bo (ops)"), "line 1\nline 2")
        );
        assert_eq!(entries[0].kind, Some(SectionKind::WorkNote));
        assert_eq!(
            (entries[1].written.as_deref(), entries[1].kind),
            (Some("2024-05-02 08:00:00"), Some(SectionKind::Comment))
        );
        assert_eq!(servicenow_journal("just text")[0].text, "just text");
    }

    #[test]
    fn a_comment_cell_has_date_author_text() {
        let entry = jira_comment("30/Sep/21 17:20;jdoe;a; b");
        assert_eq!((entry.author.as_deref(), entry.text.as_str()), (Some("jdoe"), "a; b"));
        assert_eq!(jira_comment("no parts").text, "no parts");
    }
}
