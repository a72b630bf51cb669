//! What is known of every revision without opening it? The in-memory table of revisions, names and links that queries walk.
//!
//! Records meet by *keys*, the normal form of names. A record owns keys (its number, host name, alias) and refers to keys
//! (its links and the identifiers in its text). A link is resolved when it is walked, by asking who owns the key now, so
//! nothing is pending and the order in which records arrive changes nothing. All collections are persistent: a snapshot
//! is a cheap clone that later writes do not disturb. A table that was kept in a file is opened without being read: its
//! revisions are decoded one by one when somebody asks for them.

mod keys;
mod pages;
mod resolve;
mod revision;
mod sets;
mod stored;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use ontology::{Kind, RecordId, Scope};

use crate::visible::Visible;

use keys::Keys;
use pages::Pages;
use sets::Sets;
use stored::Stored;

pub(crate) use keys::KeyId;
pub(crate) use revision::{KeyedLink, Mention, Revision, category_key, done, referred_keys};
pub(crate) use stored::{Beside, StoredError};
pub(crate) use write::name_it;

#[derive(Debug, Clone, Default)]
struct Slot {
    /// Unset while nobody asked for what the file holds.
    revision: OnceLock<Option<Arc<Revision>>>,
    /// When a later revision was observed.
    superseded: Option<Timestamp>,
}

/// All revisions up to a position of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    slots: Pages<Slot>,
    keys: Keys,
    sets: Sets,
    /// The file that holds the revisions of the first slots.
    stored: Option<Arc<Stored>>,
}

impl Table {
    /// The table that a file holds, and what is kept beside it; none when there is no file, or one of another version.
    pub(crate) fn open(path: &Path) -> Result<Option<(Self, Beside)>, StoredError> {
        let Some((stored, meta)) = Stored::open(path)? else { return Ok(None) };
        let stored = Arc::new(stored);
        let mut slots = Pages::default();
        let superseded = stored.superseded();
        superseded.for_each(|superseded| slots.push(Slot { superseded, ..Slot::default() }));
        let beside = meta.beside.clone();
        let sets = Sets::of(meta, stored.lists());
        Ok(Some((Self { slots, keys: Keys::of(Arc::clone(&stored)), sets, stored: Some(stored) }, beside)))
    }

    /// The position of the log that it shows.
    pub(crate) fn position(&self) -> u64 {
        self.slots.len() as u64
    }

    pub(crate) fn key(&self, text: &str) -> Option<KeyId> {
        self.keys.find(text)
    }

    pub(crate) fn key_text(&self, key: KeyId) -> &str {
        self.keys.text(key)
    }

    /// Gives a key its number.
    pub(crate) fn intern(&mut self, text: &str) -> KeyId {
        self.keys.intern(text)
    }

    /// The revision at a position, unless it was deleted.
    pub(crate) fn revision(&self, position: u64) -> Option<&Arc<Revision>> {
        let slot = self.slots.get(slot_index(position)?)?;
        let read = || self.stored.as_ref()?.revision(position).map(Arc::new);
        slot.revision.get_or_init(read).as_ref()
    }

    /// The position of a record's current revision.
    pub(crate) fn current(&self, id: &RecordId) -> Option<u64> {
        self.latest_of(id, |_| true)
    }

    /// A record's current revision.
    pub(crate) fn latest(&self, id: &RecordId) -> Option<&Revision> {
        self.revision(self.current(id)?).map(AsRef::as_ref)
    }

    /// The position of the latest of a record's revisions that is visible: the current one, or what it was at a moment.
    pub(crate) fn shown(&self, id: &RecordId, visible: &Visible) -> Option<u64> {
        self.latest_of(id, |position| visible.contains(position))
    }

    /// The last of a record's positions that something admits. Of the others none is looked at.
    fn latest_of(&self, id: &RecordId, admits: impl Fn(u64) -> bool) -> Option<u64> {
        let owners = self.owners(self.key(&id.as_str().to_lowercase())?).iter().rev().copied();
        let is_its = |position: &u64| self.revision(*position).is_some_and(|revision| revision.id == *id);
        owners.filter(|position| admits(*position)).find(is_its)
    }

    /// Every current revision, in the order of record ids.
    pub(crate) fn current_revisions(&self) -> impl Iterator<Item = &Arc<Revision>> + use<'_> {
        self.current_among(&self.sets.current)
    }

    /// The current revisions at some positions, in the order of record ids.
    pub(crate) fn current_among<'t>(
        &'t self,
        positions: &Visible,
    ) -> impl Iterator<Item = &'t Arc<Revision>> + use<'t> {
        let mut current = (*self.sets.current).clone();
        current.keep(positions);
        let revisions = current.iter().filter_map(|position| self.revision(position));
        let mut revisions: Vec<_> = revisions.collect();
        revisions.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        revisions.into_iter()
    }

    /// The current revisions at some positions, in the order of the log. Those that nobody asked for before are not held in
    /// memory afterwards.
    pub(crate) fn glance(&self, positions: &Visible) -> impl Iterator<Item = Arc<Revision>> {
        let mut current = (*self.sets.current).clone();
        current.keep(positions);
        let positions: Vec<u64> = current.iter().collect();
        positions.into_iter().filter_map(|position| {
            let slot = self.slots.get(slot_index(position)?)?;
            match (slot.revision.get(), &self.stored) {
                (None, Some(stored)) => stored.revision(position).map(Arc::new),
                (known, _) => known?.clone(),
            }
        })
    }

    /// Every revision that is kept, superseded ones too, in the order of the log.
    pub(crate) fn kept_revisions(&self) -> impl Iterator<Item = &Arc<Revision>> {
        (1..=self.position()).filter_map(|position| self.revision(position))
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
        self.keys.owners(key)
    }

    /// Positions of the revisions that link to or mention a key, superseded ones too, ascending.
    pub(crate) fn referrers(&self, key: KeyId) -> &[u64] {
        self.keys.referrers(key)
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
        for (position, slot) in (1..).zip(self.slots.iter()) {
            let Some(revision) = self.revision(position) else { continue };
            let shown = revision.observed <= moment && slot.superseded.is_none_or(|until| until > moment);
            let allowed = |revision: &Revision| revision.is_shown(scope);
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
        let observed = revision.observed;
        let before = self.current(&revision.id);
        if let Some(slot) = before.and_then(slot_index).and_then(|index| self.slots.get_mut(index)) {
            slot.superseded = Some(observed);
        }
        self.connect(&revision);
        self.sets.push(&revision, before);
        self.slots.push(Slot { revision: Some(Arc::new(revision)).into(), superseded: None });
        before
    }

    /// Notes a position that shows nothing: a delete, a purge, an erased payload.
    pub(crate) fn push_empty(&mut self) {
        self.sets.push_empty();
        self.slots.push(Slot { revision: None.into(), superseded: None });
    }

    /// Forgets every revision of a record. Returns their positions.
    pub(crate) fn forget(&mut self, id: &RecordId) -> Vec<u64> {
        let positions = self.positions_of(id);
        for position in &positions {
            let Some(revision) = self.revision(*position).cloned() else { continue };
            self.set_revision(*position, None);
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
            self.keys.remove_referrer(*key, position);
        }
        joined.into_iter().for_each(|key| self.keys.add_referrer(key, position));
        self.set_revision(position, Some(Arc::new(after)));
    }

    fn set_revision(&mut self, position: u64, revision: Option<Arc<Revision>>) {
        if let Some(slot) = slot_index(position).and_then(|index| self.slots.get_mut(index)) {
            slot.revision = revision.into();
        }
    }

    fn connect(&mut self, revision: &Revision) {
        revision.names.iter().for_each(|key| self.keys.add_owner(*key, revision.position));
        referred_keys(revision).into_iter().for_each(|key| self.keys.add_referrer(key, revision.position));
    }

    fn disconnect(&mut self, revision: &Revision) {
        revision.names.iter().for_each(|key| self.keys.remove_owner(*key, revision.position));
        referred_keys(revision).into_iter().for_each(|key| self.keys.remove_referrer(key, revision.position));
    }
}

fn slot_index(position: u64) -> Option<usize> {
    usize::try_from(position.checked_sub(1)?).ok()
}
