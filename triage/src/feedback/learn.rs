//! What did people decide of each ticket? Their latest word, which those who learn from tickets take before the record's.

use std::collections::BTreeMap;

use engine::{LogError, Store};
use ontology::RecordId;

use super::{FEEDBACK, Feedback, Settled};
use crate::learned::Task;

/// Items that are read together.
const PAGE: u32 = 500;

/// Every feedback, by ticket and number; what was purged, or written by another version, is left out.
pub(crate) fn each(store: &Store, look: &mut dyn FnMut(&str, Feedback)) -> Result<(), LogError> {
    let mut after = String::new();
    loop {
        let items = store.items(FEEDBACK, None, &after, PAGE)?;
        let Some(last) = items.last() else { return Ok(()) };
        after.clone_from(&last.key);
        for item in &items {
            if let Ok(feedback) = serde_json::from_slice(&item.body) {
                look(&item.key, feedback);
            }
        }
    }
}

/// What people decided, by ticket and task, the latest of each.
pub(crate) fn decided(store: &Store) -> Result<BTreeMap<RecordId, BTreeMap<Task, Settled>>, LogError> {
    let mut decided: BTreeMap<RecordId, BTreeMap<Task, Settled>> = BTreeMap::new();
    each(store, &mut |_, feedback| {
        let of_ticket = decided.entry(feedback.ticket).or_default();
        of_ticket.extend(feedback.settled.into_iter().map(|settled| (settled.task, settled)));
    })?;
    Ok(decided)
}

impl Settled {
    /// The label of a ticket whose record says this now: the person's, unless the source came to another since.
    pub(crate) fn label(&self, recorded: Option<String>) -> String {
        recorded.filter(|now| Some(now) != self.source.as_ref()).unwrap_or_else(|| self.person.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_word_holds_until_the_source_says_another() {
        let settled = |source: Option<&str>| Settled {
            task: Task::Category,
            agent: Some("Mail".to_owned()),
            person: "Network".to_owned(),
            source: source.map(str::to_owned),
        };
        let check = |source: Option<&str>, now: Option<&str>, label: &str| {
            assert_eq!(settled(source).label(now.map(str::to_owned)), label, "{source:?} {now:?}");
        };
        check(None, None, "Network");
        check(Some("Mail"), Some("Mail"), "Network");
        check(Some("Mail"), Some("Network"), "Network");
        check(Some("Mail"), Some("Printing"), "Printing");
        check(None, Some("Printing"), "Printing");
        check(Some("Mail"), None, "Network");
    }
}
