//! Which names does a record's text mention? Always those of the whole dictionary, in whichever order names and texts arrive.
//!
//! The dictionary holds the names of every record that is kept. One function says what a text mentions; a name that comes or
//! goes later only chooses the texts that are asked again. So writing, deleting and opening a desk give the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ontology::{Kind, Record, RecordId};

use super::DeskError;
use super::prepare::{Prepared, Words};
use super::write::{Indexes, Taken, Touched};
use crate::derive::{Names, Scheme};
use crate::table::{Beside, KeyId, Mention, Table};

/// Names shorter or longer than this are not looked for in text.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=80;

/// The names by which people call a thing in text.
pub(super) struct Dictionary {
    keys: BTreeMap<String, KeyId>,
    names: Arc<Names>,
    /// While a desk is opened: names that records of later entries keep to the end.
    foretold: BTreeSet<KeyId>,
}

impl Dictionary {
    pub(super) fn new() -> Result<Self, DeskError> {
        let names = automaton(std::iter::empty())?;
        Ok(Self { keys: BTreeMap::new(), names, foretold: BTreeSet::new() })
    }

    /// The automaton that finds the names in text.
    pub(super) fn names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }

    /// Whether all names that text may be searched for because of a record are here.
    pub(super) fn knows(&self, prepared: &Prepared) -> bool {
        dictionary_keys(prepared).all(|key| self.keys.contains_key(key))
    }

    fn rebuild(&mut self) -> Result<(), DeskError> {
        self.names = automaton(self.keys.iter().map(|(key, id)| (key.clone(), *id)))?;
        Ok(())
    }
}

impl Indexes {
    /// Takes a kept table, and what was kept beside it, for the whole truth so far.
    pub(super) fn take_up(&mut self, table: Table, beside: &Beside) -> Result<(), DeskError> {
        let keys = beside.dictionary.iter().map(|id| (table.key_text(KeyId(*id)).to_owned(), KeyId(*id)));
        self.dictionary.keys = keys.collect();
        self.kept.is_at(table.position());
        self.newest = beside.newest;
        self.table = table;
        self.dictionary.rebuild()
    }

    /// What is kept beside the table.
    pub(super) fn beside(&self) -> Beside {
        let dictionary = self.dictionary.keys.values().map(|id| id.0).collect();
        Beside { dictionary, newest: self.newest }
    }

    /// Takes up names before the entries that bring them, each with whether its record is kept to the end of the log: no
    /// text has to be looked at twice then. [`Indexes::all_is_told`] ends it.
    pub(super) fn foretell(&mut self, found: &[(Prepared, bool)]) -> Result<(), DeskError> {
        for (prepared, stays) in found {
            for key in dictionary_keys(prepared) {
                let id = self.table.intern(key);
                self.dictionary.keys.insert(key.clone(), id);
                if *stays {
                    self.dictionary.foretold.insert(id);
                }
            }
        }
        self.kept.is_renamed = true;
        self.dictionary.rebuild()
    }

    pub(super) fn all_is_told(&mut self) {
        self.dictionary.foretold.clear();
    }

    /// Takes up the names of a batch. Returns those that no text was searched for yet.
    pub(super) fn learn(&mut self, entries: &[Taken]) -> Result<BTreeMap<String, KeyId>, DeskError> {
        let mut fresh = BTreeMap::new();
        for prepared in entries.iter().filter_map(Taken::prepared) {
            for key in dictionary_keys(prepared) {
                if !self.dictionary.keys.contains_key(key) {
                    fresh.insert(key.clone(), self.table.intern(key));
                }
            }
        }
        if !fresh.is_empty() {
            self.kept.is_renamed = true;
            self.dictionary.keys.extend(fresh.clone());
            self.dictionary.rebuild()?;
        }
        Ok(fresh)
    }

    /// Drops those of some keys that no kept record is called by any more. Returns them.
    pub(super) fn unlearn(&mut self, keys: &BTreeSet<KeyId>) -> Result<BTreeSet<KeyId>, DeskError> {
        let mut gone = BTreeSet::new();
        for key in keys.iter().filter(|key| !self.dictionary.foretold.contains(key)) {
            let text = self.table.key_text(*key);
            let owners = self.table.owners(*key).iter().filter_map(|position| self.table.revision(*position));
            let is_kept = owners.into_iter().any(|owner| is_name(owner.kind, &owner.id, text));
            if !is_kept && self.dictionary.keys.remove(text).is_some() {
                gone.insert(*key);
            }
        }
        if !gone.is_empty() {
            self.kept.is_renamed = true;
            self.dictionary.rebuild()?;
        }
        Ok(gone)
    }

    /// Identifiers and known names in a record's words, but not its own.
    pub(super) fn mentions(&mut self, title: &str, words: &Words, own: &[KeyId]) -> Box<[Mention]> {
        let mut mentions: Vec<Mention> = words
            .identifiers
            .iter()
            .map(|(key, scheme)| Mention { key: self.table.intern(key), scheme: *scheme })
            .collect();
        if let Some(body) = &words.body {
            for text in [title, body] {
                let named = self.dictionary.names.mentions(text, |_| true).into_iter();
                mentions
                    .extend(named.map(|mention| Mention { key: KeyId(mention.id), scheme: Scheme::Name }));
            }
        }
        mentions.retain(|mention| !own.contains(&mention.key));
        mentions.sort_unstable();
        mentions.dedup_by_key(|mention| mention.key);
        mentions.into()
    }

    /// Asks texts again what they mention: those up to `before` in which a fresh name stands, and those that a name which is
    /// gone hid from, or was found in. A name may be both, when one batch brought and took it.
    pub(super) fn look_back(
        &mut self,
        fresh: &BTreeMap<String, KeyId>,
        gone: &BTreeSet<KeyId>,
        before: u64,
        touched: &mut Touched,
        earlier: &dyn Fn(u64) -> Result<Option<Record>, DeskError>,
    ) -> Result<(), DeskError> {
        for position in carriers(&self.table, gone) {
            if let Some(record) = earlier(position)? {
                self.ask_again(position, &record, touched);
            }
        }
        if fresh.is_empty() || before == 0 {
            return Ok(());
        }
        let names = automaton(fresh.iter().map(|(key, id)| (key.clone(), *id)))?;
        let kept = self.table.kept_revisions().take_while(|revision| revision.position <= before);
        let positions: Vec<u64> = kept.map(|revision| revision.position).collect();
        for position in positions {
            let Some(record) = earlier(position)? else { continue };
            let Some(body) = Words::of(&record).body else { continue };
            let is_named = |text: &str| !names.mentions(text, |_| true).is_empty();
            if is_named(&record.title) || is_named(&body) {
                self.ask_again(position, &record, touched);
            }
        }
        Ok(())
    }

    /// Its graph is rendered again even where nothing changed here: another process may have written it, and stopped while
    /// a name was there that is gone by now.
    fn ask_again(&mut self, position: u64, record: &Record, touched: &mut Touched) {
        let Some(own) = self.table.revision(position).map(|revision| revision.names.clone()) else { return };
        let mentions = self.mentions(&record.title, &Words::of(record), &own);
        self.table.set_mentions(position, mentions);
        touched.records.insert(record.id.clone());
    }
}

/// The revisions whose text a key may stand in: those that refer to it, and those that own it, which never refer to
/// themselves.
fn carriers(table: &Table, keys: &BTreeSet<KeyId>) -> BTreeSet<u64> {
    keys.iter().flat_map(|key| table.referrers(*key).iter().chain(table.owners(*key))).copied().collect()
}

fn automaton(keys: impl Iterator<Item = (String, KeyId)>) -> Result<Arc<Names>, DeskError> {
    let built = Names::new(keys.map(|(key, id)| (key, id.0)));
    built.map(Arc::new).map_err(|source| DeskError::Names { source })
}

fn dictionary_keys(prepared: &Prepared) -> impl Iterator<Item = &String> {
    let record = &prepared.observation.record;
    prepared.names.iter().filter(|key| is_name(record.kind, &record.id, key))
}

/// Whether text is searched for a key of a record.
fn is_name(kind: Kind, id: &RecordId, key: &str) -> bool {
    matches!(kind, Kind::ConfigurationItem | Kind::Service | Kind::Alert | Kind::Team)
        && key != id.as_str().to_lowercase()
        && NAME_LENGTH.contains(&key.len())
        && key.chars().any(char::is_alphabetic)
        && !(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
