//! What is known of every revision without opening it? The in-memory table of revisions, names and links that queries walk.
//!
//! Records meet by *keys*, the normal form of names. A record owns keys (its number, host name, alias) and refers to keys
//! (its links and the identifiers in its text). A link is resolved when it is walked, by asking who owns the key now, so
//! nothing is pending and the order in which records arrive changes nothing. All collections are persistent: a snapshot
//! is a cheap clone that later writes do not disturb.

mod pages;
mod resolve;
mod revision;
mod sets;

use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use jiff::Timestamp;
use ontology::{Kind, RecordId, Scope};

use crate::visible::Visible;

use pages::Pages;
use sets::Sets;

pub(crate) use revision::{KeyedLink, Mention, Revision, category_key, referred_keys};

/// A key's number; keys are interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyId(pub(crate) u32);

#[derive(Debug, Clone)]
struct Slot {
    revision: Option<Arc<Revision>>,
    /// When a later revision was observed.
    superseded: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
struct KeyEntry {
    text: Arc<str>,
    owners: Arc<Vec<u64>>,
    referrers: Arc<Vec<u64>>,
}

/// All revisions up to a position of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    slots: Pages<Slot>,
    current: OrdMap<RecordId, u64>,
    key_ids: HashMap<Arc<str>, u32>,
    keys: Pages<KeyEntry>,
    sets: Sets,
}

impl Table {
    /// The position of the log that it shows.
    pub(crate) fn position(&self) -> u64 {
        self.slots.len() as u64
    }

    pub(crate) fn key(&self, text: &str) -> Option<KeyId> {
        self.key_ids.get(text).map(|id| KeyId(*id))
    }

    pub(crate) fn key_text(&self, key: KeyId) -> &str {
        self.keys.get(key.0 as usize).map_or("", |entry| &entry.text)
    }

    /// Gives a key its number.
    pub(crate) fn intern(&mut self, text: &str) -> KeyId {
        if let Some(id) = self.key_ids.get(text) {
            return KeyId(*id);
        }
        let id = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.keys.push(KeyEntry { text: Arc::clone(&text), ..KeyEntry::default() });
        self.key_ids.insert(text, id);
        KeyId(id)
    }

    /// The revision at a position, unless it was deleted.
    pub(crate) fn revision(&self, position: u64) -> Option<&Arc<Revision>> {
        self.slots.get(slot_index(position)?)?.revision.as_ref()
    }

    /// The position of a record's current revision.
    pub(crate) fn current(&self, id: &RecordId) -> Option<u64> {
        self.current.get(id).copied()
    }

    /// A record's current revision.
    pub(crate) fn latest(&self, id: &RecordId) -> Option<&Revision> {
        self.revision(self.current(id)?).map(AsRef::as_ref)
    }

    /// The position of the latest of a record's revisions that is visible: the current one, or what it was at a moment.
    pub(crate) fn shown(&self, id: &RecordId, visible: &Visible) -> Option<u64> {
        self.positions_of(id).into_iter().rfind(|position| visible.contains(*position))
    }

    /// Every current revision, in the order of record ids.
    pub(crate) fn current_revisions(&self) -> impl Iterator<Item = &Arc<Revision>> {
        self.current.values().filter_map(|position| self.revision(*position))
    }

    /// Every revision that is kept, superseded ones too, in the order of the log.
    pub(crate) fn kept_revisions(&self) -> impl Iterator<Item = &Arc<Revision>> {
        self.slots.iter().filter_map(|slot| slot.revision.as_ref())
    }

    /// Whether the revision at a position is a ticket's.
    pub(crate) fn is_ticket(&self, position: u64) -> bool {
        self.sets.tickets.contains(position)
    }

    /// Whether the revision at a position may be a hit: rows of relations and raw RDF are walked through only.
    pub(crate) fn is_searchable(&self, position: u64) -> bool {
        self.sets.searchable.contains(position)
    }

    /// The revisions that are kept of some kinds.
    pub(crate) fn of_kinds(&self, kinds: &[Kind]) -> Visible {
        self.sets.of_kinds(kinds)
    }

    /// Positions of the revisions that own a key, superseded ones too, ascending.
    pub(crate) fn owners(&self, key: KeyId) -> &[u64] {
        self.keys.get(key.0 as usize).map_or(&[], |entry| &entry.owners)
    }

    /// Positions of the revisions that link to or mention a key, superseded ones too, ascending.
    pub(crate) fn referrers(&self, key: KeyId) -> &[u64] {
        self.keys.get(key.0 as usize).map_or(&[], |entry| &entry.referrers)
    }

    /// Whether a visible record is called by a key.
    pub(crate) fn is_owned(&self, key: KeyId, visible: &Visible) -> bool {
        self.owners(key).iter().any(|position| visible.contains(*position))
    }

    /// Whether a visible record is called by a key or refers to it.
    pub(crate) fn is_known(&self, key: KeyId, visible: &Visible) -> bool {
        let mut positions = self.owners(key).iter().chain(self.referrers(key).iter());
        positions.any(|position| visible.contains(*position))
    }

    /// The revisions that a scope sees: as they are now, or as they were known at a moment. What a scope may not see any more
    /// is not shown as it was when it might.
    pub(crate) fn visible(&self, scope: &Scope, as_of: Option<Timestamp>) -> Visible {
        let Some(moment) = as_of else { return self.sets.visible(scope) };
        let mut visible = Visible::none(self.position());
        for slot in self.slots.iter() {
            let Some(revision) = &slot.revision else { continue };
            let shown = revision.observed <= moment && slot.superseded.is_none_or(|until| until > moment);
            let allowed = |revision: &Revision| scope.allows(&revision.audience);
            if shown
                && allowed(revision)
                && (slot.superseded.is_none() || self.latest(&revision.id).is_some_and(allowed))
            {
                visible.insert(revision.position);
            }
        }
        visible
    }

    /// Adds a revision at the next position and supersedes the one before it. Returns the position it supersedes.
    pub(crate) fn push(&mut self, revision: Revision) -> Option<u64> {
        debug_assert_eq!(revision.position, self.position() + 1, "positions are dense");
        let (position, observed) = (revision.position, revision.observed);
        let before = self.current.insert(revision.id.clone(), position);
        if let Some(slot) = before.and_then(slot_index).and_then(|index| self.slots.get_mut(index)) {
            slot.superseded = Some(observed);
        }
        self.connect(&revision);
        self.sets.push(&revision, before);
        self.slots.push(Slot { revision: Some(Arc::new(revision)), superseded: None });
        before
    }

    /// Notes a position that shows nothing: a delete, a purge, an erased payload.
    pub(crate) fn push_empty(&mut self) {
        self.sets.push_empty();
        self.slots.push(Slot { revision: None, superseded: None });
    }

    /// Forgets every revision of a record. Returns their positions.
    pub(crate) fn forget(&mut self, id: &RecordId) -> Vec<u64> {
        self.current.remove(id);
        let positions = self.positions_of(id);
        for position in &positions {
            let Some(index) = slot_index(*position) else { continue };
            let Some(revision) = self.slots.get_mut(index).and_then(|slot| slot.revision.take()) else {
                continue;
            };
            self.disconnect(&revision);
            self.sets.remove(&revision);
        }
        positions
    }

    /// Every name that a kept revision of a record has.
    pub(crate) fn names_of(&self, id: &RecordId) -> Vec<KeyId> {
        let kept = self.positions_of(id).into_iter().filter_map(|position| self.revision(position));
        kept.flat_map(|revision| revision.names.iter().copied()).collect()
    }

    /// The positions of a record's revisions that are kept, ascending.
    pub(crate) fn positions_of(&self, id: &RecordId) -> Vec<u64> {
        let Some(key) = self.key(&id.as_str().to_lowercase()) else { return Vec::new() };
        let owned = self.owners(key).iter().copied();
        owned.filter(|position| self.revision(*position).is_some_and(|revision| revision.id == *id)).collect()
    }

    /// Says anew what a revision mentions, since a name came or went after it was written.
    pub(crate) fn set_mentions(&mut self, position: u64, mentions: Box<[Mention]>) {
        let Some(before) = self.revision(position).filter(|before| before.mentions != mentions).cloned()
        else {
            return;
        };
        let after = Revision { mentions, ..(*before).clone() };
        let (left, joined) = (referred_keys(&before), referred_keys(&after));
        for key in left.iter().filter(|key| !joined.contains(key)) {
            self.edit_key(*key, |entry| remove_sorted(&mut entry.referrers, position));
        }
        for key in joined {
            self.edit_key(key, |entry| insert_sorted(&mut entry.referrers, position));
        }
        if let Some(slot) = slot_index(position).and_then(|index| self.slots.get_mut(index)) {
            slot.revision = Some(Arc::new(after));
        }
    }

    fn connect(&mut self, revision: &Revision) {
        for key in &revision.names {
            self.edit_key(*key, |entry| insert_sorted(&mut entry.owners, revision.position));
        }
        for key in referred_keys(revision) {
            self.edit_key(key, |entry| insert_sorted(&mut entry.referrers, revision.position));
        }
    }

    fn disconnect(&mut self, revision: &Revision) {
        for key in &revision.names {
            self.edit_key(*key, |entry| remove_sorted(&mut entry.owners, revision.position));
        }
        for key in referred_keys(revision) {
            self.edit_key(key, |entry| remove_sorted(&mut entry.referrers, revision.position));
        }
    }

    fn edit_key(&mut self, key: KeyId, edit: impl FnOnce(&mut KeyEntry)) {
        if let Some(entry) = self.keys.get_mut(key.0 as usize) {
            edit(entry);
        }
    }
}

fn slot_index(position: u64) -> Option<usize> {
    usize::try_from(position.checked_sub(1)?).ok()
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
