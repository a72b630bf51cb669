//! Do past tickets come again as they came, each with what was known then?

use jiff::{SignedDuration, Timestamp};
use ontology::{Kind, Link, Record, RecordId, Relation, SectionKind, State};
use triage::policy::{Level, PersonId, Role, Share, Watched};
use triage::{LevelChange, Replay, ReplayOptions, Workflow, replay};

use super::learned::Trial;
use super::{incident, now, runbook};

const LOCK: &str =
    "wms-core says canceling statement due to lock timeout in relation stock_location, scanners hang";
const PRINT: &str = "nothing prints, the follow-me list is empty and the spooler says error 0x6ba";

fn day(number: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * (100 - number))
}

fn past(id: &str, day_of: i64, told: &str, team: &str, category: &str, page: Option<&str>) -> Record {
    let mut ticket = incident(id, told, told, "Known.", "Done as the page says.", team, category);
    (ticket.created, ticket.resolved) = (Some(day(day_of)), Some(day(day_of + 1)));
    ticket.modified = ticket.resolved;
    ticket.links.extend(page.map(|page| Link::to(Relation::ResolvedBy, RecordId::new(page).unwrap())));
    ticket
}

fn page(id: &str, day_of: i64, title: &str, told: &str) -> Record {
    let mut page = runbook(id, title, told, &["Pause the job REPL_NIGHT.", "End the blocking session."]);
    (page.created, page.modified) = (Some(day(day_of)), Some(day(day_of)));
    page
}

fn replayed(records: &[Record], latest: usize, autonomy: &str) -> Replay {
    let trial = Trial::with(records);
    let fresh = Trial::with(&[]);
    let policies = fresh.policies();
    std::fs::write(policies.join("autonomy.toml"), autonomy).unwrap();
    let workflow = Workflow::new(fresh.desk.store(), Watched::open(&policies).unwrap());
    let past = (&trial.desk, &trial.scope);
    let options = ReplayOptions { latest };
    replay(past, &fresh.desk, &workflow, options, now(), &mut |_, _| ()).unwrap()
}

fn year() -> Vec<Record> {
    let mut records = vec![
        page("kb:locks", 0, "Pick confirmation hangs: locks on stock_location", LOCK),
        page("kb:late", 90, "Follow-me list is empty", PRINT),
    ];
    for number in 0..8 {
        let id = format!("desk:L{number}");
        records.push(past(&id, 10 + 4 * number, LOCK, "Warehouse Applications", "WMS", Some("kb:locks")));
        let id = format!("desk:P{number}");
        records.push(past(&id, 12 + 4 * number, PRINT, "Workplace", "Printing", Some("kb:late")));
    }
    records
}

const SUPERVISED: &str = "level = \"supervised\"\nshare = 100\n";

#[test]
fn what_agents_would_have_done_is_held_against_what_people_did() {
    let replay = replayed(&year(), 10, SUPERVISED);
    assert_eq!((replay.all.tickets, replay.all.adrift, replay.all.unexplained), (10, 0, 0));
    let locks = &replay.by_category["WMS"];
    assert_eq!((locks.tickets, locks.team.right, locks.category.right), (5, 5, 5), "{locks:?}");
    assert_eq!((locks.page.right, locks.page.asked), (5, 5));
    assert_eq!(replay.all.states.values().sum::<usize>(), 10);
    let again = replayed(&year(), 10, SUPERVISED);
    assert_eq!(replay.digest(), again.digest(), "the same past gives the same report");
    assert_ne!(replay.digest(), replayed(&year(), 9, SUPERVISED).digest());
}

#[test]
fn a_ticket_sees_only_what_was_known_when_it_came() {
    let replay = replayed(&year(), 16, SUPERVISED);
    // The first tickets of their kind have nobody to learn from.
    let first = |id: &str| replay.tickets.iter().find(|ticket| ticket.ticket.as_str() == id).unwrap();
    assert_eq!(first("desk:L0").category_is_right, Some(false));
    assert_eq!(first("desk:P0").team_is_right, Some(false));
    assert_eq!(first("desk:P7").team_is_right, Some(true));
    // The page about printing was written after all of these tickets.
    assert_eq!(replay.by_category["Printing"].page.asked, 0);
}

#[test]
fn a_ticket_that_was_solved_at_once_is_there_solved() {
    let mut records = year();
    for record in records.iter_mut().filter(|record| record.kind == Kind::Incident) {
        record.resolved = record.created;
    }
    // Only solved tickets have a team to learn from.
    let replay = replayed(&records, 2, SUPERVISED);
    assert_eq!((replay.all.team.right, replay.all.team.asked), (2, 2), "{:?}", replay.all);
}

#[test]
fn what_agents_did_alone_and_people_otherwise_is_a_false_positive() {
    // People moved the last lock tickets to another team.
    let mut records = year();
    for record in &mut records {
        if matches!(record.id.as_str(), "desk:L6" | "desk:L7") {
            record.links.retain(|link| link.relation != Relation::AssignedTo);
            record.links.push(Link::by_name(Relation::AssignedTo, "Database"));
        }
    }
    let replay = replayed(&records, 4, SUPERVISED);
    let locks = &replay.by_category["WMS"];
    assert_eq!(locks.routed_alone, 2, "{locks:?}");
    assert!(locks.false_positives >= 1, "{locks:?}");
    assert_eq!(replay.by_category["Printing"].false_positives, 0);
    let suggested = replayed(&records, 4, "level = \"suggest\"\nshare = 100\n");
    assert_eq!((suggested.all.routed_alone, suggested.all.false_positives), (0, 0), "nothing is done alone");
}

#[test]
fn a_ticket_comes_without_what_people_wrote_and_decided_later() {
    let mut records = year();
    for record in records.iter_mut().filter(|record| record.kind == Kind::Incident) {
        record.sections.push(ontology::Section::new(SectionKind::WorkNote, "zebra"));
        record.attributes.insert("close_code".to_owned(), "zebra".to_owned());
        record.state = Some(State::Closed);
    }
    let trial = Trial::with(&records);
    let fresh = Trial::with(&[]);
    let workflow = Workflow::new(fresh.desk.store(), Watched::open(&fresh.policies()).unwrap());
    let past = (&trial.desk, &trial.scope);
    replay(past, &fresh.desk, &workflow, ReplayOptions { latest: 16 }, now(), &mut |_, _| ()).unwrap();
    // Journals hold what came in.
    let came = fresh.desk.store().journals(0, 10_000).unwrap();
    let told = |kind: &str| came.iter().filter(|entry| entry.kind == kind).count();
    assert!(told("created") >= 16, "{:?}", came.iter().map(|entry| &entry.kind).collect::<Vec<_>>());
    let leaks = came.iter().filter(|entry| entry.stream.starts_with("event/"));
    assert!(leaks.filter(|entry| String::from_utf8_lossy(&entry.body).contains("zebra")).count() == 0);
}

#[test]
fn a_category_goes_autonomous_only_with_the_replay_that_shows_what_would_have_been_done() {
    let report = replayed(&year(), 6, "level = \"autonomous\"\nshare = 100\n");
    let trial = Trial::with(&[]);
    let workflow = Workflow::new(trial.desk.store(), Watched::open(&trial.policies()).unwrap());
    let category = ["WMS".to_owned()];
    let change = |level, replay, role: Role| {
        let share = Share::try_from(20).unwrap();
        let change = LevelChange { category: &category, level, share, replay };
        workflow.change_level(&change, &PersonId::new("lena"), &[role].into(), now())
    };
    let refused = change(Level::Autonomous, None, Role::Admin).unwrap_err();
    assert!(refused.to_string().contains("a replay of its past tickets is attached"), "{refused}");
    assert_eq!(change(Level::Autonomous, Some(&report), Role::Lead).unwrap_err().code(), "denied");
    assert_eq!(change(Level::Supervised, None, Role::Agent).unwrap_err().code(), "denied");
    assert!(trial.desk.store().items("replay", None, "", 9).unwrap().is_empty());
    change(Level::Autonomous, Some(&report), Role::Admin).unwrap();
    let kept = trial.desk.store().item("replay", &report.digest()).unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Replay>(&kept.body).unwrap(), report);
    let audit = trial.desk.store().journal("audit", 0, 99).unwrap();
    let said = String::from_utf8_lossy(&audit.last().unwrap().body).into_owned();
    assert!(said.contains(&report.digest()) && said.contains("autonomous"), "{said}");
}
