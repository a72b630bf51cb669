//! Does hostile input end as what it is: taken in, or refused in words, in bounded time, and the same when it comes again?
//!
//! Each target changes real files and questions by a seeded mutator, for as many rounds as an ordinary run can bear;
//! `TRIAGRAPH_FUZZ=100` runs a hundred times as many. A failure names its round and the file that its input was kept in. What was
//! found stands in `found.rs` for good.

#![expect(clippy::print_stdout, reason = "what a long run did is to be seen")]

mod asked;
mod found;
mod read;
mod served;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use ontology::{Scope, TenantId};
use tests::Mutator;

/// What one input may take; all but the worst take a thousandth of it.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A text or file to begin from, and what is made of it.
#[derive(Debug, Clone)]
struct Input {
    name: String,
    bytes: Vec<u8>,
}

impl Input {
    fn of(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Runs a target on so many changed inputs.
fn fuzz(
    name: &str,
    rounds: u64,
    seeds: &[Input],
    target: impl Fn(&Input, &mut Mutator) + Send + Sync + 'static,
) {
    let times = std::env::var("TRIAGRAPH_FUZZ").map_or(1, |times| times.parse().expect("a number of times"));
    let target = Arc::new(target);
    let bytes: Vec<&[u8]> = seeds.iter().map(|seed| seed.bytes.as_slice()).collect();
    let (started, mut slowest) = (Instant::now(), (Duration::ZERO, 0));
    for round in 0..rounds * times {
        let mut mutator = Mutator::new(round);
        let seed = mutator.one(seeds);
        let input = Input { name: seed.name.clone(), bytes: mutator.input(&seed.bytes, &bytes) };
        let target = Arc::clone(&target);
        let begun = Instant::now();
        if let Err(what) = within_limit(input.clone(), move |input| target(input, &mut mutator)) {
            let kept = std::env::temp_dir().join(format!("triagraph-fuzz-{name}-{round}"));
            std::fs::write(&kept, &input.bytes).expect("room for an input");
            panic!("{name}, round {round}, {:?} kept in {}: {what}", input.name, kept.display());
        }
        slowest = slowest.max((begun.elapsed(), round));
    }
    let (took, round) = slowest;
    println!("{name}: {} rounds in {:?}; {round} took {took:?}", rounds * times, started.elapsed());
}

/// Runs it on a thread of its own, since what hangs cannot be stopped.
fn within_limit(input: Input, target: impl FnOnce(&Input) + Send + 'static) -> Result<(), String> {
    let (end, ended) = channel();
    let thread = std::thread::spawn(move || {
        target(&input);
        let _ = end.send(());
    });
    match ended.recv_timeout(TIME_LIMIT) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => Err(format!("not done after {TIME_LIMIT:?}")),
        _ => thread.join().map_err(|payload| match payload.downcast_ref::<String>() {
            Some(said) => said.clone(),
            None => (*payload.downcast_ref::<&str>().unwrap_or(&"it panicked")).to_string(),
        }),
    }
}

/// All files below some folders of the repository.
fn files(folders: &[&str]) -> Vec<Input> {
    fn walk(folder: &Path, found: &mut Vec<Input>) {
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                walk(&path, found);
            } else {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                found.push(Input { name, bytes: std::fs::read(&path).expect("a file") });
            }
        }
    }
    let mut found = Vec::new();
    folders.iter().for_each(|folder| walk(&tests::root().join(folder), &mut found));
    assert!(found.len() > 5, "only {} files under {folders:?}", found.len());
    found
}

fn operator() -> Scope {
    Scope::operator(TenantId::new("main").expect("a name"))
}
