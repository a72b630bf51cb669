//! Who is called by a key, and who refers to it? The lists of the table's file, with what changed since on top.

use std::sync::Arc;

use imbl::HashMap;

use super::pages::Pages;
use super::stored::Stored;

/// A key's number; keys are interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct KeyId(pub(crate) u32);

/// All keys. Those of the file come first; the others are numbered from there on.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    stored: Option<Arc<Stored>>,
    /// Keys of the file whose owners or referrers changed since.
    changed: HashMap<u32, Entry>,
    added: Pages<Entry>,
    /// The numbers of `added`.
    ids: HashMap<Arc<str>, u32>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    text: Arc<str>,
    owners: Arc<Vec<u64>>,
    referrers: Arc<Vec<u64>>,
}

impl Keys {
    pub(super) fn of(stored: Arc<Stored>) -> Self {
        Self { stored: Some(stored), ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.in_file() + self.added.len()
    }

    pub(super) fn find(&self, text: &str) -> Option<KeyId> {
        let stored = self.stored.as_ref().and_then(|stored| stored.find(text));
        stored.or_else(|| self.ids.get(text).copied()).map(KeyId)
    }

    /// Gives a key its number.
    pub(super) fn intern(&mut self, text: &str) -> KeyId {
        if let Some(known) = self.find(text) {
            return known;
        }
        let id = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.added.push(Entry { text: Arc::clone(&text), ..Entry::default() });
        self.ids.insert(text, id);
        KeyId(id)
    }

    pub(super) fn text(&self, key: KeyId) -> &str {
        match self.stored_or_entry(key) {
            Ok(stored) => stored.key_text(key.0),
            Err(entry) => entry.map_or("", |entry| &entry.text),
        }
    }

    /// Positions of the revisions that own a key, superseded ones too, ascending.
    pub(super) fn owners(&self, key: KeyId) -> &[u64] {
        match self.stored_or_entry(key) {
            Ok(stored) => stored.owners(key.0),
            Err(entry) => entry.map_or(&[], |entry| &entry.owners),
        }
    }

    /// Positions of the revisions that link to or mention a key, superseded ones too, ascending.
    pub(super) fn referrers(&self, key: KeyId) -> &[u64] {
        match self.stored_or_entry(key) {
            Ok(stored) => stored.referrers(key.0),
            Err(entry) => entry.map_or(&[], |entry| &entry.referrers),
        }
    }

    pub(super) fn add_owner(&mut self, key: KeyId, position: u64) {
        self.edit(key, |entry| insert_sorted(&mut entry.owners, position));
    }

    pub(super) fn remove_owner(&mut self, key: KeyId, position: u64) {
        self.edit(key, |entry| remove_sorted(&mut entry.owners, position));
    }

    pub(super) fn add_referrer(&mut self, key: KeyId, position: u64) {
        self.edit(key, |entry| insert_sorted(&mut entry.referrers, position));
    }

    pub(super) fn remove_referrer(&mut self, key: KeyId, position: u64) {
        self.edit(key, |entry| remove_sorted(&mut entry.referrers, position));
    }

    fn in_file(&self) -> usize {
        self.stored.as_ref().map_or(0, |stored| stored.keys())
    }

    /// The file, where it says what a key has now; else the key's entry.
    fn stored_or_entry(&self, key: KeyId) -> Result<&Stored, Option<&Entry>> {
        let index = key.0 as usize;
        let Some(stored) = &self.stored else { return Err(self.added.get(index)) };
        match index.checked_sub(stored.keys()) {
            Some(index) => Err(self.added.get(index)),
            None => self.changed.get(&key.0).map_or(Ok(&**stored), |entry| Err(Some(entry))),
        }
    }

    fn edit(&mut self, key: KeyId, edit: impl FnOnce(&mut Entry)) {
        let index = key.0 as usize;
        if let Some(index) = index.checked_sub(self.in_file()) {
            return self.added.get_mut(index).map_or((), edit);
        }
        let Some(stored) = &self.stored else { return };
        let entry = self.changed.entry(key.0).or_insert_with(|| Entry {
            text: stored.key_text(key.0).into(),
            owners: Arc::new(stored.owners(key.0).to_vec()),
            referrers: Arc::new(stored.referrers(key.0).to_vec()),
        });
        edit(entry);
    }
}

/// Positions only grow, so this is a push; the copy happens once for each snapshot that still shares the list.
fn insert_sorted(positions: &mut Arc<Vec<u64>>, position: u64) {
    if let Err(index) = positions.binary_search(&position) {
        Arc::make_mut(positions).insert(index, position);
    }
}

fn remove_sorted(positions: &mut Arc<Vec<u64>>, position: u64) {
    if let Ok(index) = positions.binary_search(&position) {
        Arc::make_mut(positions).remove(index);
    }
}
