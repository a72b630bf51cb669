//! How does a test run `triagraph` as a user does? A desk in a folder of its own, and runs of the real binary.

mod collector;
mod endpoint;
mod mutate;
mod server;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

pub use collector::Collector;
pub use endpoint::{Call, Endpoint, Reply};
pub use mutate::Mutator;
pub use server::{Server, ask};

/// The binary: the one that cargo built beside this test, else the one that `TRIAGRAPH_BIN` names.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let beside = test.parent().and_then(Path::parent).map(|folder| folder.join("triagraph"));
    let named = || std::env::var_os("TRIAGRAPH_BIN").map(PathBuf::from);
    let found = beside.filter(|path| path.is_file()).or_else(named).filter(|path| path.is_file());
    found.expect("there is no triagraph binary to test: run `make build` first, or name one in TRIAGRAPH_BIN")
}

/// The root of the repository.
///
/// # Panics
/// Never in a checkout.
#[must_use]
pub fn root() -> PathBuf {
    // As cargo says it now: a build directory may be shared by checkouts, so the path of the build may be another's.
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().expect("this crate stands in the repository").to_owned()
}

/// Numbers that look random and are the same in each run.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Changes the order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, usize::try_from(self.below(last as u64 + 1)).unwrap_or(0));
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Run {
    /// The run, which must have ended with this code.
    ///
    /// # Panics
    /// If it ended with another.
    #[must_use = "a run says more than its code"]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// If it is not one JSON value.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }
}

/// A desk in a folder that goes when the test ends.
#[derive(Debug)]
pub struct Desk {
    folder: TempDir,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// A folder without a desk in it yet.
    ///
    /// # Panics
    /// If no temporary folder can be made.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The desk of the demo company.
    ///
    /// # Panics
    /// If it cannot be ingested.
    #[must_use]
    pub fn demo() -> Self {
        let desk = Self::new();
        let sources = demo_sources();
        let mut arguments: Vec<&OsStr> = vec![OsStr::new("ingest")];
        arguments.extend(sources.iter().map(|path| path.as_os_str()));
        let _ = desk.run(arguments).with_code(0);
        desk
    }

    /// A desk of its own with all that this one holds; nobody has this one open.
    ///
    /// # Panics
    /// If it cannot be copied.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        let copied = Command::new("cp").arg("-r").arg(self.data()).arg(copy.data()).status();
        assert!(copied.expect("cp").success(), "the desk is copied");
        copy
    }

    /// The folder of the desks, for `--data`.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the tenant's desk.
    #[must_use]
    pub fn main(&self) -> PathBuf {
        self.data().join("main")
    }

    /// A path for a file beside the desk.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the desk.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.beside(name);
        std::fs::write(&path, content).expect("a file in a temporary folder");
        path
    }

    /// The command on this desk, with the embedder that needs no model and without what the environment says.
    #[must_use]
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(binary());
        for name in [
            "TRIAGRAPH_DATA",
            "TRIAGRAPH_TENANT",
            "TRIAGRAPH_KEY",
            "TRIAGRAPH_LOG",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "TRIAGRAPH_MODEL_URL",
            "TRIAGRAPH_MODEL",
        ] {
            command.env_remove(name);
        }
        command.arg("--data").arg(self.data()).arg("--hash-embedder").args(arguments).current_dir(root());
        command
    }

    /// Runs the command.
    ///
    /// # Panics
    /// If it cannot be started or does not speak UTF-8.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        finish(&mut self.command(arguments), "")
    }

    /// Runs the command with the default embedder.
    ///
    /// # Panics
    /// If it cannot be started or does not speak UTF-8.
    pub fn run_embedding<A: AsRef<OsStr>>(
        &self,
        models: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Run {
        let mut command = Command::new(binary());
        command.env_remove("TRIAGRAPH_TENANT").env("TRIAGRAPH_MODELS", models).current_dir(root());
        finish(command.arg("--data").arg(self.data()).args(arguments), "")
    }

    /// Runs the command with this on standard input.
    ///
    /// # Panics
    /// If it cannot be started or does not speak UTF-8.
    pub fn run_with<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, input: &str) -> Run {
        finish(&mut self.command(arguments), input)
    }

    /// Runs a command that must end well, with `--json`, and gives what it says.
    ///
    /// # Panics
    /// If it does not end with 0 or says no JSON.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(arguments.iter().copied().chain(["--json"])).with_code(0).json()
    }

    /// Ids of the records that a search finds.
    ///
    /// # Panics
    /// If the search fails.
    #[must_use]
    pub fn search(&self, arguments: &[&str]) -> Vec<String> {
        let found = self.json(&[&["search"], arguments].concat());
        let hits = found["hits"].as_array().expect("a list of hits");
        hits.iter().map(|hit| hit["record"].as_str().expect("a record's id").to_owned()).collect()
    }
}

/// The folder of the models; none where the default embedder is not installed, which is a failure if
/// `TRIAGRAPH_REQUIRE_MODELS` is set.
///
/// # Panics
/// When the model is required and missing.
#[must_use]
pub fn models() -> Option<PathBuf> {
    let folder = std::env::var_os("TRIAGRAPH_MODELS").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME").map(PathBuf::from)?;
        Some(home.join(".cache/triagraph/models"))
    });
    let found = folder.filter(|folder| folder.join("all-MiniLM-L6-v2").is_dir());
    let is_required = std::env::var_os("TRIAGRAPH_REQUIRE_MODELS").is_some();
    assert!(found.is_some() || !is_required, "there is no embedding model: run `make models`");
    found
}

/// The folders of the demo company's sources.
#[must_use]
pub fn demo_sources() -> Vec<PathBuf> {
    let demo = root().join("datasets/demo");
    ["cmdb", "knowledge", "alerts", "tickets"].iter().map(|name| demo.join(name)).collect()
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started or does not speak UTF-8.
pub fn finish(command: &mut Command, input: &str) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // A command that reads nothing closes its end: that is no fault.
    let feeding = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let ended = child.wait_with_output().expect("the binary ends");
    let _ = feeding.join();
    let text = |bytes| String::from_utf8(bytes).expect("the binary speaks UTF-8");
    Run { code: ended.status.code().unwrap_or(-1), out: text(ended.stdout), err: text(ended.stderr) }
}
