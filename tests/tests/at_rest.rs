//! Is a desk unreadable at rest? The very commands of the README make, open and close the encrypted volumes; then every byte is searched.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tests::{Desk, Run, Server, binary, root};

/// Words that stand in the records and nowhere else.
const CANARIES: usize = 40;

fn canary(number: usize) -> String {
    format!("zyqcanary{number:03}xw")
}

#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
/// Whether volumes can be opened here. Where the machine has FUSE, the tools are required if `TRIAGRAPH_REQUIRE_TOOLS` is set.
fn can_mount() -> bool {
    if OpenOptions::new().read(true).write(true).open("/dev/fuse").is_err() {
        eprintln!("left out: this machine has no FUSE (/dev/fuse), so no volume can be opened");
        return false;
    }
    let found = ["gocryptfs", "fusermount3"].map(|tool| Command::new(tool).arg("-V").output().is_ok());
    let is_there = found == [true, true];
    let is_required = std::env::var_os("TRIAGRAPH_REQUIRE_TOOLS").is_some();
    assert!(
        is_there || !is_required,
        "gocryptfs or fusermount3 is not here: run `make setup`, or install gocryptfs and fuse3"
    );
    if !is_there {
        eprintln!("left out: gocryptfs and fuse3 are not installed");
    }
    is_there
}

/// A folder in which the README's commands run, closed at the end.
struct Place {
    desk: Desk,
}

impl Place {
    fn new() -> Self {
        let place = Self { desk: Desk::new() };
        // The commands say `triagraph`; it embeds without a model here.
        let named = place
            .desk
            .file("triagraph", format!("#!/bin/sh\nexec '{}' --hash-embedder \"$@\"\n", binary().display()));
        fs::set_permissions(named, fs::Permissions::from_mode(0o755)).expect("its permissions");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.beside(name)
    }

    /// A shell command in the folder.
    fn shell(&self, script: &str) -> Run {
        let mut command = Command::new("bash");
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.path("").display())).current_dir(self.path(""));
        for name in ["TRIAGRAPH_DATA", "TRIAGRAPH_TENANT", "TRIAGRAPH_KEY", "TRIAGRAPH_VAULT_KEY_FILE"] {
            command.env_remove(name);
        }
        // To files, not to pipes: what keeps a volume open goes on behind the command, and would hold them open.
        let [out, err] = ["out", "err"].map(|name| self.path(name));
        let file = |path: &PathBuf| fs::File::create(path).expect("a file");
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err));
        let ended = command.args(["-euc", &format!("tenant=main\n{script}")]).status().expect("bash");
        let [out, err] = [out, err].map(|path| fs::read_to_string(path).expect("what it said"));
        Run { code: ended.code().unwrap_or(-1), out, err }
    }

    fn triagraph(&self, arguments: &str) -> Run {
        self.shell(&format!("triagraph {arguments}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for open in ["backup", "triagraph-data/main"] {
            let _ = Command::new("fusermount3").args(["-u", "-q", "-z"]).arg(self.path(open)).output();
        }
    }
}

/// The blocks of commands of the README's section, in their order: make, open, back up, close.
fn commands() -> [String; 4] {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let section = readme.split("\n## Encryption at rest\n").nth(1).expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    let blocks: Vec<String> = section
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a block").to_owned())
        .collect();
    blocks.try_into().expect("four blocks of commands")
}

/// How many of the canaries stand in the files below a folder, or in their names.
fn found(folder: &Path) -> usize {
    let (mut bytes, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            bytes.extend(path.file_name().expect("a name").as_encoded_bytes());
            if path.is_dir() {
                folders.push(path);
            } else {
                bytes.extend(fs::read(path).expect("a file"));
            }
        }
    }
    assert!(bytes.len() > 100_000, "only {} bytes were searched", bytes.len());
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    (0..CANARIES).filter(|number| text.contains(&canary(*number))).count()
}

fn records() -> String {
    let lines = (0..CANARIES).map(|number| {
        json!({"id": format!("INC{number}"), "kind": "incident", "title": format!("Mail is late {}", canary(number)),
            "description": format!("The queue on mx-01 grows. {} was seen. Call ann@example.org.", canary(number))})
        .to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Uses the desk as one does: takes records in, asks, and works on an event while it is served.
fn use_desk(place: &Place) {
    let records = place.desk.file("records.jsonl", records());
    let _ =
        place.triagraph(&format!("ingest --mapping generic --source sn {}", records.display())).with_code(0);
    fs::remove_file(records).expect("the source is gone");
    let hits = place.triagraph(&format!("search --json {}", canary(7))).with_code(0).json();
    assert_eq!(hits["hits"][0]["record"], "sn:INC7", "{hits}");
    let mut serve = Command::new(binary());
    serve.args(["--hash-embedder", "serve", "--listen", "127.0.0.1:0"]).current_dir(place.path(""));
    for name in ["TRIAGRAPH_DATA", "TRIAGRAPH_TENANT", "TRIAGRAPH_KEY", "TRIAGRAPH_VAULT_KEY_FILE"] {
        serve.env_remove(name);
    }
    let mut server = Server::start(serve);
    let ticket = json!({"id": "sn:INC99", "kind": "incident", "title": format!("Mail is late {}", canary(8)),
        "sections": [{"kind": "description", "text": "The queue on mx-01 grows again."}]});
    let (status, said) = server.ask("POST", "/v1/triage", &json!({"ticket": ticket}));
    assert_eq!(status, 200, "{said}");
    assert_eq!(server.ask("GET", "/v1/records/sn%3AINC7", &serde_json::Value::Null).0, 200);
    server.kill();
}

#[test]
fn a_closed_volume_and_its_backup_hold_no_word_of_the_desk() {
    if !can_mount() {
        return;
    }
    let place = Place::new();
    let [make, open, back_up, close] = commands();
    let _ = place.shell(&make).with_code(0);
    let opened = place.shell(&open);
    let said = opened.err.to_lowercase();
    if opened.code != 0 && ["not permitted", "permission denied"].iter().any(|why| said.contains(why)) {
        eprintln!("left out: this account may not mount: {}", opened.err);
        return;
    }
    let _ = opened.with_code(0);
    use_desk(&place);
    // The control: in the open volume each of them is found.
    assert_eq!(found(&place.path("triagraph-data")), CANARIES);
    let _ = place.shell(&back_up).with_code(0);
    let _ = place.shell(&close).with_code(0);
    assert!(!place.path("triagraph-data/main/desk.db").exists(), "it is closed");
    assert_eq!(found(&place.path("sealed/main")), 0);
    assert_eq!(found(&place.path("sealed/main-backup")), 0);

    // Another key opens nothing.
    let wrong = open.replace("keys/$tenant", "keys/other");
    let wrong = place.shell(&format!("head -c 32 /dev/urandom | base64 > keys/other\n{wrong}"));
    assert!(wrong.code != 0 && wrong.err.contains("Password incorrect"), "{} {}", wrong.code, wrong.err);
    assert!(!place.path("triagraph-data/main/desk.db").exists(), "it stays closed");

    // With the right one all is there again, and so is the backup.
    let _ = place.shell(&open).with_code(0);
    let verified = place.triagraph("verify").with_code(0);
    assert!(verified.out.contains("whole") || verified.code == 0, "{}", verified.out);
    let hits = place.triagraph(&format!("search --json {}", canary(31))).with_code(0).json();
    assert_eq!(hits["hits"][0]["record"], "sn:INC31", "{hits}");
    let backup = "gocryptfs -q -nosyslog -passfile keys/$tenant sealed/$tenant-backup backup";
    let _ = place.shell(backup).with_code(0);
    let restored = place.triagraph("--data again restore backup/desk.backup").with_code(0);
    assert!(restored.out.contains("is back"), "{}", restored.out);
    assert_eq!(found(&place.path("again")), CANARIES, "without a volume all stands there to be read");
}
