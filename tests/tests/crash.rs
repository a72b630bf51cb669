//! Does an ingest that is killed at any moment go on where it stood, with nothing lost and nothing doubled?
#![cfg(unix)]

use std::fmt::Write;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tests::{Desk, Dice, root};

/// Tickets of the ingest.
const TICKETS: usize = 3_000;
/// How often it is killed while it runs.
const KILLS: usize = 20;
/// Tries to hit a running ingest that often.
const ROUNDS: usize = 60;

/// How often each step of the demo company's life is killed.
const KILLS_OF_A_STEP: usize = 2;

fn tickets() -> String {
    let mut dice = Dice::new(7);
    let things =
        ["printer", "scanner", "VPN", "mailbox", "database", "portal", "forklift terminal", "badge reader"];
    let faults = ["is slow", "does not start", "loses its session", "shows error 0x80070005", "is offline"];
    let mut lines = String::new();
    for number in 0..TICKETS {
        let thing = things[dice.below(things.len() as u64) as usize];
        let fault = faults[dice.below(faults.len() as u64) as usize];
        let title = format!("{thing} {fault} at desk {number}");
        let text = format!("Since {} the {thing} {fault}. Seen {} times.", dice.below(24), dice.below(90));
        writeln!(lines, r#"{{"id": "CR-{number}", "title": "{title}", "description": "{text}"}}"#)
            .expect("a string takes it");
    }
    lines
}

/// How many records the graph has.
fn graphs(desk: &Desk) -> usize {
    let all = "SELECT (COUNT(DISTINCT ?g) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } \
               FILTER(STRSTARTS(STR(?g), \"urn:triagraph:record:\")) }";
    let out = desk.run(["sparql", "--format", "csv", all]).with_code(0).out;
    out.lines().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Both desks count the same in all parts.
fn assert_same(desk: &Desk, calm: &Desk, when: &str) {
    let (killed, undisturbed) = (desk.json(&["status"]), calm.json(&["status"]));
    for name in ["generation", "records", "passages", "quads", "pending_links", "quarantined"] {
        assert_eq!(killed[name], undisturbed[name], "{name} {when}");
    }
}

/// The desk holds each ticket once, in all parts, and is as one that was never disturbed.
fn assert_whole(desk: &Desk, calm: &Desk) {
    let found = desk.run(["verify", "--json"]).with_code(0).json();
    assert_eq!(found["problems"], serde_json::json!([]));
    assert_eq!(found["revisions"], TICKETS, "a record was written twice or not at all");
    assert_same(desk, calm, "at the end");
    assert_eq!(graphs(desk), TICKETS);
    for question in ["desk 2999", "VPN loses its session"] {
        assert!(!desk.search(&[question]).is_empty(), "{question}");
    }
}

#[test]
fn an_ingest_that_is_killed_twenty_times_ends_whole() {
    let desk = Desk::new();
    let file = desk.file("tickets.jsonl", tickets());
    let arguments = ["ingest", "--json", "--source", "crash", file.to_str().expect("UTF-8")];
    // How long an undisturbed ingest takes here: kills are spread over that time.
    let calm = Desk::new();
    let started = Instant::now();
    let whole = calm.run(arguments).with_code(0).json();
    let typical = started.elapsed();
    assert_eq!(whole["new"], TICKETS);

    let mut dice = Dice::new(20_261_123);
    let longest = u64::try_from(typical.as_millis() / 2).expect("a short run").max(100);
    let mut hits = 0;
    for round in 0..ROUNDS {
        let mut child = quiet(desk.command(arguments)).spawn().expect("the binary starts");
        thread::sleep(Duration::from_millis(20 + dice.below(longest)));
        child.kill().expect("a child of this test");
        let status = child.wait().expect("a child of this test");
        if status.signal() == Some(9) {
            hits += 1;
        } else {
            // It was done before the kill: the next ones hit a desk that has nothing yet.
            assert!(status.success(), "round {round} ended by itself with {status}");
            assert_whole(&desk, &calm);
            fs::remove_dir_all(desk.data()).expect("the desk's folder");
        }
        if hits == KILLS {
            break;
        }
    }
    assert_eq!(hits, KILLS, "too few kills hit a running ingest of {typical:?}");

    let last = desk.run(arguments).with_code(0).json();
    let seen = last["new"].as_u64().zip(last["unchanged"].as_u64()).map(|(new, unchanged)| new + unchanged);
    assert_eq!(seen, Some(TICKETS as u64), "{last}");
    assert_eq!((last["changed"].as_u64(), last["quarantined"].as_u64()), (Some(0), Some(0)), "{last}");
    assert_whole(&desk, &calm);
    let again = desk.run(arguments).with_code(0).json();
    assert_eq!(again["unchanged"], TICKETS);
}

/// What stands in the changed copy of the demo company's files instead of what they say: a name that others mention becomes
/// longer, a service gets another one, tickets and pages say something else.
const CHANGES: [(&str, &str); 4] = [
    (r#""u_aliases": "VPN""#, r#""u_aliases": "VPN tunnel""#),
    (r#""name": "Printing""#, r#""name": "Print""#),
    ("printer", "print device"),
    ("Outlook", "the mail client"),
];

/// Records that go in the end: a thing that tickets mention, a service, a page, a ticket.
const DELETED: [&str; 4] = ["vpn-gw-ham-01", "Corporate Network", "KB0010279", "INC0041216"];

fn copy_changed(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_changed(&path, &target);
        } else {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let changed = CHANGES.iter().fold(text, |text, (before, after)| text.replace(before, after));
            fs::write(&target, changed).expect("a file");
        }
    }
}

/// The demo company's life, one command a step: its sources in an order that shuffling gave, then the same files changed,
/// in another order, then deletes.
fn life(dice: &mut Dice, changed: &Path) -> Vec<Vec<String>> {
    let mut steps = Vec::new();
    for demo in [&root().join("datasets/demo"), changed] {
        // Relations come by themselves too, so that they may stand before what they relate.
        let mut sources = ["cmdb/cmdb_rel_ci.json", "cmdb", "knowledge", "alerts", "tickets"];
        dice.shuffle(&mut sources);
        let path = |source: &str| demo.join(source).display().to_string();
        steps.extend(sources.map(|source| vec!["ingest".to_owned(), path(source)]));
    }
    let mut deleted = DELETED;
    dice.shuffle(&mut deleted);
    steps.extend(deleted.map(|name| ["record", "delete", name].map(str::to_owned).to_vec()));
    steps
}

#[test]
fn a_desk_that_is_killed_at_every_step_of_its_life_is_as_one_that_was_not() {
    let (desk, calm) = (Desk::new(), Desk::new());
    let changed = desk.beside("changed");
    copy_changed(&root().join("datasets/demo"), &changed);
    let mut dice = Dice::new(20_261_124);
    for step in life(&mut dice, &changed) {
        let started = Instant::now();
        let _ = calm.run(&step).with_code(0);
        let typical = u64::try_from(started.elapsed().as_millis()).expect("a short run").max(20);
        for _ in 0..KILLS_OF_A_STEP {
            let mut child = quiet(desk.command(&step)).spawn().expect("the binary starts");
            thread::sleep(Duration::from_millis(dice.below(typical)));
            child.kill().expect("a child of this test");
            child.wait().expect("a child of this test");
        }
        let last = desk.run(&step);
        // What was deleted before the kill is not found again.
        assert!(last.code == 0 || step[1] == "delete", "{step:?}: {last:?}");
        for desk in [&desk, &calm] {
            let found = desk.run(["verify", "--json"]);
            assert_eq!(found.code, 0, "after {step:?}: {found:?}");
        }
        assert_same(&desk, &calm, &format!("after {step:?}"));
    }
    for question in ["VPN tunnel drops", "print device", "INC0041216"] {
        assert_eq!(desk.search(&[question]), calm.search(&[question]), "{question}");
    }
}
