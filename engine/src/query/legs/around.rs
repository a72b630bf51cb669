//! What stands around a record? The records that it refers to and those that refer to it, each an edge.

use ontology::{Kind, Relation};

use crate::table::{KeyId, Revision, Table};
use crate::visible::Visible;

/// One way out of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) relation: Relation,
    /// Walked against its direction.
    pub(crate) reversed: bool,
    pub(crate) to: u64,
}

/// The visible neighbours of a record, at most `limit`: those it refers to, then those that refer to it; of these, tickets
/// last, and the newest first. A relationship record is no stop of its own: the edge goes through it.
pub(crate) fn neighbours(table: &Table, position: u64, visible: &Visible, limit: usize) -> Vec<Edge> {
    around(
        table,
        position,
        visible,
        &Bounds { edges: limit, looked_at: usize::MAX, tickets: true, wanted: &|_| true },
    )
    .0
}

/// How far a look around a record goes.
pub(crate) struct Bounds<'a> {
    /// After so many edges no further referrer is looked at.
    pub(crate) edges: usize,
    /// References looked at, whether they turn out to be edges or not.
    pub(crate) looked_at: usize,
    /// Whether tickets are looked at too; a thing may have very many.
    pub(crate) tickets: bool,
    /// Which referrers are looked at, of those that this opens.
    pub(crate) wanted: &'a dyn Fn(&Revision) -> bool,
}

/// Like [`neighbours`], within bounds. Returns also how many references were looked at.
pub(crate) fn around(
    table: &Table,
    position: u64,
    visible: &Visible,
    bounds: &Bounds<'_>,
) -> (Vec<Edge>, usize) {
    let Some(revision) = table.revision(position) else { return (Vec::new(), 0) };
    let mut edges = Vec::new();
    outgoing(table, revision, visible, &mut edges);
    let mut looked_at = edges.len();
    let names: Vec<&KeyId> =
        revision.names.iter().filter(|name| !table.resolve(**name, visible).is_empty()).collect();
    // A thing's place among things is not to drown in the tickets about it.
    for tickets in [false, true].into_iter().filter(|tickets| bounds.tickets || !tickets) {
        let referrers = names.iter().flat_map(|name| table.referrers(**name).iter().rev());
        let referrers = referrers.filter(|referrer| table.is_ticket(**referrer) == tickets);
        let referrers = referrers.filter(|referrer| visible.contains(**referrer));
        let referrers = referrers.filter_map(|referrer| table.revision(*referrer));
        for other in referrers.filter(|other| (bounds.wanted)(other)) {
            if edges.len() >= bounds.edges || looked_at >= bounds.looked_at {
                return (distinct(edges, position), looked_at);
            }
            looked_at += 1;
            incoming(table, other, revision, visible, &mut edges);
        }
    }
    (distinct(edges, position), looked_at)
}

fn outgoing(table: &Table, revision: &Revision, visible: &Visible, edges: &mut Vec<Edge>) {
    let source = revision.id.source();
    for link in &revision.links {
        let targets = table.resolve_first(&link.keys, source, visible);
        edges.extend(targets.into_iter().map(|to| Edge { relation: link.relation, reversed: false, to }));
    }
    for mention in &revision.mentions {
        let targets = table.resolve(mention.key, visible);
        edges.extend(targets.into_iter().map(|to| Edge {
            relation: Relation::Mentions,
            reversed: false,
            to,
        }));
    }
}

/// The edges that `other`, which refers to `here`, brings to `here`.
fn incoming(table: &Table, other: &Revision, here: &Revision, visible: &Visible, edges: &mut Vec<Edge>) {
    let refers = |keys: &[KeyId]| table.leads_to(keys, &other.id, visible, here);
    if other.kind == Kind::Relationship {
        let source = other.id.source();
        for link in &other.links {
            if refers(&other.subject) {
                let targets = table.resolve_first(&link.keys, source, visible);
                edges.extend(targets.into_iter().map(|to| Edge {
                    relation: link.relation,
                    reversed: false,
                    to,
                }));
            } else if refers(&link.keys) {
                let subjects = table.resolve_first(&other.subject, source, visible);
                edges.extend(subjects.into_iter().map(|to| Edge {
                    relation: link.relation,
                    reversed: true,
                    to,
                }));
            }
        }
        return;
    }
    let before = edges.len();
    let edge = |relation| Edge { relation, reversed: true, to: other.position };
    edges.extend(other.links.iter().filter(|link| refers(&link.keys)).map(|link| edge(link.relation)));
    let mentions = |name: &KeyId| other.mentions.binary_search_by_key(name, |mention| mention.key).is_ok();
    if edges.len() == before && here.names.iter().any(mentions) {
        edges.push(edge(Relation::Mentions));
    }
}

/// One edge for each relation, direction and neighbour; none to the record itself.
fn distinct(mut edges: Vec<Edge>, here: u64) -> Vec<Edge> {
    edges.retain(|edge| edge.to != here);
    edges.sort_unstable_by_key(|edge| (edge.to, edge.relation, edge.reversed));
    edges.dedup();
    edges
}

#[cfg(test)]
mod tests {
    use ontology::State;

    use super::*;
    use crate::trial::{Trial, id, operator, record};

    #[test]
    fn things_come_before_tickets_and_every_look_counts() {
        let trial = Trial::new();
        let affects = [(Relation::Affects, "wms-db")];
        trial.apply([
            record("cmdb:wms-db", Kind::ConfigurationItem, "wms-db", &[]),
            record("cmdb:wms-app", Kind::Service, "wms-app", &[(Relation::DependsOn, "wms-db")]),
        ]);
        trial.apply((0..20).map(|n| {
            let mut ticket = record(&format!("s:INC-{n}"), Kind::Incident, "slow", &affects);
            ticket.state = Some(State::Closed);
            ticket
        }));
        let snapshot = trial.desk.snapshot();
        let table = &snapshot.table;
        let visible = snapshot.visible(&operator(), None);
        let position = |name: &str| table.current(&id(name)).unwrap();
        let look_at = |limit, tickets| {
            let bounds = Bounds { edges: usize::MAX, looked_at: limit, tickets, wanted: &|_| true };
            let (edges, looked_at) = around(table, position("cmdb:wms-db"), &visible, &bounds);
            (edges.iter().map(|edge| edge.to).collect::<Vec<_>>(), looked_at)
        };
        let look = |limit| look_at(limit, true);
        let (app, newest) = (position("cmdb:wms-app"), position("s:INC-19"));
        assert_eq!(look(1), (vec![app], 1));
        assert_eq!(look(2), (vec![app, newest], 2));
        assert_eq!(look(100).1, 21);
        assert_eq!(look_at(100, false), (vec![app], 1));
    }
}
