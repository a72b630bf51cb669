//! Does anybody wait while the vector graph is built, and what if it cannot be?
#![cfg(unix)]

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::query::{Leg, Query};
use crate::trial::{Trial, record};

/// Longer than anything here takes, unless it waits for what does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pipe in the place of the file that a build writes: the build stands still until this goes.
struct Obstacle(PathBuf);

impl Obstacle {
    fn new(path: PathBuf) -> Self {
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Self(path)
    }
}

impl Drop for Obstacle {
    fn drop(&mut self) {
        // Whoever waits to write goes on, and finds that a pipe is no file.
        drop(OpenOptions::new().read(true).write(true).open(&self.0));
        let _ = std::fs::remove_file(&self.0);
    }
}

fn found(desk: &Desk, legs: &[Leg]) -> Vec<(RecordId, u64)> {
    let query = Query { legs: legs.to_vec(), limit: 1000, ..Query::new("printer on floor", second(0)) };
    let hits = desk.search(&operator(), &query).unwrap();
    assert_eq!(hits.degraded, []);
    hits.hits.into_iter().map(|hit| (hit.record, hit.position)).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("segment-")).collect()
}

#[test]
fn nobody_waits_for_a_build_and_one_that_fails_is_made_again() {
    let trial = Trial::with_embedder();
    let floor = |n: u32| record(&format!("s:INC-{n}"), Kind::Incident, &format!("printer on floor {n}"), &[]);
    trial.apply((0..60).map(floor));
    let desk = &trial.desk;
    (0..60).step_by(3).for_each(|n| assert!(desk.delete(&id(&format!("s:INC-{n}")), second(1)).unwrap()));
    let before = found(desk, &[Leg::Dense]);
    assert_eq!(before.len(), 40);
    let vectors = desk.folder.vectors();
    let obstacle = Obstacle::new(vectors.join("segment-00000001.tmp"));
    std::thread::scope(|threads| {
        let build = threads.spawn(|| desk.seal());
        let (done, ended) = mpsc::channel();
        threads.spawn(move || {
            let started = Instant::now();
            while !desk.pause_writer().is_sealing {
                assert!(started.elapsed() < PATIENCE, "the build does not begin");
                std::thread::yield_now();
            }
            assert_eq!(found(desk, &[Leg::Dense]), before, "a query while the graph is built");
            apply(desk, &[&floor(100), &floor(1)], 2);
            assert!(desk.delete(&id("s:INC-2"), second(2)).unwrap());
            let changed = found(desk, &[Leg::Dense]);
            assert_eq!(changed.len(), 40);
            assert!(changed.iter().any(|(record, _)| *record == id("s:INC-100")));
            assert!(changed.iter().all(|(record, _)| *record != id("s:INC-2")));
            assert!(!desk.seal().unwrap(), "two builds of the same");
            done.send(changed).unwrap();
        });
        let changed = ended.recv_timeout(PATIENCE);
        let is_building = !build.is_finished();
        drop(obstacle);
        let changed = changed.expect("queries and writes wait for the build, or fail meanwhile");
        assert!(is_building, "the build was over before");
        assert!(build.join().unwrap().is_err(), "a pipe was taken for a file");
        assert_eq!(found(desk, &[Leg::Dense]), changed, "after a build that failed");
        assert_eq!(files(&vectors), Vec::<String>::new());
        let hybrid = found(desk, &Leg::ALL);
        assert!(desk.seal().unwrap(), "the next build");
        assert_eq!(files(&vectors), ["segment-00000002.vectors"]);
        assert_eq!((found(desk, &[Leg::Dense]), found(desk, &Leg::ALL)), (changed, hybrid), "sealed");
    });
    // The dead are more than a third: they are compacted away.
    for n in 4..50 {
        desk.delete(&id(&format!("s:INC-{n}")), second(3)).unwrap();
    }
    let left = found(desk, &[Leg::Dense]);
    let size = || std::fs::metadata(vectors.join(&files(&vectors)[0])).unwrap().len();
    let whole = size();
    assert!(desk.seal().unwrap());
    assert!(size() < whole, "{whole} bytes before, {} after", size());
    assert_eq!(found(desk, &[Leg::Dense]), left);
    assert_sound(desk, "compacted");
    let trial = trial.rebuilt();
    assert_eq!(found(&trial.desk, &[Leg::Dense]), left, "rebuilt from the log");
}
