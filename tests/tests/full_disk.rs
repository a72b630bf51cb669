//! What if the disk is full? The program says what to do, nothing is half there, and it goes on when there is room.
//!
//! The desk lies on a small file system of its own where one may be mounted, filled up but for a few kilobytes each time; else
//! no file may grow beyond a limit. `TRIAGRAPH_ROUNDS` says how often it is filled.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Desk, Dice, Run, Server, finish};

/// How often the disk is filled.
const ROUNDS: u64 = 3;
const MEGABYTES: u64 = 192;
/// Records of each file; together they take more than is ever left.
const RECORDS: u64 = 600;
/// Kilobytes by which more is left each time; after so many times it begins again.
const STEP: u64 = 1_300;
const STEPS: u64 = 6;

/// What may find no room, by the words of its errors.
const PARTS: [&str; 4] = ["record log", "text index", "vectors.db", "graph at"];

/// Where a desk lies that may not grow.
struct Disk {
    folder: PathBuf,
    is_mounted: bool,
}

impl Disk {
    fn new(desk: &Desk) -> Self {
        let folder = desk.data();
        fs::create_dir(&folder).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={MEGABYTES}m"), "tmpfs"]).arg(&folder);
        let mounted = mount.stdin(Stdio::null()).stderr(Stdio::null()).status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        Self { folder, is_mounted }
    }

    /// Leaves so many kilobytes.
    fn fill(&self, left: u64) {
        if !self.is_mounted {
            return;
        }
        let mut ballast = File::create(self.folder.join("ballast")).expect("a file");
        let block = vec![0; 1 << 16];
        loop {
            match ballast.write(&block) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        let length = ballast.metadata().expect("a file").len();
        ballast.set_len(length.saturating_sub(left << 10)).expect("a shorter file");
    }

    /// Gives the room back.
    fn make_room(&self) {
        if self.is_mounted {
            fs::remove_file(self.folder.join("ballast")).expect("the ballast");
        }
    }

    /// The command, which meets the limit also where nothing could be mounted.
    fn limited(&self, command: Command, left: u64) -> Command {
        if self.is_mounted {
            return command;
        }
        // Files may have what the largest has, and what is left. The signal of the limit would end the program.
        let blocks = (largest(&self.folder) >> 9) + 2 * left;
        let mut limited = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        limited.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        limited.current_dir(command.get_current_dir().expect("a folder"));
        limited
    }

    fn run(&self, desk: &Desk, arguments: &[&str], left: u64) -> Run {
        finish(&mut self.limited(desk.command(arguments), left), "")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        }
    }
}

/// The bytes of the largest file below a folder.
fn largest(folder: &Path) -> u64 {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let sizes =
        paths.map(
            |path| if path.is_dir() { largest(&path) } else { path.metadata().map_or(0, |file| file.len()) },
        );
    sizes.max().unwrap_or(0)
}

fn records(source: &str) -> Vec<Value> {
    let mut dice = Dice::new(source.bytes().map(u64::from).sum());
    let mut word =
        || (0..6).map(|_| char::from(b"bcdfghjklmnpqrtvwxz"[dice.below(19) as usize])).collect::<String>();
    let mut text = || (0..60).map(|_| word()).collect::<Vec<_>>().join(" ");
    let record = |number: u64| json!({"id": format!("{source}-{number}"), "title": format!("printer {number}"), "description": text()});
    (0..RECORDS).map(record).collect()
}

fn file(desk: &Desk, source: &str) -> String {
    let mut lines = String::new();
    records(source).iter().for_each(|record| writeln!(lines, "{record}").expect("a string takes it"));
    desk.file(&format!("{source}.jsonl"), lines).to_str().expect("UTF-8").to_owned()
}

/// An error of a full disk says that room is missing.
fn assert_says_room(said: &str) {
    assert!(!said.contains("panicked at"), "{said}");
    assert!(
        ["make room", "has room", "free space", "check the disk"].iter().any(|words| said.contains(words)),
        "{said}"
    );
}

/// Log and indexes hold the same records, each once.
fn assert_whole(desk: &Desk, when: &str) -> u64 {
    let found = desk.json(&["verify"]);
    assert_eq!(found["problems"], json!([]), "{when}");
    let status = desk.json(&["status"]);
    assert_eq!(
        (&found["revisions"], &status["records"]["incident"]),
        (&status["generation"], &status["generation"]),
        "{when}"
    );
    status["generation"].as_u64().expect("a number")
}

#[test]
fn an_ingest_that_finds_the_disk_full_says_so_and_goes_on_when_there_is_room() {
    let desk = Desk::new();
    let disk = Disk::new(&desk);
    let _ = desk.run(["ingest", "--source", "full", &file(&desk, "first")]).with_code(0);
    let rounds = std::env::var("TRIAGRAPH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let mut dice = Dice::new(20_261_126);
    let mut found_full: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let (mut whole, mut answered) = (RECORDS, 0);
    for round in 0..rounds {
        let file = file(&desk, &format!("round{round}"));
        // From nothing left at all on, so that the log, the text, the vectors and the graph find no room.
        let left = round % STEPS * STEP + dice.below(STEP) * round.min(1);
        let arguments = ["ingest", "--json", "--source", "full", &file];
        disk.fill(left);
        let run = disk.run(&desk, &arguments, left);
        if run.code == 2 {
            assert_says_room(&run.err);
            let said: Value = serde_json::from_str(run.err.lines().last().unwrap_or_default()).expect("JSON");
            let part = PARTS.into_iter().find(|part| said.to_string().contains(part)).expect("a part");
            *found_full.entry((part, said["code"].as_str().expect("a code").to_owned())).or_default() += 1;
        }
        let search = disk.run(&desk, &["search", "--json", "printer 7"], left);
        match search.code {
            0 => {
                assert_eq!(search.json()["hits"].as_array().map(Vec::len), Some(10));
                answered += 1;
            }
            _ => assert_says_room(&search.err),
        }
        disk.make_room();
        let so_far = assert_whole(&desk, &format!("{left} KB left"));
        assert!((whole..=whole + RECORDS).contains(&so_far), "{so_far} of {whole}");
        let last = desk.run(arguments).with_code(0).json();
        assert_eq!(
            last["new"].as_u64().zip(last["unchanged"].as_u64()),
            Some((whole + RECORDS - so_far, so_far - whole)),
            "{last}"
        );
        whole += RECORDS;
    }
    assert_eq!(assert_whole(&desk, "at the end"), whole);
    eprintln!(
        "mounted: {}, {found_full:?}, {answered} of {rounds} searches answered while it was full",
        disk.is_mounted
    );
    let full: usize = found_full.values().sum();
    assert!(full as u64 > rounds / 2, "the disk was full {full} times only");
    // The thread that writes text only says that it is gone, so that one cannot know why.
    let are_told = found_full.keys().all(|(_, code)| code == "disk-full" || code == "text-failed");
    assert!(!disk.is_mounted || are_told, "{found_full:?}");
}

/// Sends records, waits for the job, and gives it.
fn write(server: &Server, source: &str) -> Value {
    let record = |mut record: Value| {
        let id = format!("full:{}", record["id"].as_str().expect("an id"));
        let text = record["description"].take();
        json!({"id": id, "kind": "incident", "title": record["title"], "audience": ["staff"],
                   "sections": [{"kind": "description", "text": text}]})
    };
    let sent = records(source).into_iter().map(record).collect();
    let (status, mut job) = server.ask("POST", "/v1/records", &Value::Array(sent));
    assert_eq!(status, 202, "{job}");
    while ["queued", "running"].contains(&job["state"].as_str().expect("a state")) {
        thread::sleep(Duration::from_millis(10));
        job = server.ask("GET", &format!("/v1/jobs/{}", job["id"]), &Value::Null).1;
    }
    job
}

fn found(server: &Server) -> usize {
    let (status, hits) = server.ask("POST", "/v1/search", &json!({"text": "printer 7"}));
    assert_eq!(status, 200, "{hits}");
    hits["hits"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_server_that_finds_the_disk_full_answers_on_and_writes_when_there_is_room() {
    let desk = Desk::new();
    let disk = Disk::new(&desk);
    if !disk.is_mounted {
        // A limit on files could not be lifted while the server runs.
        return;
    }
    let _ = desk.run(["ingest", "--source", "full", &file(&desk, "first")]).with_code(0);
    let server = Server::start(desk.command(["serve", "--listen", "127.0.0.1:0"]));
    disk.fill(0);
    let job = write(&server, "second");
    assert_eq!(job["state"], "failed", "{job}");
    let error = &job["error"];
    assert_says_room(&error.to_string());
    assert_eq!((error["code"].as_str(), error["status"].as_u64()), (Some("disk-full"), Some(507)), "{error}");
    let (status, problem) = server.ask("DELETE", "/v1/records/full:first-1", &Value::Null);
    assert_eq!((status, problem["code"].as_str()), (507, Some("disk-full")), "{problem}");
    assert_eq!(found(&server), 10, "while the disk is full");
    disk.make_room();
    // Nothing was begun, so nothing has to be healed.
    assert_eq!(write(&server, "second")["counts"]["new"], RECORDS);
    // This time something is begun.
    disk.fill(700);
    let job = write(&server, "third");
    assert_eq!((job["state"].as_str(), found(&server)), (Some("failed"), 10), "{job}");
    disk.make_room();
    drop(server);
    let server = Server::start(desk.command(["serve", "--listen", "127.0.0.1:0"]));
    for source in ["second", "third"] {
        let job = write(&server, source);
        assert_eq!(job["state"], "done", "{job}");
    }
    drop(server);
    assert_eq!(assert_whole(&desk, "at the end"), 3 * RECORDS);
}
