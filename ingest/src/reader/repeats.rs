//! Has an id come before in its file? What then becomes of the record, as its mapping says.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use ontology::{Observation, RecordId};

use crate::mapping::Repeats;

/// The ids that may not repeat, and what was said under them.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashMap<String, HashSet<u64>>,
    hasher: RandomState,
}

impl Seen {
    /// An observation whose id came before: numbered, skipped (with the reason), or taken as a later revision.
    pub(super) fn take(
        &mut self,
        mut observation: Box<Observation>,
        rule: Repeats,
    ) -> Result<Box<Observation>, String> {
        if rule == Repeats::Revise {
            return Ok(observation);
        }
        let id = observation.record.id.clone();
        let content = self.hasher.hash_one(Observation::content_hash(&observation.record));
        let contents = self.ids.entry(id.as_str().to_owned()).or_default();
        if !contents.is_empty() && (rule == Repeats::Skip || contents.contains(&content)) {
            return Err(format!("says the same as {id} earlier in the file"));
        }
        contents.insert(content);
        if contents.len() > 1 {
            let numbered = format!("{}~{}", id.as_str(), contents.len());
            observation.record.id = RecordId::new(&numbered).map_err(|error| error.to_string())?;
            if observation.revision.len() == 16 {
                let Observation { record, lineage, .. } = *observation;
                observation = Box::new(Observation::unversioned(record, lineage));
            }
        }
        Ok(observation)
    }
}
