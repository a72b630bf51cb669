//! How is a bundle handed to a language model? Plain text with handles; what comes from documents is fenced as data.

use super::{Bundle, BundleItem};

impl Bundle {
    /// The bundle as text for a prompt: each passage under its handle, then the facts. Document text is marked as data and
    /// cannot close its fence.
    pub fn prompt_text(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            text.push_str(&heading(item));
            text.push_str("<<<\n");
            text.push_str(&item.text.replace(">>>", "> > >"));
            text.push_str("\n>>>\n\n");
        }
        for fact in &self.facts {
            text.push_str(&format!("[{}] {}\n", fact.handle, fact.text.replace('\n', " ")));
        }
        text
    }
}

fn heading(item: &BundleItem) -> String {
    let mut line = format!(
        "[{}] {} {}: {}",
        item.handle,
        item.kind.as_str(),
        item.record,
        item.title.replace('\n', " ")
    );
    if !item.heading.is_empty() {
        line.push_str(&format!(" / {}", item.heading));
    }
    line.push_str(&format!(" ({})", item.section_kind.as_str()));
    if let Some(modified) = item.modified {
        line.push_str(&format!(", changed {}", modified.strftime("%Y-%m-%d")));
    }
    if item.expired {
        line.push_str(", EXPIRED");
    }
    line.push('\n');
    line
}
