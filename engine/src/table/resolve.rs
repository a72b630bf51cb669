//! Which records does a key lead to? Asked when a link is walked, of those who own the key then.

use ontology::RecordId;

use super::{KeyId, Revision, Table};
use crate::visible::Visible;

/// A key that more records own than this says nothing about any of them (`eth0`, `admin`), so links and mentions skip it.
const AMBIGUOUS_OWNERS: usize = 16;

impl Table {
    /// The visible owners of a key; none when it is ambiguous.
    pub(crate) fn resolve(&self, key: KeyId, visible: &Visible) -> Vec<u64> {
        let owners: Vec<u64> =
            self.owners(key).iter().copied().filter(|position| visible.contains(*position)).collect();
        if owners.len() > AMBIGUOUS_OWNERS { Vec::new() } else { owners }
    }

    /// Whether a revision is one of those that [`Table::resolve_first`] gives for keys of another.
    pub(crate) fn leads_to(
        &self,
        keys: &[KeyId],
        other: &RecordId,
        visible: &Visible,
        here: &Revision,
    ) -> bool {
        // Most keys belong to others, which the names tell without a look at the keys' owners.
        if !keys.iter().any(|key| here.names.binary_search(key).is_ok()) {
            return false;
        }
        let seen = |key: &KeyId| self.owners(*key).iter().filter(|position| visible.contains(**position));
        let first = keys.iter().find(|key| (1..=AMBIGUOUS_OWNERS).contains(&seen(key).count()));
        let Some(mut owners) = first.map(seen) else { return false };
        let all = owners.clone();
        if !owners.any(|position| *position == here.position) {
            return false;
        }
        let is_of_source = |position: &u64| {
            self.revision(*position).is_some_and(|owner| owner.id.source() == other.source())
        };
        all.clone().nth(1).is_none() || is_of_source(&here.position) || !all.into_iter().any(is_of_source)
    }

    /// The visible owners of the first of some keys that has any; those of the same source first and alone.
    pub(crate) fn resolve_first(&self, keys: &[KeyId], source: &str, visible: &Visible) -> Vec<u64> {
        for key in keys {
            let owners = self.resolve(*key, visible);
            if owners.is_empty() {
                continue;
            }
            if owners.len() == 1 {
                return owners;
            }
            let same: Vec<u64> = owners
                .iter()
                .copied()
                .filter(|position| self.revision(*position).is_some_and(|owner| owner.id.source() == source))
                .collect();
            return if same.is_empty() { owners } else { same };
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use ontology::{Kind, Relation};

    use super::AMBIGUOUS_OWNERS;
    use crate::trial::{Trial, operator, record};

    #[test]
    fn a_look_back_along_a_link_sees_what_a_look_along_it_gives() {
        let trial = Trial::new();
        let item = |id: &str, name: &str| {
            let mut item = record(id, Kind::ConfigurationItem, name, &[]);
            item.names = vec![name.to_owned()];
            item
        };
        // One name of two sources, one name of a single record, one that says nothing.
        let mut records =
            vec![item("a:1", "mail"), item("b:1", "mail"), item("b:2", "mail"), item("a:2", "web")];
        records.extend((0..=AMBIGUOUS_OWNERS).map(|n| item(&format!("c:{n}"), "admin")));
        for (index, source) in ["a", "b", "c"].into_iter().enumerate() {
            let names = ["mail", "web", "admin", "none", "https://x.example/run/web.md"];
            let links: Vec<_> = names.into_iter().map(|name| (Relation::Affects, name)).collect();
            records.push(record(&format!("{source}:INC-{index}"), Kind::Incident, "down", &links));
        }
        trial.apply(records);
        let snapshot = trial.desk.snapshot();
        let (table, all) = (&snapshot.table, snapshot.visible(&operator(), None));
        let mut fewer = (*all).clone();
        fewer.remove(1);
        let mut found = 0;
        for visible in [&*all, &fewer] {
            for other in table.current_revisions() {
                for (link, position) in
                    other.links.iter().flat_map(|link| all.iter().map(move |at| (link, at)))
                {
                    let here = table.revision(position).unwrap();
                    let forth = table.resolve_first(&link.keys, other.id.source(), visible);
                    let back = table.leads_to(&link.keys, &other.id, visible, here);
                    assert_eq!(back, forth.contains(&position), "{here:?}");
                    found += usize::from(back);
                }
            }
        }
        assert!(found > 10, "{found}");
    }
}
