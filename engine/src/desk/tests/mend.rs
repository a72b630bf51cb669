//! Is an index that is found damaged when a desk is opened built anew from the log?

use std::path::PathBuf;
use std::sync::Arc;

use models::{Embedder, HashEmbedder};

use super::*;
use crate::query::{Hit, Leg, Query};
use crate::trial::{Trial, record};

fn found(desk: &Desk) -> Vec<Hit> {
    let query = Query { legs: Leg::ALL.to_vec(), ..Query::new("printer on floor 7", second(0)) };
    let hits = desk.search(&operator(), &query).unwrap();
    assert_eq!(hits.degraded, []);
    hits.hits
}

/// A desk with sealed and scanned passages, closed; its folder and what it answers.
fn written() -> (tempfile::TempDir, Vec<Hit>) {
    let trial = Trial::with_embedder();
    let floor = |n: u32| record(&format!("s:INC-{n}"), Kind::Incident, &format!("printer on floor {n}"), &[]);
    trial.apply((0..30).map(floor));
    assert!(trial.desk.seal().unwrap());
    trial.apply((30..33).map(floor));
    let answer = found(&trial.desk);
    assert_eq!(answer.len(), 10);
    let Trial { desk, folder } = trial;
    drop(desk);
    (folder, answer)
}

/// The files of one index that end so.
fn files(folder: &tempfile::TempDir, part: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let index = std::fs::read_dir(folder.path().join("main/index")).unwrap().next().unwrap().unwrap().path();
    let paths = std::fs::read_dir(index.join(part)).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| is_wanted(path.file_name().unwrap().to_str().unwrap())).collect()
}

fn spoil(path: &PathBuf, from: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    assert!(bytes.len() > from, "{path:?} has {} bytes", bytes.len());
    bytes[from..].iter_mut().take(64).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(path, bytes).unwrap();
}

fn assert_mended(folder: &tempfile::TempDir, answer: &[Hit], what: &str) {
    for time in ["the first time", "again"] {
        let embedder: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(64));
        let desk = Desk::open(folder.path(), &tenant(), Some(embedder))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_sound(&desk, &format!("{what}, opened {time}"));
        assert_eq!(found(&desk), answer, "{what}, opened {time}");
    }
}

#[test]
fn a_damaged_text_index_is_built_anew() {
    for ending in ["meta.json", "fast", "idx"] {
        let (folder, answer) = written();
        let spoilt = files(&folder, "text", |name| name.ends_with(ending) && !name.starts_with('.'));
        match ending {
            "meta.json" => std::fs::write(&spoilt[0], "{").unwrap(),
            _ => std::fs::remove_file(&spoilt[0]).unwrap(),
        }
        assert_mended(&folder, &answer, ending);
    }
}

#[test]
fn a_damaged_graph_is_built_anew() {
    for name in ["MANIFEST", "CURRENT"] {
        let (folder, answer) = written();
        let spoilt = files(&folder, "graph", |file| file.starts_with(name));
        spoil(&spoilt[0], 0);
        assert_mended(&folder, &answer, name);
    }
}

#[test]
fn a_damaged_segment_is_made_of_the_database_and_a_damaged_database_of_the_log() {
    let (folder, answer) = written();
    let segment = &files(&folder, "vectors", |name| name.starts_with("segment-"))[0];
    // Goes only with the whole folder, and the vectors of all texts with it.
    let mark = segment.with_file_name("mark");
    std::fs::write(&mark, "").unwrap();
    spoil(segment, 200);
    assert_mended(&folder, &answer, "segment");
    assert!(!segment.exists() && mark.exists());
    let (folder, answer) = written();
    std::fs::remove_file(&files(&folder, "vectors", |name| name.starts_with("segment-"))[0]).unwrap();
    assert_mended(&folder, &answer, "no segment");
    for with_segment in [false, true] {
        let (folder, answer) = written();
        spoil(&files(&folder, "vectors", |name| name == "vectors.db")[0], 0);
        if with_segment {
            spoil(&files(&folder, "vectors", |name| name.starts_with("segment-"))[0], 200);
        }
        assert_mended(&folder, &answer, "database");
    }
}

#[test]
fn a_damaged_log_is_not_mended() {
    let (folder, _) = written();
    for (name, bytes) in
        [("desk.db", "no database, but long enough to be taken for one"), ("desk.db-wal", "")]
    {
        std::fs::write(folder.path().join("main").join(name), bytes).unwrap();
    }
    let embedder: Arc<dyn Embedder> = Arc::new(HashEmbedder::new(64));
    let error = Desk::open(folder.path(), &tenant(), Some(embedder)).err().unwrap();
    assert_eq!(error.code(), "record-log");
}
