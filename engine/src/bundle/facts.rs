//! What does the graph know about a ticket? What is hit, who owns it, what it needs, what changed, what else is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use ontology::{Kind, RecordId, Relation, State};

use super::{Fact, FactKind};
use crate::query::{Bounds, Edge, around};
use crate::snapshot::Snapshot;
use crate::table::Revision;
use crate::visible::Visible;

/// A change this many days before the moment of the facts is recent.
const RECENT_DAYS: i64 = 14;
/// Facts of one sort about one thing at most.
const FACTS_OF_A_KIND: usize = 5;
/// Of each sort of referrer that may tell a fact, the newest that are looked at.
const REFERRERS: usize = 2_000;

pub(super) fn facts(
    snapshot: &Snapshot,
    visible: &Visible,
    about: &[RecordId],
    itself: Option<&RecordId>,
    now: Timestamp,
) -> Vec<Fact> {
    let mut collected =
        Collected { snapshot, visible, now, itself, facts: Vec::new(), seen: BTreeSet::new() };
    for id in about {
        let position = snapshot.table.shown(id, visible);
        if let Some(thing) = position.and_then(|position| snapshot.table.revision(position)) {
            if matches!(thing.kind, Kind::ConfigurationItem | Kind::Service) {
                collected.add(
                    FactKind::Affected,
                    thing,
                    Relation::Affects,
                    thing,
                    format!("{} is affected", thing.title),
                );
            }
            collected.of(thing);
        }
    }
    let mut facts = collected.facts;
    facts.sort_by_key(|fact| fact.kind);
    for (index, fact) in facts.iter_mut().enumerate() {
        fact.handle = format!("F{}", index + 1);
    }
    facts
}

struct Collected<'a> {
    snapshot: &'a Snapshot,
    visible: &'a Visible,
    now: Timestamp,
    itself: Option<&'a RecordId>,
    facts: Vec<Fact>,
    seen: BTreeSet<(FactKind, RecordId, RecordId)>,
}

impl Collected<'_> {
    fn of(&mut self, thing: &Revision) {
        // Each sort has its own limit: closed tickets hide nothing, and open ones do not hide a problem.
        let things = |other: &Revision| !other.kind.is_ticket() && may_tell(other);
        let changes = |other: &Revision| match other.kind {
            Kind::Problem => is_open(other),
            Kind::Change => self.is_recent(other),
            _ => false,
        };
        let open = |other: &Revision| other.kind.is_ticket() && is_open(other);
        let mut edges = BTreeMap::new();
        for wanted in [&things as &dyn Fn(&Revision) -> bool, &changes, &open] {
            let bounds = Bounds { edges: usize::MAX, looked_at: REFERRERS, tickets: true, wanted };
            let (found, _) = around(&self.snapshot.table, thing.position, self.visible, &bounds);
            edges.extend(
                found.into_iter().map(|edge| ((Reverse(edge.to), edge.relation, edge.reversed), edge)),
            );
        }
        for edge in edges.into_values() {
            let Some(other) = self.snapshot.table.revision(edge.to) else { continue };
            if Some(&other.id) == self.itself {
                continue;
            }
            if let Some((kind, text)) = self.fact(thing, edge, other) {
                self.add(kind, thing, edge.relation, other, text);
            }
        }
    }

    fn fact(&self, thing: &Revision, edge: Edge, other: &Revision) -> Option<(FactKind, String)> {
        let label = label(other);
        match (edge.relation, edge.reversed) {
            (Relation::OwnedBy | Relation::AssignedTo, false) => {
                Some((FactKind::Owner, format!("{} is owned by {label}", thing.title)))
            }
            (Relation::DependsOn | Relation::RunsOn, false) => {
                Some((FactKind::DependsOn, format!("{} depends on {label}", thing.title)))
            }
            (Relation::DependsOn | Relation::RunsOn, true) if !other.kind.is_ticket() => {
                Some((FactKind::NeededBy, format!("{label} depends on {}", thing.title)))
            }
            (_, true) if other.kind == Kind::Change && self.is_recent(other) => Some((
                FactKind::RecentChange,
                format!("{label} changed {} on {}", thing.title, day(other.done())?),
            )),
            (_, true) if other.kind == Kind::Problem && is_open(other) => {
                Some((FactKind::Problem, format!("{label} is an open problem of {}", thing.title)))
            }
            (_, true) if other.kind.is_ticket() && is_open(other) => Some((
                FactKind::OpenTicket,
                format!(
                    "{label} is open on {} since {}",
                    thing.title,
                    day(other.created.or(other.modified))?
                ),
            )),
            _ => None,
        }
    }

    fn is_recent(&self, change: &Revision) -> bool {
        let earliest = self.now.checked_sub((24 * RECENT_DAYS).hours());
        match (change.done(), earliest) {
            (Some(moment), Ok(earliest)) => moment >= earliest && moment <= self.now,
            _ => false,
        }
    }

    fn add(
        &mut self,
        kind: FactKind,
        subject: &Revision,
        relation: Relation,
        object: &Revision,
        text: String,
    ) {
        // Two things that the bundle is about may need one another: told once, from the one that needs.
        let ends = match kind {
            FactKind::NeededBy => (FactKind::DependsOn, object.id.clone(), subject.id.clone()),
            kind => (kind, subject.id.clone(), object.id.clone()),
        };
        let of_kind =
            self.facts.iter().filter(|fact| fact.kind == kind && fact.subject == subject.id).count();
        if of_kind < FACTS_OF_A_KIND && self.seen.insert(ends) {
            let (subject, object) = (subject.id.clone(), object.id.clone());
            self.facts.push(Fact { handle: String::new(), kind, subject, relation, object, text });
        }
    }
}

/// Whether a referrer that is no ticket may say what needs what.
fn may_tell(other: &Revision) -> bool {
    let needs = |relation| matches!(relation, Relation::DependsOn | Relation::RunsOn);
    other.kind == Kind::Relationship || other.links.iter().any(|link| needs(link.relation))
}

fn is_open(ticket: &Revision) -> bool {
    matches!(ticket.state, Some(State::Open | State::InProgress | State::OnHold))
}

fn day(moment: Option<Timestamp>) -> Option<String> {
    Some(moment?.strftime("%Y-%m-%d").to_string())
}

/// A ticket by its number and title, anything else by its title.
fn label(revision: &Revision) -> String {
    if revision.kind.is_ticket() {
        format!("{} ({})", revision.id.external(), revision.title)
    } else {
        revision.title.to_string()
    }
}

#[cfg(test)]
mod tests {
    use ontology::{Lineage, Link, Observation, Record, Scope, TenantId};

    use crate::bundle::{BundleRequest, Subject};
    use crate::desk::Desk;
    use crate::trial::{Trial, id, operator, record};

    use super::*;

    #[test]
    fn a_need_is_told_once_and_a_thing_is_part_of_its_own_bundle() {
        let data = tempfile::tempdir().unwrap();
        let tenant = TenantId::new("main").unwrap();
        let desk = Desk::open(data.path(), &tenant, None).unwrap();
        let item = |name: &str, needs: Option<&str>| {
            let mut record =
                Record::new(RecordId::new(&format!("cmdb:{name}")).unwrap(), Kind::Service, name);
            record.names = vec![name.to_owned()];
            record.links = needs.map(|needs| Link::by_name(Relation::DependsOn, needs)).into_iter().collect();
            let lineage = Lineage {
                origin: "test".into(),
                place: None,
                mapping: "generic".into(),
                observed: Timestamp::UNIX_EPOCH,
            };
            Observation::unversioned(record, lineage)
        };
        desk.apply(vec![item("wms-core", Some("wms-db")), item("wms-db", None)]).unwrap();
        let facts = |about: Subject| {
            let request = BundleRequest::new(about);
            let bundle =
                desk.bundle(&Scope::operator(tenant.clone()), &request, Timestamp::UNIX_EPOCH).unwrap();
            bundle.facts.into_iter().map(|fact| fact.text).collect::<Vec<_>>()
        };
        let need = "wms-core depends on wms-db";
        let both = facts(Subject::Text("wms-core and wms-db hang".into()));
        assert_eq!(both, ["wms-core is affected", "wms-db is affected", need]);
        let one = facts(Subject::Record(RecordId::new("cmdb:wms-db").unwrap()));
        assert_eq!(one, ["wms-db is affected", need]);
    }

    #[test]
    fn closed_tickets_hide_nothing_of_a_thing_that_many_are_about() {
        let trial = Trial::new();
        let affects = [(Relation::Affects, "wms-db")];
        let ticket = |id: &str, kind, title: &str, state| {
            let mut ticket = record(id, kind, title, &affects);
            (ticket.state, ticket.created) = (Some(state), Some(Timestamp::UNIX_EPOCH));
            ticket
        };
        trial.apply([
            record("cmdb:wms-db", Kind::ConfigurationItem, "wms-db", &[]),
            record("cmdb:wms-app", Kind::Service, "wms-app", &[(Relation::DependsOn, "wms-db")]),
            ticket("s:PRB-1", Kind::Problem, "locks", State::Open),
            ticket("s:INC-0", Kind::Incident, "slow", State::Open),
            ticket("s:CHG-1", Kind::Change, "index dropped", State::Closed),
        ]);
        let closed = |n| ticket(&format!("s:INC-{n}"), Kind::Incident, "slow", State::Closed);
        trial.apply((1..=REFERRERS + 50).map(closed));
        let request = BundleRequest::new(Subject::Record(id("cmdb:wms-db")));
        // "Lately" counts from what the desk saw last, whenever it is asked.
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let bundle = trial.desk.bundle(&operator(), &request, now).unwrap();
        let facts: Vec<FactKind> = bundle.facts.iter().map(|fact| fact.kind).collect();
        let (lately, open) = (FactKind::RecentChange, FactKind::OpenTicket);
        assert_eq!(facts, [FactKind::Affected, FactKind::NeededBy, lately, open, FactKind::Problem]);
    }

    #[test]
    fn a_change_is_dated_by_when_it_was_done() {
        let trial = Trial::new();
        let mut change = record("s:CHG-1", Kind::Change, "index dropped", &[(Relation::Affects, "wms-db")]);
        change.created = Some(Timestamp::UNIX_EPOCH);
        change.resolved = Some(Timestamp::from_second(7 * 24 * 3600).unwrap());
        trial.apply([record("cmdb:wms-db", Kind::ConfigurationItem, "wms-db", &[]), change]);
        let mut request = BundleRequest::new(Subject::Record(id("cmdb:wms-db")));
        request.as_of = Some(Timestamp::from_second(8 * 24 * 3600).unwrap());
        let bundle = trial.desk.bundle(&operator(), &request, Timestamp::UNIX_EPOCH).unwrap();
        let told: Vec<String> = bundle.facts.into_iter().map(|fact| fact.text).collect();
        assert!(told.iter().any(|text| text.ends_with("changed wms-db on 1970-01-08")), "{told:?}");
    }
}
