//! Is a desk whole after `kill -9` in each phase of its work: a commit, the building of the vector graph, a rebuild?
//!
//! The program says at level `debug` which phase begins and which ends. The test waits until the one begins that it is after,
//! then a moment more, and kills; afterwards it reads from what was said which phases the kill landed in, and counts those.
//! `TRIAGRAPH_ROUNDS` multiplies the kills that each phase has to get.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tests::{Desk, Dice};

/// Runs for each kill, at most.
const TRIES: usize = 40;
/// Two paragraphs of so many words are too long for one passage.
const WORDS: usize = 91;

/// What is killed.
struct Target {
    /// How the names of its phases begin.
    phase: &'static str,
    command: &'static str,
    /// How often one of them begins in a run, at least.
    begins: u64,
    /// About how long one takes.
    millis: u64,
    /// Kills that have to land in it.
    kills: usize,
}

fn tickets(count: u64, paragraphs: usize) -> String {
    let mut dice = Dice::new(8);
    let mut lines = String::new();
    for number in 0..count {
        let mut paragraph = || {
            let words = (0..WORDS)
                .map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz"[dice.below(26) as usize]).to_string());
            words.collect::<Vec<_>>().join(" ")
        };
        let text = (0..paragraphs).map(|_| paragraph()).collect::<Vec<_>>().join("\\n\\n");
        writeln!(lines, r#"{{"id": "K-{number}", "title": "case {number}", "description": "{text}"}}"#)
            .expect("a string takes it");
    }
    lines
}

/// The phase that a line of the log says to begin (`true`) or end.
fn phase(line: &str) -> Option<(String, bool)> {
    let (path, event) = line.trim().strip_prefix("DEBUG ")?.rsplit_once(": ")?;
    let phase = path.rsplit(':').next()?.to_owned();
    match event {
        "new" => Some((phase, true)),
        _ => event.starts_with("close").then_some((phase, false)),
    }
}

/// Runs a command until phases whose names begin so have begun `nth` times, kills it `delay` later, and gives the phases that were under way.
/// Nothing if it came to its end.
fn killed(desk: &Desk, arguments: &[&str], wanted: &str, nth: u64, delay: Duration) -> Option<Vec<String>> {
    let mut command = desk.command(arguments);
    command.env("TRIAGRAPH_LOG", "warn,engine=debug").env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let said = BufReader::new(child.stderr.take().expect("a pipe"));
    let (send, begun) = mpsc::channel();
    let wanted = wanted.to_owned();
    let reading = thread::spawn(move || {
        let (mut open, mut times) = (Vec::new(), 0);
        for line in said.lines() {
            let line = line.expect("the binary speaks UTF-8");
            match phase(&line) {
                Some((name, true)) => {
                    times += u64::from(name.starts_with(&wanted));
                    if times == nth && name.starts_with(&wanted) {
                        let _ = send.send(());
                    }
                    open.push(name);
                }
                Some((name, false)) => {
                    let last = open.iter().rposition(|other| *other == name);
                    open.remove(last.expect("what ends has begun"));
                }
                None => {}
            }
        }
        open
    });
    // Nothing comes when the command ends before.
    if begun.recv().is_ok() {
        thread::sleep(delay);
        child.kill().expect("a child of this test");
    }
    let status = child.wait().expect("a child of this test");
    let open = reading.join().expect("the reader");
    if status.signal() != Some(9) {
        assert!(status.success(), "{arguments:?} ended by itself with {status}");
        return None;
    }
    Some(open)
}

/// The desk holds each record that its log has, once, in all parts.
fn assert_sound(desk: &Desk, all: u64, when: &str) {
    let found = desk.json(&["verify"]);
    assert_eq!(found["problems"], serde_json::json!([]), "{when}");
    let status = desk.json(&["status"]);
    let counts = status["records"].as_object().expect("counts").values();
    let records: u64 = counts.filter_map(serde_json::Value::as_u64).sum();
    let positions = [&found["revisions"], &found["generation"], &status["generation"]].map(|n| n.as_u64());
    assert_eq!(positions, [Some(records); 3], "{when}: a record is doubled or lost");
    assert!(records <= all, "{when}: {records} of {all}");
}

/// Kills each target's command in its phase, and looks at the desk after each kill; then lets it end. Counts the kills in each
/// phase.
fn kill(targets: &[Target], all: u64, paragraphs: usize) -> BTreeMap<String, usize> {
    let (desk, calm) = (Desk::new(), Desk::new());
    let file = desk.file("tickets.jsonl", tickets(all, paragraphs));
    let ingest = ["ingest", "--json", "--source", "kill", file.to_str().expect("UTF-8")];
    assert_eq!(calm.run(ingest).with_code(0).json()["new"], all);
    let rounds = std::env::var("TRIAGRAPH_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number"));
    let mut dice = Dice::new(20_261_125);
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for &Target { phase, command, begins, millis, kills } in targets {
        let arguments = if command == "ingest" { &ingest[..] } else { &["reindex", "--json"] };
        let (mut landed, kills) = (0, kills * rounds);
        for _ in 0..TRIES * kills {
            let delay = Duration::from_micros(dice.below(millis * 1000));
            match killed(&desk, arguments, phase, 1 + dice.below(begins), delay) {
                Some(open) => {
                    assert_sound(&desk, all, &format!("after a kill of {command} in {open:?}"));
                    landed += usize::from(open.iter().any(|name| name.starts_with(phase)));
                    for name in open {
                        *counted.entry(format!("{name} of {command}")).or_default() += 1;
                    }
                }
                // All is done: what is written has to be written again.
                None if command == "ingest" => fs::remove_dir_all(desk.data()).expect("the desk's folder"),
                None => {}
            }
            if landed == kills {
                break;
            }
        }
        assert_eq!(landed, kills, "kills in {phase} of {command}; all that landed: {counted:?}");
    }
    let last = desk.run(ingest).with_code(0).json();
    let seen = last["new"].as_u64().zip(last["unchanged"].as_u64()).map(|(new, unchanged)| new + unchanged);
    assert_eq!((seen, last["changed"].as_u64()), (Some(all), Some(0)), "{last}");
    assert_sound(&desk, all, "at the end");
    let [mut killed, mut undisturbed] = [&desk, &calm].map(|desk| desk.json(&["status"]));
    for status in [&mut killed, &mut undisturbed] {
        status.as_object_mut().expect("an object").remove("jobs");
    }
    assert_eq!(killed, undisturbed);
    for question in ["case 7", "case 11 a b c"] {
        let found = |desk: &Desk| desk.json(&["search", "--leg", "lexical", question])["hits"].clone();
        assert_eq!(found(&desk), found(&calm), "{question}");
    }
    counted
}

#[test]
fn a_kill_in_any_part_of_a_commit_leaves_a_desk_that_goes_on_whole() {
    let targets = [Target { phase: "commit", command: "ingest", begins: 8, millis: 15, kills: 4 }];
    eprintln!("kills by phase: {:?}", kill(&targets, 900, 1));
}

#[test]
fn a_kill_while_the_graph_of_vectors_or_all_indexes_are_built_leaves_a_desk_that_goes_on_whole() {
    let targets = [
        Target { phase: "seal", command: "ingest", begins: 1, millis: 900, kills: 1 },
        Target { phase: "catch-up", command: "reindex", begins: 1, millis: 1500, kills: 1 },
    ];
    // More passages than are only scanned.
    eprintln!("kills by phase: {:?}", kill(&targets, 700, 30));
}
