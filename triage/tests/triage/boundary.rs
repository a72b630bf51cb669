//! Does an agent not see what it may not read, say so, and hand over where the desk draws the line?

use std::fs;

use ontology::{Kind, Lineage, Link, Observation, Record, Relation, SectionKind, State};
use triage::policy::Policies;
use triage::{Outcome, Triage, TriageOptions, triage};

use super::{Made, locks_ticket, made, now, record, staff};

fn within(made: &Made, ticket: &Record, policy: &str, autonomy: &str) -> Triage {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ours.cedar"), policy).unwrap();
    if !autonomy.is_empty() {
        fs::write(folder.path().join("autonomy.toml"), autonomy).unwrap();
    }
    let boundaries = Policies::read(folder.path()).unwrap().boundaries().clone();
    let options = TriageOptions { boundaries, ..TriageOptions::default() };
    triage(&made.desk, &staff(), ticket, &options, now()).unwrap()
}

/// Nobody but those agents reads a kind any more.
fn forbid(kind: &str, agents: &str) -> String {
    format!(
        "@id(\"ours\") @reason(\"as we say\") forbid (principal, action == Action::\"read\", resource) \
         when {{ resource.kind == RecordKind::\"{kind}\" {agents} }};"
    )
}

fn limits(made: &Triage) -> Vec<&str> {
    made.steps.iter().filter(|step| step.step == "limited").map(|step| step.why.as_str()).collect()
}

/// A ticket on a host that was changed an hour before.
fn changed(made: &Made) -> Record {
    let mut host = record("cmdb:wms-db", Kind::ConfigurationItem, "wms-db", &[]);
    host.names.push("wms-db".to_owned());
    let told = [(SectionKind::Description, "New row locks on stock_location for the WMS.")];
    let mut change = record("desk:CHG1", Kind::Change, "Lock settings of wms-db", &told);
    change.links.push(Link::by_name(Relation::Affects, "wms-db"));
    change.state = Some(State::Closed);
    change.resolved = Some(now() - jiff::SignedDuration::from_mins(90));
    let lineage = Lineage { origin: "test".into(), place: None, mapping: "test".into(), observed: now() };
    let observed = |record| Observation::unversioned(record, lineage.clone());
    made.desk.apply([host, change].map(observed).to_vec()).unwrap();
    let mut ticket = locks_ticket("");
    ticket.links.push(Link::by_name(Relation::Affects, "wms-db"));
    ticket
}

#[test]
fn what_an_agent_may_not_read_it_does_not_see_and_says_so() {
    let made = made();
    let ticket = changed(&made);
    let seen = within(&made, &ticket, "", "");
    assert_eq!(seen.changes.len(), 1, "{:?}", seen.warnings);
    assert!(limits(&seen).is_empty());
    let named = |made: &Triage| format!("{made:?}").matches("CHG1").count();
    assert!(named(&seen) > 0);

    let blind = within(&made, &ticket, &forbid("change", ""), "");
    assert_eq!((blind.changes.len(), named(&blind)), (0, 0), "no trace of it is left");
    let said = limits(&blind);
    assert!(said.contains(&"the enrichment agent may not read: change"), "{said:?}");
    let bundle = made.desk.stored_bundle(&staff(), &blind.bundles[0].id).unwrap().unwrap();
    let bundle = String::from_utf8(bundle).unwrap();
    assert!(bundle.contains("\"hidden\"") && !bundle.contains("Lock settings"), "{bundle}");
    // Only the agent that looks for what was changed is blind: the others still see it.
    let own = within(&made, &ticket, &forbid("change", "&& principal == Agent::\"enrichment\""), "");
    assert_eq!(own.changes.len(), 0);
    assert_eq!(limits(&own), ["the enrichment agent may not read: change"]);
    assert_eq!(own.affected.len(), 1);
}

#[test]
fn who_classifies_and_who_answers_read_each_what_they_may() {
    let made = made();
    let ticket = locks_ticket("");
    let unread = within(&made, &ticket, &forbid("incident", "&& principal == Agent::\"triage\""), "");
    assert_eq!(unread.category.value, None, "no ticket voted");
    assert!(unread.answer.is_some(), "the guidance agent reads them");
    let no_pages = forbid("runbook", "&& principal == Agent::\"guidance\"");
    let unguided = within(&made, &ticket, &no_pages, "");
    assert_eq!(unguided.page, None);
    assert!(!format!("{:?}", unguided.answer).contains("kb:locks"), "{:?}", unguided.answer);
    assert_eq!(unguided.category.value, Some(vec!["WMS".to_owned()]));
}

#[test]
fn the_desk_says_when_a_ticket_is_handed_over() {
    let made = made();
    let ticket = locks_ticket("");
    let level = "level = \"suggest\"\nshare = 100\n";
    assert_eq!(within(&made, &ticket, "", level).outcome, Outcome::Answered);
    let strict = within(&made, &ticket, "", &format!("{level}[hand_over]\nbelow_strength = 1000\n"));
    let Outcome::HandedOver { reason } = &strict.outcome else { panic!("{:?}", strict.strength) };
    assert!(reason.contains("nothing in the desk is near enough"), "{reason}");
}
