//! Which positions hold a revision of some sort? One bit each, so that a query passes over a revision without opening it.

use std::sync::Arc;

use imbl::HashMap;
use ontology::{Audience, Kind, Scope};

use super::Revision;
use super::pages::Pages;
use super::stored::{Beside, Meta};
use crate::desk::is_searchable;
use crate::visible::Visible;

/// Sets of the revisions that are kept. A clone shares them until the next write.
#[derive(Debug, Clone, Default)]
pub(super) struct Sets {
    /// The latest revision of each record.
    pub(super) current: Arc<Visible>,
    pub(super) tickets: Arc<Visible>,
    /// Those that may be a hit.
    pub(super) searchable: Arc<Visible>,
    kinds: Vec<(Kind, Arc<Visible>)>,
    /// The number of each audience list, counted from 0.
    lists: HashMap<Box<[Audience]>, u32>,
    /// By position, the number of its audience list.
    list_of: Pages<u32>,
}

impl Sets {
    /// The sets that a file holds.
    pub(super) fn of(meta: Meta, lists: &[u32]) -> Self {
        let set = |words| Arc::new(Visible::of_words(words));
        let mut list_of = Pages::default();
        lists.iter().for_each(|list| list_of.push(*list));
        Self {
            current: set(meta.current),
            tickets: set(meta.tickets),
            searchable: set(meta.searchable),
            kinds: meta.kinds.into_iter().map(|(kind, words)| (kind, set(words))).collect(),
            lists: meta.audiences.into_iter().zip(0..).collect(),
            list_of,
        }
    }

    /// The sets as a file holds them, but for [`Sets::lists`].
    pub(super) fn meta(&self, beside: Beside) -> Meta {
        let words = |set: &Visible| set.words().to_vec();
        let mut audiences: Vec<(&Box<[Audience]>, &u32)> = self.lists.iter().collect();
        audiences.sort_unstable_by_key(|(_, number)| **number);
        Meta {
            beside,
            current: words(&self.current),
            tickets: words(&self.tickets),
            searchable: words(&self.searchable),
            kinds: self.kinds.iter().map(|(kind, set)| (*kind, words(set))).collect(),
            audiences: audiences.into_iter().map(|(list, _)| list.clone()).collect(),
        }
    }

    /// By position, the number of its audience list.
    pub(super) fn lists(&self) -> impl Iterator<Item = u32> {
        self.list_of.iter().copied()
    }

    /// Adds the revision of the next position, which supersedes the one at `before`.
    pub(super) fn push(&mut self, revision: &Revision, before: Option<u64>) {
        let position = revision.position;
        let current = Arc::make_mut(&mut self.current);
        before.into_iter().for_each(|before| current.remove(before));
        current.insert(position);
        if revision.kind.is_ticket() {
            Arc::make_mut(&mut self.tickets).insert(position);
        }
        if is_searchable(revision.kind) {
            Arc::make_mut(&mut self.searchable).insert(position);
        }
        match self.kinds.iter_mut().find(|(kind, _)| *kind == revision.kind) {
            Some((_, set)) => Arc::make_mut(set).insert(position),
            None => {
                let mut set = Visible::default();
                set.insert(position);
                self.kinds.push((revision.kind, Arc::new(set)));
            }
        }
        let fresh = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        let list = self.lists.get(&revision.audience).copied().unwrap_or(fresh);
        if list == fresh {
            self.lists.insert(revision.audience.clone(), fresh);
        }
        self.list_of.push(list);
    }

    /// Takes in a position that shows nothing.
    pub(super) fn push_empty(&mut self) {
        self.list_of.push(0);
    }

    pub(super) fn remove(&mut self, revision: &Revision) {
        let kinds = self.kinds.iter_mut().filter(|(kind, _)| *kind == revision.kind).map(|(_, set)| set);
        for set in kinds.chain([&mut self.current, &mut self.tickets, &mut self.searchable]) {
            if set.contains(revision.position) {
                Arc::make_mut(set).remove(revision.position);
            }
        }
    }

    /// The latest revision of each record that a scope sees.
    pub(super) fn visible(&self, scope: &Scope) -> Visible {
        let mut allowed = vec![false; self.lists.len()];
        for (list, number) in &self.lists {
            allowed[*number as usize] = scope.allows(list);
        }
        let mut visible = (*self.current).clone();
        if allowed.contains(&false) {
            let allows = |list: &u32| allowed.get(*list as usize) == Some(&true);
            let hidden = self.list_of.iter().zip(1..).filter(|(list, _)| !allows(list));
            hidden.for_each(|(_, position)| visible.remove(position));
        }
        for (_, of_kind) in self.kinds.iter().filter(|(kind, _)| !scope.shows(*kind)) {
            visible.take_out(of_kind);
        }
        visible
    }

    /// The revisions of some kinds.
    pub(super) fn of_kinds(&self, kinds: &[Kind]) -> Visible {
        let mut all = Visible::default();
        self.kinds.iter().filter(|(kind, _)| kinds.contains(kind)).for_each(|(_, set)| all.extend(set));
        all
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ontology::{Audience, Kind, Scope, TenantId};

    use crate::trial::{Trial, id, operator, record};
    use crate::visible::Visible;

    #[test]
    fn the_sets_say_what_a_look_at_every_revision_says() {
        let trial = Trial::new();
        let of = |name: &str, kind, title: &str, audience: &str| {
            let mut record = record(name, kind, title, &[]);
            record.audience = audience.split(' ').map(|name| Audience::new(name).unwrap()).collect();
            record
        };
        trial.apply([
            of("s:1", Kind::Incident, "one", "staff"),
            of("s:2", Kind::Service, "two", "staff board"),
            of("s:3", Kind::Incident, "three", "board"),
            of("s:4", Kind::Problem, "four", "staff"),
        ]);
        trial.apply([of("s:1", Kind::Problem, "one", "board"), of("s:3", Kind::Incident, "3", "staff")]);
        trial.desk.delete(&id("s:4"), Timestamp::UNIX_EPOCH).unwrap();
        let snapshot = trial.desk.snapshot();
        let table = &snapshot.table;
        let audience = |name| Scope::of(TenantId::new("main").unwrap(), [Audience::new(name).unwrap()]);
        let positions = |set: &Visible| set.iter().collect::<Vec<_>>();
        for (scope, expected) in [
            (operator(), 3),
            (audience("staff"), 2),
            (audience("board"), 2),
            (audience("x"), 0),
            (operator().without([Kind::Problem]), 2),
            (audience("staff").without([Kind::Service, Kind::Incident]), 0),
        ] {
            let looked = table.current_revisions().filter(|revision| revision.is_shown(&scope));
            let mut looked: Vec<u64> = looked.map(|revision| revision.position).collect();
            looked.sort_unstable();
            assert_eq!((positions(&table.visible(&scope, None)), looked.len()), (looked, expected));
        }
        for kinds in [&[Kind::Incident][..], &[Kind::Problem, Kind::Service], &[]] {
            let looked = table.kept_revisions().filter(|revision| kinds.contains(&revision.kind));
            let looked: Vec<u64> = looked.map(|revision| revision.position).collect();
            assert_eq!(positions(&table.of_kinds(kinds)), looked, "{kinds:?}");
        }
        for revision in table.kept_revisions() {
            assert_eq!(table.is_ticket(revision.position), revision.kind.is_ticket());
            assert!(table.is_searchable(revision.position));
        }
        assert!(!table.is_ticket(4) && !table.is_searchable(4));
    }
}
